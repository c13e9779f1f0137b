/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows for x86-64 with SSSE3 and POPCNT: without AVX2. */
#include "rows.h"

#ifdef PCRI_PK_HAVE_X86
#define TARGET __attribute__((target("ssse3,popcnt")))
#include "rows_x86.h"
#include "rows_128.h"

/* As pcri_tans_symbols(). */
INLINE bool symbols(uint16_t *contexts, size_t n, uint8_t escape, uint8_t *out)
{
    const __m128i escapes = _mm_set1_epi8((char) escape);
    uint32_t any = 0;
    for (size_t i = 0; i < n; i += 32) {
        uint32_t marks = 0;
        for (int k = 0; k < 32; k += 16) {
            const __m128i a = _mm_srli_epi16(VEC(load(contexts + i + k)), 8);
            const __m128i b = _mm_srli_epi16(VEC(load(contexts + i + k + 8)), 8);
            const __m128i v = _mm_packus_epi16(a, b);
            marks |= (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(v, escapes)) << k;
            store(out + i + k, (vec) v);
        }
        memcpy(contexts + i, &marks, sizeof(marks));
        any |= marks;
    }
    return any;
}

#define PCRI_TANS_SYMBOLS symbols
#define PCRI_TANS_INLINE INLINE
#include "tans_read.h"

TARGET static bool read_symbols(struct pcri_tans_reader *r, const pcri_tans_entry *entries,
                                const uint8_t *map, uint16_t *contexts, size_t n,
                                uint8_t escape, uint8_t *out)
{
    return pcri_tans_read_some(r, entries, map, contexts, n, escape, out);
}

const struct pcri_pk_kernels pcri_pk_ssse3 = ROWS_128("SSSE3", read_symbols);
#endif
