#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What convert tells a person in the end: what was salvaged, dropped, left out and kept from an
earlier run, and paths that are no UTF-8 in JSON."""
import os

from helper import convert, json_of, pcrtool, photos, read, records

source = photos(count=24, classes=2)
classes = os.path.join(source, "train", "class-00")
names = sorted(os.listdir(classes))
first = os.path.join(classes, names[0])
good = read(first)


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def summary(target, *args, code=0):
    return pcrtool("convert", source, target, *args, code=code).stdout.decode()


put(os.path.join(classes, "cut.jpg"), good[:len(good) * 3 // 4])
put(os.path.join(classes, "more.jpg"), good + b"more" * 1250)
put(os.path.join(source, "beside.jpg"), good)
for kind, data in (("html", b"<html>"), ("gif", b"GIF89a"), ("tiff", b"II*\0\x10\0\0\0"),
                   ("none", b"")):
    put(os.path.join(classes, kind + ".jpg"), data + bytes(40 if data else 0))

dry = summary("dry.pcr", "--dry-run", "--on-bad", "salvage", code=3)
assert "left out 1 item(s)" in dry and "errors.jsonl" not in dry, dry
text = summary("salvaged.pcr", "--on-bad", "salvage", code=3)
for part in ("salvaged 1 damaged image(s)", "dropped 4.9 KiB after the image in 1 file(s)",
             "info --notes lists them", "left out 1 item(s)", "listed in errors.jsonl"):
    assert part in text, (part, text)
text = summary("skipped.pcr", "--on-bad", "skip", code=3)
assert "skipped 5 bad input(s)" in text and "1 GIF, 1 HTML, 1 JPEG, 1 TIFF" in text, text
assert "without bytes" in text, text

# What a conversion finds of an earlier one it keeps. The folder's name is any bytes.
for name in ("cut", "html", "gif", "tiff", "none"):
    os.remove(os.path.join(classes, name + ".jpg"))
os.remove(os.path.join(source, "beside.jpg"))
odd = b"odd\xff\xc3.pcr"
convert(source, "whole.pcr", records=4)
os.rename("whole.pcr", odd)
root = json_of("info", odd, "--json")
assert root["path"] == "odd\ufffd\ufffd.pcr" and root["path_hex"] == odd.hex(), root
assert len(records(os.fsdecode(odd))) > 3
