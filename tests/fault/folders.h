/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and folders of these programs: made, removed, and added up to tell whether they differ. */
#ifndef PCR_TESTS_FAULT_FOLDERS_H
#define PCR_TESTS_FAULT_FOLDERS_H

#include <stdbool.h>

#include "write_source.h"

enum { PATH_NBYTES = 256 };

/* The program's folder, made and freed as others are. */
extern struct test_folder top_folder;
/* A path in it; eight of them are good at a time. Not thread-safe. */
const char *at(const char *name);

/* Adds bytes to what results are compared by. */
void folder_add(uint64_t *sum, const void *p, size_t nbytes);

/* Calls for each file below a folder in the order of names, and for folders after what they
 * hold. A folder that is not there has none. */
typedef void (*file_fn)(void *context, const char *path, bool is_folder);
void each_file(const char *dir, file_fn fn, void *context);

void folder_remove(const char *dir);
/* Names and bytes of all that is below. */
uint64_t folder_sum(const char *dir);
/* Makes `to` with the files of `from`. */
void folder_copy(const char *from, const char *to);

void folder_write(const char *path, const void *p, size_t nbytes);

#endif
