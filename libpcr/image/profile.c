/* SPDX-License-Identifier: BSD-2-Clause */
/* The colours of an encoded image: gray or not, and its ICC profile. */
#include "../jpeg/segment_walk.h"
#include "codecs/png_chunks.h"
#include "codecs/webp_chunks.h"
#include "profile.h"

enum {
    ICC_SPACE_AT = 16, /* in a profile: what its colours are, four letters */
    ICC_LEAST_NBYTES = 132,
    ICC_MOST_NBYTES = 255 * 65519, /* that segments of a JPEG can hold */
};

/* --- JPEG --- */

/* A segment of an ICC profile: "ICC_PROFILE\0", its number from 1, their count, its part. */
enum { ICC_NAME_NBYTES = 12, ICC_HEAD_NBYTES = 14 };

static bool is_icc(const struct pcri_walked *s)
{
    return s->marker == 0xE2 && s->nbytes >= ICC_HEAD_NBYTES &&
           !memcmp(s->payload, "ICC_PROFILE", ICC_NAME_NBYTES);
}

/* Appends the profile's part of this number; false if there is none. */
static bool add_part(const struct pcr_spans *file, unsigned number, struct pcr_buffer *profile,
                     unsigned *count, int *rc, struct pcr_error *err)
{
    struct pcri_walked s;
    for (struct pcri_segment_walk w = pcri_segment_walk(file); pcri_segment_next(&w, &s);)
        if (is_icc(&s) && s.payload[ICC_NAME_NBYTES] == number) {
            *count = s.payload[ICC_NAME_NBYTES + 1];
            *rc = pcri_buffer_append(profile, s.payload + ICC_HEAD_NBYTES,
                                     s.nbytes - ICC_HEAD_NBYTES, err);
            return true;
        }
    return false;
}

static int read_jpeg(const struct pcr_spans *file, struct pcr_buffer *profile, bool *any,
                     struct pcr_error *err)
{
    struct pcri_walked s;
    *any = false;
    for (struct pcri_segment_walk w = pcri_segment_walk(file);
         !*any && pcri_segment_next(&w, &s);)
        *any = is_icc(&s);
    unsigned count = 255, number = 1;
    int rc = 0;
    while (*any && !rc && number <= count && add_part(file, number, profile, &count, &rc, err))
        number++;
    if (number <= count) /* a part is missing */
        profile->nbytes = 0;
    return rc;
}

/* --- PNG --- */

/* iCCP: a name, NUL, the method of compression, which is 0, and the compressed profile. */
static int read_png(struct pcri_bytes file, struct pcr_buffer *profile, bool *any,
                    struct pcr_error *err)
{
    struct pcri_png_chunk c;
    *any = false;
    for (size_t at = 0; pcri_png_next(file, &at, &c) && memcmp(c.type, "IDAT", 4) != 0;) {
        if (memcmp(c.type, "iCCP", 4) != 0)
            continue;
        struct pcri_bytes b = pcri_behind_nul(c.data);
        *any = true;
        if (!b.n || b.p[0] || !pcri_png_is_intact(&c))
            return 0;
        b = (struct pcri_bytes) { b.p + 1, b.n - 1 };
        return pcri_png_inflate(b, ICC_MOST_NBYTES, profile, err);
    }
    return 0;
}

/* --- WebP --- */

static int read_webp(struct pcri_bytes file, struct pcr_buffer *profile, bool *any,
                     struct pcr_error *err)
{
    const struct pcri_bytes b = pcri_webp_find(file, "ICCP");
    *any = b.n > 0;
    return *any && b.n <= ICC_MOST_NBYTES ? pcri_buffer_append(profile, b.p, b.n, err) : 0;
}

/* --- TIFF --- */

/* A number of n bytes. */
static uint64_t tiff_number(const uint8_t *p, unsigned n, bool big_endian)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t) p[big_endian ? n - 1 - i : i] << 8 * i;
    return v;
}

/* In the first directory, of TIFF and BigTIFF, whose numbers are of 4 and 8 bytes. */
static int read_tiff(struct pcri_bytes file, struct pcr_buffer *profile, bool *any,
                     struct pcr_error *err)
{
    enum { ICC_TAG = 34675 };
    const bool big = file.p[0] == 'M';
    *any = false;
    if (file.n < 16)
        return 0;
    const unsigned unit = tiff_number(file.p + 2, 2, big) == 43 ? 8 : 4;
    const unsigned count_nbytes = unit == 8 ? 8 : 2, entry_nbytes = 4 + 2 * unit;
    const uint64_t at = tiff_number(file.p + unit, unit, big);
    if (at > file.n || file.n - at < count_nbytes)
        return 0;
    const uint64_t count = tiff_number(file.p + at, count_nbytes, big);
    const uint8_t *entry = file.p + at + count_nbytes, *end = file.p + file.n;
    for (uint64_t i = 0; i < count && (size_t) (end - entry) >= entry_nbytes;
         i++, entry += entry_nbytes) {
        if (tiff_number(entry, 2, big) != ICC_TAG)
            continue;
        const uint64_t n = tiff_number(entry + 4, unit, big);
        const uint64_t data = tiff_number(entry + 4 + unit, unit, big);
        *any = true;
        if (n > ICC_MOST_NBYTES || data > file.n || n > file.n - data)
            return 0;
        return pcri_buffer_append(profile, file.p + data, (size_t) n, err);
    }
    return 0;
}

/* --- all --- */

static bool is_png(const struct pcr_spans *file)
{
    return file->count && file->items[0].nbytes && file->items[0].data[0] == 0x89;
}

static struct pcri_bytes whole(const struct pcr_spans *file)
{
    return (struct pcri_bytes) { file->items[0].data, file->items[0].nbytes };
}

static bool is_webp(const struct pcr_spans *file)
{
    return file->count && pcri_is_webp(whole(file));
}

static bool is_tiff(const struct pcr_spans *file)
{
    return file->count && file->items[0].nbytes >= 4 &&
           (!memcmp(file->items[0].data, "II", 2) || !memcmp(file->items[0].data, "MM", 2));
}

int pcri_profile_read(const struct pcr_spans *file, struct pcr_buffer *profile, bool *any,
                      struct pcr_error *err)
{
    profile->nbytes = 0;
    int rc = is_png(file)    ? read_png(whole(file), profile, any, err)
             : is_webp(file) ? read_webp(whole(file), profile, any, err)
             : is_tiff(file) ? read_tiff(whole(file), profile, any, err)
                             : read_jpeg(file, profile, any, err);
    if (profile->nbytes < ICC_LEAST_NBYTES)
        profile->nbytes = 0;
    return rc;
}

int pcri_profile_find(const uint8_t *data, size_t nbytes, uint32_t component_count,
                      struct pcr_buffer *profile, struct pcr_error *err)
{
    struct pcr_span span = { data, nbytes };
    const struct pcr_spans file = { .items = &span, .count = 1 };
    bool any;
    int rc = pcri_profile_read(&file, profile, &any, err);
    bool fits = profile->nbytes && profile->nbytes <= ICC_MOST_NBYTES &&
                (component_count == 1 || component_count == 3) &&
                !memcmp(profile->data + ICC_SPACE_AT, component_count == 1 ? "GRAY" : "RGB ",
                        4);
    if (!fits)
        profile->nbytes = 0;
    return rc;
}
