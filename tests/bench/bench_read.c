/* SPDX-License-Identifier: BSD-2-Clause */
/* What reading a prefix costs: bytes that come into the page cache, and time.
 *
 * usage: bench-read [DATASET]
 *
 * For each fidelity the record files are dropped from the page cache, every record's prefix
 * is read through pcr_slice_read(), and mincore() counts the pages that came in: the bytes
 * that storage had to give, whatever the readahead setting. They should be at most 1.01
 * times the prefixes and 8 KiB a record. A second reading, from the page cache, gives GB/s
 * with checksums on. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/dataset.h>

#include "bench.h"

struct bench {
    const char *folder;
    struct pcr_dataset *ds;
    uint64_t record_count;
    struct pcr_error err;
};

/* Maps each record file: drops it from the cache, or counts its pages there. */
static int each_file(struct bench *b, int drop, uint64_t *resident_nbytes)
{
    long page = sysconf(_SC_PAGESIZE);
    *resident_nbytes = 0;
    for (uint64_t r = 0; r < b->record_count; r++) {
        struct pcr_record_info info = { .size = sizeof(info) };
        char path[4096];
        struct stat st;
        if (pcr_dataset_record(b->ds, r, &info, &b->err))
            return -1;
        snprintf(path, sizeof(path), "%s/%s", b->folder, info.path);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st)) {
            perror(path);
            return -1;
        }
        size_t nbytes = (size_t) st.st_size, pages = (nbytes + (size_t) page - 1) / (size_t) page;
        unsigned char *in = malloc(pages);
        void *map = mmap(NULL, nbytes, PROT_READ, MAP_SHARED, fd, 0);
        int rc = !in || map == MAP_FAILED;
        if (!rc && drop) {
            rc = fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        } else if (!rc) {
            rc = mincore(map, nbytes, in);
            for (size_t i = 0; !rc && i < pages; i++)
                *resident_nbytes += in[i] & 1 ? (uint64_t) page : 0;
        }
        if (map != MAP_FAILED)
            munmap(map, nbytes);
        free(in);
        close(fd);
        if (rc)
            return -1;
    }
    return 0;
}

static int read_all(struct bench *b, uint32_t g, uint64_t *prefix_nbytes, double *seconds)
{
    double t = bench_wall();
    *prefix_nbytes = 0;
    for (uint64_t r = 0; r < b->record_count; r++) {
        struct pcr_record_info info = { .size = sizeof(info) };
        struct pcr_slice *slice;
        int rc = pcr_dataset_record(b->ds, r, &info, &b->err);
        if (!rc)
            rc = pcr_slice_read(b->ds, r, 0, info.sample_count, g, &slice, &b->err);
        if (rc)
            return rc;
        pcr_slice_destroy(&slice);
        *prefix_nbytes += pcr_dataset_record_prefix(b->ds, r, g);
    }
    *seconds = bench_wall() - t;
    return 0;
}

/* Opens the dataset anew, so that heads are read again. */
static int reopen(struct bench *b)
{
    pcr_dataset_close(&b->ds);
    return pcr_dataset_open(b->folder, NULL, &b->ds, &b->err);
}

static int measure(struct bench *b, uint32_t g)
{
    uint64_t resident, before, prefix;
    double cold, warm;
    if (reopen(b) || each_file(b, 1, &before) || each_file(b, 0, &before)
        || read_all(b, g, &prefix, &cold) || each_file(b, 0, &resident) || reopen(b)
        || read_all(b, g, &prefix, &warm))
        return -1;
    resident -= before;
    double ratio = (double) resident / (double) prefix;
    double allowed = 1.01 + 8192.0 * (double) b->record_count / (double) prefix;
    printf("%8u  %12llu  %12llu  %6.4f  %7.4f  %8.2f\n", (unsigned) g,
           (unsigned long long) prefix, (unsigned long long) resident, ratio, allowed,
           (double) prefix / warm / 1e9);
    return 0;
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/pcr-bench-XXXXXX";
    struct bench b = { .folder = argc > 1 ? argv[1] : made };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    int rc = argc > 1 ? 0 : bench_dataset_make(made, &b.err);
    if (!rc)
        rc = reopen(&b);
    if (!rc)
        rc = pcr_dataset_describe(b.ds, &info, &b.err);
    b.record_count = info.record_count;
    if (!rc)
        printf("fidelity  prefix bytes   bytes in     ratio  allowed  GB/s from cache\n");
    for (uint32_t g = 1; !rc && g <= info.group_count; g++)
        rc = measure(&b, g);
    pcr_dataset_close(&b.ds);
    if (argc <= 1)
        bench_dataset_remove(made);
    if (rc)
        fprintf(stderr, "bench-read: %s\n", b.err.message);
    return rc != 0;
}
