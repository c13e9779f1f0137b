#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Exports that end early: Ctrl-C, a reader that goes away, another export, a full disk. What is
left is whole, or hidden and replaced by the next run."""
import fcntl
import os
import signal
import subprocess
import sys

from helper import PCRTOOL, dataset, digests, fails, files, pcrtool, read, run

path = dataset(count=60, size="160x120", splits=False)
pcrtool("extract", path, "whole.tar", "--quiet")
pcrtool("extract", path, "shards/a.tar", "--shard-size", "20K", "--quiet")
pcrtool("extract", path, "mds", "--to", "mds", "--shard-size", "20K", "--quiet")


def started():
    """An export into a pipe that is full: it waits for its reader."""
    process = subprocess.Popen([PCRTOOL, "extract", path, "-", "--to", "tar", "--quiet"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    fcntl.fcntl(process.stdout, 1031, 4096)  # F_SETPIPE_SZ
    first = os.read(process.stdout.fileno(), 1)
    assert first == read("whole.tar")[:1]
    return process


process = started()
process.send_signal(signal.SIGINT)
assert process.communicate()[1] == b"" and process.returncode == 130, process.returncode
process = started()
process.stdout.close()
assert process.wait() == -signal.SIGPIPE, process.returncode
assert process.stderr.read() == b""

# One at a time; what a killed one left behind is replaced.
os.makedirs("busy")
with open("busy/.pcr-export-a", "wb") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    fails("extract", path, "busy/a.tar", says=["busy: another process is writing"])
    pcrtool("extract", path, "busy/b.tar", "--quiet")
with open("busy/.pcr-tmp-a.tar", "wb") as file:
    file.write(b"half")
pcrtool("extract", path, "busy/a.tar", "--quiet")
assert files("busy") == ["a.tar", "b.tar"] and read("busy/a.tar") == read("whole.tar")

# In a mount namespace of its own the test may mount a small file system.
if "PCR_TEST_IN_NAMESPACE" not in os.environ:
    if subprocess.run(["unshare", "-m", "sh", "-c", "mkdir -p disk && mount -t tmpfs "
                       "-o size=1m none disk"], capture_output=True,
                      check=False).returncode:
        sys.exit(0)
    os.environ["PCR_TEST_IN_NAMESPACE"] = "1"
    os.makedirs("again", exist_ok=True)
    sys.exit(subprocess.run(["unshare", "-m", sys.executable, __file__], cwd="again",
                            check=False).returncode)


def fills(whole, target, *options):
    size = sum(os.path.getsize(os.path.join(whole, name)) for name in files(whole))
    os.makedirs("disk", exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size // 2}", "none", "disk")
    fails("extract", path, target, *options, "--quiet", says=["No space left"])
    right, left = digests(whole), digests("disk")
    assert left.items() < right.items() and "index.json" not in left, left
    run("mount", "-o", f"remount,size={2 * size}", "disk")
    pcrtool("extract", path, target, *options, "--quiet", "--force")
    assert digests("disk") == right
    run("umount", "disk")


fills("shards", "disk/a.tar", "--shard-size", "20K")
fills("mds", "disk", "--to", "mds", "--shard-size", "20K")
os.mkdir("one")
os.rename("whole.tar", "one/a.tar")
fills("one", "disk/a.tar")
