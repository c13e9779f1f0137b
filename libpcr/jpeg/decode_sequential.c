/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequential scans (baseline and extended Huffman), whole blocks at once.
 *
 * The time of such a decoder is the way from one symbol to the next: the top bits of the
 * word, a look-up, a shift by what it says. So one look-up takes as much as its index
 * holds: a coefficient with its run and extra bits, often a second one, and the end of
 * block behind them. Where a block's end is too near for that, or a code is too long, one
 * symbol is taken by the table that the pairs were made of.
 *
 * Most files in the world have the tables of the standard's annex K: a table is built only
 * where it is another one than was there before, in this image or an earlier one. */
#include <stdlib.h>

#include "bits.h"
#include "mcu.h"

/* What keeps the reader in registers must be inlined, at any optimisation. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum {
    PAIR_BITS = PCRI_LOOKUP_BITS,
    MAX_DC_SIZE = 11, MAX_AC_SIZE = 10, /* of 8-bit samples */
    /* As an advance: beyond any block, for an end of block alone and behind a value. */
    END = 64,
    VALUE_END = 128,
};

/* One or two coefficients and the end of block. A value of 0: an end of block alone. */
struct pair {
    int16_t values[2];
    uint8_t first, second; /* from k to the coefficients; equal where there is one */
    uint8_t advance;       /* what is added to k */
    uint8_t limit; /* the largest k for which all is within the block; 0: one at a time */
};

struct ac_table {
    uint8_t nbits[1 << PAIR_BITS]; /* of all that the pair has */
    struct pair pairs[1 << PAIR_BITS];
    struct pcri_lookup single;
};

struct pcri_sequential {
    struct pcri_dht built[8]; /* what the tables below were built from */
    struct pcri_lookup dc[4];
    struct ac_table ac[4];
};

/* --- tables --- */

/* The entry at the first of the index's `used` bits' end, if all of it is in the index. */
static struct pcri_lookup_entry next_entry(const struct pcri_lookup *t, uint32_t index,
                                           unsigned used)
{
    struct pcri_lookup_entry e = t->fast[index << used & ((1u << PAIR_BITS) - 1)];
    if (e.nbits > PAIR_BITS - used)
        e.nbits = 0;
    return e;
}

static bool is_end(struct pcri_lookup_entry e)
{
    return e.nbits && !e.symbol;
}

static void make_pair(struct ac_table *t, uint32_t index)
{
    const struct pcri_lookup *single = &t->single;
    struct pcri_lookup_entry a = single->fast[index], b;
    struct pair *p = &t->pairs[index];
    *p = (struct pair) { .advance = END, .limit = is_end(a) ? 63 : 0 };
    t->nbits[index] = a.nbits;
    if (!a.nbits || !a.value)
        return;
    p->first = p->second = a.symbol >> 4;
    p->values[0] = p->values[1] = a.value;
    b = next_entry(single, index, a.nbits);
    if (b.nbits && b.value) {
        t->nbits[index] = (uint8_t) (t->nbits[index] + b.nbits);
        p->second = (uint8_t) (p->first + 1 + (b.symbol >> 4));
        p->values[1] = b.value;
        b = next_entry(single, index, t->nbits[index]);
    }
    bool end = is_end(b);
    if (end)
        t->nbits[index] = (uint8_t) (t->nbits[index] + b.nbits);
    p->advance = end ? VALUE_END : (uint8_t) (p->second + 1);
    p->limit = (uint8_t) (63 - p->second - end); /* none is coded behind coefficient 63 */
}

static int build_dc(const struct pcri_dht *dht, struct pcri_lookup *out,
                    struct pcr_error *err)
{
    for (int k = 0; dht->defined && k < dht->value_count; k++)
        if (dht->values[k] > 15)
            return pcri_fail(err, PCR_ERR_CORRUPT, "DC differences of %u bits",
                             dht->values[k]);
    return pcri_lookup_build(dht, false, MAX_DC_SIZE, out, err);
}

