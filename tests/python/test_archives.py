# SPDX-License-Identifier: BSD-2-Clause
"""Archives as sources: tar in all its formats, WebDataset's convention, folders in archives,
several inputs, pipes, damage."""

import gzip
import io
import json
import lzma
import os
import shutil
import struct
import subprocess
import tarfile
import threading
import zipfile

import numpy as np
import pytest
import zstandard

import pcr
from images import encode, picture

JPEGS = [encode(picture(i, 24, 16 + i), "JPEG") for i in range(8)]


def tar(path, members, kind=tarfile.PAX_FORMAT, mode="w"):
    """Writes an archive of (name, bytes), or of (TarInfo, bytes)."""
    with tarfile.open(path, mode, format=kind) as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def samples(count=4, cls=True):
    """Members as WebDataset has them."""
    for i in range(count):
        yield f"s/{i:04}.jpg", JPEGS[i]
        if cls:
            yield f"s/{i:04}.cls", b"%d\n" % (i % 2)
        yield f"s/{i:04}.json", json.dumps({"number": i}).encode()
        yield f"s/{i:04}.txt", f"caption {i}".encode()


class Found:
    """What a conversion made of its sources: by "split/key", or by key where there is one split."""

    def __init__(self, path, report):
        self.report, self.labels, self.attributes, self.bytes = report, {}, {}, {}
        self.blobs = {}
        with pcr.open(path, split="all") as ds:
            names = list(ds.splits)
            self.classes = list(ds.classes)
        for split in names:
            with pcr.open(path, split=split) as ds:
                for s in ds:
                    key = s.key if names == ["all"] else f"{split}/{s.key}"
                    self.labels[key] = s.label
                    self.attributes[key] = s.attributes
                    self.bytes[key] = s.read()
                    self.blobs[key] = {name: data for name in ds.blobs
                                       if (data := s.blob(name)) is not None}


def convert(src, tmp_path, name="out", **options):
    report = pcr.convert(src, tmp_path / name, shuffle=False, **options)
    return Found(tmp_path / name, report)


def fails(src, tmp_path, *parts, error=pcr.InvalidError, **options):
    with pytest.raises(error) as caught:
        pcr.convert(src, tmp_path / "failed", dry_run=True, **options)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_formats(tmp_path, kind, mode):
    """Also names that no header holds."""
    long = "long/" + "n" * 90 + "/" + "f" * 60
    more = [(f"{long}.jpg", JPEGS[5]), (f"{long}.cls", b"1")]
    if kind != tarfile.USTAR_FORMAT:
        longer = "é" * 70 + "/" + "x" * 120
        more += [(f"{longer}.jpg", JPEGS[6]), (f"{longer}.cls", b"0")]
    tar(tmp_path / "a.tar", [*samples(), *more], kind, mode)
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.classes == ["0", "1"]
    assert found.report.left_out == () and found.report.ignored_count == 0
    assert found.labels == {**{f"s/{i:04}.jpg": i % 2 for i in range(4)},
                            **{name: int(more[i + 1][1]) for i, (name, _) in enumerate(more)
                               if name.endswith("jpg")}}
    assert found.attributes["s/0003.jpg"] == {"number": 3, "txt": "caption 3"}


def test_bytes_are_those_of_the_members(tmp_path):
    """Whether they lie in the archive as they are, or not."""
    members = [("a.jpg", JPEGS[0]), ("b.PNG", encode(picture(1, 9, 9), "PNG")), ("c", JPEGS[1])]
    (tmp_path / "folder").mkdir()
    for name, data in members:
        (tmp_path / "folder" / name).write_bytes(data)
    tar(tmp_path / "a.tar", members)
    tar(tmp_path / "b.tgz", members, mode="w:gz")
    (tmp_path / "c.tar.zst").write_bytes(
        zstandard.compress((tmp_path / "a.tar").read_bytes()))
    same = convert(tmp_path / "folder", tmp_path, "same")
    for name in ("a.tar", "b.tgz", "c.tar.zst"):
        found = convert(tmp_path / name, tmp_path, name + ".pcr")
        assert found.bytes == same.bytes and list(found.bytes) == ["a.jpg", "b.PNG", "c"]


def test_classes_by_name(tmp_path):
    tar(tmp_path / "a.tar", [("1.jpg", JPEGS[0]), ("1.cls", b"dog"),
                             ("2.jpg", JPEGS[1]), ("2.cls", b" cat\n")])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.classes == ["cat", "dog"] and found.labels == {"1.jpg": 1, "2.jpg": 0}
    found = convert(tmp_path / "a.tar", tmp_path, "given", classes=["dog", "owl", "cat"])
    assert found.labels == {"1.jpg": 0, "2.jpg": 2}


