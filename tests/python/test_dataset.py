# SPDX-License-Identifier: BSD-2-Clause
"""pcr.open, Dataset and Sample."""

import copy
import gc
import io
import os
import pickle
import shutil
import threading

import numpy as np
import pytest
from PIL import Image, ImageOps

import pcr
from images import pixels_of


def test_sequence(ds):
    assert len(ds) == 48
    assert [s.index for s in ds] == list(range(48))
    assert ds[-1].index == 47 and ds[-48].index == 0
    for index in (48, -49, 10**30):
        with pytest.raises(IndexError):
            ds[index]
    assert ds[3] == ds[3] and ds[3] != ds[4] and hash(ds[3]) == hash(ds[3])
    assert ds[3] in ds and ds[3].key in ds and "no such key" not in ds and 5 not in ds
    assert ds.index(ds[7]) == 7


def test_slices(ds):
    view = ds[10:20]
    assert len(view) == 10 and [s.index for s in view] == list(range(10, 20))
    assert view[0] == ds[10] and view[-1] == ds[19]
    assert [s.index for s in ds[::-7]] == list(range(48))[::-7]
    assert [s.index for s in view[2:8:3]] == [12, 15]
    assert list(ds[100:]) == []
    with pytest.raises(IndexError):
        view[10]


def test_describe(ds, path):
    found = ds.describe()
    assert found["sample_count"] == 48 and found["path"] == str(path)
    assert found["format_version"] == (1, 0) and found["opaque_count"] == 0
    assert (found["coding"], found["scans_count"], found["packed_count"]) == ("packed", 0, 48)
    assert found["classes"] == {"ant": 16, "bee": 16, "crab": 16}
    assert ds.classes == ("ant", "bee", "crab") and ds.class_counts == (16, 16, 16)
    assert ds.splits == found["splits"] == {"train": 24, "val": 24}
    assert 5 <= ds.group_count <= 10 and ds.group_count == found["group_count"]
    assert found["prefix_nbytes"] == sorted(found["prefix_nbytes"])
    assert found["prefix_nbytes"][-1] <= found["total_nbytes"]
    assert ds.prefix_nbytes(2) == found["prefix_nbytes"][1]
    assert ds.ladder.startswith("ladder packed\n")
    assert ds.manifest["format"] == "pcr"
    assert ds.manifest["statistics"]["sample_count"] == 48
    for fidelity in (0, ds.group_count + 1):
        with pytest.raises(pcr.InvalidError):
            ds.prefix_nbytes(fidelity)


def test_records(ds, path):
    records = ds.records
    assert sum(r.sample_count for r in records) == 48
    first = 0
    for number, record in enumerate(records):
        assert record.number == number and record.first_sample == first
        first += record.sample_count
        assert os.path.getsize(path / record.path) == record.nbytes >= record.ends[-1]
        assert len(record.ends) == ds.group_count
        assert record.head_end < record.ends[0]
        assert list(record.ends) == sorted(record.ends)
        assert ds[record.first_sample].record == (number, 0)
    for g in range(ds.group_count):
        assert ds.prefix_nbytes(g + 1) == sum(r.ends[g] for r in records)


def test_a_record_alone(ds, path):
    record = ds.records[1]
    with pcr.open(path / record.path) as alone:
        assert len(alone) == record.sample_count
        assert alone[0].key == ds[record.first_sample].key
        assert alone[0].read(1) == ds[record.first_sample].read(1)
        assert alone.manifest == {}


def test_splits(path):
    with pcr.open(path, split="val") as val:
        assert len(val) == 24 and all(s.key.startswith("val/") for s in val)
        assert "split 'val'" in repr(val)
    with pytest.raises(pcr.InvalidError):
        pcr.open(path, split="none such")
    with pytest.raises(pcr.InvalidError):
        pcr.open(path, split="v\0")


def test_labels_and_keys(ds, tree):
    names = sorted(str(p.relative_to(tree)) for p in tree.rglob("*.jpg"))
    assert sorted(s.key for s in ds) == names
    for sample in ds:
        assert ds.classes[sample.label] == sample.key.split("/")[1]
        assert sample.labels == (sample.label,) and sample.attributes == {}
        assert sample.key_bytes.decode() == sample.key
        assert sample.coding == "packed" and sample.component_count == 3
        assert sample.source_nbytes == os.path.getsize(tree / sample.key)
    assert ds.labels.dtype == np.int64 and not ds.labels.flags.writeable
    assert ds.labels.tolist() == [s.label for s in ds]


