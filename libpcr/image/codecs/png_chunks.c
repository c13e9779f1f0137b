/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks over the chunks of a PNG file, and inflates what is compressed in them. */
#define ZLIB_CONST
#include <zlib.h>

#include "png_chunks.h"

enum {
    MAGIC_NBYTES = 8,
    CHUNK_NBYTES = 12, /* of a chunk besides its data: length, type, CRC */
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

bool pcri_png_next(struct pcri_bytes file, size_t *at, struct pcri_png_chunk *out)
{
    size_t from = *at ? *at : MAGIC_NBYTES;
    if (from > file.n || file.n - from < CHUNK_NBYTES)
        return false;
    const uint8_t *c = file.p + from;
    size_t n = be32(c);
    if (n > file.n - from - CHUNK_NBYTES || !memcmp(c + 4, "IEND", 4))
        return false;
    *out = (struct pcri_png_chunk) { c + 4, { c + 8, n } };
    *at = from + n + CHUNK_NBYTES;
    return true;
}

bool pcri_png_is_intact(const struct pcri_png_chunk *c)
{
    return crc32(0, c->type, (uInt) c->data.n + 4) == be32(c->data.p + c->data.n);
}

struct pcri_bytes pcri_behind_nul(struct pcri_bytes b)
{
    const uint8_t *nul = b.n ? memchr(b.p, 0, b.n) : NULL;
    size_t skip = nul ? (size_t) (nul - b.p) + 1 : b.n;
    return (struct pcri_bytes) { b.p + skip, b.n - skip };
}

/* Room for more of what comes out; false: there is as much as may be. */
static int make_room(z_stream *z, size_t most, struct pcr_buffer *out, bool *more,
                     struct pcr_error *err)
{
    enum { FIRST_NBYTES = 1 << 14 };
    size_t wanted = out->nbytes ? 2 * out->nbytes : FIRST_NBYTES;
    wanted = wanted < most ? wanted : most;
    *more = wanted > out->nbytes;
    int rc = pcri_buffer_reserve(out, wanted, err);
    if (!rc) {
        z->next_out = out->data + out->nbytes;
        z->avail_out = (uInt) (wanted - out->nbytes);
    }
    return rc;
}

int pcri_png_inflate(struct pcri_bytes in, size_t most, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    z_stream z = { .next_in = in.p, .avail_in = (uInt) in.n };
    int rc = 0, end = Z_OK;
    bool more = true;
    out->nbytes = 0;
    if (inflateInit(&z) != Z_OK)
        return pcri_fail_nomem(err, in.n);
    while (!rc && end == Z_OK && !(rc = make_room(&z, most, out, &more, err)) && more) {
        end = inflate(&z, Z_NO_FLUSH);
        out->nbytes = (size_t) (z.next_out - out->data);
        if (end == Z_OK && z.avail_out) /* all is read, and it wants more */
            end = Z_BUF_ERROR;
    }
    inflateEnd(&z);
    if (end == Z_MEM_ERROR)
        rc = pcri_fail_nomem(err, in.n);
    if (end != Z_STREAM_END && end != Z_BUF_ERROR)
        out->nbytes = 0;
    return rc;
}
