/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine and this build can do. */
#include <pthread.h>
#include <stdio.h>

#include <jansson.h>
#include <jpeglib.h>
#include <lcms2.h>
#include <pcr/system.h>
#include <png.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include "../base/base.h"
#include "io.h"

/* Filled once; then constant. */
static char cpu_features[160], io_backends[64];
static char png_library[48], zstd_library[48], xxhash_library[48], json_library[48];
static char zlib_library[48], lcms_library[48];
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#ifdef LIBJPEG_TURBO_VERSION
#define JPEG_LIBRARY "libjpeg-turbo " STRING(LIBJPEG_TURBO_VERSION)
#else
#define JPEG_LIBRARY "libjpeg " STRING(JPEG_LIB_VERSION)
#endif

/* Appends a word and a blank between. */
static void append(char *text, size_t text_nbytes, const char *word)
{
    size_t n = strlen(text);
    snprintf(text + n, text_nbytes - n, "%s%s", n ? " " : "", word);
}

static void find_cpu_features(void)
{
#if defined(PCR_PORTABLE)
    /* Nothing of them is used. */
#elif defined(__x86_64__) || defined(__i386__)
    static const char *const names[] = { "sse2",      "ssse3",    "sse4.1",   "popcnt",
                                         "avx",       "avx2",     "bmi",      "bmi2",
                                         "avx512f",   "avx512bw", "avx512vl", "avx512vbmi",
                                         "avx512vnni" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (pcri_cpu_has(names[i]))
            append(cpu_features, sizeof(cpu_features), names[i]);
#elif defined(__ARM_NEON)
    append(cpu_features, sizeof(cpu_features), "neon");
#endif
}

static void fill(void)
{
    unsigned xxhash = XXH_versionNumber(), lcms = (unsigned) cmsGetEncodedCMMversion();
    find_cpu_features();
    for (size_t i = 0; pcri_io_backends[i]; i++)
        if (pcri_io_backends[i] != &pcri_io_uring || !pcri_uring_refused())
            append(io_backends, sizeof(io_backends), pcri_io_backends[i]->name);
    snprintf(png_library, sizeof(png_library), "libpng %s", png_get_libpng_ver(NULL));
    snprintf(zstd_library, sizeof(zstd_library), "zstd %s", ZSTD_versionString());
    snprintf(xxhash_library, sizeof(xxhash_library), "xxHash %u.%u.%u", xxhash / 10000,
             xxhash / 100 % 100, xxhash % 100);
    snprintf(zlib_library, sizeof(zlib_library), "zlib %s", zlibVersion());
    snprintf(lcms_library, sizeof(lcms_library), "Little CMS %u.%u", lcms / 1000,
             lcms / 10 % 100);
    snprintf(json_library, sizeof(json_library), "jansson %s", jansson_version_str());
}

int pcr_system_describe(struct pcr_system_info *info_out, struct pcr_error *err)
{
    pthread_once(&once, fill);
    const struct pcr_system_info info = {
        .size = sizeof(info),
        .cpu_count = pcri_cpu_count(),
        .cpu_features = cpu_features,
        .io_backends = io_backends,
        .jpeg_library = JPEG_LIBRARY,
        .png_library = png_library,
        .zstd_library = zstd_library,
        .xxhash_library = xxhash_library,
        .json_library = json_library,
        .zlib_library = zlib_library,
        .lcms_library = lcms_library,
        .io_uring = pcri_uring_refused() ? pcri_uring_refused() : "",
    };
    return pcri_info_copy(info_out, "pcr_system_info", &info, sizeof(info), err);
}
