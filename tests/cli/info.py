#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""info: counts, splits, classes, sizes and the table of fidelities."""
import os

from helper import (PCR_GEN, convert, dataset, fails, files, json_of, pcrtool, records,
                    run)

path = dataset(count=80)
source_nbytes = sum(os.path.getsize(os.path.join("photos", f)) for f in files("photos"))
record_paths = records(path)

info = json_of("info", path, "--json")
assert info["format"] == [1, 0]
assert info["sample_count"] == 80
assert info["record_count"] == len(record_paths)
assert info["opaque_count"] == 0 and info["blobs"] == {}
assert (info["coding"], info["scans_count"], info["packed_count"]) == ("packed", 0, 80)
assert info["source_nbytes"] == source_nbytes
assert info["total_nbytes"] == sum(os.path.getsize(p) for p in record_paths)
assert [(s["name"], s["sample_count"]) for s in info["splits"]] == [
    ("test", 8), ("train", 64), ("validation", 8)]
assert [(c["index"], c["name"], c["sample_count"]) for c in info["classes"]] == [
    (i, f"class-0{i}", 20) for i in range(4)]
assert info["ladder"].startswith("ladder ")
assert info["image_size"]["sample_count"] == 80
assert info["image_size"]["width_max"] == 96
assert info["image_size"]["height_min"] == 80

table = info["fidelities"]
assert [row["fidelity"] for row in table] == list(range(1, info["group_count"] + 1))
for below, above in zip(table, table[1:]):
    assert below["nbytes"] < above["nbytes"]
for row in table:
    assert abs(row["percent_of_source"] - 100 * row["nbytes"] / source_nbytes) < 0.01
    assert abs(row["nbytes_per_sample"] - row["nbytes"] / 80) < 0.01
assert table[-1]["nbytes"] <= info["total_nbytes"]

# A split alone, and what is counted then.
train = json_of("info", path, "--split", "train", "--json")
assert train["sample_count"] == 64
assert train["fidelities"][0]["nbytes"] < table[0]["nbytes"]
assert sum(c["sample_count"] for c in train["classes"]) == 64
for command in ("info", "extract"):
    fails(command, path, *(["out"] if command == "extract" else []), "--split", "night", code=2,
          says=["'night'; there are test, train, validation"])
fails("ls", path, "--class", "night", code=2, says=["night"])
assert json_of("info", path, "--split", "all", "--json")["sample_count"] == 80

# The text has the same numbers.
text = pcrtool("info", path).stdout.decode()
for word in ("80 in", "class-03", "validation", str(table[0]["nbytes"]), "without loss",
             "coding       packed: 80 packed\n"):
    assert word in text, f"{word} is not in:\n{text}"

# A record file is a dataset of its own.
one = json_of("info", record_paths[0], "--json")
assert one["record_count"] == 1
assert 0 < one["sample_count"] <= 16
assert one["total_nbytes"] == os.path.getsize(record_paths[0])
assert "coding" not in one and one["packed_count"] == one["sample_count"]
text = pcrtool("info", record_paths[0]).stdout.decode()
assert f"coding       {one['sample_count']} packed\n" in text, text

# Codings: what it was written with, and what the samples are.
run(PCR_GEN, "photos", "mixed", "--count", "6", "--size", "96x80")
with open(os.path.join("mixed", os.path.dirname(files("mixed")[0]), "note.jpg"), "wb") as file:
    file.write(b"no image")
convert("mixed", "mixed.pcr", "--coding", "packed", "--on-bad", "opaque")
mixed = json_of("info", "mixed.pcr", "--json")
assert mixed["coding"] == "packed" and mixed["opaque_count"] == 1
assert mixed["scans_count"] + mixed["packed_count"] == 6

# The same command makes another dataset where the coding is another.
convert("mixed", "mixed.pcr", "--on-bad", "opaque")
text = pcrtool("convert", "mixed", "mixed.pcr", "--records", "16", "--coding", "scans",
               "--ladder", "packed", "--on-bad", "opaque", code=1).stderr.decode()
assert "already holds another dataset" in text, text
