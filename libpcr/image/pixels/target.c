/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows on their way to where pixels go. */
#include "target.h"

void pcri_store_row(const struct pcri_target *target, uint32_t y, const uint8_t *pixels,
                    uint32_t n, uint32_t channels)
{
    uint8_t *dst = target->data + y * target->stride_nbytes;
    if (!target->plane_nbytes) {
        memcpy(dst, pixels, (size_t) n * channels);
        return;
    }
    for (uint32_t c = 0; c < channels; c++, dst += target->plane_nbytes)
        for (uint32_t x = 0; x < n; x++)
            dst[x] = pixels[(size_t) x * channels + c];
}

void pcri_deliver_row(void *delivery, const uint8_t *pixels)
{
    struct pcri_delivery *d = delivery;
    pcri_store_row(d->target, d->y++, pixels, d->width, d->channels);
}
