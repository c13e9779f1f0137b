#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A conversion that was interrupted or killed is continued, and ends bit-identical."""
import os
import random
import shutil
import signal
import subprocess
import time

from helper import PCRTOOL, convert, digests, files, photos, records, wait_for

RECORDS = 8
source = photos(count=64, size="64x48")
began = time.monotonic()
convert(source, "whole.pcr", records=RECORDS)
seconds = time.monotonic() - began
whole = digests("whole.pcr")


def start(target):
    return subprocess.Popen([PCRTOOL, "convert", source, target, "--records",
                             str(RECORDS), "--quiet"], stderr=subprocess.PIPE)


def stop(process, number):
    """Sends the signal; returns exit code and messages."""
    process.send_signal(number)
    _, messages = process.communicate(timeout=60)
    return process.returncode, messages


def check_resume(target):
    kept = {path: os.stat(path).st_mtime_ns for path in records(target)}
    convert(source, target, records=RECORDS)
    assert digests(target) == whole
    assert all(os.stat(path).st_mtime_ns == t for path, t in kept.items()), \
        "finished records were written again"


def interrupted(target, number):
    """Sends the signal once two records are there; false if the conversion was faster."""
    process = start(target)
    wait_for(lambda: os.path.isdir(target) and len(records(target)) >= 2, "two records")
    code, messages = stop(process, number)
    if code == 0:
        assert digests(target) == whole
        shutil.rmtree(target)
        return False
    assert code == 128 + number, (code, messages)
    assert "manifest.json" not in files(target)
    return True


for number in (signal.SIGINT, signal.SIGTERM):
    target = f"stopped-{int(number)}.pcr"
    assert any(interrupted(target, number) for attempt in range(20)), "never interrupted"
    check_resume(target)

random.seed(os.getpid())
for turn in range(8):
    target = "killed.pcr"
    delay = random.uniform(0, seconds)
    process = start(target)
    time.sleep(delay)
    code, messages = stop(process, signal.SIGKILL)
    assert code in (0, -signal.SIGKILL), (code, messages, delay)
    check_resume(target)
    if turn % 2:
        shutil.rmtree(target)
