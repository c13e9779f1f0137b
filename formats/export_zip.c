/* SPDX-License-Identifier: BSD-2-Clause */
/* The exporter `zip`: files under their keys, not compressed; ZIP64 where there are many. */
#include <zlib.h>

#include "../libpcr/base/utf8.h"
#include "export_shards.h"

enum {
    LOCAL = 0x04034b50,
    CENTRAL = 0x02014b50,
    END_64 = 0x06064b50,
    LOCATOR_64 = 0x07064b50,
    END = 0x06054b50,
    LOCAL_NBYTES = 30,
    CENTRAL_NBYTES = 46,
    UTF8 = 1 << 11,       /* flag: the name is UTF-8 */
    OLDEST_DATE = 0x0021, /* 1980-01-01 */
    REGULAR = 0100644,    /* a file's mode */
};

static int write_local(struct pcr_buffer *out, const char *name, size_t name_nbytes,
                       uint32_t crc, uint64_t nbytes, struct pcr_error *err)
{
    uint8_t h[LOCAL_NBYTES] = { 0 };
    if (nbytes >= UINT32_MAX || name_nbytes > UINT16_MAX)
        return pcri_fail(err, PCR_ERR_LIMIT, "%.200s: too large for a zip file", name);
    pcri_store32(h, LOCAL);
    pcri_store16(h + 4, 20);
    pcri_store16(h + 6, pcri_utf8_valid(name, name_nbytes) ? UTF8 : 0);
    pcri_store16(h + 12, OLDEST_DATE);
    pcri_store32(h + 14, crc);
    pcri_store32(h + 18, (uint32_t) nbytes);
    pcri_store32(h + 22, (uint32_t) nbytes);
    pcri_store16(h + 26, (uint16_t) name_nbytes);
    int rc = pcri_buffer_append(out, h, sizeof(h), err);
    return rc ? rc : pcri_buffer_append(out, name, name_nbytes, err);
}

static int write_blob(const struct pcri_export_sample *s, const struct pcri_export_blob *blob,
                      struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcr_buffer *b = &blob->bytes;
    const uLong crc = b->nbytes < UINT32_MAX ? crc32(0, b->data, (uInt) b->nbytes) : 0;
    struct pcr_buffer path = { 0 };
    int rc = pcri_export_blob_path(s->info, blob, &path, err);
    if (!rc)
        rc = write_local(out, (const char *) path.data, path.nbytes, (uint32_t) crc, b->nbytes,
                         err);
    pcr_buffer_free(&path);
    return rc ? rc : pcri_buffer_append(out, b->data, b->nbytes, err);
}

static int encode(const struct pcri_export_sample *s, struct pcr_buffer *out,
                  struct pcr_buffer *name, struct pcr_error *err)
{
    const struct pcr_sample_info *info = s->info;
    uLong crc = 0;
    if (s->taken)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: another file has this name", info->key);
    if (s->nbytes < UINT32_MAX)
        for (uint32_t i = 0; i < s->file->count; i++)
            crc = crc32(crc, s->file->items[i].data, (uInt) s->file->items[i].nbytes);
    int rc = pcri_buffer_append(name, info->key, info->key_nbytes, err);
    if (!rc)
        rc = write_local(out, info->key, info->key_nbytes, (uint32_t) crc, s->nbytes, err);
    if (!rc)
        rc = pcri_export_append_file(s, out, err);
    for (uint32_t i = 0; i < s->blob_count && !rc; i++)
        rc = write_blob(s, &s->blobs[i], out, err);
    return rc;
}

/* Adds to the directory what a local header says. */
static int add_entry(struct pcri_export *x, const uint8_t *bytes, uint64_t offset,
                     struct pcr_error *err)
{
    uint8_t h[CENTRAL_NBYTES] = { 0 }, wide[12];
    bool far = offset >= UINT32_MAX;
    pcri_store32(h, CENTRAL);
    pcri_store16(h + 4, 3 << 8 | 45); /* Unix */
    pcri_store16(h + 6, far ? 45 : 20);
    memcpy(h + 8, bytes + 6, 22); /* flags to the length of the name */
    pcri_store16(h + 30, far ? sizeof(wide) : 0);
    pcri_store32(h + 38, (uint32_t) REGULAR << 16);
    pcri_store32(h + 42, far ? UINT32_MAX : (uint32_t) offset);
    pcri_store16(wide, 1);
    pcri_store16(wide + 2, 8);
    pcri_store64(wide + 4, offset);
    int rc = pcri_tape_append(&x->index, h, sizeof(h), err);
    if (!rc)
        rc = pcri_tape_append(&x->index, bytes + LOCAL_NBYTES, pcri_load16(bytes + 26), err);
    if (!rc && far)
        rc = pcri_tape_append(&x->index, wide, sizeof(wide), err);
    x->index_count++;
    return rc;
}

