/* SPDX-License-Identifier: BSD-2-Clause */
/* How many CPUs the control groups of this process allow: version 2's cpu.max, version 1's
 * cpu.cfs_quota_us and cpu.cfs_period_us, of its group and of all above it. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"

/* The beginning of a small file as text; "" if there is none. Allocates nothing: for lack of
 * memory the quota would be ignored. */
static void read_text(const char *path, char *out, size_t room)
{
    size_t used = 0;
    ssize_t n = 0;
    int fd = PCRI_UNINTERRUPTED(open(path, O_RDONLY | O_CLOEXEC));
    while (fd >= 0 && (n = PCRI_UNINTERRUPTED(read(fd, out + used, room - 1 - used))) > 0)
        used += (size_t) n;
    if (fd >= 0)
        close(fd);
    out[used] = '\0';
}

/* CPUs that `quota` microseconds in `period` allow, rounded up. */
static uint32_t quota_cpus(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return UINT32_MAX;
    long long n = quota / period + (quota % period != 0);
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t) n;
}

/* Reads up to two numbers from dir/name; the rest of out stays. */
static void read_numbers(const char *dir, const char *name, long long out[2])
{
    char path[PATH_MAX], text[64], *end;
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (n <= 0 || (size_t) n >= sizeof(path))
        return;
    read_text(path, text, sizeof(text));
    out[0] = strtoll(text, &end, 10); /* "max 100000": 0 */
    if (end > text && *end == ' ')
        out[1] = strtoll(end, NULL, 10);
}

/* What the group in this folder allows, in either version's words. */
static uint32_t group_cpus(const char *dir)
{
    long long v2[2] = { 0, 0 }, quota[2] = { 0, 0 }, period[2] = { 0, 0 };
    read_numbers(dir, "cpu.max", v2);
    read_numbers(dir, "cpu.cfs_quota_us", quota);
    read_numbers(dir, "cpu.cfs_period_us", period);
    uint32_t a = quota_cpus(v2[0], v2[1]), b = quota_cpus(quota[0], period[0]);
    return a < b ? a : b;
}

/* The least that a group and those above it allow. In a container the path may be one of the
 * host's, and only its root is visible. */
static uint32_t path_cpus(const char *mount, const char *path)
{
    char dir[PATH_MAX];
    int n = snprintf(dir, sizeof(dir), "%s%s", mount, path);
    uint32_t least = UINT32_MAX;
    if (n < 0 || (size_t) n >= sizeof(dir))
        return least;
    for (;;) {
        uint32_t cpus = group_cpus(dir);
        least = cpus < least ? cpus : least;
        char *slash = strrchr(dir, '/');
        if (!slash || slash < dir + strlen(mount))
            return least;
        *slash = '\0';
    }
}

/* Is "cpu" one of the controllers "cpu,cpuacct"? */
static bool has_cpu(const char *list, size_t nbytes)
{
    for (const char *p = list; p < list + nbytes;) {
        size_t n = strcspn(p, ",:");
        if (n == 3 && !memcmp(p, "cpu", 3))
            return true;
        p += n + 1;
    }
    return false;
}

/* A line "0::/path" (version 2) or "4:cpu,cpuacct:/path". */
static uint32_t line_cpus(char *line, const char *mount)
{
    char dir[PATH_MAX];
    line[strcspn(line, "\n")] = '\0';
    char *list = strchr(line, ':');
    char *path = list ? strchr(++list, ':') : NULL;
    if (!path)
        return UINT32_MAX;
    size_t list_nbytes = (size_t) (path++ - list);
    if (!list_nbytes)
        return path_cpus(mount, path);
    int n = snprintf(dir, sizeof(dir), "%s/cpu", mount);
    if (!has_cpu(list, list_nbytes) || n < 0 || (size_t) n >= sizeof(dir))
        return UINT32_MAX;
    return path_cpus(dir, path);
}

uint32_t pcri_cgroup_cpus(const char *groups_file, const char *mount)
{
    char text[4 * PATH_MAX];
    uint32_t least = UINT32_MAX;
    read_text(groups_file, text, sizeof(text));
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        next += *next == '\n';
        uint32_t cpus = line_cpus(line, mount);
        least = cpus < least ? cpus : least;
    }
    return least;
}