def test_label_field(tmp_path):
    tar(tmp_path / "a.tar", [("1.jpg", JPEGS[0]), ("1.json", b'{"label": "dog", "id": 1}'),
                             ("1.y", b"0.5"), ("2.jpg", JPEGS[1]),
                             ("2.json", b'{"label": "cat", "id": 2}'), ("2.y", b"1.5")])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.labels == {"1.jpg": None, "2.jpg": None}  # nothing is guessed
    assert found.attributes["1.jpg"] == {"label": "dog", "id": 1, "y": "0.5"}
    found = convert(tmp_path / "a.tar", tmp_path, "json", label_field="json:label")
    assert found.classes == ["cat", "dog"] and found.labels == {"1.jpg": 1, "2.jpg": 0}
    assert found.attributes["1.jpg"] == {"id": 1, "y": "0.5"}
    found = convert(tmp_path / "a.tar", tmp_path, "y", label_field="y")
    assert found.labels == {"1.jpg": 0.5, "2.jpg": 1.5}


def test_image_field(tmp_path):
    """The plainest ending is the image; where two are alike, one must be named."""
    depth = encode(picture(1, 9, 9), "PNG")
    tar(tmp_path / "a.tar", [("1.cls", b"3"), ("1.depth.png", depth), ("1.jpg", JPEGS[0])])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert list(found.bytes) == ["1.jpg"]
    assert found.blobs == {"1.jpg": {"depth.png": depth}} and found.report.notes == ()
    pairs = [("1.left.jpg", JPEGS[0]), ("1.right.jpg", JPEGS[1]), ("1.cls", b"0")]
    tar(tmp_path / "b.tar", pairs)
    fails(tmp_path / "b.tar", tmp_path, "1.left.jpg", "1.right.jpg", "--image-field")
    found = convert(tmp_path / "b.tar", tmp_path, "right", image_field="right.jpg")
    assert found.labels == {"1.right.jpg": 0}
    assert found.blobs == {"1.right.jpg": {"left.jpg": JPEGS[0]}}


def test_webdataset(tmp_path):
    """Shards by the package itself."""
    wds = pytest.importorskip("webdataset")
    with wds.ShardWriter(str(tmp_path / "x-train-%03d.tar"), maxcount=3, verbose=0) as writer:
        for i in range(8):
            writer.write({"__key__": f"dir/{i}", "jpg": JPEGS[i], "cls": i % 3, "txt": f"no {i}",
                          "json": {"number": i, "box": [0.5, i]}, "npy": np.arange(3)})
    found = convert(f"{tmp_path}/x-train-{{000..002}}.tar", tmp_path)
    assert found.labels == {f"train/dir/{i}.jpg": i % 3 for i in range(8)}
    assert found.attributes["train/dir/7.jpg"] == {"number": 7, "box": [0.5, 7], "txt": "no 7"}
    for blobs in found.blobs.values():
        assert list(np.load(io.BytesIO(blobs["npy"]))) == [0, 1, 2]
    theirs = wds.WebDataset([str(tmp_path / f"x-train-{i:03}.tar") for i in range(3)],
                            shardshuffle=False)
    folder = tmp_path / "theirs"
    folder.mkdir()
    for sample in theirs:
        (folder / f"{sample['__key__'][4:]}.jpg").write_bytes(sample["jpg"])
    same = convert(folder, tmp_path, "same")
    assert {f"train/dir/{key}": data for key, data in same.bytes.items()} == found.bytes


def test_our_own(tmp_path):
    """What pcr.export() wrote is the same dataset: keys, labels by class, splits, attributes."""
    samples = [(f"a.b/{i}.x.jpg", JPEGS[i], ["cat", "dog", "owl"][i % 2], {"i": i},
                "val" if i > 5 else "train") for i in range(8)]
    pcr.write(tmp_path / "a.pcr", samples, classes=["dog", "cat", "owl"])
    pcr.write(tmp_path / "b.pcr", [(f"{i}.jpg", JPEGS[i], None, {"i": i}, "val") for i in range(3)])
    for name, classes in (("a", ["dog", "cat", "owl"]), ("b", None)):
        pcr.export(tmp_path / f"{name}.pcr", tmp_path / f"{name}-test.tar")
        found = convert(tmp_path / f"{name}-test.tar", tmp_path, f"{name}.again", classes=classes)
        was = Found(tmp_path / f"{name}.pcr", None)
        assert (found.classes, found.labels, found.attributes, found.bytes) == (
            was.classes, was.labels, was.attributes, was.bytes)


# --- what people's archives are like ---


