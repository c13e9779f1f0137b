/* SPDX-License-Identifier: BSD-2-Clause */
/* JPEG files with metadata segments: EXIF, ICC, XMP, comments, JFIF and unknown ones. */
#include <stdlib.h>

#include "cases.h"
#include "compose.h"

enum content {
    EXIF,            /* value: the orientation; flag BIG_ENDIAN: Motorola order */
    EXIF_LAST_ENTRY, /* orientation after 12 other entries, one of them of an odd type */
    EXIF_THUMBNAIL,  /* with a whole JPEG file in it, orientation 6 */
    EXIF_BROKEN,     /* value: which offset or count is broken */
    EXIF_TWICE,      /* two segments, orientation 3 and 8: the first holds */
    XMP_THEN_EXIF,
    ICC,            /* value: segments that it is spread over */
    COMMENTS,       /* value: how many, of growing length */
    LARGE_SEGMENTS, /* value: segments of 65,533 bytes */
    UNKNOWN_APPS,   /* APP1 to APP15 but 14 with bytes of no known kind */
    JFXX,           /* a JFIF extension segment with a thumbnail */
    EVERYTHING,
};

enum { BIG_ENDIAN_ORDER = 1 };

struct metadata {
    enum content content;
    uint32_t value, flags;
    uint32_t compose_flags;
    J_COLOR_SPACE space;
};

/* Segments under construction; all bytes in one buffer. */
enum { MAX_SEGMENTS = 256 };
struct segments {
    struct segment list[MAX_SEGMENTS];
    size_t offset[MAX_SEGMENTS];
    uint32_t count;
    struct pcr_buffer bytes;
    struct pcr_error *err;
    int rc;
};

static void begin(struct segments *s, int marker)
{
    s->list[s->count].marker = marker;
    s->offset[s->count++] = s->bytes.nbytes;
}

static void put(struct segments *s, const void *p, size_t nbytes)
{
    if (!s->rc)
        s->rc = pcri_buffer_append(&s->bytes, p, nbytes, s->err);
}

static void put_number(struct segments *s, uint32_t v, unsigned nbytes, bool big)
{
    uint8_t b[4];
    for (unsigned i = 0; i < nbytes; i++)
        b[i] = (uint8_t) (v >> 8 * (big ? nbytes - 1 - i : i));
    put(s, b, nbytes);
}

static void put_pattern(struct segments *s, size_t nbytes, uint8_t first)
{
    for (size_t i = 0; i < nbytes; i++) {
        uint8_t v = (uint8_t) (first + i * 7);
        put(s, &v, 1);
    }
}

static void put_entry(struct segments *s, bool big, uint32_t tag, uint32_t type,
                      uint32_t count, uint32_t value)
{
    put_number(s, tag, 2, big);
    put_number(s, type, 2, big);
    put_number(s, count, 4, big);
    if (type == 3 && big)
        value <<= 16; /* a SHORT stands at the left of its four bytes */
    put_number(s, value, 4, big);
}

/* "Exif", the TIFF header, and the first directory's count of entries. */
static void begin_exif(struct segments *s, bool big, uint32_t entry_count)
{
    begin(s, JPEG_APP0 + 1);
    put(s, "Exif\0\0", 6);
    put(s, big ? "MM" : "II", 2);
    put_number(s, 42, 2, big);
    put_number(s, 8, 4, big);
    put_number(s, entry_count, 2, big);
}

static void exif(struct segments *s, bool big, uint32_t orientation)
{
    begin_exif(s, big, 2);
    put_entry(s, big, 0x0100, 4, 1, 640);
    put_entry(s, big, 0x0112, 3, 1, orientation);
    put_number(s, 0, 4, big);
}

/* The others' values lie where the block begins, if they take more than 4 bytes. */
static void exif_last_entry(struct segments *s, uint32_t orientation)
{
    begin_exif(s, true, 13);
    for (uint32_t i = 0; i < 12; i++)
        put_entry(s, true, 0x0101 + i, i == 5 ? 99 : i % 12 + 1, i == 5 ? 0x7FFFFFFF : 1, i);
    put_entry(s, true, 0x0112, 3, 1, orientation);
    put_number(s, 0, 4, true);
}

