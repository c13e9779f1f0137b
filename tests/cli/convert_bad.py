#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert of inputs that are no intact JPEG: refused by name, left out, or kept whole."""
import json
import os

from helper import (PCR_GEN, convert, fails, files, json_of, pcrtool, photos, read, records,
                    run)

source = photos(count=8, classes=1, splits=False)
folder = os.path.join(source, "class-00")
good = read(os.path.join(folder, "photo-00000.jpg"))


def put(name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


bad = {"truncated.jpg": good[:len(good) // 2], "empty.jpg": b"",
       "text.jpg": b"<html>not found</html>\n",
       "psd.jpg": b"8BPS and so on",
       "late.jpg": good[:-60] + b"\xff\xd9"}
formats = {"truncated.jpg": "JPEG", "late.jpg": "JPEG", "text.jpg": "HTML", "psd.jpg": "PSD"}


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
    kind = formats.get(name, "JPEG")
    words = f"no image that can be decoded (it begins like {kind})"
    assert kind == "JPEG" or words in message, message
    os.unlink(os.path.join(folder, name))

# Left out: exit code 3, and a list of what and why.
for name, data in bad.items():
    put(name, data)
done = pcrtool("convert", source, "skip.pcr", "--on-bad", "skip", code=3)
for name in bad:
    assert name.encode() in done.stderr, (name, done.stderr)
kinds = next(line for line in done.stdout.decode().splitlines() if line.startswith("bad inputs"))
assert kinds.split(maxsplit=2)[2] == "1 HTML, 2 JPEG, 1 PSD, 1 without bytes", kinds
with open("skip.pcr/errors.jsonl", encoding="utf-8") as file:
    errors = [json.loads(line) for line in file]
assert sorted(os.path.basename(e["path"]) for e in errors) == sorted(bad)
assert all(e["message"] for e in errors)
assert {os.path.basename(e["path"]): e.get("format") for e in errors} == {
    "empty.jpg": None, **formats}
assert len(listed("skip.pcr")) == 8
pcrtool("verify", "skip.pcr", "--deep")

# Kept whole: every byte comes back; only what is empty is left out.
done = pcrtool("convert", source, "opaque.pcr", "--on-bad", "opaque", code=3)
assert b"undecodable: 4 of the files kept whole" in done.stdout, done.stdout
samples = {os.path.basename(s["key"]): s for s in listed("opaque.pcr")}
assert set(samples) == (set(os.listdir(folder)) - {"empty.jpg"})
for name in formats:
    assert samples[name]["coding"] == "opaque"
    for fidelity in ("1", "2"):
        assert pcrtool("cat", "opaque.pcr", samples[name]["key"], "-g",
                       fidelity).stdout == bad[name]
assert pcrtool("verify", "opaque.pcr").stderr == b""

# They are as they were kept: no damage, but named by all who look.
done = pcrtool("verify", "opaque.pcr", "--deep")
assert b"all intact, 4 undecodable" in done.stdout, done.stdout
lines = done.stderr.decode().splitlines()
assert len(lines) == 4 and all(line.startswith("undecodable: ") for line in lines), lines
assert any("psd.jpg" in line and "PSD" in line for line in lines), lines
report = json_of("verify", "opaque.pcr", "--deep", "--json")
assert report["intact"] and report["undecodable_samples"] == 4 and not report["findings"]
assert len(report["undecodable"]) == 4 and report["bad_samples"] == 0
info = json_of("info", "opaque.pcr", "--json", "--notes")
assert info["undecodable_count"] == 4 and info["skipped_count"] == 1
noted = {os.path.basename(note["key"]): note["undecodable"] for note in info["notes"]}
assert noted == {"truncated.jpg": "JPEG, damaged", "late.jpg": "JPEG, damaged",
                 "text.jpg": "HTML", "psd.jpg": "PSD"}, noted
for note in info["notes"]:
    assert samples[os.path.basename(note["key"])]["index"] == note["index"], note
text = pcrtool("info", "opaque.pcr", "--notes").stdout.decode()
assert "undecodable  4 sample(s)" in text and "psd.jpg: undecodable: PSD\n" in text, text

# Damage of what was kept is damage.
with open(records("opaque.pcr")[0], "r+b") as file:
    at = file.read().index(b"8BPS")
    file.seek(at)
    file.write(b"X")
done = pcrtool("verify", "opaque.pcr", "--deep", code=4)
assert b"1 bad samples, 3 undecodable" in done.stdout, done.stdout

# PNG files and JPEGs that decode, but not as scans, are kept whole without a word. Of those
# that do not decode, the first ends the work by default.
run(PCR_GEN, "cases", "cases")
fails("convert", "cases/unsupported", "unsupported.pcr", "--quiet", code=1,
      says=["which no decoder here can show"])
for kind, option in (("png", "fail"), ("unsupported", "opaque")):
    convert(f"cases/{kind}", f"{kind}.pcr", "--on-bad", option)
    pcrtool("extract", f"{kind}.pcr", f"{kind}-out", "--quiet")
    for name in files(f"cases/{kind}"):
        assert read(f"cases/{kind}/{name}") == read(f"{kind}-out/{name}"), name
    found = json_of("verify", f"{kind}.pcr", "--deep", "--json")["undecodable_samples"]
    noted = json_of("info", f"{kind}.pcr", "--json")["undecodable_count"]
    assert found == noted and (found > 0) == (kind == "unsupported"), (kind, found, noted)

# Sizes from 1 MiB on are told as such.
os.mkdir("large")
with open("large/noise.jpg", "wb") as file:
    file.write(b"\x01" * 1300000)
text = pcrtool("convert", "large", "large.pcr", "--on-bad", "opaque").stdout.decode()
assert "sources          1.2 MiB\n" in text, text