def test_members_apart(tmp_path):
    """An unsorted archive: WebDataset makes two samples of each, and loses labels."""
    members = list(samples())
    tar(tmp_path / "a.tar", members[::2] + members[1::2])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.labels == {f"s/{i:04}.jpg": i % 2 for i in range(4)}
    assert found.attributes["s/0002.jpg"] == {"number": 2, "txt": "caption 2"}


def test_dots_in_names(tmp_path):
    """The first dot ends the key, as in WebDataset, in the last part of the path only. Names
    with dots of their own are not merged in silence."""
    tar(tmp_path / "a.tar", [("22.0/1.1.jpg", JPEGS[0]), ("22.0/1.1.cls", b"0"),
                             ("22.0/2.1.jpg", JPEGS[1]), ("22.0/2.1.cls", b"1")])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.labels == {"22.0/1.1.jpg": 0, "22.0/2.1.jpg": 1}
    tracks = [(f"235 Track 2.{i} (Clean).{end}", data) for i in range(3)
              for end, data in (("jpg", JPEGS[i]), ("cls", b"%d" % i))]
    tar(tmp_path / "b.tar", tracks)
    fails(tmp_path / "b.tar", tmp_path, "are of one sample", "--key-dot last")
    found = convert(tmp_path / "b.tar", tmp_path, "last", key_dot="last")
    assert found.labels == {f"235 Track 2.{i} (Clean).jpg": i for i in range(3)}
    tar(tmp_path / "c.tar", [m for m in tracks if m[0].endswith("jpg")])
    assert len(convert(tmp_path / "c.tar", tmp_path, "images").labels) == 3


def test_endings_in_capitals(tmp_path):
    tar(tmp_path / "a.tar", [("A.JPG", JPEGS[0]), ("A.CLS", b"1"), ("B.JPEG", JPEGS[1]),
                             ("B.Cls", b"0")])
    assert convert(tmp_path / "a.tar", tmp_path).labels == {"A.JPG": 1, "B.JPEG": 0}


def test_clutter(tmp_path):
    """What macOS, old tars of pax files and WebDataset itself put beside samples."""
    tar(tmp_path / "a.tar", [("./._1.jpg", b"\0\5\x16\7"), ("./1.jpg", JPEGS[0]),
                             ("./1.cls", b"0"), ("./PaxHeaders.123/1.jpg", b"30 mtime=1.5\n"),
                             ("__MACOSX/1.jpg", b"x"), ("./.DS_Store", b"x"),
                             ("__index__.json", b"{}"), ("README.md", b"hello")])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.labels == {"1.jpg": 0} and found.report.ignored_count == 6


def test_same_names_in_several(tmp_path):
    """Numbering that begins anew in each archive: keys get the archives' names."""
    for name in ("x-0.tar", "x-1.tar"):
        tar(tmp_path / name, [("1.jpg", JPEGS[0]), ("1.cls", b"0")])
    found = convert([tmp_path / "x-0.tar", tmp_path / "x-1.tar"], tmp_path)
    assert found.labels == {"x-0/1.jpg": 0, "x-1/1.jpg": 0} and found.classes == ["0"]


def test_twice_in_one(tmp_path):
    tar(tmp_path / "a.tar", [("1.jpg", JPEGS[0]), ("1.cls", b"0"), ("1.jpg", JPEGS[1])])
    fails(tmp_path / "a.tar", tmp_path, "a.tar, byte 2560: '1.jpg' is in it already, at byte 0",
          error=pcr.CorruptError)
    found = convert(tmp_path / "a.tar", tmp_path, on_bad="skip")
    assert found.labels == {"1.jpg": 0} and len(found.report.left_out) == 1


def test_missing_parts(tmp_path):
    tar(tmp_path / "a.tar", [*samples(2), ("s/7.jpg", JPEGS[7]), ("s/8.cls", b"0")])
    fails(tmp_path / "a.tar", tmp_path, "s/7.jpg: an empty label")
    found = convert(tmp_path / "a.tar", tmp_path, on_bad="skip")
    assert found.labels == {"s/0000.jpg": 0, "s/0001.jpg": 1}
    assert sorted(reason for _, reason in found.report.left_out) == [
        "a label without an image", "no label, but others have one"]


def test_parts_that_are_not_text(tmp_path):
    tar(tmp_path / "a.tar", [("1.jpg", JPEGS[0]), ("1.npy", b"\x93NUMPY\1\0"), ("1.id", b"7")])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.attributes == {"1.jpg": {"id": "7"}}
    assert found.blobs == {"1.jpg": {"npy": b"\x93NUMPY\1\0"}} and found.report.notes == ()


BLOBS = {"seg.png": encode(picture(1, 9, 9), "PNG"), "depth.npy": b"\x93NUMPY\1\0" * 9,
         "wav": bytes(range(256)) * 300, "long.txt": b"words " * 20000, "noise": b"\xff"}


