/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows for x86-64 with AVX2 and BMI2. Contexts are made of bytes, 32 at a time; masks
 * go through the bit deposit block by block, without branches, where it is fast. */
#include "rows_bytes.h"

#ifdef PCRI_PK_HAVE_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNLIKELY(x) __builtin_expect(x, 0)

INLINE __m256i load(const void *p)
{
    return _mm256_loadu_si256(p);
}

INLINE void store(void *p, __m256i v)
{
    _mm256_storeu_si256(p, v);
}

INLINE bool symbols(uint16_t *contexts, size_t n, uint8_t escape, uint8_t *out)
{
    const __m256i escapes = _mm256_set1_epi8((char) escape);
    uint32_t any = 0;
    for (size_t i = 0; i < n; i += 32) {
        const __m256i a = _mm256_srli_epi16(load(contexts + i), 8);
        const __m256i b = _mm256_srli_epi16(load(contexts + i + 16), 8);
        const __m256i v = _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xD8);
        const uint32_t marks = (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(v, escapes));
        store(out + i, v);
        memcpy(contexts + i, &marks, sizeof(marks));
        any |= marks;
    }
    return any;
}

#define PCRI_TANS_SYMBOLS symbols
#define PCRI_TANS_INLINE INLINE
#define PCRI_TANS_BITS(word, at, n) _bzhi_u64((word) >> ((at) &63), n)
#include "tans_read.h"

/* Of each byte, which is at most 15, the number that a table has for it. */
INLINE __m256i look_up(__m128i table, __m256i v)
{
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), v);
}

/* How many bits of each byte are set. */
INLINE __m256i byte_counts(__m256i v)
{
    const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0,
                                            1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    return _mm256_add_epi8(
        _mm256_shuffle_epi8(counts, _mm256_and_si256(v, low)),
        _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}

/* For each bit of a byte a byte of ones. */
INLINE uint64_t whole_bytes(unsigned byte)
{
    return _pdep_u64(byte, UINT64_C(0x0101010101010101)) * 255;
}

#include "rows_avx2_dc.h"

/* --- contexts --- */

/* How many of 0, 1, 2, 4, 7, 12 each byte exceeds. */
INLINE __m256i q7(__m256i v)
{
    const __m128i of = _mm_setr_epi8(0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6);
    return look_up(of, _mm256_min_epu8(v, _mm256_set1_epi8(15)));
}

/* How many of 0, 1, 3, 6, 11, 20. */
INLINE __m256i q10(__m256i v)
{
    const __m128i of = _mm_setr_epi8(0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5);
    const __m256i most = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(20));
    return _mm256_sub_epi8(look_up(of, _mm256_min_epu8(v, _mm256_set1_epi8(15))), most);
}

/* 0 to 3, by how a block's coefficients are split at number 16. */
INLINE __m256i split_class(__m256i all, __m256i low)
{
    const __m256i high = _mm256_sub_epi8(all, low), one = _mm256_set1_epi8(1);
    __m256i any = _mm256_cmpgt_epi8(high, _mm256_setzero_si256());
    __m256i fewer = _mm256_cmpgt_epi8(low, _mm256_add_epi8(high, high)); /* 2 high < low */
    __m256i less = _mm256_cmpgt_epi8(_mm256_add_epi8(low, low), high);   /* high < 2 low */
    __m256i sum = _mm256_sub_epi8(one, _mm256_cmpeq_epi8(fewer, _mm256_setzero_si256()));
    sum = _mm256_sub_epi8(sum, _mm256_cmpeq_epi8(less, _mm256_setzero_si256()));
    return _mm256_and_si256(sum, any);
}

TARGET static void t_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                              const struct pcri_pk_pass *pass, uint16_t *out)
{
    const uint8_t *up = above->count, *side = pass->first ? up : row->count;
    const __m256i factors = _mm256_set1_epi16(49 | 1 << 8);
    const __m256i begin = _mm256_set1_epi16((short) (pass->kind * PCRI_PK_T_CONTEXTS));
    for (size_t i = 0; i < row->blocks; i += 32) {
        const __m256i own = load(row->count + i), u = load(up + i);
        __m256i beside = _mm256_add_epi8(load(side + i - 1), load(side + i + 1));
        beside = _mm256_and_si256(_mm256_srli_epi16(beside, 1), _mm256_set1_epi8(127));
        __m256i near = _mm256_add_epi8(u, beside);
        near = _mm256_and_si256(_mm256_srli_epi16(near, 1), _mm256_set1_epi8(63));
        __m256i gain = q7(load(above->gain + i));
        gain = _mm256_add_epi8(_mm256_add_epi8(gain, gain), _mm256_add_epi8(gain, gain));
        __m256i a = _mm256_add_epi8(gain, split_class(own, load(row->low + i)));
        __m256i o = q10(own);
        __m256i o7 = _mm256_sub_epi8(_mm256_slli_epi16(o, 3),
                                     o); /* below 8: no bit moves on */
        __m256i b = _mm256_add_epi8(o7, q10(near));
        __m256i even = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), factors);
        __m256i odd = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), factors);
        even = _mm256_add_epi16(even, begin);
        odd = _mm256_add_epi16(odd, begin);
        store(out + i, _mm256_permute2x128_si256(even, odd, 0x20));
        store(out + i + 16, _mm256_permute2x128_si256(even, odd, 0x31));
    }
}

