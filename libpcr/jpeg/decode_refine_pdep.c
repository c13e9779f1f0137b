/* SPDX-License-Identifier: BSD-2-Clause */
/* Refinement of blocks by the bit deposit of BMI2.
 *
 * A run's target is the (run + 1)-th zero of the mask, which is a bit deposit of 1 << run
 * into the mask's complement; the coefficients passed are the mask below it, and the
 * correction bits are as many as those, spread over them by another deposit. A block's
 * coefficients are changed at its end, all at once. */
#include "decode_refine.h"

#ifdef PCRI_HAVE_PDEP
#include <immintrin.h>

#define PDEP_TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define PDEP_INLINE PDEP_TARGET static inline

/* Sets of a block's coefficients, by zigzag order. */
struct block {
    uint64_t nonzero, zeros;  /* of the band, what the symbols have yet to pass */
    uint64_t moved;           /* whose correction bit moves them away from zero */
    uint64_t fresh, negative; /* that become nonzero, and those of them below zero */
};

/* The lanes of which the bit is set in the low half of `bits`: -1. */
PDEP_INLINE __m256i spread(uint64_t bits)
{
    const __m256i lanes = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048,
                                            4096, 8192, 16384, INT16_MIN);
    __m256i v = _mm256_set1_epi16((int16_t) bits);
    return _mm256_cmpeq_epi16(_mm256_and_si256(v, lanes), lanes);
}

/* Sixteen coefficients. A moved one has its own sign, a fresh one, which was 0, that of
 * `negative`. */
PDEP_INLINE void apply_16(int16_t *coef, uint64_t changed, uint64_t negative, __m256i step)
{
    __m256i *p = (__m256i *) (void *) coef, c = _mm256_load_si256(p);
    __m256i change = _mm256_and_si256(spread(changed), step);
    __m256i sign = _mm256_or_si256(_mm256_or_si256(c, _mm256_set1_epi16(1)),
                                   spread(negative));
    _mm256_store_si256(p, _mm256_add_epi16(c, _mm256_sign_epi16(change, sign)));
}

PDEP_INLINE void apply(int16_t *coef, uint64_t changed, uint64_t negative, int step)
{
    __m256i steps = _mm256_set1_epi16((int16_t) step);
    apply_16(coef, changed, negative, steps);
    if (changed >> 16) {
        apply_16(coef + 16, changed >> 16, negative >> 16, steps);
        if (changed >> 32) {
            apply_16(coef + 32, changed >> 32, negative >> 32, steps);
            apply_16(coef + 48, changed >> 48, negative >> 48, steps);
        }
    }
}

/* The coefficients of `nonzero` that their correction bits move. */
PDEP_INLINE uint64_t take_corrections(struct pcri_lsb *r, uint64_t nonzero)
{
    unsigned n = (unsigned) __builtin_popcountll(nonzero);
    pcri_lsb_fill(r);
    uint64_t moved = _pdep_u64(r->word, nonzero);
    if (n <= PCRI_LSB_FILLED) {
        pcri_lsb_drop(r, n);
        return moved;
    }
    return _pdep_u64(pcri_lsb_take_long(r, n), nonzero);
}

/* One symbol, with the correction bits of the coefficients that its run passes. Returns -1
 * for damage, 1 at the end of the block. */
