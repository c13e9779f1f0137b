/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an ICC profile for a kind of pixels that the first byte picks: it is used or
 * passed over, the same way each time, and each pixel's colour is its own. */
#include "fuzz.h"

#include "image/icc.h"

enum { PIXELS = 64 };

static struct pcri_icc *icc;
static uint8_t pixels[PIXELS * 4];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    for (unsigned i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t) (i < 32 ? (i & 1 ? 255 : 0) : i * 37 + i / 7);
    return pcri_icc_create(&icc, NULL);
}

static const void *find(struct pcri_icc *from, const uint8_t *data, size_t nbytes,
                        enum pcri_icc_pixels kind, enum pcr_profile_use *use)
{
    const void *transform = NULL;
    struct pcr_error err = { 0 };
    int rc = pcri_icc_find(from, data, nbytes, kind, use, &transform, &err);
    FUZZ_CHECK(!rc || (rc == PCR_ERR_NOMEM && err.message[0]), "%d", rc);
    if (rc) {
        *use = PCR_PROFILE_NONE;
        return NULL;
    }
    FUZZ_CHECK(*use == PCR_PROFILE_SRGB || *use == PCR_PROFILE_CONVERTED ||
                   *use == PCR_PROFILE_UNUSABLE,
               "%d", *use);
    FUZZ_CHECK(*use != PCR_PROFILE_CONVERTED || transform, "no transform");
    return *use == PCR_PROFILE_CONVERTED ? transform : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static const unsigned channels[] = { 1, 2, 3, 4, 4 };
    uint8_t all[PIXELS * 3], one[3];
    enum pcr_profile_use use, again;
    if (!nbytes)
        return 0;
    enum pcri_icc_pixels kind = (enum pcri_icc_pixels)(*data % 5);
    const void *transform = find(icc, data + 1, nbytes - 1, kind, &use);
    if (transform) {
        pcri_icc_run(transform, pixels, PIXELS, all);
        for (unsigned i = 0; i < PIXELS; i++) {
            pcri_icc_run(transform, pixels + i * channels[kind], 1, one);
            FUZZ_CHECK(!memcmp(one, all + 3 * i, 3), "pixel %u: %u %u %u, alone %u %u %u", i,
                       all[3 * i], all[3 * i + 1], all[3 * i + 2], one[0], one[1], one[2]);
        }
    }
    (void) find(icc, data + 1, nbytes - 1, kind, &again);
    FUZZ_CHECK(use == again || !use || !again, "%d, then %d", use, again);
    return 0;
}
