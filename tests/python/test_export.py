# SPDX-License-Identifier: BSD-2-Clause
"""pcr.export(): streams, callbacks, selections, unsafe keys; and the formats' own readers."""

import io
import json
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
