#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert: what comes out depends on the inputs and options alone."""
import json
import os

from helper import (convert, digests, fails, files, json_of, pcrtool, photos, read,
                    records)

source = photos(count=80)
stats = {name: os.stat(os.path.join(source, name)).st_mtime_ns for name in files(source)}
before = digests(source)

convert(source, "one.pcr", "--threads", "1", "--seed", "7")
convert(source, "two.pcr", "--threads", "2", "--seed", "7")
convert(source, "five.pcr", "--threads", "5", "--seed", "7")
assert digests("one.pcr") == digests("two.pcr") == digests("five.pcr")
convert(source, "other.pcr", "--seed", "8")
assert digests("one.pcr") != digests("other.pcr")
assert not [name for name in files("one.pcr") if os.path.basename(name).startswith(".")]

# The same command again changes nothing, not even times.
times = {name: os.stat(os.path.join("one.pcr", name)).st_mtime_ns
         for name in files("one.pcr") if name.endswith(".pcr")}
convert(source, "one.pcr", "--seed", "7")
assert digests("one.pcr") == digests("two.pcr")
assert all(os.stat(os.path.join("one.pcr", name)).st_mtime_ns == t
           for name, t in times.items()), "finished records were written again"

# The sources are as they were.
assert digests(source) == before
assert {n: os.stat(os.path.join(source, n)).st_mtime_ns for n in stats} == stats

# Order: shuffled, or the source's.
convert(source, "plain.pcr", "--no-shuffle")
keys = [json.loads(line)["key"]
        for line in pcrtool("ls", "plain.pcr", "--json").stdout.splitlines()]
assert keys == files(source)
shuffled = [json.loads(line)["key"]
            for line in pcrtool("ls", "one.pcr", "--json").stdout.splitlines()]
assert shuffled != keys and sorted(shuffled) == keys

# A dry run says what there would be and writes nothing; --json says it in JSON.
report = json_of("convert", source, "dry.pcr", "--dry-run", "--json")
assert not os.path.exists("dry.pcr")
assert report["sample_count"] == 80, report
report = json_of("convert", source, "json.pcr", "--json", "--records", "20")
assert report["sample_count"] == 80, report
assert convert(source, "quiet.pcr").stdout == b""

# A list: keys, labels, splits and attributes of one's own.
with open("list.csv", "w", encoding="utf-8") as file:
    file.write("path,key,label,split,camera\n")
    for i, name in enumerate(sorted(before)[:6]):
        file.write(f"{source}/{name},image-{i},{'ab'[i % 2]},{'xy'[i // 3]},c{i}\n")
convert("list.csv", "list.pcr", "--no-shuffle")
samples = [json.loads(line)
           for line in pcrtool("ls", "list.pcr", "--json").stdout.splitlines()]
assert [s["key"] for s in samples] == [f"image-{i}" for i in range(6)]
assert [s["class"] for s in samples] == ["a", "b"] * 3
assert [s["attributes"]["camera"] for s in samples] == [f"c{i}" for i in range(6)]
assert [s["name"] for s in json_of("info", "list.pcr", "--json")["splits"]] == ["x", "y"]

# A folder that holds another dataset, or something else, is left alone.
before = digests("list.pcr")
fails("convert", source, "list.pcr", "--quiet", says=["list.pcr"])
assert digests("list.pcr") == before
assert read(records("plain.pcr")[0])[:4] == b"\x89PCR"
