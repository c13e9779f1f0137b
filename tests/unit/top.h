/* SPDX-License-Identifier: BSD-2-Clause */
/* The one folder of a program's tests, and what they put there. */
#ifndef PCR_TEST_TOP_H
#define PCR_TEST_TOP_H

#include <sys/stat.h>

#include "folder.h"

static struct test_folder top;

static inline void top_make(void)
{
    test_folder_make(&top);
}

static inline void top_free(void)
{
    test_folder_free(&top);
}

static inline const char *at(const char *name)
{
    return test_path(&top, name);
}

static inline void file(const char *name, const char *text)
{
    test_put(&top, name, text, strlen(text));
}

static inline void folder(const char *name)
{
    ck_assert_int_eq(mkdir(at(name), 0777), 0);
}

#endif
