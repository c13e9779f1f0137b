#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert from and to paths that cannot be."""
import os

from helper import convert, fails, photos, read

source = photos(count=4, splits=False)
fails("convert", "missing", "a.pcr", says=["missing"])
fails("convert", "missing.csv", "a.pcr", says=["missing.csv"])
os.mkdir("empty")
fails("convert", "empty", "a.pcr", says=["empty"])
fails("convert", source, "no/such/folder/a.pcr", says=["no/such/folder"])
with open("file", "wb") as file:
    file.write(b"mine")
fails("convert", source, "file", says=["file"])
assert read("file") == b"mine"
fails("convert", source, "a.pcr", "--on-bad", "explode", code=2, says=["explode"])
fails("convert", source, "a.pcr", "--records", "0", code=2, says=["0"])
assert not os.path.exists("a.pcr")
fails("convert", source, "/proc/a.pcr", says=["/proc"])

if os.getuid():
    os.mkdir("closed")
    os.chmod("closed", 0o555)
    fails("convert", source, "closed/a.pcr", says=["ermission"])
    os.chmod(os.path.join(source, "class-00", "photo-00000.jpg"), 0)
    fails("convert", source, "a.pcr", says=["photo-00000.jpg", "ermission"])
    convert(source, "b.pcr", "--on-bad", "skip", code=3)
else:
    print("run as root: permissions are not checked")

# A loop of links ends; names of any bytes are taken.
os.symlink("..", os.path.join(source, "class-01", "loop"))
with open(os.path.join(source.encode(), b"class-01", b"\xff\xfe\n.jpg"), "wb") as file:
    file.write(read(os.path.join(source, "class-01", "photo-00001.jpg")))
convert(source, "names.pcr", "--on-bad", "skip", code=3 if os.getuid() else 0)
