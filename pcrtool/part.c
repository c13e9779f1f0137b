/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a dataset that is measured. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "files.h"
#include "output.h"
#include "part.h"

#define PART_NBYTES (UINT64_C(256) << 20)
enum { WARM_SAMPLES = 256 }; /* read at once */

static void add_record(struct pcrtool_part *part, const struct pcrtool_input *in,
                       uint64_t record, const struct pcr_record_info *info)
{
    part->records[part->record_count++] = record;
    for (uint32_t i = 0; i < info->sample_count; i++)
        part->indices[part->index_count++] = info->first_sample + i;
    for (uint32_t g = 1; g <= part->group_count; g++)
        part->nbytes[g] += pcr_dataset_record_prefix(in->dataset, record, g) - info->head_end;
}

/* Every `step`-th record, until there is enough. */
static int choose(struct pcrtool_part *part, const struct pcrtool_input *in,
                  struct pcr_error *err)
{
    uint64_t total = in->info.total_nbytes, count = in->info.record_count;
    uint64_t step = total / PART_NBYTES + 1;
    if (step > count)
        step = count;
    for (uint64_t r = 0; r < count; r += step) {
        struct pcr_record_info info = { .size = sizeof(info) };
        int rc = pcr_dataset_record(in->dataset, r, &info, err);
        if (rc)
            return rc;
        if (part->nbytes[part->group_count] >= PART_NBYTES)
            break;
        add_record(part, in, r, &info);
    }
    return 0;
}

int pcrtool_part_choose(struct pcrtool_part *part, const struct pcrtool_input *in,
                        const char *path, const char *split)
{
    struct pcr_error err;
    *part = (struct pcrtool_part) { .command = in->command,
                                    .path = path,
                                    .split = split,
                                    .group_count = in->info.group_count };
    if (!in->info.sample_count) {
        pcrtool_error(in->command, "%s has no samples to measure with", path);
        return PCRTOOL_FAILED;
    }
    part->records = pcrtool_calloc(in->info.record_count, sizeof(*part->records));
    part->indices = pcrtool_calloc(in->info.sample_count, sizeof(*part->indices));
    if (!part->records || !part->indices) {
        pcrtool_part_free(part);
        pcrtool_error(in->command, "out of memory");
        return PCRTOOL_FAILED;
    }
    if (choose(part, in, &err)) {
        pcrtool_part_free(part);
        return pcrtool_failed(in->command, &err);
    }
    return PCRTOOL_DONE;
}

void pcrtool_part_free(struct pcrtool_part *part)
{
    free(part->records);
    free(part->indices);
    part->records = part->indices = NULL;
}

int pcrtool_part_open(const struct pcrtool_part *part, uint32_t io_backend,
                      struct pcr_dataset **out, struct pcr_error *err)
{
    const struct pcr_dataset_options options = {
        .size = sizeof(options),
        .split = part->split,
        .io_backend = io_backend,
        .throttle_nbytes_s = part->throttle_nbytes_s,
    };
    return pcr_dataset_open(part->path, &options, out, err);
}

double pcrtool_part_sample_nbytes(const struct pcrtool_part *part, uint32_t fidelity)
{
    return (double) part->nbytes[fidelity] / (double) part->index_count;
}

static int warm_record(struct pcr_dataset *ds, uint64_t record, struct pcr_error *err)
{
    struct pcr_record_info info = { .size = sizeof(info) };
    int rc = pcr_dataset_record(ds, record, &info, err);
    for (uint32_t first = 0; !rc && first < info.sample_count; first += WARM_SAMPLES) {
        uint32_t left = info.sample_count - first;
        struct pcr_slice *slice = NULL;
        rc = pcr_slice_read(ds, record, first, left < WARM_SAMPLES ? left : WARM_SAMPLES, 0,
                            &slice, err);
        if (rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED)
            rc = 0; /* what can be read is in memory */
        pcr_slice_release(&slice);
    }
    return rc;
}

int pcrtool_part_warm(const struct pcrtool_part *part, struct pcr_error *err)
{
    const struct pcr_dataset_options options = { .size = sizeof(options),
                                                 .split = part->split };
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(part->path, &options, &ds, err);
    for (uint64_t i = 0; !rc && i < part->record_count; i++)
        rc = warm_record(ds, part->records[i], err);
    pcr_dataset_close(&ds);
    return rc;
}

/* Whether the middle of the file is still in memory; false if the system cannot tell. */
static bool is_cached(int fd, uint64_t nbytes)
{
    char byte;
    struct iovec v = { &byte, 1 };
    return preadv2(fd, &v, 1, (off_t) (nbytes / 2), RWF_NOWAIT) == 1;
}

static int cool_file(const char *path, uint64_t nbytes, bool *stay_out, struct pcr_error *err)
{
    int fd = PCRTOOL_UNINTERRUPTED(open(path, O_RDONLY | O_CLOEXEC));
    int e = fd < 0 ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (!e && is_cached(fd, nbytes)) {
        /* If it was just written: dirty pages stay until they are on the disk. */
        (void) PCRTOOL_UNINTERRUPTED(
            fdatasync(fd)); /* on failure they stay, which is reported */
        e = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        *stay_out |= !e && is_cached(fd, nbytes);
    }
    if (fd >= 0)
        close(fd);
    if (!e)
        return 0;
    *err = (struct pcr_error) { .code = PCR_ERR_IO, .sys_errno = e, .offset = PCR_NO_OFFSET };
    snprintf(err->message, sizeof(err->message), "%.300s: cannot drop its pages: %s", path,
             strerror(e));
    return PCR_ERR_IO;
}

int pcrtool_part_cool(const struct pcrtool_part *part, struct pcr_dataset *ds, bool *stay_out,
                      struct pcr_error *err)
{
    struct stat st;
    bool folder = !stat(part->path, &st) && S_ISDIR(st.st_mode);
    *stay_out = false;
    for (uint64_t i = 0; i < part->record_count; i++) {
        struct pcr_record_info info = { .size = sizeof(info) };
        char path[PATH_MAX];
        int rc = pcr_dataset_record(ds, part->records[i], &info, err);
        if (rc)
            return rc;
        if (folder)
            snprintf(path, sizeof(path), "%s/%s", part->path, info.path);
        else
            snprintf(path, sizeof(path), "%s", part->path);
        if ((rc = cool_file(path, info.total_nbytes, stay_out, err)))
            return rc;
    }
    return 0;
}
