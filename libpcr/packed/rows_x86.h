/* SPDX-License-Identifier: BSD-2-Clause */
/* What rows_128.h and rows_deposit.h want of SSSE3. */
#ifndef PCRI_PK_ROWS_X86_H
#define PCRI_PK_ROWS_X86_H

#include <immintrin.h>

#define X86(name, ...) ((vec) _mm_##name(__VA_ARGS__))
#define VEC(v) ((__m128i) (v))
#define SHUFFLE(v, i) X86(shuffle_epi8, VEC(v), VEC(i))
#define SUM_BYTES(v) X86(sad_epu8, VEC(v), _mm_setzero_si128())
#define MIN8(a, b) X86(min_epu8, VEC(a), VEC(b))
#define HALF8(v) X86(avg_epu8, VEC(v), _mm_setzero_si128())
#define ADDS_U16(a, b) X86(adds_epu16, VEC(a), VEC(b))
#define SUBS_U16(a, b) X86(subs_epu16, VEC(a), VEC(b))
#define SUBS_S16(a, b) X86(subs_epi16, VEC(a), VEC(b))
#define LOWER8(a, b) \
    X86(packus_epi16, _mm_and_si128(VEC(a), _mm_set1_epi16(255)), \
        _mm_and_si128(VEC(b), _mm_set1_epi16(255)))
#define LOW8(a, b) X86(unpacklo_epi8, VEC(a), VEC(b))
#define HIGH8(a, b) X86(unpackhi_epi8, VEC(a), VEC(b))
typedef __m128i dc_vec;
#define DC_ADD _mm_adds_epi16
#define DC_MAX _mm_max_epi16
#define DC_MIN _mm_min_epi16

#endif
