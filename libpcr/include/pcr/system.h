/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine and this build can do. */
#ifndef PCR_SYSTEM_H
#define PCR_SYSTEM_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pcr_system_info {
    uint32_t size;            /* set by the caller */
    uint32_t cpu_count;       /* CPUs that this process may use (affinity and quota) */
    const char *cpu_features; /* e.g. "sse2 ssse3 avx2 bmi2"; static storage */
    const char *io_backends;  /* those that work here, e.g. "pread mmap uring direct" */
    const char *jpeg_library; /* e.g. "libjpeg-turbo 2.1.5" */
    const char *png_library;
    const char *zstd_library;
    const char *xxhash_library;
    const char *json_library;
    const char *io_uring; /* "" where it can be used, else why not, e.g. "Operation not
                                 * permitted (sysctl kernel.io_uring_disabled is 2)". Found
                                 * out once a process; off with PCR_IO_URING=off in the
                                 * environment */
};

/* Fills *info_out up to its .size. Thread-safe. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_system_describe(struct pcr_system_info *info_out,
                                               struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