/* Of each byte of four blocks the parts of its context that follow from counts: what is multiplied
 * by 64, and what by 1. */
INLINE void b_parts(const struct pcri_pk_row *row, const uint64_t *up, const uint64_t *side,
                    size_t i, __m256i *high_out, __m256i *low_out)
{
    /* 4 times how many of 0, 2, 4, 8, 14, 20 a number exceeds, by its half, rounded up */
    const __m128i near4 = _mm_setr_epi8(0, 4, 8, 12, 12, 16, 16, 16, 20, 20, 20, 24, 24, 24,
                                        24, 24);
    const __m256i own = load(row->bytes + i), x = _mm256_set1_epi8(28);
    const __m256i half = _mm256_add_epi8(
        load(up + i), _mm256_avg_epu8(load(side + i - 1), load(side + i + 1)));
    const __m256i near = look_up(near4, _mm256_min_epu8(half, _mm256_set1_epi8(15)));
    const __m256i beside = _mm256_add_epi8(_mm256_slli_epi64(own, 8),
                                           _mm256_srli_epi64(own, 8));
    const __m256i twice = _mm256_add_epi8(own, own);
    const __m256i more = _mm256_and_si256(_mm256_cmpgt_epi8(beside, twice), x);
    const __m256i most = _mm256_and_si256(
        _mm256_cmpgt_epi8(beside, _mm256_add_epi8(twice, _mm256_set1_epi8(2))), x);
    *high_out = _mm256_add_epi8(near, _mm256_add_epi8(more, most));
    *low_out = _mm256_slli_epi16(_mm256_and_si256(own, _mm256_set1_epi8(7)), 3);
}

/* Byte i: the number of the mask's bit i, and 16 times how many of 1, 2, 4 its bits exceed. */
#define BITS(t) __builtin_popcount(t)
#define CLASS(t) (uint64_t)((BITS(t) > 1) + (BITS(t) > 2) + (BITS(t) > 4))
#define NAMED(t, k) (NUMBER(t, k) | CLASS(t) << (8 * (k) + 4))
static const uint64_t named_of[256] = { FOUR_4(NAMED) };

/* The same of four masks, of which the second and the fourth are about a part's upper blocks. */
INLINE __m256i named_of_four(const uint8_t t[4])
{
    const __m128i upper = _mm_setr_epi32(0, 0, 0x08080808, 0x08080808);
    const __m128i a = _mm_set_epi64x((long long) named_of[t[1]], (long long) named_of[t[0]]);
    const __m128i b = _mm_set_epi64x((long long) named_of[t[3]], (long long) named_of[t[2]]);
    return _mm256_or_si256(_mm256_set_m128i(b, a), _mm256_broadcastsi128_si256(upper));
}

INLINE void store_half(void *p, __m256i v, int half)
{
    _mm_storeu_si128(p, half ? _mm256_extracti128_si256(v, 1) : _mm256_castsi256_si128(v));
}

TARGET static size_t b_contexts(struct pcri_pk_row *row, const struct pcri_pk_above *above,
                                const struct pcri_pk_pass *pass, const uint8_t *t,
                                uint16_t *out)
{
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    const __m256i factors = _mm256_set1_epi16(64 | 1 << 8);
    const __m256i begin = _mm256_set1_epi16((short) (pass->kind * PCRI_PK_B_CONTEXTS));
    const size_t blocks = row->blocks;
    const __m256i zero = _mm256_setzero_si256();
    const __m256i first = _mm256_set_m128i(_mm_set1_epi16(16), _mm_setzero_si128());
    size_t n = 0;
    for (size_t i = 0; i < blocks; i += 4) {
        uint8_t named[4];
        __m256i high, low, v[4];
        uint32_t all = pcri_load32(t + i);
        all = blocks - i < 4 ? _bzhi_u32(all, 8 * (unsigned) (blocks - i)) : all;
        if (!all)
            continue;
        pcri_store32(named, all);
        b_parts(row, up, side, i, &high, &low);
        const __m256i of = named_of_four(named);
        const __m256i number = _mm256_and_si256(of, _mm256_set1_epi8(7));
        const __m256i class = _mm256_and_si256(_mm256_srli_epi16(of, 4), _mm256_set1_epi8(3));
        high = _mm256_add_epi8(_mm256_shuffle_epi8(high, of), class);
        low = _mm256_or_si256(_mm256_shuffle_epi8(low, of), number);
        /* contexts and bytes of blocks 0 and 2, 1 and 3 */
        v[0] = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(high, low), factors);
        v[1] = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(high, low), factors);
        v[2] = _mm256_add_epi16(_mm256_unpacklo_epi8(number, zero),
                                _mm256_set1_epi16((short) (8 * i)));
        v[3] = _mm256_add_epi16(_mm256_unpackhi_epi8(number, zero),
                                _mm256_set1_epi16((short) (8 * i + 8)));
        for (int k = 0; k < 4; k++) {
            const __m256i context = _mm256_add_epi16(v[k % 2], begin);
            const __m256i byte = _mm256_add_epi16(v[2 + k % 2], first);
            store_half(out + n, context, k / 2);
            store_half(row->named + n, byte, k / 2);
            n += (unsigned) _mm_popcnt_u32(named[k]);
        }
    }
    row->named_count = (uint32_t) n;
    return n;
}

