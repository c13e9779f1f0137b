/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel stage's loop: for each row of pixels the samples that it needs are transformed
 * (two block rows of each component are kept), upsampled and converted, so that all that
 * passes between the steps stays in the CPU's first cache. */
#include "pixels.h"

enum { ALIGN = 64 };

static size_t aligned(size_t nbytes)
{
    return (nbytes + ALIGN - 1) & ~(size_t) (ALIGN - 1);
}

/* --- memory --- */

/* Divides `memory` into the parts; with NULL it only computes the size. Widths are below 2^16
 * and sizes below 2^4, so that no sum overflows. */
static size_t cut_memory(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                         uint8_t *memory)
{
    size_t pixels = (size_t) plan->window.x + plan->window.width - plan->left, at = 0;
    for (uint32_t i = 0; i < plan->component_count; i++) {
        const struct pcri_component_plan *c = &plan->components[i];
        if (!c->needed)
            continue;
        /* One block more, for kernels that take two at a time; a margin for what they read
         * beyond the end, and one at the left for the first sum's neighbour. */
        size_t stride = aligned((c->column_end - c->column_begin + 1) * (size_t) c->size +
                                PCRI_KERNEL_PADDING);
        p->components[i].stride_nbytes = stride;
        p->components[i].rows[0] = memory + at;
        p->components[i].rows[1] = memory + at + stride * c->size;
        at += stride * 2 * c->size;
        p->components[i].sums = (uint16_t *) (void *) (memory + at + ALIGN);
        at += aligned(2 * stride) + 2 * ALIGN;
        p->components[i].row = memory + at;
        at += aligned(pixels + 2 * c->h + PCRI_KERNEL_PADDING);
        p->components[i].next_y = c->row_begin * c->size;
        p->components[i].near = p->components[i].far = NULL;
    }
    p->pixels = memory + at;
    return at + aligned(4 * pixels);
}

static int reserve(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                   struct pcr_error *err)
{
    static uint8_t nothing[1];
    size_t total = cut_memory(p, plan, nothing), before = p->memory.capacity;
    int rc = pcri_buffer_reserve(&p->memory, total + ALIGN, err);
    if (rc)
        return rc;
    if (p->memory.capacity != before) /* margins are read, although nothing depends on them */
        memset(p->memory.data, 0, p->memory.capacity);
    cut_memory(p, plan, p->memory.data + (ALIGN - (uintptr_t) p->memory.data % ALIGN));
    return 0;
}

void pcri_pixels_free(struct pcri_pixels *p)
{
    pcr_buffer_free(&p->memory);
}

/* --- samples --- */

static bool is_flat(const uint64_t *mask, size_t count)
{
    uint64_t any = 0;
    for (size_t i = 0; i < count; i++)
        any |= mask[i];
    return !any;
}

static void transform_row(struct pcri_pixels *p, const struct pcri_component_plan *c,
                          const struct pcri_blocks *b, uint32_t i, uint32_t row)
{
    size_t stride = p->components[i].stride_nbytes;
    size_t first = (size_t) row * b->blocks_x + c->column_begin;
    size_t count = c->column_end - c->column_begin;
    const size_t kept = pcri_row_place(b, row) + c->column_begin;
    const int16_t *coef = b->coef + 64 * kept;
    const uint32_t turn = p->components[i].turn = 1 - p->components[i].turn;
    uint8_t *dst = p->components[i].rows[turn];
    bool flat = !b->has_ac || is_flat(b->mask + first, count);
    p->components[i].step_nbytes[turn] = flat ? 0 : stride;
    if (flat && !b->has_ac)
        pcri_flat_row(b->dc + kept, 1, count, &p->dequant[i], c->size, dst);
    else if (flat)
        pcri_flat_row(coef, 64, count, &p->dequant[i], c->size, dst);
    else if (c->size == 8)
        p->kernels->idct(coef, b->mask + first, count, &p->dequant[i], dst, stride);
    else
        p->kernels->idct_scaled(coef, b->mask + first, count, &p->dequant[i], c->size, dst,
                                stride);
}

