/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that fail, once or from then on, give the right result or NOMEM.
 *
 * usage: fault-allocations [STEP]   every STEP-th of each scenario fails; 1: every one */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/image.h>
#include <pcr/import.h>
#include <pcr/loader.h>
#include <pcr/writer.h>

#include "fault.h"
#include "generator.h"
#include "write_source.h"

#include "base/base.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
/* The sanitizers have an allocator of their own. */
int main(void)
{
    return 77;
}
#else

/* --- the allocator --- */

void *__libc_malloc(size_t nbytes);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t nbytes);
void *__libc_memalign(size_t alignment, size_t nbytes);

static atomic_long calls, fail_at; /* 0: none fails */
static atomic_bool for_ever;

static bool fails(void)
{
    long n = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fail_at);
    bool yes = at && (n == at || (n > at && atomic_load(&for_ever)));
    if (yes)
        errno = ENOMEM;
    return yes;
}

void *malloc(size_t nbytes)
{
    return fails() ? NULL : __libc_malloc(nbytes);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t nbytes)
{
    return fails() ? NULL : __libc_realloc(p, nbytes);
}

void *aligned_alloc(size_t alignment, size_t nbytes)
{
    return fails() ? NULL : __libc_memalign(alignment, nbytes);
}

/* --- scenarios: each adds what it makes to *sum --- */

static struct test_source source;
static struct test_folder made;
static struct pcr_buffer jpeg, png;

static void add(uint64_t *sum, const void *p, size_t nbytes)
{
    *sum = *sum * 31 + pcri_xxh3(p, nbytes);
}

static int read_samples(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_buffer out = { 0 };
    uint64_t index = 99;
    int rc = pcr_dataset_open(made.path, NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_find(ds, "images/003.jpg", 14, &index, err);
    for (uint64_t i = 0; !rc && i < 6; i++) {
        struct pcr_sample *s = NULL;
        rc = pcr_dataset_sample(ds, i, &s, err);
        if (!rc)
            rc = pcr_sample_read(s, (uint32_t) i % 3, &out, err);
        if (!rc)
            add(sum, out.data, out.nbytes);
        pcr_sample_release(&s);
    }
    add(sum, &index, sizeof(index));
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
    return rc;
}

static int count_finding(void *opaque, uint32_t kind, const char *path, uint64_t done,
                         const struct pcr_error *err)
{
    (void) path, (void) done, (void) err;
    *(int *) opaque += kind != PCR_VERIFY_PROGRESS;
    return 0;
}

static int verify(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct pcr_dataset *ds = NULL;
    int findings = 0;
    int rc = pcr_dataset_open(made.path, NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_verify_record(ds, 0, 1, &report, count_finding, &findings, err);
    pcr_dataset_close(&ds);
    if (findings)
        return 1; /* want of memory is no damage */
    add(sum, &report, sizeof(report));
    return rc;
}

static int decode(const struct pcr_buffer *file, uint32_t flags, uint64_t *sum,
                  struct pcr_error *err)
{
    const struct pcr_decode_options o = { .size = sizeof(o), .flags = flags };
    const struct pcr_resize_options r = { .size = sizeof(r), .filter = PCR_FILTER_BICUBIC };
    struct pcr_decoder *d = NULL;
    struct pcr_buffer pixels = { 0 };
    struct pcr_span span = { file->data, file->nbytes };
    const struct pcr_spans spans = { .items = &span, .count = 1 };
    uint8_t small[16 * 16 * 3];
    int rc = pcr_decoder_create(&d, err);
    if (!rc)
        rc = pcr_decoder_decode_alloc(d, file->data, file->nbytes, &o, &pixels, NULL, err);
    if (!rc)
        rc = pcr_decoder_decode_resized(d, &spans, &o, &r, small, 16, 16, err);
    if (!rc) {
        add(sum, pixels.data, pixels.nbytes);
        add(sum, small, sizeof(small));
    }
    pcr_buffer_free(&pixels);
    pcr_decoder_destroy(&d);
    return rc;
}

static int decode_jpeg(uint64_t *sum, struct pcr_error *err)
{
    return decode(&jpeg, 0, sum, err);
}

static int decode_png(uint64_t *sum, struct pcr_error *err)
{
    return decode(&png, PCR_DECODE_BACKGROUND, sum, err);
}

static struct test_folder lists; /* two images, and lists of them */

static void make_lists(void)
{
    static const char jsonl[] =
        "{\"path\":\"a.jpg\",\"label\":\"ape\","
        "\"attributes\":{\"a name of some length\":\"\\u00e9\\n\"}}\n"
        "{\"path\":\"b.jpg\",\"label\":\"bee\","
        "\"key\":\"a key that is longer than others are\"}\n";
    static const char csv[] = "path,label,note\na.jpg,ape,one\nb.jpg,bee,\"two, or so\"\n";
    const struct { const char *name; const void *bytes; size_t nbytes; } files[] = {
        { "a.jpg", jpeg.data, jpeg.nbytes }, { "b.jpg", jpeg.data, jpeg.nbytes },
        { "list.jsonl", jsonl, sizeof(jsonl) - 1 }, { "list.csv", csv, sizeof(csv) - 1 },
    };
    test_folder_make(&lists);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", lists.path, files[i].name);
        FILE *f = fopen(path, "wb");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(files[i].bytes, 1, files[i].nbytes, f), files[i].nbytes);
        ck_assert_int_eq(fclose(f), 0);
    }
}