TARGET static uint32_t list(const uint8_t *v, size_t n, uint16_t *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 8) {
        const __m128i none = _mm_cmpeq_epi8(_mm_loadl_epi64((const void *) (v + i)),
                                            _mm_setzero_si128());
        unsigned some = ~(unsigned) _mm_movemask_epi8(none) & 255;
        some = n - i < 8 ? _bzhi_u32(some, (unsigned) (n - i)) : some;
        const __m128i numbers = _mm_cvtepu8_epi16(
            _mm_cvtsi64_si128((long long) numbers_of[some]));
        _mm_storeu_si128((void *) (out + count),
                         _mm_add_epi16(numbers, _mm_set1_epi16((short) i)));
        count += (unsigned) _mm_popcnt_u32(some);
    }
    return count;
}

/* --- masks --- */

/* Four blocks' free coefficients, and as many of the lowest bits of each byte. */
INLINE void free_bits(const struct pcri_pk_row *row, size_t i, uint64_t band, uint64_t free[4],
                      uint64_t low[4])
{
    const __m256i ones = _mm256_setr_epi8(0, 1, 3, 7, 15, 31, 63, 127, -1, 0, 0, 0, 0, 0, 0, 0,
                                          0, 1, 3, 7, 15, 31, 63, 127, -1, 0, 0, 0, 0, 0, 0,
                                          0);
    __m256i f = _mm256_andnot_si256(load(row->known + i),
                                    _mm256_set1_epi64x((long long) band));
    store(free, f);
    store(low, _mm256_shuffle_epi8(ones, byte_counts(f)));
}

TARGET static size_t place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                           const uint8_t *b)
{
    const uint8_t *begin = b;
    const __m128i ones = _mm_setr_epi8(0, 1, 3, 7, 15, 31, 63, 127, -1, 0, 0, 0, 0, 0, 0, 0);
    memset(row->found, 0, row->blocks * sizeof(*row->found));
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const unsigned named = t[i];
        const uint64_t free = band & ~row->known[i];
        const __m128i counts = _mm256_castsi256_si128(
            byte_counts(_mm256_castsi128_si256(_mm_cvtsi64_si128((long long) free))));
        const uint64_t low = (uint64_t) _mm_cvtsi128_si64(_mm_shuffle_epi8(ones, counts));
        const __m128i v = _mm_shuffle_epi8(_mm_loadl_epi64((const void *) b),
                                           _mm_loadl_epi64((const void *) &ranks_of[named]));
        row->found[i] = _pdep_u64(_pext_u64((uint64_t) _mm_cvtsi128_si64(v), low), free);
        b += _mm_popcnt_u32(named);
    }
    return (size_t) (b - begin);
}

TARGET static size_t name_bytes(const struct pcri_pk_row *row, uint64_t band, uint8_t *t,
                                uint8_t *b)
{
    const uint8_t *begin = b;
    uint64_t free[4], low[4];
    for (size_t i = 0; i < row->blocks; i++) {
        if (i % 4 == 0)
            free_bits(row, i, band, free, low);
        const uint64_t found = row->found[i], seven = UINT64_C(0x7F7F7F7F7F7F7F7F);
        uint64_t some = (((found & seven) + seven) | found) & ~seven;
        unsigned named = (unsigned) _pext_u64(some, ~seven);
        uint64_t v = _pdep_u64(_pext_u64(found, free[i % 4]), low[i % 4]);
        v = _pext_u64(v, whole_bytes(named));
        memcpy(b, &v, 8);
        t[i] = (uint8_t) named;
        b += _mm_popcnt_u32(named);
    }
    return (size_t) (b - begin);
}

/* Of each of 16 numbers all bits, where a bit is set. */
INLINE __m256i of_bits(unsigned word)
{
    const __m256i bits = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048,
                                           4096, 8192, 16384, (short) 32768);
    return _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16((short) word), bits), bits);
}

/* Values are taken in words of 32 bits. */
TARGET static void fresh(const uint8_t *data, uint64_t bit, size_t n, int weight,
                         int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    const __m256i plus = _mm256_set1_epi16((short) weight);
    const __m256i minus = _mm256_set1_epi16((short) -weight);
    for (size_t i = 0; i < n; i += 32, p += 4) {
        const uint64_t word = pcri_load64(p) >> bit % 8;
        for (int k = 0; k < 32; k += 16)
            store(values + i + k,
                  _mm256_blendv_epi8(plus, minus, of_bits((unsigned) (word >> k))));
    }
}

TARGET static void signs(const uint8_t *data, uint64_t bit, size_t n, int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    for (size_t i = 0; i < n; i += 32, p += 4) {
        const uint64_t word = pcri_load64(p) >> bit % 8;
        for (int k = 0; k < 32; k += 16) {
            const __m256i negative = of_bits((unsigned) (word >> k));
            const __m256i v = load(values + i + k);
            store(values + i + k, _mm256_sub_epi16(_mm256_xor_si256(v, negative), negative));
        }
    }
}

