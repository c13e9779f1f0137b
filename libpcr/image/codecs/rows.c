/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of 8-bit samples from codecs that make them one by one. */
#include "rows.h"

#include <stdlib.h>

int pcri_rows_check_scale(const char *name, const struct pcri_decode_params *params,
                          struct pcr_error *err)
{
    if (params->scale == 8)
        return 0;
    return pcri_fail(err, PCR_ERR_UNSUPPORTED, "%s: decoding to %u/8 of the size", name,
                     (unsigned) params->scale);
}

static bool has_alpha(uint32_t channels)
{
    return channels == 2 || channels == 4;
}

void pcri_rows_begin(struct pcri_rows *r, uint32_t width, uint32_t height, uint32_t channels,
                     const struct pcri_decode_params *params,
                     struct pcri_stored_info *info_out)
{
    r->width = width;
    r->height = height;
    r->channels = channels;
    r->wanted = (params->color == PCR_COLOR_GRAY ? 1 : 3) +
                (params->alpha && has_alpha(channels));
    *info_out = (struct pcri_stored_info) { .width = width,
                                            .height = height,
                                            .orientation = 1,
                                            .component_count = channels < 3 ? 1 : 3,
                                            .has_alpha = has_alpha(channels) };
}

static void convert(const uint8_t *src, uint32_t from, uint32_t n, uint8_t *dst, uint32_t to)
{
    const bool from_gray = from < 3, to_gray = to < 3;
    for (uint32_t x = 0; x < n; x++, src += from, dst += to) {
        if (to_gray)
            dst[0] = from_gray ? src[0] : pcri_luma(src[0], src[1], src[2]);
        else if (from_gray)
            dst[0] = dst[1] = dst[2] = src[0];
        else
            memcpy(dst, src, 3);
        if (has_alpha(to))
            dst[to - 1] = src[from - 1];
    }
}

int pcri_rows_stream(void *state, const struct pcri_rect *window, pcri_row_fn *row,
                     void *context, struct pcr_error *err)
{
    struct pcri_rows *r = state;
    const uint32_t below = window->y + window->height;
    const uint32_t end = r->any_row ? below : r->height;
    size_t made, total;
    if (!pcri_mul(r->width, r->channels, &made) ||
        !pcri_mul(window->width, r->wanted, &total) || !pcri_add(total, made, &total))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(&r->line, total, err);
    for (uint32_t y = r->any_row ? window->y : 0; y < end && !rc; y++) {
        const uint8_t *pixels = r->line.data + (size_t) window->x * r->channels;
        rc = r->make(state, y, r->line.data, err);
        if (rc || y < window->y || y >= below)
            continue;
        if (r->channels != r->wanted) {
            convert(pixels, r->channels, window->width, r->line.data + made, r->wanted);
            pixels = r->line.data + made;
        }
        row(context, pixels);
    }
    return rc;
}

int pcri_rows_store(void *state, const struct pcri_rect *window,
                    const struct pcri_target *target, struct pcr_error *err)
{
    const struct pcri_rows *r = state;
    struct pcri_delivery to = { target, 0, window->width, r->wanted };
    return pcri_rows_stream(state, window, pcri_deliver_row, &to, err);
}

uint64_t pcri_rows_held(void *state, const struct pcri_rect *window)
{
    (void) state, (void) window;
    return 0;
}

void pcri_rows_end(void *state)
{
    (void) state;
}

void pcri_rows_destroy(void *state)
{
    struct pcri_rows *r = state;
    if (r)
        pcr_buffer_free(&r->line);
    free(r);
}
