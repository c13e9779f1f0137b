/* SPDX-License-Identifier: BSD-2-Clause */
/* One-shot zstd frames. */
#include <zstd.h>
#include <zstd_errors.h>

#include "base.h"

int pcri_zstd_pack(const void *p, size_t nbytes, int level, struct pcr_buffer *out,
                   struct pcr_error *err)
{
    size_t bound = ZSTD_compressBound(nbytes);
    int rc = pcri_buffer_reserve(out, bound, err);
    if (rc)
        return rc;
    size_t n = ZSTD_compress(out->data, out->capacity, p, nbytes, level);
    if (ZSTD_isError(n))
        return pcri_fail(err, PCR_ERR_NOMEM, "zstd: %s", ZSTD_getErrorName(n));
    out->nbytes = n;
    return 0;
}

int pcri_zstd_unpack(const void *p, size_t nbytes, size_t raw_nbytes,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    unsigned long long claimed = ZSTD_getFrameContentSize(p, nbytes);
    if (claimed != raw_nbytes)
        return pcri_fail(err, PCR_ERR_CORRUPT,
                         "zstd frame does not hold the %zu bytes it should", raw_nbytes);
    /* ZSTD_decompress() would take several frames, of which some may hold nothing. */
    if (ZSTD_findFrameCompressedSize(p, nbytes) != nbytes)
        return pcri_fail(err, PCR_ERR_CORRUPT, "not one whole zstd frame of %zu bytes",
                         nbytes);
    int rc = pcri_buffer_reserve(out, raw_nbytes ? raw_nbytes : 1, err);
    if (rc)
        return rc;
    size_t n = ZSTD_decompress(out->data, raw_nbytes, p, nbytes);
    if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return pcri_fail(err, PCR_ERR_NOMEM, "no memory to decompress");
    if (ZSTD_isError(n))
        return pcri_fail(err, PCR_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(n));
    if (n != raw_nbytes)
        return pcri_fail(err, PCR_ERR_CORRUPT, "zstd: %zu bytes, expected %zu", n,
                         raw_nbytes);
    out->nbytes = n;
    return 0;
}
