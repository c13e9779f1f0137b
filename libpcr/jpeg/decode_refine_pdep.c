/* SPDX-License-Identifier: BSD-2-Clause */
/* Refinement of blocks by the bit deposit of BMI2, in steps without hard branches.
 *
 * A run's target is the (run + 1)-th zero of the mask, which is a bit deposit of 1 << run into
 * the mask's complement. The coefficients passed are the mask below it; there are as many
 * correction bits, spread over them by another deposit.
 *
 * How many symbols a block has cannot be predicted. A loop over them costs one or two branch
 * misses per block, which take longer than the symbols do. So a step takes one look-up's
 * symbols, and moves to the next block by arithmetic if they end this one. What remains is the
 * latency from one symbol to the next, which another scan can use: two scans take their steps
 * in turn. Changes of the coefficients are noted for each block, and applied by vectors at the
 * end of the chunk. */
#include "decode_refine.h"

#ifdef PCRI_HAVE_PDEP
#include <immintrin.h>

#define PDEP_TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define PDEP_INLINE PDEP_TARGET static inline __attribute__((always_inline))
#define AVX512_TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw")))
#define AVX512_INLINE AVX512_TARGET static inline __attribute__((always_inline))
#define UNLIKELY(x) __builtin_expect(x, 0)

/* Between two steps. The block is the chunk's `at`-th; those of its coefficients that the
 * symbols have yet to pass are `rest`. */
struct live {
    uint64_t bit; /* the next one of the data */
    uint64_t nonzero, rest;
    size_t at; /* PCRI_REFINE_CHUNK at the chunk's end */
};

enum {
    WORD = 57, /* bits that are at hand wherever a byte begins */
    STEP_CORRECTIONS = WORD - PCRI_STEP_BITS, /* the most that a step takes */
};

PDEP_INLINE size_t block_of(const struct pcri_refiner *f, size_t at)
{
    return f->end - (PCRI_REFINE_CHUNK - at);
}

PDEP_INLINE __m256i load_4(const uint64_t *p)
{
    return _mm256_loadu_si256((const __m256i *) (const void *) p);
}

PDEP_INLINE void store_4(uint64_t *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *) (void *) p, v);
}

/* --- blocks --- */

PDEP_INLINE uint64_t word_at(const struct pcri_refiner *f, uint64_t bit)
{
    uint64_t v;
    memcpy(&v, f->data + (bit >> 3), 8);
    return v >> (bit & 7);
}

PDEP_INLINE bool is_over(const struct pcri_refiner *f, const struct live *l)
{
    return l->bit > f->bit_end;
}

/* The coefficients of `nonzero` that their correction bits move. */
PDEP_INLINE uint64_t take_corrections(const struct pcri_refiner *f, struct live *l,
                                      uint64_t nonzero)
{
    unsigned n = (unsigned) __builtin_popcountll(nonzero);
    uint64_t bits = word_at(f, l->bit);
    if (n > WORD)
        bits = (bits & 0xFFFFFFFF) | word_at(f, l->bit + 32) << 32;
    l->bit += n;
    return _pdep_u64(bits, nonzero);
}

/* The blocks under an end-of-band run, to its or the chunk's end. */
PDEP_TARGET static void pass_blocks(struct pcri_refiner *f, struct live *l)
{
    struct pcri_refine_chunk *c = &f->chunk;
    size_t left = PCRI_REFINE_CHUNK - l->at, n = f->eob_run < left ? f->eob_run : left;
    f->eob_run -= (uint32_t) n;
    for (; n; n--, l->at++)
        if (c->nonzero[l->at] && !is_over(f, l))
            c->moved[l->at] = take_corrections(f, l, c->nonzero[l->at]);
    l->nonzero = c->nonzero[l->at];
    l->rest = f->band;
}

/* One symbol of any kind. False for damage. */
PDEP_TARGET static __attribute__((noinline)) bool any_symbol(struct pcri_refiner *f,
                                                             struct live *l)
{
    struct pcri_refine_chunk *c = &f->chunk;
    if (is_over(f, l))
        return false;
    uint64_t word = word_at(f, l->bit), below = ~UINT64_C(0);
    struct pcri_lookup_entry e = pcri_refine_entry_at(f->table, word);
    if (!e.nbits)
        return false;
    l->bit += e.nbits;
    if (e.symbol >= PCRI_REFINE_END_OF_BAND) {
        unsigned extra = e.symbol - PCRI_REFINE_END_OF_BAND;
        f->eob_run = pcri_refine_eob_run(word >> e.nbits, extra);
        l->bit += extra;
        if (f->eob_run > f->stop - block_of(f, l->at))
            return false;
        f->eob_run--; /* this one */
    } else {
        uint64_t target = _pdep_u64(UINT64_C(1) << e.symbol, l->rest & ~l->nonzero);
        if (!target)
            return false;
        below = _blsmsk_u64(target);
        c->fresh[l->at] |= e.value ? target : 0;
        c->negative[l->at] |= e.value < 0 ? target : 0;
    }
    c->moved[l->at] |= take_corrections(f, l, l->nonzero & l->rest & below);
    l->rest &= ~below;
    if (l->rest)
        return true;
    l->at++;
    pass_blocks(f, l);
    return true;
}