TARGET static void refine(const uint8_t *data, uint64_t bit, size_t n, int weight,
                          int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    const __m256i more = _mm256_set1_epi16((short) weight);
    for (size_t i = 0; i < n; i += 32, p += 4) {
        const uint64_t word = pcri_load64(p) >> bit % 8;
        for (int k = 0; k < 32; k += 16) {
            const __m256i set = _mm256_and_si256(of_bits((unsigned) (word >> k)), more);
            const __m256i v = load(values + i + k);
            store(values + i + k, _mm256_add_epi16(v, _mm256_sign_epi16(set, v)));
        }
    }
}

TARGET static void blank(const struct pcri_pk_row *row, const int16_t *dc, int16_t *out)
{
    const __m256i zero = _mm256_setzero_si256();
    for (size_t x = 0; x < row->blocks; x++, out += 64) {
        store(out, _mm256_zextsi128_si256(_mm_cvtsi32_si128((uint16_t) dc[x])));
        for (int k = 16; k < 64; k += 16)
            store(out + k, zero);
    }
}

/* At least 64 bits from `bit` on, of which `wanted` are. */
INLINE uint64_t bits_at(const uint8_t *data, uint64_t bit, unsigned wanted)
{
    const uint8_t *p = data + (bit >> 3);
    uint64_t v = pcri_load64(p) >> (bit & 7);
    if (UNLIKELY(wanted > 57))
        v |= (uint64_t) p[8] << 1 << (63 - (bit & 7));
    return v;
}

TARGET static uint64_t sign(const struct pcri_pk_row *row, uint64_t part, const uint8_t *data,
                            uint64_t bit)
{
    const uint64_t begin = bit;
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const uint64_t found = row->found[i] & part;
        const unsigned n = (unsigned) _mm_popcnt_u64(found);
        row->sign[i] = (row->sign[i] & ~part) | _pdep_u64(bits_at(data, bit, n), found);
        bit += n;
    }
    return bit - begin;
}

/* A byte of ones for each bit of a mask's half. */
INLINE __m256i spread(uint64_t mask, int half)
{
    const __m256i bit = _mm256_set1_epi64x((long long) UINT64_C(0x8040201008040201));
    const __m256i from = half ? _mm256_setr_epi64x(0x0404040404040404, 0x0505050505050505,
                                                   0x0606060606060606, 0x0707070707070707)
                              : _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202,
                                                   0x0303030303030303);
    __m256i v = _mm256_shuffle_epi8(_mm256_set1_epi64x((long long) mask), from);
    return _mm256_cmpeq_epi8(_mm256_and_si256(v, bit), bit);
}

TARGET static void fill(const struct pcri_pk_row *row, const int16_t *dc, int weight,
                        int16_t *out)
{
    const __m256i plus = _mm256_set1_epi16((short) weight), one = _mm256_set1_epi8(1);
    for (size_t x = 0; x < row->blocks; x++, out += 64) {
        const uint64_t found = row->found[x], negative = found & row->sign[x];
        for (int half = 0; half < 2; half++) {
            int16_t *to = out + 32 * half;
            __m256i v = _mm256_and_si256(spread(found, half), one);
            v = _mm256_or_si256(v, spread(negative, half));
            const __m256i low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(v));
            const __m256i high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(v, 1));
            store(to, _mm256_sign_epi16(plus, low));
            store(to + 16, _mm256_sign_epi16(plus, high));
        }
        out[0] = dc[x];
    }
}

INLINE uint32_t places_of(const struct pcri_pk_row *row, const uint8_t *in_part, uint32_t from,
                          uint32_t to, uint16_t *out)
{
    const uint8_t *found = (const uint8_t *) row->found;
    uint16_t *at = out;
    for (uint32_t k = from; k < to; k++) {
        const unsigned byte = row->named[k];
        const unsigned mask = found[byte] & (in_part ? in_part[byte % 8] : 255u);
        const __m128i numbers = _mm_loadl_epi64((const void *) &numbers_of[mask]);
        _mm_storeu_si128((void *) at, _mm_add_epi16(_mm_cvtepu8_epi16(numbers),
                                                    _mm_set1_epi16((short) (8 * byte))));
        at += _mm_popcnt_u32(mask);
    }
    return (uint32_t) (at - out);
}

TARGET static uint32_t places(const struct pcri_pk_row *row, uint64_t part, uint32_t from,
                              uint32_t to, uint16_t *out)
{
    if (!~part)
        return places_of(row, NULL, from, to, out);
    return places_of(row, (const uint8_t *) &part, from, to, out);
}

/* Of four blocks' counts the sums of each block, of all bytes and, 32 bits up, of two. */
INLINE __m256i sums(__m256i counts)
{
    const __m256i zero = _mm256_setzero_si256(), two = _mm256_set1_epi64x(0xFFFF);
    return _mm256_or_si256(
        _mm256_sad_epu8(counts, zero),
        _mm256_slli_epi64(_mm256_sad_epu8(_mm256_and_si256(counts, two), zero), 32));
}

/* Four blocks: their counts. */
INLINE __m256i settle_4(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                        size_t i)
{
    const __m256i known = _mm256_or_si256(load(row->known + i), load(row->found + i));
    const __m256i counts = byte_counts(known);
    store(row->known + i, known);
    store(row->bytes + i, counts);
    store(above->bytes + i, counts);
    return counts;
}

