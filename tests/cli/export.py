#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""extract --to tar and zip: what their usual readers find is what a folder would have."""
import io
import json
import os
import re
import tarfile
import zipfile

from helper import convert, damage, digests, fails, files, json_of, pcrtool, photos, read, records

source = photos(count=12, splits=False, classes=3)
kept = files(source)
KEYS = ["train/cat/a.b.c.jpg", "train/cat/a.b.c.JPG", "train/cat/a.b.c", "train/v1.2/x.jpeg",
        "__meta.jpg", "100%.jpg", "100%2E.jpg", "d" * 120 + "/" + "n" * 120 + ".jpg",
        "d" * 90 + "/" + "n" * 90 + ".jpg", "\u00e9" * 110 + ".jpg", ".hidden", "plain.jpg"]
ATTRIBUTES = {"caption": "a \"cat\"\n\u00e9", "boxes": [[0.5, 1.0], [2.0, 3.25]], "n": 7}
with open("list.jsonl", "w", encoding="utf-8") as file:
    for i, (name, key) in enumerate(zip(kept, KEYS)):
        file.write(json.dumps({"path": os.path.join(source, name), "key": key,
                               "label": f"class {i % 3}", "split": "val" if i > 8 else "train",
                               **({"attributes": ATTRIBUTES} if i % 2 else {})}) + "\n")
convert("list.jsonl", "d.pcr", "--no-shuffle", records=5)
pcrtool("extract", "d.pcr", "folder", "--list")
rows = {row["path"]: row for row in map(json.loads, read("folder/list.jsonl").splitlines())}
classes = read("folder/classes.txt").decode().splitlines()
assert sorted(rows) == sorted(KEYS)


def samples(path):
    """The samples of a tar, as WebDataset divides its members."""
    found = []
    with tarfile.open(path) as tar:
        for member in tar:
            assert member.isreg() and (member.mtime, member.uid, member.gid) == (0, 0, 0)
            assert not re.match("__[^/]*__($|/)", member.name), member.name
            base, ending = re.match(r"((?:.*/|)[^.]+)[.]([^/]*)$", member.name).groups()
            if not found or found[-1]["__key__"] != base:
                assert base not in [other["__key__"] for other in found], base
                found.append({"__key__": base})
            assert ending.lower() not in found[-1]
            found[-1][ending.lower()] = tar.extractfile(member).read()
    return found


def check_tar(paths):
    left = dict(rows)
    for sample in [s for path in paths for s in samples(path)]:
        own = json.loads(sample.pop("json"))
        row = left.pop(own.pop("__key__"))
        assert own.pop("__label__") == row["label"] and own.pop("__split__") == row["split"]
        assert own == row.get("attributes", {}), own
        assert classes[int(sample.pop("cls"))] == row["label"]
        sample.pop("__key__")
        ((ending, image),) = sample.items()
        assert ending in ("jpg", "jpeg") and image == read(os.path.join("folder", row["path"]))
    assert not left, left


text = pcrtool("extract", "d.pcr", "d.tar").stdout
assert text.startswith(b"d.tar: 12 samples in 1 files, "), text
check_tar(["d.tar"])
names = tarfile.open("d.tar").getnames()
assert names[:3] == ["train/cat/a%2Eb%2Ec.jpg", "train/cat/a%2Eb%2Ec.cls",
                     "train/cat/a%2Eb%2Ec.json"], names[:3]
assert "train/v1.2/x.jpeg" in names and "plain.jpg" in names

# The same bytes by any number of threads, as a stream, and again; at another fidelity others.
for threads in ("1", "7"):
    pcrtool("extract", "d.pcr", "again.tar", "--force", "--threads", threads, "--quiet")
    assert read("again.tar") == read("d.tar")
done = pcrtool("extract", "d.pcr", "-", "--to", "tar")
assert done.stdout == read("d.tar") and b"standard output: 12 samples" in done.stderr
pcrtool("extract", "d.pcr", "low.tar", "-g", "1", "--jpeg", "baseline", "--quiet")
assert os.path.getsize("low.tar") < os.path.getsize("d.tar")

# Shards, by samples and by bytes; those of an earlier export do not stay among others.
pcrtool("extract", "d.pcr", "s/d.tar", "--shard-samples", "5", "--quiet")
assert files("s") == [f"d-00000{i}.tar" for i in range(3)]
check_tar([os.path.join("s", name) for name in files("s")])
before = digests("s")
fails("extract", "d.pcr", "s/d.tar", "--shard-samples", "7", says=["d-00000", "--force"])
assert digests("s") == before
limit = max(os.path.getsize(os.path.join("s", name)) for name in files("s"))
pcrtool("extract", "d.pcr", "s/d.tar", "--shard-size", str(limit), "--force", "--quiet")
check_tar([os.path.join("s", name) for name in files("s")])
assert all(os.path.getsize(os.path.join("s", name)) <= limit + 10240 for name in files("s"))
pcrtool("extract", "d.pcr", "s/d.tar", "--shard-samples", "100", "--force", "--quiet")
assert files("s") == ["d-000000.tar"]
assert read("s/d-000000.tar") == read("d.tar")

# Zip: the files of the folder, with its list.
pcrtool("extract", "d.pcr", "d.zip", "--list", "--quiet")
with zipfile.ZipFile("d.zip") as archive:
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == files("folder")
    for info in archive.infolist():
        assert archive.read(info) == read(os.path.join("folder", info.filename))
        assert info.date_time == (1980, 1, 1, 0, 0, 0) and info.compress_type == 0
