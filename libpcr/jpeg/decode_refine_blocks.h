/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of decode_refine.c, once for each set of CPU features. Needs REFINE_SUFFIX,
 * REFINE_TARGET, DEPOSIT(bits, mask) and SELECT(n, mask); undefines them. */

#define REFINE_PASTE2(a, b) a##b
#define REFINE_PASTE(a, b) REFINE_PASTE2(a, b)
#define REFINE(name) REFINE_PASTE(name, REFINE_SUFFIX)

/* The coefficients of `nonzero` that this block's correction bits move. */
REFINE_TARGET static inline uint64_t REFINE(take_corrections)(struct lsb *r,
                                                              uint64_t nonzero)
{
    unsigned n = (unsigned) __builtin_popcountll(nonzero);
    return n ? DEPOSIT(lsb_take(r, n), nonzero) : 0;
}

/* One block outside an end-of-band run. Returns -1 for damage. */
REFINE_TARGET static inline int REFINE(refine_block)(struct refiner *f, int16_t *coef,
                                                     uint64_t *mask)
{
    uint64_t nonzero = *mask, rest = f->band, moved = 0, fresh = 0;
    struct lsb r = f->bits;
    while (rest) {
        int symbol = lsb_symbol(&r, f->table);
        if (symbol < 0)
            return -1;
        unsigned run = (unsigned) symbol >> 4, size = symbol & 15, positive = 0;
        if (size > 1)
            return -1;
        if (size) {
            positive = r.word & 1;
            lsb_drop(&r, 1);
        } else if (run < 15) {
            f->eob_run = 1u << run;
            if (run) { /* the run's bits stand highest first */
                uint32_t extra = reverse16((uint32_t) lsb_take(&r, run) & 0xFFFF);
                f->eob_run += extra >> (16 - run);
            }
            lsb_fill(&r);
            moved |= REFINE(take_corrections)(&r, nonzero & rest);
            break;
        }
        uint64_t target = SELECT(run, ~nonzero & rest);
        if (!target)
            return -1;
        moved |= REFINE(take_corrections)(&r, nonzero & rest & (target - 1));
        rest &= ~(target | (target - 1));
        if (size) {
            fresh |= target;
            coef[__builtin_ctzll(target)] = (int16_t) (positive ? f->step : -f->step);
        }
    }
    correct(coef, moved, f->step);
    *mask = nonzero | fresh;
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
            if (f->eob_run && f->eob_run > end - b)
                return -1;
        } else {
            uint64_t nonzero = p->mask[b] & f->band;
            if (nonzero) {
                lsb_fill(&f->bits);
                uint64_t moved = REFINE(take_corrections)(&f->bits, nonzero);
                correct(p->coef + 64 * b, moved, f->step);
            }
        }
        if (f->eob_run)
            f->eob_run--;
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
