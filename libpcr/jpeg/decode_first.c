/* SPDX-License-Identifier: BSD-2-Clause */
/* DC scans and first AC scans. */
#include "mcu.h"
#include "pairs.h"

static int damaged(struct pcr_error *err, const struct pcri_scan_job *job, size_t block,
                   const char *what)
{
    return pcri_fail(err, PCR_ERR_CORRUPT, "scan %u-%u,%u,%u of component %u, block %zu: %s",
                     job->ss, job->se, job->ah, job->al, (unsigned) job->components[0], block,
                     what);
}

/* --- DC --- */

static inline int read_dc_difference(struct pcri_msb *r, const struct pcri_lookup *t, int *out)
{
    pcri_msb_fill(r);
    struct pcri_lookup_entry e = t->fast[r->word >> (64 - PCRI_LOOKUP_BITS)];
    if (e.nbits) {
        pcri_msb_drop(r, e.nbits);
        *out = e.value;
        return e.symbol <= PCRI_DC_MAX_SIZE ? 0 : -1;
    }
    unsigned length;
    int size = pcri_slow_symbol(t, (uint32_t) (r->word >> 48), &length);
    if (size < 0 || size > PCRI_DC_MAX_SIZE)
        return -1;
    pcri_msb_drop(r, length);
    *out = size ? pcri_extend(pcri_msb_take(r, (unsigned) size), (unsigned) size) : 0;
    return 0;
}

/* MCUs [x, end) of a row. */
PCRI_ALWAYS_INLINE int dc_first_row(struct pcri_mcus *s, struct pcri_msb *bits, int last[4],
                                    uint32_t x, uint32_t end)
{
    const struct pcri_scan_job *job = s->job;
    struct pcri_msb r = *bits;
    for (; x < end; x++) {
        for (unsigned i = 0; i < s->unit_count; i++) {
            struct pcri_mcu_unit *u = &s->units[i];
            int difference;
            if (read_dc_difference(&r, job->dc[u->number], &difference))
                return -1;
            /* Wraps like libjpeg's; a stream that gets there is refused by its range. */
            int v = (last[u->number] += difference) * (1 << job->al);
            if (v < INT16_MIN || v > INT16_MAX)
                return -1;
            if (x < u->inside) {
                *u->coef = (int16_t) v;
                u->coef += (size_t) u->stride * u->step;
            }
        }
        if (pcri_msb_overrun(&r))
            return -1;
    }
    *bits = r;
    return 0;
}

static int dc_refine_row(struct pcri_mcus *s, struct pcri_msb *bits, uint32_t x, uint32_t end)
{
    struct pcri_msb r = *bits;
    for (; x < end; x++) {
        pcri_msb_fill(&r); /* an MCU takes 10 bits at most */
        for (unsigned i = 0; i < s->unit_count; i++) {
            struct pcri_mcu_unit *u = &s->units[i];
            uint32_t bit = pcri_msb_take(&r, 1);
            if (x < u->inside) {
                *u->coef = (int16_t) (*u->coef | (int) (bit << s->job->al));
                u->coef += (size_t) u->stride * u->step;
            }
        }
        if (pcri_msb_overrun(&r))
            return -1;
    }
    *bits = r;
    return 0;
}

/* Whether the data after the last MCU are more than stray bytes. */
PCRI_SELDOM bool dc_is_more(const struct pcri_mcus *s, struct pcri_msb r, int last[4])
{
    struct pcri_mcus rest = *s;
    if (!pcri_msb_padded(&r) || s->job->ah)
        return !pcri_msb_padded(&r);
    for (unsigned i = 0; i < rest.unit_count; i++)
        rest.units[i].inside = 0; /* not kept */
    do {
        if (dc_first_row(&rest, &r, last, 0, 1))
            return false;
    } while (pcri_msb_left(&r) >= 8);
    return pcri_msb_padded(&r);
}

int pcri_decode_dc(const struct pcri_scan_job *job, struct pcr_error *err)
{
    struct pcri_mcus s;
    pcri_mcus_start(&s, job);
    uint32_t x = 0, y = 0;
    for (size_t n = 0; n < job->interval_count && y < s.rows; n++) {
        size_t begin = n ? job->interval_end[n - 1] : 0;
        struct pcri_msb r = pcri_msb_start(job->data + begin,
                                           job->data + job->interval_end[n]);
        int last[4] = { 0 };
        uint64_t left = job->restart_interval && n + 1 < job->interval_count
                            ? job->restart_interval
                            : UINT64_MAX;
        while (left && y < s.rows) {
            uint32_t end = job->mcus_x - x < left ? job->mcus_x : x + (uint32_t) left;
            int rc = job->ah ? dc_refine_row(&s, &r, x, end)
                             : dc_first_row(&s, &r, last, x, end);
            if (rc)
                return damaged(err, job, (size_t) y * job->mcus_x + x,
                               "no such code, out of range, or the data ends");
            left -= end - x;
            x = end;
            if (x == job->mcus_x) {
                x = 0;
                pcri_mcus_row(&s, ++y);
            }
        }
        bool whole = n + 1 < job->interval_count ? !left : y == job->mcus_y;
        if (whole && pcri_goes_on(job, n, pcri_msb_left(&r)) && dc_is_more(&s, r, last))
            return damaged(err, job, (size_t) y * job->mcus_x + x,
                           "the data goes on after it");
    }
    return 0;
}

