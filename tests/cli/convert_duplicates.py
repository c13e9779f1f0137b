#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert --dedupe: one of equal files is kept, the others are listed; labels must agree."""
import json
import os
import shutil

from helper import fails, json_of, pcrtool, photos

source = photos(count=4, size="32x32", classes=1, splits=False)
image = [os.path.join(source, "class-00", f"photo-0000{i}.jpg") for i in range(4)]
for name, i in {"train/cat/a.jpg": 0, "train/cat/b.jpg": 0, "train/cat/c.jpg": 1,
                "train/dog/d.jpg": 2, "val/dog/e.jpg": 2, "val/cat/f.jpg": 3}.items():
    os.makedirs(os.path.dirname(f"tree/{name}"), exist_ok=True)
    shutil.copy(image[i], f"tree/{name}")


def keys(dataset):
    return {json.loads(line)["key"]
            for line in pcrtool("ls", dataset, "--json").stdout.splitlines()}


# Of one split the first, of two that of the smaller; a dry run and a second run say the same.
for more in (["--dry-run"], [], []):
    report = json_of("convert", "tree", "one.pcr", "--dedupe", "--json", *more)
    assert (report["sample_count"], report["duplicate_count"], report["across_splits_count"]) == \
        (4, 2, 1), report
assert keys("one.pcr") == {"train/cat/a.jpg", "train/cat/c.jpg", "val/dog/e.jpg", "val/cat/f.jpg"}
with open("one.pcr/errors.jsonl", encoding="utf-8") as file:
    left_out = [json.loads(line) for line in file]
assert {e["key"]: e["duplicate_of"] for e in left_out} == {
    "train/cat/b.jpg": "train/cat/a.jpg", "train/dog/d.jpg": "val/dog/e.jpg"}, left_out
text = pcrtool("convert", "tree", "text.pcr", "--dedupe").stdout.decode()
assert ("left out 2 duplicate(s), 1 of them of images in another split, listed in errors.jsonl\n"
        in text), text
done = pcrtool("convert", "tree", "all.pcr")
assert (b"2 file(s) are there more than once, 1 of them in several splits; --dedupe keeps one "
        b"of each" in done.stdout), done.stdout
assert b"note: tree/train/cat/b.jpg: the same file as tree/train/cat/a.jpg" in done.stderr
assert len(keys("all.pcr")) == 6
report = json_of("convert", "tree", "dry", "--dry-run", "--json")
assert (report["repeated_count"], report["repeated_across_splits_count"],
        report["duplicate_count"], report["uncompared_count"]) == (2, 1, 0, 0), report

# With other labels none can be trusted.
shutil.copy(image[1], "tree/train/dog/g.jpg")
message = fails("convert", "tree", "labels.pcr", "--dedupe", "--quiet",
                says=["train/cat/c.jpg", "train/dog/g.jpg", "their labels differ"])
assert not os.path.exists("labels.pcr"), message
fails_text = pcrtool("convert", "tree", "labels.pcr", "--dedupe", "--dry-run", code=1)
assert b"2 bad input(s) would stop the conversion" in fails_text.stderr, fails_text.stderr
done = pcrtool("convert", "tree", "labels.pcr", "--dedupe", "--on-bad", "skip", code=3)
assert b"2 copies with other labels\n" in done.stdout, done.stdout
assert keys("labels.pcr") == {"train/cat/a.jpg", "val/dog/e.jpg", "val/cat/f.jpg"}
