/* SPDX-License-Identifier: BSD-2-Clause */
/* DC scans and first AC scans. */
#include "bits.h"

static int damaged(struct pcr_error *err, const struct pcri_scan_job *job, size_t block,
                   const char *what)
{
    return pcri_fail(err, PCR_ERR_CORRUPT, "scan %u-%u,%u,%u of component %u, block %zu: %s",
                     job->ss, job->se, job->ah, job->al,
                     (unsigned) job->components[0], block, what);
}

/* --- DC --- */

struct dc_state {
    struct pcri_msb bits;
    int last[4];
};

static inline int read_dc_difference(struct pcri_msb *r, const struct pcri_lookup *t,
                                     int *out)
{
    pcri_msb_fill(r);
    struct pcri_lookup_entry e = t->fast[r->word >> (64 - PCRI_LOOKUP_BITS)];
    if (e.nbits) {
        pcri_msb_drop(r, e.nbits);
        *out = e.value;
        return e.symbol <= 11 ? 0 : -1;
    }
    unsigned length;
    int size = pcri_slow_symbol(t, (uint32_t) (r->word >> 48), &length);
    if (size < 0 || size > 11)
        return -1;
    pcri_msb_drop(r, length);
    *out = size ? pcri_extend(pcri_msb_take(r, (unsigned) size), (unsigned) size) : 0;
    return 0;
}

/* One block of component number i of the scan; coef NULL: it only fills an MCU. */
static inline int dc_block(const struct pcri_scan_job *job, struct dc_state *s, int i,
                           int16_t *coef)
{
    if (job->ah) {
        pcri_msb_fill(&s->bits);
        uint32_t bit = pcri_msb_take(&s->bits, 1);
        if (coef)
            *coef = (int16_t) (*coef | (int) (bit << job->al));
        return 0;
    }
    int difference;
    if (read_dc_difference(&s->bits, job->tables[i], &difference))
        return -1;
    /* Wraps like libjpeg's; a stream that gets there is refused by its range below. */
    s->last[i] += difference;
    int v = s->last[i] * (1 << job->al);
    if (v < INT16_MIN || v > INT16_MAX)
        return -1;
    if (coef)
        *coef = (int16_t) v;
    return 0;
}

static int dc_mcu(const struct pcri_scan_job *job, struct dc_state *s, uint32_t mx,
                  uint32_t my)
{
    for (int i = 0; i < job->component_count; i++) {
        const struct pcri_component *c = &job->file->components[job->components[i]];
        struct pcri_blocks *p = &job->planes[job->components[i]];
        for (uint32_t v = 0; v < c->v; v++) {
            for (uint32_t h = 0; h < c->h; h++) {
                uint32_t x = mx * c->h + h, y = my * c->v + v;
                bool inside = x < p->blocks_x && y < p->blocks_y;
                int16_t *coef = inside
                    ? p->coef + 64 * ((size_t) y * p->blocks_x + x) : NULL;
                if (dc_block(job, s, i, coef))
                    return -1;
            }
        }
    }
    return 0;
}

