#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_reference.py FOLDER...: holds docs/reference/pcr_reader.py against the vectors."""
import json
import os
import sys

import xxhash

ROOT = os.environ["PCR_SOURCE_ROOT"]
sys.path.insert(0, os.path.join(ROOT, "docs", "reference"))
import pcr_reader  # noqa: E402  (the line before says where it is)


def lines(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def contents(record, name):
    """The record's lines as contents.tsv has them."""
    for i in range(record.count):
        files = [record.exact(i)[0] if record.is_exact(i) and g == record.groups
                 else record.materialise(i, g) for g in range(1, record.groups + 1)]
        yield [name, record.key[i].hex(), str(record.coding[0][i]), str(record.orientation[i]),
               ",".join("%.17g" % v if isinstance(v, float) else "%d" % v
                        for v in record.labels[i]),
               json.dumps(record.attributes[i], sort_keys=True, separators=(",", ":"),
                          ensure_ascii=False),
               bytes(sum(record.quality[i], [])).hex(),
               *(f"{len(f)}:{xxhash.xxh3_64_hexdigest(f)}" for f in files)]


def originals(record, name):
    """The record's lines as originals.tsv has them."""
    for i, (mode, time) in enumerate(record.file_infos()):
        data = record.original(i)
        yield [name, str(i),
               "-" if data is None else f"{len(data)}:{xxhash.xxh3_64_hexdigest(data)}",
               "-" if mode is None else f"{mode:o}", "-" if time is None else str(time)]


def code_of(path, stage):
    """The code at the stage; an earlier failure is a failure of the test."""
    kind, _, number = stage.partition(" ")
    try:
        record = pcr_reader.Record(path)
    except pcr_reader.PcrError as error:
        return error.code if kind == "open" else f"{error} on opening"
    try:
        if kind == "good":
            record.verify()
        elif kind == "tail":
            record.skipped(), record.notes(), record.file_infos()
            record.original(record.count - 1)
        elif kind == "sample":
            for g in range(1, int(number)):
                record.materialise(record.count - 1, g)
        elif kind == "read":
            for g in range(1, int(number)):
                record.read_group(g)
    except pcr_reader.PcrError as error:
        return error.code if kind in ("good", "tail") else f"{error} at a lower fidelity"
    try:
        if kind == "read":
            record.read_group(int(number))
        elif kind == "sample":
            record.materialise(record.count - 1, int(number))
    except pcr_reader.PcrError as error:
        return error.code
    return "OK"


def main():
    count = failures = 0
    for folder in sys.argv[1:]:
        expected, files = lines(folder, "contents.tsv"), lines(folder, "originals.tsv")
        for name, stage, code in lines(folder, "index.tsv"):
            if stage == "manifest":
                continue
            path = os.path.join(folder, name)
            found = code_of(path, stage)
            if found != code:
                print(f"{folder}/{name}: {found}, expected {code}")
                failures += 1
            elif code == "OK" and (list(contents(pcr_reader.Record(path), name)) !=
                                   [line for line in expected if line[0] == name]):
                print(f"{folder}/{name}: other contents than contents.tsv says")
                failures += 1
            elif name in {line[0] for line in files} and (
                    list(originals(pcr_reader.Record(path), name)) !=
                    [line for line in files if line[0] == name]):
                print(f"{folder}/{name}: other source files than originals.tsv says")
                failures += 1
            count += 1
        dataset = pcr_reader.Dataset(os.path.join(folder, "dataset"))
        for number in range(len(dataset.paths)):
            dataset.record(number).verify()
    print(f"{count} records, {failures} failures")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