def test_find(ds):
    for index in (0, 17, 47):
        assert ds.find(ds[index].key) == index
        assert ds.find(ds[index].key_bytes) == index
    for key in ("nothing", "", b"\0\xff", "train/ant/0.jpg\0"):
        with pytest.raises(KeyError):
            ds.find(key)


def test_every_fidelity(ds):
    for sample in ds[::9]:
        sizes = []
        for fidelity in range(1, ds.group_count + 1):
            data = sample.jpeg(fidelity)
            assert data == sample.read(fidelity)
            assert data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")
            assert pixels_of(data).shape[1::-1] == sample.size
            assert sample.decode(fidelity).shape[1::-1] == sample.size
            sizes.append(sample.nbytes(fidelity))
        assert sizes == sorted(sizes) and sizes[0] < sizes[-1]
        assert sample.nbytes() == sizes[-1]
        assert sample.read() == sample.read(ds.group_count)


def test_fidelity_improves(ds, tree):
    for sample in ds[::11]:
        exact = pixels_of((tree / sample.key).read_bytes()).astype(float)
        errors = [np.mean((sample.decode(g + 1) - exact) ** 2)
                  for g in range(ds.group_count)]
        assert errors[-1] == 0
        assert all(a >= b for a, b in zip(errors, errors[1:]))


def test_full_fidelity_equals_the_source(mixed):
    path, files = mixed
    with pcr.open(path) as ds:
        for sample, (name, data) in zip(ds, files):
            assert sample.key == name and sample.attributes == {"number": sample.index}
            assert sample.label is None and sample.labels == ()
            stored = pixels_of(data)
            np.testing.assert_array_equal(sample.decode(orient=False), stored)
            np.testing.assert_array_equal(pixels_of(sample.read()), stored)
            upright = np.asarray(ImageOps.exif_transpose(
                Image.open(io.BytesIO(data))).convert("RGB"))
            np.testing.assert_array_equal(sample.decode(), upright)
            if name == "gray.jpg":
                np.testing.assert_array_equal(sample.decode(gray=True),
                                              pixels_of(data, "L"))


def test_orientation_at_low_fidelity(mixed):
    with pcr.open(mixed[0]) as ds:
        sample = ds[ds.find("rotated.jpg")]
        assert sample.orientation == 6 and sample.size == (90, 120)
        for fidelity in range(1, ds.group_count + 1):
            assert sample.decode(fidelity).shape == (120, 90, 3)
            assert sample.decode(fidelity, orient=False).shape == (90, 120, 3)


def test_opaque(mixed):
    path, files = mixed
    with pcr.open(path) as ds:
        sample = ds[-1]
        assert sample.coding == "opaque" and ds.describe()["opaque_count"] == 1
        assert sample.read() == sample.read(1) == files[-1][1]
        with pytest.raises(pcr.UnsupportedError, match="opaque.png: .*not a JPEG"):
            sample.jpeg()
        assert sample.decode(1).shape == (20, 30, 3)
        assert sample.size in (None, (30, 20))


def test_wrong_fidelity(ds):
    for fidelity in (0, -1, ds.group_count + 1, 2**32):
        with pytest.raises(pcr.InvalidError):
            ds[0].read(fidelity)
        with pytest.raises(pcr.InvalidError):
            ds[0].decode(fidelity)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        pcr.open(tmp_path / "nothing")
    assert isinstance(caught.value, pcr.IoError) and caught.value.errno == 2
    (tmp_path / "text").write_text("this is a text file, not a record file at all")
    with pytest.raises(pcr.FormatError):
        pcr.open(tmp_path / "text")
    with pytest.raises(pcr.InvalidError):
        pcr.open("a\0b")
    with pytest.raises(pcr.InvalidError, match="expected one of auto, pread, mmap"):
        pcr.open(tmp_path, io="floppy")
    with pytest.raises(pcr.InvalidError):
        pcr.open(tmp_path, open_records=0)


@pytest.mark.parametrize("backend", ["auto", "pread", "mmap", "uring", "direct"])
def test_backends_and_few_open_records(path, ds, backend):
    with pcr.open(os.fsencode(path), io=backend, open_records=1, verify=False) as other:
        for index in (0, 47, 12, 30, 1):
            assert other[index].read(2) == ds[index].read(2)


