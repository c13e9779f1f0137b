#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""advise: what each fidelity and quality costs, shows and delivers, and which one to choose."""
import ast
import os
import signal
import subprocess
import xml.etree.ElementTree as xml

from helper import (PCRTOOL, convert, damage, dataset, fails, json_of, pcrtool, photos, read,
                    records, run, two_fidelities, wait_for)

TARGETS = [.8, .85, .9, .95, .97, .98, .99]


def asked(row):
    return row["quality"] if "quality" in row else row["fidelity"]


def python(found):
    """The arguments of the line of Python."""
    call = ast.parse(found["python"]).body[0].value
    return [ast.literal_eval(a) for a in call.args], {
        k.arg: ast.literal_eval(k.value) for k in call.keywords}


path = dataset(count=40, size="160x120")
info = json_of("info", path, "--json")
groups = info["group_count"]
found = json_of("advise", path, "--json", "--quick", "--size", "48")
rows = found["choices"]
assert [asked(row) for row in rows] == list(range(1, groups + 1)) + TARGETS
assert found["sample_count"] == 40 and found["left_out_count"] == 0
assert found["size_px"] == 48 and found["transform"] == "random"
for row, given in zip(rows, info["fidelities"]):  # of those also heads
    step = (row["nbytes_per_image"] - rows[0]["nbytes_per_image"]) * 40
    assert abs(step - (given["nbytes"] - info["fidelities"][0]["nbytes"])) < 1
full = rows[groups - 1]
assert full["percent_of_full"] == 100 and full["ssim_5th_percentile"] > .99
for kind in (rows[:groups], rows[groups:]):
    for lower, higher in zip(kind, kind[1:]):
        for name in ("nbytes_per_image", "ssim", "ssim_5th_percentile"):
            assert lower[name] <= higher[name] + 1e-3, (lower, higher)
for row in rows[groups:]:
    assert 0 <= row["missed_percent"] <= 20 and "fidelity" not in row, row
    assert row["ssim"] > row["quality"] - .02
assert not any("images_per_second" in row for row in rows)

# Without a consumer: the fewest bytes with a 5th percentile of .95.
best = min((row for row in rows if row["ssim_5th_percentile"] >= .95),
           key=lambda row: row["nbytes_per_image"])
assert found["advised"]["nbytes_per_image"] == best["nbytes_per_image"]
args, how = python(found)
assert args == [path] and how.pop("size") == 48
assert how in ({}, {k: v for k, v in found["advised"].items() if k in ("quality", "fidelity")})
assert json_of("advise", path, "--json", "--quick", "--size", "48", "--threads", "1")[
    "choices"] == rows
several = json_of("advise", path, "--json", "--quick", "--size", "48", "--samples", "7",
                  "--split", "train", "--transform", "center")
assert several["sample_count"] == 7 and several["transform"] == "center"
assert python(several)[1]["transform"] == "center_crop" and python(several)[1]["split"] == "train"

# The model: with a consumer, the best that feeds it.
for bytes_per_image, chosen in ((full["nbytes_per_image"] + 1, None), (rows[groups]
                                ["nbytes_per_image"] / 4, "starved"),
                                (rows[-3]["nbytes_per_image"] + 1, "best")):
    told = json_of("advise", path, "--json", "--quick", "--size", "48", "--consumer", "1000",
                   "--storage", str(round(1000 * bytes_per_image)))
    for row in told["choices"]:
        rate = told["storage_nbytes_per_second"] / row["nbytes_per_image"]
        assert abs(row["images_per_second"] - min(rate, 1000)) < 1e-3 * rate
        assert row["limit"] == ("storage" if rate < 1000 else "the consumer")
    fed = [row for row in told["choices"] if row["images_per_second"] == 1000
           and row["ssim_5th_percentile"] >= .9]
    if chosen == "starved":
        assert not fed and told["reason"].startswith("No choice with SSIM 0.90 or more")
        assert told["advised"]["ssim_5th_percentile"] >= .9
        assert told["advised"]["nbytes_per_image"] == min(
            row["nbytes_per_image"] for row in told["choices"]
            if row["ssim_5th_percentile"] >= .9)
    else:
        assert told["advised"]["ssim_5th_percentile"] == max(
            row["ssim_5th_percentile"] for row in fed)
        assert chosen or "no time" in told["reason"]

