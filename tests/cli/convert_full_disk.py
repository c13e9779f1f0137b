#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A disk that gets full, converting and recoding: a clear error, finished records stay, and the
rest follows."""
import os
import subprocess
import sys

from helper import PCRTOOL, convert, digests, fails, pcrtool, photos, records, run, skip

# In a mount namespace of its own the test may mount a small file system.
if "PCR_TEST_IN_NAMESPACE" not in os.environ:
    if subprocess.run(["unshare", "-m", "sh", "-c", "mkdir -p disk && mount -t tmpfs "
                       "-o size=1m none disk"], capture_output=True,
                      check=False).returncode:
        skip("a file system cannot be mounted here (it takes root and unshare)")
    os.environ["PCR_TEST_IN_NAMESPACE"] = "1"
    sys.exit(subprocess.run(["unshare", "-m", sys.executable, __file__],
                            check=False).returncode)

source = photos(count=48, size="120x90")
convert(source, "whole.pcr", records=4)
pcrtool("recode", "whole.pcr", "packed.pcr", "--coding", "packed", "--quiet")
before = digests("whole.pcr")
os.makedirs("disk", exist_ok=True)


def fills(whole, target, *command):
    """The command fails on a disk of half the size, and goes on when it has grown."""
    need = sum(os.path.getsize(path) for path in records(whole))
    run("mount", "-t", "tmpfs", "-o", f"size={need // 2}", "none", "disk")
    fails(*command, "--quiet", says=["No space left", target])
    kept = records(target)
    assert 0 < len(kept) < len(records(whole))
    for path in kept:
        assert run(PCRTOOL, "verify", path, "--quiet").stdout == b""
    assert not os.path.exists(os.path.join(target, "manifest.json"))

    run("mount", "-o", f"remount,size={2 * need}", "disk")
    pcrtool(*command, "--quiet")
    assert digests(target) == digests(whole)
    run("umount", "disk")


fills("whole.pcr", "disk/d.pcr", "convert", source, "disk/d.pcr", "--records", "4")
fills("packed.pcr", "disk/p.pcr", "recode", "whole.pcr", "disk/p.pcr", "--coding", "packed")
assert digests("whole.pcr") == before