static int build_ac(const struct pcri_dht *dht, struct ac_table *out, struct pcr_error *err)
{
    int rc = pcri_lookup_build(dht, false, MAX_AC_SIZE, &out->single, err);
    for (uint32_t i = 0; !rc && i < 1u << PAIR_BITS; i++)
        make_pair(out, i);
    return rc;
}

static bool same_dht(const struct pcri_dht *a, const struct pcri_dht *b)
{
    return a->defined && b->defined && a->value_count == b->value_count
        && !memcmp(a->counts + 1, b->counts + 1, sizeof(a->counts) - 1)
        && !memcmp(a->values, b->values, a->value_count);
}

/* Makes the table of one class and slot what the file has there. */
static int refresh(struct pcri_sequential *s, const struct pcri_dht *dhts, unsigned class,
                   unsigned slot, struct pcr_error *err)
{
    const struct pcri_dht *dht = &dhts[class * 4 + slot];
    struct pcri_dht *built = &s->built[class * 4 + slot];
    if (same_dht(dht, built))
        return 0;
    built->defined = false; /* while it is half-made, and after a failure */
    int rc = class ? build_ac(dht, &s->ac[slot], err) : build_dc(dht, &s->dc[slot], err);
    if (!rc)
        *built = *dht;
    return rc;
}

/* --- blocks --- */

/* Adds the next difference to *last. */
ALWAYS_INLINE int take_dc(struct pcri_msb *r, const struct pcri_lookup *t, int *last)
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
        if (size < 0 || size > MAX_DC_SIZE)
            return -1;
        pcri_msb_drop(r, length);
        if (size)
            difference = pcri_extend(pcri_msb_take(r, (unsigned) size), (unsigned) size);
    }
    *last += difference;
    return *last < INT16_MIN || *last > INT16_MAX ? -1 : 0;
}

/* One symbol. Returns the next k, END and more where the block ends, or -1. */
static int take_single(struct pcri_msb *r, const struct pcri_lookup *t, int k,
                       int16_t *coef, uint64_t *mask)
{
    struct pcri_lookup_entry e = t->fast[r->word >> (64 - PCRI_LOOKUP_BITS)];
    int value = e.value;
    if (e.nbits) {
        pcri_msb_drop(r, e.nbits);
    } else {
        unsigned length;
        int symbol = pcri_slow_symbol(t, (uint32_t) (r->word >> 48), &length);
        if (symbol < 0 || (symbol & 15) > MAX_AC_SIZE)
            return -1;
        pcri_msb_drop(r, length);
        unsigned size = symbol & 15;
        e.symbol = (uint8_t) symbol;
        value = size ? pcri_extend(pcri_msb_take(r, size), size) : 0;
    }
    if (value) {
        k += e.symbol >> 4;
        if (k > 63)
            return -1;
        coef[k] = (int16_t) value;
        *mask |= UINT64_C(1) << k;
        return k + 1;
    }
    if (!e.symbol)
        return END;
    return e.symbol == 0xF0 && k <= 48 ? k + 16 : -1;
}

/* What one look-up brings; the reader has at least 26 bits. The next k, or -1. */
ALWAYS_INLINE int take_pair(struct pcri_msb *r, const struct ac_table *t, int k,
                            int16_t *coef, uint64_t *mask)
{
    size_t index = r->word >> (64 - PAIR_BITS);
    const struct pair *p = &t->pairs[index];
    if (__builtin_expect(k > p->limit, 0)) {
        struct pcri_msb copy = *r; /* so that the reader itself stays in registers */
        uint64_t found = 0;
        k = take_single(&copy, &t->single, k, coef, &found);
        *r = copy;
        *mask |= found;
        return k;
    }
    pcri_msb_drop(r, t->nbits[index]);
    size_t first = (unsigned) k + p->first, second = (unsigned) k + p->second;
    coef[first] = p->values[0];
    coef[second] = p->values[1];
    *mask |= UINT64_C(1) << first;
    *mask |= UINT64_C(1) << second;
    return k + p->advance;
}

