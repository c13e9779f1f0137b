/* SPDX-License-Identifier: BSD-2-Clause */
/* What reading prefixes costs, by backend: bytes that come into the page cache, and time.
 *
 * usage: bench-read [DATASET]
 *
 * The record files are dropped from the page cache, every record is read through
 * pcr_slice_read(), and mincore() counts the pages that came in: the bytes that storage had to
 * give, whatever the readahead setting (O_DIRECT brings none). They should be at most 1.01
 * times what was asked for and 8 KiB a record. A second reading finds the files in the page
 * cache, and is with checksums too. First whole records, then slices of 16 samples: as many
 * short ranges as the fidelity has groups. Backends take turns; the best of three rounds
 * counts. CPU is this thread's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/dataset.h>

#include "bench.h"

enum { BACKENDS = 4, ROUNDS = 3, SLICE = 16 };

static const struct {
    uint32_t id;
    const char *name;
} backends[BACKENDS] = {
    { PCR_IO_PREAD, "pread" },
    { PCR_IO_MMAP, "mmap" },
    { PCR_IO_URING, "uring" },
    { PCR_IO_DIRECT, "direct" },
};

struct bench {
    const char *folder;
    struct pcr_dataset *ds;
    uint64_t record_count;
    uint32_t slice; /* samples of one read; 0: the whole record */
    struct pcr_error err;
};

/* The best rounds of one backend. */
struct best {
    uint64_t asked, resident; /* bytes */
    double wall[2], cpu[2];   /* seconds: cold, from the page cache */
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
        size_t nbytes = (size_t) st.st_size,
               pages = (nbytes + (size_t) page - 1) / (size_t) page;
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

static int read_record(struct bench *b, uint64_t r, uint32_t g, uint64_t *asked_nbytes)
{
    struct pcr_record_info info = { .size = sizeof(info) };
    int rc = pcr_dataset_record(b->ds, r, &info, &b->err);
    uint32_t step = b->slice ? b->slice : info.sample_count;
    *asked_nbytes += info.head_end;
    for (uint32_t i = 0; i < info.sample_count && !rc; i += step) {
        uint32_t left = info.sample_count - i;
        struct pcr_slice *slice = NULL;
        rc = pcr_slice_read(b->ds, r, i, left < step ? left : step, g, &slice, &b->err);
        if (!rc)
            *asked_nbytes += pcr_slice_nbytes(slice);
        pcr_slice_release(&slice);
    }
    return rc;
}

/* Opens the dataset anew, so that heads are read again and nothing is mapped. */
static int reopen(struct bench *b, uint32_t backend)
{
    const struct pcr_dataset_options options = { .size = sizeof(options),
                                                 .io_backend = backend };
    pcr_dataset_close(&b->ds);
    return pcr_dataset_open(b->folder, &options, &b->ds, &b->err);
}

static int read_all(struct bench *b, uint32_t backend, uint32_t g, int warm, struct best *best)
{
    int rc = reopen(b, backend);
    double wall = bench_wall(), cpu = bench_cpu();
    best->asked = 0;
    for (uint64_t r = 0; r < b->record_count && !rc; r++)
        rc = read_record(b, r, g, &best->asked);
    wall = bench_wall() - wall;
    cpu = bench_cpu() - cpu;
    if (best->wall[warm] == 0 || wall < best->wall[warm])
        best->wall[warm] = wall;
    if (best->cpu[warm] == 0 || cpu < best->cpu[warm])
        best->cpu[warm] = cpu;
    return rc;
}

static int measure(struct bench *b, uint32_t g)
{
    struct best best[BACKENDS] = { 0 };
    uint64_t before;
    for (int k = 0; k < ROUNDS * BACKENDS; k++) {
        int i = k % BACKENDS;
        if (reopen(b, PCR_IO_PREAD) || each_file(b, 1, &before) || each_file(b, 0, &before) ||
            read_all(b, backends[i].id, g, 0, &best[i]) || each_file(b, 0, &best[i].resident))
            return -1;
        best[i].resident -= before;
        /* What O_DIRECT read is in no cache yet. */
        if (backends[i].id == PCR_IO_DIRECT &&
            read_all(b, PCR_IO_PREAD, g, 0, &(struct best) { 0 }))
            return -1;
        if (read_all(b, backends[i].id, g, 1, &best[i]))
            return -1;
    }
    for (int i = 0; i < BACKENDS; i++) {
        const struct best *r = &best[i];
        double mega = (double) r->asked / 1e6;
        printf("%8u  %-7s %7.1f  %6.4f  %7.4f  %8.0f %8.3f  %8.0f %8.3f\n", (unsigned) g,
               backends[i].name, mega, (double) r->resident / (double) r->asked,
               1.01 + 8192.0 * (double) b->record_count / (double) r->asked, mega / r->wall[0],
               r->cpu[0] / mega * 1e3, mega / r->wall[1], r->cpu[1] / mega * 1e3);
    }
    return 0;
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/pcr-bench-XXXXXX";
    struct bench b = { .folder = argc > 1 ? argv[1] : made };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    int rc = argc > 1 ? 0 : bench_dataset_make(made, &b.err);
    if (!rc)
        rc = reopen(&b, PCR_IO_PREAD);
    if (!rc)
        rc = pcr_dataset_describe(b.ds, &info, &b.err);
    b.record_count = info.record_count;
    for (int whole = 1; whole >= 0 && !rc; whole--) {
        b.slice = whole ? 0 : SLICE;
        if (whole)
            printf("whole records\n");
        else
            printf("\nslices of %d samples\n", SLICE);
        printf("                               bytes in          cold              cached\n"
               "fidelity  backend   asked   ratio  allowed      MB/s CPU ms/MB      MB/s "
               "CPU ms/MB\n");
        for (uint32_t g = 1; !rc && g <= info.group_count; g++)
            rc = measure(&b, g);
    }
    pcr_dataset_close(&b.ds);
    if (argc <= 1)
        bench_dataset_remove(made);
    if (rc)
        fprintf(stderr, "bench-read: %s\n", b.err.message);
    return rc != 0;
}
