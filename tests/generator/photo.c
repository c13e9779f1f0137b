/* SPDX-License-Identifier: BSD-2-Clause */
/* Generated photographs as JPEG files. */
#include "compose.h"

static const uint8_t luma_sampling[PCR_GEN_SUBSAMPLINGS] = {
    [PCR_GEN_420] = 0x22, [PCR_GEN_444] = 0x11, [PCR_GEN_422] = 0x21,  [PCR_GEN_440] = 0x12,
    [PCR_GEN_411] = 0x41, [PCR_GEN_410] = 0x42, [PCR_GEN_GRAY] = 0x11,
};

int pcr_gen_photo_of(uint64_t seed, int klass, uint32_t width, uint32_t height, int quality,
                     enum pcr_gen_subsampling subsampling, bool optimise,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    if (quality < 1 || quality > 100)
        return pcri_fail(err, PCR_ERR_INVAL, "quality: expected 1 to 100, got %d", quality);
    if ((unsigned) subsampling >= PCR_GEN_SUBSAMPLINGS)
        return pcri_fail(err, PCR_ERR_INVAL, "subsampling: no number %u",
                         (unsigned) subsampling);
    struct compose spec = {
        .width = width,
        .height = height,
        .flags = optimise ? COMPOSE_OPTIMISE : 0,
        .seed = seed,
        .klass = klass + 1,
        .quality = quality,
        .space = subsampling == PCR_GEN_GRAY ? JCS_GRAYSCALE : JCS_YCbCr,
        .sampling = { luma_sampling[subsampling], 0x11, 0x11 },
    };
    return gen_compose(&spec, out, err);
}

int pcr_gen_photo(uint64_t seed, uint32_t width, uint32_t height, int quality,
                  enum pcr_gen_subsampling subsampling, struct pcr_buffer *out)
{
    return pcr_gen_photo_of(seed, PCR_GEN_NO_CLASS, width, height, quality, subsampling, false,
                            out, NULL);
}
