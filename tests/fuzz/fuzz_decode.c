/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an encoded image: inspect and decode agree, and give what they say. */
#include "fuzz.h"

#include <pcr/image.h>

static struct pcr_decoder *decoder;
static struct pcr_buffer pixels;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return pcr_decoder_create(&decoder, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_decode_options o = { .size = sizeof(o) };
    struct pcr_image_info info = { 0 }, decoded = { 0 };
    struct pcr_error err = { 0 };

    o.limits = (struct pcr_limits) { .size = sizeof(o.limits), .max_pixels = 1 << 20,
                                     .max_scans = 20 };
    o.color = nbytes & 1 ? PCR_COLOR_RGB : PCR_COLOR_GRAY;
    int rc = pcr_decoder_inspect(decoder, data, nbytes, &o, &info, &err);
    int rc2 = pcr_decoder_decode_alloc(decoder, data, nbytes, &o, &pixels, &decoded,
                                       &err);
    FUZZ_CHECK(rc <= 0 && rc2 <= 0, "%d %d", rc, rc2);
    FUZZ_CHECK(!rc || rc2, "decoded what inspect refuses with %s", pcr_code_name(rc));
    if (rc2) {
        FUZZ_CHECK(err.code == rc2 && err.message[0], "%d %d", err.code, rc2);
        return 0;
    }
    FUZZ_CHECK(info.width == decoded.width && info.height == decoded.height, "%ux%u",
               info.width, info.height);
    FUZZ_CHECK(pixels.nbytes == (size_t) info.width * info.height * info.channels,
               "%zu bytes", pixels.nbytes);
    FUZZ_CHECK((uint64_t) info.width * info.height <= o.limits.max_pixels, "%ux%u",
               info.width, info.height);
    return 0;
}
