/* SPDX-License-Identifier: BSD-2-Clause */
/* The vector operations of idct_body.h and color_body.h on x86, by the names that they have in all
 * sizes of vectors. Who includes it defines these for its size, here of 256 bits:
 *
 *     #define SIMD(name) _mm256_##name
 *     #define SIMD_WHOLE(name) _mm256_##name##_si256
 *     #define SIMD_FLOATS _mm256_castsi256_ps */
#ifndef PCRI_SIMD_X86_H
#define PCRI_SIMD_X86_H

#define SET16 SIMD(set1_epi16)
#define SET32 SIMD(set1_epi32)
#define PAIR(a, b) SET32((int) ((uint32_t) (uint16_t) (b) << 16 | (uint16_t) (a)))
#define ADD16 SIMD(add_epi16)
#define SUB16 SIMD(sub_epi16)
#define ADD32 SIMD(add_epi32)
#define SUB32 SIMD(sub_epi32)
#define ADDS16 SIMD(adds_epi16)
#define SLL16 SIMD(slli_epi16)
#define SRL16 SIMD(srli_epi16)
#define SRA16 SIMD(srai_epi16)
#define SRA32 SIMD(srai_epi32)
#define MADD SIMD(madd_epi16)
#ifndef ADD_PAIRS /* CPUs with dot products have it as one */
#define ADD_PAIRS(sum, a, b) ADD32(MADD(a, b), sum)
#endif
#define MULHRS SIMD(mulhrs_epi16)
#define PACK32 SIMD(packs_epi32)
#define PACK16 SIMD(packs_epi16)
#define PACK_BYTES SIMD(packus_epi16)
#define LOW8 SIMD(unpacklo_epi8)
#define HIGH8 SIMD(unpackhi_epi8)
#define LOW16 SIMD(unpacklo_epi16)
#define HIGH16 SIMD(unpackhi_epi16)
#define LOW32 SIMD(unpacklo_epi32)
#define HIGH32 SIMD(unpackhi_epi32)
#define LOW64 SIMD(unpacklo_epi64)
#define HIGH64 SIMD(unpackhi_epi64)
#define AND SIMD_WHOLE(and)
#define OR SIMD_WHOLE(or)
#define EVEN_BYTES(v) AND(v, SET16(255)) /* as 16 bits */
#define ODD_BYTES(v) SRL16(v, 8)
#define IN_TURN(even, odd) OR(even, SLL16(odd, 8)) /* the other way round */
#define RAISE_FIRST(p) SIMD(slli_epi32)(p, 16)
#define RAISE_SECOND(p) AND(p, SET32(-65536))
#define SHUFFLE32(a, b, how) \
    SIMD_WHOLE(castps)(SIMD(shuffle_ps)(SIMD_FLOATS(a), SIMD_FLOATS(b), how))
#define REVERSE32(v) SIMD(shuffle_epi32)(v, 0x1B)
#define EVEN32(a, b) SHUFFLE32(a, b, 0x88)
#define ODD32(a, b) SHUFFLE32(a, b, 0xDD)

#endif