assert pcrtool("extract", "d.pcr", "-", "--to", "zip", "--list", "-q").stdout == read("d.zip")

# Numbers as labels, several, and none; a key that is no UTF-8.
with open("labels.jsonl", "w", encoding="utf-8") as file:
    for name, label in zip(kept, ([1, 2], [3.5], None)):
        file.write(json.dumps({"path": os.path.join(source, name), "labels": label}) + "\n")
convert("labels.jsonl", "labels.pcr", "--no-shuffle")
pcrtool("extract", "labels.pcr", "labels.tar", "--quiet")
own = [json.loads(sample["json"]) for sample in samples("labels.tar")]
assert [o.get("__label__") for o in own] == [[1.0, 2.0], 3.5, None], own
assert all("cls" not in sample for sample in samples("labels.tar"))
os.mkdir("odd")
odd = b"odd/" + b"caf\xe9" * 30 + b".jpg"
os.rename(os.fsencode(os.path.join(source, kept[0])), odd)
convert("odd", "odd.pcr", "--layout", "flat")
pcrtool("extract", "odd.pcr", "odd.tar", "--quiet")
with tarfile.open("odd.tar", encoding="utf-8", errors="surrogateescape") as tar:
    assert os.fsencode(tar.getnames()[0]) == odd[4:], tar.getnames()
pcrtool("extract", "odd.pcr", "odd.zip", "--quiet")
assert zipfile.ZipFile("odd.zip").namelist()[0].encode("cp437") == odd[4:]

# Damage: left out, degraded, or an error.
damage(records("d.pcr")[0], -1)
report = json_of("extract", "d.pcr", "skip.tar", "--json", code=4)
assert report["damaged_count"] == 1 and report["written_count"] == 11
assert len(samples("skip.tar")) == 11
report = json_of("extract", "d.pcr", "degrade.tar", "--on-damage", "degrade", "--json", code=4)
assert report["degraded_count"] == 1 and len(samples("degrade.tar")) == 12
fails("extract", "d.pcr", "fail.tar", "--on-damage", "fail", code=4, says=["checksum"])
assert not [name for name in os.listdir(".") if name.startswith((".pcr", "fail"))]

# What cannot be is said before anything is written.
fails("extract", "labels.pcr", "-", code=2, says=["--to"])
fails("extract", "labels.pcr", "-", "--to", "folder", says=["a stream"])
fails("extract", "labels.pcr", "x", "--shard-samples", "3", says=["folder", "shards"])
fails("extract", "labels.pcr", "x.tar", "--list", says=["tar", "a list"])
fails("extract", "labels.pcr", "-", "--to", "tar", "--shard-samples", "2", says=["shards"])
os.mkdir("there.tar")
fails("extract", "labels.pcr", "there.tar", "--force", says=["not a regular file"])
fails("extract", "labels.pcr", "no/where/x.tar", says=["no/where"])
fails("extract", "labels.pcr", "labels.tar", says=["labels.tar: the file exists", "--force"])
assert not os.path.exists("x") and not os.path.exists("x.tar")

# Blobs go out to all formats, and come back, or those that are asked for.
with tarfile.open("blobs.tar", "w") as tar:
    for name, data in (("1.jpg", read(os.path.join(source, kept[1]))), ("1.npy", b"\x93NUMPY"),
                       ("1.cls", b"cat")):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
convert("blobs.tar", "blobs.pcr")
assert json_of("info", "blobs.pcr", "--json")["blobs"] == {
    "npy": {"sample_count": 1, "nbytes": 6}}
assert b"\nblobs        npy (1 samples, 6 B)\n" in pcrtool("info", "blobs.pcr").stdout
for name, more in (("mds", ["--to", "mds"]), ("blobs.tfrecord", [])):
    done = pcrtool("extract", "blobs.pcr", f"out-{name}", *more)
    assert not done.stderr, done
    convert(f"out-{name}", f"back-{name}.pcr")
    assert json_of("info", f"back-{name}.pcr", "--json")["blobs"]["npy"]["nbytes"] == 6
    convert(f"out-{name}", f"none-{name}.pcr", "--blobs", "none")
    assert not json_of("info", f"none-{name}.pcr", "--json").get("blobs")
    fails("convert", f"out-{name}", "x.pcr", "--blobs", "npy,nyp", says=["no sample has a part"])
# What a sample's parts become is shown before.
for name in ("blobs.tar", "out-mds", "out-blobs.tfrecord"):
    shown = json_of("convert", name, "dry", "--dry-run", "--json")
    assert shown["attributes"] == {} and shown["blobs"] == ["npy"], shown
    first = shown["first_sample"]
    assert (first["key"], first["class"], first["blobs"]) == ("1.jpg", "cat", {"npy": 6}), first
    text = pcrtool("convert", name, "dry", "--dry-run").stdout.decode()
    assert "\nfirst sample  1.jpg\n  image       " in text, text
    assert "\n  class       cat\n  blob        npy: 6 B\n" in text, text
    assert "\nblobs         npy\n" in text, text
assert not os.path.exists("dry")
done = json_of("extract", "blobs.pcr", "blobs", "--json")
assert done["lost_blob_count"] == 0 and read("blobs/1.jpg.npy") == b"\x93NUMPY"
