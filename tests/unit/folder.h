/* SPDX-License-Identifier: BSD-2-Clause */
/* A test's folder: new and empty, removed with all that is in it, and paths in it. */
#ifndef PCR_TEST_FOLDER_H
#define PCR_TEST_FOLDER_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct test_folder {
    char path[64];
};

static inline void test_folder_make_in(struct test_folder *f, const char *parent)
{
    snprintf(f->path, sizeof(f->path), "%s/pcr-test-XXXXXX", parent);
    ck_assert_ptr_nonnull(mkdtemp(f->path));
}

/* In memory where there is such a place: the writer calls fsync a lot. */
static inline void test_folder_make(struct test_folder *f)
{
    test_folder_make_in(f, access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
}

static inline void test_folder_free(struct test_folder *f)
{
    char command[192];
    snprintf(command, sizeof(command), "chmod -R u+rwX %.63s && rm -rf %.63s", f->path,
             f->path);
    ck_assert_int_eq(system(command), 0);
}

/* A path in it, in one of eight buffers used in turn. Not thread-safe. */
static inline const char *test_path(const struct test_folder *f, const char *name)
{
    static char paths[8][512];
    static unsigned turn;
    char *p = paths[turn++ & 7];
    snprintf(p, sizeof(paths[0]), "%s/%s", f->path, name);
    return p;
}

static inline void test_put(const struct test_folder *f, const char *name, const void *bytes,
                            size_t nbytes)
{
    FILE *file = fopen(test_path(f, name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, nbytes, file), nbytes);
    ck_assert_int_eq(fclose(file), 0);
}

#endif
