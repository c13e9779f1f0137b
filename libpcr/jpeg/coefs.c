/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients out of libjpeg. */
#include <stdlib.h>

#include "coefs.h"
#include "turbo.h"

#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_VECTORS 1
#endif

const uint8_t pcri_zigzag_order[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

uint64_t pcri_coefs_nbytes(const struct pcri_jpeg_file *f, uint32_t levels)
{
    return pcri_block_count(f) * (128 + 8 * levels);
}

/* --- memory: all planes in one run, reused from image to image --- */

int pcri_coefs_reserve(struct pcri_coefs *c, const struct pcri_jpeg_file *f, uint32_t levels,
                       struct pcr_error *err)
{
    size_t total = 0, sizes[4] = { 0 };
    c->component_count = f->component_count;
    c->level_count = levels;
    for (uint32_t i = 0; i < f->component_count; i++) {
        struct pcri_plane *p = &c->planes[i];
        size_t blocks;
        p->blocks_x = pcri_blocks_x(f, i);
        p->blocks_y = pcri_blocks_y(f, i);
        if (!pcri_mul(p->blocks_x, p->blocks_y, &blocks) ||
            !pcri_mul(blocks, 128 + 8 * (size_t) levels, &sizes[i]) ||
            !pcri_add(sizes[i], 64, &sizes[i]) || !pcri_add(total, sizes[i], &total))
            return pcri_fail_nomem(err, SIZE_MAX);
    }
    if (total > c->capacity) {
        free(c->memory);
        c->capacity = 0;
        c->memory = aligned_alloc(64, (total + 63) & ~(size_t) 63);
        if (!c->memory)
            return pcri_fail_nomem(err, total);
        c->capacity = total;
    }
    uint8_t *at = c->memory;
    for (uint32_t i = 0; i < f->component_count; i++) {
        struct pcri_plane *p = &c->planes[i];
        p->coef = (int16_t *) (void *) at;
        p->mask = (uint64_t *) (void *) (at + 128 * (size_t) p->blocks_x * p->blocks_y);
        at += sizes[i] & ~(size_t) 63;
    }
    return 0;
}

void pcri_coefs_free(struct pcri_coefs *c)
{
    const bool keep_padding = c->keep_padding;
    free(c->memory);
    pcri_padding_free(&c->padding);
    *c = (struct pcri_coefs) { .keep_padding = keep_padding };
}

void pcri_coefs_view(const struct pcri_coefs *c, struct pcri_blocks planes[4])
{
    for (uint32_t i = 0; i < c->component_count; i++) {
        const struct pcri_plane *p = &c->planes[i];
        planes[i] = (struct pcri_blocks) { .blocks_x = p->blocks_x,
                                           .blocks_y = p->blocks_y,
                                           .row_end = p->blocks_y,
                                           .coef = p->coef,
                                           .mask = p->mask,
                                           .has_ac = true };
    }
}

/* --- one libjpeg decompressor --- */

struct coef_reader {
    struct pcri_turbo turbo;
    struct jpeg_decompress_struct cinfo;
    jvirt_barray_ptr *arrays;
    JBLOCKARRAY row; /* the row that row_of() gave last */
};

/* NULL, with r->turbo.code set, where libjpeg fails. */
static jvirt_barray_ptr *read_arrays(struct coef_reader *r, const struct pcri_jpeg_file *f,
                                     struct pcr_error *err)
{
    const uint8_t *data = f->data;
    size_t nbytes = f->nbytes;
    r->cinfo.err = pcri_turbo_errors(&r->turbo, data, nbytes, err);
    r->turbo.salvage = f->salvaged;
    if (setjmp(r->turbo.jump))
        return NULL;
    jpeg_create_decompress(&r->cinfo);
    jpeg_mem_src(&r->cinfo, data, nbytes);
    jpeg_read_header(&r->cinfo, TRUE);
    r->arrays = jpeg_read_coefficients(&r->cinfo);
    return r->arrays;
}

/* Block row y of component i; NULL where libjpeg fails. */
static JBLOCKROW row_of(struct coef_reader *r, int i, uint32_t y)
{
    if (setjmp(r->turbo.jump))
        return NULL;
    r->row = r->cinfo.mem->access_virt_barray((j_common_ptr) &r->cinfo, r->arrays[i], y, 1,
                                              FALSE);
    return r->row[0];
}

/* --- reading --- */

/* Makes the masks of a block whose coefficients are in zigzag order. Returns the OR of all
 * magnitudes but DC's. */
typedef unsigned index_fn(const int16_t *coef, uint64_t *mask, size_t stride, uint32_t levels);

static unsigned index_portable(const int16_t *coef, uint64_t *mask, size_t stride,
                               uint32_t levels)
{
    uint64_t planes[16] = { 0 }, above = 0; /* coefficients by their highest bits */
    unsigned all = 0;
    for (int k = 0; k < 64; k++) {
        unsigned m = (unsigned) abs(coef[k]);
        if (m) {
            all |= k ? m : 0;
            planes[31 - __builtin_clz(m)] |= UINT64_C(1) << k;
        }
    }
    for (int level = 15; level >= 0; level--) {
        above |= planes[level];
        if ((uint32_t) level < levels)
            mask[(size_t) level * stride] = above;
    }
    return all;
}

#ifdef HAVE_VECTORS
/* Bit k: whether number k of these is above `least`. */
__attribute__((target("avx2"))) static uint64_t above_avx2(const __m256i m[4], int least)
{
    const __m256i l = _mm256_set1_epi16((int16_t) least);
    uint64_t bits[2];
    for (int i = 0; i < 2; i++) {
        __m256i bytes = _mm256_packs_epi16(_mm256_cmpgt_epi16(m[2 * i], l),
                                           _mm256_cmpgt_epi16(m[2 * i + 1], l));
        bytes = _mm256_permute4x64_epi64(bytes, 0xD8);
        bits[i] = (uint32_t) _mm256_movemask_epi8(bytes);
    }
    return bits[0] | bits[1] << 32;
}

/* As a coefficient of -32768 is too large in any case, its mask does not matter. */
__attribute__((target("avx2"))) static unsigned index_avx2(const int16_t *coef, uint64_t *mask,
                                                           size_t stride, uint32_t levels)
{
    __m256i m[4], any;
    for (int i = 0; i < 4; i++)
        m[i] = _mm256_abs_epi16(_mm256_loadu_si256((const __m256i *) (coef + 16 * i)));
    const unsigned dc = (unsigned) abs(coef[0]);
    any = _mm256_or_si256(_mm256_or_si256(_mm256_insert_epi16(m[0], 0, 0), m[1]),
                          _mm256_or_si256(m[2], m[3]));
    __m128i half = _mm_or_si128(_mm256_castsi256_si128(any), _mm256_extracti128_si256(any, 1));
    half = _mm_or_si128(half, _mm_srli_si128(half, 8));
    half = _mm_or_si128(half, _mm_srli_si128(half, 4));
    half = _mm_or_si128(half, _mm_srli_si128(half, 2));
    const unsigned all = (unsigned) _mm_cvtsi128_si32(half) & 0xFFFF;
    const unsigned most = all | dc;
    for (uint32_t level = 0; level < levels; level++)
        mask[level * stride] = most >> level ? above_avx2(m, (1 << level) - 1) : 0;
    return all;
}
#endif

static index_fn *choose_index(void)
{
#ifdef HAVE_VECTORS
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return index_avx2;
#endif
    return index_portable;
}

void pcri_coefs_index(struct pcri_coefs *c, uint32_t levels)
{
    index_fn *const index = choose_index();
    for (uint32_t i = 0; i < c->component_count; i++) {
        const struct pcri_plane *p = &c->planes[i];
        size_t blocks = (size_t) p->blocks_x * p->blocks_y;
        for (size_t b = 0; b < blocks; b++)
            index(p->coef + 64 * b, p->mask + b, blocks, levels);
    }
}

/* Puts a block into zigzag order, and makes its masks. Returns what index_fn does. */
typedef unsigned convert_fn(const JCOEF *in, int16_t *out, uint64_t *mask, size_t stride,
                            uint32_t levels);

static void to_zigzag(const JCOEF *in, int16_t *out)
{
    for (int k = 0; k < 64; k++)
        out[k] = in[pcri_zigzag_order[k]];
}

static unsigned convert_portable(const JCOEF *in, int16_t *out, uint64_t *mask, size_t stride,
                                 uint32_t levels)
{
    to_zigzag(in, out);
    return index_portable(out, mask, stride, levels);
}

#ifdef HAVE_VECTORS
static unsigned convert_avx2(const JCOEF *in, int16_t *out, uint64_t *mask, size_t stride,
                             uint32_t levels)
{
    to_zigzag(in, out);
    return index_avx2(out, mask, stride, levels);
}

#define AVX512 __attribute__((target("avx512f,avx512bw")))

/* Numbers 32 i to 32 i + 31 in zigzag order. */
AVX512 static __m512i half_zigzag(__m512i low, __m512i high, int i)
{
    const __m256i order = _mm256_loadu_si256((const __m256i *) (pcri_zigzag_order + 32 * i));
    return _mm512_permutex2var_epi16(low, _mm512_cvtepu8_epi16(order), high);
}

AVX512 static unsigned convert_avx512(const JCOEF *in, int16_t *out, uint64_t *mask,
                                      size_t stride, uint32_t levels)
{
    const __m512i low = _mm512_loadu_si512(in), high = _mm512_loadu_si512(in + 32);
    const __m512i a = half_zigzag(low, high, 0), b = half_zigzag(low, high, 1);
    const __m512i m = _mm512_abs_epi16(a), n = _mm512_abs_epi16(b);
    _mm512_storeu_si512(out, a);
    _mm512_storeu_si512(out + 32, b);
    const unsigned dc = (unsigned) abs(in[0]);
    const __m512i any = _mm512_or_si512(_mm512_maskz_mov_epi16(~(__mmask32) 1, m), n);
    const unsigned both = (unsigned) _mm512_reduce_or_epi32(any);
    const unsigned all = (both | both >> 16) & 0xFFFF, most = all | dc;
    for (uint32_t level = 0; level < levels; level++) {
        const __m512i least = _mm512_set1_epi16((int16_t) ((1 << level) - 1));
        mask[level * stride] = most >> level
                                   ? _mm512_cmpgt_epi16_mask(m, least) |
                                         (uint64_t) _mm512_cmpgt_epi16_mask(n, least) << 32
                                   : 0;
    }
    return all;
}
#endif

static convert_fn *choose_convert(void)
{
#ifdef HAVE_VECTORS
    const unsigned features = pcri_cpu_features();
    if (features & PCRI_CPU_AVX512)
        return convert_avx512;
    if (features & PCRI_CPU_AVX2)
        return convert_avx2;
#endif
    return convert_portable;
}

static int read_plane(struct coef_reader *r, int i, struct pcri_plane *p, uint32_t levels,
                      struct pcr_error *err)
{
    size_t blocks = (size_t) p->blocks_x * p->blocks_y, b = 0;
    convert_fn *const convert = choose_convert();
    for (uint32_t y = 0; y < p->blocks_y; y++) {
        JBLOCKROW row = row_of(r, i, y);
        if (!row)
            return r->turbo.code;
        for (uint32_t x = 0; x < p->blocks_x; x++, b++) {
            unsigned all = convert(row[x], p->coef + 64 * b, p->mask + b, blocks, levels);
            if (all > 1023)
                return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                                 "component %d, block %zu: a coefficient above 1023", i, b);
            if (abs(p->coef[64 * b]) > 2047)
                return pcri_fail(err, PCR_ERR_UNSUPPORTED, "component %d, block %zu: DC is %d",
                                 i, b, p->coef[64 * b]);
        }
    }
    return 0;
}

