/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients to the symbols of a progressive scan (ISO/IEC 10918-1 annex G).
 *
 * AC scans walk the set bits of masks (which coefficients are significant at this bit
 * plane, and which were before) instead of all coefficients, so that the work follows the
 * number of symbols. Blocks without any become part of an end-of-band run at once. */
#include <stdlib.h>

#include "scan.h"

static const struct pcri_scan_style own_style = { .most_run = 0x7FFF, .most_bits = 900 };

struct symbol_maker {
    struct pcri_symbols *s;
    const struct pcri_scan_style *style;
    uint32_t eob_run;
    /* Correction bits that follow the pending end-of-band run: as runs of at most 16. */
    uint16_t *pending;
    size_t pending_bits, pending_capacity;
    uint32_t mcu; /* since the last restart */
    struct pcr_error *err;
};

void pcri_symbols_free(struct pcri_symbols *s)
{
    free(s->items);
    *s = (struct pcri_symbols) { 0 };
}

/* Room for the symbols that one block can make: at most one item for each coefficient, a
 * ZRL for each 16, an end-of-band run, and its correction bits in runs of 16. */
enum { BLOCK_ITEMS = 64 + 4 + 1 + 64 };

static int reserve(struct symbol_maker *m, size_t more)
{
    struct pcri_symbols *s = m->s;
    return PCRI_GROW(s->items, s->capacity, s->count + more, m->err);
}

static inline void put(struct pcri_symbols *s, unsigned table, unsigned symbol, unsigned value,
                       unsigned nbits)
{
    s->items[s->count++] = value | nbits << 16 | symbol << 21 | table << 30;
    s->plain_bits += nbits;
    if (symbol != PCRI_NO_SYMBOL)
        s->counts[table][symbol]++;
}

/* Call it before each MCU: true if a restart marker comes before it, for which there is room. */
static inline bool restarts(struct symbol_maker *m)
{
    if (!m->style->restart_interval || m->mcu++ < m->style->restart_interval)
        return false;
    m->mcu = 1;
    return true;
}

static void put_restart(struct symbol_maker *m)
{
    m->s->items[m->s->count++] = (uint32_t) PCRI_RESTART << 21;
    m->s->restarts++;
}

static inline unsigned bit_length(unsigned v)
{
    return v ? 32 - (unsigned) __builtin_clz(v) : 0;
}

/* --- DC --- */

static int put_dc(struct symbol_maker *m, int diff, unsigned table)
{
    unsigned nbits = bit_length((unsigned) abs(diff));
    if (nbits > 11)
        return pcri_fail(m->err, PCR_ERR_UNSUPPORTED, "DC changes by %d", diff);
    unsigned value = (unsigned) (diff < 0 ? diff - 1 : diff) & ((1u << nbits) - 1);
    put(m->s, table, nbits, value, nbits);
    return 0;
}

struct dc_walk {
    const struct pcri_coefs *c;
    const struct pcri_scan *scan;
    int last[4];
};

static int dc_block(struct symbol_maker *m, struct dc_walk *w, int i, uint32_t x, uint32_t y)
{
    const struct pcri_plane *p = &w->c->planes[w->scan->components[i]];
    bool known = x < p->blocks_x && y < p->blocks_y;
    /* Blocks that only fill an MCU repeat the one before: the cheapest to code. */
    int v = w->last[i];
    if (known) {
        v = p->coef[64 * ((size_t) y * p->blocks_x + x)] >> w->scan->al;
    } else if (m->style->padding) {
        known = true;
        v = *pcri_padding_block(&m->style->padding[w->scan->components[i]], x, y) >>
            w->scan->al;
    }
    if (w->scan->ah) {
        put(m->s, 0, PCRI_NO_SYMBOL, known ? (unsigned) v & 1 : 0, 1);
        return 0;
    }
    int diff = v - w->last[i];
    w->last[i] = v;
    return put_dc(m, diff, w->scan->chroma[i]);
}

