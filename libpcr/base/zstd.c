/* SPDX-License-Identifier: BSD-2-Clause */
/* zstd frames, whole and in parts. */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "zstd.h"

int pcri_zstd_pack(const void *p, size_t nbytes, int level, struct pcr_buffer *out,
                   struct pcr_error *err)
{
    size_t bound = ZSTD_compressBound(nbytes);
    int rc = pcri_buffer_reserve(out, bound, err);
    if (rc)
        return rc;
    size_t n = ZSTD_compress(out->data, out->capacity, p, nbytes, level);
    if (ZSTD_isError(n))
        return pcri_fail(err, PCR_ERR_NOMEM, "no memory to compress %zu bytes", nbytes);
    out->nbytes = n;
    return 0;
}

/* Whether it is one complete frame of that size, and nothing after it. */
static int check_frame(const void *p, size_t nbytes, size_t raw_nbytes, struct pcr_error *err)
{
    unsigned long long claimed = ZSTD_getFrameContentSize(p, nbytes);
    if (claimed != raw_nbytes)
        return pcri_fail(err, PCR_ERR_CORRUPT,
                         "zstd frame does not hold the expected %zu bytes", raw_nbytes);
    /* ZSTD_decompress() would accept several frames, some of them empty. */
    if (ZSTD_findFrameCompressedSize(p, nbytes) != nbytes)
        return pcri_fail(err, PCR_ERR_CORRUPT, "not one complete zstd frame of %zu bytes",
                         nbytes);
    return 0;
}

static int fail(size_t code, struct pcr_error *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return pcri_fail(err, PCR_ERR_NOMEM, "no memory to decompress");
    case ZSTD_error_frameParameter_windowTooLarge:
        return pcri_fail(err, PCR_ERR_LIMIT, "zstd: a window above the limit of 2^%d bytes",
                         PCRI_ZSTD_WINDOW_LOG);
    default:
        return pcri_fail(err, PCR_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(code));
    }
}

int pcri_zstd_unpack(const void *p, size_t nbytes, size_t raw_nbytes, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    int rc = check_frame(p, nbytes, raw_nbytes, err);
    if (!rc)
        rc = pcri_buffer_reserve(out, raw_nbytes ? raw_nbytes : 1, err);
    if (rc)
        return rc;
    size_t n = ZSTD_decompress(out->data, raw_nbytes, p, nbytes);
    if (ZSTD_isError(n))
        return fail(n, err);
    if (n != raw_nbytes)
        return pcri_fail(err, PCR_ERR_CORRUPT, "zstd: %zu bytes, expected %zu", n, raw_nbytes);
    out->nbytes = n;
    return 0;
}

struct pcri_unpacker {
    ZSTD_DCtx *context;
    ZSTD_inBuffer in;
    size_t left; /* what ZSTD_decompressStream() said last; 0: the frame has ended */
    uint8_t scratch[32 << 10];
};

int pcri_unpacker_create(const void *p, size_t nbytes, size_t raw_nbytes,
                         struct pcri_unpacker **out, struct pcr_error *err)
{
    int rc = check_frame(p, nbytes, raw_nbytes, err);
    if (rc)
        return rc;
    struct pcri_unpacker *u = pcri_calloc(1, sizeof(*u), err);
    if (!u)
        return PCR_ERR_NOMEM;
    u->in = (ZSTD_inBuffer) { p, nbytes, 0 };
    u->left = 1;
    u->context = ZSTD_createDCtx();
    *out = u;
    if (u->context && !ZSTD_isError(ZSTD_DCtx_setParameter(u->context, ZSTD_d_windowLogMax,
                                                           PCRI_ZSTD_WINDOW_LOG)))
        return 0;
    pcri_unpacker_destroy(out);
    return pcri_fail(err, PCR_ERR_NOMEM, "no memory to decompress");
}

int pcri_unpacker_read(struct pcri_unpacker *u, void *dst, size_t nbytes,
                       struct pcr_error *err)
{
    while (nbytes) {
        size_t most = dst || nbytes < sizeof(u->scratch) ? nbytes : sizeof(u->scratch);
        ZSTD_outBuffer part = { dst ? dst : u->scratch, most, 0 };
        size_t before = u->in.pos;
        u->left = ZSTD_decompressStream(u->context, &part, &u->in);
        if (ZSTD_isError(u->left))
            return fail(u->left, err);
        if (!part.pos && (u->in.pos == before || !u->left))
            return pcri_fail(err, PCR_ERR_CORRUPT, "zstd: the frame ends too early");
        nbytes -= part.pos;
        if (dst)
            dst = (uint8_t *) dst + part.pos;
    }
    return 0;
}

int pcri_unpacker_finish(struct pcri_unpacker *u, struct pcr_error *err)
{
    ZSTD_outBuffer none = { u->scratch, 1, 0 };
    while (u->left && !none.pos) {
        size_t before = u->in.pos;
        u->left = ZSTD_decompressStream(u->context, &none, &u->in);
        if (ZSTD_isError(u->left))
            return fail(u->left, err);
        if (u->left && !none.pos && u->in.pos == before)
            break;
    }
    return u->left || none.pos ? pcri_fail(err, PCR_ERR_CORRUPT,
                                           "zstd: the frame holds more bytes than it says")
                               : 0;
}

void pcri_unpacker_destroy(struct pcri_unpacker **unpacker)
{
    struct pcri_unpacker *u = *unpacker;
    if (!u)
        return;
    ZSTD_freeDCtx(u->context);
    free(u);
    *unpacker = NULL;
}