/* The symbols of one look-up, and to the next block if they end this one. False for damage. */
PDEP_INLINE bool step(struct pcri_refiner *f, struct live *l)
{
    struct pcri_refine_chunk *c = &f->chunk;
    uint64_t word = word_at(f, l->bit), nonzero = l->nonzero & l->rest;
    const struct pcri_step *e = f->steps->entries + (word & ((1u << PCRI_STEP_BITS) - 1)) +
                                (-(uint64_t) !nonzero & f->steps->several);
    uint64_t zeros = l->rest & ~l->nonzero, target = _pdep_u64(e->reach, zeros);
    uint64_t below = _blsmsk_u64(target) | (uint64_t) (int64_t) e->all;
    uint64_t passed = nonzero & below;
    unsigned n = (unsigned) __builtin_popcountll(passed);
    if (UNLIKELY(!target) || UNLIKELY(n > STEP_CORRECTIONS) || UNLIKELY(is_over(f, l))) {
        struct live copy = *l; /* so that *l stays in registers */
        bool ok = any_symbol(f, &copy);
        *l = copy;
        return ok;
    }
    unsigned nbits = e->nbits;
    c->moved[l->at] |= _pdep_u64(word >> nbits, passed);
    c->fresh[l->at] |= _pdep_u64(e->fresh, zeros);
    c->negative[l->at] |= _pdep_u64(e->negative, zeros);
    l->bit += nbits + n;
    uint64_t rest = l->rest & ~below, next = c->nonzero[l->at + 1];
    uint64_t done = rest ? 0 : ~UINT64_C(0);
    __asm__("" : "+r"(done)); /* or the compiler makes a branch of it */
    l->nonzero ^= (l->nonzero ^ next) & done;
    l->rest = rest | (f->band & done);
    l->at -= done;
    return true;
}

/* --- chunks --- */

PDEP_INLINE void save(struct pcri_refiner *f, const struct live *l)
{
    f->bit = l->bit;
    f->chunk.now = l->nonzero;
    f->chunk.rest = l->rest;
    f->chunk.at = l->at;
}

PDEP_INLINE struct live load(const struct pcri_refiner *f)
{
    return (struct live) {
        .bit = f->bit, .nonzero = f->chunk.now, .rest = f->chunk.rest, .at = f->chunk.at
    };
}

PDEP_TARGET static void begin(struct pcri_refiner *f)
{
    struct pcri_refine_chunk *c = &f->chunk;
    struct live l = { .bit = f->bit, .at = PCRI_REFINE_CHUNK - (f->end - f->block) };
    const uint64_t *mask = f->blocks->mask + f->block - l.at;
    const uint64_t band = f->band;
    c->first = l.at;
    c->begun = true;
    for (size_t i = l.at; i < PCRI_REFINE_CHUNK; i++)
        c->nonzero[i] = mask[i] & band;
    /* Of memset() the compiler makes a string instruction, which is slow to start. */
    for (size_t i = 0; i < PCRI_REFINE_CHUNK; i += 4) {
        store_4(c->moved + i, _mm256_setzero_si256());
        store_4(c->fresh + i, _mm256_setzero_si256());
        store_4(c->negative + i, _mm256_setzero_si256());
    }
    pass_blocks(f, &l);
    save(f, &l);
}

PDEP_INLINE bool goes_on(const struct live *l)
{
    return l->at < PCRI_REFINE_CHUNK;
}

/* Leaves a chunk at its end, or for later. */
PDEP_INLINE void leave(struct pcri_refiner *f, const struct live *l, bool damaged)
{
    save(f, l);
    f->damaged = damaged || is_over(f, l);
    if (f->damaged || !goes_on(l)) {
        f->block = block_of(f, l->at);
        f->chunk.begun = false;
    }
}

PDEP_TARGET static void run_1(struct pcri_refiner *f)
{
    struct live a = load(f);
    bool damaged = false;
    while (goes_on(&a) && !damaged)
        damaged = !step(f, &a);
    leave(f, &a, damaged);
}

PDEP_TARGET static void run_2(struct pcri_refiner *f, struct pcri_refiner *g)
{
    struct live a = load(f), b = load(g);
    unsigned damaged = 0;
    while (goes_on(&a) && goes_on(&b)) {
        if (UNLIKELY(!step(f, &a)))
            damaged |= 1;
        if (UNLIKELY(!step(g, &b)))
            damaged |= 2;
        if (UNLIKELY(damaged))
            break;
    }
    leave(f, &a, damaged & 1);
    leave(g, &b, damaged & 2);
}

static void refine_pdep(struct pcri_refiner *const lanes[], unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!lanes[i]->chunk.begun)
            begin(lanes[i]);
    if (count == 1)
        run_1(lanes[0]);
    else
        run_2(lanes[0], lanes[1]);
}