static int dc_interleaved(struct symbol_maker *m, const struct pcri_jpeg_file *f,
                          struct dc_walk *w)
{
    uint32_t mcus_x = (f->width + 8 * f->max_h - 1) / (8 * f->max_h);
    uint32_t mcus_y = (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
    for (uint32_t my = 0; my < mcus_y; my++) {
        int rc = reserve(m, (size_t) mcus_x * (4 * 16 + 1));
        for (uint32_t mx = 0; !rc && mx < mcus_x; mx++) {
            if (restarts(m)) {
                put_restart(m);
                memset(w->last, 0, sizeof(w->last));
            }
            for (int i = 0; i < w->scan->component_count; i++) {
                const struct pcri_component *k = &f->components[w->scan->components[i]];
                for (uint32_t b = 0; !rc && b < (uint32_t) k->h * k->v; b++)
                    rc = dc_block(m, w, i, mx * k->h + b % k->h, my * k->v + b / k->h);
            }
        }
        if (rc)
            return rc;
    }
    return 0;
}

static int dc_scan(struct symbol_maker *m, const struct pcri_coefs *c,
                   const struct pcri_jpeg_file *f, const struct pcri_scan *scan)
{
    struct dc_walk w = { c, scan, { 0 } };
    if (scan->component_count > 1)
        return dc_interleaved(m, f, &w);
    const struct pcri_plane *p = &c->planes[scan->components[0]];
    for (uint32_t y = 0; y < p->blocks_y; y++) {
        int rc = reserve(m, 2 * (size_t) p->blocks_x);
        for (uint32_t x = 0; !rc && x < p->blocks_x; x++) {
            if (restarts(m)) {
                put_restart(m);
                w.last[0] = 0;
            }
            rc = dc_block(m, &w, 0, x, y);
        }
        if (rc)
            return rc;
    }
    return 0;
}

/* --- AC --- */

static int flush_eob_run(struct symbol_maker *m, unsigned table)
{
    if (!m->eob_run)
        return 0;
    size_t words = (m->pending_bits + 15) / 16;
    int rc = reserve(m, 1 + words + BLOCK_ITEMS);
    if (rc)
        return rc;
    unsigned nbits = bit_length(m->eob_run) - 1;
    put(m->s, table, nbits << 4, m->eob_run & ((1u << nbits) - 1), nbits);
    for (size_t i = 0; i < words; i++) {
        unsigned n = m->pending_bits < 16 * (i + 1) ? m->pending_bits % 16 : 16;
        put(m->s, table, PCRI_NO_SYMBOL, m->pending[i], n);
    }
    m->eob_run = 0;
    m->pending_bits = 0;
    return 0;
}

/* Ends a run before a restart marker, if one is due before the next block. */
static int restart_ac(struct symbol_maker *m, unsigned table)
{
    if (!restarts(m))
        return 0;
    int rc = flush_eob_run(m, table);
    if (!rc)
        rc = reserve(m, 1 + BLOCK_ITEMS);
    if (!rc)
        put_restart(m);
    return rc;
}

static int ac_first(struct symbol_maker *m, const struct pcri_plane *p,
                    const struct pcri_scan *scan, uint64_t band, unsigned table)
{
    size_t blocks = (size_t) p->blocks_x * p->blocks_y;
    const uint64_t *mask = p->mask + scan->al * blocks;
    for (size_t b = 0; b < blocks; b++) {
        uint64_t left = mask[b] & band;
        int rc = restart_ac(m, table);
        if (rc)
            return rc;
        if (left) {
            const int16_t *coef = p->coef + 64 * b;
            int before = scan->ss - 1;
            rc = flush_eob_run(m, table);
            if (!rc)
                rc = reserve(m, BLOCK_ITEMS);
            if (rc)
                return rc;
            for (; left; left &= left - 1) {
                int k = __builtin_ctzll(left);
                unsigned run = (unsigned) (k - before - 1);
                for (; run > 15; run -= 16)
                    put(m->s, table, 0xF0, 0, 0);
                int v = coef[k];
                unsigned magnitude = (unsigned) abs(v) >> scan->al;
                unsigned nbits = bit_length(magnitude);
                unsigned value = v < 0 ? ~magnitude & ((1u << nbits) - 1) : magnitude;
                put(m->s, table, run << 4 | nbits, value, nbits);
                before = k;
            }
            if (before == scan->se)
                continue;
        }
        if (++m->eob_run == m->style->most_run && (rc = flush_eob_run(m, table)))
            return rc;
    }
    return flush_eob_run(m, table);
}

/* Up to 64 correction bits, gathered while a block is walked. */
struct bits {
    uint64_t word;
    unsigned count;
};

static void put_bits(struct pcri_symbols *s, unsigned table, struct bits *b)
{
    while (b->count) {
        unsigned n = b->count < 16 ? b->count : 16;
        b->count -= n;
        put(s, table, PCRI_NO_SYMBOL, (unsigned) (b->word >> b->count) & ((1u << n) - 1), n);
    }
    b->word = 0;
}

/* Appends the block's trailing correction bits to those of the end-of-band run. */
static int add_pending(struct symbol_maker *m, const struct bits *b)
{
    size_t need = (m->pending_bits + b->count) / 16 + 1;
    if (PCRI_GROW(m->pending, m->pending_capacity, need, m->err))
        return PCR_ERR_NOMEM;
    for (unsigned left = b->count; left;) {
        unsigned used = m->pending_bits % 16, n = 16 - used < left ? 16 - used : left;
        uint16_t *word = &m->pending[m->pending_bits / 16];
        left -= n;
        unsigned bits = (unsigned) (b->word >> left) & ((1u << n) - 1);
        *word = (uint16_t) (used ? (unsigned) *word << n | bits : bits);
        m->pending_bits += n;
    }
    return 0;
}

/* One block of a refinement scan: fresh are the coefficients that become significant now,
 * old those that were before (G.1.2.3). */
static int refine_block(struct symbol_maker *m, const int16_t *coef, uint64_t fresh,
                        uint64_t old, const struct pcri_scan *scan, unsigned table)
{
    struct bits bits = { 0, 0 };
    int rc = fresh ? flush_eob_run(m, table) : 0;
    if (!rc)
        rc = reserve(m, BLOCK_ITEMS);
    if (rc)
        return rc;
    int last_fresh = fresh ? 63 - __builtin_clzll(fresh) : -1, before = scan->ss - 1;
    unsigned run = 0;
    for (uint64_t left = fresh | old; left; left &= left - 1) {
        int k = __builtin_ctzll(left);
        run += (unsigned) (k - before - 1);
        before = k;
        for (; run > 15 && k <= last_fresh; run -= 16) {
            put(m->s, table, 0xF0, 0, 0);
            put_bits(m->s, table, &bits);
        }
        if (old >> k & 1) {
            bits.word = bits.word << 1 | ((unsigned) abs(coef[k]) >> scan->al & 1);
            bits.count++;
        } else {
            put(m->s, table, run << 4 | 1, coef[k] >= 0, 1);
            put_bits(m->s, table, &bits);
            run = 0;
        }
    }
    if (last_fresh == scan->se)
        return 0;
    m->eob_run++;
    return add_pending(m, &bits);
}

static int ac_refine(struct symbol_maker *m, const struct pcri_plane *p,
                     const struct pcri_scan *scan, uint64_t band, unsigned table)
{
    size_t blocks = (size_t) p->blocks_x * p->blocks_y;
    const uint64_t *now = p->mask + scan->al * blocks, *then = p->mask + scan->ah * blocks;
    for (size_t b = 0; b < blocks; b++) {
        int rc = restart_ac(m, table);
        if (!rc)
            rc = refine_block(m, p->coef + 64 * b, now[b] & ~then[b] & band, then[b] & band,
                              scan, table);
        /* Decoders that hold an end-of-band run's correction bits expect no more. */
        if (!rc && (m->eob_run == m->style->most_run || m->pending_bits > m->style->most_bits))
            rc = flush_eob_run(m, table);
        if (rc)
            return rc;
    }
    return flush_eob_run(m, table);
}

int pcri_scan_symbols(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                      const struct pcri_scan *scan, struct pcri_symbols *out,
                      struct pcr_error *err)
{
    struct symbol_maker m = { .s = out,
                              .style = scan->style ? scan->style : &own_style,
                              .err = err };
    out->count = 0;
    out->plain_bits = 0;
    out->restarts = 0;
    memset(out->counts, 0, sizeof(out->counts));
    if (!scan->ss)
        return dc_scan(&m, c, f, scan);

    const struct pcri_plane *p = &c->planes[scan->components[0]];
    uint64_t band = (~UINT64_C(0) << scan->ss) & (~UINT64_C(0) >> (63 - scan->se));
    int rc = scan->ah ? ac_refine(&m, p, scan, band, scan->chroma[0])
                      : ac_first(&m, p, scan, band, scan->chroma[0]);
    free(m.pending);
    return rc;
}
