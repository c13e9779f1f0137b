#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert --annotations: boxes become attributes; what is wrong is told by file, byte and id."""
import json
import os

from helper import fails, json_of, pcrtool, photos

folder = photos(count=4, size="64x48", classes=1, splits=False) + "/class-00"
names = sorted(os.listdir(folder))
document = {"images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
            "categories": [{"id": 5, "name": "cat"}],
            "annotations": [{"id": 70 + i, "image_id": i, "category_id": 5, "bbox": [1, 2, 3, 4],
                             "segmentation": [[1, 2, 3, 4, 5, 6]]} for i in (0, 0, 2)]}


def write(name, **changes):
    with open(name, "w", encoding="utf-8") as out:
        json.dump({**document, **changes}, out)
    return name


def attributes(dataset):
    return {line["key"]: line.get("attributes") for line in
            map(json.loads, pcrtool("ls", dataset, "--json").stdout.splitlines())}


train, val = write("instances_train.json"), write("instances_val.json", annotations=[])
text = pcrtool("convert", folder, "dry", "--annotations", train, "--dry-run").stdout.decode()
assert "attributes    box_areas (float64[]), box_category_ids (int64[])" in text, text
assert ("  labels      none\n" in text and "  split       train\n" in text and
        "  attribute   boxes: [[1.0,2.0,4.0,6.0],[1.0,2.0,4.0,6.0]]\n" in text), text
report = json_of("convert", folder, "one.pcr", "--annotations", train, "--json")
assert report["sample_count"] == 4, report
found = attributes("one.pcr")
assert set(found) == set(names)
assert found[names[0]]["boxes"] == [[1, 2, 4, 6]] * 2 and found[names[1]]["boxes"] == []
assert found[names[2]]["box_classes"] == ["cat"] and found[names[3]]["image_id"] == 3
assert "box_segmentations" not in found[names[0]]

report = json_of("convert", f"train={folder}", f"val={folder}", "two.pcr", "--json",
                 "--annotations", f"{train},{val}", "--segmentations")
assert {s["name"]: s["sample_count"] for s in report["splits"]} == {"train": 4, "val": 4}, report
assert attributes("two.pcr")[f"train/{names[2]}"]["box_segmentations"] == [[[1, 2, 3, 4, 5, 6]]]

bad = write("bad.json", annotations=[{"id": 9, "image_id": 44, "category_id": 5,
                                      "bbox": [0, 0, 1, 1]}])
with open(bad, encoding="utf-8") as text:
    offset = text.read().index('{"id": 9')
fails("convert", folder, "bad.pcr", "--annotations", bad, code=4,
      says=[f"bad.json, byte {offset}: annotation 9: image 44 is not among the images"])
out = pcrtool("convert", folder, "bad.pcr", "--annotations", bad, "--on-bad", "skip", code=3)
assert b"annotation 9: image 44" in out.stderr, out.stderr

fails("convert", folder, "x.pcr", "--max-side", "9", "--annotations", train, code=2,
      says=["--annotations"])
fails("convert", folder, "x.pcr", "--segmentations", code=2, says=["--annotations"])
for inputs, annotations, says in (([folder], "nothing.json", "No such file"),
                                  ([folder], f"{folder}/{names[0]}", "not JSON"),
                                  ([train], train, "is no folder"),
                                  ([f"a={folder}", f"b={folder}"], train, "no folder of images")):
    fails("convert", *inputs, "x.pcr", "--annotations", annotations, says=[says])

fails("convert", train, "x.pcr", says=["annotations go with a folder of images"])

os.mkdir("xml")
for name, split in ((names[0], "train"), (names[1], "train"), (names[3], "val")):
    with open(f"xml/{name[:-4]}.xml", "w", encoding="utf-8") as out:
        out.write(f"<annotation><filename>{name}</filename><object><name>dog</name><bndbox>"
                  "<xmin>1</xmin><ymin>3</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></object>"
                  "</annotation>")
    with open(f"{split}.txt", "a", encoding="utf-8") as out:
        out.write(f"{name[:-4]}  1\n")
report = json_of("convert", folder, "voc.pcr", "--annotations", "xml", "--json", "--zero-based",
                 "--lists", "train.txt,val.txt")
assert {s["name"]: s["sample_count"] for s in report["splits"]} == {"train": 2, "val": 1}, report
assert attributes("voc.pcr")[names[1]]["boxes"] == [[1, 3, 5, 6]]
pcrtool("convert", folder, "all.pcr", "--annotations", "xml")
assert attributes("all.pcr")[names[1]]["boxes"] == [[0, 2, 5, 6]]
fails("convert", folder, "x.pcr", "--annotations", train, "--lists", "train.txt",
      says=["only for VOC"])
