# SPDX-License-Identifier: BSD-2-Clause
"""pcr.Loader."""

import gc
import os
import shutil
import threading

import numpy as np
import pytest

import pcr
from images import encode, picture
from together import together


def order(batches):
    return [int(i) for batch in batches for i in batch.indices]


def test_an_epoch(path):
    with pcr.Loader(path, batch_size=10, size=32, seed=3) as loader:
        assert len(loader) == 5
        batches = list(loader)
        assert [b.number for b in batches] == [0, 1, 2, 3, 4]
        assert [len(b.labels) for b in batches] == [10, 10, 10, 10, 8]
        assert sorted(order(batches)) == list(range(48)) != order(batches)
        labels = loader.dataset.labels
        for batch in batches:
            assert batch.epoch == 0
            assert batch.pixels.shape == (len(batch.labels), 32, 32, 3)
            assert batch.pixels.dtype == np.uint8 and batch.labels.dtype == np.int64
            assert batch.pixels.ctypes.data % 64 == 0
            np.testing.assert_array_equal(batch.labels, labels[batch.indices])
            assert set(batch.fidelities) == {loader.dataset.group_count}


def test_unpacking(path):
    with pcr.Loader(path, batch_size=48, size=(16, 24)) as loader:
        for images, labels in loader:
            assert images.shape == (48, 16, 24, 3) and labels.shape == (48,)
        (images, labels), = loader


@pytest.mark.parametrize("options, shape", [
    ({"layout": "NCHW"}, (8, 3, 20, 30)), ({"gray": True}, (8, 20, 30, 1)),
    ({"gray": True, "layout": "NCHW"}, (8, 1, 20, 30)), ({}, (8, 20, 30, 3))])
def test_shapes(ds, options, shape):
    with pcr.Loader(ds, batch_size=8, size=(20, 30), transform="stretch", shuffle="none",
                    **options) as loader:
        for batch in loader:
            assert batch.pixels.shape == shape
            for pixels, index in zip(batch.pixels, batch.indices):
                whole = ds[index].decode(gray=bool(options.get("gray")))
                expected = pcr.resize(whole, 20, 30).reshape(20, 30, -1)
                if options.get("layout") == "NCHW":
                    expected = np.moveaxis(expected, 2, 0)
                np.testing.assert_array_equal(pixels, expected)


def test_each_fidelity(ds):
    for fidelity in range(1, ds.group_count + 1):
        with pcr.Loader(ds, batch_size=16, size=24, transform="stretch", shuffle="none",
                        fidelity=fidelity) as loader:
            for batch in loader:
                assert set(batch.fidelities) == {fidelity}
                for pixels, index in zip(batch.pixels, batch.indices):
                    expected = pcr.resize(ds[index].decode(fidelity), 24, 24)
                    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("shuffle", ["block", "full", "none"])
def test_threads_do_not_matter(path, shuffle):
    epochs = {}
    for threads in (1, 2, 5):
        with pcr.Loader(path, batch_size=7, size=16, shuffle=shuffle, threads=threads,
                        seed=9, flip=0.5, window_samples=20, block_samples=3) as loader:
            epochs[threads] = [[(order([b]), b.pixels.copy()) for b in loader]
                               for _ in range(2)]
    for threads in (2, 5):
        for ours, theirs in zip(epochs[1], epochs[threads]):
            for (indices, pixels), (indices2, pixels2) in zip(ours, theirs):
                assert indices == indices2
                np.testing.assert_array_equal(pixels, pixels2)
    first, second = ([i for indices, _ in epoch for i in indices] for epoch in epochs[1])
    assert sorted(first) == sorted(second) == list(range(48))
    assert (first == second) == (shuffle == "none")


def test_epochs_and_seeds(path):
    with pcr.Loader(path, batch_size=48, size=8) as a, \
            pcr.Loader(path, batch_size=48, size=8, seed=1) as b:
        orders = [order(a) for _ in range(3)]
        assert len({tuple(o) for o in orders}) == 3
        a.set_epoch(1)
        again = iter(a)
        assert again.number is None and order(again) == orders[1] and again.number == 1
        assert order(a) == orders[2]
        assert order(b) != orders[0]


