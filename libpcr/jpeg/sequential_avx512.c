/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequential scans with AVX-512: up to 32 coefficients of a block at once become symbols, codes and
 * bits, and these are joined by fours, so that what is left to be done one after the other is to
 * put fours together.
 *
 * The positions of nonzero coefficients are compressed out of the mask, and coefficients gathered
 * by them. A run above 15 is divided by a coefficient that is zero: its symbol is that of sixteen
 * zeros. Behind the last coefficient comes symbol 0, which ends the block. */
#include "sequential_put.h"

#ifdef PCRI_SEQUENTIAL_X86
#include <immintrin.h>

#define TARGET \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx512bitalg," \
                          "bmi,bmi2,lzcnt,popcnt")))
#define INLINE TARGET static inline __attribute__((always_inline))

INLINE __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* Sets a bit, of a coefficient that is zero, wherever sixteen zeros are a symbol. */
INLINE uint64_t divide_runs(uint64_t mask)
{
    uint64_t z = ~(mask | 1);
    z &= z >> 1;
    z &= z >> 2;
    z &= z >> 4;
    z &= z >> 8; /* bits at which sixteen zeros begin */
    z = _bzhi_u64(z, 63 - (unsigned) _lzcnt_u64(mask));
    while (__builtin_expect(z != 0, 0)) {
        const unsigned last = (unsigned) _tzcnt_u64(z) + 15;
        mask |= UINT64_C(1) << last;
        z &= UINT64_MAX << last << 1;
    }
    return mask;
}

/* Up to 32 codes with their values' bits, as even and odd ones, and how many bits these have; none
 * beyond the lanes. */
struct codes {
    __m512i even, odd, even_nbits, odd_nbits;
};

INLINE struct codes look_up(const struct pcri_ac_codes *t, __m512i symbol, __m512i size,
                            __m512i bits, __mmask32 lanes)
{
    const __mmask32 bit6 = _mm512_test_epi16_mask(symbol, _mm512_set1_epi16(64));
    const __mmask32 bit7 = _mm512_test_epi16_mask(symbol, _mm512_set1_epi16(128));
    const __mmask64 low_bytes = UINT64_C(0x5555555555555555);
    const __m512i low_word = _mm512_set1_epi32(0xFFFF);
    const uint16_t *c = t->codes;
    const uint8_t *n = t->lengths;
    __m512i code[4], nbits[2];
    for (int i = 0; i < 4; i++)
        code[i] = _mm512_permutex2var_epi16(load(c + 64 * i), symbol, load(c + 64 * i + 32));
    for (int i = 0; i < 2; i++)
        nbits[i] = _mm512_maskz_permutex2var_epi8(low_bytes, load(n + 128 * i), symbol,
                                                  load(n + 128 * i + 64));
    code[0] = _mm512_mask_mov_epi16(code[0], bit6, code[1]);
    code[2] = _mm512_mask_mov_epi16(code[2], bit6, code[3]);
    code[0] = _mm512_maskz_mov_epi16(lanes, _mm512_mask_mov_epi16(code[0], bit7, code[2]));
    nbits[0] = _mm512_maskz_mov_epi16(lanes, _mm512_mask_mov_epi16(nbits[0], bit7, nbits[1]));
    return (struct codes) {
        .even = _mm512_or_si512(_mm512_sllv_epi32(_mm512_and_si512(code[0], low_word),
                                                  _mm512_and_si512(size, low_word)),
                                _mm512_and_si512(bits, low_word)),
        .odd = _mm512_or_si512(
            _mm512_sllv_epi32(_mm512_srli_epi32(code[0], 16), _mm512_srli_epi32(size, 16)),
            _mm512_srli_epi32(bits, 16)),
        .even_nbits = _mm512_and_si512(nbits[0], low_word),
        .odd_nbits = _mm512_srli_epi32(nbits[0], 16),
    };
}

/* Joins by twos, then by fours, and puts the first `count` of them. */
INLINE void put_codes(struct pcri_bit_sink *w, struct codes c, unsigned count)
{
    const __m512i low = _mm512_set1_epi64(0xFFFFFFFF);
    const __m512i both = _mm512_add_epi32(c.even_nbits, c.odd_nbits);
    const __m512i first = _mm512_or_si512(
        _mm512_sllv_epi64(_mm512_and_si512(c.even, low), _mm512_and_si512(c.odd_nbits, low)),
        _mm512_and_si512(c.odd, low));
    const __m512i second = _mm512_or_si512(
        _mm512_sllv_epi64(_mm512_srli_epi64(c.even, 32), _mm512_srli_epi64(c.odd_nbits, 32)),
        _mm512_srli_epi64(c.odd, 32));
    const __m512i first_nbits = _mm512_and_si512(both, low);
    const __m512i second_nbits = _mm512_srli_epi64(both, 32);
    const __m512i nbits = _mm512_add_epi64(first_nbits, second_nbits);
    uint64_t four[8], four_nbits[8], two[8], two_nbits[8];
    _mm512_storeu_si512(four_nbits, nbits);
    if (__builtin_expect(!_mm512_cmpgt_epu64_mask(nbits, _mm512_set1_epi64(56)), 1)) {
        _mm512_storeu_si512(four,
                            _mm512_or_si512(_mm512_sllv_epi64(first, second_nbits), second));
        for (unsigned i = 0; i < count; i++)
            pcri_put_bits(w, four[i], (unsigned) four_nbits[i]);
        return;
    }
    _mm512_storeu_si512(four, first);
    _mm512_storeu_si512(two, second);
    _mm512_storeu_si512(two_nbits, second_nbits);
    for (unsigned i = 0; i < count; i++) {
        pcri_put_bits(w, four[i], (unsigned) (four_nbits[i] - two_nbits[i]));
        pcri_put_bits(w, two[i], (unsigned) two_nbits[i]);
    }
}