@pytest.mark.parametrize("kind", ["tar", "tgz", "stored", "deflated"])
def test_blobs(tmp_path, kind):
    """Other images, and parts that are no text of at most 64 KiB, wherever their bytes are."""
    members = [("1.cls", b"0"), ("1.jpg", JPEGS[0]), ("2.cls", b"0"), ("2.jpg", JPEGS[1]),
               ("2.txt", b"hi"), ("nobody.wav", b"\0" * 70000), *(
                   (f"{i}.{name}", bytes([i]) + data if name == "wav" else data)
                   for name, data in BLOBS.items() for i in (1, 2))]
    if kind in ("tar", "tgz"):
        tar(tmp_path / f"a.{kind}", members, mode="w:gz" if kind == "tgz" else "w")
    else:
        method = zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(tmp_path / f"a.{kind}", "w", method) as z:
            for name, data in members:
                z.writestr(name, data)
    found = convert(tmp_path / f"a.{kind}", tmp_path)
    assert found.blobs == {f"{i}.jpg": {**BLOBS, "wav": bytes([i]) + BLOBS["wav"]} for i in (1, 2)}
    assert found.attributes == {"1.jpg": {}, "2.jpg": {"txt": "hi"}}
    assert found.report.notes == () and found.report.ignored_count == 1


def test_blobs_beside_links_and_bad_names(tmp_path):
    tar(tmp_path / "a.tar", [("1.jpg", JPEGS[0]), ("1.bin", b"\0"), ("1", JPEGS[1]),
                             link("2.jpg", "1.jpg"), link("2.b", "1.bin")])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.blobs == {"1.jpg": {"bin": b"\0"}, "2.jpg": {"b": b"\0"}}
    assert "cannot name a blob" in found.report.notes[0][1]


@pytest.mark.parametrize("kind", ["tar", "tgz"])
def test_choice_of_blobs(tmp_path, kind):
    """Those that are named, whatever they hold, and no others."""
    members = [("1.jpg", JPEGS[0]), ("1.seg.png", BLOBS["seg.png"]), ("1.txt", b"hi"),
               ("1.wav", b"\0"), ("1.json", b'{"a": 1}'), ("1.cls", b"3")]
    tar(tmp_path / f"a.{kind}", members, mode="w:gz" if kind == "tgz" else "w")
    found = convert(tmp_path / f"a.{kind}", tmp_path, blobs=["seg.png", "txt", "json"])
    assert found.blobs == {"1.jpg": {"seg.png": BLOBS["seg.png"], "txt": b"hi",
                                     "json": b'{"a": 1}'}}
    assert found.attributes == {"1.jpg": {}}
    found = convert(tmp_path / f"a.{kind}", tmp_path, "none", blobs=[])
    assert found.blobs == {"1.jpg": {}}
    assert found.attributes == {"1.jpg": {"txt": "hi", "a": 1}}
    fails(tmp_path / f"a.{kind}", tmp_path, "no sample has a part 'seg'", blobs=["wav", "seg"])