TARGET static void settle(const struct pcri_pk_row *row, const struct pcri_pk_above *above)
{
    const size_t n = row->blocks;
    /* bytes 0, 1, 4, 5 of each of a part's two blocks */
    const __m256i order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 8, 1, 9, 4, 12, 5, 13, -1, -1, -1, -1, -1, -1, -1, -1));
    memset(row->found + n, 0, 64);
    memset(row->known + n, 0, 64);
    for (size_t i = 0; i < n; i += 8) {
        const __m256i a = sums(settle_4(row, above, i));
        const __m256i b = sums(settle_4(row, above, i + 4));
        const __m256i v = _mm256_shuffle_epi8(_mm256_or_si256(a, _mm256_slli_epi64(b, 8)),
                                              order);
        const __m128i all = _mm_unpacklo_epi16(_mm256_castsi256_si128(v),
                                               _mm256_extracti128_si256(v, 1));
        const __m128i before = _mm_loadl_epi64((const void *) (row->count + i));
        _mm_storel_epi64((void *) (above->gain + i), _mm_sub_epi8(all, before));
        _mm_storel_epi64((void *) (row->count + i), all);
        _mm_storel_epi64((void *) (above->count + i), all);
        _mm_storel_epi64((void *) (row->low + i), _mm_unpackhi_epi64(all, all));
    }
}

/* --- AVX-512: eight blocks at a time --- */

#define AVX512_TARGET \
    __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi," \
                          "avx512vbmi2,avx512bitalg")))
#define AVX512_INLINE AVX512_TARGET static inline __attribute__((always_inline))

