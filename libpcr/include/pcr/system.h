/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine and this build can do. */
#ifndef PCR_SYSTEM_H
#define PCR_SYSTEM_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Facts about the machine and the build. All strings are in static storage. */
struct pcr_system_info {
    uint32_t size;              /* set by the caller */
    uint32_t cpu_count;         /* CPUs that this process may use (affinity and quota) */
    const char *cpu_features;   /* e.g. "sse2 ssse3 avx2 bmi2" */
    const char *io_backends;    /* those that work here, e.g. "pread mmap uring direct" */
    const char *jpeg_library;   /* name and version, e.g. "libjpeg-turbo 2.1.5" */
    const char *png_library;    /* name and version */
    const char *zstd_library;   /* name and version */
    const char *xxhash_library; /* name and version */
    const char *json_library;   /* name and version */
    const char *io_uring;       /* "" if it can be used, else the reason why not, e.g.
                                 * "Operation not permitted (sysctl kernel.io_uring_disabled
                                 * is 2)". Found out once per process. PCR_IO_URING=off in the
                                 * environment turns it off */
    const char *zlib_library;   /* name and version */
    const char *lcms_library;   /* name and version */
};

/* Fills *info_out up to its .size. Thread-safe. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_system_describe(struct pcr_system_info *info_out,
                                               struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