/* libjpeg fills what no scan brought with zeros and says nothing; the image would then not
 * be what its encoder had. */
static int check_complete(struct coef_reader *r, struct pcr_error *err)
{
    const struct jpeg_decompress_struct *d = &r->cinfo;
    for (int c = 0; c < d->num_components; c++)
        if (!d->comp_info[c].quant_table) /* latched when a component's scan begins */
            return pcri_fail(err, PCR_ERR_TRUNCATED, "no scan has component %d of %d", c + 1,
                             d->num_components);
    if (!d->progressive_mode || !d->coef_bits)
        return 0;
    for (int c = 0; c < d->num_components; c++)
        for (int k = 0; k < 64; k++)
            if (d->coef_bits[c][k])
                return pcri_fail(err,
                                 r->turbo.no_end ? PCR_ERR_TRUNCATED : PCR_ERR_UNSUPPORTED,
                                 "progressive file that %s completes coefficient %d of "
                                 "component %d",
                                 r->turbo.no_end ? "ends before it" : "never", k, c);
    return 0;
}

static int check_frame(const struct coef_reader *r, const struct pcri_jpeg_file *f,
                       struct pcr_error *err)
{
    if ((uint32_t) r->cinfo.num_components == f->component_count &&
        r->cinfo.image_width == f->width && r->cinfo.image_height == f->height)
        return 0;
    return pcri_fail(err, PCR_ERR_CORRUPT, "libjpeg sees another frame header");
}