def test_drop_last(path):
    with pcr.Loader(path, batch_size=10, size=8, drop_last=True) as loader:
        assert len(loader) == 4
        assert [len(b.labels) for b in loader] == [10] * 4


def test_split(path):
    with pcr.Loader(path, split="val", size=8) as loader:
        assert len(loader.dataset) == 24
        assert sorted(order(loader)) == list(range(24))
    with pcr.open(path) as ds, pytest.raises(pcr.InvalidError):
        pcr.Loader(ds, split="val")


def test_set_fidelity(path):
    with pcr.Loader(path, batch_size=2, size=8, fidelity=1, batches_ahead=2) as loader:
        seen = []
        for batch in loader:
            assert len(set(batch.fidelities)) == 1
            seen.append(int(batch.fidelities[0]))
            if batch.number == 3:
                loader.set_fidelity(3)
        assert seen == sorted(seen) and seen[:4] == [1] * 4
        assert set(seen) == {1, 3} and seen[3 + 2 + 3:] == [3] * (24 - 8)
        loader.set_fidelity(None)
        full = loader.dataset.group_count
        assert {int(f) for b in loader for f in b.fidelities} == {full}
        with pytest.raises(pcr.InvalidError):
            loader.set_fidelity(full + 1)
        with pytest.raises(pcr.InvalidError):
            loader.set_fidelity(0)


def test_arrays_are_the_librarys_memory_and_keep_it(path):
    with pcr.Loader(path, batch_size=4, size=16, batches_ahead=2) as loader:
        kept = []
        for batch in loader:
            assert not batch.pixels.flags.owndata and batch.pixels.flags.writeable
            kept.append((batch.pixels[1:, ::2], batch.pixels[1:, ::2].copy()))
        del batch
        gc.collect()
        for view, copied in kept:
            np.testing.assert_array_equal(view, copied)
    for view, copied in kept:
        np.testing.assert_array_equal(view, copied)


def test_memory_is_used_again(path):
    with pcr.Loader(path, batch_size=4, size=16, batches_ahead=2) as loader:
        addresses = {batch.pixels.ctypes.data for _ in range(4) for batch in loader}
    assert len(addresses) < 24


def test_dlpack(path):
    with pcr.Loader(path, batch_size=4, size=16) as loader:
        batch = next(iter(loader))
        other = np.from_dlpack(batch.pixels)
        assert other.ctypes.data == batch.pixels.ctypes.data
        expected = batch.pixels.copy()
        del batch
        for _ in loader:
            pass
        np.testing.assert_array_equal(other, expected)


def test_pixels_may_be_written_to(path):
    with pcr.Loader(path, batch_size=4, size=16, shuffle="none",
                    transform="center_crop") as loader:
        first = [batch.pixels.copy() for batch in loader]
        for batch in loader:
            batch.pixels[:] = 0
        for pixels, batch in zip(first, loader):
            np.testing.assert_array_equal(pixels, batch.pixels)


def test_an_iterator_dropped_early(path):
    loader = pcr.Loader(path, batch_size=4, size=16)
    for _ in range(5):
        for batch in loader:
            break
    assert batch.epoch == 4 and batch.number == 0
    iterator = iter(loader)
    next(iterator)
    assert len(order(loader)) == 48
    with pytest.raises(RuntimeError, match="epoch 5 ended when epoch 6"):
        next(iterator)
    assert list(iterator) == []
    del loader, iterator, batch
    gc.collect()
    assert not [t for t in threading.enumerate() if t.name == "pcr-wait" and t.is_alive()
                and not t.join(5) and t.is_alive()]


