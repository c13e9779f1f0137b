/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of columns at the start of a head or tail. */
#include "columns.h"

#include "../base/zstd.h"
#include "record.h"

enum { ENTRY_NBYTES = 16, MOST_COLUMNS = 65536 };

static bool is_known(const uint8_t *entry, uint32_t last)
{
    uint16_t id = pcri_load16(entry);
    return id >= 1 && id <= last;
}

/* Reads the table into raw, and checks that the columns and it are raw_nbytes; kept_out: those of
 * the known ones and the table. */
static int unpack_table(struct pcri_unpacker *u, size_t raw_nbytes, uint32_t last,
                        struct pcr_buffer *raw, uint64_t *kept_out, struct pcr_error *err)
{
    uint8_t word[4];
    int rc = pcri_unpacker_read(u, word, sizeof(word), err);
    uint32_t count = rc ? 0 : pcri_load32(word);
    uint64_t table = 4 + (uint64_t) count * ENTRY_NBYTES, left = raw_nbytes;
    if (rc)
        return rc;
    if (count > MOST_COLUMNS || table > left)
        return pcri_fail(err, PCR_ERR_CORRUPT, "%u columns do not fit %zu bytes", count,
                         raw_nbytes);
    rc = pcri_buffer_reserve(raw, (size_t) table, err);
    if (!rc)
        rc = pcri_unpacker_read(u, raw->data + 4, (size_t) table - 4, err);
    if (rc)
        return rc;
    memcpy(raw->data, word, sizeof(word));
    raw->nbytes = (size_t) table;
    *kept_out = table;
    left -= table;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = raw->data + 4 + (size_t) i * ENTRY_NBYTES;
        uint64_t n = pcri_load64(entry + 8);
        if (n > left)
            return pcri_fail(err, PCR_ERR_CORRUPT, "column %u ends beyond the %zu bytes",
                             pcri_load16(entry), raw_nbytes);
        left -= n;
        *kept_out += is_known(entry, last) ? n : 0;
    }
    return left ? pcri_fail(err, PCR_ERR_CORRUPT, "%llu bytes after the last column",
                            (unsigned long long) left)
                : 0;
}

/* Reads the columns after the table: appends those that are known. */
static int unpack_known(struct pcri_unpacker *u, uint32_t last, uint64_t kept,
                        struct pcr_buffer *raw, struct pcr_error *err)
{
    uint32_t count = pcri_load32(raw->data);
    int rc = pcri_buffer_reserve(raw, (size_t) kept, err);
    for (uint32_t i = 0; i < count && !rc; i++) {
        uint8_t *entry = raw->data + 4 + (size_t) i * ENTRY_NBYTES;
        size_t n = (size_t) pcri_load64(entry + 8);
        bool known = is_known(entry, last);
        rc = pcri_unpacker_read(u, known ? raw->data + raw->nbytes : NULL, n, err);
        if (known)
            raw->nbytes += n;
        else
            pcri_store64(entry + 8, 0);
    }
    return rc ? rc : pcri_unpacker_finish(u, err);
}

int pcri_columns_unpack(const uint8_t *p, size_t nbytes, size_t raw_nbytes, uint32_t last,
                        struct pcr_buffer *raw, struct pcr_error *err)
{
    struct pcri_unpacker *u = NULL;
    uint64_t kept = 0;
    if (!pcri_expands_too_far(nbytes, raw_nbytes))
        return pcri_zstd_unpack(p, nbytes, raw_nbytes, raw, err);
    raw->nbytes = 0;
    int rc = pcri_unpacker_create(p, nbytes, raw_nbytes, &u, err);
    if (!rc)
        rc = unpack_table(u, raw_nbytes, last, raw, &kept, err);
    if (!rc && pcri_expands_too_far(nbytes, kept))
        rc = pcri_fail(err, PCR_ERR_LIMIT,
                       "%llu bytes stored as %zu, above the limit of %d times "
                       "as many",
                       (unsigned long long) kept, nbytes, PCRI_EXPANSION);
    if (!rc)
        rc = unpack_known(u, last, kept, raw, err);
    pcri_unpacker_destroy(&u);
    return rc;
}

int pcri_columns_parse(const struct pcr_buffer *raw, uint32_t last, struct pcri_cursor cols[],
                       struct pcr_error *err)
{
    uint8_t seen[65536 / 8] = { 0 };
    memset(cols, 0, (last + 1) * sizeof(*cols));
    if (raw->nbytes < 4)
        return pcri_fail(err, PCR_ERR_CORRUPT, "no column count in %zu bytes", raw->nbytes);
    uint32_t count = pcri_load32(raw->data);
    if (count > (raw->nbytes - 4) / ENTRY_NBYTES)
        return pcri_fail(err, PCR_ERR_CORRUPT, "%u columns do not fit %zu bytes", count,
                         raw->nbytes);

    const uint8_t *entry = raw->data + 4;
    struct pcri_cursor rest = { entry + (size_t) count * ENTRY_NBYTES, raw->data + raw->nbytes,
                                false };
    for (uint32_t i = 0; i < count; i++, entry += ENTRY_NBYTES) {
        uint16_t id = pcri_load16(entry), flags = pcri_load16(entry + 2);
        const uint8_t *p = pcri_get_bytes(&rest, pcri_load64(entry + 8));
        if (!p)
            return pcri_fail(err, PCR_ERR_CORRUPT, "column %u ends beyond the %zu bytes", id,
                             raw->nbytes);
        if (seen[id / 8] & 1 << id % 8)
            return pcri_fail(err, PCR_ERR_CORRUPT, "column %u appears twice", id);
        seen[id / 8] |= (uint8_t) (1 << id % 8);
        if (id >= 1 && id <= last)
            cols[id] = (struct pcri_cursor) { p, rest.p, false };
        else if (flags & PCRI_COLUMN_REQUIRED)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                             "column %u is required, but this version does not know it", id);
    }
    if (rest.p != rest.end)
        return pcri_fail(err, PCR_ERR_CORRUPT, "%zu bytes after the last column",
                         pcri_left(&rest));
    return 0;
}

int pcri_column_find(const struct pcr_buffer *raw, uint16_t id, struct pcri_cursor *out,
                     struct pcr_error *err)
{
    struct pcri_cursor cols[PCRI_COLUMN_LAST + 1];
    *out = (struct pcri_cursor) { 0 };
    if (id < 1 || id > PCRI_COLUMN_LAST)
        return pcri_fail(err, PCR_ERR_INVAL, "there is no column %u", id);
    int rc = pcri_columns_parse(raw, PCRI_COLUMN_LAST, cols, err);
    if (!rc)
        *out = cols[id];
    return rc;
}
