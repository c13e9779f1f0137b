/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequential scans (baseline and extended Huffman), whole blocks at once. */
#include "mcu.h"
#include "pairs.h"

/* Adds the next difference to *last. */
PCRI_ALWAYS_INLINE int take_dc(struct pcri_msb *r, const struct pcri_lookup *t, int *last)
{
    int difference = 0;
    pcri_msb_fill(r);
    struct pcri_lookup_entry e = t->fast[r->word >> (64 - PCRI_LOOKUP_BITS)];
    if (e.nbits) {
        pcri_msb_drop(r, e.nbits);
        difference = e.value;
    } else {
        unsigned length;
        int size = pcri_slow_symbol(t, (uint32_t) (r->word >> 48), &length);
        if (size < 0 || size > PCRI_DC_MAX_SIZE)
            return -1;
        pcri_msb_drop(r, length);
        if (size)
            difference = pcri_extend(pcri_msb_take(r, (unsigned) size), (unsigned) size);
    }
    *last += difference;
    return *last < INT16_MIN || *last > INT16_MAX ? -1 : 0;
}

/* --- MCUs --- */

struct sequential_scan {
    struct pcri_mcus mcus;
    uint32_t x, y; /* the next MCU */
};

/* MCUs up to `end` of this row of them, or to the row's. */
PCRI_ALWAYS_INLINE const char *decode_row(struct sequential_scan *s, struct pcri_msb *bits,
                                          int last[4], uint32_t end)
{
    const struct pcri_band band = { 63, 0, false, PCRI_MAX_AC_SIZE };
    const struct pcri_scan_job *job = s->mcus.job;
    struct pcri_msb r = *bits;
    unsigned end_bits;
    for (; s->x < end; s->x++) {
        for (unsigned i = 0; i < s->mcus.unit_count; i++) {
            struct pcri_mcu_unit *u = &s->mcus.units[i];
            _Alignas(16) int16_t padding[64], *coef = padding;
            uint64_t unused, *mask = &unused, found = 0;
            if (s->x < u->inside) {
                coef = u->coef;
                mask = u->mask;
                u->coef += 64 * (size_t) u->step;
                u->mask += u->step;
            }
            pcri_begin_block(coef, 0);
            if (take_dc(&r, job->dc[u->number], &last[u->number]) ||
                pcri_take_band(&r, job->ac[u->number], job->pairs[u->number], &band, 1, coef,
                               &found, &end_bits) < 0)
                return "no such code, or out of range";
            *mask = found;
            coef[0] = (int16_t) last[u->number];
            if (pcri_msb_overrun(&r))
                return "the data ends";
        }
    }
    *bits = r;
    return NULL;
}

/* Whether the data after the last MCU continue with further MCUs to their end. */
PCRI_SELDOM bool is_more(const struct sequential_scan *s, struct pcri_msb r, int last[4])
{
    struct sequential_scan rest = *s;
    for (unsigned i = 0; i < rest.mcus.unit_count; i++)
        rest.mcus.units[i].inside = 0; /* not kept */
    do {
        rest.x = 0;
        if (decode_row(&rest, &r, last, 1))
            return false;
    } while (pcri_msb_left(&r) >= 8);
    return pcri_msb_padded(&r);
}

/* One restart interval of `count` MCUs. */
static const char *decode_interval(struct sequential_scan *s, size_t n, uint64_t count)
{
    const struct pcri_scan_job *job = s->mcus.job;
    size_t begin = n ? job->interval_end[n - 1] : 0;
    struct pcri_msb r = pcri_msb_start(job->data + begin, job->data + job->interval_end[n]);
    int last[4] = { 0 };
    while (count && s->y < s->mcus.rows) {
        uint32_t left = job->mcus_x - s->x, now = count < left ? (uint32_t) count : left;
        const char *what = decode_row(s, &r, last, s->x + now);
        if (what)
            return what;
        count -= now;
        if (s->x == job->mcus_x) {
            s->x = 0;
            pcri_mcus_row(&s->mcus, ++s->y);
        }
    }
    if (!count && pcri_msb_left(&r) >= 8 && (!pcri_msb_padded(&r) || is_more(s, r, last)))
        return "the data goes on after it";
    return NULL;
}

int pcri_decode_sequential(const struct pcri_scan_job *job, struct pcr_error *err)
{
    struct sequential_scan s = { .x = 0 };
    pcri_mcus_start(&s.mcus, job);
    uint64_t left = (uint64_t) job->mcus_x * job->mcus_y;
    for (size_t n = 0; n < job->interval_count && s.y < s.mcus.rows; n++) {
        uint64_t count = job->restart_interval && n + 1 < job->interval_count
                             ? job->restart_interval
                             : left;
        const char *what = decode_interval(&s, n, count);
        if (what)
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "sequential scan of %u components from %u on, MCU %u,%u: %s",
                             job->component_count, job->components[0], (unsigned) s.x,
                             (unsigned) s.y, what);
        left -= count;
    }
    return 0;
}
