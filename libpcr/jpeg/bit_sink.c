/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits that were gathered, to entropy-coded data. */
#include "bit_sink.h"

void pcri_stuff(struct pcr_buffer *out, const uint8_t *run, size_t nbytes)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    const uint8_t *from = run, *end = run + nbytes;
    uint8_t *to = out->data + out->nbytes;
    while (from < end) {
        const size_t left = (size_t) (end - from);
        const uint64_t v = left >= 8 ? pcri_load64(from) : UINT64_MAX;
        if (!(v & high & ~(v + UINT64_C(0x0101010101010101)))) { /* no byte is FF */
            pcri_store64(to, v);
            to += 8;
            from += 8;
            continue;
        }
        for (size_t n = left < 8 ? left : 8; n; n--) {
            to[0] = *from;
            to[1] = 0;
            to += 1 + (*from++ == 0xFF);
        }
    }
    out->nbytes = (size_t) (to - out->data);
}

void pcri_fill_up(struct pcri_bit_sink *w, bool zeros, struct pcr_buffer *out)
{
    const unsigned ones = zeros ? 0 : 0xFFu >> w->count;
    const uint8_t last = (uint8_t) (w->bits >> 56 | ones);
    if (w->count)
        pcri_stuff(out, &last, 1);
    w->bits = w->count = 0;
}