def test_choices_that_cannot_be(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a.jpg").write_bytes(JPEGS[0])
    with pytest.raises(pcr.InvalidError, match="blobs applies to containers"):
        pcr.convert(tmp_path / "f", tmp_path / "d", blobs=["x"])
    tar(tmp_path / "a.tar", [("1.jpg", JPEGS[0])])
    with pytest.raises(pcr.InvalidError, match="'' as a name"):
        pcr.convert(tmp_path / "a.tar", tmp_path / "d", blobs=[""])


@pytest.mark.parametrize("kind", ["tar", "tgz"])
def test_long_json_as_a_blob(tmp_path, kind):
    """Beyond what is read as attributes."""
    long = b'["' + b"x" * (16 << 20) + b'"]'
    members = [("1.jpg", JPEGS[0]), ("1.map.json", long), ("1.cls", b"3")]
    tar(tmp_path / f"a.{kind}", members, mode="w:gz" if kind == "tgz" else "w")
    fails(tmp_path / f"a.{kind}", tmp_path, "JSON of more than", error=pcr.CorruptError)
    found = convert(tmp_path / f"a.{kind}", tmp_path, blobs=["map.json"])
    assert found.blobs == {"1.jpg": {"map.json": long}}
    pcr.export(tmp_path / "out", tmp_path / "b.tar")
    (tmp_path / "c.tgz").write_bytes(gzip.compress((tmp_path / "b.tar").read_bytes(), 1))
    again = convert(tmp_path / ("b.tar" if kind == "tar" else "c.tgz"), tmp_path, "again")
    assert again.blobs == found.blobs


def test_damaged_blob(tmp_path):
    """One whose CRC-32 is wrong makes its sample a bad one."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in (("1.jpg", JPEGS[0]), ("1.wav", BLOBS["wav"]), ("2.jpg", JPEGS[1])):
            archive.writestr(name, data)
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(flip(data, data.index(BLOBS["wav"]) + 70000))
    found = convert(tmp_path / "a.zip", tmp_path, on_bad="skip")
    assert list(found.blobs) == ["2.jpg"] and "blob wav" in str(found.report.bad[0].reason)



def test_bad_json(tmp_path):
    tar(tmp_path / "a.tar", [("1.jpg", JPEGS[0]), ("1.json", b'{"a": NaN}'), ("1.cls", b"0")])
    fails(tmp_path / "a.tar", tmp_path, "'1.json': ", error=pcr.CorruptError)
    found = convert(tmp_path / "a.tar", tmp_path, on_bad="skip")
    assert found.labels == {"1.jpg": 0} and "1.json" in found.report.left_out[0][1]


def test_links(tmp_path):
    tar(tmp_path / "a.tar", [("d/1.jpg", JPEGS[0]), ("d/1.cls", b"0"),
                             link("d/2.jpg", "d/1.jpg", tarfile.LNKTYPE),
                             link("e/3.jpg", "../d/1.jpg"), ("d/2.cls", b"0"), ("e/3.cls", b"0"),
                             link("4.jpg", "/elsewhere/4.jpg")])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert list(found.labels) == ["d/1.jpg", "d/2.jpg", "e/3.jpg"]
    assert len(set(found.bytes.values())) == 1
    assert "a link to 'elsewhere/4.jpg'" in found.report.left_out[0][1]


# --- folders in archives ---


def test_class_folders(tmp_path):
    tar(tmp_path / "a.tar", [("set/train/cat/1.2.jpg", JPEGS[0]), ("set/LICENSE", b"x"),
                             ("set/train/dog/1.3.jpg", JPEGS[1]),
                             ("set/val/cat/1.jpg", JPEGS[2])])
    found = convert(tmp_path / "a.tar", tmp_path)
    assert found.classes == ["cat", "dog"] and found.report.ignored_count == 1
    assert found.labels == {"train/set/train/cat/1.2.jpg": 0, "train/set/train/dog/1.3.jpg": 1,
                            "val/set/val/cat/1.jpg": 0}


def test_layout(tmp_path):
    tar(tmp_path / "a.tar", [("a/1.jpg", JPEGS[0]), ("b/1.jpg", JPEGS[1])])
    assert convert(tmp_path / "a.tar", tmp_path, layout="flat").classes == []


def test_archives_in_an_archive(tmp_path):
    """As ILSVRC2012_img_train.tar, with the validation images beside it."""
    inner = {name: tar(tmp_path / "inner", [(f"{name}_{i}.JPEG", JPEGS[i]) for i in range(2)])
             .read_bytes() for name in ("n01440764", "n01443537")}
    tar(tmp_path / "train.tar", [(f"{name}.tar", data) for name, data in inner.items()])
    tar(tmp_path / "val.tar", [("ILSVRC2012_val_00000001.JPEG", JPEGS[2])])
    found = convert({"train": tmp_path / "train.tar", "val": [tmp_path / "val.tar"]}, tmp_path)
    assert found.classes == ["n01440764", "n01443537"]
    assert found.labels["train/train/n01443537/n01443537_1.JPEG"] == 1
    assert found.labels["val/val/ILSVRC2012_val_00000001.JPEG"] is None
    subprocess.run(["gzip", tmp_path / "train.tar"], check=True)
    assert convert(tmp_path / "train.tar.gz", tmp_path, "gz").classes == found.classes


# --- several inputs ---


def shards(folder, *names):
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        tar(folder / name, [(f"{i}.jpg", JPEGS[i % 8]), (f"{i}.cls", b"0")])


def test_patterns(tmp_path):
    shards(tmp_path, *(f"t-{i}.tar" for i in range(12)))
    whole = convert(f"{tmp_path}/t-{{0..11}}.tar", tmp_path, "a")
    assert list(whole.labels) == [f"{i}.jpg" for i in range(12)]
    assert convert(f"{tmp_path}/t-*.tar", tmp_path, "b").labels == whole.labels
    assert convert(tmp_path, tmp_path.parent, f"{tmp_path.name}.pcr").labels == whole.labels
    some = convert([f"{tmp_path}/t-{{1,{{7..9}},0}}.tar", tmp_path / "t-3.tar"], tmp_path, "c")
    assert list(some.labels) == [f"{i}.jpg" for i in (1, 7, 8, 9, 0, 3)]
    fails(f"{tmp_path}/u-*.tar", tmp_path, "u-*.tar: no file matches")
    fails(f"{tmp_path}/t-{{10..12}}.tar", tmp_path, "t-12.tar", error=pcr.IoError)
    fails([], tmp_path, "no path")
    fails([tmp_path / "t-1.tar", tmp_path / "t-2.tar", tmp_path / "a"], tmp_path)
    shutil.copy(tmp_path / "t-1.tar", tmp_path / "t-{1..2}.tar")  # a file of that very name
    assert list(convert(tmp_path / "t-{1..2}.tar", tmp_path, "d").labels) == ["1.jpg"]


def test_padded_range(tmp_path):
    shards(tmp_path, "t-08.tar", "t-09.tar", "t-10.tar")
    found = convert(f"{tmp_path}/t-{{08..10}}.tar", tmp_path)
    assert list(found.labels) == ["0.jpg", "1.jpg", "2.jpg"]


def test_splits(tmp_path):
    """By the names of folders or archives, or as they are told."""
    shards(tmp_path / "a", "train/0.tar", "train/1.tar", "val/0.tar")
    shards(tmp_path / "b", "x-train-0.tar", "x-Validation-0.tar", "x-test-1.tar")
    shards(tmp_path / "c", "0.tar", "1.tar", "odd.tar")
    by_folder = {"train/0.jpg", "train/1.jpg", "val/2.jpg"}
    assert set(convert(tmp_path / "a", tmp_path, "1").labels) == by_folder
    assert set(convert(f"{tmp_path}/a/*/*.tar", tmp_path, "2").labels) == by_folder
    assert set(convert(tmp_path / "b", tmp_path, "3").labels) == {
        "train/0.jpg", "validation/1.jpg", "test/2.jpg"}
    assert set(convert(tmp_path / "c", tmp_path, "4").labels) == {"0.jpg", "1.jpg", "2.jpg"}
    told = [f"one={tmp_path}/c/[01].tar", f"two={tmp_path}/c/odd.tar"]
    assert set(convert(told, tmp_path, "5").labels) == {"one/0.jpg", "one/1.jpg", "two/2.jpg"}
    fails([tmp_path / "b/x-train-0.tar", tmp_path / "c/odd.tar"], tmp_path,
          "odd.tar has no split", "say which by NAME=")
    fails({"a/b": tmp_path}, tmp_path, "the name of a split")
    fails({"a": tmp_path / "c" / "none.tar"}, tmp_path, "none.tar", error=pcr.IoError)


def test_split_of_a_tree(tmp_path):
    """Folders in an archive count more than its name."""
    tar(tmp_path / "testset.tar", [("train/cat/1.jpg", JPEGS[0]), ("val/cat/2.jpg", JPEGS[1])])
    found = convert(tmp_path / "testset.tar", tmp_path)
    assert set(found.labels) == {"train/train/cat/1.jpg", "val/val/cat/2.jpg"}


def test_inputs_of_one_kind(tmp_path, tree):
    shards(tmp_path, "0.tar")
    fails([tmp_path / "0.tar", tree], tmp_path, "is of format folder, but")
    fails([tree, tree], tmp_path, "a folder is imported alone")
    shutil.copytree(tree, tmp_path / "images")
    for name in ("0.tar", "1.zip", "train/2.tar", "val/zzz.tar"):  # archives beside images
        shutil.copy(tmp_path / "0.tar", tmp_path / "images" / name)
    found = convert(tmp_path / "images", tmp_path, "beside")
    assert len(found.labels) == 48 and found.report.ignored_count == 4
    (tmp_path / "both").mkdir()
    for name in ("a.tar", "b.zip"):
        shutil.copy(tmp_path / "0.tar", tmp_path / "both" / name)
    fails(tmp_path / "both", tmp_path, "holds files of the formats")
    fails({"train": tree}, tmp_path, "a folder has splits of its own")
    fails(tree, tmp_path, "image_field applies to containers", image_field="jpg")
    fails(tmp_path / "0.tar", tmp_path, "applies to folders", extensions=["jpg"])
    fails(tmp_path / "0.tar", tmp_path, "samples have labels", layout="class")
    with pytest.raises(pcr.InvalidError, match="key_dot is 'middle'"):
        pcr.convert(tmp_path / "0.tar", tmp_path / "x", key_dot="middle")


def test_pipe(tmp_path):
    path = tar(tmp_path / "a.tar", samples())
    os.mkfifo(tmp_path / "pipe")
    for name, data in (("plain", path.read_bytes()), ("gz", gzip.compress(path.read_bytes()))):
        thread = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(data,))
        thread.start()
        found = convert(tmp_path / "pipe", tmp_path, name, spool=tmp_path)
        thread.join()
        assert found.labels == {f"s/{i:04}.jpg": i % 2 for i in range(4)}
    run = subprocess.run([os.environ["PCRTOOL"], "convert", "-", tmp_path / "stdin", "-q"],
                         input=path.read_bytes(), check=True)
    assert run.returncode == 0 and Found(tmp_path / "stdin", None).labels == found.labels


# --- damage ---


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def member_places(path):
    with tarfile.open(path) as archive:
        return {m.name: (m.offset, m.offset_data) for m in archive}


def test_damaged_header(tmp_path):
    """One sample is lost, and said to be; reading goes on at the next header."""
    path = tar(tmp_path / "a.tar", samples(), tarfile.USTAR_FORMAT)
    at = member_places(path)["s/0001.jpg"][0]
    for byte in (at + 3, at + 130, at + 150):
        path.write_bytes(flip(tar(path, samples(), tarfile.USTAR_FORMAT).read_bytes(), byte))
        fails(path, tmp_path, f"a.tar, byte {at}: no valid header", error=pcr.CorruptError)
        found = convert(path, tmp_path, str(byte), on_bad="skip")
        assert found.labels == {"s/0000.jpg": 0, "s/0002.jpg": 0, "s/0003.jpg": 1}
        assert (str(path) + f": byte {at}", "no valid header: its checksum is wrong") in \
            found.report.left_out


def test_cut_off(tmp_path):
    """Wherever it ends, what is whole is there, and the cut is said."""
    path = tar(tmp_path / "a.tar", samples(), tarfile.USTAR_FORMAT)
    data, places = path.read_bytes(), member_places(path)
    end = places["s/0003.txt"][1] + 512
    begin, image = places["s/0003.jpg"]
    cases = [(image + 100, 3, "cut off"), (begin + 100, 3, "header"), (end, 4, "missing")]
    for nbytes, count, what in cases:
        for name, part in (("cut.tar", data[:nbytes]), ("cut.tgz", gzip.compress(data[:nbytes]))):
            (tmp_path / name).write_bytes(part)
            fails(tmp_path / name, tmp_path, f"{name}, byte ", what, error=pcr.CorruptError)
            found = convert(tmp_path / name, tmp_path, f"{nbytes}{name}", on_bad="skip")
            assert len(found.labels) == count and what in found.report.left_out[0][1]
    (tmp_path / "b.tgz").write_bytes(gzip.compress(data)[:-20])
    fails(tmp_path / "b.tgz", tmp_path, "the gzip data is", error=pcr.CorruptError)


def test_after_the_end(tmp_path):
    data = tar(tmp_path / "a.tar", samples(2)).read_bytes()
    other = tar(tmp_path / "b.tar", [("z.jpg", JPEGS[7]), ("z.cls", b"1")]).read_bytes()
    (tmp_path / "both.tar").write_bytes(data + other)
    found = convert(tmp_path / "both.tar", tmp_path)
    assert "z.jpg" in found.labels and "another archive follows" in found.report.notes[0][1]
    (tmp_path / "c.tar").write_bytes(data + b"garbage" * 100)
    fails(tmp_path / "c.tar", tmp_path, f"byte {len(data)}: neither zeros nor",
          error=pcr.CorruptError)
    assert len(convert(tmp_path / "c.tar", tmp_path, "c", on_bad="skip").labels) == 2
    (tmp_path / "short.tar").write_bytes(b"abc")
    fails(tmp_path / "short.tar", tmp_path, "too short to be a tar archive")
    for name, content, error in (("empty.tar", b"", pcr.InvalidError),
                                 ("zeros.tar", bytes(10240), pcr.InvalidError),
                                 ("text.tar", b"no archive at all" * 99, pcr.CorruptError)):
        (tmp_path / name).write_bytes(content)
        fails(tmp_path / name, tmp_path, name, error=error)
    (tmp_path / "d.tar.bz2").write_bytes(b"BZh91AY")
    fails(tmp_path / "d.tar.bz2", tmp_path, "bzip2 -dc", error=pcr.UnsupportedError)


def test_xz(tmp_path):
    """Several streams, also with zeros between them; damage; builds without liblzma."""
    data = tar(tmp_path / "a.tar", samples()).read_bytes()
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(data[:3000]) + bytes(8) + lzma.compress(data[3000:]) + bytes(4))
    try:
        found = convert(path, tmp_path)
    except pcr.UnsupportedError as why:
        assert "xz -dc" in str(why)
        return
    assert found.labels == {f"s/{i:04}.jpg": i % 2 for i in range(4)}
    path.write_bytes(lzma.compress(data)[:-30])
    fails(path, tmp_path, "the xz data is", error=pcr.CorruptError)
    path.write_bytes(flip(lzma.compress(data), 100))
    fails(path, tmp_path, "the xz data is damaged", error=pcr.CorruptError)


def test_gnu_tar(tmp_path):
    """Sparse members, folders and names of all lengths, by the program itself."""
    if not shutil.which("tar"):
        pytest.skip("no tar")
    top = tmp_path / "top"
    (top / ("d" * 150)).mkdir(parents=True)
    for i in range(3):
        (top / ("d" * 150) / f"{i}.jpg").write_bytes(JPEGS[i])
    with open(top / "hole.jpg", "wb") as sparse:
        sparse.truncate(1 << 20)
        sparse.seek(1 << 19)
        sparse.write(b"x")
    for kind in ("gnu", "posix"):
        path = tmp_path / f"{kind}.tar"
        subprocess.run(["tar", "-cSf", path, f"--format={kind}", "-C", top, "."], check=True)
        found = convert(path, tmp_path, kind, layout="flat")
        assert list(found.bytes) == [f"{'d' * 150}/{i}.jpg" for i in range(3)]
        assert "a sparse member" in found.report.left_out[0][1]


def test_continues(tmp_path):
    """The same call finds the dataset done; a changed archive is converted anew."""
    path = tar(tmp_path / "a.tar", samples())
    first = convert(path, tmp_path)
    again = convert(path, tmp_path)
    assert again.report.progress.samples_done == 4 and again.labels == first.labels


# --- zip ---


def pack(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip(tmp_path, method):
    path = pack(tmp_path / "a.zip", [*samples(), ("s/", b""), ("__MACOSX/s/._0.jpg", b"x"),
                                     ("image", JPEGS[6]), ("image.cls", b"1")], method)
    found = convert(path, tmp_path)
    assert found.labels == {**{f"s/{i:04}.jpg": i % 2 for i in range(4)}, "image": 1}
    assert found.attributes["s/0003.jpg"] == {"number": 3, "txt": "caption 3"}
    assert found.report.ignored_count == 1
    path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())  # a program in front
    assert convert(path, tmp_path, "sh").bytes == found.bytes


def test_zip_of_folders(tmp_path):
    """Many members, with the records for large archives, and links."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(4):
            with archive.open(f"{i % 2}/{i}.jpg", "w", force_zip64=True) as member:
                member.write(JPEGS[i])
        info = zipfile.ZipInfo("1/link.jpg")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "../0/0.jpg")
    found = convert(path, tmp_path)
    assert found.labels == {"0/0.jpg": 0, "0/2.jpg": 0, "1/1.jpg": 1, "1/3.jpg": 1,
                            "1/link.jpg": 1}
    assert found.bytes["1/link.jpg"] == found.bytes["0/0.jpg"]