AVX512_INLINE __m512i load512(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* `factor` times how many of the thresholds each byte below 64 exceeds: a table for that. */
AVX512_INLINE __m512i quantised(const int8_t thresholds[6], int factor)
{
    uint8_t of[64];
    for (int v = 0; v < 64; v++) {
        int sum = 0;
        for (int i = 0; i < 6; i++)
            sum += v > thresholds[i];
        of[v] = (uint8_t) (factor * sum);
    }
    return load512(of);
}

AVX512_TARGET static void t_contexts_avx512(const struct pcri_pk_row *row,
                                            const struct pcri_pk_above *above,
                                            const struct pcri_pk_pass *pass, uint16_t *out)
{
    static const int8_t q7[6] = { 0, 1, 2, 4, 7, 12 }, q10[6] = { 0, 1, 3, 6, 11, 20 };
    const uint8_t *up = above->count, *side = pass->first ? up : row->count;
    const __m512i q7_4 = quantised(q7, 4), q10_7 = quantised(q10, 7),
                  q10_1 = quantised(q10, 1);
    const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi8(1);
    const __m512i low6 = _mm512_set1_epi8(63), factor = _mm512_set1_epi16(49);
    const __m512i begin = _mm512_set1_epi16((short) (pass->kind * PCRI_PK_T_CONTEXTS));
    for (size_t i = 0; i < row->blocks; i += 64) {
        const __m512i own = load512(row->count + i), low = load512(row->low + i);
        const __m512i high = _mm512_sub_epi8(own, low);
        __m512i near = _mm512_add_epi8(load512(side + i - 1), load512(side + i + 1));
        near = _mm512_and_si512(_mm512_srli_epi16(near, 1), low6);
        near = _mm512_add_epi8(near, load512(up + i));
        near = _mm512_and_si512(_mm512_srli_epi16(near, 1), low6);
        const __mmask64 any = _mm512_cmpgt_epi8_mask(high, zero);
        const __mmask64 more = any & _mm512_cmple_epi8_mask(low, _mm512_add_epi8(high, high));
        const __mmask64 most = any & _mm512_cmpge_epi8_mask(high, _mm512_add_epi8(low, low));
        __m512i a = _mm512_permutexvar_epi8(load512(above->gain + i), q7_4);
        a = _mm512_mask_add_epi8(a, any, a, one);
        a = _mm512_mask_add_epi8(a, more, a, one);
        a = _mm512_mask_add_epi8(a, most, a, one);
        const __m512i b = _mm512_add_epi8(_mm512_permutexvar_epi8(own, q10_7),
                                          _mm512_permutexvar_epi8(near, q10_1));
        for (int half = 0; half < 2; half++) {
            const __m512i wide = _mm512_cvtepu8_epi16(half ? _mm512_extracti64x4_epi64(a, 1)
                                                           : _mm512_castsi512_si256(a));
            const __m512i rest = _mm512_cvtepu8_epi16(half ? _mm512_extracti64x4_epi64(b, 1)
                                                           : _mm512_castsi512_si256(b));
            _mm512_storeu_si512(out + i + 32 * half,
                                _mm512_add_epi16(_mm512_mullo_epi16(wide, factor),
                                                 _mm512_add_epi16(rest, begin)));
        }
    }
}

/* The named bytes of blocks i to i + 7, as far as there are such. */
AVX512_INLINE uint64_t named_8(const uint8_t *t, size_t i, size_t blocks)
{
    const uint64_t named = pcri_load64(t + i);
    return blocks - i < 8 ? _bzhi_u64(named, 8 * (unsigned) (blocks - i)) : named;
}

/* What is multiplied by 64 in contexts of B, and the rest, for all bytes of eight blocks. */
AVX512_INLINE void b_parts_512(const struct pcri_pk_row *row, const uint64_t *up,
                               const uint64_t *side, const uint8_t *t, size_t i,
                               __m512i *high_out, __m512i *low_out)
{
    /* 4 times how many of 0, 2, 4, 8, 14, 20 a number exceeds, by its half, rounded up */
    static const uint8_t near4[64] = { 0,  4,  8,  12, 12, 16, 16, 16, 20,
                                       20, 20, 24, 24, 24, 24, 24, 24 };
    const __m128i more_of = _mm_setr_epi8(0, 0, 1, 2, 2, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0);
    const __m512i whole = _mm512_set_epi64(
        0x0707070707070707, 0x0606060606060606, 0x0505050505050505, 0x0404040404040404,
        0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
    const __m512i number = _mm512_set1_epi64(0x0706050403020100);
    const __m512i own = load512(row->bytes + i);
    const __m512i near = _mm512_add_epi8(
        load512(up + i), _mm512_avg_epu8(load512(side + i - 1), load512(side + i + 1)));
    const __m512i beside = _mm512_add_epi8(_mm512_slli_epi64(own, 8),
                                           _mm512_srli_epi64(own, 8));
    const __m512i twice = _mm512_add_epi8(own, own), x = _mm512_set1_epi8(28);
    __m512i high = _mm512_permutexvar_epi8(near, load512(near4));
    high = _mm512_mask_add_epi8(high, _mm512_cmpgt_epi8_mask(beside, twice), high, x);
    high = _mm512_mask_add_epi8(
        high, _mm512_cmpgt_epi8_mask(beside, _mm512_add_epi8(twice, _mm512_set1_epi8(2))),
        high, x);
    __m128i named = _mm_popcnt_epi8(_mm_loadl_epi64((const void *) (t + i)));
    named = _mm_shuffle_epi8(more_of, named);
    *high_out = _mm512_add_epi8(high,
                                _mm512_permutexvar_epi8(whole, _mm512_castsi128_si512(named)));
    *low_out = _mm512_or_si512(
        _mm512_slli_epi16(_mm512_and_si512(own, _mm512_set1_epi8(7)), 3), number);
}

/* Contexts of 32 bytes. */
AVX512_INLINE __m512i b_sum(__m256i high, __m256i low, __m512i begin)
{
    const __m512i h = _mm512_slli_epi16(_mm512_cvtepu8_epi16(high), 6);
    return _mm512_add_epi16(_mm512_add_epi16(h, begin), _mm512_cvtepu8_epi16(low));
}

AVX512_TARGET static size_t b_contexts_avx512(struct pcri_pk_row *row,
                                              const struct pcri_pk_above *above,
                                              const struct pcri_pk_pass *pass,
                                              const uint8_t *t, uint16_t *out)
{
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    const __m512i begin = _mm512_set1_epi16((short) (pass->kind * PCRI_PK_B_CONTEXTS));
    const size_t blocks = row->blocks;
    uint16_t *at = out;
    for (size_t i = 0; i < blocks; i += 8) {
        const uint64_t named = named_8(t, i, blocks);
        const unsigned n = (unsigned) _mm_popcnt_u64(named);
        if (!n)
            continue;
        __m512i high, low;
        b_parts_512(row, up, side, t, i, &high, &low);
        high = _mm512_maskz_compress_epi8(named, high);
        low = _mm512_maskz_compress_epi8(named, low);
        _mm512_storeu_si512(
            at, b_sum(_mm512_castsi512_si256(high), _mm512_castsi512_si256(low), begin));
        if (UNLIKELY(n > 32))
            _mm512_storeu_si512(at + 32, b_sum(_mm512_extracti64x4_epi64(high, 1),
                                               _mm512_extracti64x4_epi64(low, 1), begin));
        at += n;
    }
    return (size_t) (at - out);
}

AVX512_TARGET static uint32_t list_avx512(const uint8_t *v, size_t n, uint16_t *out)
{
    uint16_t first[32];
    uint32_t count = 0;
    for (unsigned k = 0; k < 32; k++)
        first[k] = (uint16_t) k;
    __m512i number = load512(first);
    for (size_t i = 0; i < n;
         i += 32, number = _mm512_add_epi16(number, _mm512_set1_epi16(32))) {
        const __m256i bytes = load(v + i);
        uint32_t some = _mm256_test_epi8_mask(bytes, bytes);
        some = n - i < 32 ? _bzhi_u32(some, (unsigned) (n - i)) : some;
        _mm512_storeu_si512(out + count, _mm512_maskz_compress_epi16(some, number));
        count += (unsigned) _mm_popcnt_u32(some);
    }
    return count;
}

/* Where most blocks gain something. */
AVX512_INLINE size_t place_most(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                                const uint8_t *b)
{
    const uint8_t *begin = b;
    const __m512i ones = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 3, 7, 15, 31, 63, 127, -1, 0, 0, 0, 0, 0, 0, 0));
    const __m512i in_band = _mm512_set1_epi64((long long) band);
    const size_t blocks = row->blocks;
    for (size_t i = 0; i < blocks; i += 8) {
        uint64_t v[8], free[8], low[8], *found = row->found + i;
        const uint64_t named = named_8(t, i, blocks);
        const __m512i f = _mm512_andnot_si512(load512(row->known + i), in_band);
        _mm512_storeu_si512(free, f);
        _mm512_storeu_si512(low, _mm512_shuffle_epi8(ones, _mm512_popcnt_epi8(f)));
        _mm512_storeu_si512(v, _mm512_maskz_expand_epi8(named, load512(b)));
        for (int k = 0; k < 8; k++)
            found[k] = _pdep_u64(_pext_u64(v[k], low[k]), free[k]);
        b += _mm_popcnt_u64(named);
    }
    return (size_t) (b - begin);
}

