/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of DC, for rows_avx2.c. */
/* Two numbers' bit lengths, at most 9, in the bytes of each of 16. */
INLINE __m256i two_lengths(__m256i a, __m256i b)
{
    const __m128i of_low = _mm_setr_epi8(0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4);
    const __m128i of_high = _mm_setr_epi8(0, 5, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8);
    const __m256i most = _mm256_set1_epi16(255), one = _mm256_set1_epi16(1);
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i more_a = _mm256_min_epu16(_mm256_subs_epu16(a, most), one);
    const __m256i more_b = _mm256_min_epu16(_mm256_subs_epu16(b, most), one);
    const __m256i v = _mm256_or_si256(_mm256_min_epu16(a, most),
                                      _mm256_slli_epi16(_mm256_min_epu16(b, most), 8));
    const __m256i length = _mm256_max_epu8(
        look_up(of_low, _mm256_and_si256(v, low)),
        look_up(of_high, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
    return _mm256_add_epi8(length, _mm256_or_si256(more_a, _mm256_slli_epi16(more_b, 8)));
}

/* pcri_pk_dc_contexts(), with sums that saturate. */
TARGET static void dc_contexts(const struct pcri_pk_dc *up, unsigned class, size_t n,
                               uint16_t *out)
{
    const int16_t *value = up->value;
    const uint16_t *residual = up->residual;
    const __m256i begin = _mm256_set1_epi16((short) (class * PCRI_PK_DC_CONTEXTS));
    const __m256i factors = _mm256_set1_epi16(10 | 1 << 8);
    for (size_t x = 0; x < n; x += 16) {
        const __m256i v = load(value + x);
        const __m256i left = _mm256_subs_epi16(v, load(value + x - 1));
        const __m256i right = _mm256_subs_epi16(v, load(value + x + 1));
        const __m256i lengths = two_lengths(
            _mm256_adds_epu16(load(residual + x), load(residual + x + 1)),
            _mm256_adds_epu16(_mm256_abs_epi16(left), _mm256_abs_epi16(right)));
        store(out + x, _mm256_add_epi16(begin, _mm256_maddubs_epi16(lengths, factors)));
    }
}

/* dc_take() of rows_dc.h, eight at a time: they have at most 96 bits. */
#define DC_HAVE_TAKE 1
INLINE void dc_take(struct pcri_pk_bits *bits, const uint8_t *lengths, size_t n, int16_t *out,
                    int16_t *tops)
{
    const __m256i first = _mm256_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12,
                                           0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
    const __m256i seven = _mm256_set1_epi32(7), one = _mm256_set1_epi32(1);
    uint64_t bit = bits->bit;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t l = pcri_load64(lengths + i);
        l = n - i < 8 ? _bzhi_u64(l, 8 * (unsigned) (n - i)) : l;
        const uint64_t ends = l * UINT64_C(0x0101010101010101);
        __m256i at = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long) (ends << 8)));
        at = _mm256_add_epi32(at, _mm256_set1_epi32((int) (bit & 7)));
        /* Of each the four bytes from where it begins. */
        __m256i from = _mm256_shuffle_epi8(_mm256_srli_epi32(at, 3), first);
        from = _mm256_add_epi8(from, _mm256_set1_epi32(0x03020100));
        const __m128i window = _mm_loadu_si128((const void *) (bits->data + (bit >> 3)));
        __m256i v = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(window), from);
        v = _mm256_srlv_epi32(v, _mm256_and_si256(at, seven));
        const __m256i top = _mm256_sllv_epi32(
            one, _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long) l)));
        v = _mm256_and_si256(v, _mm256_sub_epi32(top, one));
        v = _mm256_packus_epi32(v, _mm256_srli_epi32(top, 1));
        v = _mm256_permute4x64_epi64(v, 0xD8);
        _mm_storeu_si128((void *) (out + i), _mm256_castsi256_si128(v));
        _mm_storeu_si128((void *) (tops + i), _mm256_extracti128_si256(v, 1));
        bit += ends >> 56;
    }
    bits->bit = bit;
}

typedef __m128i dc_vec;
#define DC_ADD _mm_adds_epi16
#define DC_MAX _mm_max_epi16
#define DC_MIN _mm_min_epi16
#include "rows_dc.h"

TARGET static void dc_values(const struct pcri_pk_dc *up, const uint8_t *lengths, size_t n,
                             struct pcri_pk_bits *bits, int16_t *now)
{
    read_dc_values(up, lengths, n, bits, now);
}
