/* SPDX-License-Identifier: BSD-2-Clause */
/* Unstuffs entropy-coded data, so that bit readers need not look at what they read. */
#include <stdlib.h>

#include "scan_decode.h"
#include "unstuff.h"

static int end_interval(struct pcri_entropy *e, struct pcr_error *err)
{
    if (PCRI_GROW(e->interval_end, e->interval_capacity, e->interval_count + 1, err))
        return PCR_ERR_NOMEM;
    e->interval_end[e->interval_count++] = e->data.nbytes;
    return 0;
}

/* A restart marker: the scan must have intervals. If its number is off by 3 to 5, libjpeg
 * takes it for a damaged one and continues in the next interval; for others it drops data or
 * continues without. */
static int restart(struct pcri_entropy *e, bool restarts, uint8_t marker, uint64_t offset,
                   struct pcr_error *err)
{
    unsigned off = (marker - M_RST0 - (unsigned) e->interval_count) & 7;
    if (!restarts || marker < M_RST0 || marker > M_RST7 || (off && (off < 3 || off > 5)))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, offset, "marker %02X out of place", marker);
    return end_interval(e, err);
}

static inline uint8_t reverse8(uint8_t v)
{
    return (uint8_t) ((v * UINT64_C(0x0202020202) & UINT64_C(0x010884422010)) % 1023);
}

/* The first bit of each byte becomes the lowest. */
static void reverse_bits(uint8_t *p, size_t nbytes)
{
    size_t i = 0;
    for (; i + 8 <= nbytes; i += 8) {
        uint64_t v;
        memcpy(&v, p + i, 8);
        v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
        v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
        v = (v >> 4 & 0x0F0F0F0F0F0F0F0F) | (v & 0x0F0F0F0F0F0F0F0F) << 4;
        memcpy(p + i, &v, 8);
    }
    for (; i < nbytes; i++)
        p[i] = reverse8(p[i]);
}

int pcri_unstuff(struct pcri_entropy *e, const uint8_t *file, uint64_t begin, uint64_t end,
                 bool restarts, bool reverse, struct pcr_error *err)
{
    const uint8_t *at = file + begin, *stop = file + end;
    int rc = pcri_buffer_reserve(&e->data, (size_t) (end - begin) + PCRI_DECODE_PADDING, err);
    e->data.nbytes = 0;
    e->interval_count = 0;
    while (!rc && at < stop) {
        const uint8_t *ff = memchr(at, 0xFF, (size_t) (stop - at));
        size_t n = (size_t) ((ff ? ff : stop) - at);
        memcpy(e->data.data + e->data.nbytes, at, n);
        e->data.nbytes += n;
        at += n;
        if (!ff)
            break;
        if (stop - at > 1 && at[1] == 0) {
            e->data.data[e->data.nbytes++] = 0xFF;
            at += 2;
        } else if (stop - at == 2 && at[1] >= M_RST0 && at[1] <= M_RST7) {
            at += 2; /* after the last interval it ends nothing */
        } else if (stop - at > 1 && at[1] != 0xFF) {
            rc = restart(e, restarts, at[1], (uint64_t) (at - file), err);
            at += 2;
        } else if (stop - at > 2 && at[2] == 0) {
            /* No marker follows: libjpeg-turbo takes it in one of two ways, as its buffer
             * happens to be filled. */
            rc = pcri_fail_at(err, PCR_ERR_CORRUPT, (uint64_t) (at - file),
                              "a fill byte within data");
        } else {
            at++; /* a fill byte */
        }
    }
    if (!rc)
        rc = end_interval(e, err);
    if (!rc) {
        if (reverse)
            reverse_bits(e->data.data, e->data.nbytes);
        memset(e->data.data + e->data.nbytes, 0, PCRI_DECODE_PADDING);
    }
    return rc;
}

void pcri_entropy_free(struct pcri_entropy *e)
{
    pcr_buffer_free(&e->data);
    free(e->interval_end);
    *e = (struct pcri_entropy) { 0 };
}