/* The nonzero coefficients of a block: where they are, and how many zeros come before each. */
struct places {
    __m512i at, runs;
    unsigned count;
};

INLINE struct places find_places(uint64_t mask)
{
    static const uint8_t numbers[64] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                         13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                         26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
                                         39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
                                         52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63 };
    const __m512i all = load(numbers), one = _mm512_set1_epi8(1);
    const __m512i at = _mm512_maskz_compress_epi8(mask, all);
    const __m512i before = _mm512_maskz_permutexvar_epi8(~UINT64_C(1),
                                                         _mm512_sub_epi8(all, one), at);
    return (struct places) { at, _mm512_sub_epi8(_mm512_sub_epi8(at, before), one),
                             (unsigned) _mm_popcnt_u64(mask) };
}

/* Coefficients at 32 places as symbols and what follows these; nothing beyond the lanes. */
struct symbols {
    __m512i symbol, size, bits;
    bool beyond; /* there is one without a code */
};

INLINE struct symbols make_symbols(const int16_t *coef, __m256i at, __m256i runs,
                                   __mmask32 lanes)
{
    const __m512i v = _mm512_maskz_permutex2var_epi16(
        lanes, load(coef), _mm512_cvtepu8_epi16(at), load(coef + 32));
    const __m512i run = _mm512_maskz_cvtepu8_epi16(lanes, runs);
    __m512i ones = _mm512_abs_epi16(v); /* below a magnitude's highest bit, and there */
    const bool beyond = _mm512_cmpgt_epu16_mask(ones, _mm512_set1_epi16(1023)) != 0;
    ones = _mm512_or_si512(ones, _mm512_srli_epi16(ones, 1));
    ones = _mm512_or_si512(ones, _mm512_srli_epi16(ones, 2));
    ones = _mm512_or_si512(ones, _mm512_srli_epi16(ones, 4));
    ones = _mm512_or_si512(ones, _mm512_srli_epi16(ones, 8));
    const __m512i size = _mm512_popcnt_epi16(ones);
    return (struct symbols) {
        .symbol = _mm512_or_si512(_mm512_slli_epi16(run, 4), size),
        .size = size,
        .bits = _mm512_and_si512(_mm512_add_epi16(v, _mm512_srai_epi16(v, 15)), ones),
        .beyond = beyond,
    };
}

/* 32 places, of which `coefs` are some, and `lanes` have codes. */
INLINE void put_half(const struct pcri_ac_codes *t, struct pcri_bit_sink *w,
                     const int16_t *coef, __m256i at, __m256i runs, __mmask32 coefs,
                     __mmask32 lanes)
{
    const struct symbols s = make_symbols(coef, at, runs, coefs);
    w->beyond |= s.beyond;
    put_codes(w, look_up(t, s.symbol, s.size, s.bits, lanes),
              ((unsigned) _mm_popcnt_u32(lanes) + 3) / 4);
}

INLINE void put_ac(const struct pcri_ac_codes *t, struct pcri_bit_sink *w, const int16_t *coef,
                   uint64_t mask)
{
    mask = divide_runs(mask);
    const struct places p = find_places(mask);
    const uint64_t coefs = _bzhi_u64(UINT64_MAX, p.count);
    const uint64_t lanes = _bzhi_u64(UINT64_MAX, p.count + !(mask >> 63));
    put_half(t, w, coef, _mm512_castsi512_si256(p.at), _mm512_castsi512_si256(p.runs),
             (__mmask32) coefs, (__mmask32) lanes);
    if (lanes >> 32)
        put_half(t, w, coef, _mm512_extracti64x4_epi64(p.at, 1),
                 _mm512_extracti64x4_epi64(p.runs, 1), (__mmask32) (coefs >> 32),
                 (__mmask32) (lanes >> 32));
}

INLINE void put_block(struct pcri_sequential_part *p, struct pcri_bit_sink *w,
                      struct pcri_put_block b)
{
    const uint32_t dc = pcri_value_entry(w, p->dc->by_category, PCRI_DC_MOST,
                                         b.dc - p->last_dc);
    p->last_dc = b.dc;
    pcri_put_bits(w, dc >> PCRI_CODE_SHIFT, dc & ((1 << PCRI_CODE_SHIFT) - 1));
    if (b.mask) {
        put_ac(p->ac, w, b.coef, b.mask);
        return;
    }
    const uint32_t end = p->ac->by_category[0][0];
    pcri_put_bits(w, end >> PCRI_CODE_SHIFT, end & ((1 << PCRI_CODE_SHIFT) - 1));
}

TARGET void pcri_put_mcus_avx512(struct pcri_sequential_scan *s, uint32_t from, uint32_t to)
{
    PCRI_PUT_EACH(s, from, to, put_block);
}
#endif
