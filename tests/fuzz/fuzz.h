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

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

#endif
