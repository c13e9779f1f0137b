/* SPDX-License-Identifier: BSD-2-Clause */
/* The sequences of UTF-8, for those on whom buffers and errors rest. */
#include "utf8.h"

/* The well-formed sequences of the Unicode Standard, table 3-7: bounds of the first byte
 * and of the second; all later bytes are 80..BF. */
static const struct form {
    uint8_t first, last, low, high, nbytes;
} forms[] = {
    { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
    { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
    { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t pcri_utf8_sequence(const void *text, size_t left)
{
    const uint8_t *p = text;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct form *f = &forms[i];
        if (p[0] < f->first || p[0] > f->last)
            continue;
        if (f->nbytes == 1)
            return 1;
        if (f->nbytes > left || p[1] < f->low || p[1] > f->high)
            return 0;
        for (size_t k = 2; k < f->nbytes; k++)
            if (p[k] < 0x80 || p[k] > 0xbf)
                return 0;
        return f->nbytes;
    }
    return 0;
}
