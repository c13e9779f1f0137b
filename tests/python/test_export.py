# SPDX-License-Identifier: BSD-2-Clause
"""pcr.export(): streams, callbacks, selections, unsafe keys; and the formats' own readers."""

import gzip
import io
import json
import shutil
import tarfile
import zipfile

import pytest

import pcr
from images import encode, picture

KEYS = ["a/1.jpg", "a/2.0.jpg", "../up.jpg", "/top.jpg", "a/1.JPG", "b/p.png", "235 (v 2.0).jpg"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The path of a dataset, and its files by key."""
    path = tmp_path_factory.mktemp("export") / "d"
    files = {key: encode(picture(i, 60, 40), "PNG" if key.endswith("png") else "JPEG")
             for i, key in enumerate(KEYS)}
    pcr.write(path, [(key, data, ["cat", "dog"][i % 2], {"i": i}, ["train", "val"][i > 4])
                     for i, (key, data) in enumerate(files.items())], shuffle=False,
              classes=["dog", "cat"])
    with pcr.open(path) as ds:
        return path, {sample.key: sample.read() for sample in ds}


def test_streams(made, tmp_path):
    path, files = made
    stream, seen = io.BytesIO(), []
    report = pcr.export(path, stream, format="tar", progress=seen.append)
    assert seen[-1].samples_done == len(KEYS) and report.fidelity == 9
    assert {(index, key) for index, key, _ in report.left_out} == {(2, KEYS[2]), (3, KEYS[3])}
    assert report.progress.written_count == 5 and report.progress.file_count == 0
    assert report.progress.written_nbytes == len(stream.getvalue())
    with tarfile.open(fileobj=io.BytesIO(stream.getvalue())) as tar:
        names = tar.getnames()
    assert names[::3] == ["a/1.jpg", "a/2%2E0.jpg", "a/1%_4.JPG", "b/p.png", "235 (v 2%2E0).jpg"]
    pcr.export(path, tmp_path / "d.tar")
    assert (tmp_path / "d.tar").read_bytes() == stream.getvalue()

    with pcr.open(path, split="val") as ds:
        pcr.export(ds, tmp_path / "d.zip", list=True)
        pcr.export(ds, tmp_path / "two.zip", samples=[1, 0])
        with pytest.raises(pcr.InvalidError, match="split"):
            pcr.export(ds, tmp_path / "x", split="val")
        with pytest.raises(pcr.InvalidError, match="sample 2"):
            pcr.export(ds, tmp_path / "x.tar", samples=[2])
    with zipfile.ZipFile(tmp_path / "d.zip") as archive:
        assert archive.namelist() == KEYS[5:] + ["list.jsonl", "classes.txt"]
        assert all(archive.read(key) == files[key] for key in KEYS[5:])
        assert archive.read("classes.txt") == b"dog\ncat\n"
    assert zipfile.ZipFile(tmp_path / "two.zip").namelist() == KEYS[:4:-1]


def test_ends_early(made, tmp_path):
    path, _ = made

    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(28, "No space left on device")

    class Slow(io.BytesIO):
        def write(self, data):
            return super().write(data[:100])

    with pytest.raises(OSError, match="No space"):
        pcr.export(path, Full(), format="zip")
    slow, whole = Slow(), io.BytesIO()
    for stream in (slow, whole):
        pcr.export(path, stream, format="tfrecord")
    assert slow.getvalue() == whole.getvalue()

    def stop(_progress):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        pcr.export(path, tmp_path / "d.tar", progress=stop)
    assert not list(tmp_path.iterdir())
    pcr.export(path, tmp_path / "d.tar")
    with pytest.raises(pcr.IoError, match="exists already"):
        pcr.export(path, tmp_path / "d.tar")
    pcr.export(path, tmp_path / "d.tar", replace=True, fidelity=1)
    with pytest.raises(pcr.InvalidError, match="exporter 'rar'"):
        pcr.export(path, tmp_path / "x", format="rar")
    with pytest.raises(TypeError, match="format="):
        pcr.export(path, tmp_path / "x", to="tar")


def test_webdataset(made, tmp_path):
    wds = pytest.importorskip("webdataset")
    path, files = made
    pcr.export(path, tmp_path / "d.tar", shard_samples=3)
    shards = sorted(str(shard) for shard in tmp_path.iterdir())
    found = list(wds.WebDataset(shards, shardshuffle=False).decode())
    assert len(found) == 5
    for sample in found:
        key = sample["json"]["__key__"]
        assert sample["png" if key.endswith("png") else "jpg"] == files[key]
        assert sample["json"]["i"] == KEYS.index(key) and sample["cls"] == 1 - KEYS.index(key) % 2


def test_tfrecord(made, tmp_path):
    reader = pytest.importorskip("tfrecord.reader")
    path, files = made
    pcr.export(path, tmp_path / "d.tfrecord")
    found = list(reader.tfrecord_loader(str(tmp_path / "d.tfrecord"), None, None))
    assert [bytes(x["image/filename"]).decode() for x in found] == KEYS
    for x, key in zip(found, KEYS):
        assert bytes(x["image/encoded"]) == files[key]
        assert (x["image/width"], x["image/height"]) == (60, 40)
        assert x["i"] == KEYS.index(key) == json.loads(bytes(x["json"]))["i"]


def test_mds(made, tmp_path):
    streaming = pytest.importorskip("streaming")
    path, _ = made
    pcr.export(path, tmp_path / "mds", format="mds", shard_samples=2, zstd=True)
    dataset = streaming.StreamingDataset(local=str(tmp_path / "mds"), shuffle=False, batch_size=1)
    assert [dataset[i]["json"]["__key__"] for i in range(len(dataset))] == KEYS
    assert [dataset[i]["label"] for i in range(len(KEYS))] == [1, 0, 1, 0, 1, 0, 1]
    assert dataset[5]["image"].size == (60, 40)


# --- blobs ---

MASK = encode(picture(9, 30, 20)[..., 0], "PNG")
BLOBS = {"a/1.jpg": {"mask.png": MASK, "npy": b"\x93NUMPY", "note": b"text", "none": b""},
         "a/2.jpg": {}, "c.png": {"note": b"{}", "x.json": b"[1]"}}


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    path = tmp_path_factory.mktemp("blobs") / "d"
    pcr.write(path, [pcr.NewSample(key, encode(picture(i, 60, 40), "JPEG"), ["cat", "dog"][i % 2],
                                   {"i": i}, "train", found)
                     for i, (key, found) in enumerate(BLOBS.items())], shuffle=False)
    return path


def blobs_of(path):
    with pcr.open(path, split="all") as ds:
        return {s.key: {name: data for name in ds.blobs if (data := s.blob(name)) is not None}
                for s in ds}


def test_blobs_go_to_tar_and_back(blobs, tmp_path):
    """Also those that look like text or JSON; plain, compressed and zipped."""
    report = pcr.export(blobs, tmp_path / "d.tar")
    assert report.left_out == () and report.progress.lost_blob_count == 0
    with tarfile.open(tmp_path / "d.tar") as tar:
        assert tar.getnames() == [
            "a/1.jpg", "a/1.cls", "a/1.json", "a/1.mask.png", "a/1.none", "a/1.note", "a/1.npy",
            "a/2.jpg", "a/2.cls", "a/2.json", "c%2Epng.jpg", "c%2Epng.cls", "c%2Epng.json",
            "c%2Epng.note", "c%2Epng.x.json"]
    (tmp_path / "d.tgz").write_bytes(gzip.compress((tmp_path / "d.tar").read_bytes()))
    for name in ("d.tar", "d.tgz"):
        pcr.convert(tmp_path / name, tmp_path / f"{name}.pcr", shuffle=False)
        assert blobs_of(tmp_path / f"{name}.pcr") == BLOBS
        pcr.export(tmp_path / f"{name}.pcr", tmp_path / f"again.{name}.tar")
        assert (tmp_path / f"again.{name}.tar").read_bytes() == (tmp_path / "d.tar").read_bytes()


def test_blobs_are_files_beside(blobs, tmp_path):
    pcr.export(blobs, tmp_path / "folder", list=True)
    pcr.export(blobs, tmp_path / "d.zip", list=True)
    wanted = {f"{key}.{name}": data for key, found in BLOBS.items() for name, data in found.items()}
    with zipfile.ZipFile(tmp_path / "d.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted([*BLOBS, *wanted, "list.jsonl", "classes.txt"])
        for name in archive.namelist():
            data = archive.read(name)
            assert (tmp_path / "folder" / name).read_bytes() == data
            assert data == wanted.get(name, data)
    assert sum(p.is_file() for p in (tmp_path / "folder").rglob("*")) == 11


def test_blobs_in_tfrecord(blobs, tmp_path):
    report = pcr.export(blobs, tmp_path / "d.tfrecord")
    data = (tmp_path / "d.tfrecord").read_bytes()
    assert report.left_out == () and b"mask.png" in data and MASK in data
    reader = pytest.importorskip("tfrecord.reader")
    found = list(reader.tfrecord_loader(str(tmp_path / "d.tfrecord"), None, None))
    assert bytes(found[0]["mask.png"]) == MASK and bytes(found[2]["note"]) == b"{}"


@pytest.mark.parametrize("name,options", [("d.tfrecord", {}), ("mds", {}), ("mds", {"zstd": True})])
def test_blobs_of_records_come_back(blobs, tmp_path, name, options):
    """Those that look like text, empty ones, and none; also of compressed files."""
    report = pcr.export(blobs, tmp_path / name, format="mds" if name == "mds" else None, **options)
    assert report.left_out == ()
    paths = [tmp_path / name]
    if name == "d.tfrecord":
        paths.append(tmp_path / "z.tfrecord")
        paths[1].write_bytes(gzip.compress(paths[0].read_bytes()))
    for i, path in enumerate(paths):
        done = pcr.convert(path, tmp_path / f"{i}.pcr", shuffle=False)
        assert not done.notes and blobs_of(tmp_path / f"{i}.pcr") == BLOBS
        with pcr.open(tmp_path / f"{i}.pcr") as ds:
            assert [s.attributes for s in ds] == [{"i": 0}, {"i": 1}, {"i": 2}]
            assert ds.verify(deep=True).bad_samples == 0
    pcr.convert(paths[0], tmp_path / "some.pcr", blobs=["note"])
    assert blobs_of(tmp_path / "some.pcr") == {
        key: {n: data for n, data in found.items() if n == "note"} for key, found in BLOBS.items()}


def test_mds_columns_of_blobs(blobs, tmp_path):
    pcr.export(blobs, tmp_path / "mds", format="mds")
    (shard,) = json.loads((tmp_path / "mds" / "index.json").read_text())["shards"]
    names = ["image", "json", "label", "mask.png", "none", "note", "npy", "x.json"]
    assert shard["column_names"] == names
    assert shard["column_encodings"] == ["jpeg", "json", "int", *["bytes"] * 5]
    assert shard["column_sizes"] == [None, None, 8, *[None] * 5]
    streaming = pytest.importorskip("streaming")
    dataset = streaming.LocalDataset(local=str(tmp_path / "mds"))
    assert dataset[0]["mask.png"] == MASK and dataset[2]["x.json"] == b"[1]"
    assert dataset[1]["note"] == b""


def test_blobs_without_a_place(tmp_path):
    """Names that would be others' or lead elsewhere are left out and told, or are an error."""
    data = encode(picture(1, 60, 40), "JPEG")
    names = {"../../up": b"x", "json": b"x", "x.cls": b"x", "jpg": data, "image/x": b"x"}
    pcr.write(tmp_path / "d", [pcr.NewSample("a.jpg", data, 0, {"json": 1}, blobs=names)])
    for name, lost in (("folder", 2), ("d.tar", 5), ("d.zip", 2), ("d.tfrecord", 2),
                       ("mds", 1)):
        report = pcr.export(tmp_path / "d", tmp_path / name,
                            format="mds" if name == "mds" else None)
        assert report.progress.lost_blob_count == lost, name
        ((index, key, what),) = report.left_out
        assert (index, key) == (0, "a.jpg") and "is left out: " in what
    assert not list(tmp_path.rglob("up"))
    for i, keys in enumerate(({"a.jpg": {"png": b"x"}, "a.jpg.png": {}},
                              {"a": {"b.c": b"x"}, "a.b": {"c": b"y"}}, {"list": {"jsonl": b"x"}})):
        pcr.write(tmp_path / f"e{i}", [pcr.NewSample(key, data, blobs=found)
                                       for key, found in keys.items()], shuffle=False)
        for name in ("twice", "twice.zip"):
            with pytest.raises(pcr.InvalidError, match="another"):
                pcr.export(tmp_path / f"e{i}", tmp_path / name, replace=True, list=True)


def test_damaged_blob(blobs, tmp_path):
    shutil.copytree(blobs, tmp_path / "d")
    with pcr.open(tmp_path / "d") as ds:
        record = tmp_path / "d" / ds.records[0].path
    data = bytearray(record.read_bytes())
    data[data.index(MASK) + 20] ^= 1
    record.write_bytes(data)
    with pytest.raises(pcr.CorruptError):
        pcr.export(tmp_path / "d", tmp_path / "d.tar")
    report = pcr.export(tmp_path / "d", tmp_path / "d.tar", on_damage="skip")
    assert report.progress.written_count == 3 and report.progress.lost_blob_count == 1
    assert report.left_out == ((0, "a/1.jpg", "blob 'mask.png' is left out: it is damaged"),)
