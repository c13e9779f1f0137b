/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of a resize for x86-64 with AVX-512 (BW, VBMI, VNNI). Across, sixteen bytes of an
 * output row are made at once. Their inputs lie within 64 numbers of the input row, unless it
 * shrinks to less than about a third, and a permutation puts the numbers of two neighbouring
 * input pixels next to each other for each of them. Which ones, and with what weights, is the
 * same for all rows, and listed once. */
#include "resize_rows.h"

#ifdef PCRI_HAVE_RESIZE_AVX512
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni,bmi2")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum {
    BYTE_SHIFT = PCRI_WEIGHT_BITS + PCRI_FRACTION_BITS,
    LANES = 16, /* output bytes at a time */
    REACH = 64, /* numbers of the input row that they may read */
};

/* --- down --- */

/* Two neighbouring weights in each 32 bits. */
INLINE __m512i load_weights(const int16_t *w)
{
    int32_t both;
    memcpy(&both, w, sizeof(both));
    return _mm512_set1_epi32(both);
}

INLINE __m512i load_32_bytes(const uint8_t *p)
{
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *) (const void *) p));
}

INLINE void blend_32(const uint8_t *src, size_t stride, const int16_t *weights, uint32_t count,
                     uint16_t *out)
{
    enum { SHIFT = PCRI_WEIGHT_BITS - PCRI_FRACTION_BITS };
    __m512i low = _mm512_set1_epi32(1 << (SHIFT - 1)), high = low;
    for (uint32_t k = 0; k < count; k += 2) {
        __m512i a = load_32_bytes(src + k * stride), b = _mm512_setzero_si512();
        if (k + 1 < count)
            b = load_32_bytes(src + (k + 1) * stride);
        __m512i w = load_weights(weights + k);
        low = _mm512_dpwssd_epi32(low, _mm512_unpacklo_epi16(a, b), w);
        high = _mm512_dpwssd_epi32(high, _mm512_unpackhi_epi16(a, b), w);
    }
    low = _mm512_packs_epi32(_mm512_srai_epi32(low, SHIFT), _mm512_srai_epi32(high, SHIFT));
    _mm512_storeu_si512(out, low);
}

TARGET static void blend(const uint8_t *src, size_t stride, const int16_t *weights,
                         uint32_t count, uint16_t *out, size_t n)
{
    size_t i = 0;
    if (n < 32) {
        pcri_resize_rows_avx2.blend(src, stride, weights, count, out, n);
        return;
    }
    for (; i + 32 <= n; i += 32)
        blend_32(src + i, stride, weights, count, out + i);
    if (i < n) /* the last ones, some of them a second time */
        blend_32(src + n - 32, stride, weights, count, out + n - 32);
}

static void blend_wide(const uint16_t *src, size_t stride, const int16_t *weights,
                       uint32_t count, uint8_t *out, size_t n)
{
    pcri_resize_rows_avx2.blend_wide(src, stride, weights, count, out, n);
}

/* --- across --- */

/* Two taps of sixteen bytes. */
struct pair {
    uint16_t places[2 * LANES]; /* of numbers, from the group's first on */
    int16_t weights[2 * LANES];
};

/* A table is a group for each sixteen bytes: `firsts`, then each one's pairs; and room for a
 * row of packed pixels. */
struct layout {
    size_t group_count, pair_count, pairs_off, row_off, nbytes;
};

static struct layout lay_out(const struct pcri_shrink *s)
{
    struct layout l = { .group_count = ((size_t) s->width * s->channels + LANES - 1) / LANES,
                        .pair_count = s->filter->most / 2 };
    l.pairs_off = (l.group_count * sizeof(uint32_t) + 63) & ~(size_t) 63;
    l.row_off = l.pairs_off + l.group_count * l.pair_count * sizeof(struct pair);
    l.nbytes = l.row_off + l.group_count * LANES + 3 * 64;
    return l;
}

static size_t table_nbytes(const struct pcri_shrink *s)
{
    bool near = (uint64_t) s->channels * (s->filter->most - 1) < REACH;
    return near ? lay_out(s).nbytes : 0;
}

/* The place of the first number that output byte i reads. */
static uint32_t place_of(const struct pcri_shrink *s, size_t i,
                         const struct pcri_tap **tap_out)
{
    const struct pcri_filter *f = s->filter;
    size_t x = i / s->channels;
    *tap_out = &f->taps[s->flip ? s->width - 1 - x : x];
    return ((*tap_out)->begin - f->begin) * s->channels + (uint32_t) (i % s->channels);
}

/* The group's pairs, and where its numbers begin. False if they reach too far. */
static bool make_group(const struct pcri_shrink *s, size_t begin, size_t pair_count,
                       uint32_t *first_out, struct pair *pairs)
{
    const uint32_t channels = s->channels;
    size_t end = begin + LANES, all = (size_t) s->width * channels;
    const struct pcri_tap *t;
    end = end < all ? end : all;
    /* Places rise with the bytes, or fall if the row is turned. */
    uint32_t a = place_of(s, begin, &t), b = place_of(s, end - 1, &t);
    uint32_t first = (a < b ? a : b) / channels * channels;
    for (size_t i = begin; i < end; i++) {
        uint32_t place = place_of(s, i, &t) - first;
        if (place + channels * (2 * (uint32_t) pair_count - 1) >= REACH)
            return false;
        for (size_t p = 0; p < pair_count; p++, place += 2 * channels) {
            size_t lane = 2 * (i - begin);
            pairs[p].places[lane] = (uint16_t) place;
            pairs[p].places[lane + 1] = (uint16_t) (place + channels);
            memcpy(pairs[p].weights + lane, s->filter->weights + t->first + 2 * p, 4);
        }
    }
    *first_out = first;
    return true;
}

