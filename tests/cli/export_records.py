#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""extract --to tfrecord and mds, byte by byte as the formats have it; and what is exported comes in
again as the same samples."""
import json
import os
import struct

try:
    import zstandard
except ImportError:  # then compressed shards are not looked into
    zstandard = None

from helper import convert, fails, files, json_of, pcrtool, photos, read

source = photos(count=9, splits=False, classes=3)
ATTRIBUTES = [{"caption": "a \"cat\"\n\u00e9", "boxes": [[0.1, 1.0], [2.0, 3.25]], "n": -7,
               "seen": True, "any": {"x": [1, "y"]}, "few": [3]},
              {"n": 2 ** 60, "boxes": [], "few": [1, 2], "any": None, "caption": "b"}]
with open("list.jsonl", "w", encoding="utf-8") as file:
    for i, name in enumerate(files(source)):
        file.write(json.dumps({"path": os.path.join(source, name), "key": f"k{i}/a.{i}.JPEG",
                               "label": f"class {i % 3}", "split": "val" if i > 6 else "train",
                               **({"attributes": ATTRIBUTES[i % 2]} if i % 3 else {})}) + "\n")
convert("list.jsonl", "d.pcr", "--no-shuffle", records=4)
pcrtool("extract", "d.pcr", "folder", "--list")
rows = [json.loads(line) for line in read("folder/list.jsonl").splitlines()]
classes = read("folder/classes.txt").decode().splitlines()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """(number, bytes) of a message that has only fields of bytes."""
    at, found = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        assert tag & 7 == 2, tag
        size, at = varint(data, at)
        found.append((tag >> 3, data[at:at + size]))
        at += size
    assert at == len(data)
    return found


def feature(data):
    ((kind, values),) = fields(data)
    if kind == 1:
        return [value for _, value in fields(values)]
    packed = b"".join(value for _, value in fields(values))
    if kind == 2:
        return list(struct.unpack(f"<{len(packed) // 4}f", packed))
    at, numbers = 0, []
    while at < len(packed):
        value, at = varint(packed, at)
        numbers.append(value - (value >> 63 << 64))
    return numbers


def examples(path):
    data, at = read(path), 0
    while at < len(data):
        size, crc = struct.unpack_from("<QI", data, at)
        assert crc == masked(data[at:at + 8])
        body = data[at + 12:at + 12 + size]
        if at == 0:  # it takes time
            assert struct.unpack_from("<I", data, at + 12 + size)[0] == masked(body)
        at += size + 16
        ((one, features),) = fields(body)
        entries = [dict(fields(entry)) for _, entry in fields(features)]
        yield {entry[1].decode(): feature(entry[2]) for entry in entries}
        assert one == 1 and len({entry[1] for entry in entries}) == len(entries)


def exact(own, row):
    return own == {"__key__": row["path"], "__label__": row["label"], "__split__": row["split"],
                   **row.get("attributes", {})}


pcrtool("extract", "d.pcr", "d.tfrecord", "--quiet")
found = list(examples("d.tfrecord"))
assert len(found) == len(rows)
for example, row in zip(found, rows):
    assert example["image/encoded"] == [read(os.path.join("folder", row["path"]))]
    assert example["image/format"] == [b"jpeg"]
    assert (example["image/width"], example["image/height"]) == ([96], [80])
    assert example["image/filename"] == [row["path"].encode()]
    assert example["image/class/text"] == [row["label"].encode()]
    assert classes[example["image/class/label"][0]] == row["label"]
    assert exact(json.loads(example["json"][0]), row)
    if row.get("attributes", {}).get("n") == -7:
        assert example["n"] == [-7] and example["seen"] == [1] and example["few"] == [3]
        assert example["boxes"] == [0.10000000149011612, 1.0, 2.0, 3.25]
        assert example["caption"][0].decode() == ATTRIBUTES[0]["caption"]
        assert json.loads(example["any"][0]) == ATTRIBUTES[0]["any"]
    elif "attributes" in row:
        assert example["n"] == [2 ** 60] and example["boxes"] == []
    else:
        assert "n" not in example
assert pcrtool("extract", "d.pcr", "-", "--to", "tfrecord", "-q").stdout == read("d.tfrecord")
pcrtool("extract", "d.pcr", "t/d.tfrecord", "--shard-samples", "4", "-q", "--threads", "3")
assert b"".join(read(os.path.join("t", name)) for name in files("t")) == read("d.tfrecord")


def check_mds(folder, ending):
    index = json.loads(read(os.path.join(folder, "index.json")))
    names, left = [], list(rows)
    for shard in index["shards"]:
        name = shard["zip_data" if ending else "raw_data"]["basename"]
        data = read(os.path.join(folder, name))
        names.append(name)
        if ending and not zstandard:
            del left[:shard["samples"]]
            continue
        if ending:
            assert len(data) == shard["zip_data"]["bytes"] and shard["compression"] == "zstd"
            data = zstandard.ZstdDecompressor().decompress(data)
        assert len(data) == shard["raw_data"]["bytes"]
        (count,) = struct.unpack_from("<I", data)
        ends = struct.unpack_from(f"<{count + 1}I", data, 4)
        config = json.loads(data[8 + 4 * count:ends[0]])
        assert config.items() <= shard.items() and ends[-1] == len(data)
        assert count == shard["samples"] and shard["column_names"] == ["image", "json", "label"]
        for begin, end in zip(ends, ends[1:]):
            row, (a, b) = left.pop(0), struct.unpack_from("<2I", data, begin)
            begin += 8
            assert data[begin:begin + a] == read(os.path.join("folder", row["path"]))
            assert exact(json.loads(data[begin + a:begin + a + b]), row)
            (label,) = struct.unpack("<q", data[begin + a + b:end])
            assert classes[label] == row["label"]
    assert not left and files(folder) == ["index.json"] + names
    assert names == [f"shard.{i:05}.mds{ending}" for i in range(len(names))]
    return len(names)


pcrtool("extract", "d.pcr", "mds", "--to", "mds", "--quiet")
assert check_mds("mds", "") == 1
fails("extract", "d.pcr", "mds", "--to", "mds", says=["mds/index.json: the file exists"])
pcrtool("extract", "d.pcr", "zstd", "--to", "mds", "--zstd", "--shard-samples", "2", "--quiet")
assert check_mds("zstd", ".zstd") == 5
pcrtool("extract", "d.pcr", "zstd", "--to", "mds", "--zstd", "--shard-size", "8K", "-f", "-q")
assert check_mds("zstd", ".zstd") > 1
fails("extract", "d.pcr", "x", "--to", "mds", "--shard-size", "2G", says=["at most"])
fails("extract", "d.pcr", "x.tfrecord", "--zstd", says=["zstd"])

# All of it comes in again: keys, labels, splits, attributes, coefficients.
pcrtool("extract", "d.pcr", "baseline", "--jpeg", "baseline", "--list", "-q")
pcrtool("extract", "d.pcr", "d.tar", "--quiet")
for name in ("d.tar", "d.tfrecord", "zstd"):
    convert(name, "again.pcr", "--no-shuffle", records=4)
    pcrtool("extract", "again.pcr", "again", "--jpeg", "baseline", "--list", "-q")
    assert files("again") == files("baseline"), name
    for path in files("again"):
        mine, theirs = (read(os.path.join(top, path)) for top in ("again", "baseline"))
        assert sorted(mine.splitlines()) == sorted(theirs.splitlines()), (name, path)
    assert json_of("info", "again.pcr", "--json")["labels"] == "class"
    for top in ("again.pcr", "again"):
        os.rename(top, f"{name}-{top}")
