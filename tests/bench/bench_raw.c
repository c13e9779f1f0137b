/* SPDX-License-Identifier: BSD-2-Clause */
/* Raw batches: bytes a second of CPU time, from the page cache, with checksums.
 *
 * usage: bench-raw [DATASET]
 *
 * One thread makes batches of files. The control does by hand what must be done: pread() of
 * 512 KiB into one buffer, XXH3 of it as the system's library has it, and one copy of it to
 * 16 MiB of other memory. They take turns: medians of nine, each over at least 100 ms. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xxhash.h>

#include <pcr/pcr.h>

#include "bench.h"

enum { ROUNDS = 9, ROUND_MS = 100, PIECE = 512 << 10, OUT = 16 << 20 };

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* Bytes of the files in one epoch; 0 after a failure. */
static double run_epoch(struct pcr_loader *l, uint64_t epoch, struct pcr_error *err)
{
    struct pcr_batch *b;
    double nbytes = 0;
    int rc = pcr_loader_start_epoch(l, epoch, err);
    while (!rc && !(rc = pcr_loader_next(l, &b, err))) {
        nbytes += (double) b->offsets[b->sample_count];
        pcr_batch_release(&b);
    }
    return rc == PCR_END ? nbytes : 0;
}

/* The control on one record file; its bytes, 0 after a failure. */
static double run_control(const char *path, uint8_t *piece, uint8_t *out, uint64_t *hash)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    double nbytes = 0;
    size_t at = 0;
    ssize_t n = 0;
    if (fd < 0)
        return 0;
    for (off_t offset = 0; (n = pread(fd, piece, PIECE, offset)) > 0; offset += n) {
        *hash ^= XXH3_64bits(piece, (size_t) n);
        memcpy(out + at, piece, (size_t) n);
        at = (at + PIECE) % OUT;
        nbytes += (double) n;
    }
    close(fd);
    return n < 0 ? 0 : nbytes;
}

/* GB a second; 0 after a failure. */
static double control_rate(struct pcr_dataset *ds, const char *folder)
{
    uint8_t *piece = malloc(PIECE), *out = malloc(OUT);
    struct pcr_record_info info = { .size = sizeof(info) };
    char path[4096];
    double nbytes = 0, start = cpu_seconds(), spent = 0;
    uint64_t hash = 0;
    for (bool ok = piece && out; ok && spent * 1e3 < ROUND_MS; spent = cpu_seconds() - start)
        for (uint64_t r = 0; ok && !pcr_dataset_record(ds, r, &info, NULL); r++) {
            snprintf(path, sizeof(path), "%s/%s", folder, info.path);
            double n = run_control(path, piece, out, &hash);
            ok = n > 0;
            nbytes += n;
        }
    free(piece);
    free(out);
    return spent > 0 && hash ? nbytes / spent * 1e-9 : 0;
}

/* GB a second; 0 after a failure. */
static double loader_rate(struct pcr_loader *l, uint64_t *epoch, struct pcr_error *err)
{
    double nbytes = 0, start = cpu_seconds(), spent = 0;
    for (; spent * 1e3 < ROUND_MS; spent = cpu_seconds() - start) {
        double n = run_epoch(l, (*epoch)++, err);
        if (!(n > 0))
            return 0;
        nbytes += n;
    }
    return nbytes / spent * 1e-9;
}

static int measure(struct pcr_dataset *ds, const char *folder, uint32_t fidelity,
                   struct pcr_error *err)
{
    static const struct {
        uint32_t id;
        const char *name;
    } orders[] = {
        { PCR_SHUFFLE_NONE, "none" },
        { PCR_SHUFFLE_BLOCK, "block" },
    };
    for (size_t k = 0; k < 2; k++) {
        const struct pcr_loader_options o = {
            .size = sizeof(o),
            .flags = PCR_LOADER_RAW | PCR_LOADER_HUGE_PAGES,
            .fidelity.level = fidelity,
            .threads.count = 1,
            .threads.reader_count = PCR_NO_READERS,
            .order.shuffle = orders[k].id,
        };
        struct pcr_loader *l = NULL;
        double rates[ROUNDS], controls[ROUNDS], ratios[ROUNDS];
        uint64_t epoch = 0;
        int rc = pcr_loader_create(ds, &o, &l, err);
        for (int i = 0; !rc && i < ROUNDS; i++) {
            rates[i] = loader_rate(l, &epoch, err);
            controls[i] = control_rate(ds, folder);
            ratios[i] = rates[i] / controls[i];
            if (!(rates[i] > 0))
                rc = err->code;
        }
        pcr_loader_destroy(&l);
        if (rc)
            return rc;
        printf("fidelity %2u  order %-5s  %5.2f GB/s  control %5.2f  ratio %4.2f\n",
               (unsigned) fidelity, orders[k].name, bench_median(rates, ROUNDS),
               bench_median(controls, ROUNDS), bench_median(ratios, ROUNDS));
    }
    return 0;
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/pcr-bench-XXXXXX";
    const char *folder = argc > 1 ? argv[1] : made;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    struct pcr_error err = { 0 };
    int rc = argc > 1 ? 0 : bench_dataset_make(made, &err);
    if (!rc)
        rc = pcr_dataset_open(folder, NULL, &ds, &err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, &err);
    for (uint32_t g = 1; !rc && g <= info.group_count; g++)
        rc = measure(ds, folder, g, &err);
    pcr_dataset_close(&ds);
    if (argc <= 1)
        bench_dataset_remove(made);
    if (rc)
        fprintf(stderr, "bench-raw: %s\n", err.message);
    return rc != 0;
}