static void make_table(struct pcri_shrink *s, void *memory)
{
    const struct layout l = lay_out(s);
    uint32_t *firsts = memory;
    struct pair *pairs = (struct pair *) (void *) ((uint8_t *) memory + l.pairs_off);
    size_t last = l.group_count - 1;
    s->table = NULL;
    memset(pairs + last * l.pair_count, 0, l.pair_count * sizeof(*pairs)); /* unused lanes */
    for (size_t g = 0; g < l.group_count; g++)
        if (!make_group(s, g * LANES, l.pair_count, &firsts[g], pairs + g * l.pair_count))
            return;
    s->table = memory;
}

INLINE __m128i sum_group(const uint16_t *src, const struct pair *pairs, size_t count)
{
    __m512i a = _mm512_loadu_si512(src), b = _mm512_loadu_si512(src + 32);
    __m512i sum = _mm512_set1_epi32(1 << (BYTE_SHIFT - 1));
    for (size_t p = 0; p < count; p++) {
        __m512i places = _mm512_loadu_si512(pairs[p].places);
        sum = _mm512_dpwssd_epi32(sum, _mm512_permutex2var_epi16(a, places, b),
                                  _mm512_loadu_si512(pairs[p].weights));
    }
    sum = _mm512_max_epi32(_mm512_srai_epi32(sum, BYTE_SHIFT), _mm512_setzero_si512());
    return _mm512_cvtusepi32_epi8(sum);
}

/* A row of n packed bytes. */
INLINE void shrink_row(const struct pcri_shrink *s, const struct layout *l, size_t pair_count,
                       const uint16_t *src, uint8_t *out, size_t n)
{
    const uint32_t *firsts = s->table;
    const struct pair *pairs =
        (const struct pair *) (const void *) ((const uint8_t *) s->table + l->pairs_off);
    size_t g = 0;
    for (; (g + 1) * LANES <= n; g++)
        _mm_storeu_si128((__m128i *) (void *) (out + g * LANES),
                         sum_group(src + firsts[g], pairs + g * pair_count, pair_count));
    if (g * LANES < n)
        _mm_mask_storeu_epi8(out + g * LANES, (__mmask16) _bzhi_u32(65535, n % LANES),
                             sum_group(src + firsts[g], pairs + g * pair_count, pair_count));
}

/* Byte i of channel c is at 3 i + c of the row. */
INLINE __m512i take_channel(const uint8_t *row, unsigned c)
{
    const __m512i counting = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42,
        41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
        19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i places = _mm512_add_epi8(counting, _mm512_add_epi8(counting, counting));
    places = _mm512_add_epi8(places, _mm512_set1_epi8((char) c));
    __m512i v = _mm512_permutex2var_epi8(_mm512_loadu_si512(row), places,
                                         _mm512_loadu_si512(row + 64));
    return _mm512_mask_permutexvar_epi8(v, _mm512_movepi8_mask(places), places,
                                        _mm512_loadu_si512(row + 128));
}

TARGET static void store_planes(const uint8_t *row, uint32_t width, uint8_t *out,
                                size_t plane_nbytes)
{
    for (uint32_t x = 0; x < width; x += 64) {
        uint32_t left = width - x;
        __mmask64 mask = _bzhi_u64(~UINT64_C(0), left < 64 ? left : 64);
        for (unsigned c = 0; c < 3; c++)
            _mm512_mask_storeu_epi8(out + c * plane_nbytes + x, mask,
                                    take_channel(row + 3 * (size_t) x, c));
    }
}

TARGET static void shrink_table(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out,
                                size_t plane_nbytes)
{
    const struct layout l = lay_out(s);
    uint8_t *to = plane_nbytes ? (uint8_t *) s->table + l.row_off : out;
    size_t n = (size_t) s->width * s->channels;
    if (l.pair_count == 1)
        shrink_row(s, &l, 1, src, to, n);
    else if (l.pair_count == 2)
        shrink_row(s, &l, 2, src, to, n);
    else
        shrink_row(s, &l, l.pair_count, src, to, n);
    if (plane_nbytes)
        store_planes(to, s->width, out, plane_nbytes);
}

static void shrink_rgb(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out,
                       size_t plane_nbytes)
{
    pcri_resize_rows_avx2.shrink_rgb(s, src, out, plane_nbytes);
}

static void shrink_rgb_wide(const struct pcri_shrink *s, const uint16_t *src, uint16_t *out,
                            size_t plane)
{
    pcri_resize_rows_avx2.shrink_rgb_wide(s, src, out, plane);
}

const struct pcri_resize_rows pcri_resize_rows_avx512 = {
    .name = "avx512",
    .blend = blend,
    .blend_wide = blend_wide,
    .table_nbytes = table_nbytes,
    .make_table = make_table,
    .shrink_table = shrink_table,
    .shrink_rgb = shrink_rgb,
    .shrink_rgb_wide = shrink_rgb_wide,
};
#else
typedef int pcri_no_resize_avx512; /* ISO C wants something in each file */
#endif
