/* SPDX-License-Identifier: BSD-2-Clause */
/* The sequences of UTF-8, for those on whom buffers and errors rest. */
#include "utf8.h"

/* The Unicode Standard, table 3-7. */
size_t pcri_utf8_sequence(const void *text, size_t left)
{
    const uint8_t *p = text;
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    /* Overlong forms, surrogates, numbers above U+10FFFF. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

size_t pcri_utf8_put(uint32_t v, char out[4])
{
    size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
    static const uint8_t first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = n; i-- > 1; v >>= 6)
        out[i] = (char) (0x80 | (v & 63));
    out[0] = (char) (first[n] | v);
    return n;
}