AVX512_TARGET static size_t place_avx512(const struct pcri_pk_row *row, uint64_t band,
                                         const uint8_t *t, const uint8_t *b)
{
    const uint8_t *begin = b;
    const __m128i ones = _mm_setr_epi8(0, 1, 3, 7, 15, 31, 63, 127, -1, 0, 0, 0, 0, 0, 0, 0);
    if (2 * row->listed > row->blocks)
        return place_most(row, band, t, b);
    memset(row->found, 0, row->blocks * sizeof(*row->found));
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const unsigned named = t[i];
        const uint64_t free = band & ~row->known[i];
        const __m128i counts = _mm_popcnt_epi8(_mm_cvtsi64_si128((long long) free));
        const uint64_t low = (uint64_t) _mm_cvtsi128_si64(_mm_shuffle_epi8(ones, counts));
        const __m128i v = _mm_maskz_expand_epi8((__mmask16) named,
                                                _mm_loadl_epi64((const void *) b));
        row->found[i] = _pdep_u64(_pext_u64((uint64_t) _mm_cvtsi128_si64(v), low), free);
        b += _mm_popcnt_u32(named);
    }
    return (size_t) (b - begin);
}

AVX512_TARGET static void settle_avx512(const struct pcri_pk_row *row,
                                        const struct pcri_pk_above *above)
{
    const size_t n = row->blocks;
    const __m512i zero = _mm512_setzero_si512(), first = _mm512_set1_epi64(0xFFFF);
    _mm512_storeu_si512(row->found + n, zero);
    _mm512_storeu_si512(row->known + n, zero);
    for (size_t i = 0; i < n; i += 8) {
        const __m512i known = _mm512_or_si512(load512(row->known + i),
                                              load512(row->found + i));
        const __m512i counts = _mm512_popcnt_epi8(known);
        _mm512_storeu_si512(row->known + i, known);
        _mm512_storeu_si512(row->bytes + i, counts);
        _mm512_storeu_si512(above->bytes + i, counts);
        const __m128i all = _mm512_cvtepi64_epi8(_mm512_sad_epu8(counts, zero));
        const __m128i low = _mm512_cvtepi64_epi8(
            _mm512_sad_epu8(_mm512_and_si512(counts, first), zero));
        const __m128i before = _mm_loadl_epi64((const void *) (row->count + i));
        _mm_storel_epi64((void *) (above->gain + i), _mm_sub_epi8(all, before));
        _mm_storel_epi64((void *) (row->count + i), all);
        _mm_storel_epi64((void *) (above->count + i), all);
        _mm_storel_epi64((void *) (row->low + i), low);
    }
}

/* Values are taken in words of 32 bits. */
AVX512_TARGET static void fresh_avx512(const uint8_t *data, uint64_t bit, size_t n, int weight,
                                       int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    const __m512i plus = _mm512_set1_epi16((short) weight);
    const __m512i minus = _mm512_set1_epi16((short) -weight);
    for (size_t i = 0; i < n; i += 32, p += 4) {
        const __mmask32 set = (__mmask32) (pcri_load64(p) >> bit % 8);
        _mm512_storeu_si512(values + i, _mm512_mask_mov_epi16(plus, set, minus));
    }
}

AVX512_TARGET static void blank_avx512(const struct pcri_pk_row *row, const int16_t *dc,
                                       int16_t *out)
{
    const __m512i zero = _mm512_setzero_si512();
    for (size_t x = 0; x < row->blocks; x++, out += 64) {
        _mm512_storeu_si512(out, _mm512_zextsi128_si512(_mm_cvtsi32_si128((uint16_t) dc[x])));
        _mm512_storeu_si512(out + 32, zero);
    }
}

AVX512_TARGET static void fill_avx512(const struct pcri_pk_row *row, const int16_t *dc,
                                      int weight, int16_t *out)
{
    const __m512i plus = _mm512_set1_epi16((short) weight);
    const __m512i minus = _mm512_set1_epi16((short) -weight);
    for (size_t x = 0; x < row->blocks; x++, out += 64) {
        const uint64_t found = row->found[x], sign = found & row->sign[x];
        const __m512i low = _mm512_maskz_mov_epi16((__mmask32) found, plus);
        const __m512i high = _mm512_maskz_mov_epi16((__mmask32) (found >> 32), plus);
        _mm512_storeu_si512(out, _mm512_mask_mov_epi16(low, (__mmask32) sign, minus));
        _mm512_storeu_si512(out + 32,
                            _mm512_mask_mov_epi16(high, (__mmask32) (sign >> 32), minus));
        out[0] = dc[x];
    }
}

AVX512_TARGET static void signs_avx512(const uint8_t *data, uint64_t bit, size_t n,
                                       int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    for (size_t i = 0; i < n; i += 32, p += 4) {
        const __mmask32 set = (__mmask32) (pcri_load64(p) >> bit % 8);
        const __m512i v = load512(values + i);
        _mm512_storeu_si512(values + i,
                            _mm512_mask_sub_epi16(v, set, _mm512_setzero_si512(), v));
    }
}