static int import(const char *name, uint64_t *sum, struct pcr_error *err)
{
    char path[128];
    struct pcr_source *s = NULL;
    snprintf(path, sizeof(path), "%s%s", lists.path, name);
    int rc = pcr_import_open(path, NULL, &s, err);
    for (uint64_t i = 0; !rc && i < s->sample_count; i++) {
        struct pcr_source_sample one;
        if ((rc = s->describe(s->opaque, i, &one, err)))
            break;
        add(sum, one.key, strlen(one.key));
        if (one.attributes)
            add(sum, one.attributes, strlen(one.attributes));
        add(sum, one.labels, one.label_count * sizeof(*one.labels));
    }
    pcr_source_destroy(s);
    return rc;
}

static int import_jsonl(uint64_t *sum, struct pcr_error *err)
{
    return import("/list.jsonl", sum, err);
}

static int import_csv(uint64_t *sum, struct pcr_error *err)
{
    return import("/list.csv", sum, err);
}

static int import_folder(uint64_t *sum, struct pcr_error *err)
{
    return import("", sum, err);
}

static int load_epoch(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = {
        .size = sizeof(o), .batch_size = 4, .height = 16, .width = 16, .thread_count = 1,
        .reader_count = PCR_NO_READERS, .window_samples = 4, .bad_sample = PCR_SAMPLE_SKIP,
    };
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    struct pcr_batch *b = NULL;
    int rc = pcr_dataset_open(made.path, NULL, &ds, err);
    if (!rc)
        rc = pcr_loader_create(ds, &o, &l, err);
    if (!rc)
        rc = pcr_loader_start_epoch(l, 0, err);
    while (!rc && !(rc = pcr_loader_next(l, &b, err))) {
        add(sum, b->pixels, (size_t) b->sample_count * 16 * 16 * 3);
        pcr_batch_release(b);
    }
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
    return rc == PCR_END ? 0 : rc;
}

static int convert_to(const char *path, struct pcr_error *err)
{
    const struct pcr_write_options o = { .size = sizeof(o), .max_side = 40, .thread_count = 1,
                                         .record_samples = 3 };
    return pcr_dataset_write(path, &source.source, &o, NULL, err);
}

static int convert(uint64_t *sum, struct pcr_error *err)
{
    struct test_folder out;
    struct pcr_buffer text = { 0 };
    long at = atomic_exchange(&fail_at, 0);
    test_folder_make(&out);
    atomic_store(&calls, 0);
    atomic_store(&fail_at, at);
    int rc = convert_to(out.path, err);
    atomic_store(&fail_at, 0);
    long count = atomic_load(&calls);
    if (!rc) {
        test_read(out.path, "manifest.json", &text); /* it has the records' checksums */
        add(sum, text.data, text.nbytes);
    }
    pcr_buffer_free(&text);
    test_folder_free(&out);
    atomic_store(&calls, count);
    return rc;
}

static const struct {
    const char *name;
    int (*run)(uint64_t *sum, struct pcr_error *err);
    long step; /* in the suite */
} scenarios[] = {
    { "read", read_samples, 3 }, { "verify", verify, 17 }, { "decode JPEG", decode_jpeg, 1 },
    { "decode PNG", decode_png, 1 }, { "loader", load_epoch, 19 },
    { "JSON lines", import_jsonl, 1 }, { "CSV", import_csv, 1 }, { "folder", import_folder, 1 },
    { "convert", convert, 41 },
};

/* Lets the allocations from..step.. of a scenario fail; prints a line. Returns what is wrong. */
static int try_scenario(size_t k, long step, bool lasting)
{
    uint64_t right = 0, sum;
    char name[64];
    struct fault_row row = { .name = name };
    struct pcr_error err = { .message = "" };
    snprintf(name, sizeof(name), "%s, %s", scenarios[k].name, lasting ? "for ever" : "once");
    if (scenarios[k].run(&right, &err)) {
        fprintf(stderr, "%s: fails by itself: %s\n", scenarios[k].name, err.message);
        return 1;
    }
    for (long n = 1;; n += step, row.trials++) {
        sum = 0;
        err = (struct pcr_error) { .message = "" };
        atomic_store(&for_ever, lasting);
        atomic_store(&calls, 0);
        atomic_store(&fail_at, n);
        int rc = scenarios[k].run(&sum, &err);
        atomic_store(&fail_at, 0);
        if (atomic_load(&calls) < n)
            break;
        if (rc == PCR_ERR_NOMEM && err.code == rc && err.message[0]) {
            row.errors++;
        } else if (!rc && sum == right) {
            row.results++;
        } else {
            row.wrong++;
            fprintf(stderr, "%s, allocation %ld: %d %s\n", name, n, rc,
                    rc ? err.message : "another result");
        }
    }
    fault_print(&row);
    return (int) row.wrong;
}

static long all_steps; /* 0: each scenario's own */

START_TEST(all)
{
    struct pcr_error err = { .message = "" };
    int wrong = 0;
    test_source_init(&source, 6);
    test_source_set_case(&source, 2, "png-rgb");
    test_folder_make(&made);
    ck_assert_int_eq(pcr_gen_photo(3, 60, 44, 85, 0, &jpeg), 0);
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find("png-rgb"), &png, &err), 0);
    ck_assert_int_eq(convert_to(made.path, &err), 0);
    make_lists();
    for (size_t k = 0; k < sizeof(scenarios) / sizeof(scenarios[0]); k++)
        for (int lasting = 0; lasting < 2; lasting++)
            wrong += try_scenario(k, all_steps ? all_steps : scenarios[k].step, lasting);
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&png);
    test_folder_free(&made);
    test_folder_free(&lists);
    test_source_free(&source);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s = suite_create("allocations");
    TCase *t = tcase_create("all");
    all_steps = argc > 1 ? atol(argv[1]) : 0;
    suite_add_tcase(s, t);
    tcase_set_timeout(t, 600);
    tcase_add_test(t, all);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
