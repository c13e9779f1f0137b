#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""pcrtool where the system is slow at the worst place, or a disk does not read: findings come in
the dataset's order, a signal ends the walk through a folder, and no damage is told of."""
import json
import os
import resource
import shlex
import signal
import subprocess

from helper import PCRTOOL, damage, dataset, json_of, photos, records, skip, wait_for

# Reads of the record SLOW_READ are late, those of BROKEN_READ fail; each look at a file in a
# folder makes the file SLOW_WALK, and is late.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t pread64(int fd, void *p, size_t nbytes, off64_t at)
{
    ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    const char *slow = getenv("SLOW_READ"), *broken = getenv("BROKEN_READ");
    char link[64], name[512] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if ((slow || broken) && readlink(link, name, sizeof(name) - 1) > 0) {
        if (slow && strstr(name, slow))
            usleep(30000);
        if (broken && strstr(name, broken)) {
            errno = EIO;
            return -1;
        }
    }
    return real(fd, p, nbytes, at);
}

int fstatat64(int fd, const char *name, struct stat64 *st, int flags)
{
    int (*real)(int, const char *, struct stat64 *, int) = dlsym(RTLD_NEXT, "fstatat64");
    const char *mark = getenv("SLOW_WALK");
    if (mark) {
        close(creat(mark, 0666));
        usleep(100000);
    }
    return real(fd, name, st, flags);
}

ssize_t write(int fd, const void *p, size_t nbytes)
{
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return getenv("WRITE_NOTHING") && fd > 2 ? 0 : real(fd, p, nbytes);
}
"""

if os.environ["PCR_SANITIZED"] == "1":
    skip("a sanitizer must be the first library")
with open("shim.c", "w", encoding="utf-8") as file:
    file.write(SHIM)
subprocess.run([*shlex.split(os.environ["CC"]), "-shared", "-fPIC", "-o", "shim.so", "shim.c",
                "-ldl"], check=True)
shim = {**os.environ, "LD_PRELOAD": os.path.abspath("shim.so")}

folder = dataset(count=64, records=8, splits=False)
paths = records(folder)
assert len(paths) == 8
for path in paths:
    damage(path, os.path.getsize(path) // 2)
expected = json_of("verify", folder, "--json", "--threads", "1", code=4)
assert [f["record"] for f in expected["findings"]] == \
    sorted(f["record"] for f in expected["findings"])
slow = {**shim, "SLOW_READ": os.path.basename(paths[0])}
for options in (["--json"], []):
    late = subprocess.run([PCRTOOL, "verify", folder, *options, "--threads", "4"], env=slow,
                          capture_output=True, check=False, timeout=60)
    assert late.returncode == 4, late
    first = subprocess.run([PCRTOOL, "verify", folder, *options, "--threads", "1"],
                           capture_output=True, check=False, timeout=60)
    assert (late.stdout, late.stderr) == (first.stdout, first.stderr), (late, first)

source = photos("many", count=60, classes=1, splits=False)
for number in (signal.SIGTERM, signal.SIGINT):
    mark = f"mark-{int(number)}"
    with subprocess.Popen([PCRTOOL, "convert", source, "never.pcr"],
                          env={**shim, "SLOW_WALK": os.path.abspath(mark)}) as walk:
        wait_for(lambda: os.path.exists(mark), "the walk")  # pylint: disable=cell-var-from-loop
        walk.send_signal(number)
        assert walk.wait(timeout=60) == -number
    assert not os.path.exists("never.pcr")

# Writes that write nothing end the work.
useless = subprocess.run([PCRTOOL, "extract", folder, "out"], capture_output=True,
                         env={**shim, "WRITE_NOTHING": "1"}, check=False, timeout=60)
assert useless.returncode == 1, useless

# A file that the system lets grow no further is an error like others.
limited = subprocess.run([PCRTOOL, "extract", folder, "large.tar"], capture_output=True,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                               (4096, 4096)),
                         check=False, timeout=60)
assert limited.returncode == 1 and b"File too large" in limited.stderr, limited

# A disk that does not read is no damage.
broken = subprocess.run([PCRTOOL, "verify", folder, "--json"], capture_output=True,
                        env={**shim, "BROKEN_READ": os.path.basename(paths[3])}, check=False,
                        timeout=60)
assert broken.returncode == 1 and json.loads(broken.stdout)["error"]["code"] == "IO", broken
assert paths[3].encode() in broken.stderr and b"Input/output error" in broken.stderr, broken