/* Files of a sample: the image, and its blobs. */
static int added(struct pcri_export *x, const uint8_t *bytes, size_t nbytes, uint64_t offset,
                 struct pcr_error *err)
{
    int rc = 0;
    for (uint64_t at = 0; at < nbytes && !rc;) {
        rc = add_entry(x, bytes + at, offset + at, err);
        at += LOCAL_NBYTES + (uint64_t) pcri_load16(bytes + at + 26) +
              pcri_load32(bytes + at + 22);
    }
    return rc;
}

/* What readers need where a number does not fit the end's fields. */
static int write_end_64(struct pcr_buffer *out, uint64_t count, uint64_t nbytes,
                        uint64_t offset, struct pcr_error *err)
{
    uint8_t h[56 + 20] = { 0 };
    pcri_store32(h, END_64);
    pcri_store64(h + 4, 56 - 12);
    pcri_store16(h + 12, 3 << 8 | 45);
    pcri_store16(h + 14, 45);
    pcri_store64(h + 24, count);
    pcri_store64(h + 32, count);
    pcri_store64(h + 40, nbytes);
    pcri_store64(h + 48, offset);
    pcri_store32(h + 56, LOCATOR_64);
    pcri_store64(h + 64, offset + nbytes);
    pcri_store32(h + 72, 1);
    return pcri_buffer_append(out, h, sizeof(h), err);
}

/* What follows the directory. */
static int end(struct pcri_export *x, uint64_t offset, struct pcr_buffer *out,
               struct pcr_error *err)
{
    uint64_t count = x->index_count, nbytes = x->index.nbytes;
    bool wide = count >= UINT16_MAX || nbytes >= UINT32_MAX || offset >= UINT32_MAX;
    uint8_t h[22] = { 0 };
    int rc = wide ? write_end_64(out, count, nbytes, offset, err) : 0;
    pcri_store32(h, END);
    pcri_store16(h + 8, (uint16_t) (wide ? UINT16_MAX : count));
    pcri_store16(h + 10, (uint16_t) (wide ? UINT16_MAX : count));
    pcri_store32(h + 12, (uint32_t) (wide ? UINT32_MAX : nbytes));
    pcri_store32(h + 16, (uint32_t) (wide ? UINT32_MAX : offset));
    return rc ? rc : pcri_buffer_append(out, h, sizeof(h), err);
}

static int take_crc(void *context, const void *data, size_t nbytes, struct pcr_error *err)
{
    uLong *crc = context;
    (void) err;
    *crc = crc32(*crc, data, (uInt) nbytes);
    return 0;
}

static int put(struct pcri_export *x, const char *name, const struct pcri_tape *bytes,
               struct pcr_error *err)
{
    struct pcr_buffer local = { 0 };
    uLong crc = 0;
    int rc = pcri_tape_play(bytes, take_crc, &crc, err);
    if (!rc)
        rc = write_local(&local, name, strlen(name), (uint32_t) crc, bytes->nbytes, err);
    if (!rc)
        rc = pcri_shards_append(x, local.data, local.nbytes, bytes, err);
    pcr_buffer_free(&local);
    return rc;
}

const struct pcri_exporter pcri_export_zip = {
    .name = "zip",
    .ending = ".zip",
    .abilities = PCRI_EXPORT_STREAM | PCRI_EXPORT_NAMES | PCRI_EXPORT_DIFFER |
                 PCRI_EXPORT_LISTS | PCRI_EXPORT_SHARDS | PCRI_EXPORT_BESIDE,
    .encode = encode,
    .refuse = pcri_export_refuse_name,
    .open = pcri_shards_open,
    .add = pcri_shards_add,
    .finish = pcri_shards_finish,
    .close = pcri_shards_close,
    .put = put,
    .added = added,
    .end = end,
};
