/* SPDX-License-Identifier: BSD-2-Clause */
/* What an encoded image says of its colours: gray or not, and its ICC profile. */
#include <setjmp.h>

#include <png.h>

#include "profile.h"

enum {
    ICC_SPACE_AT = 16, /* in a profile: what its colours are, four letters */
    ICC_LEAST_NBYTES = 132,
    ICC_MOST_NBYTES = 255 * 65519, /* that segments of a JPEG can hold */
};

/* --- JPEG --- */

/* A segment of an ICC profile: "ICC_PROFILE\0", its number from 1, their count, its part. */
enum { ICC_NAME_NBYTES = 12, ICC_HEAD_NBYTES = 14 };

struct segment {
    uint8_t marker;
    const uint8_t *payload;
    size_t nbytes;
};

/* The next segment before the first scan; false at its end. */
static bool next_segment(const uint8_t *data, size_t nbytes, size_t *at, struct segment *out)
{
    while (*at + 4 <= nbytes && data[*at] == 0xFF && data[*at + 1] == 0xFF)
        ++*at; /* fill bytes */
    if (*at + 4 > nbytes || data[*at] != 0xFF || data[*at + 1] == 0xDA)
        return false;
    size_t length = (size_t) data[*at + 2] << 8 | data[*at + 3];
    if (length < 2 || length > nbytes - *at - 2)
        return false;
    *out = (struct segment) { data[*at + 1], data + *at + 4, length - 2 };
    *at += 2 + length;
    return true;
}

static bool is_icc(const struct segment *s)
{
    return s->marker == 0xE2 && s->nbytes > ICC_HEAD_NBYTES &&
           !memcmp(s->payload, "ICC_PROFILE", ICC_NAME_NBYTES);
}

static bool is_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 &&
           marker != 0xCC;
}

/* Appends the profile's part of this number; false if there is none. */
static bool add_part(const uint8_t *data, size_t nbytes, unsigned number,
                     struct pcr_buffer *profile, unsigned *count, int *rc,
                     struct pcr_error *err)
{
    struct segment s;
    for (size_t at = 2; next_segment(data, nbytes, &at, &s);)
        if (is_icc(&s) && s.payload[ICC_NAME_NBYTES] == number) {
            *count = s.payload[ICC_NAME_NBYTES + 1];
            *rc = pcri_buffer_append(profile, s.payload + ICC_HEAD_NBYTES,
                                     s.nbytes - ICC_HEAD_NBYTES, err);
            return true;
        }
    return false;
}

static int of_jpeg(const uint8_t *data, size_t nbytes, uint32_t *channels,
                   struct pcr_buffer *profile, struct pcr_error *err)
{
    struct segment s;
    for (size_t at = 2; next_segment(data, nbytes, &at, &s);)
        if (is_frame(s.marker) && s.nbytes > 5)
            *channels = s.payload[5];
    unsigned count = 255, number = 1;
    int rc = 0;
    while (!rc && number <= count &&
           add_part(data, nbytes, number, profile, &count, &rc, err))
        number++;
    if (number <= count) /* a part is missing */
        profile->nbytes = 0;
    return rc;
}

/* --- PNG --- */

struct png {
    const uint8_t *data;
    size_t nbytes, at;
    struct pcr_buffer *profile;
    int rc;
    struct pcr_error *err;
};

static _Noreturn void on_error(png_structp read, png_const_charp message)
{
    png_longjmp(read, 1);
}

static void on_warning(png_structp read, png_const_charp message)
{
}

static void on_read(png_structp read, png_bytep dst, size_t nbytes)
{
    struct png *p = png_get_io_ptr(read);
    if (nbytes > p->nbytes - p->at)
        png_longjmp(read, 1);
    memcpy(dst, p->data + p->at, nbytes);
    p->at += nbytes;
}

/* A profile that libpng does not accept is none. */
static void read_profile(struct png *p, png_structp read, png_infop info)
{
    png_charp name;
    png_bytep bytes;
    png_uint_32 n;
    int how;
    if (setjmp(png_jmpbuf(read)))
        return;
    png_set_read_fn(read, p, on_read);
    png_set_user_limits(read, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(read, ICC_MOST_NBYTES);
    png_read_info(read, info);
    if (png_get_iCCP(read, info, &name, &how, &bytes, &n) == PNG_INFO_iCCP)
        p->rc = pcri_buffer_append(p->profile, bytes, n, p->err);
}

static int of_png(const uint8_t *data, size_t nbytes, uint32_t *channels,
                  struct pcr_buffer *profile, struct pcr_error *err)
{
    enum { COLOR_TYPE_AT = 25 };
    struct png p = { data, nbytes, 0, profile, 0, err };
    png_structp read = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, on_error,
                                              on_warning);
    png_infop info = read ? png_create_info_struct(read) : NULL;
    if (nbytes > COLOR_TYPE_AT)
        *channels = data[COLOR_TYPE_AT] & PNG_COLOR_MASK_COLOR ? 3 : 1;
    if (info)
        read_profile(&p, read, info);
    else
        p.rc = pcri_fail_nomem(err, nbytes);
    png_destroy_read_struct(&read, &info, NULL);
    return p.rc;
}

int pcri_profile_find(const uint8_t *data, size_t nbytes, bool *gray,
                      struct pcr_buffer *profile, struct pcr_error *err)
{
    uint32_t channels = 0;
    profile->nbytes = 0;
    bool png = nbytes && data[0] == 0x89;
    int rc = png ? of_png(data, nbytes, &channels, profile, err)
                 : of_jpeg(data, nbytes, &channels, profile, err);
    *gray = channels == 1;
    bool fits = profile->nbytes >= ICC_LEAST_NBYTES && profile->nbytes <= ICC_MOST_NBYTES &&
                (channels == 1 || channels == 3) &&
                !memcmp(profile->data + ICC_SPACE_AT, *gray ? "GRAY" : "RGB ", 4);
    if (!fits)
        profile->nbytes = 0;
    return rc;
}
