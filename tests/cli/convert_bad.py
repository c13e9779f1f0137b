#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert of inputs that are no intact JPEG: refused by name, left out, or kept whole."""
import json
import os

from helper import PCR_GEN, convert, fails, files, pcrtool, photos, read, run

source = photos(count=8, classes=1, splits=False)
folder = os.path.join(source, "class-00")
good = read(os.path.join(folder, "photo-00000.jpg"))


def put(name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


bad = {"truncated.jpg": good[:len(good) // 2], "empty.jpg": b"",
       "text.jpg": b"<html>not found</html>\n",
       "late.jpg": good[:-60] + b"\xff\xd9"}


def listed(target):
    return [json.loads(line)
            for line in pcrtool("ls", target, "--json").stdout.splitlines()]


# By default the first bad one ends the work, and is named.
for name, data in bad.items():
    put(name, data)
    message = fails("convert", source, f"fail-{name}.pcr", "--quiet",
                    code=4 if name in ("truncated.jpg", "late.jpg", "empty.jpg") else 1,
                    says=[name])
    assert not os.path.exists(f"fail-{name}.pcr/manifest.json"), message
    os.unlink(os.path.join(folder, name))

# Left out: exit code 3, and a list of what and why.
for name, data in bad.items():
    put(name, data)
done = convert(source, "skip.pcr", "--on-bad", "skip", code=3)
for name in bad:
    assert name.encode() in done.stderr, (name, done.stderr)
with open("skip.pcr/errors.jsonl", encoding="utf-8") as file:
    errors = [json.loads(line) for line in file]
assert sorted(os.path.basename(e["path"]) for e in errors) == sorted(bad)
assert all(e["message"] for e in errors)
assert len(listed("skip.pcr")) == 8
pcrtool("verify", "skip.pcr", "--deep")

# Kept whole: every byte comes back; only what is empty is left out.
convert(source, "opaque.pcr", "--on-bad", "opaque", code=3)
samples = {os.path.basename(s["key"]): s for s in listed("opaque.pcr")}
assert set(samples) == (set(os.listdir(folder)) - {"empty.jpg"})
for name in ("truncated.jpg", "text.jpg", "late.jpg"):
    assert samples[name]["form"] == "opaque"
    for fidelity in ("1", "2"):
        assert pcrtool("cat", "opaque.pcr", samples[name]["key"], "-g",
                       fidelity).stdout == bad[name]
pcrtool("verify", "opaque.pcr")

# PNG files and JPEGs that scans cannot hold are kept whole without a word.
run(PCR_GEN, "cases", "cases")
for kind in ("png", "unsupported"):
    convert(f"cases/{kind}", f"{kind}.pcr")
    pcrtool("extract", f"{kind}.pcr", f"{kind}-out", "--quiet")
    for name in files(f"cases/{kind}"):
        assert read(f"cases/{kind}/{name}") == read(f"{kind}-out/{name}"), name
