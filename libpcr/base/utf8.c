/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: file names are any bytes, but JSON holds only UTF-8. */
#include <stdio.h>

#include "utf8.h"

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
