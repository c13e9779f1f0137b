/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scenarios of fault-allocations work on. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/image.h>

#include "generator.h"
#include "memory.h"
#include "scenarios.h"

struct datasets datasets;

/* --- pictures --- */

static struct {
    const char *name;
    struct pcr_buffer file;
} pictures[64];

const struct pcr_buffer *picture(const char *name)
{
    size_t i = 0;
    memory_pause(); /* what Check does, too */
    while (pictures[i].name && strcmp(pictures[i].name, name) != 0)
        i++;
    ck_assert_uint_lt(i + 1, sizeof(pictures) / sizeof(pictures[0]));
    if (!pictures[i].name) {
        const struct pcr_gen_case *c = pcr_gen_find(name);
        ck_assert_msg(c != NULL, "no picture '%s'", name);
        ck_assert_int_eq(pcr_gen_make(c, &pictures[i].file, NULL), 0);
        pictures[i].name = name;
    }
    memory_resume();
    return &pictures[i].file;
}

void pictures_free(void)
{
    for (size_t i = 0; pictures[i].name; i++)
        pcr_buffer_free(&pictures[i].file);
}

/* --- folders --- */

typedef void file_fn(void *context, const char *dir, const char *name);

static void each_file(const char *dir, file_fn *act, void *context)
{
    memory_pause();
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    for (const struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            act(context, dir, e->d_name);
    closedir(d);
    memory_resume();
}

static bool is_folder(const char *path)
{
    struct stat st;
    ck_assert_int_eq(lstat(path, &st), 0);
    return S_ISDIR(st.st_mode);
}

static void remove_file(void *context, const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (is_folder(path)) {
        each_file(path, remove_file, context);
        ck_assert_int_eq(rmdir(path), 0);
    } else {
        ck_assert_int_eq(unlink(path), 0);
    }
}

void folder_empty(const char *path)
{
    each_file(path, remove_file, NULL);
}

static void write_file(const char *dir, const char *name, const struct pcr_buffer *b)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(b->data, 1, b->nbytes, f), b->nbytes);
    ck_assert_int_eq(fclose(f), 0);
}

static void copy_file(void *to, const char *dir, const char *name)
{
    struct pcr_buffer b = { 0 };
    test_read(dir, name, &b);
    write_file(to, name, &b);
    pcr_buffer_free(&b);
}

void folder_copy(const char *from, const char *to)
{
    each_file(from, copy_file, (void *) (uintptr_t) to);
}

static void add_file(void *sum, const char *dir, const char *name)
{
    struct pcr_buffer b = { 0 };
    uint64_t one = 0;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    add_text(&one, name);
    if (is_folder(path))
        each_file(path, add_file, &one);
    else
        test_read(dir, name, &b);
    add(&one, b.data, b.nbytes);
    *(uint64_t *) sum += one; /* in any order */
    pcr_buffer_free(&b);
}

void folder_add(const char *path, uint64_t *sum)
{
    uint64_t all = 0;
    each_file(path, add_file, &all);
    add_number(sum, all);
}

/* --- datasets --- */

static int write_by(const char *path, const struct pcr_source *source,
                    struct pcr_write_options o)
{
    o.size = sizeof(o);
    o.thread_count = 1;
    o.record_samples = 3;
    return pcr_dataset_write(path, source, &o, NULL, NULL);
}

static int write_to(const char *path, const struct pcr_source *source)
{
    return write_by(path, source, (struct pcr_write_options) { 0 });
}

static int describe_floats(void *context, uint64_t i, struct pcr_source_sample *out,
                           struct pcr_error *err)
{
    static const double values[] = { 0.25, -7, 1e300 };
    static const struct pcr_source_blob blobs[] = { { "mask", "of some bytes", 13 },
                                                    { "a", NULL, 0 } };
    int rc = datasets.source.source.describe(context, i, out, err);
    out->labels = NULL;
    out->float_labels = values;
    out->label_count = 1 + (uint32_t) (i % 3);
    out->blobs = blobs;
    out->blob_count = i % 3;
    out->attributes = i % 3 ? "{\"boxes\":[[0.5,1,2,3],[4,5,6,7]],\"n\":-1,\"s\":\"\\u00e9\"}"
                            : "{\"boxes\":[],\"s\":null}";
    return rc;
}

/* The first record of a dataset of two splits' records. */
static void first_record(const char *dir, char *path, size_t nbytes)
{
    struct pcr_record_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    ck_assert_int_eq(pcr_dataset_open(dir, NULL, &ds, NULL), 0);
    ck_assert_int_eq(pcr_dataset_record(ds, 1, &info, NULL), 0);
    snprintf(path, nbytes, "%s/%s", dir, info.path);
    pcr_dataset_close(&ds);
}

/* Changes a copy of the dataset: flips a byte near the end of a record's groups, or cuts the
 * record in half. */
static void spoil(struct test_folder *f, bool cut)
{
    char path[128];
    struct stat st;
    test_folder_make(f);
    folder_copy(datasets.made.path, f->path);
    first_record(f->path, path, sizeof(path));
    ck_assert_int_eq(stat(path, &st), 0);
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    if (cut) {
        ck_assert_int_eq(ftruncate(fileno(file), st.st_size * 6 / 10), 0);
    } else {
        ck_assert_int_eq(fseek(file, (long) st.st_size * 9 / 10, SEEK_SET), 0);
        int c = fgetc(file);
        ck_assert_int_eq(fseek(file, -1, SEEK_CUR), 0);
        ck_assert_int_eq(fputc(c ^ 1, file), c ^ 1);
    }
    ck_assert_int_eq(fclose(file), 0);
}

