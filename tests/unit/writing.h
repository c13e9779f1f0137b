/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversions of a source in memory into the tests' folder, as tests of the writer make them. */
#ifndef PCR_TEST_WRITING_H
#define PCR_TEST_WRITING_H

#include "top.h"
#include "write_source.h"

static struct test_source src;
static struct pcr_error error;
static struct pcr_write_options options;
static struct pcr_write_progress report = { .size = sizeof(report) };

/* So many samples, in records of so many. */
static inline void writing_begin(uint32_t count, uint32_t record_samples)
{
    memset(&error, 0, sizeof(error));
    options = (struct pcr_write_options) { .size = sizeof(options),
                                           .record_samples = record_samples,
                                           .thread_count = 2 };
    test_source_init(&src, count);
    test_folder_make(&top);
}

static inline void writing_end(void)
{
    test_source_free(&src);
    test_folder_free(&top);
}

static inline int try_write(const char *name)
{
    return pcr_dataset_write(at(name), &src.source, &options, &report, &error);
}

static inline void write_ok(const char *name)
{
    int rc = try_write(name);
    ck_assert_msg(rc == 0, "%s", error.message);
}

static inline void refused(const char *name, int code, const char *part)
{
    ck_assert_int_eq(try_write(name), code);
    ck_assert_int_eq(error.code, code);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
}

#endif
