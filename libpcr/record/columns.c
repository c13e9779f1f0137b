/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of columns at the start of a head or tail. */
#include "columns.h"

#include "record.h"

enum { ENTRY_NBYTES = 16 };

int pcri_columns_parse(const struct pcr_buffer *raw, uint32_t last,
                       struct pcri_cursor cols[], struct pcr_error *err)
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
    struct pcri_cursor rest = { entry + (size_t) count * ENTRY_NBYTES,
                                raw->data + raw->nbytes, false };
    for (uint32_t i = 0; i < count; i++, entry += ENTRY_NBYTES) {
        uint16_t id = pcri_load16(entry), flags = pcri_load16(entry + 2);
        const uint8_t *p = pcri_get_bytes(&rest, pcri_load64(entry + 8));
        if (!p)
            return pcri_fail(err, PCR_ERR_CORRUPT, "column %u ends beyond the %zu bytes",
                             id, raw->nbytes);
        if (seen[id / 8] & 1 << id % 8)
            return pcri_fail(err, PCR_ERR_CORRUPT, "column %u stands twice", id);
        seen[id / 8] |= (uint8_t) (1 << id % 8);
        if (id >= 1 && id <= last)
            cols[id] = (struct pcri_cursor) { p, rest.p, false };
        else if (flags & PCRI_COLUMN_REQUIRED)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                             "column %u is required, and this version does not know it",
                             id);
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
