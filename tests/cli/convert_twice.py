#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two conversions into one folder at once: one does it, the other says that it is busy."""
import os
import shutil
import signal
import subprocess

from helper import PCRTOOL, convert, digests, files, photos, records, wait_for

source = photos(count=160, size="160x120")
convert(source, "whole.pcr", records=8)

command = [PCRTOOL, "convert", source, "shared.pcr", "--records", "8", "--quiet"]


def both():
    """Runs the second while the first is stopped; None where the first was faster."""
    with subprocess.Popen(command, stderr=subprocess.PIPE) as one:
        wait_for(lambda: os.path.isdir("shared.pcr") and records("shared.pcr"), "a record")
        one.send_signal(signal.SIGSTOP)
        working = "manifest.json" not in files("shared.pcr")
        other = subprocess.run(command, stderr=subprocess.PIPE, check=False, timeout=60)
        one.send_signal(signal.SIGCONT)
        assert one.wait(timeout=120) == 0
    assert digests("shared.pcr") == digests("whole.pcr")
    shutil.rmtree("shared.pcr")
    return other if working else None


second = next(filter(None, (both() for attempt in range(20))))
assert second.returncode == 1, second
assert b"shared.pcr" in second.stderr, second.stderr