def damaged(path, tmp_path):
    """A copy of a dataset with one byte of the last group of record 0 changed."""
    copy_path = tmp_path / "damaged"
    shutil.copytree(path, copy_path)
    with pcr.open(copy_path) as opened:
        record = opened.records[0]
    with open(copy_path / record.path, "r+b") as file:
        file.seek(record.ends[-1] - 3)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0x55]))
    return copy_path


def test_damage_is_found(path, tmp_path):
    with pcr.open(damaged(path, tmp_path)) as ds:
        last = ds[ds.records[0].sample_count - 1]
        with pytest.raises(pcr.CorruptError) as caught:
            last.read()
        assert ds.records[0].path in str(caught.value)
        assert last.read(ds.group_count - 1)
        steps = []
        report = ds.verify(progress=lambda done, total: steps.append((done, total)))
        assert report.bad_records == 1 and report.bad_samples == 1
        assert report.record_count == len(ds.records) and report.sample_count == 48
        assert steps == [(i + 1, len(ds.records)) for i in range(len(ds.records))]
        assert all(name == ds.records[0].path for name, _ in report.findings)
        assert any(isinstance(exc, pcr.CorruptError) for _, exc in report.findings)


def test_verify_intact(ds):
    for deep in (False, True):
        report = ds.verify(deep=deep)
        assert report.findings == () and report.bad_records == report.bad_samples == 0
        assert report.sample_count == 48


def test_close(path):
    ds = pcr.open(path)
    sample = ds[5]
    expected = sample.read()
    ds.close()
    ds.close()
    for use in (lambda: ds[0], lambda: ds.classes, lambda: ds.find("x"), ds.__enter__,
                lambda: list(ds), lambda: ds.records):
        with pytest.raises(ValueError, match="closed"):
            use()
    gc.collect()
    assert sample.read() == expected and sample.decode().ndim == 3
    del ds, sample
    gc.collect()


def test_samples_in_cycles(path):
    for _ in range(20):
        ds = pcr.open(path)
        loop = [ds[1], ds]
        loop.append(loop)
        del ds, loop
    gc.collect()


def test_no_copies_of_handles(ds):
    with pytest.raises((TypeError, ValueError)):
        copy.deepcopy(ds[0])


def test_threads(path):
    with pcr.open(path, open_records=2) as ds:
        expected = [ds[i].read() for i in range(48)]
        wrong = []

        def work(start):
            for i in range(start, start + 60):
                if ds[i % 48].read() != expected[i % 48]:
                    wrong.append(i)

        threads = [threading.Thread(target=work, args=(i * 12,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


@pytest.mark.parametrize("on_disk", [True, False])
def test_cache(path, tmp_path, on_disk):
    where = {"cache_dir": tmp_path / "near"} if on_disk else {}
    with pcr.open(path, cache_bytes=1 << 24, retries=2, **where) as ds:
        files = [sample.read(fidelity=1) for sample in ds]
        first = ds.io_stats()
        assert first["cache_stored_nbytes"] == first["cache_miss_nbytes"] > 0
        assert [sample.read(fidelity=1) for sample in ds] == files
        assert ds.io_stats()["read_nbytes"] == first["read_nbytes"]
    if on_disk:
        with pcr.open(path, **where) as ds:
            assert [sample.read(fidelity=1) for sample in ds] == files
            assert ds.io_stats()["read_nbytes"] == 0


def test_throttle(path):
    with pcr.open(path, throttle=1e6, delay=0.001) as ds:
        for sample in ds:
            sample.read(fidelity=1)
        stats = ds.io_stats()
        assert stats["read_ns"] >= stats["read_nbytes"] * 900
        assert stats["throttle_ns"] > 0
    with pytest.raises(pcr.InvalidError):
        pcr.open(path, cache_bytes=0)
    with pytest.raises(pcr.IoError):
        pcr.open(path, cache_dir=__file__)


def test_pickling(path, tmp_path):
    with pcr.open(path, split="val", open_records=3, io="mmap",
                  cache_dir=tmp_path / "cache") as ds:
        data = pickle.dumps(ds)
        with pickle.loads(data) as again:
            assert again.path == ds.path and again.split == "val"
            assert [s.key for s in again] == [s.key for s in ds]
            assert again._how == ds._how and again._how["io"] == "mmap"
        with pytest.raises(TypeError, match="send its index"):
            pickle.dumps(ds[0])
    with pytest.raises(ValueError, match="closed"):
        pickle.dumps(ds)
