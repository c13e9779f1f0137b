#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two conversions into one folder at once: one does it, the other says that it is busy."""
import os
import subprocess

from helper import PCRTOOL, convert, digests, photos, records, wait_for

source = photos(count=160, size="160x120")
convert(source, "whole.pcr", records=8)

command = [PCRTOOL, "convert", source, "shared.pcr", "--records", "8", "--quiet"]
with subprocess.Popen(command, stderr=subprocess.PIPE) as first:
    wait_for(lambda: os.path.isdir("shared.pcr") and records("shared.pcr"), "a record")
    second = subprocess.run(command, stderr=subprocess.PIPE, check=False, timeout=60)
    assert first.poll() is None, "the first ended too early for this test"
    assert first.wait(timeout=120) == 0
assert second.returncode == 1, second
assert b"shared.pcr" in second.stderr, second.stderr
assert digests("shared.pcr") == digests("whole.pcr")