/* Transforms block rows of component i to that of its row y. */
static __attribute__((noinline)) void go_to_row(struct pcri_pixels *p,
                                                const struct pcri_pixel_plan *plan,
                                                const struct pcri_block_source *source,
                                                uint32_t i, uint32_t y)
{
    const struct pcri_component_plan *c = &plan->components[i];
    while (p->components[i].next_y <= y) {
        const uint32_t row = p->components[i].next_y / c->size;
        if (source->advance)
            source->advance(source->state, i, row + 1);
        transform_row(p, c, &source->planes[i], i, row);
        p->components[i].next_y += c->size;
    }
}

/* Row y of component i, at its first block column. Rows are requested in ascending order, except
 * for the one above. */
static inline const uint8_t *sample_row(struct pcri_pixels *p,
                                        const struct pcri_pixel_plan *plan,
                                        const struct pcri_block_source *source, uint32_t i,
                                        uint32_t y)
{
    const uint32_t size = plan->components[i].size;
    if (y >= p->components[i].next_y)
        go_to_row(p, plan, source, i, y);
    uint32_t first = p->components[i].next_y - size, turn = p->components[i].turn;
    if (y < first) { /* of the block row before the last */
        first -= size;
        turn = 1 - turn;
    }
    return p->components[i].rows[turn] + (y - first) * p->components[i].step_nbytes[turn];
}

static void repeat(const uint8_t *in, size_t n, uint32_t times, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < times; k++)
            *out++ = in[i];
}

/* Finds the rows that pixel row y of component i is made of: 3/4 near, 1/4 far. True if they
 * are one, and the same as for the last row of pixels. */
static bool find_rows(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                      const struct pcri_block_source *source, uint32_t i, uint32_t y)
{
    const struct pcri_component_plan *c = &plan->components[i];
    const uint8_t *before = p->components[i].near, *before_far = p->components[i].far;
    uint32_t row = c->v == 1 ? y : c->v == 2 ? y / 2 : y / c->v, other = row;
    if (c->smooth_v && y % 2)
        other += row + 1 < c->height;
    else if (c->smooth_v)
        other -= row > 0;
    const uint8_t *near = sample_row(p, plan, source, i, row);
    const uint8_t *far = other == row ? near : sample_row(p, plan, source, i, other);
    p->components[i].near = near;
    p->components[i].far = far;
    return near == far && near == before && far == before_far;
}

static const uint16_t bias_h2v2[2] = { 8, 7 }, bias_h2v1[2] = { 4, 8 };

/* Component i's sums, starting with the sample at the row's left: three parts of the near row
 * and one of the far one. If there is no far row it is the near one, and the sums are 4 times
 * what h2v1 upsampling takes. */
static const uint16_t *sum_row(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                               uint32_t i)
{
    const struct pcri_component_plan *c = &plan->components[i];
    uint16_t *sums = p->components[i].sums;
    uint32_t first = c->column_begin * c->size, end = c->column_end * c->size;
    uint32_t n = (end < c->width ? end : c->width) - first;
    p->kernels->mix_rows(p->components[i].near, p->components[i].far, n, sums);
    sums[-1] = sums[0]; /* beyond the edges the last sample is repeated */
    sums[n] = sums[n - 1];
    return sums + (plan->left / 2 - first);
}

/* Row y of component i at the picture's resolution, from the plan's left on. */
static const uint8_t *full_row(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                               uint32_t i, uint32_t y)
{
    const struct pcri_component_plan *c = &plan->components[i];
    uint32_t pixels = plan->window.x + plan->window.width - plan->left;
    uint32_t skip = plan->left / c->h - c->column_begin * c->size;
    const uint8_t *near = p->components[i].near + skip, *far = p->components[i].far + skip;
    uint8_t *out = p->components[i].row;
    if (c->smooth_h)
        p->kernels->upsample_h2(sum_row(p, plan, i), (pixels + 1) / 2,
                                c->smooth_v ? bias_h2v2 : bias_h2v1, out);
    else if (c->smooth_v)
        p->kernels->upsample_v2(near, far, pixels, y % 2 ? 2 : 1, out);
    else if (c->h > 1)
        repeat(near, (pixels + c->h - 1) / c->h, c->h, out);
    else
        return near;
    return out;
}

