/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening a dataset of 100,000 records: time and peak memory. Fails above 200 MB, or where
 * the best of three takes more than 1 s. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pcr/dataset.h>

#include "io/storage.h"
#include "manifest/manifest.h"

enum { RECORDS = 100000, GROUPS = 6, CLASSES = 1000 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/* A record like one of 1,024 photographs of 110 kB. */
static int add_record(struct pcri_manifest *m, uint32_t number, struct pcr_error *err)
{
    static const uint64_t sizes[GROUPS] = { 14000000, 11000000, 16000000,
                                            24000000, 19000000, 28000000 };
    struct pcri_header h = { .major = 1, .sample_count = 1024, .group_count = GROUPS };
    uint8_t bytes[PCRI_HEADER_MAX_NBYTES];
    char name[64];
    uint64_t end;
    h.head_nbytes = 180000 + number % 1777;
    end = pcri_header_nbytes(GROUPS) + h.head_nbytes;
    for (uint32_t g = 0; g < GROUPS; g++) {
        end += sizes[g] + number * 7919 % 1000000;
        h.groups[g] = (struct pcri_group) { end, number ^ g, 2 };
    }
    pcri_header_write(&h, bytes);
    snprintf(name, sizeof(name), "train-%06u-of-%06u.pcr", number, RECORDS);
    return pcri_manifest_add_record(m, name, &h, err);
}

static int make_manifest(const char *dir, struct pcr_error *err)
{
    struct pcri_manifest m;
    struct pcr_buffer text = { 0 };
    int rc = pcri_manifest_init(&m, GROUPS, "ladder simulated\n", err);
    for (uint32_t c = 0; !rc && c < CLASSES; c++) {
        char name[32];
        snprintf(name, sizeof(name), "class %u", c);
        rc = pcri_manifest_add_class(&m, name, err);
    }
    if (!rc)
        rc = pcri_manifest_add_split(&m, "train", err);
    for (uint32_t r = 0; !rc && r < RECORDS; r++)
        rc = add_record(&m, r, err);
    double begin = seconds();
    if (!rc)
        rc = pcri_manifest_render(&m, &text, err);
    double end = seconds();
    if (!rc)
        rc = pcri_storage_put(&pcri_files, dir, PCRI_MANIFEST_NAME, text.data, text.nbytes,
                              err);
    if (!rc)
        printf("manifest of %d records: %.1f MB, rendered in %.3f s\n", RECORDS,
               1e-6 * (double) text.nbytes, end - begin);
    pcr_buffer_free(&text);
    pcri_manifest_free(&m);
    return rc;
}

/* In a process of its own, so that the peak is that of opening alone. */
static int open_dataset(const char *dir)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_error err;
    struct rusage usage;
    double elapsed = 1e9;
    for (int run = 0; run < 3; run++) {
        double begin = seconds();
        if (pcr_dataset_open(dir, NULL, &ds, &err)) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        double took = seconds() - begin;
        elapsed = took < elapsed ? took : elapsed;
        pcr_dataset_close(&ds);
    }
    getrusage(RUSAGE_SELF, &usage);
    double peak = 1.024e-3 * (double) usage.ru_maxrss;
    printf("opened in %.3f s (limit 1), peak memory %.1f MB (limit 200)\n", elapsed, peak);
    return elapsed > 1 || peak > 200;
}

/* Runs `step` as a child and returns its exit status. */
static int in_child(const char *self, const char *step, const char *dir)
{
    int status = 1;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        execl(self, self, step, dir, (char *) NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    struct pcr_error err;
    if (argc == 3 && !strcmp(argv[1], "make")) {
        int rc = make_manifest(argv[2], &err);
        if (rc)
            fprintf(stderr, "%s\n", err.message);
        return rc != 0;
    }
    if (argc == 3 && !strcmp(argv[1], "open"))
        return open_dataset(argv[2]);

    const char *base = getenv("TMPDIR");
    char dir[256], path[300];
    snprintf(dir, sizeof(dir), "%.200s/pcr-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    int failed = in_child(argv[0], "make", dir);
    if (!failed)
        failed = in_child(argv[0], "open", dir);
    snprintf(path, sizeof(path), "%s/%s", dir, PCRI_MANIFEST_NAME);
    unlink(path);
    rmdir(dir);
    return failed;
}
