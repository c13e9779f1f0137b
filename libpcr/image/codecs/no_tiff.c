/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces tiff.c in a build without libtiff. */
#include "rows.h"

static int tiff_begin(void *state, const struct pcr_spans *file,
                      const struct pcri_decode_params *params,
                      struct pcri_stored_info *info_out, struct pcr_error *err)
{
    (void) state, (void) file, (void) params, (void) info_out;
    return pcri_fail(err, PCR_ERR_UNSUPPORTED, "this build has no libtiff");
}

static int tiff_create(void **state_out, struct pcr_error *err)
{
    (void) err;
    *state_out = NULL;
    return 0;
}

const struct pcri_codec pcri_codec_tiff = {
    .name = "TIFF",
    .magics = PCRI_TIFF_MAGICS,
    .magic_nbytes = 4,
    .magic_count = 4,
    .create = tiff_create,
    .destroy = pcri_rows_destroy,
    .begin = tiff_begin,
    .end = pcri_rows_end,
};