/* --- pixels --- */

static bool is_fused(const struct pcri_pixel_plan *plan)
{
    const struct pcri_component_plan *c = plan->components;
    return plan->from == PCRI_JPEG_YCC && plan->color == PCR_COLOR_RGB && c[0].h == 1 &&
           c[0].v == 1 && c[1].smooth_h && c[2].smooth_h && c[1].smooth_v == c[2].smooth_v;
}

/* The rows of samples that pixel row y is made of. True if it is the same as the last one. */
static bool find_all_rows(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                          const struct pcri_block_source *source, uint32_t y)
{
    bool same = true;
    for (uint32_t i = 0; i < plan->component_count; i++)
        if (plan->components[i].needed)
            same &= find_rows(p, plan, source, i, y);
    return same;
}

static void make_row(struct pcri_pixels *p, const struct pcri_pixel_plan *plan, uint32_t y,
                     const struct pcri_rgb_row *out)
{
    size_t n = plan->window.x + plan->window.width - plan->left;
    if (is_fused(plan)) {
        const uint16_t *cb = sum_row(p, plan, 1), *cr = sum_row(p, plan, 2);
        p->kernels->ycc_h2_to_rgb(full_row(p, plan, 0, y), cb, cr,
                                  plan->components[1].smooth_v ? bias_h2v2 : bias_h2v1, n,
                                  out);
        return;
    }
    const uint8_t *rows[4] = { NULL };
    for (uint32_t i = 0; i < plan->component_count; i++)
        if (plan->components[i].needed)
            rows[i] = full_row(p, plan, i, y);
    if (plan->color == PCR_COLOR_GRAY)
        pcri_convert_gray(plan, p->kernels, rows, n, out->plane[0]);
    else if (plan->color == PCRI_COLOR_INKS)
        pcri_convert_inks(plan, p->kernels, rows, n, out->plane[0]);
    else
        pcri_convert_rgb(plan, p->kernels, rows, n, out);
}

int pcri_pixels_make(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                     const struct pcri_block_source *source, const struct pcri_target *target,
                     struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = source->file;
    int rc = reserve(p, plan, err);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < plan->component_count; i++)
        pcri_dequant_fill(f->quant[f->components[i].quant_slot],
                          plan->identical ? NULL : source->bits[i], &p->dequant[i]);

    const struct pcri_rect *w = &plan->window;
    uint32_t skip = w->x - plan->left;
    size_t planes = plan->color == PCR_COLOR_RGB && target->plane_nbytes ? 3 : 1;
    size_t pixel = plan->color == PCRI_COLOR_INKS                ? 4
                   : plan->color == PCR_COLOR_RGB && planes == 1 ? 3
                                                                 : 1;
    size_t row_nbytes = ((size_t) w->width + skip) * pixel;
    for (uint32_t y = 0; y < w->height; y++) {
        uint8_t *dst = target->data + y * target->stride_nbytes;
        struct pcri_rgb_row out = { .planar = planes == 3 };
        bool same = find_all_rows(p, plan, source, w->y + y);
        for (size_t k = 0; k < planes; k++)
            out.plane[k] = skip ? p->pixels + k * row_nbytes : dst + k * target->plane_nbytes;
        if (!same)
            make_row(p, plan, w->y + y, &out);
        for (size_t k = 0; (skip || same) && k < planes; k++) {
            const uint8_t *from = skip ? out.plane[k] + skip * pixel
                                       : out.plane[k] - target->stride_nbytes;
            memcpy(dst + k * target->plane_nbytes, from, w->width * pixel);
        }
    }
    return 0;
}
