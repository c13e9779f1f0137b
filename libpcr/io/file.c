/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads of an open file, whatever its backend. */
#include "io.h"

static int check_ranges(const struct pcri_file *f, const struct pcri_range *ranges,
                        size_t count, struct pcr_error *err)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t end;
        if (__builtin_add_overflow(ranges[i].offset, ranges[i].nbytes, &end) ||
            end > INT64_MAX)
            return pcri_fail_past_end(f, ranges[i].offset, ranges[i].nbytes, f->nbytes, err);
    }
    return 0;
}

static int read_checked(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                        struct pcr_error *err)
{
    if (f->backend->read)
        return f->backend->read(f, ranges, count, err);
    for (size_t i = 0; i < count; i++)
        if (ranges[i].nbytes && ranges[i].offset + ranges[i].nbytes > f->nbytes)
            return pcri_fail_past_end(f, ranges[i].offset, ranges[i].nbytes, f->nbytes, err);
    return pcri_read_by_requests(f, ranges, count, err);
}

int pcri_file_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                   struct pcr_error *err)
{
    int rc = check_ranges(f, ranges, count, err);
    return rc ? rc : read_checked(f, ranges, count, err);
}

int pcri_file_read_again(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                         struct pcr_error *err)
{
    int rc = check_ranges(f, ranges, count, err);
    if (rc)
        return rc;
    return pcri_file_is_cached(f) ? f->backend->read_again(f, ranges, count, err)
                                  : read_checked(f, ranges, count, err);
}

int pcri_fail_past_end(const struct pcri_file *f, uint64_t offset, size_t nbytes,
                       uint64_t file_nbytes, struct pcr_error *err)
{
    int rc = pcri_fail_at(err, PCR_ERR_TRUNCATED, offset,
                          "expected %zu more bytes, but the file ends at byte %llu", nbytes,
                          (unsigned long long) file_nbytes);
    return pcri_prefix(err, rc, "%s", f->path);
}
