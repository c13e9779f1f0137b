/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the orientation tag in the first directory of an Exif block (CIPA DC-008, 4.6). */
#include <stdbool.h>
#include <string.h>

#include "exif.h"

enum {
    TAG_ORIENTATION = 0x0112,
    TYPE_BYTE = 1,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    ENTRY_NBYTES = 12,
};

struct tiff {
    const uint8_t *p;
    size_t n;
    bool big_endian;
};

/* Both need the bytes to be there: callers check. */
static uint32_t get16(const struct tiff *t, size_t at)
{
    const uint8_t *p = t->p + at;
    return t->big_endian ? (uint32_t) p[0] << 8 | p[1] : (uint32_t) p[1] << 8 | p[0];
}

static uint32_t get32(const struct tiff *t, size_t at)
{
    uint32_t a = get16(t, at), b = get16(t, at + 2);
    return t->big_endian ? a << 16 | b : b << 16 | a;
}

/* The value of a directory entry that holds one small integer; 0 if it does not. Writers
 * use SHORT as the standard says, but LONG and BYTE are seen. */
static uint32_t entry_value(const struct tiff *t, size_t at)
{
    if (!get32(t, at + 4)) /* the count of values */
        return 0;
    switch (get16(t, at + 2)) {
    case TYPE_BYTE: return t->p[at + 8];
    case TYPE_SHORT: return get16(t, at + 8);
    case TYPE_LONG: return get32(t, at + 8);
    default: return 0;
    }
}

uint32_t pcri_orientation_from_tiff(const uint8_t *tiff, size_t n)
{
    struct tiff t = { tiff, n, false };
    if (n < 8)
        return 1;
    if (!memcmp(tiff, "MM\0*", 4))
        t.big_endian = true;
    else if (memcmp(tiff, "II*\0", 4) != 0)
        return 1;

    size_t directory = get32(&t, 4);
    if (directory > n - 2)
        return 1;
    size_t count = get16(&t, directory);
    size_t at = directory + 2;
    for (size_t i = 0; i < count && n - at >= ENTRY_NBYTES; i++, at += ENTRY_NBYTES) {
        if (get16(&t, at) != TAG_ORIENTATION)
            continue;
        uint32_t v = entry_value(&t, at);
        return v >= 1 && v <= 8 ? v : 1;
    }
    return 1;
}

uint32_t pcri_orientation_from_exif(const uint8_t *app1_payload, size_t n)
{
    /* "Exif", NUL, and a fill byte that is NUL by the standard; not all writers heed it. */
    if (n < 6 || memcmp(app1_payload, "Exif", 5) != 0)
        return 1;
    return pcri_orientation_from_tiff(app1_payload + 6, n - 6);
}
