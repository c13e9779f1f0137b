#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""recode: there and back without loss, bit-identical; stopped and killed."""
import os
import signal
import struct
import subprocess
import zlib

from helper import (PCRTOOL, convert, digests, fails, files, json_of, pcrtool, photos, records,
                    wait_for)

source = photos(count=40, size="160x120")


def png_chunk(name, data):
    return (struct.pack(">I", len(data)) + name + data
            + struct.pack(">I", zlib.crc32(name + data)))


png = os.path.join(source, "train/class-01/z.png")
with open(png, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n"
               + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 0))
               + png_chunk(b"IDAT", zlib.compress(bytes(18))) + png_chunk(b"IEND", b""))
convert(source, "scans.pcr", "--coding", "scans", records=2)
convert(source, "packed.pcr", "--coding", "packed", records=2)

text = pcrtool("recode", "scans.pcr", "a.pcr", "--coding", "packed").stdout.decode()
assert "41 image(s)" in text and "1 kept whole" in text, text
assert digests("a.pcr") == digests("packed.pcr")
summary = json_of("recode", "a.pcr", "b.pcr", "--coding", "scans", "--threads", "1", "--json")
assert summary["sample_count"] == 41 and summary["opaque_count"] == 1
assert digests("b.pcr") == digests("scans.pcr")

# What comes out is the same, and what was kept whole is the file.
for name in ("scans", "b", "a"):
    pcrtool("extract", f"{name}.pcr", f"out-{name}")
assert digests("out-scans") == digests("out-b")
assert files("out-scans") == files("out-a")
with open(os.path.join("out-a", "train/class-01/z.png"), "rb") as file:
    kept = file.read()
with open(png, "rb") as file:
    assert kept == file.read()

# Wrong usage, and folders that hold something else.
fails("recode", "scans.pcr", "x.pcr", code=2, says=["--coding"])
fails("recode", "scans.pcr", "x.pcr", "--coding", "zip", code=2, says=["zip"])
fails("recode", "nothing.pcr", "x.pcr", "--coding", "packed", says=["nothing.pcr"])
fails("recode", records("scans.pcr")[0], "x.pcr", "--coding", "packed", says=["single record"])
fails("recode", "scans.pcr", "packed.pcr", "--coding", "scans", says=["already holds"])
pcrtool("recode", "scans.pcr", "x.pcr", "--coding", "packed", "--dry-run")
assert not os.path.exists("x.pcr")


def start(target, **options):
    return subprocess.Popen([PCRTOOL, "recode", "scans.pcr", target, "--coding", "packed",
                             "--threads", "1", "--quiet"], stderr=subprocess.PIPE, **options)


def stopped(target, number):
    """Sends the signal once a record is there; false if the work was done before."""
    process = start(target)
    wait_for(lambda: os.path.isdir(target) and records(target), "a record")
    process.send_signal(number)
    _, messages = process.communicate(timeout=60)
    if process.returncode == 0:
        return False
    expected = -number if number == signal.SIGKILL else 128 + number
    assert process.returncode == expected, (process.returncode, messages)
    assert "manifest.json" not in files(target)
    return True


for number in (signal.SIGINT, signal.SIGKILL):
    tries = (f"s{int(number)}-{i}.pcr" for i in range(20))
    target = next((t for t in tries if stopped(t, number)), None)
    assert target, "never interrupted"
    pcrtool("recode", "scans.pcr", target, "--coding", "packed", "--quiet")
    assert digests(target) == digests("packed.pcr")

# A sample that is damaged stops it, and nothing is published.
path = records("scans.pcr")[3]
with open(path, "r+b") as file:
    file.seek(-60, os.SEEK_END)
    byte = file.read(1)
    file.seek(-60, os.SEEK_END)
    file.write(bytes([byte[0] ^ 1]))
fails("recode", "scans.pcr", "bad.pcr", "--coding", "packed", code=4,
      says=[os.path.basename(path)])
assert "manifest.json" not in files("bad.pcr")
