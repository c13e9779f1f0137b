/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: names of files are any bytes, but JSON holds UTF-8 alone. */
#include <stdio.h>

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

bool pcri_utf8_valid(const void *p, size_t nbytes)
{
    for (size_t i = 0, n; i < nbytes; i += n) {
        n = pcri_utf8_sequence((const uint8_t *) p + i, nbytes - i);
        if (!n)
            return false;
    }
    return true;
}

static int copy(const uint8_t *p, size_t nbytes, bool escape, struct pcr_buffer *out,
                struct pcr_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < nbytes && !rc;) {
        size_t n = pcri_utf8_sequence(p + i, nbytes - i);
        char hex[5];
        if (n) {
            rc = pcri_buffer_append(out, p + i, n, err);
        } else if (escape) {
            snprintf(hex, sizeof(hex), "\\x%02x", p[i]);
            rc = pcri_buffer_append(out, hex, 4, err);
        } else {
            rc = pcri_buffer_append(out, "\xef\xbf\xbd", 3, err);
        }
        i += n ? n : 1;
    }
    return rc;
}

int pcri_utf8_replace(const void *text, size_t nbytes, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    return copy(text, nbytes, false, out, err);
}

int pcri_utf8_escape(const void *text, size_t nbytes, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    return copy(text, nbytes, true, out, err);
}
