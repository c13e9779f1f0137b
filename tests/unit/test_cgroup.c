/* SPDX-License-Identifier: BSD-2-Clause */
/* cgroup: quotas of both versions, of a group and of those above it, from made-up files. */
#include <check.h>
#include <limits.h>
#include <sys/stat.h>

#include "made.h"
#include "suite.h"

static const char *const folders[] = { "a", "a/b", "cpu", "cpu/c" };

static void set_up(void)
{
    made_dir_create();
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        ck_assert_int_eq(mkdir(made_path(folders[i]), 0700), 0);
}

static void put(const char *name, const char *text)
{
    made_write(name, text, strlen(text));
}

static void take(const char *name)
{
    ck_assert_int_eq(unlink(made_path(name)), 0);
}

static void tear_down(void)
{
    for (size_t i = sizeof(folders) / sizeof(folders[0]); i-- > 0;)
        ck_assert_int_eq(rmdir(made_path(folders[i])), 0);
    made_dir_remove();
}

static uint32_t cpus(const char *groups)
{
    char path[512];
    put("groups", groups);
    snprintf(path, sizeof(path), "%s", made_path("groups"));
    return pcri_cgroup_cpus(path, made_folder.path);
}

START_TEST(version_2)
{
    ck_assert_uint_eq(cpus("0::/a/b\n"), UINT32_MAX);
    put("a/b/cpu.max", "250000 100000\n");
    ck_assert_uint_eq(cpus("0::/a/b\n"), 3);
    ck_assert_uint_eq(cpus("0::/a\n"), UINT32_MAX);
    put("a/cpu.max", "200000 100000\n"); /* those above count too */
    ck_assert_uint_eq(cpus("0::/a/b\n"), 2);
    put("cpu.max", "max 100000\n");
    ck_assert_uint_eq(cpus("0::/a/b\n"), 2);
    ck_assert_uint_eq(cpus("0::/\n"), UINT32_MAX);
    put("cpu.max", "1000 100000\n");
    ck_assert_uint_eq(cpus("0::/a/b\n"), 1);
    ck_assert_uint_eq(cpus("0::/\n"), 1);
    ck_assert_uint_eq(cpus("0::/not/here/but/on/the/host\n"), 1);
    take("a/b/cpu.max");
    take("a/cpu.max");
    take("cpu.max");
}
END_TEST

START_TEST(version_1)
{
    put("cpu/c/cpu.cfs_quota_us", "150000\n");
    put("cpu/c/cpu.cfs_period_us", "50000\n");
    put("cpu/cpu.cfs_quota_us", "-1\n");
    put("cpu/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(cpus("5:memory:/x\n4:cpu,cpuacct:/c\n1:name=systemd:/\n"), 3);
    ck_assert_uint_eq(cpus("4:cpuacct,cpu:/c\n0::/\n"), 3);
    ck_assert_uint_eq(cpus("4:cpu:/\n"), UINT32_MAX);
    ck_assert_uint_eq(cpus("4:cpuset:/c\n3:cpuacct:/c\n"), UINT32_MAX);
    take("cpu/c/cpu.cfs_quota_us");
    take("cpu/c/cpu.cfs_period_us");
    take("cpu/cpu.cfs_quota_us");
    take("cpu/cpu.cfs_period_us");
}
END_TEST

START_TEST(what_makes_no_sense)
{
    char path[PATH_MAX + 100];
    static const char *const numbers[] = { "",           "\n",          "max",
                                           "0 0\n",      "-5 100000\n", "7\n",
                                           "100000 0\n", "100000 -1\n", "x y\n" };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        put("a/cpu.max", numbers[i]);
        ck_assert_msg(cpus("0::/a\n") == UINT32_MAX, "%s", numbers[i]);
    }
    put("a/cpu.max", "9223372036854775807 1\n");
    ck_assert_uint_eq(cpus("0::/a\n"), UINT32_MAX);
    put("a/cpu.max", "300000 100000\n");
    ck_assert_uint_eq(cpus("0::/a"), 3);
    ck_assert_uint_eq(cpus(""), UINT32_MAX);
    ck_assert_uint_eq(cpus("0\n:\n::\n0:cpu\ncpu\n"), UINT32_MAX);
    memset(path, '/', sizeof(path));
    memcpy(path, "0::", 3);
    path[sizeof(path) - 1] = '\0';
    ck_assert_uint_eq(cpus(path), UINT32_MAX);
    ck_assert_uint_eq(pcri_cgroup_cpus("/none/such", made_folder.path), UINT32_MAX);
    take("a/cpu.max");
}
END_TEST

int main(void)
{
    TCase *t = tests_case("cgroup");
    tcase_add_unchecked_fixture(t, set_up, tear_down);
    tcase_add_test(t, version_2);
    tcase_add_test(t, version_1);
    tcase_add_test(t, what_makes_no_sense);
    return tests_run();
}