def test_zip64(tmp_path):
    """The records of an archive whose sizes do not fit 32 bits."""
    data = pack(tmp_path / "a.zip", samples()).read_bytes()
    end, size, at = data[-22:], *struct.unpack("<II", data[-10:-2])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 16, 16, size, at)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(data) - 22, 1)
    (tmp_path / "a.zip").write_bytes(data[:-22] + record + locator + end[:8] + b"\xff" * 12 +
                                     b"\0\0")
    assert len(convert(tmp_path / "a.zip", tmp_path).labels) == 4


def test_damaged_zip(tmp_path):
    path = tmp_path / "a.zip"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        data = pack(path, samples(), method).read_bytes()
        at = data.index(b"s/0001.jpg") + 60
        path.write_bytes(flip(data, at))
        with pytest.raises(pcr.CorruptError, match="s/0001.jpg"):
            pcr.convert(path, tmp_path / "x")
        found = convert(path, tmp_path, f"skip{method}", on_bad="skip")
        assert list(found.labels) == ["s/0000.jpg", "s/0002.jpg", "s/0003.jpg"]
        assert len(found.report.left_out) + len(found.report.bad) == 1 + (method > 0)
    entry = data.rindex(b"PK\1\2")
    for name, content, what in (
            ("cut", data[:-40], "cut off, or no zip archive"),
            ("entry", flip(data, entry), f"byte {entry}: no valid entry 15 of 16"),
            ("text", b"no archive" * 9, "no directory at its end")):
        path.write_bytes(content)
        fails(path, tmp_path, what, error=pcr.CorruptError)
    path.write_bytes(flip(data, entry))
    assert len(convert(path, tmp_path, "most", on_bad="skip").labels) == 4
    locked = pack(path, [("a.jpg", JPEGS[0]), ("b.jpg", JPEGS[1])]).read_bytes()
    flags = locked.rindex(b"PK\1\2") + 8
    path.write_bytes(flip(locked, flags))
    assert "encrypted" in convert(path, tmp_path, "locked").report.left_out[0][1]
    fails("-", tmp_path, "cannot be read from a pipe", format="zip")
