#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A disk that gets full: a clear error, finished records stay, and the rest follows."""
import os
import subprocess
import sys

from helper import PCRTOOL, convert, digests, fails, photos, records, run, skip

# In a mount namespace of its own the test may mount a small file system.
if "PCR_TEST_IN_NAMESPACE" not in os.environ:
    if subprocess.run(["unshare", "-m", "sh", "-c", "mkdir -p disk && mount -t tmpfs "
                       "-o size=1m none disk"], capture_output=True,
                      check=False).returncode:
        skip("a file system cannot be mounted here (it takes root and unshare)")
    os.environ["PCR_TEST_IN_NAMESPACE"] = "1"
    sys.exit(subprocess.run(["unshare", "-m", sys.executable, __file__],
                            check=False).returncode)

source = photos(count=100, size="160x120")
convert(source, "whole.pcr", records=8)
need = sum(os.path.getsize(path) for path in records("whole.pcr"))
os.makedirs("disk", exist_ok=True)
run("mount", "-t", "tmpfs", "-o", f"size={need // 2}", "none", "disk")

fails("convert", source, "disk/d.pcr", "--records", "8", "--quiet",
      says=["No space left", "disk/d.pcr"])
kept = records("disk/d.pcr")
assert 0 < len(kept) < len(records("whole.pcr"))
for path in kept:
    assert run(PCRTOOL, "verify", path, "--quiet").stdout == b""
assert not os.path.exists("disk/d.pcr/manifest.json")

run("mount", "-o", f"remount,size={2 * need}", "disk")
convert(source, "disk/d.pcr", records=8)
assert digests("disk/d.pcr") == digests("whole.pcr")
