/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces webp.c in a build without libwebp. */
#include "../../base/sniff.h"
#include "codec.h"
#include "webp_chunks.h"

static int webp_begin(void *state, const struct pcr_spans *file,
                      const struct pcri_decode_params *params,
                      struct pcri_stored_info *info_out, struct pcr_error *err)
{
    const struct pcri_bytes f = { file->items[0].data, file->items[0].nbytes };
    (void) state, (void) params, (void) info_out;
    return pcri_is_webp(f) ? pcri_fail(err, PCR_ERR_UNSUPPORTED, "this build has no libwebp")
                           : pcri_fail_no_image(err, f.p, f.n);
}

static int webp_create(void **state_out, struct pcr_error *err)
{
    (void) err;
    *state_out = NULL;
    return 0;
}

static void webp_ignore(void *state)
{
    (void) state;
}

const struct pcri_codec pcri_codec_webp = {
    .name = "WebP",
    .magics = "RIFF",
    .magic_nbytes = 4,
    .magic_count = 1,
    .create = webp_create,
    .destroy = webp_ignore,
    .begin = webp_begin,
    .end = webp_ignore,
};