/* --- AC --- */

/* One block that no end-of-band run covers; *eob_run: the blocks that one begun here ends,
 * this one included. */
PCRI_ALWAYS_INLINE int ac_block(struct pcri_msb *bits, const struct pcri_scan_job *job,
                                const struct pcri_band *band, int16_t *coef, uint64_t *mask,
                                uint32_t *eob_run)
{
    unsigned end_bits = 0;
    int k = job->ss;
    if (job->pairs[0]) {
        k = pcri_take_band(bits, job->ac[0], job->pairs[0], band, k, coef, mask, &end_bits);
    } else {
        do {
            pcri_msb_fill(bits);
            k = pcri_take_single(bits, job->ac[0], band, k, coef, mask, &end_bits);
        } while ((unsigned) k <= job->se);
    }
    if (k <= 64)
        return k < 0 ? -1 : 0;
    *eob_run = 1u << end_bits;
    if (end_bits) {
        pcri_msb_fill(bits);
        *eob_run += pcri_msb_take(bits, end_bits);
    }
    return 0;
}

/* Whether the data after the last block are more than stray bytes. */
PCRI_SELDOM bool ac_is_more(const struct pcri_scan_job *job, const struct pcri_band *band,
                            struct pcri_msb r)
{
    if (!pcri_msb_padded(&r))
        return true;
    do {
        int16_t coef[64];
        uint64_t mask = 0;
        uint32_t eob_run = 0;
        if (ac_block(&r, job, band, coef, &mask, &eob_run) || pcri_msb_overrun(&r))
            return false;
    } while (pcri_msb_left(&r) >= 8);
    return pcri_msb_padded(&r);
}

enum { BEGUN_AHEAD = 16 }; /* blocks */

/* Begins the kept blocks from *begun to b, and some more. */
static void begin_to(const struct pcri_blocks *p, size_t b, size_t *begun)
{
    size_t stop = pcri_kept_end(p), end = stop - b > BEGUN_AHEAD ? b + BEGUN_AHEAD : stop;
    pcri_begin_blocks(p, *begun, end);
    *begun = end > *begun ? end : *begun;
}

/* The component's first AC scan makes blocks of what it is about to touch, so that they are in
 * the first cache. */
int pcri_decode_ac_first(const struct pcri_scan_job *job, struct pcr_error *err)
{
    struct pcri_blocks *p = &job->planes[job->components[0]];
    const size_t kept = pcri_kept_begin(p), stop = pcri_kept_end(p);
    const struct pcri_band band = { job->se, job->al, true, pcri_ac_max_size(job) };
    size_t begun = p->has_ac ? stop : kept;
    p->has_ac = true;
    size_t total = (size_t) p->blocks_x * p->blocks_y, b = 0;
    for (size_t n = 0; n < job->interval_count && b < stop; n++) {
        size_t begin = n ? job->interval_end[n - 1] : 0;
        struct pcri_msb r = pcri_msb_start(job->data + begin,
                                           job->data + job->interval_end[n]);
        size_t end = job->restart_interval && n + 1 < job->interval_count
                         ? b + job->restart_interval
                         : total;
        while (b < end && b < stop) {
            uint32_t eob_run = 0;
            int16_t *coef = pcri_block_coef(p, b, kept);
            if (b >= begun)
                begin_to(p, b, &begun);
            if (ac_block(&r, job, &band, coef, p->mask + b, &eob_run))
                return damaged(err, job, b, "no such code, or a run past the block");
            if (pcri_msb_overrun(&r))
                return damaged(err, job, b, "the data ends");
            if (eob_run > end - b)
                return damaged(err, job, b, "an end-of-band run past the scan");
            b += eob_run ? eob_run : 1;
        }
        if (b == end && pcri_goes_on(job, n, pcri_msb_left(&r)) && ac_is_more(job, &band, r))
            return damaged(err, job, b, "the data goes on after it");
    }
    begin_to(p, stop, &begun);
    return 0;
}
