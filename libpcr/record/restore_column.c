/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading what restores source files out of a record's tail. */
#include <stdlib.h>

#include "columns.h"
#include "file_infos.h"
#include "restore_column.h"

void pcri_restore_column_free(struct pcri_restore_column *c)
{
    pcr_buffer_free(&c->tail);
    free(c->offsets);
    free(c->files);
    *c = (struct pcri_restore_column) { 0 };
}

static int parse_files(uint32_t count, struct pcri_restore_column *out, struct pcr_error *err)
{
    struct pcri_cursor c = { 0 };
    int rc = out->tail.nbytes ? pcri_column_find(&out->tail, PCRI_TAIL_FILES, &c, err) : 0;
    return rc || !c.p ? rc : pcri_file_infos_parse(c, count, &out->files, err);
}

static int parse(uint32_t count, struct pcri_restore_column *out, struct pcr_error *err)
{
    struct pcri_cursor c = { 0 };
    int rc = out->tail.nbytes ? pcri_column_find(&out->tail, PCRI_TAIL_RESTORE, &c, err) : 0;
    if (rc || !c.p)
        return rc;
    const uint8_t *checks = pcri_get_bytes(&c, 4 * (uint64_t) count);
    out->offsets = pcri_calloc((uint64_t) count + 1, sizeof(*out->offsets), err);
    if (!out->offsets)
        return PCR_ERR_NOMEM;
    uint64_t at = 0;
    bool ok = checks != NULL;
    for (uint32_t i = 0; i < count && ok; i++) {
        ok = !__builtin_add_overflow(at, pcri_get_varint(&c), &at) && !c.bad;
        out->offsets[i + 1] = at;
    }
    out->programs = ok ? pcri_get_bytes(&c, at) : NULL;
    if (!out->programs || pcri_left(&c))
        return pcri_fail(err, PCR_ERR_CORRUPT, "tail: what restores files is damaged");
    out->checks = checks;
    return 0;
}

int pcri_restore_column_read(const struct pcri_record *r, const struct pcr_limits *limits,
                             struct pcri_restore_column *out, struct pcr_error *err)
{
    int rc = pcri_record_read_tail(r, limits, &out->tail, err);
    if (!rc && ((rc = parse(r->header.sample_count, out, err)) ||
                (rc = parse_files(r->header.sample_count, out, err))))
        pcri_prefix(err, rc, "%s", r->file->path);
    if (rc)
        pcri_restore_column_free(out);
    return rc;
}
