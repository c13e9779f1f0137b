#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""extract writes nothing outside of its folder, whatever the keys are."""
import json
import os
import sys

from helper import convert, files, pcrtool, photos, read, skip

photo = os.path.join(os.getcwd(), photos(count=1, classes=1, splits=False), "class-00",
                     "photo-00000.jpg")


def make(name, keys):
    with open(name + ".jsonl", "w", encoding="utf-8") as file:
        for key in keys:
            file.write(json.dumps({"path": photo, "key": key}) + "\n")
    convert(name + ".jsonl", name + ".pcr", "--no-shuffle")
    return name + ".pcr"


def write(name, keys):
    """The same with keys that lists do not keep."""
    os.environ["PCR_LIBRARY"] = os.environ["LIBPCR"]
    sys.path.insert(0, os.path.join(os.environ["PCR_SOURCE_ROOT"], "loaders", "python"))
    import pcr
    pcr.write(name + ".pcr", [pcr.NewSample(key, read(photo)) for key in keys],
              shuffle=False)
    return name + ".pcr"


os.mkdir("inside")
os.mkdir("elsewhere")
absolute = os.path.join(os.getcwd(), "absolute.jpg")
unsafe = ["../up.jpg", "a/../../up.jpg", "a/..", absolute, "//x.jpg", "a//b.jpg",
          "./dot.jpg", "a/./b.jpg", "..", ".", "folder/"]
safe = ["good.jpg", "a/...jpg", "..hidden/x.jpg", "sp ace\n.jpg", "no-ending"]

# Whatever the paths of a list are, all of its files come back.
path = make("paths", ["../up.jpg", "/top.jpg", "a/../b//./c.jpg"])
pcrtool("extract", path, "paths-out")
assert files("paths-out") == ["b/c.jpg", "top.jpg", "up.jpg"]

# Symbolic links in the folder lead nowhere, to folders or to files, with --force or not.
path = make("linked", ["way/new.jpg"])
os.mkdir("linked")
os.symlink("../elsewhere", "linked/way")
for options in ([], ["--force"]):
    done = pcrtool("extract", path, "linked", *options, code=1)
    assert b"symbolic link" in done.stderr, done.stderr
assert files("elsewhere") == []

with open("elsewhere/mine", "wb") as file:
    file.write(b"mine")
path = make("target", ["new.jpg"])
os.mkdir("target")
os.symlink("../elsewhere/mine", "target/new.jpg")
pcrtool("extract", path, "target", code=1)
assert os.path.islink("target/new.jpg")
pcrtool("extract", path, "target", "--force")
assert not os.path.islink("target/new.jpg") and read("elsewhere/mine") == b"mine"

# A name that is too long.
path = make("long", ["x" * 300 + "/b.jpg", "y" * 300, "short.jpg"])
done = pcrtool("extract", path, "long-out", code=3)
assert done.stderr.count(b"too long") == 2, done.stderr
assert files("long-out") == ["short.jpg"]

# Keys of other writers.
if os.environ["PCR_SANITIZED"] == "1":
    skip("Python cannot load a sanitized library")
path = write("hostile", unsafe + safe)
before = files(".")
done = pcrtool("extract", path, "inside/out", code=3)
assert files("inside/out") == sorted(safe), files("inside/out")
assert [f for f in files(".") if not f.startswith("inside/out/")] == before
for index in range(len(unsafe)):
    assert f"@{index} ".encode() in done.stderr, done.stderr
assert b"5 samples in 5 files" in done.stdout

# Control characters of keys, and what is no UTF-8, are escaped in what is told.
hidden = write("control", ["../a\n\x1b[31mb\x7f"])
done = pcrtool("extract", hidden, "control-out", code=3)
assert b"../a\\x0a\\x1b[31mb\\x7f" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr
hidden = write("control-8-bit", ["../caf\u00e9\u009b31m\u0085"])
done = pcrtool("extract", hidden, "control-out", code=3)
assert "../caf\u00e9\\xc2\\x9b31m\\xc2\\x85".encode() in done.stderr, done.stderr
done = pcrtool("cat", hidden, os.fsdecode(b"no\x9bkey"), code=1)
assert b"no\\x9bkey" in done.stderr, done.stderr
done = pcrtool("cat", hidden, "no\nkey", code=1)
assert b"no\\x0akey" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr

# One that is asked for by name is refused all the same.
pcrtool("extract", path, "inside/again", "../up.jpg", code=3)
assert files("inside/again") == []

# A key that goes through another sample's file, and a name that is too long.
path = write("clash", ["a", "a/b.jpg"])
done = pcrtool("extract", path, "clash-out", code=1)
assert files("clash-out") == ["a"]