AVX512_TARGET static void refine_avx512(const uint8_t *data, uint64_t bit, size_t n,
                                        int weight, int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    const __m512i more = _mm512_set1_epi16((short) weight);
    for (size_t i = 0; i < n; i += 32, p += 4) {
        const __mmask32 set = (__mmask32) (pcri_load64(p) >> bit % 8);
        __m512i v = load512(values + i);
        const __mmask32 negative = _mm512_movepi16_mask(v);
        v = _mm512_mask_add_epi16(v, set & ~negative, v, more);
        _mm512_storeu_si512(values + i, _mm512_mask_sub_epi16(v, set & negative, v, more));
    }
}

AVX512_TARGET static uint32_t places_avx512(const struct pcri_pk_row *row, uint64_t part,
                                            uint32_t from, uint32_t to, uint16_t *out)
{
    uint16_t *at = out;
    uint8_t numbers[64];
    for (unsigned k = 0; k < 64; k++)
        numbers[k] = (uint8_t) k;
    const __m512i number = load512(numbers);
    for (uint32_t j = from; j < to; j++) {
        const uint32_t i = row->list[j];
        const uint64_t mask = row->found[i] & part;
        const unsigned count = (unsigned) _mm_popcnt_u64(mask);
        const __m512i begin = _mm512_set1_epi16((short) (64 * i));
        const __m512i k = _mm512_maskz_compress_epi8(mask, number);
        _mm512_storeu_si512(
            at, _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(k)), begin));
        if (UNLIKELY(count > 32))
            _mm512_storeu_si512(
                at + 32, _mm512_add_epi16(
                             _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(k, 1)), begin));
        at += count;
    }
    return (uint32_t) (at - out);
}

/* --- the encoder's --- */

/* Bit p of 32 numbers, of which a has 0 to 7 and 16 to 23, b the others. */
INLINE uint32_t plane_of(__m256i a, __m256i b, int p)
{
    const __m128i up = _mm_cvtsi32_si128(15 - p);
    return (uint32_t) _mm256_movemask_epi8(
        _mm256_packs_epi16(_mm256_sll_epi16(a, up), _mm256_sll_epi16(b, up)));
}

INLINE unsigned or_all(__m256i v)
{
    __m128i w = _mm_or_si128(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    w = _mm_or_si128(w, _mm_unpackhi_epi64(w, w));
    uint64_t x = (uint64_t) _mm_cvtsi128_si64(w);
    x |= x >> 32;
    return (unsigned) (x | x >> 16) & 0xFFFF;
}

TARGET static void slice(struct pcri_pk_row *row, const int16_t *coef)
{
    for (size_t i = 0; i < row->blocks; i++, coef += 64) {
        __m256i v[4], a[4];
        for (int h = 0; h < 4; h += 2) {
            __m256i x = load(coef + 16 * h), y = load(coef + 16 * h + 16);
            v[h] = _mm256_permute2x128_si256(x, y, 0x20);
            v[h + 1] = _mm256_permute2x128_si256(x, y, 0x31);
            if (!h) /* not DC */
                v[0] = _mm256_and_si256(v[0],
                                        _mm256_setr_epi16(0, -1, -1, -1, -1, -1, -1, -1, -1,
                                                          -1, -1, -1, -1, -1, -1, -1));
            a[h] = _mm256_abs_epi16(v[h]);
            a[h + 1] = _mm256_abs_epi16(v[h + 1]);
        }
        unsigned all = or_all(
            _mm256_or_si256(_mm256_or_si256(a[0], a[1]), _mm256_or_si256(a[2], a[3])));
        row->planes |= all;
        for (int p = 0; p < PCRI_PK_PLANES && all >> p; p++)
            row->plane[p][i] = plane_of(a[0], a[1], p) | (uint64_t) plane_of(a[2], a[3], p)
                                                             << 32;
    }
}

TARGET static bool read_symbols(struct pcri_tans_reader *r, const pcri_tans_entry *entries,
                                const uint8_t *map, uint16_t *contexts, size_t n,
                                uint8_t escape, uint8_t *out)
{
    return pcri_tans_read_some(r, entries, map, contexts, n, escape, out);
}

#define ROWS(name, place, sign, fill, name_bytes) \
    { \
        name, true, dc_contexts, dc_values, t_contexts, b_contexts, list, place, places, \
            fresh, signs, refine, settle, blank, sign, fill, slice, name_bytes, read_symbols, \
    }

const struct pcri_pk_kernels pcri_pk_avx2 = ROWS("AVX2", place, sign, fill, name_bytes);
const struct pcri_pk_kernels pcri_pk_avx2_shuffle = ROWS(
    "AVX2 without bit deposit", pcri_pk_avx2_place, NULL, NULL, pcri_pk_avx2_name_bytes);
const struct pcri_pk_kernels pcri_pk_avx512 = {
    "AVX-512",         false,         dc_contexts,   dc_values,     t_contexts_avx512,
    b_contexts_avx512, list_avx512,   place_avx512,  places_avx512, fresh_avx512,
    signs_avx512,      refine_avx512, settle_avx512, blank_avx512,  sign,
    fill_avx512,       slice,         name_bytes,    read_symbols,
};
#endif
