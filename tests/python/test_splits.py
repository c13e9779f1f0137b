# SPDX-License-Identifier: BSD-2-Clause
"""Splits: what is asked for, what is there, and samples of splits without labels."""
import pickle
import shutil
import warnings

import numpy as np
import pytest

import pcr
from images import encode, picture


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """train/{ant,bee}/0..2.jpg and test/0..1.jpg, without classes."""
    where = tmp_path_factory.mktemp("splits")
    for name in ("train/ant", "train/bee", "test"):
        (where / name).mkdir(parents=True)
        for i in range(2 if name == "test" else 3):
            (where / name / f"{i}.jpg").write_bytes(encode(picture(i, 24, 24), "JPEG"))
    return where


@pytest.fixture
def path(source, tmp_path):
    """A dataset of its own for each test, as a warning comes once for each."""
    pcr.convert(source, tmp_path / "ds.pcr")
    return tmp_path / "ds.pcr"


def test_missing_split(path):
    with pytest.raises(pcr.InvalidError, match="no split named 'val'; there are test, train"):
        pcr.open(path, split="val")
    with pytest.raises(pcr.InvalidError, match="there are test, train"):
        pcr.Loader(path, split="val")


@pytest.mark.parametrize("split", [3, ["train", "test"]])
def test_wrong_type(path, split):
    with pytest.raises(TypeError, match="a split is of type (int|list), expected a str"):
        pcr.Loader(path, split=split)


def test_warning_names_the_splits_once(path):
    with pytest.warns(UserWarning, match=r"test \(2\), train \(6\).*split='train'.*'all'") as found:
        pcr.Loader(path, size=8).close()
    assert found[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pcr.Loader(path, size=8).close()
        with pcr.open(path) as ds:
            pcr.Loader(ds, size=8).close()


@pytest.mark.parametrize("how", [{"split": "train"}, {"split": "all"}, {"indices": [0, 1]}])
def test_no_warning_where_it_is_said(path, how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pcr.Loader(path, size=8, **how).close()


def test_all(path):
    with pcr.open(path, split="all") as ds:
        assert len(ds) == 8 and ds.split == "all"
        assert ds.class_counts == (3, 3)
        assert len(pickle.loads(pickle.dumps(ds))) == 8
    pcr.write(path.with_name("named.pcr"), [
        pcr.NewSample("a", encode(picture(1, 8, 8), "JPEG"), split="all"),
        pcr.NewSample("b", encode(picture(2, 8, 8), "JPEG"), split="none")])
    with pcr.open(path.with_name("named.pcr"), split="all") as ds:
        assert [s.key for s in ds] == ["a"]  # a split of that name comes first


def test_samples_without_labels(path):
    with pcr.open(path) as ds:
        assert ds.splits == {"test": 2, "train": 6}
        assert ds.classes == ("ant", "bee")
        assert ds.labels.tolist()[:2] == [-1, -1]
        assert sorted(ds.labels.tolist()[2:]) == [0, 0, 0, 1, 1, 1]
        assert [s.label for s in ds[:2]] == [None, None]
    with pcr.Loader(path, split="all", size=8, batch_size=8, shuffle="none") as loader:
        (images, labels), = loader
        assert images.shape == (8, 8, 8, 3)
        assert labels.tolist() == pcr.open(path).labels.tolist()
    with pcr.Loader(path, split="all", size=8, classes=["ant"]) as loader:
        assert np.concatenate([b.labels for b in loader]).tolist() == [0, 0, 0]
    with pcr.Loader(path, split="test", size=8) as loader:
        assert np.concatenate([b.labels for b in loader]).tolist() == [-1, -1]


def test_layout(source, tmp_path):
    where = tmp_path / "doubt"
    shutil.copytree(source, where)
    shutil.copytree(source / "train", where / "other")
    (where / "stray.jpg").write_bytes(encode(picture(1, 8, 8), "JPEG"))
    (where / "notes.txt").write_text("not an image")
    with pytest.raises(pcr.InvalidError, match="'split-class' has 3 splits .*; 'class' has 3"):
        pcr.convert(where, tmp_path / "no.pcr")
    report = pcr.convert(where, tmp_path / "yes.pcr", layout="split-class")
    assert report.left_out == ((str(where / "stray.jpg"),
                                "an image next to the folders of splits"),)
    assert report.ignored_count == 1
    with pcr.open(tmp_path / "yes.pcr") as ds:
        assert ds.splits == {"other": 6, "test": 2, "train": 6}
    report = pcr.convert(where, tmp_path / "flat.pcr", layout="flat", dry_run=True)
    assert report.progress.samples_done == 15 and not report.left_out
    report = pcr.convert(where, tmp_path / "some.pcr", layout="flat", dry_run=True,
                         extensions=["JPG"])
    assert report.progress.samples_done + report.ignored_count == 16
    report = pcr.convert(where, tmp_path / "all.pcr", layout="flat", dry_run=True,
                         all_files=True, on_bad="skip")
    assert [bad.path for bad in report.bad] == [str(where / "notes.txt")]
    assert not report.ignored_count
    with pytest.raises(pcr.InvalidError, match="is inside"):
        pcr.convert(where, where / "train" / "new.pcr", layout="flat")
    with pytest.raises(pcr.InvalidError, match="holds other files"):
        pcr.write(where, [("a.jpg", (where / "stray.jpg").read_bytes())])
    with pytest.raises(pcr.InvalidError, match="layout is 'deep', expected one of"):
        pcr.convert(where, tmp_path / "no.pcr", layout="deep")
