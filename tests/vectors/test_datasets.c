/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors through the public interface: whole datasets, and each record file as a dataset
 * of its own, with checksums and without. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <pcr/pcr.h>

static unsigned long checked, failures;

static void fail(const char *path, const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s %s\n", path, what, detail);
    failures++;
}

/* Reads every sample alone at every fidelity. */
static int read_samples(struct pcr_dataset *ds, uint64_t first, uint64_t end,
                        uint32_t group_count, struct pcr_error *err)
{
    struct pcr_buffer file = { 0 };
    int rc = 0;
    for (uint64_t i = first; !rc && i < end; i++) {
        struct pcr_sample_info info = { .size = sizeof(info) };
        struct pcr_sample *s = NULL;
        rc = pcr_sample_acquire(ds, i, &s, err);
        if (!rc)
            rc = pcr_sample_describe(s, &info, err);
        for (uint32_t g = 1; !rc && g <= group_count; g++)
            rc = pcr_sample_read(s, g, &file, err);
        pcr_sample_release(&s);
    }
    pcr_buffer_free(&file);
    return rc;
}

/* Reads every record as one slice. */
static int read_slices(struct pcr_dataset *ds, uint64_t record_count, struct pcr_error *err)
{
    struct pcr_buffer file = { 0 };
    int rc = 0;
    for (uint64_t r = 0; !rc && r < record_count; r++) {
        struct pcr_record_info info = { .size = sizeof(info) };
        struct pcr_slice *sl = NULL;
        rc = pcr_dataset_record(ds, r, &info, err);
        if (!rc)
            rc = pcr_slice_read(ds, r, 0, info.sample_count, PCR_FIDELITY_FULL, &sl, err);
        for (uint32_t i = 0; !rc && i < pcr_slice_count(sl); i++)
            rc = pcr_slice_get(sl, i, PCR_FIDELITY_FULL, &file, err);
        pcr_slice_release(&sl);
    }
    pcr_buffer_free(&file);
    return rc;
}

/* The first failure of opening and reading all. */
static int read_all(const char *path, uint32_t flags, struct pcr_error *err)
{
    struct pcr_dataset_options o = { .size = sizeof(o), .flags = flags };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(path, &o, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    if (!rc)
        rc = read_slices(ds, info.record_count, err);
    if (!rc)
        rc = read_samples(ds, 0, info.sample_count, info.group_count, err);
    pcr_dataset_close(&ds);
    return rc;
}

/* What verification finds in all records: 1 for anything, or a code. */
static int verify(const char *path, uint32_t flags, struct pcr_error *err)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(path, NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    for (uint64_t r = 0; !rc && r < info.record_count; r++)
        rc = pcr_dataset_verify_record(ds, r, flags, &report, NULL, NULL, err);
    pcr_dataset_close(&ds);
    return rc ? rc : report.bad_records || report.bad_samples;
}

/* `strict`: reading finds the code. Otherwise only verification does (the tail, and
 * what is after it). */
static void check(const char *path, const char *code, bool strict)
{
    struct pcr_error err = { .message = "" };
    bool good = !strcmp(code, "OK");
    int rc = read_all(path, 0, &err);
    checked++;
    if (strcmp(pcr_code_name(rc), strict ? code : "OK"))
        fail(path, "reading gives", rc ? err.message : "OK");
    int found = verify(path, 0, &err);
    if (!found && !good) /* chunks that are as they were written */
        found = verify(path, PCR_VERIFY_DEEP, &err);
    if (!found != good && strcmp(code, "UNSUPPORTED"))
        fail(path, "verification is of another mind than", code);
    /* Without checksums anything may come out, but safely, and a good one as it is. */
    rc = read_all(path, PCR_DATASET_NO_VERIFY, &err);
    if (rc > 0 || (good && rc))
        fail(path, "without checksums reading gives", err.message);
}

/* The other records of a dataset, whose second one is bad, are readable. */
static void check_others(const char *path, const char *code)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_error err = { .message = "" };
    if (pcr_dataset_open(path, NULL, &ds, &err) || read_samples(ds, 0, 3, 3, &err) ||
        read_samples(ds, 6, 9, 3, &err))
        fail(path, "a good record cannot be read:", err.message);
    if (ds && strcmp(pcr_code_name(read_samples(ds, 4, 5, 3, &err)), code))
        fail(path, "the second record does not give", code);
    pcr_dataset_close(&ds);
}

static void run_index(const char *folder, const char *name, bool datasets)
{
    char path[4096], line[512], file[128], stage[128], code[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    if (!f) {
        fail(path, "cannot be", "opened");
        return;
    }
    while (fgets(line, sizeof(line), f)) {
        if (datasets && sscanf(line, "%127[^\t]\t%127[^\n]", file, code) == 2) {
            bool strict = strcmp(file, "long") !=
                          0; /* bytes after it keep nobody from reading */
            snprintf(path, sizeof(path), "%s/datasets/%s", folder, file);
            check(path, code, strict);
            check_others(path, strict ? code : "OK");
        } else if (!datasets &&
                   sscanf(line, "%127[^\t]\t%127[^\t]\t%127[^\n]", file, stage, code) == 3 &&
                   strcmp(stage, "manifest")) {
            snprintf(path, sizeof(path), "%s/%s", folder, file);
            check(path, code, strcmp(stage, "tail") && !strstr(file, "file-long"));
        }
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    char path[4096];
    for (int i = 1; i < argc; i++) {
        run_index(argv[i], "index.tsv", false);
        snprintf(path, sizeof(path), "%s/datasets/index.tsv", argv[i]);
        FILE *f = fopen(path, "r");
        if (f) {
            fclose(f);
            run_index(argv[i], "datasets/index.tsv", true);
        }
        snprintf(path, sizeof(path), "%s/dataset", argv[i]);
        check(path, "OK", true);
    }
    printf("%lu datasets, %lu failures\n", checked, failures);
    return failures || !checked;
}
