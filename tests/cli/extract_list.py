#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""extract --list tells of what it cannot list, and takes no file that is there."""
import json
import os

from helper import convert, damage, fails, files, json_of, pcrtool, photos, read, records

photos("tree", count=4, splits=False, classes=4)
good = files("tree")

# A key that is no UTF-8 has no place in JSON: its file is written, and it is named.
odd = b"tree/class-03/caf\xe9.jpg"
os.rename(b"tree/class-03/photo-00003.jpg", odd)
convert("tree", "odd.pcr", "--no-shuffle")
done = pcrtool("extract", "--list", "odd.pcr", "odd", code=3)
assert done.stderr == (b"pcrtool extract: @3 class-03/caf\\xe9.jpg: left out of the list: "
                       b"not a UTF-8 name\n"), done.stderr
rows = [json.loads(line) for line in read("odd/list.jsonl").splitlines()]
assert [row["path"] for row in rows] == good[:3], rows
assert all(row["label"] == os.path.dirname(row["path"]) and set(row) == {"path", "label"}
           for row in rows), rows
assert os.listdir(b"odd/class-03") == [b"caf\xe9.jpg"]
row = json.loads(pcrtool("ls", "odd.pcr", "--json").stdout.splitlines()[3])
assert row["key"] == "class-03/caf\ufffd.jpg" and row["key_hex"] == b"class-03/caf\xe9.jpg".hex()

# Neither file of the list takes the place of another without --force.
for name in ("list.jsonl", "classes.txt"):
    os.mkdir("taken-" + name)
    with open(f"taken-{name}/{name}", "wb") as file:
        file.write(b"mine")
    done = pcrtool("extract", "--list", "odd.pcr", "taken-" + name, "@0", code=1)
    assert done.stderr == f"pcrtool extract: {name}: the file exists already; --force " \
                          "replaces it\n".encode(), done.stderr
    assert read(f"taken-{name}/{name}") == b"mine"
    pcrtool("extract", "--list", "--force", "odd.pcr", "taken-" + name, "@0")
    assert read(f"taken-{name}/{name}") != b"mine"

# A sample whose key is the list's name is an error. A folder of its name is in the way.
with open("own.jsonl", "w", encoding="utf-8") as file:
    file.write(json.dumps({"path": "tree/" + good[0], "key": "list.jsonl"}) + "\n")
convert("own.jsonl", "own.pcr")
done = pcrtool("extract", "--list", "--force", "own.pcr", "own", code=1)
assert b"list.jsonl: another file has this name" in done.stderr, done.stderr
assert files("own") == []
os.makedirs("folder/list.jsonl")
done = pcrtool("extract", "--list", "--force", "odd.pcr", "folder", "@0", code=1)
assert done.stderr == b"pcrtool extract: list.jsonl: Is a directory\n", done.stderr

# A class whose name has a line end cannot stand in a file with one on each line.
with open("lines.jsonl", "w", encoding="utf-8") as file:
    for i, label in enumerate(("one", "two\nthree")):
        file.write(json.dumps({"path": "tree/" + good[i], "label": label}) + "\n")
convert("lines.jsonl", "lines.pcr")
done = pcrtool("extract", "--list", "lines.pcr", "lines", code=1)
assert done.stderr == b"pcrtool extract: classes.txt: the name of a class has a line end\n"
assert "lines/classes.txt" not in files(".") and "lines/list.jsonl" in files(".")

# With a split or names alone, the list has what was written alone; a damaged sample is not in it.
photos("split", count=12, classes=2)
convert("split", "split.pcr", "--layout", "split-class", records=4)
done = pcrtool("extract", "--list", "split.pcr", "some", "@1", "@0", "--quiet")
assert [json.loads(line)["path"] for line in read("some/list.jsonl").splitlines()] == [
    json.loads(pcrtool("ls", "split.pcr", "--json").stdout.splitlines()[i])["key"]
    for i in (1, 0)]
split = json_of("info", "split.pcr", "--json")["splits"][0]
pcrtool("extract", "--list", "split.pcr", "part", "--split", split["name"])
rows = [json.loads(line) for line in read("part/list.jsonl").splitlines()]
assert len(rows) == split["sample_count"], rows
assert {row["split"] for row in rows} == {split["name"]}, rows
damage(records("split.pcr")[0], -1)
report = json_of("extract", "--list", "split.pcr", "bad", "--json", code=4)
rows = [json.loads(line)["path"] for line in read("bad/list.jsonl").splitlines()]
assert len(rows) == report["written_count"] == 12 - report["damaged_count"] < 12
assert sorted([*rows, "list.jsonl", "classes.txt"]) == files("bad")

# A key that is a folder on the way to another, and a folder where a file is to be.
os.makedirs("blocked/class-00/photo-00000.jpg/more")
for force in ([], ["--force"]):
    done = pcrtool("extract", "odd.pcr", "blocked", "@0", *force, code=1)
    assert done.stderr.startswith(b"pcrtool extract: class-00/photo-00000.jpg: "), done.stderr
fails("extract", "odd.pcr", "out/", "@4", "-q", says=["there are 4 samples"])