static int read_planes(struct coef_reader *r, struct pcri_coefs *c, uint32_t levels,
                       struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; !rc && i < c->component_count; i++)
        rc = read_plane(r, (int) i, &c->planes[i], levels, err);
    return rc;
}

/* libjpeg has whole MCUs. */
static int read_padding(struct coef_reader *r, const struct pcri_jpeg_file *f,
                        struct pcri_padding_set *s, struct pcr_error *err)
{
    int rc = pcri_padding_reserve(s, f, err);
    for (uint32_t i = 0; !rc && i < f->component_count; i++) {
        const struct pcri_padding *p = &s->planes[i];
        for (uint32_t y = p->padded_x > p->blocks_x ? 0 : p->blocks_y; y < p->padded_y; y++) {
            JBLOCKROW row = row_of(r, (int) i, y);
            if (!row)
                return r->turbo.code;
            for (uint32_t x = y < p->blocks_y ? p->blocks_x : 0; x < p->padded_x; x++) {
                int16_t *out = pcri_padding_block(p, x, y);
                for (int k = 0; k < 64; k++)
                    out[k] = row[x][pcri_zigzag_order[k]];
            }
        }
    }
    return rc;
}

int pcri_coefs_read(struct pcri_coefs *c, const struct pcri_jpeg_file *f, uint32_t levels,
                    bool *in_doubt, struct pcr_error *err)
{
    struct coef_reader r = { .arrays = NULL };
    int rc = pcri_coefs_reserve(c, f, levels, err);
    if (rc)
        return rc;
    if (!read_arrays(&r, f, err))
        rc = r.turbo.code;
    if (!rc)
        rc = check_frame(&r, f, err);
    if (!rc)
        rc = check_complete(&r, err);
    if (!rc)
        rc = read_planes(&r, c, levels, err);
    if (!rc && c->keep_padding)
        rc = read_padding(&r, f, &c->padding, err);
    *in_doubt = r.turbo.in_doubt;
    jpeg_destroy_decompress(&r.cinfo);
    return rc;
}

