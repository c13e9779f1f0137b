#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Labels from a list into a dataset, out of it again with `extract --list`, and back."""
import json
import os

from helper import convert, fails, files, json_of, pcrtool, photos, read

photos("tree", count=12, splits=False)
paths = [os.path.join("tree", name) for name in files("tree")]
FLOATS = [0.1, -3, 1e300, 5e-324, 2.5, 1 / 3]


def write_list(name, labels, **more):
    with open(name, "w", encoding="utf-8") as file:
        for i, label in enumerate(labels):
            row = {"path": paths[i], "key": f"k/{i}.jpg", "label": label,
                   "split": ["b", "a"][i % 2], "attributes": {"n": i + 0.1, "t": "ü"}, **more}
            file.write(json.dumps(row) + "\n")
    return name


def listing(path):
    """What is known of each sample but its bytes."""
    rows = [json.loads(line) for line in pcrtool("ls", path, "--json").stdout.splitlines()]
    return [{k: v for k, v in row.items() if "nbytes" not in k} for row in rows]


def round_trip(name, labels, *options, again=()):
    """The same samples after a way out and back."""
    convert(write_list(name + ".jsonl", labels), name, "--no-shuffle", *options)
    pcrtool("extract", "--list", "--quiet", name, name + ".out")
    convert(name + ".out/list.jsonl", name + ".again", "--no-shuffle", *again)
    assert listing(name) == listing(name + ".again")
    for key in ("labels", "classes", "splits"):
        assert json_of("info", "--json", name)[key] == json_of("info", "--json",
                                                               name + ".again")[key]
    return listing(name)


rows = {r["key"]: r["labels"] for r in round_trip("floats", [*FLOATS, [1, 0.5], None])}
assert [rows[f"k/{i}.jpg"] for i in range(8)] == [*([v] for v in FLOATS), [1, 0.5], []]
assert json_of("info", "--json", "floats")["labels"] == "floats"
assert b"labels       floats\n" in pcrtool("info", "floats").stdout
text = pcrtool("ls", "floats").stdout.decode()
assert "\t0.1\tk/0.jpg\n" in text and "\t1,0.5\tk/6.jpg\n" in text and "\t-\tk/7.jpg\n" in text
assert '"labels":[0.1]' in pcrtool("ls", "--json", "floats").stdout.decode()

round_trip("ints", [5, -(2**63), 2**63 - 1, [1, 2], None])
numbers = round_trip("numbers", [10 - i for i in range(11)])
assert sorted(r["class"] for r in numbers) == sorted(map(str, range(11)))
assert json_of("info", "--json", "numbers")["labels"] == "class"
assert not os.path.exists("numbers.out/classes.txt")
assert all("class" not in r for r in round_trip("plain", [1, 0, 2], "--no-classes",
                                                 again=["--no-classes"]))

round_trip("names", ["dog", "ape", "cat"], "--classes", "dog,cat,eel,ape",
           again=["--classes", "names.out/classes.txt"])
assert read("names.out/classes.txt") == b"dog\ncat\neel\nape\n"
assert [c["name"] for c in json_of("info", "--json", "names")["classes"]] == [
    "dog", "cat", "eel", "ape"]
named = round_trip("named", [2, 0], "--classes", "x,y,z", again=["--classes", "x,y,z"])
assert sorted(r["class"] for r in named) == ["x", "z"]

# Folders called 0 to 11: label 2 is folder 10, unless the order is given.
for i in range(12):
    os.makedirs(f"numbered/{i}")
    os.link(paths[i], f"numbered/{i}/a.jpg")
note = pcrtool("convert", "numbered", "as-text").stderr.decode()
assert "class '11' has label 3; --classes" in note, note
assert {r["key"]: r["labels"] for r in listing("as-text")}["10/a.jpg"] == [2]
with open("order.txt", "w", encoding="utf-8") as file:
    file.write("".join(f"{i}\r\n" for i in range(12)))
assert b"note" not in pcrtool("convert", "numbered", "right", "--classes", "order.txt").stderr
assert all(r["key"] == f"{r['labels'][0]}/a.jpg" for r in listing("right"))

fails("extract", "--list", "--quiet", "names", "names.out", says=["--force"])
pcrtool("extract", "--list", "--force", "--quiet", "names", "names.out")
fails("convert", "names.out/list.jsonl", "x", "--classes", "nowhere", says=["nowhere"])
fails("convert", "names.out/list.jsonl", "x", "--classes", "dog,cat",
      says=["line 1 ('k/1.jpg')", "'ape'", "2 classes"])
fails("convert", "names.out/list.jsonl", "x", "--classes", "dog,,ape", code=2,
      says=["empty"])
fails("convert", write_list("bad.jsonl", [1, True]), "x", says=["line 2 ('k/1.jpg')"])
assert not os.path.exists("x")
