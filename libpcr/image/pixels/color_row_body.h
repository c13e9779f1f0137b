/* SPDX-License-Identifier: BSD-2-Clause */
/* convert_row() for color_body.h, where pixels are stored 2 STEP at a time: the file that includes
 * it defines store_pixels(). */
INLINE void convert_row(const uint8_t *y, const struct chroma *c, size_t n, bool planar,
                        uint8_t *const out[3])
{
    enum { PIXELS = 2 * STEP };
    size_t at = 0, step = planar ? 1 : 3;
    uint8_t *plane[3] = { out[0], planar ? out[1] : NULL, planar ? out[2] : NULL };
    vec channel[3];
    for (; at + PIXELS <= n; at += PIXELS) {
        channels_at(y, at, c, channel);
        store_pixels(channel, planar, plane);
        for (int i = 0; i < (planar ? 3 : 1); i++)
            plane[i] += PIXELS * step;
    }
    if (at < n) {
        uint8_t tail[3 * PIXELS];
        uint8_t *const tails[3] = { tail, tail + PIXELS, tail + 2 * PIXELS };
        channels_at(y, at, c, channel);
        store_pixels(channel, planar, tails);
        for (int i = 0; i < (planar ? 3 : 1); i++)
            memcpy(plane[i], tails[i], (n - at) * step);
    }
}
