/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of decode_refine.c, once for each set of CPU features. Needs REFINE_SUFFIX,
 * REFINE_TARGET, DEPOSIT(bits, mask), SELECT(n, mask) and
 * APPLY(coef, moved, fresh, negative, step); undefines them. */

#define REFINE_PASTE2(a, b) a##b
#define REFINE_PASTE(a, b) REFINE_PASTE2(a, b)
#define REFINE(name) REFINE_PASTE(name, REFINE_SUFFIX)

/* The coefficients of `nonzero` that their correction bits move. */
REFINE_TARGET static inline uint64_t REFINE(take_corrections)(struct lsb *r,
                                                              uint64_t nonzero)
{
    unsigned n = (unsigned) __builtin_popcountll(nonzero);
    lsb_fill(r);
    uint64_t moved = DEPOSIT(r->word, nonzero);
    if (n <= LSB_FILLED) {
        lsb_drop(r, n);
        return moved;
    }
    return DEPOSIT(lsb_take_long(r, n), nonzero);
}

/* One symbol, with the correction bits of the coefficients that its run passes. Returns -1
 * for damage, 1 at the end of the block.
 *
 * Decoding is bound by the latency from one symbol to the next, so the look-up does not wait
 * for the refill: enough bits are left for it. */
REFINE_TARGET static inline int REFINE(one_symbol)(struct refiner *f, struct lsb *r,
                                                   struct block *b)
{
    struct pcri_lookup_entry e = f->table->fast[r->word & (LOOKUP_SIZE - 1)];
    lsb_fill(r);
    if (__builtin_expect(!e.nbits, 0) && refine_slow(r, f->table, &e))
        return -1;
    lsb_drop(r, e.nbits);
    if (e.symbol >= END_OF_BAND) {
        f->eob_run = lsb_eob_run(r, e.symbol - END_OF_BAND);
        b->moved |= REFINE(take_corrections)(r, b->nonzero);
        return 1;
    }
    uint64_t target = SELECT(e.symbol, b->zeros);
    if (__builtin_expect(!target, 0))
        return -1;
    uint64_t passed = b->nonzero & (target - 1), beyond = ~(target | (target - 1));
    unsigned n = (unsigned) __builtin_popcountll(passed);
    if (__builtin_expect(n > LSB_FILLED - 2 * SYMBOL_MOST_BITS, 0)) {
        b->moved |= REFINE(take_corrections)(r, passed);
        lsb_fill(r);
    } else {
        b->moved |= DEPOSIT(r->word, passed);
        lsb_drop(r, n);
    }
    b->zeros &= beyond;
    b->nonzero &= beyond;
    b->fresh |= e.value ? target : 0;
    b->negative |= e.value < 0 ? target : 0;
    return !(b->zeros | b->nonzero);
}

/* The symbols behind the last nonzero coefficient: no correction bits come between them, so
 * one look-up can yield several. Returns -1 for damage. */
REFINE_TARGET static inline int REFINE(last_symbols)(struct refiner *f, struct lsb *r,
                                                     struct block *b)
{
    for (;;) {
        uint64_t e = f->several->entries[r->word & ((1u << PCRI_SEVERAL_BITS) - 1)];
        unsigned nbits = pcri_several_nbits(e), length = pcri_several_length(e);
        unsigned end = pcri_several_end(e), first = (unsigned) __builtin_ctzll(b->zeros);
        /* Symbols behind a block that is full belong to the next one. */
        if (__builtin_expect(!nbits || first + length + (end != 0) > f->band_end, 0)) {
            int rc = REFINE(one_symbol)(f, r, b);
            if (rc)
                return rc;
            continue;
        }
        uint64_t fresh = (uint64_t) (uint32_t) e << first;
        lsb_fill(r);
        lsb_drop(r, nbits);
        b->fresh |= fresh;
        b->negative |= DEPOSIT(pcri_several_negative(e), fresh);
        if (end) {
            f->eob_run = lsb_eob_run(r, end - 1);
            return 1;
        }
        b->zeros &= ~UINT64_C(0) << first << length;
        if (!b->zeros)
            return 1;
    }
}

/* One block outside an end-of-band run. Returns -1 for damage. */
REFINE_TARGET static inline int REFINE(refine_block)(struct refiner *f, int16_t *coef,
                                                     uint64_t *mask)
{
    struct block b = { .nonzero = *mask & f->band };
    struct lsb r = f->bits;
    int rc = 0;
    b.zeros = f->band & ~b.nonzero;
    lsb_fill(&r);
    while (b.nonzero && !rc)
        rc = REFINE(one_symbol)(f, &r, &b);
    if (!rc && f->several)
        rc = REFINE(last_symbols)(f, &r, &b);
    while (!rc)
        rc = REFINE(one_symbol)(f, &r, &b);
    APPLY(coef, b.moved, b.fresh, b.negative, f->step);
    *mask |= b.fresh;
    f->bits = r;
    return rc < 0 ? -1 : 0;
}

/* Blocks [b, end); *at_out: where it stopped. */
REFINE_TARGET static int REFINE(refine_blocks)(const struct pcri_scan_job *job,
                                               struct refiner *f, size_t b, size_t end,
                                               size_t *at_out)
{
    const struct pcri_blocks *p = &job->planes[job->components[0]];
    const size_t kept = pcri_kept_begin(p), stop = pcri_kept_end(p) < end
        ? pcri_kept_end(p) : end;
    for (; b < stop; b++) {
        int16_t *coef = pcri_block_coef(p, b, kept);
        *at_out = b;
        if (!f->eob_run) {
            if (REFINE(refine_block)(f, coef, p->mask + b))
                return -1;
            if (f->eob_run > end - b)
                return -1;
        } else if (p->mask[b] & f->band) {
            uint64_t moved = REFINE(take_corrections)(&f->bits, p->mask[b] & f->band);
            APPLY(coef, moved, 0, 0, f->step);
        }
        f->eob_run -= f->eob_run != 0;
        if (lsb_overrun(&f->bits))
            return -1;
    }
    *at_out = b;
    return 0;
}

#undef REFINE_PASTE2
#undef REFINE_PASTE
#undef REFINE
#undef REFINE_SUFFIX
#undef REFINE_TARGET
#undef DEPOSIT
#undef SELECT
#undef APPLY
