/* SPDX-License-Identifier: BSD-2-Clause */
/* Which way up a PNG is: its eXIf chunk, an Exif block as text, or XMP; as in Pillow. */
#define ZLIB_CONST
#include <zlib.h>

#include "../base/exif.h"
#include "image.h"

enum {
    MAGIC_NBYTES = 8,
    CHUNK_NBYTES = 12, /* of a chunk beside its data: length, type, CRC */
    TEXT_MOST_NBYTES = 1 << 20, /* of a text when inflated: what is longer is passed over */
};

struct bytes {
    const uint8_t *p;
    size_t n;
};

/* What was found so far; p NULL: nothing. Of two alike the later one counts. */
struct found {
    struct bytes exif;       /* eXIf, or a text named "exif" */
    bool exif_before_pixels; /* then one that comes after them does not count */
    struct bytes raw, xmp;   /* chunks' data of text */
    uint8_t raw_type, xmp_type; /* first letter of their types */
};

/* Is the text's keyword this one? A NUL follows it. */
static bool is_named(struct bytes text, const char *name)
{
    size_t n = strlen(name) + 1;
    return text.n >= n && !memcmp(text.p, name, n);
}

static void take_text(struct found *f, uint8_t type, struct bytes text, bool after_pixels)
{
    if (type == 't' && is_named(text, "exif") && !(after_pixels && f->exif_before_pixels)) {
        f->exif = (struct bytes) { text.p + 5, text.n - 5 };
        f->exif_before_pixels = !after_pixels;
    } else if (is_named(text, "Raw profile type exif")) {
        f->raw = text;
        f->raw_type = type;
    } else if (is_named(text, "XML:com.adobe.xmp")) {
        f->xmp = text;
        f->xmp_type = type;
    }
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

/* Is the checksum behind a chunk of n bytes right? */
static bool is_intact(const uint8_t *chunk, size_t n)
{
    return crc32(0, chunk + 4, (uInt) n + 4) == be32(chunk + 8 + n);
}

/* Looks at all chunks, also at those after the image data. One with a wrong checksum says
 * nothing. */
static void find(const uint8_t *data, size_t nbytes, struct found *f)
{
    bool after = false;
    for (size_t at = MAGIC_NBYTES; nbytes - at >= CHUNK_NBYTES;) {
        const uint8_t *c = data + at;
        size_t n = be32(c);
        if (n > nbytes - at - CHUNK_NBYTES || !memcmp(c + 4, "IEND", 4))
            break;
        const struct bytes content = { c + 8, n };
        if (!memcmp(c + 4, "IDAT", 4)) {
            after = true;
        } else if (!memcmp(c + 4, "eXIf", 4) && is_intact(c, n)) {
            if (!after || !f->exif_before_pixels)
                f->exif = content;
            f->exif_before_pixels |= !after;
        } else if ((!memcmp(c + 4, "tEXt", 4) || !memcmp(c + 4, "zTXt", 4) ||
                    !memcmp(c + 4, "iTXt", 4)) && is_intact(c, n)) {
            take_text(f, c[4], content, after);
        }
        at += n + CHUNK_NBYTES;
    }
}

/* Inflates into `out`; nothing where the stream is damaged or too long. */
static int inflate_text(struct bytes in, struct pcr_buffer *out, struct pcr_error *err)
{
    z_stream z = { .next_in = in.p, .avail_in = (uInt) in.n };
    out->nbytes = 0;
    int rc = pcri_buffer_reserve(out, TEXT_MOST_NBYTES, err);
    if (rc)
        return rc;
    if (inflateInit(&z) != Z_OK)
        return pcri_fail_nomem(err, TEXT_MOST_NBYTES);
    z.next_out = out->data;
    z.avail_out = TEXT_MOST_NBYTES;
    int end = inflate(&z, Z_FINISH);
    if (end == Z_STREAM_END || (end == Z_BUF_ERROR && z.avail_out)) /* or it is cut off */
        out->nbytes = TEXT_MOST_NBYTES - z.avail_out;
    inflateEnd(&z);
    return end == Z_MEM_ERROR ? pcri_fail_nomem(err, TEXT_MOST_NBYTES) : 0;
}

/* What is behind the next NUL; all of it is taken where there is none. */
static struct bytes behind_nul(struct bytes b)
{
    const uint8_t *nul = b.n ? memchr(b.p, 0, b.n) : NULL;
    size_t skip = nul ? (size_t) (nul - b.p) + 1 : b.n;
    return (struct bytes) { b.p + skip, b.n - skip };
}

/* The text of a tEXt, zTXt or iTXt chunk, of which `type` is the first letter; inflated into
 * `out` if need be. Empty where it is damaged. */
static int read_text(uint8_t type, struct bytes chunk, struct pcr_buffer *out,
                     struct bytes *text, struct pcr_error *err)
{
    struct bytes b = behind_nul(chunk); /* the keyword is over */
    bool deflated = type == 'z';
    *text = (struct bytes) { NULL, 0 };
    if (type == 'i') {
        if (b.n < 2 || (b.p[0] && b.p[1]))
            return 0;
        deflated = b.p[0];
        b = behind_nul(behind_nul((struct bytes) { b.p + 2, b.n - 2 }));
    } else if (deflated) {
        if (!b.n || b.p[0])
            return 0;
        b = (struct bytes) { b.p + 1, b.n - 1 };
    }
    *text = b;
    if (!deflated)
        return 0;
    int rc = inflate_text(b, out, err);
    *text = (struct bytes) { out->data, out->nbytes };
    return rc;
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ImageMagick's form: an empty line, a name, a number of bytes, and their digits. Written into
 * `out`, which may be where the text is; false if it is not that. */
static bool read_hex(struct bytes text, uint8_t *out, size_t *nbytes_out)
{
    size_t at = 0, n = 0;
    for (int lines = 0; lines < 3 && at < text.n;)
        lines += text.p[at++] == '\n';
    while (at < text.n) {
        if (strchr(" \t\n\v\f\r", text.p[at]) && text.p[at]) {
            at++;
            continue;
        }
        int high = hex_digit(text.p[at]), low = at + 1 < text.n ? hex_digit(text.p[at + 1]) : -1;
        if (high < 0 || low < 0)
            return false;
        out[n++] = (uint8_t) (high << 4 | low);
        at += 2;
    }
    *nbytes_out = n;
    return true;
}

static int take_raw(const struct found *f, struct pcr_buffer *scratch,
                    struct pcri_orientation *o, struct pcr_error *err)
{
    struct bytes text;
    size_t n = 0;
    int rc = read_text(f->raw_type, f->raw, scratch, &text, err);
    if (!rc && text.p != scratch->data)
        rc = pcri_buffer_reserve(scratch, text.n, err);
    if (!rc && text.n && read_hex(text, scratch->data, &n))
        pcri_orientation_set_exif(o, scratch->data, n);
    return rc;
}

int pcri_png_orientation(const uint8_t *data, size_t nbytes, struct pcr_buffer *scratch,
                         uint32_t *orientation_out, struct pcr_error *err)
{
    struct found f = { 0 };
    struct pcri_orientation o = { 0 };
    struct bytes text;
    int rc = 0;
    find(data, nbytes, &f);
    if (f.exif.p)
        pcri_orientation_set_exif(&o, f.exif.p, f.exif.n);
    else if (f.raw.p)
        rc = take_raw(&f, scratch, &o, err);
    if (!rc && !o.exif && f.xmp.p) {
        rc = read_text(f.xmp_type, f.xmp, scratch, &text, err);
        if (!rc && text.n)
            pcri_orientation_set_xmp(&o, text.p, text.n);
    }
    *orientation_out = pcri_orientation_of(&o);
    return rc;
}
