#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert --max-side: the same on any threads and after a stop; and it is said."""
import json
import os
import signal
import subprocess

from helper import (PCRTOOL, convert, digests, fails, json_of, pcrtool, photos, records,
                    wait_for)

source = photos(count=64, size="80x60")
limit = ["--max-side", "50", "--quality", "80"]
convert(source, "one.pcr", *limit, "--threads", "1", records=8)
convert(source, "three.pcr", *limit, "--threads", "3", records=8)
assert digests("one.pcr") == digests("three.pcr")

command = [PCRTOOL, "convert", source, "stopped.pcr", "--records", "8", "--quiet", *limit]
with subprocess.Popen(command, stderr=subprocess.DEVNULL) as first:
    wait_for(lambda: os.path.isdir("stopped.pcr") and records("stopped.pcr"), "a record")
    first.send_signal(signal.SIGINT)
    first.wait(timeout=120)
fails("convert", source, "stopped.pcr", "--records", "8", says=["other"])
assert pcrtool(*command[1:]).returncode == 0
assert digests("stopped.pcr") == digests("one.pcr")

with open("one.pcr/manifest.json", encoding="utf-8") as file:
    assert json.load(file)["reduced"] == {"max_side": 50, "quality": 80}
info = json_of("info", "--json", "one.pcr")
assert info["reduced"] == {"max_side": 50, "quality": 80}
assert info["image_size"]["width_max"] == 50, info["image_size"]
assert b"50 px" in pcrtool("info", "one.pcr").stdout
said = pcrtool("convert", source, "said.pcr", *limit).stdout
assert b"reduced 64 image(s) to 50 px, JPEG quality 80 (lossy)" in said, said
assert json_of("convert", "--json", "--dry-run", source, "x", *limit)["reduced_count"] == 64
pcrtool("verify", "--deep", "one.pcr")

said = pcrtool("convert", source, "untouched.pcr", "--max-side", "80").stdout
assert b"reduced 0 image(s)" in said, said
fails("convert", source, "y.pcr", "--quality", "80", code=2, says=["--max-side"])