/* --- coefficients --- */

/* Adds new coefficients to the masks. Bit i of the result is set if the coefficients of the
 * chunk's element i change and are kept. */
PDEP_INLINE uint64_t change_masks(const struct pcri_refiner *f)
{
    const struct pcri_refine_chunk *c = &f->chunk;
    const size_t kept = pcri_kept_begin(f->blocks), begin = block_of(f, c->first);
    uint64_t *mask = f->blocks->mask + begin - c->first, changed = 0;
    size_t i = c->first;
    for (; i % 4 && i < PCRI_REFINE_CHUNK; i++) {
        mask[i] |= c->fresh[i];
        changed |= (uint64_t) ((c->moved[i] | c->fresh[i]) != 0) << i;
    }
    for (; i < PCRI_REFINE_CHUNK; i += 4) {
        __m256i fresh = load_4(c->fresh + i),
                both = _mm256_or_si256(fresh, load_4(c->moved + i));
        __m256i none = _mm256_cmpeq_epi64(both, _mm256_setzero_si256());
        store_4(mask + i, _mm256_or_si256(fresh, load_4(mask + i)));
        changed |= (uint64_t) (~_mm256_movemask_pd(_mm256_castsi256_pd(none)) & 15) << i;
    }
    if (begin >= kept)
        return changed;
    size_t above = kept - begin + c->first; /* elements of blocks that are not kept */
    return above < PCRI_REFINE_CHUNK ? changed & ~UINT64_C(0) << above : 0;
}

PDEP_INLINE int16_t *coef_of(const struct pcri_refiner *f, size_t i)
{
    return f->blocks->coef + 64 * (block_of(f, i) - pcri_kept_begin(f->blocks));
}

/* The lanes whose bit is set in the low half of `bits`: -1. */
PDEP_INLINE __m256i spread(uint64_t bits)
{
    const __m256i lanes = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048,
                                            4096, 8192, 16384, INT16_MIN);
    __m256i v = _mm256_set1_epi16((int16_t) bits);
    return _mm256_cmpeq_epi16(_mm256_and_si256(v, lanes), lanes);
}

/* Sixteen coefficients. A moved one has its own sign, a fresh one, which was 0, that of
 * `negative`. */
PDEP_INLINE void change_16(int16_t *coef, uint64_t changed, uint64_t negative, __m256i step)
{
    __m256i *p = (__m256i *) (void *) coef, c = _mm256_load_si256(p);
    __m256i change = _mm256_and_si256(spread(changed), step);
    __m256i sign = _mm256_or_si256(_mm256_or_si256(c, _mm256_set1_epi16(1)), spread(negative));
    _mm256_store_si256(p, _mm256_add_epi16(c, _mm256_sign_epi16(change, sign)));
}

PDEP_TARGET static void change_avx2(const struct pcri_refiner *f)
{
    const __m256i step = _mm256_set1_epi16((int16_t) f->step);
    for (uint64_t left = change_masks(f); left; left &= left - 1) {
        size_t i = (size_t) __builtin_ctzll(left);
        int16_t *coef = coef_of(f, i);
        uint64_t changed = f->chunk.moved[i] | f->chunk.fresh[i];
        uint64_t negative = f->chunk.negative[i];
        change_16(coef, changed, negative, step);
        change_16(coef + 16, changed >> 16, negative >> 16, step);
        if (changed >> 32) {
            change_16(coef + 32, changed >> 32, negative >> 32, step);
            change_16(coef + 48, changed >> 48, negative >> 48, step);
        }
    }
}

/* As change_16(). */
AVX512_INLINE void change_32(int16_t *coef, uint64_t changed, uint64_t negative, __m512i step)
{
    __m512i c = _mm512_load_si512(coef);
    __m512i sign = _mm512_mask_mov_epi16(_mm512_srai_epi16(c, 15), (__mmask32) negative,
                                         _mm512_set1_epi16(-1));
    __m512i change = _mm512_maskz_sub_epi16((__mmask32) changed, _mm512_xor_si512(step, sign),
                                            sign);
    _mm512_store_si512(coef, _mm512_add_epi16(c, change));
}

AVX512_TARGET static void change_avx512(const struct pcri_refiner *f)
{
    const __m512i step = _mm512_set1_epi16((int16_t) f->step);
    for (uint64_t left = change_masks(f); left; left &= left - 1) {
        size_t i = (size_t) __builtin_ctzll(left);
        int16_t *coef = coef_of(f, i);
        uint64_t changed = f->chunk.moved[i] | f->chunk.fresh[i];
        uint64_t negative = f->chunk.negative[i];
        change_32(coef, changed, negative, step);
        change_32(coef + 32, changed >> 32, negative >> 32, step);
    }
}

const struct pcri_refine_way pcri_refine_pdep = { "pdep", refine_pdep, change_avx2, true };
const struct pcri_refine_way pcri_refine_avx512 = { "avx512", refine_pdep, change_avx512,
                                                    true };

#else
typedef int pcri_no_pdep; /* ISO C wants something in each file */
#endif