static void exif_thumbnail(struct segments *s)
{
    struct pcr_buffer small = { 0 };
    if (!s->rc)
        s->rc = pcr_gen_photo_of(9, PCR_GEN_NO_CLASS, 16, 12, 60, PCR_GEN_420, false, &small,
                                 s->err);
    begin_exif(s, false, 1);
    put_entry(s, false, 0x0112, 3, 1, 6);
    put_number(s, 8 + 2 + 12 + 4, 4, false); /* the second directory follows */
    put_number(s, 3, 2, false);
    put_entry(s, false, 0x0112, 3, 1, 2); /* the thumbnail's, of no meaning here */
    put_entry(s, false, 0x0201, 4, 1, 8 + 2 + 12 + 4 + 2 + 36 + 4);
    put_entry(s, false, 0x0202, 4, 1, (uint32_t) small.nbytes);
    put_number(s, 0, 4, false);
    put(s, small.data, small.nbytes);
    pcr_buffer_free(&small);
}

/* EXIF that cannot be read: the image has no orientation then, but is intact. */
static void exif_broken(struct segments *s, uint32_t how)
{
    if (how == 0) { /* directory beyond the segment */
        begin(s, JPEG_APP0 + 1);
        put(s, "Exif\0\0II\x2A\0\xF0\xFF\xFF\xFF", 14);
    } else if (how == 1) { /* more entries than bytes */
        begin_exif(s, true, 0xFFFF);
        put_entry(s, true, 0x0100, 4, 1, 640);
    } else if (how == 2) { /* neither byte order */
        begin(s, JPEG_APP0 + 1);
        put(s, "Exif\0\0XX\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", 28);
    } else if (how == 3) { /* ends after the name */
        begin(s, JPEG_APP0 + 1);
        put(s, "Exif\0\0", 6);
    } else if (how == 5) { /* a value beyond the segment ends the directory */
        begin_exif(s, true, 2);
        put_entry(s, true, 0x010F, 2, 20, 70000);
        put_entry(s, true, 0x0112, 3, 1, 6);
        put_number(s, 0, 4, true);
    } else { /* orientation as a LONG, with count 0 */
        begin_exif(s, false, 1);
        put_entry(s, false, 0x0112, 4, 0, 6);
        put_number(s, 0, 4, false);
    }
}

static void xmp(struct segments *s)
{
    static const char text[] = "http://ns.adobe.com/xap/1.0/\0<?xpacket begin=''?>"
                               "<x:xmpmeta xmlns:x='adobe:ns:meta/'/><?xpacket end='w'?>";
    begin(s, JPEG_APP0 + 1);
    put(s, text, sizeof(text) - 1);
}

static void icc(struct segments *s, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        begin(s, JPEG_APP0 + 2);
        put(s, "ICC_PROFILE\0", 12);
        put_number(s, i, 1, true);
        put_number(s, count, 1, true);
        put_pattern(s, 500, (uint8_t) i);
    }
}

static void comments(struct segments *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        begin(s, JPEG_COM);
        put_pattern(s, i, (uint8_t) i);
    }
}

static void unknown_apps(struct segments *s)
{
    for (int i = 1; i < 16; i++) {
        if (i == 14)
            continue;
        begin(s, JPEG_APP0 + i);
        put_pattern(s, (size_t) i * 3, (uint8_t) i);
    }
}

static void build(struct segments *s, const struct metadata *m)
{
    switch (m->content) {
    case EXIF:
        exif(s, m->flags & BIG_ENDIAN_ORDER, m->value);
        break;
    case EXIF_LAST_ENTRY:
        exif_last_entry(s, m->value);
        break;
    case EXIF_THUMBNAIL:
        exif_thumbnail(s);
        break;
    case EXIF_BROKEN:
        exif_broken(s, m->value);
        break;
    case EXIF_TWICE:
        exif(s, false, 3);
        exif(s, true, 8);
        break;
    case XMP_THEN_EXIF:
        xmp(s);
        exif(s, true, 5);
        break;
    case ICC:
        icc(s, m->value);
        break;
    case COMMENTS:
        comments(s, m->value);
        break;
    case LARGE_SEGMENTS:
        for (uint32_t i = 0; i < m->value; i++) {
            begin(s, i ? JPEG_APP0 + 13 : JPEG_COM);
            put_pattern(s, 65533, (uint8_t) i);
        }
        break;
    case UNKNOWN_APPS:
        unknown_apps(s);
        break;
    case JFXX:
        begin(s, JPEG_APP0);
        put(s, "JFXX\0\x13\x02\x02", 8);
        put_pattern(s, 12, 40);
        break;
    case EVERYTHING:
        exif_thumbnail(s);
        xmp(s);
        icc(s, 3);
        unknown_apps(s);
        comments(s, 4);
        break;
    }
}