static void mcu_grid(const struct pcri_scan_job *job, uint32_t *mcus_x, uint32_t *mcus_y)
{
    const struct pcri_jpeg_file *f = job->file;
    if (job->component_count == 1) {
        *mcus_x = job->planes[job->components[0]].blocks_x;
        *mcus_y = job->planes[job->components[0]].blocks_y;
    } else {
        *mcus_x = (f->width + 8 * f->max_h - 1) / (8 * f->max_h);
        *mcus_y = (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
    }
}

int pcri_decode_dc(const struct pcri_scan_job *job, struct pcr_error *err)
{
    uint32_t mcus_x, mcus_y;
    mcu_grid(job, &mcus_x, &mcus_y);
    size_t total = (size_t) mcus_x * mcus_y, mcu = 0;
    uint32_t x = 0, y = 0;
    for (size_t n = 0; n < job->interval_count; n++) {
        size_t begin = n ? job->interval_end[n - 1] : 0;
        struct dc_state s = {
            pcri_msb_start(job->data + begin, job->data + job->interval_end[n]), { 0 }
        };
        size_t end = job->restart_interval && n + 1 < job->interval_count
            ? mcu + job->restart_interval : total;
        for (; mcu < end; mcu++) {
            int bad;
            if (job->component_count == 1) {
                bad = dc_block(job, &s, 0, job->planes[job->components[0]].coef + 64 * mcu);
            } else {
                bad = dc_mcu(job, &s, x, y);
                if (++x == mcus_x) {
                    x = 0;
                    y++;
                }
            }
            if (bad)
                return damaged(err, job, mcu, "no such code, or out of range");
            if (pcri_msb_overrun(&s.bits))
                return damaged(err, job, mcu, "the data ends");
        }
        if (pcri_goes_on(job, n, s.bits.p, s.bits.end, s.bits.nbits))
            return damaged(err, job, mcu, "the data goes on behind it");
    }
    return 0;
}

/* --- AC --- */

/* A symbol without extra bits in the look-up: a long code, or more bits than it has room
 * for. Returns the next k, or -1. */
static int ac_slow(struct pcri_msb *r, const struct pcri_scan_job *job, int k,
                   int16_t *coef, uint64_t *mask, unsigned *run_symbol)
{
    unsigned length;
    int symbol = pcri_slow_symbol(job->tables[0], (uint32_t) (r->word >> 48), &length);
    if (symbol < 0)
        return -1;
    pcri_msb_drop(r, length);
    unsigned size = symbol & 15;
    if (!size) {
        *run_symbol = (unsigned) symbol;
        return k;
    }
    k += symbol >> 4;
    if (k > job->se || size > pcri_ac_max_size(job))
        return -1;
    int v = pcri_extend(pcri_msb_take(r, size), size);
    coef[k] = (int16_t) (v * (1 << job->al));
    *mask |= UINT64_C(1) << k;
    return k + 1;
}

/* One block that no end-of-band run covers; *eob_run: the blocks that one begun here ends,
 * this one included. */
static int ac_block(struct pcri_msb *bits, const struct pcri_scan_job *job, int16_t *coef,
                    uint64_t *mask, uint32_t *eob_run)
{
    struct pcri_msb r = *bits;
    const struct pcri_lookup_entry *fast = job->tables[0]->fast;
    uint64_t found = *mask;
    int k = job->ss, se = job->se, al = job->al;
    while (k <= se) {
        pcri_msb_fill(&r);
        struct pcri_lookup_entry e = fast[r.word >> (64 - PCRI_LOOKUP_BITS)];
        unsigned run_symbol = e.symbol;
        if (e.value) {
            k += e.symbol >> 4;
            if (k > se)
                return -1;
            coef[k] = (int16_t) (e.value * (1 << al));
            found |= UINT64_C(1) << k;
            k++;
            pcri_msb_drop(&r, e.nbits);
            continue;
        }
        if (e.nbits) {
            pcri_msb_drop(&r, e.nbits);
        } else {
            run_symbol = 1;
            k = ac_slow(&r, job, k, coef, &found, &run_symbol);
            if (k < 0)
                return -1;
            if (run_symbol == 1)
                continue;
        }
        unsigned run = run_symbol >> 4;
        if (run < 15) {
            *eob_run = (1u << run) + (run ? pcri_msb_take(&r, run) : 0);
            break;
        }
        k += 16;
        if (k > se + 1)
            return -1;
    }
    *mask = found;
    *bits = r;
    return 0;
}

int pcri_decode_ac_first(const struct pcri_scan_job *job, struct pcr_error *err)
{
    const struct pcri_blocks *p = &job->planes[job->components[0]];
    size_t total = (size_t) p->blocks_x * p->blocks_y, b = 0;
    for (size_t n = 0; n < job->interval_count; n++) {
        size_t begin = n ? job->interval_end[n - 1] : 0;
        struct pcri_msb r = pcri_msb_start(job->data + begin,
                                           job->data + job->interval_end[n]);
        size_t end = job->restart_interval && n + 1 < job->interval_count
            ? b + job->restart_interval : total;
        while (b < end) {
            uint32_t eob_run = 0;
            if (ac_block(&r, job, p->coef + 64 * b, p->mask + b, &eob_run))
                return damaged(err, job, b, "no such code, or a run past the block");
            if (pcri_msb_overrun(&r))
                return damaged(err, job, b, "the data ends");
            if (eob_run > end - b)
                return damaged(err, job, b, "an end-of-band run past the scan");
            b += eob_run ? eob_run : 1;
        }
        if (pcri_goes_on(job, n, r.p, r.end, r.nbits))
            return damaged(err, job, b, "the data goes on behind it");
    }
    return 0;
}
