/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of decode_refine.c, once for each set of CPU features. Needs REFINE_SUFFIX,
 * REFINE_TARGET, DEPOSIT(bits, mask), SELECT(n, mask) and CORRECT(coef, which, step);
 * undefines them. */

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

/* One block outside an end-of-band run. Returns -1 for damage.
 *
 * The loop is bound by the latency from one symbol to the next, so the next look-up does not
 * wait for the refill: enough bits are left for it. Its one branch that cannot be foretold
 * is the end of the block. */
REFINE_TARGET static inline int REFINE(refine_block)(struct refiner *f, int16_t *coef,
                                                     uint64_t *mask)
{
    uint64_t nonzero = *mask & f->band, zeros = f->band & ~nonzero;
    uint64_t moved = 0, fresh = 0;
    struct lsb r = f->bits;
    lsb_fill(&r);
    for (;;) {
        struct pcri_lookup_entry e = f->table->fast[r.word & (LOOKUP_SIZE - 1)];
        lsb_fill(&r);
        if (__builtin_expect(!e.nbits, 0) && refine_slow(&r, f->table, &e))
            return -1;
        lsb_drop(&r, e.nbits);
        if (e.symbol >= END_OF_BAND) {
            f->eob_run = lsb_eob_run(&r, e.symbol - END_OF_BAND);
            moved |= REFINE(take_corrections)(&r, nonzero);
            break;
        }
        uint64_t target = SELECT(e.symbol, zeros);
        if (__builtin_expect(!target, 0))
            return -1;
        uint64_t passed = nonzero & (target - 1), beyond = ~(target | (target - 1));
        unsigned n = (unsigned) __builtin_popcountll(passed);
        if (__builtin_expect(n > LSB_FILLED - 2 * SYMBOL_MOST_BITS, 0)) {
            moved |= REFINE(take_corrections)(&r, passed);
            lsb_fill(&r);
        } else {
            moved |= DEPOSIT(r.word, passed);
            lsb_drop(&r, n);
        }
        zeros &= beyond;
        nonzero &= beyond;
        fresh |= e.value ? target : 0;
        coef[__builtin_ctzll(target)] = (int16_t) (e.value * f->step);
        if (!(zeros | nonzero))
            break;
    }
    CORRECT(coef, moved, f->step);
    *mask |= fresh;
    f->bits = r;
    return 0;
}

/* Blocks [b, end); *at_out: where it stopped. */
REFINE_TARGET static int REFINE(refine_blocks)(const struct pcri_scan_job *job,
                                               struct refiner *f, size_t b, size_t end,
                                               size_t *at_out)
{
    const struct pcri_blocks *p = &job->planes[job->components[0]];
    for (; b < end; b++) {
        *at_out = b;
        if (!f->eob_run) {
            if (REFINE(refine_block)(f, p->coef + 64 * b, p->mask + b))
                return -1;
            if (f->eob_run > end - b)
                return -1;
        } else if (p->mask[b] & f->band) {
            uint64_t moved = REFINE(take_corrections)(&f->bits, p->mask[b] & f->band);
            CORRECT(p->coef + 64 * b, moved, f->step);
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
#undef CORRECT