# The table and the picture say the same; the last line is Python.
text = pcrtool("advise", path, "--quick", "--size", "48", "--plot", "plot.svg").stdout.decode()
assert text.splitlines()[-1] == found["python"]
starred = [line for line in text.splitlines() if line.startswith("*")]
assert len(starred) == 1 and len(text.splitlines()) == 3 + len(rows) + 4
assert f"{found['advised']['ssim_5th_percentile']:.4f}" in starred[0]
picture = xml.fromstring(read("plot.svg"))
words = ["".join(e.itertext()) for e in picture.iter("{http://www.w3.org/2000/svg}text")]
assert f"{path}, crops to 48 px" in words and "0.95" in words and "by quality: mean" in words
box = [float(x) for x in picture.get("viewBox").split()]
for point in picture.iter("{http://www.w3.org/2000/svg}circle"):
    assert 0 < float(point.get("cx")) < box[2] and 0 < float(point.get("cy")) < box[3]

# What this machine decodes, by the model of doctor.
convert("photos", "two.pcr", "--ladder", two_fidelities())
rates = json_of("advise", "two.pcr", "--json", "--size", "32", "--samples", "9", "--threads", "1")
for row in rates["choices"]:
    assert row["images_per_second"] == row["decode_images_per_second"] > 0
    assert row["limit"] == "decoding"

# Odd names, which are shown, never run.
odd = 'a "b" <svg> & \\\x1b\udcff.pcr'
os.rename("two.pcr", odd)
strange = json_of("advise", odd, "--json", "--quick", "--size", "16", "--plot", "odd.svg")
assert python(strange)[0] == [odd]
assert "\x1b" not in strange["python"]
words = ["".join(e.itertext()) for e in xml.fromstring(read("odd.svg")).iter()]
assert 'a "b" <svg> & \\??.pcr, crops to 16 px' in words

# Images that are kept whole, also with others; no samples; what is damaged.
photos("png", count=3, size="64x48", classes=1, splits=False)
for i in range(3):
    name = f"png/{i}.png"
    run("python3", "-c", "import struct, sys, zlib\n"
        "def chunk(k, d): return struct.pack('>I', len(d)) + k + d + struct.pack("
        "'>I', zlib.crc32(k + d))\n"
        "rows = b''.join(b'\\0' + bytes((x * y) % 256 for x in range(40)) for y in range(30))\n"
        "open(sys.argv[1], 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack("
        "'>IIBBBBB', 40, 30, 8, 0, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(rows)) + "
        "chunk(b'IEND', b''))\n", name)
convert("png", "mixed.pcr", "--layout", "flat")
mixed = json_of("advise", "mixed.pcr", "--json", "--quick", "--size", "16")
assert mixed["sample_count"] == 6 and mixed["choices"][0]["ssim"] > .5
os.mkdir("whole")
for i in range(3):
    os.rename(f"png/{i}.png", f"whole/{i}.png")
convert("whole", "whole.pcr", "--layout", "flat")
whole = json_of("advise", "whole.pcr", "--json", "--quick", "--size", "16", "--plot", "w.svg")
assert {row["percent_of_full"] for row in whole["choices"]} == {100}
assert "kept whole" in whole["reason"] and set(python(whole)[1]) == {"size"}
xml.fromstring(read("w.svg"))

os.mkdir("mixed")
os.rename("png", "mixed/train")
os.mkdir("mixed/void")
with open("mixed/void/bad.jpg", "wb") as file:
    file.write(b"<html>")
convert("mixed", "none.pcr", "--layout", "split", "--on-bad", "skip", code=3)
fails("advise", "none.pcr", "--split", "void", says=["none.pcr has no samples"])
fails("advise", path, "--split", "none-such", code=2, says=["none-such"])
for wrong in (["--size", "0"], ["--size", "10"], ["--size", "5000"], ["--samples", "0"],
              ["--transform", "tilt"], ["--consumer", "0"], []):
    fails("advise", *([path] if wrong else []), *wrong, code=2)
fails("advise", "missing.pcr", says=["missing.pcr"])
fails("advise", path, "--quick", "--size", "16", "--plot", "no/such.svg", says=["no/such.svg"])

damage(records("mixed.pcr")[0], -5)
hurt = json_of("advise", "mixed.pcr", "--json", "--quick", "--size", "16")
assert hurt["left_out_count"] == 1 and hurt["sample_count"] == 5
for record in records("whole.pcr"):
    size = os.path.getsize(record)
    for at in range(size - 3700, size, 8):
        damage(record, at)
fails("advise", "whole.pcr", "--quick", "--size", "16", code=4, says=["whole.pcr"])

# Ctrl-C ends it, and leaves nothing.
before = set(os.listdir("."))
with subprocess.Popen([PCRTOOL, "advise", path, "--plot", "late.svg"], stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE) as child:
    wait_for(lambda: len(os.listdir(f"/proc/{child.pid}/task")) > 1, "threads at work")
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
assert child.returncode == -signal.SIGINT and out == b"" and set(os.listdir(".")) == before
