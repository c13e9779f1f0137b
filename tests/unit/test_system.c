/* SPDX-License-Identifier: BSD-2-Clause */
/* system: what is told of the machine and the libraries. */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <pcr/system.h>

#include "base/base.h"
#include "suite.h"

START_TEST(describes_the_machine)
{
    struct pcr_system_info info = { .size = sizeof(info) }, again = { .size = sizeof(again) };
    struct pcr_error err;
    ck_assert_int_eq(pcr_system_describe(&info, &err), 0);
    ck_assert_uint_eq(info.size, sizeof(info));
    ck_assert_uint_ge(info.cpu_count, 1);
    ck_assert_str_eq(info.io_backends,
                     *info.io_uring ? "pread mmap direct" : "pread mmap uring direct");
    ck_assert_ptr_nonnull(strstr(info.jpeg_library, "libjpeg"));
    ck_assert_ptr_nonnull(strstr(info.png_library, "libpng 1."));
    ck_assert_ptr_nonnull(strstr(info.zstd_library, "zstd 1."));
    ck_assert_ptr_nonnull(strstr(info.xxhash_library, "xxHash 0."));
    ck_assert_ptr_nonnull(strstr(info.json_library, "jansson 2."));
    ck_assert_ptr_nonnull(strstr(info.zlib_library, "zlib 1."));
    ck_assert_ptr_nonnull(strstr(info.lcms_library, "Little CMS 2."));
#if defined(PCR_PORTABLE)
    ck_assert_str_eq(info.cpu_features, "");
#elif defined(__x86_64__)
    ck_assert_ptr_nonnull(strstr(info.cpu_features, "sse2"));
#else
    ck_assert_ptr_nonnull(info.cpu_features);
#endif
    ck_assert_int_eq(pcr_system_describe(&again, &err), 0);
    ck_assert_mem_eq(&info, &again, sizeof(info));
}
END_TEST

/* The compiler's own table, where there is one. */
START_TEST(finds_what_the_cpu_has)
{
#if !defined(PCR_PORTABLE) && (defined(__x86_64__) || defined(__i386__))
#define SAME(name) ck_assert_int_eq(pcri_cpu_has(name), !!__builtin_cpu_supports(name))
    SAME("sse2");
    SAME("ssse3");
    SAME("sse4.1");
    SAME("popcnt");
    SAME("avx");
    SAME("avx2");
    SAME("bmi");
    SAME("bmi2");
    SAME("avx512f");
    SAME("avx512bw");
    SAME("avx512vl");
    SAME("avx512vbmi");
    SAME("avx512vbmi2");
    SAME("avx512vnni");
    SAME("avx512bitalg");
#undef SAME
#endif
    ck_assert(!pcri_cpu_has("none such"));
}
END_TEST

START_TEST(keeps_to_the_size_given)
{
    struct pcr_system_info info;
    struct pcr_error err;
    memset(&info, 0x55, sizeof(info));
    info.size = offsetof(struct pcr_system_info, io_backends);
    ck_assert_int_eq(pcr_system_describe(&info, &err), 0);
    ck_assert_uint_eq(info.size, offsetof(struct pcr_system_info, io_backends));
    const unsigned char *rest = (const unsigned char *) &info;
    for (size_t i = info.size; i < sizeof(info); i++)
        ck_assert_uint_eq(rest[i], 0x55);
    info.size = 0;
    ck_assert_int_eq(pcr_system_describe(&info, &err), PCR_ERR_INVAL);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("system");
    tcase_add_test(t, describes_the_machine);
    tcase_add_test(t, finds_what_the_cpu_has);
    tcase_add_test(t, keeps_to_the_size_given);
    return tests_run();
}
