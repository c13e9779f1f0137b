/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of the writer: sources in memory, and folders compared byte by byte. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "generator.h"
#include "write_source.h"

static const char *const class_names[] = { "ape", "bee", "cat" };
static const char *const split_names[] = { "test", "train" };

static int describe(void *context, uint64_t i, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    const struct test_source *s = context;
    const struct test_sample *one = &s->samples[i];
    out->key = one->key;
    out->attributes = one->attributes;
    out->labels = &one->label;
    out->label_count = 1;
    out->split = one->split;
    out->nbytes = one->file.nbytes;
    out->revision = s->revision;
    out->file = one->info;
    return 0;
}

static int load(void *context, uint64_t i, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    const struct test_source *s = context;
    const struct test_sample *one = &s->samples[i];
    if (s->delay_us) {
        struct timespec t = { 0, s->delay_us * 1000L };
        nanosleep(&t, NULL);
    }
    if (one->load_code)
        return pcri_fail(err, one->load_code, "made to fail");
    out->nbytes = 0;
    return pcri_buffer_append(out, one->file.data, one->file.nbytes, err);
}

void test_source_init(struct test_source *s, uint32_t count)
{
    memset(s, 0, sizeof(*s));
    ck_assert_uint_le(count, TEST_MAX_SAMPLES);
    for (uint32_t i = 0; i < count; i++) {
        struct test_sample *one = &s->samples[i];
        snprintf(one->key, sizeof(one->key), "images/%03u.jpg", (unsigned) i);
        one->label = i % 3;
        one->split = i % 5 != 0;
        one->attributes = i % 2 ? "{ \"n\": 1,\"a\":[ ]}" : NULL;
        int rc = pcr_gen_photo(i, 64, 48, 85, i % PCR_GEN_SUBSAMPLINGS, &one->file);
        ck_assert_int_eq(rc, 0);
    }
    s->source = (struct pcr_source) {
        .size = sizeof(s->source),
        .class_count = 3,
        .context = s,
        .sample_count = count,
        .class_names = class_names,
        .split_names = split_names,
        .split_count = 2,
        .describe = describe,
        .load = load,
    };
}

void test_source_free(struct test_source *s)
{
    for (uint32_t i = 0; i < TEST_MAX_SAMPLES; i++)
        pcr_buffer_free(&s->samples[i].file);
}

void test_source_set(struct test_source *s, uint32_t i, const void *bytes, size_t nbytes)
{
    s->samples[i].file.nbytes = 0;
    ck_assert_int_eq(pcri_buffer_append(&s->samples[i].file, bytes, nbytes, NULL), 0);
}

void test_source_set_case(struct test_source *s, uint32_t i, const char *name)
{
    const struct pcr_gen_case *c = pcr_gen_find(name);
    ck_assert_msg(c != NULL, "no case '%s'", name);
    ck_assert_int_eq(pcr_gen_make(c, &s->samples[i].file, NULL), 0);
}

void test_read_path(const char *path, struct pcr_buffer *out)
{
    uint8_t block[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s is not there", path);
    out->nbytes = 0;
    while ((n = fread(block, 1, sizeof(block), f)))
        ck_assert_int_eq(pcri_buffer_append(out, block, n, NULL), 0);
    fclose(f);
}

void test_read(const char *dir, const char *name, struct pcr_buffer *out)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    test_read_path(path, out);
}

bool test_exists(const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return !access(path, F_OK);
}

bool test_is_named(int fd, const char *ending)
{
    char link[64], name[512];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof(name));
    size_t m = strlen(ending);
    return n >= (ssize_t) m && !memcmp(name + n - m, ending, m);
}

unsigned test_count(const char *dir, const char *ending)
{
    unsigned count = 0;
    const struct dirent *e;
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d))) {
        size_t n = strlen(e->d_name), m = strlen(ending);
        count += n >= m && !strcmp(e->d_name + n - m, ending);
    }
    closedir(d);
    return count;
}

void test_same_folders(const char *a, const char *b)
{
    struct pcr_buffer x = { 0 }, y = { 0 };
    const struct dirent *e;
    DIR *d = opendir(a);
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d))) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        test_read(a, e->d_name, &x);
        test_read(b, e->d_name, &y);
        ck_assert_msg(x.nbytes == y.nbytes && !memcmp(x.data, y.data, x.nbytes),
                      "%s/%s and %s/%s differ", a, e->d_name, b, e->d_name);
    }
    closedir(d);
    ck_assert_uint_eq(test_count(a, ""), test_count(b, ""));
    pcr_buffer_free(&x);
    pcr_buffer_free(&y);
}
