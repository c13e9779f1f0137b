/* SPDX-License-Identifier: BSD-2-Clause */
/* What fuzz targets share. Each is a file with LLVMFuzzerTestOneInput(), linked either
 * with libFuzzer or with replay.c, which runs files of a corpus through it. */
#ifndef PCR_FUZZ_H
#define PCR_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

/* A broken promise is a crash, as libFuzzer wants it. */
#define FUZZ_CHECK(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: broken: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__); \
            fputc('\n', stderr); \
            abort(); \
        } \
    } while (0)

/* MemorySanitizer takes what libraries write that were built without it, such as libjpeg, for
 * never written. Targets then run our own code alone, and check that all it makes has been
 * written. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define FUZZ_OWN_CODE_ALONE 1
#endif
#endif
#ifdef FUZZ_OWN_CODE_ALONE
#include <sanitizer/msan_interface.h>
#define FUZZ_CHECK_WRITTEN(data, nbytes) __msan_check_mem_is_initialized(data, nbytes)
#define FUZZ_WRITTEN(data, nbytes) __msan_unpoison(data, nbytes) /* by a library */
#else
#define FUZZ_OWN_CODE_ALONE 0
#define FUZZ_CHECK_WRITTEN(data, nbytes) ((void) (data), (void) (nbytes))
#define FUZZ_WRITTEN(data, nbytes) ((void) (data), (void) (nbytes))
#endif

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

#endif
