#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert --max-side: the same on any threads and after a stop; and it is said."""
import json
import os
import signal
import struct
import subprocess
import zlib

from helper import (PCRTOOL, convert, digests, fails, json_of, pcrtool, photos, records,
                    wait_for)


def png(path, width, height, shade, level=-1):
    """A gray PNG file."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n"
                  + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                  + chunk(b"IDAT", zlib.compress((b"\0" + bytes([shade]) * width) * height, level))
                  + chunk(b"IEND", b""))


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

# Files of a given size, and pictures of other formats.
said = pcrtool("convert", source, "bytes.pcr", "--target-bytes", "1K", "--quality", "85").stdout
assert b"to at most 1.0 KiB, JPEG quality up to 85 (lossy)" in said, said
info = json_of("info", "--json", "bytes.pcr")
assert info["reduced"] == {"target_nbytes": 1024, "quality": 85} and "pictures" not in info, info
said = pcrtool("info", "bytes.pcr").stdout
assert b"larger images to at most 1.0 KiB, as JPEG of quality up to 85" in said, said

os.mkdir("pngs")
for number, shade in enumerate((0x10, 0x80)):
    png(f"pngs/{number}.png", 9, 7, shade)
made = json_of("convert", "--json", "--layout", "flat", "pngs", "made.pcr", "--pictures", "jpeg:77")
assert made["encoded_count"] == 2 and made["opaque_count"] == 0, made
said = pcrtool("convert", "--layout", "flat", "pngs", "x", "--dry-run", "--pictures",
               "jpeg:77").stdout
assert b"encoded 2 image(s) of other formats as JPEG, quality 77 (lossy)" in said, said
info = json_of("info", "--json", "made.pcr")
assert info["pictures"] == {"chosen": "jpeg", "exact_count": 0, "jpeg_count": 2,
                            "quality": 77}, info
said = pcrtool("info", "made.pcr").stdout
assert b"pictures     2 of other formats as JPEG of quality 77" in said, said
assert b"0.png: encoded: PNG\n" in pcrtool("info", "--notes", "made.pcr").stdout
for wrong in ("jpeg", "jpeg:0", "jpeg:101", "jpeg:+5", "jpeg:5x", "png", "progressive:0"):
    fails("convert", "pngs", "y", "--pictures", wrong, code=2, says=["expected opaque, jpeg:Q"])
fails("convert", "pngs", "y", "--pictures", "jpeg:80", "--quality", "81", code=2,
      says=["JPEGs of one quality"])

# Exact pictures: where that takes fewer bytes than the file, as of this one, not compressed.
os.mkdir("exact")
png("exact/large.png", 600, 500, 0x40, level=0)
png("exact/small.png", 9, 7, 0x40)
made = json_of("convert", "--json", "--layout", "flat", "exact", "exact.pcr", "--pictures",
               "progressive")
assert made["exact_count"] == 1 and made["opaque_count"] == 1, made
said = pcrtool("convert", "--layout", "flat", "exact", "x", "--dry-run", "--pictures",
               "progressive:85").stdout
assert (b"kept the pixels, not the files, of 1 image(s) of other formats: JPEG of quality 85 and a "
        b"residual\n") in said, said
info = json_of("info", "--json", "exact.pcr")
assert info["pictures"] == {"chosen": "progressive", "exact_count": 1, "jpeg_count": 0,
                            "quality": 90}, info
said = pcrtool("info", "exact.pcr").stdout
assert b"pictures     1 of other formats exact at full fidelity, JPEG of quality 90 below" in said
pcrtool("verify", "--deep", "exact.pcr")
full = pcrtool("cat", "exact.pcr", "large.png").stdout
assert full.startswith(b"\x89PNG") and full != open("exact/large.png", "rb").read()
lower = pcrtool("cat", "exact.pcr", "large.png", "--fidelity", "3").stdout
assert lower.startswith(b"\xff\xd8\xff")
fails("extract", "--jpeg", "source", "exact.pcr", "z", says=["keeps no originals"])
pcrtool("convert", "--layout", "flat", "exact", "kept.pcr", "--pictures", "progressive",
        "--keep-originals", "on")
said = pcrtool("extract", "--jpeg", "source", "kept.pcr", "z", code=3)
assert b"its pixels are kept, but not its source file" in said.stdout + said.stderr, said
assert os.listdir("z") == ["small.png"]