def test_close(path):
    loader = pcr.Loader(path, batch_size=4, size=16)
    iterator = iter(loader)
    batch = next(iterator)
    expected = batch.pixels.copy()
    assert "open" in repr(loader)
    loader.close()
    loader.close()
    assert "closed" in repr(loader)
    np.testing.assert_array_equal(batch.pixels, expected)
    for use in (lambda: next(iterator), lambda: iter(loader), loader.stats,
                lambda: len(loader), lambda: loader.set_fidelity(1)):
        with pytest.raises(ValueError, match="closed"):
            use()
    del loader, iterator
    gc.collect()
    np.testing.assert_array_equal(batch.pixels, expected)


def test_the_dataset_may_be_closed(path):
    ds = pcr.open(path)
    with pcr.Loader(ds, batch_size=16, size=16) as loader:
        ds.close()
        del ds
        gc.collect()
        assert sorted(order(loader)) == list(range(48))


def test_from_another_thread(path):
    found = []
    with pcr.Loader(path, batch_size=16, size=16) as loader:
        thread = threading.Thread(target=lambda: found.extend(order(loader)))
        thread.start()
        thread.join()
    assert sorted(found) == list(range(48))


def test_close_while_another_thread_waits(path):
    for _ in range(20):
        loader = pcr.Loader(path, batch_size=48, size=16)
        ended = []

        def work(loader=loader, ended=ended):
            try:
                for _ in range(1000):
                    for _batch in loader:
                        pass
            except (pcr.CancelledError, ValueError) as exc:
                ended.append(exc)

        thread = threading.Thread(target=work)
        thread.start()
        loader.close()
        thread.join(30)
        assert not thread.is_alive() and len(ended) == 1


@pytest.fixture
def damaged(path, tmp_path):
    """A dataset with one byte changed in the last group of record 0's last sample."""
    copy = tmp_path / "damaged"
    shutil.copytree(path, copy)
    with pcr.open(copy) as ds:
        record = ds.records[0]
    with open(copy / record.path, "r+b") as file:
        file.seek(record.ends[-1] - 3)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0x55]))
    return copy, record.sample_count - 1


def test_bad_sample_is_an_error(damaged):
    with pcr.Loader(damaged[0], batch_size=4, size=16) as loader:
        for _ in range(2):
            iterator = iter(loader)
            with pytest.raises(pcr.CorruptError):
                list(iterator)
            assert list(iterator) == []


def test_bad_sample_is_skipped(damaged):
    with pcr.Loader(damaged[0], batch_size=4, size=16, bad_sample="skip") as loader:
        batches = list(loader)
        assert [len(b.labels) for b in batches] == [4] * 12
        indices, valid = (np.concatenate([getattr(b, name) for b in batches])
                          for name in ("indices", "valid"))
        assert sorted(indices[valid]) == [i for i in range(48) if i != damaged[1]]
        assert loader.stats()["replaced_count"] == 1
        (bad,) = loader.bad_samples()
        assert bad == (0, 0, damaged[1], loader.dataset.group_count, None,
                       (0, indices[~valid][0]), bad.message)
        assert loader.dataset[damaged[1]].key in bad.message


def test_bad_sample_is_degraded(damaged):
    with pcr.Loader(damaged[0], batch_size=48, size=16, bad_sample="degrade") as loader:
        (batch,) = loader
        full = loader.dataset.group_count
        fidelity = dict(zip(batch.indices.tolist(), batch.fidelities.tolist()))
        assert fidelity.pop(damaged[1]) == full - 1
        assert set(fidelity.values()) == {full} and len(fidelity) == 47
        assert loader.stats()["degraded_count"] == 1
        list(loader)
        assert [(bad.epoch, bad.delivered) for bad in loader.bad_samples()] == [
            (0, full - 1), (1, full - 1)]


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def bfloat16(array):
    """Bits of the nearest, halfway to the even."""
    bits = array.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_normalised(path, dtype, gray, layout):
    options = {"size": (20, 30), "batch_size": 16, "gray": gray, "layout": layout}
    mean, std = (0.5, 0.25) if gray else (MEAN, STD)
    plain = [b.pixels.copy() for b in pcr.Loader(path, **options)]
    shape = (1,) if gray else (3,) if layout == "NHWC" else (3, 1, 1)
    loader = pcr.Loader(path, dtype=dtype, mean=mean, std=std, **options)
    for pixels, batch in together(plain, loader):
        mean32, std32 = (np.reshape(np.float32(x), shape).astype(np.float64)
                         for x in (mean, std))
        expected = ((pixels / 255 - mean32) / std32).astype(np.float32)
        expected = bfloat16(expected) if dtype == "bfloat16" else expected.astype(dtype)
        assert batch.pixels.dtype == ("uint16" if dtype == "bfloat16" else dtype)
        assert batch.pixels.ctypes.data % 64 == 0
        np.testing.assert_array_equal(batch.pixels, expected)