static int make_metadata(const struct pcr_gen_case *c, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    const struct metadata *m = c->spec;
    struct segments *s = pcri_calloc(1, sizeof(*s), err);
    if (!s)
        return PCR_ERR_NOMEM;
    s->err = err;
    build(s, m);
    for (uint32_t i = 0; i < s->count; i++) {
        size_t end = i + 1 < s->count ? s->offset[i + 1] : s->bytes.nbytes;
        s->list[i].data = s->bytes.data ? s->bytes.data + s->offset[i] : NULL;
        s->list[i].nbytes = (uint32_t) (end - s->offset[i]);
    }
    struct compose spec = { .width = 40,
                            .height = 30,
                            .seed = 300 + m->content,
                            .flags = m->compose_flags,
                            .space = m->space,
                            .segments = s->list,
                            .segment_count = s->count };
    int rc = s->rc ? s->rc : gen_compose(&spec, out, err);
    pcr_buffer_free(&s->bytes);
    free(s);
    return rc;
}

#define META(name_, orientation_, ...) \
    { \
        .name = name_, .kind = PCR_GEN_GOOD_JPEG, .orientation = orientation_, \
        .make = make_metadata, .spec = &(const struct metadata) \
        { \
            __VA_ARGS__ \
        } \
    }
#define ORIENTATION(n) \
    META("exif-orientation-" #n "-intel", n, EXIF, n), \
        META("exif-orientation-" #n "-motorola", n, EXIF, n, BIG_ENDIAN_ORDER)

static const struct pcr_gen_case cases[] = {
    ORIENTATION(1),
    ORIENTATION(2),
    ORIENTATION(3),
    ORIENTATION(4),
    ORIENTATION(5),
    ORIENTATION(6),
    ORIENTATION(7),
    ORIENTATION(8),
    META("exif-orientation-0", 1, EXIF, 0),
    META("exif-orientation-9", 1, EXIF, 9),
    META("exif-orientation-last-entry", 7, EXIF_LAST_ENTRY, 7),
    META("exif-no-jfif", 6, EXIF, 6, .compose_flags = COMPOSE_NO_JFIF),
    META("exif-progressive", 8, EXIF, 8, .compose_flags = COMPOSE_PROGRESSIVE),
    META("exif-thumbnail", 6, EXIF_THUMBNAIL),
    META("exif-twice", 3, EXIF_TWICE),
    META("exif-after-xmp", 5, XMP_THEN_EXIF),
    META("exif-offset-beyond", 1, EXIF_BROKEN, 0),
    META("exif-count-beyond", 1, EXIF_BROKEN, 1),
    META("exif-no-byte-order", 1, EXIF_BROKEN, 2),
    META("exif-empty", 1, EXIF_BROKEN, 3),
    META("exif-odd-type", 1, EXIF_BROKEN, 4),
    META("exif-value-beyond", 1, EXIF_BROKEN, 5),
    META("icc", 1, ICC, 1),
    META("icc-five-segments", 1, ICC, 5),
    META("icc-cmyk", 1, ICC, 2, .space = JCS_CMYK),
    META("comments", 1, COMMENTS, 6),
    META("comments-200", 1, COMMENTS, 200),
    META("segments-65533", 1, LARGE_SEGMENTS, 3),
    META("unknown-app-segments", 1, UNKNOWN_APPS),
    META("jfxx", 1, JFXX),
    META("everything", 6, EVERYTHING),
    META("everything-ycck-progressive", 6, EVERYTHING, .space = JCS_YCCK,
         .compose_flags = COMPOSE_PROGRESSIVE),
};

const struct case_table gen_metadata_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