static int loads_left;

static int load_some(void *context, uint64_t i, uint64_t max_nbytes, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    if (loads_left-- <= 0)
        return pcri_fail(err, PCR_ERR_CANCELLED, "stopped");
    return datasets.source.source.load(context, i, max_nbytes, out, err);
}

/* A conversion that was stopped when it had a record. */
static void stop(void)
{
    struct pcr_source some = datasets.source.source;
    some.load = load_some;
    test_folder_make(&datasets.stopped);
    for (int most = 1; !test_count(datasets.stopped.path, ".pcr"); most++) {
        folder_empty(datasets.stopped.path);
        loads_left = most;
        ck_assert_int_eq(write_to(datasets.stopped.path, &some), PCR_ERR_CANCELLED);
    }
}

static void fill_cache(void)
{
    const struct pcr_dataset_options o = { .size = sizeof(o),
                                           .cache_dir = datasets.cache.path };
    struct pcr_buffer out = { 0 };
    struct pcr_dataset *ds = NULL;
    ck_assert_int_eq(pcr_dataset_open(datasets.made.path, &o, &ds, NULL), 0);
    for (uint64_t i = 0; i < 6; i++) {
        struct pcr_sample *s = NULL;
        ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, NULL), 0);
        ck_assert_int_eq(pcr_sample_read(s, 0, &out, NULL), 0);
        pcr_sample_release(&s);
    }
    pcr_dataset_close(&ds);
    pcr_buffer_free(&out);
}

/* Replaces sample i by its pixels. */
static void unpack(struct test_source *s, uint32_t i, bool gray)
{
    const struct pcr_decode_options o = { .size = sizeof(o),
                                          .color = gray ? PCR_COLOR_GRAY : PCR_COLOR_RGB };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_buffer pixels = { 0 }, file = { 0 };
    struct pcr_decoder *d = NULL;
    char head[32];
    ck_assert_int_eq(pcr_decoder_create(&d, NULL), 0);
    ck_assert_int_eq(pcr_decoder_decode_alloc(d, s->samples[i].file.data,
                                              s->samples[i].file.nbytes, &o, &pixels, &info,
                                              NULL),
                     0);
    const int n = snprintf(head, sizeof(head), "P%c %u %u 255\n", gray ? '5' : '6',
                           (unsigned) info.width, (unsigned) info.height);
    ck_assert_int_eq(pcri_buffer_append(&file, head, (size_t) n, NULL), 0);
    ck_assert_int_eq(pcri_buffer_append(&file, pixels.data, pixels.nbytes, NULL), 0);
    test_source_set(s, i, file.data, file.nbytes);
    pcr_decoder_destroy(&d);
    pcr_buffer_free(&pixels);
    pcr_buffer_free(&file);
}

void datasets_begin(void)
{
    static const uint8_t webp[] = "RIFF\x10\0\0\0WEBPVP8 ";
    struct datasets *d = &datasets;
    test_source_init(&d->source, 6);
    test_source_set_case(&d->source, 2, "png-rgb");
    test_source_init(&d->odd, 6);
    test_source_set_case(&d->odd, 0, "truncated-half");
    test_source_set(&d->odd, 1, webp, sizeof(webp));
    test_source_set_case(&d->odd, 2, "trailing-text");
    test_source_set_case(&d->odd, 3, "png-bad-data");
    test_source_set_case(&d->odd, 4, "arithmetic");
    test_source_init(&d->pixels, 6);
    for (uint32_t i = 0; i < 3; i++)
        unpack(&d->pixels, i, i == 2);
    test_folder_make(&d->made);
    ck_assert_int_eq(write_by(d->made.path, &d->source.source,
                              (struct pcr_write_options) { .originals = PCR_ORIGINALS_ON }),
                     0);
}

void datasets_make(void)
{
    struct pcr_source floats;
    struct datasets *d = &datasets;
    test_folder_make(&d->floats);
    test_folder_make(&d->cache);
    test_folder_make(&d->out);
    floats = d->source.source;
    floats.describe = describe_floats;
    floats.class_count = 0;
    floats.class_names = NULL;
    ck_assert_int_eq(write_to(d->floats.path, &floats), 0);
    test_folder_make(&d->salvaged);
    ck_assert_int_eq(write_by(d->salvaged.path, &d->odd.source,
                              (struct pcr_write_options) { .bad_policy = PCR_BAD_SALVAGE }),
                     0);
    test_folder_make(&d->scans);
    ck_assert_int_eq(write_by(d->scans.path, &d->source.source,
                              (struct pcr_write_options) { .coding = PCR_CODING_SCANS }),
                     0);
    test_folder_make(&d->exact);
    ck_assert_int_eq(
        write_by(d->exact.path, &d->pixels.source,
                 (struct pcr_write_options) { .pictures = PCR_PICTURES_PROGRESSIVE }),
        0);
    first_record(d->made.path, d->record, sizeof(d->record));
    spoil(&d->damaged, false);
    spoil(&d->cut, true);
    fill_cache();
    stop();
}

void datasets_free(void)
{
    struct datasets *d = &datasets;
    struct test_folder *const folders[] = { &d->made,  &d->damaged, &d->cut, &d->floats,
                                            &d->cache, &d->stopped, &d->out, &d->salvaged,
                                            &d->scans, &d->exact };
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        test_folder_free(folders[i]);
    test_source_free(&d->source);
    test_source_free(&d->odd);
    test_source_free(&d->pixels);
}
