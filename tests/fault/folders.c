/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and folders of these programs. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "folders.h"

struct test_folder top_folder;

const char *at(const char *name)
{
    static char paths[8][PATH_NBYTES];
    static unsigned turn;
    char *p = paths[turn++ & 7];
    snprintf(p, sizeof(paths[0]), "%s/%s", top_folder.path, name);
    return p;
}

void folder_add(uint64_t *sum, const void *p, size_t nbytes)
{
    *sum = *sum * 31 + pcri_xxh3(p, nbytes);
}

void each_file(const char *dir, file_fn fn, void *context)
{
    struct dirent **names;
    int count = scandir(dir, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[2 * PATH_NBYTES];
        struct stat st;
        const char *name = names[i]->d_name;
        int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
        ck_assert_int_lt(n, (int) sizeof(path));
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !lstat(path, &st)) {
            if (S_ISDIR(st.st_mode))
                each_file(path, fn, context);
            fn(context, path, S_ISDIR(st.st_mode));
        }
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

static void remove_one(void *context, const char *path, bool is_folder)
{
    ck_assert_int_eq(is_folder ? rmdir(path) : unlink(path), 0);
}

void folder_remove(const char *dir)
{
    each_file(dir, remove_one, NULL);
    (void) rmdir(dir);
}

void folder_write(const char *path, const void *p, size_t nbytes)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, nbytes, f), nbytes);
    ck_assert_int_eq(fclose(f), 0);
}

struct sum {
    uint64_t sum;
    size_t name_at; /* where a name begins that counts */
};

static void add_file(void *context, const char *path, bool is_folder)
{
    struct sum *s = context;
    struct pcr_buffer b = { 0 };
    folder_add(&s->sum, path + s->name_at, strlen(path + s->name_at));
    if (!is_folder)
        test_read_path(path, &b);
    folder_add(&s->sum, b.data, b.nbytes);
    pcr_buffer_free(&b);
}

uint64_t folder_sum(const char *dir)
{
    struct sum s = { .name_at = strlen(dir) };
    each_file(dir, add_file, &s);
    return s.sum;
}

static void copy_one(void *context, const char *path, bool is_folder)
{
    const char *to = context;
    struct pcr_buffer b = { 0 };
    char copy[2 * PATH_NBYTES];
    snprintf(copy, sizeof(copy), "%s/%s", to, strrchr(path, '/') + 1);
    test_read_path(path, &b);
    folder_write(copy, b.data, b.nbytes);
    pcr_buffer_free(&b);
}

void folder_copy(const char *from, const char *to)
{
    char path[PATH_NBYTES];
    snprintf(path, sizeof(path), "%s", to);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    each_file(from, copy_one, path);
}