/* --- damaged files --- */

/* The steps by which libjpeg would dequantise must be those in the file's segments. */
static int check_steps(const struct coef_reader *r, const struct pcri_jpeg_file *f,
                       struct pcr_error *err)
{
    for (uint32_t c = 0; c < f->component_count; c++) {
        const JQUANT_TBL *t = r->cinfo.comp_info[c].quant_table;
        const uint16_t *steps = f->quant[f->components[c].quant_slot];
        for (int k = 0; t && k < 64; k++)
            if (t->quantval[pcri_zigzag_order[k]] != steps[k])
                return pcri_fail(err, PCR_ERR_CORRUPT,
                                 "component %u has two quantisation "
                                 "tables",
                                 (unsigned) c);
    }
    return 0;
}

/* Without data libjpeg still makes up an MCU. */
static bool is_empty(const struct pcri_coefs *c, const struct pcri_jpeg_file *f)
{
    uint64_t data_nbytes = 0;
    for (uint32_t i = 0; i < f->segment_count; i++) {
        const struct pcri_segment *s = &f->segments[i];
        uint64_t end = i + 1 < f->segment_count ? s[1].offset : f->end;
        if (s->marker == M_SOS)
            data_nbytes += end - s->offset - s->nbytes;
    }
    if (!data_nbytes)
        return true;
    for (uint32_t i = 0; i < c->component_count; i++) {
        const struct pcri_plane *p = &c->planes[i];
        for (size_t b = 0; b < (size_t) p->blocks_x * p->blocks_y; b++)
            if (p->mask[b])
                return false;
    }
    return true;
}

/* Cuts off the last segment before `offset`, where libjpeg has stopped; false if that leaves
 * no scan. */
static bool cut(struct pcri_jpeg_file *f, uint64_t offset)
{
    uint32_t scans = 0;
    uint64_t end = 0;
    for (uint32_t i = 0; i < f->segment_count && f->segments[i].offset < offset; i++) {
        end = scans ? f->segments[i].offset : 0;
        scans += f->segments[i].marker == M_SOS;
    }
    if (!end || end >= f->nbytes)
        return false;
    f->nbytes = (size_t) end;
    return true;
}

int pcri_coefs_salvage(struct pcri_coefs *c, struct pcri_jpeg_file *f, uint32_t levels,
                       struct pcr_error *err)
{
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    struct coef_reader r;
    int rc = pcri_coefs_reserve(c, f, levels, err);
    if (rc)
        return rc;
    for (;;) {
        memset(&r, 0, sizeof(r));
        if (read_arrays(&r, f, &why))
            break;
        rc = r.turbo.code;
        jpeg_destroy_decompress(&r.cinfo);
        if (rc == PCR_ERR_NOMEM || why.offset == PCR_NO_OFFSET || !cut(f, why.offset))
            return pcri_hand_on(err, rc, &why);
    }
    rc = check_frame(&r, f, err);
    if (!rc)
        rc = check_steps(&r, f, err);
    if (!rc)
        rc = read_planes(&r, c, levels, err);
    if (!rc && is_empty(c, f))
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "none of the picture is there");
    jpeg_destroy_decompress(&r.cinfo);
    return rc;
}
