#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ls: one line a sample, chosen by split and class, as text and JSON."""
import json
import os

from helper import dataset, fails, files, json_of, pcrtool

path = dataset(count=80)
groups = json_of("info", path, "--json")["group_count"]


def lines(*args):
    return pcrtool("ls", path, *args).stdout.decode().splitlines()


def objects(*args):
    return [json.loads(line) for line in lines("--json", *args)]


samples = objects()
assert [s["index"] for s in samples] == list(range(80))
assert sorted(s["key"] for s in samples) == files("photos")
for s in samples:
    assert s["coding"] == "packed"
    assert s["source_nbytes"] == os.path.getsize(os.path.join("photos", s["key"]))
    assert (s["width"], s["height"], s["orientation"]) == (96, 80, 1)
    assert s["components"] in (1, 3)
    assert s["class"] == s["key"].split("/")[1]
    assert s["labels"] == [int(s["class"][-2:])]
    assert len(s["nbytes"]) == groups
    assert s["nbytes"] == sorted(s["nbytes"])

rows = [line.split("\t") for line in lines()]
assert [row[0] for row in rows] == [str(i) for i in range(80)]
assert [row[1] for row in rows] == [str(s["nbytes"][-1]) for s in samples]
assert all(row[2:4] == ["96x80", "packed"] for row in rows)
assert [row[4] for row in rows] == [s["class"] for s in samples]
assert [row[5] for row in rows] == [s["key"] for s in samples]

coarse = [line.split("\t")[1] for line in lines("--fidelity", "1")]
assert coarse == [str(s["nbytes"][0]) for s in samples]

assert all(s["key"].startswith("train/") for s in objects("--split", "train"))
assert len(objects("--split", "train")) == 64
assert len(objects("--class", "class-02")) == 20
assert objects("--class", "2") == objects("--class", "class-02")
chosen = objects("--split", "test", "--class", "class-01")
assert [s["key"].split("/")[:2] for s in chosen] == [["test", "class-01"]] * 2
assert objects("--limit", "3") == samples[:3]
assert len(objects("-n", "3", "--class", "1")) == 3

fails("ls", path, "--class", "cats", code=2, says=["cats", "pcrtool info"])
fails("ls", path, "--class", "4", code=2, says=["4"])
fails("ls", path, "--split", "night", code=2, says=["night"])
fails("ls", path, "--fidelity", str(groups + 1), code=2, says=[f"1 to {groups}"])
