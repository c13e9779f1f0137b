/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of the writer: sources in memory, and folders compared byte by byte. */
#ifndef PCR_TEST_WRITE_SOURCE_H
#define PCR_TEST_WRITE_SOURCE_H

#include <stdbool.h>

#include <pcr/writer.h>

#include "folder.h"

enum { TEST_MAX_SAMPLES = 128 };

/* A source whose samples are in memory. The same numbers make the same source. */
struct test_source {
    struct pcr_source source;
    struct test_sample {
        char key[64];
        struct pcr_buffer file;
        const char *attributes;
        int64_t label;
        uint32_t split;
        int load_code; /* what load() returns instead of the file */
        struct pcr_file_info info;
    } samples[TEST_MAX_SAMPLES];
    unsigned delay_us; /* load() takes at least so long */
    uint64_t revision; /* of all samples */
};

/* `count` photographs of 64 x 48 pixels in 3 classes and 2 splits. */
void test_source_init(struct test_source *s, uint32_t count);
void test_source_free(struct test_source *s);
/* Replaces sample i's file by bytes, or by a case of the generator. */
void test_source_set(struct test_source *s, uint32_t i, const void *bytes, size_t nbytes);
void test_source_set_case(struct test_source *s, uint32_t i, const char *name);

/* Reads a file; fails the test if it is not there. */
void test_read_path(const char *path, struct pcr_buffer *out);
void test_read(const char *dir, const char *name, struct pcr_buffer *out);
bool test_exists(const char *dir, const char *name);
/* Files in the folder whose names end in `ending`. */
unsigned test_count(const char *dir, const char *ending);
/* Is the descriptor's file called so, by the end of its path? */
bool test_is_named(int fd, const char *ending);
/* Both folders hold the same names with the same bytes. */
void test_same_folders(const char *a, const char *b);

#endif