PDEP_INLINE int one_symbol(struct pcri_refiner *f, struct pcri_lsb *r, struct block *b)
{
    struct pcri_lookup_entry e = pcri_refine_symbol(f, r);
    if (__builtin_expect(!e.nbits, 0))
        return -1;
    if (e.symbol >= PCRI_REFINE_END_OF_BAND) {
        f->eob_run = pcri_lsb_eob_run(r, e.symbol - PCRI_REFINE_END_OF_BAND);
        b->moved |= take_corrections(r, b->nonzero);
        return 1;
    }
    uint64_t target = _pdep_u64(UINT64_C(1) << e.symbol, b->zeros);
    if (__builtin_expect(!target, 0))
        return -1;
    uint64_t passed = b->nonzero & (target - 1), beyond = ~(target | (target - 1));
    unsigned n = (unsigned) __builtin_popcountll(passed);
    if (__builtin_expect(n > PCRI_LSB_FILLED - 2 * PCRI_REFINE_SYMBOL_MOST_BITS, 0)) {
        b->moved |= take_corrections(r, passed);
        pcri_lsb_fill(r);
    } else {
        b->moved |= _pdep_u64(r->word, passed);
        pcri_lsb_drop(r, n);
    }
    b->zeros &= beyond;
    b->nonzero &= beyond;
    b->fresh |= e.value ? target : 0;
    b->negative |= e.value < 0 ? target : 0;
    return !(b->zeros | b->nonzero);
}

/* The symbols behind the last nonzero coefficient: no correction bits come between them, so
 * one look-up can yield several. Returns -1 for damage. */
PDEP_INLINE int last_symbols(struct pcri_refiner *f, struct pcri_lsb *r, struct block *b)
{
    for (;;) {
        const struct pcri_several_entry *s =
            &f->several->entries[r->word & ((1u << PCRI_SEVERAL_BITS) - 1)];
        unsigned nbits = s->nbits, length = s->length, end = s->end;
        unsigned first = (unsigned) __builtin_ctzll(b->zeros);
        /* Symbols behind a block that is full belong to the next one. */
        if (__builtin_expect(!nbits || first + length + (end != 0) > f->band_end, 0)) {
            int rc = one_symbol(f, r, b);
            if (rc)
                return rc;
            continue;
        }
        pcri_lsb_fill(r);
        pcri_lsb_drop(r, nbits);
        b->fresh |= (uint64_t) s->fresh << first;
        b->negative |= (uint64_t) s->negative << first;
        if (end) {
            f->eob_run = pcri_lsb_eob_run(r, end - 1);
            return 1;
        }
        b->zeros &= ~UINT64_C(0) << first << length;
        if (!b->zeros)
            return 1;
    }
}

/* One block outside an end-of-band run. Returns -1 for damage. */
PDEP_INLINE int refine_block(struct pcri_refiner *f, int16_t *coef, uint64_t *mask)
{
    struct block b = { .nonzero = *mask & f->band };
    struct pcri_lsb r = f->bits;
    int rc = 0;
    b.zeros = f->band & ~b.nonzero;
    pcri_lsb_fill(&r);
    while (b.nonzero && !rc)
        rc = one_symbol(f, &r, &b);
    if (!rc && f->several)
        rc = last_symbols(f, &r, &b);
    while (!rc)
        rc = one_symbol(f, &r, &b);
    apply(coef, b.moved | b.fresh, b.negative, f->step);
    *mask |= b.fresh;
    f->bits = r;
    return rc < 0 ? -1 : 0;
}

PDEP_TARGET int pcri_refine_pdep(struct pcri_refiner *f, const struct pcri_blocks *p,
                                 size_t b, size_t end, size_t *at_out)
{
    const size_t kept = pcri_kept_begin(p), stop = pcri_kept_end(p) < end
        ? pcri_kept_end(p) : end;
    for (; b < stop; b++) {
        int16_t *coef = pcri_block_coef(p, b, kept);
        uint64_t nonzero = p->mask[b] & f->band;
        *at_out = b;
        if (!f->eob_run) {
            if (refine_block(f, coef, p->mask + b))
                return -1;
            if (f->eob_run > end - b)
                return -1;
        } else if (nonzero) {
            apply(coef, take_corrections(&f->bits, nonzero), 0, f->step);
        }
        f->eob_run -= f->eob_run != 0;
        if (pcri_lsb_overrun(&f->bits))
            return -1;
    }
    *at_out = b;
    return 0;
}

#else
typedef int pcri_no_pdep; /* ISO C wants something in each file */
#endif