def test_not_normalised(path):
    for batch in pcr.Loader(path, size=16, dtype="float32"):
        assert 0 <= batch.pixels.min() < 0.2 < 0.8 < batch.pixels.max() <= 1


@pytest.mark.parametrize("options", [
    {"dtype": "int8"}, {"dtype": "uint8", "mean": 0.5}, {"dtype": "uint8", "std": MEAN},
    {"dtype": "float16", "mean": (1, 2)}, {"dtype": "float16", "std": 0},
    {"dtype": "float32", "gray": True, "mean": MEAN},
    {"dtype": "float32", "mean": float("nan")},
    {"batch_size": 0}, {"size": 0}, {"size": (10, -1)}, {"fidelity": 0}, {"fidelity": 99},
    {"shuffle": "often"}, {"seed": -1}, {"threads": 0}, {"transform": "default"},
    {"area": (0, 1)}, {"area": (0.5, 0.4)}, {"area": (0.5, 1.1)}, {"ratio": (2, 1)},
    {"flip": 1.5}, {"flip": float("nan")}, {"resize_px": 0}, {"layout": "HWC"},
    {"bad_sample": "hide"}, {"block_samples": 0}, {"batches_ahead": 0}])
def test_options_that_cannot_be_right(path, options):
    with pytest.raises(pcr.InvalidError):
        pcr.Loader(path, **options)


