/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading varints and byte runs with a bound. */
#include "base.h"

uint64_t pcri_get_varint(struct pcri_cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; !c->bad && shift < 70 && c->p < c->end; shift += 7) {
        uint8_t b = *c->p++;
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t) (b & 127) << shift;
        if (b < 128)
            return v;
    }
    c->bad = true;
    return 0;
}

const uint8_t *pcri_get_bytes(struct pcri_cursor *c, uint64_t nbytes)
{
    if (c->bad || nbytes > (uint64_t) (c->end - c->p)) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *p = c->p;
    c->p += nbytes;
    return p;
}
