# SPDX-License-Identifier: BSD-2-Clause
"""Datasets in storages that Python programs bring."""

import os
import pickle
import re
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pcr


class Bytes:
    """An object in memory."""

    def __init__(self, data, storage):
        self.data, self.size, self.storage = data, len(data), storage

    def read_into(self, offset, buffer):
        self.storage.called(self)
        buffer[:] = self.data[offset:offset + len(buffer)]

    def close(self):
        self.storage.closed += 1


class InDict:
    """Objects in memory; `failures` are raised by the next reads."""

    identity = "dict"

    def __init__(self, objects):
        self.objects, self.failures = objects, []
        self.opened = self.closed = self.reads = 0
        self.threads = set()

    def open(self, name):
        found = Bytes(self.objects[name], self)
        self.opened += 1
        return found

    def called(self, _file):
        self.reads += 1
        self.threads.add(threading.get_ident())
        if self.failures:
            raise self.failures.pop(0)


def example():
    """The class in the document."""
    text = (Path(os.environ["PCR_SOURCE_ROOT"]) / "docs" / "python.md").read_text()
    block = next(b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "class InZip" in b)
    space = {"zipfile": zipfile}
    exec(block.split("\nds = ")[0], space)
    return space["InZip"]


def objects_of(path, prefix="photos/"):
    return {prefix + file.name: file.read_bytes() for file in path.iterdir()}


@pytest.fixture
def storage(path):
    return InDict(objects_of(path))


def failing(storage, *failures):
    """A dataset whose record 0 is open, and whose next reads fail."""
    ds = pcr.open("photos", storage=storage)
    ds[0].read()
    storage.failures += failures
    return ds


def test_same_as_files(ds, storage):
    with pcr.open("photos", storage=storage) as other:
        assert other.path == "photos" and len(other) == len(ds)
        assert other.classes == ds.classes and other.splits == ds.splits
        for one, two in zip(ds, other):
            assert one.key == two.key and one.label == two.label
            for fidelity in range(1, ds.group_count + 1):
                assert one.read(fidelity) == two.read(fidelity)
        assert other.find(ds[30].key) == 30
        report = other.verify(deep=True)
        assert report.sample_count == 48 and not report.bad_records
        handle = other._open
        assert handle is not None
    assert storage.opened > storage.closed
    del one, two, other, handle
    assert storage.opened == storage.closed


def test_record_and_prefix(ds, path):
    storage = InDict(objects_of(path, ""))
    assert len(pcr.open("", storage=storage)) == 48
    assert len(pcr.open(ds.records[0].path, storage=storage)) == 10


def test_zip(ds, path, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in path.iterdir():
            archive.write(file, "inside/" + file.name)
    storage = example()(tmp_path / "all.zip")
    other = pcr.open("inside", storage=storage, split="all")
    assert [s.read() for s in other] == [s.read() for s in ds]
    with pcr.Loader(other, batch_size=8, size=32, threads=3) as loader:
        assert sum(len(labels) for _, labels in loader) == len(ds)
    with pytest.raises(pcr.NotFoundError) as failure:
        pcr.open("outside", storage=storage)
    assert isinstance(failure.value.__cause__, FileNotFoundError)
    assert isinstance(failure.value.__cause__.__cause__, KeyError)


def test_loader(ds, storage):
    def epochs(dataset):
        with pcr.Loader(dataset, batch_size=8, size=32, seed=3) as loader:
            return [(images.copy(), labels.copy()) for _ in range(2) for images, labels in loader]
    expected = epochs(pcr.open(ds.path, split="all"))
    found = epochs(pcr.open("photos", storage=storage, split="all"))
    assert len(found) == len(expected)
    for one, two in zip(expected, found):
        assert np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])
    assert threading.get_ident() not in storage.threads or len(storage.threads) > 1


def test_loader_failure(storage):
    ds = pcr.open("photos", storage=storage, split="all", retries=0)
    failure = PermissionError(13, "no token")
    with pcr.Loader(ds, batch_size=8, size=32) as loader:
        storage.failures += [failure] * 100
        with pytest.raises(pcr.AccessError, match="no token") as raised:
            next(iter(loader))
    assert raised.value.__cause__ is failure