ALWAYS_INLINE int take_ac(struct pcri_msb *bits, const struct ac_table *t, int16_t *coef,
                          uint64_t *mask)
{
    struct pcri_msb r = *bits;
    uint64_t found = 0;
    int k = 1;
    do {
        pcri_msb_fill(&r);
        k = take_pair(&r, t, k, coef, &found);
        if ((unsigned) k > 63)
            break;
        k = take_pair(&r, t, k, coef, &found);
    } while ((unsigned) k <= 63);
    /* An end of block alone has written a zero, and the bit for it is to be taken back. */
    uint64_t alone = (unsigned) k - END - 1 < VALUE_END - END - 1;
    *mask = found & ~(alone << (k & 63));
    *bits = r;
    return k;
}

/* --- MCUs --- */

struct sequential_scan {
    struct pcri_mcus mcus;
    const struct pcri_lookup *dc[4]; /* of the scan's components */
    const struct ac_table *ac[4];
    uint32_t x, y; /* the next MCU */
};

/* MCUs up to `end` of this row of them, or to the row's. */
static const char *decode_row(struct sequential_scan *s, struct pcri_msb *bits, int last[4],
                              uint32_t end)
{
    struct pcri_msb r = *bits;
    for (; s->x < end; s->x++) {
        for (unsigned i = 0; i < s->mcus.unit_count; i++) {
            struct pcri_mcu_unit *u = &s->mcus.units[i];
            _Alignas(16) int16_t padding[64], *coef = padding;
            uint64_t unused, *mask = &unused;
            if (s->x < u->inside) {
                coef = u->coef;
                mask = u->mask;
                u->coef += 64 * (size_t) u->step;
                u->mask += u->step;
            }
            pcri_clear_block(coef);
            if (take_dc(&r, s->dc[u->number], &last[u->number])
                || take_ac(&r, s->ac[u->number], coef, mask) < 0)
                return "no such code, or out of range";
            coef[0] = (int16_t) last[u->number];
            if (pcri_msb_overrun(&r))
                return "the data ends";
        }
    }
    *bits = r;
    return NULL;
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
    /* A whole byte is too much: whether libjpeg sees it depends on its buffer, so it is left
     * to libjpeg. */
    bool more = !count && (r.end - r.p) * 8 + (ptrdiff_t) r.nbits >= 8;
    return more ? "the data goes on behind it" : NULL;
}

int pcri_decode_sequential(struct pcri_sequential **tables, const struct pcri_dht *dhts,
                           const uint8_t slots[4], const struct pcri_scan_job *job,
                           struct pcr_error *err)
{
    struct sequential_scan s = { .x = 0 };
    if (!*tables && !(*tables = pcri_calloc(1, sizeof(**tables), err)))
        return PCR_ERR_NOMEM;
    for (int i = 0; i < job->component_count; i++) {
        unsigned dc = slots[i] >> 4, ac = slots[i] & 15;
        if (dc > 3 || ac > 3)
            return pcri_fail(err, PCR_ERR_CORRUPT, "SOS: Huffman tables %u and %u", dc, ac);
        int rc = refresh(*tables, dhts, 0, dc, err);
        if (!rc)
            rc = refresh(*tables, dhts, 1, ac, err);
        if (rc)
            return rc;
        s.dc[i] = &(*tables)->dc[dc];
        s.ac[i] = &(*tables)->ac[ac];
    }
    pcri_mcus_start(&s.mcus, job);
    uint64_t left = (uint64_t) job->mcus_x * job->mcus_y;
    for (size_t n = 0; n < job->interval_count && s.y < s.mcus.rows; n++) {
        uint64_t count = job->restart_interval && n + 1 < job->interval_count
            ? job->restart_interval : left;
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
