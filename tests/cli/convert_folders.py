#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert of folders: what they mean is found, shown and, in doubt, asked."""
import json
import os
import shutil

from helper import convert, fails, json_of, pcrtool, photos

source = photos(count=4, size="32x32", classes=1, splits=False)
photo = os.path.join(source, "class-00", "photo-00000.jpg")


def tree(folder, *names):
    for name in names:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if name.endswith((".jpg", ".png")):
            shutil.copy(photo, path)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write("not an image\n")
    return folder


def contents(*args, code=0):
    """{split: (samples, unlabelled)}, {class: samples} of a conversion's JSON."""
    report = json_of("convert", *args, "--json", code=code)
    return ({s["name"]: (s["sample_count"], s["unlabelled_count"]) for s in report["splits"]},
            {c["name"]: c["sample_count"] for c in report["classes"]}, report)


# An annotation service's names of splits; a dry run says the same as the work.
tree("valid", "train/cat/1.jpg", "train/dog/1.jpg", "valid/cat/1.jpg", "test/dog/1.jpg",
     "README.txt", "__MACOSX/train/cat/._1.jpg", "extra/notes.txt")
for more in (["--dry-run"], []):
    splits, classes, report = contents("valid", "valid.pcr", *more)
    assert splits == {"train": (2, 0), "valid": (1, 0), "test": (1, 0)}, splits
    assert classes == {"cat": 2, "dog": 2}, classes
    assert report["labels"] == "class" and report["ignored_count"] == 3, report
text = pcrtool("convert", "valid", "dry", "--dry-run").stdout.decode()
for line in ("split         train: 2 sample(s)\n", "2: cat (2), dog (2)\n",
             "ignored 3 file(s) that are not images\n"):
    assert line in text, text

# A test set without labels is kept, told of, read and trained past.
tree("flat", "train/cat/1.jpg", "train/dog/1.jpg", "test/1.jpg", "test/2.jpg")
splits, classes, _ = contents("flat", "flat.pcr")
assert splits == {"train": (2, 0), "test": (2, 2)} and classes == {"cat": 1, "dog": 1}
assert b"test: 2 sample(s), 2 without a label" in pcrtool("convert", "flat", "dry",
                                                          "--dry-run").stdout
info = json_of("info", "flat.pcr", "--json")
assert {s["name"]: s["unlabelled_count"] for s in info["splits"]} == {"test": 2, "train": 0}
assert b"2 without a label" in pcrtool("info", "flat.pcr").stdout
listed = [json.loads(line) for line in
          pcrtool("ls", "flat.pcr", "--split", "test", "--json").stdout.splitlines()]
assert [s["labels"] for s in listed] == [[], []]
pcrtool("verify", "flat.pcr", "--deep")

# Images without a place: exit code 3 and errors.jsonl, whatever is quiet.
tree("beside", "cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "stray.jpg", "labels.txt")
done = convert("beside", "beside.pcr", code=3)
assert b"left out: beside/stray.jpg: an image next to the class folders" in done.stderr
with open("beside.pcr/errors.jsonl", encoding="utf-8") as file:
    errors = [json.loads(line) for line in file]
assert [(e["path"], e["key"]) for e in errors] == [("beside/stray.jpg", "stray.jpg")]
assert "next to the class folders" in errors[0]["message"]
assert contents("beside", "dry", "--dry-run", code=3)[2]["left_out_count"] == 1
convert("beside", "beside.pcr", code=3)  # the same again

# What is not understood as a whole, though nothing is left out, is a note.
tree("noted", "a/1.jpg", "a/2.jpg", "b/3.jpg")
with open("noted/a/metadata.csv", "w", encoding="utf-8") as file:
    file.write("file_name,text\n1.jpg,one\n")
done = pcrtool("convert", "noted", "noted.pcr")
assert done.stderr.splitlines()[0] == (b"pcrtool convert: note: noted/a/metadata.csv: it has no "
                                       b"row for 1 of the 2 images in its folder"), done.stderr
assert b"left out" not in done.stderr and b"left out" not in done.stdout
assert not pcrtool("convert", "noted", "quiet.pcr", "--quiet").stderr

# Of many files that say nothing of some images ten are named.
for i in range(11):
    tree("talk", f"c{i}/1.jpg", f"c{i}/2.jpg")
    with open(f"talk/c{i}/metadata.csv", "w", encoding="utf-8") as file:
        file.write("file_name,text\n1.jpg,one\n")
told = pcrtool("convert", "talk", "dry", "--dry-run").stderr.decode()
assert told.count("it has no row for 1 of the 2 images") == 10, told
assert "note: 1 more\n" in told, told

# In doubt: both readings and the option; the option decides.
tree("doubt", "train/cat/1.jpg", "val/cat/1.jpg", "more/cat/1.jpg")
fails("convert", "doubt", "doubt.pcr", "--quiet",
      says=["--layout", "'split-class' has 3 splits (more, train, val) and 1 class (cat)",
            "'class' has 3 classes (more, train, val)"])
assert not os.path.exists("doubt.pcr")
expected = {"split-class": (3, 1), "class": (1, 3), "split": (3, 0), "flat": (1, 0)}
for layout, counts in expected.items():
    splits, classes, _ = contents("doubt", "dry", "--dry-run", "--layout", layout)
    assert (len(splits), len(classes)) == counts, (layout, splits, classes)
fails("convert", "doubt", "doubt.pcr", "--layout", "deep", code=2, says=["split-class"])

# Many classes: the first and the last are named.
tree("many", *[f"c{i:02}/1.jpg" for i in range(12)])
text = pcrtool("convert", "many", "dry", "--dry-run").stdout.decode()
assert ("12: c00 (1), c01 (1), c02 (1), c03 (1), c04 (1), ..., c09 (1), c10 (1), c11 (1)\n"
        in text), text
assert len(contents("many", "dry", "--dry-run")[1]) == 12
