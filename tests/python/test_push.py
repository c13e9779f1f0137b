# SPDX-License-Identifier: BSD-2-Clause
"""pcr.Writer: the dataset that pcr.write() makes of the same samples."""

import gc
import threading
import warnings
from pathlib import Path

import pytest

import pcr
from images import encode, picture

CLASSES = ["ape", "bee"]
FILES = [encode(picture(i, 24, 20)) for i in range(12)]


def files_of(folder: Path):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_threads_make_what_write_makes(tmp_path):
    samples = [pcr.NewSample(f"{i}.jpg", data, CLASSES[i % 2], {"n": i}, "ab"[i % 2])
               for i, data in enumerate(FILES)]
    pcr.write(tmp_path / "control", samples, classes=CLASSES, record_samples=4)
    with pcr.Writer(tmp_path / "made", classes=CLASSES, splits=["a", "b"],
                    record_samples=4) as writer:
        def add(first):
            for i in range(first, len(FILES), 3):
                s = samples[i]
                writer.add(s.key, s.data, s.label, s.attributes, s.split, index=i)
        threads = [threading.Thread(target=add, args=(k,)) for k in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not (tmp_path / "made").exists()
    assert writer.report.progress.samples_done == len(FILES)
    assert files_of(tmp_path / "made") == files_of(tmp_path / "control")
    with pytest.raises(ValueError, match="closed"):
        writer.add("x", FILES[0])
    with pytest.raises(pcr.InvalidError, match="already holds another dataset"):
        pcr.Writer(tmp_path / "made")


def test_exception_leaves_nothing(tmp_path):
    with pytest.raises(KeyError):
        with pcr.Writer(tmp_path / "made") as writer:
            writer.add("a", FILES[0])
            raise KeyError("mine")
    assert writer.report is None and not list(tmp_path.iterdir())


def test_forgotten_finish_warns(tmp_path):
    writer = pcr.Writer(tmp_path / "d.pcr")
    writer.add("a", FILES[0])
    with pytest.warns(RuntimeWarning, match="d.pcr was not written"):
        del writer
        gc.collect()
    assert not list(tmp_path.iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pcr.Writer(tmp_path / "none.pcr")  # nothing was added
        writer = pcr.Writer(tmp_path / "d.pcr")
        writer.add("a", FILES[0])
        writer.close()
        del writer
        gc.collect()


def test_bad_samples_and_progress(tmp_path):
    def stop(progress):
        raise RuntimeError("enough")
    writer = pcr.Writer(tmp_path / "made", progress=stop)
    for wrong in ("cat", [0.5, "x"]):
        with pytest.raises((pcr.InvalidError, TypeError)):
            writer.add("k", FILES[0], wrong)
    with pytest.raises(pcr.InvalidError, match="split 'b'"):
        writer.add("k", FILES[0], split="b")
    with pytest.raises(TypeError, match="expected an image file's bytes"):
        writer.add("k", "a.jpg")
    writer.add("k", FILES[0], [0.5, 2])
    with pytest.raises(RuntimeError, match="enough"):
        writer.finish()
    assert not (tmp_path / "made" / "manifest.json").exists()
    writer.cancel()
    with pytest.raises(pcr.CancelledError):
        writer.add("l", FILES[1])
    writer.close()


def test_floats(tmp_path):
    with pcr.Writer(tmp_path / "made", shuffle=False) as writer:
        for i in (2, 0, 1):
            writer.add(f"{i}", FILES[i], i + 0.5, index=i)
    with pcr.open(tmp_path / "made") as ds:
        assert ds.labels.tolist() == [0.5, 1.5, 2.5]