def test_a_forked_child_is_told(path):
    with pcr.Loader(path, batch_size=16, size=16) as loader:
        iterator = iter(loader)
        batch = next(iterator)
        child = os.fork()
        if child == 0:
            told = 0
            for use in (lambda: next(iterator), lambda: iter(loader), loader.stats):
                try:
                    use()
                except RuntimeError as exc:
                    told += "fork" in str(exc)
            loader.close()
            del batch
            os._exit(0 if told == 3 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(order(loader)) == 48


@pytest.mark.parametrize("form", ["progressive", "baseline"])
@pytest.mark.parametrize("fidelity", [1, 2, None])
def test_raw_batches(ds, fidelity, form):
    with pcr.Loader(ds, batch_size=10, raw=True, fidelity=fidelity, seed=2,
                    jpeg=form) as loader:
        batches = list(loader)
    assert sorted(order(batches)) == list(range(48))
    for batch in batches:
        files, labels = batch
        assert batch.offsets[0] == 0 and batch.offsets[-1] == len(batch.data)
        assert batch.data.dtype == np.uint8 and batch.offsets.dtype == np.int64
        assert len(files) == len(labels) == len(batch.indices)
        for file, index in zip(files, batch.indices):
            assert file.tobytes() == ds[index].read(fidelity=fidelity, jpeg=form)
            assert np.shares_memory(file, batch.data)


def test_forms_of_jpeg(ds, path):
    progressive, baseline = ds[3].read(2), ds[3].read(2, jpeg="baseline")
    assert b"\xff\xc2\x00" in progressive and b"\xff\xc0\x00" in baseline
    assert b"\xff\xdd\x00\x04" in baseline  # restart markers
    np.testing.assert_array_equal(pcr.decode(baseline), pcr.decode(progressive, identical=True))
    rows, *_ = (n for n in range(len(baseline)) if baseline[n:n + 4] == b"\xff\xdd\x00\x04")
    interval = int.from_bytes(baseline[rows + 4:rows + 6], "big")
    longer = ds[3].read(2, jpeg="baseline", restart_rows=3)
    assert longer[rows + 4:rows + 6] == (3 * interval).to_bytes(2, "big")
    none = ds[3].read(2, jpeg="baseline", restart_rows=0)
    assert b"\xff\xdd\x00\x04" not in none
    for file in (longer, none):
        np.testing.assert_array_equal(pcr.decode(file), pcr.decode(baseline))
    for wrong in (-1, 1.5):
        with pytest.raises((TypeError, pcr.InvalidError), match="restart_rows"):
            ds[3].read(jpeg="baseline", restart_rows=wrong)
    with pytest.raises(pcr.InvalidError, match="jpeg='baseline' alone"):
        ds[3].read(restart_rows=1)
    with pytest.raises(pcr.InvalidError, match="jpeg is 'lossless'"):
        ds[3].read(jpeg="lossless")
    with pytest.raises(pcr.InvalidError, match="BASELINE without RAW"):
        pcr.Loader(path, split="all", jpeg="baseline")


def test_own_memory(path):
    held, most = {}, 0

    def allocate(nbytes):
        buffer = np.empty(nbytes + 64, np.uint8)
        address = -(-buffer.ctypes.data // 64) * 64
        held[address] = nbytes, buffer
        return address

    def release(address, nbytes):
        assert held.pop(address)[0] == nbytes

    loader = pcr.Loader(path, batch_size=10, size=32, memory=(allocate, release),
                        batches_ahead=2)
    for batch in loader:
        most = max(most, len(held))
        assert batch.pixels.ctypes.data in held
    loader.close()
    assert 1 <= most <= 4 and list(held) == [batch.pixels.ctypes.data]
    del batch, loader
    gc.collect()
    assert not held
    with pytest.raises(pcr.OutOfMemory):
        list(pcr.Loader(path, memory=(lambda nbytes: 0, release)))


def test_batches_have_metadata(tmp_path):
    """Keys, several labels, attributes: what a batch's samples have in the dataset."""
    made = [pcr.NewSample(f"k{i}", encode(picture(i, 20, 30)), list(range(i % 4)),
                          {"score": i / 8, "box": [i, 2.5]} if i % 2 else None)
            for i in range(11)]
    pcr.write(tmp_path / "d", made)
    for raw in (False, True):
        with pcr.Loader(tmp_path / "d", batch_size=4, size=8, raw=raw) as loader:
            for batch in loader:
                numbers = [int(key[1:]) for key in batch.keys]
                assert [s.index for s in batch.samples] == batch.indices.tolist()
                assert [s.labels for s in batch.samples] == [tuple(range(n % 4))
                                                             for n in numbers]
                assert batch.labels.tolist() == [0 if n % 4 else -1 for n in numbers]
                assert batch.attributes == [{"score": n / 8, "box": [n, 2.5]} if n % 2 else {}
                                            for n in numbers]


@pytest.mark.parametrize("options", [{"readers": 0}, {"readers": 3, "read_ahead": False},
                                     {"read_ahead": False}, {"threads": 3}])
def test_threads_and_reading_ahead_change_nothing(path, options):
    with pcr.Loader(path, batch_size=10, size=32, flip=0.5) as plain, \
            pcr.Loader(path, batch_size=10, size=32, flip=0.5, **options) as loader:
        for _ in range(3):
            for a, b in together(plain, loader):
                np.testing.assert_array_equal(a.indices, b.indices)
                np.testing.assert_array_equal(a.pixels, b.pixels)
        stats = loader.stats()
        assert stats.reader_count == options.get("readers", stats.reader_count)
        if not options.get("read_ahead", True):
            assert stats.held_nbytes == 0