def test_cache(storage, tmp_path):
    for round in range(2):
        with pcr.open("photos", storage=storage, cache_dir=tmp_path / "cache") as ds:
            ds[0].read()
            reads = storage.reads
            ds[0].read()
            assert storage.reads == reads
            assert (ds.io_stats()["read_nbytes"] == 0) == (round == 1)
    storage.identity = None
    with pytest.raises(pcr.InvalidError, match="identity"):
        pcr.open("photos", storage=storage, cache_dir=tmp_path / "cache")


@pytest.mark.parametrize("failure", [ConnectionResetError("gone"), TimeoutError("slow"),
                                     OSError(5, "disk")], ids=str)
def test_tried_again(storage, failure):
    ds = failing(storage, failure, failure)
    assert ds[0].read(1)  # one range
    assert ds.io_stats()["retry_count"] == 2


@pytest.mark.parametrize("failure, kind", [
    (ValueError("odd"), pcr.IoError), (OSError(1, "not you"), pcr.AccessError),
    (EOFError("short"), pcr.TruncatedError), (MemoryError("no room"), pcr.OutOfMemory)], ids=str)
def test_cause(storage, failure, kind):
    ds = failing(storage, failure)
    with pytest.raises(kind) as raised:
        ds[0].read()
    assert raised.value.__cause__ is failure
    assert str(failure).split("] ")[-1] in str(raised.value)
    assert "photos/" in str(raised.value)
    assert ds.io_stats()["retry_count"] == 0
    assert ds[0].read()


def test_may_pass(storage):
    storage.may_pass = lambda exc: isinstance(exc, ValueError)
    ds = failing(storage, ValueError("busy"))
    assert ds[0].read()
    assert ds.io_stats()["retry_count"] == 1
    storage.failures += [OSError(5, "for good")]
    with pytest.raises(pcr.IoError) as raised:
        ds[0].read()
    assert raised.value.errno == 5 and ds.io_stats()["retry_count"] == 1
    storage.may_pass = None


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_interrupted(storage, failure):
    ds = failing(storage, failure)
    with pytest.raises(type(failure)) as raised:
        ds[0].read()
    assert raised.value is failure
    assert ds[0].read()


def test_part_of_a_buffer(storage, monkeypatch):
    ds = failing(storage)
    kept = []

    def part(_file, _offset, buffer):
        kept.append(buffer)
        return len(buffer) - 1
    with monkeypatch.context() as patch:
        patch.setattr(Bytes, "read_into", part)
        with pytest.raises(pcr.TruncatedError, match="filled"):
            ds[0].read()
    with pytest.raises(ValueError, match="released"):
        kept[0][0]
    assert ds[0].read()


def test_pickle(ds, storage):
    again = pickle.loads(pickle.dumps(pcr.open("photos", storage=storage, retries=2)))
    assert again[5].read() == ds[5].read()


def test_refusals(storage):
    with pytest.raises(TypeError, match="open"):
        pcr.open("photos", storage=object())
    with pytest.raises(pcr.InvalidError, match="backend"):
        pcr.open("photos", storage=storage, io="mmap")
    storage.objects["photos/manifest.json"] = b"{}"
    with pytest.raises(pcr.FormatError, match="photos/manifest.json"):
        pcr.open("photos", storage=storage)

    class Odd(InDict):
        def open(self, name):
            file = super().open(name)
            file.size = -1
            return file
    with pytest.raises(pcr.IoError, match="size") as raised:
        pcr.open("photos", storage=Odd(storage.objects))
    assert isinstance(raised.value.__cause__, ValueError)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_while_reading(storage):
    """fork() waits for the library's locks with the interpreter's lock held."""
    ds = pcr.open("photos", storage=storage, open_records=1)
    searched, stop = [ds], threading.Event()

    def read():
        while not stop.is_set():
            for i in range(0, 48, 7):
                ds[i].read()
            searched[0] = pcr.open("photos", storage=storage)
            assert b"none" not in searched[0]
    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if not child:
                os._exit(0 if ds[20].read() and b"none" not in searched[0] else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
