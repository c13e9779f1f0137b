# SPDX-License-Identifier: BSD-2-Clause
"""Datasets in another coding: what samples are, also for loaders, and how runs end."""

import numpy as np
import pytest

import pcr
from images import encode, orientation_exif, picture, pixels_of

RNG = np.random.default_rng(5)


def noisy(seed, height=90, width=120, **how):
    return encode(np.clip(picture(seed, width, height) + RNG.normal(0, 9, (height, width, 3)),
                          0, 255).astype(np.uint8), quality=92, **how)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A dataset of scans and its recoded twin."""
    where = tmp_path_factory.mktemp("recode")
    samples = [(f"{i}.jpg", noisy(i, exif=orientation_exif(1 + i % 8)), ["cat", "dog"][i % 2],
                {"n": i}, ["train", "val"][i % 3 == 0]) for i in range(20)]
    samples.append(("p.png", encode(picture(3, 50, 40), "PNG"), "cat", None, "val"))
    pcr.write(where / "scans", samples, record_samples=6, coding="scans")
    report = pcr.recode(where / "scans", where / "packed", coding="packed")
    assert report.progress.samples_done == len(samples) and not report.bad
    return where / "scans", where / "packed"


def test_samples(both):
    with pcr.open(both[0]) as scans, pcr.open(both[1]) as packed:
        assert scans.splits == packed.splits and scans.class_counts == packed.class_counts
        assert (scans.describe()["coding"], packed.describe()["coding"]) == ("scans", "packed")
        assert packed.describe()["packed_count"] > 0
        for a, b in zip(scans, packed):
            assert (a.key, a.label, a.attributes) == (b.key, b.label, b.attributes)
            assert (a.source_nbytes, a.orientation) == (b.source_nbytes, b.orientation)
            np.testing.assert_array_equal(a.decode(), b.decode())
            if a.coding == "opaque":
                assert a.read() == b.read()
            else:
                np.testing.assert_array_equal(pixels_of(a.jpeg()), pixels_of(b.jpeg()))


def test_loaders_give_the_same(both):
    def epoch(path):
        with pcr.Loader(path, split="train", batch_size=4, size=32, seed=3, threads=2) as loader:
            return [(images.copy(), labels.copy()) for images, labels in loader]
    for (a, la), (b, lb) in zip(epoch(both[0]), epoch(both[1])):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(la, lb)


def test_an_open_dataset_and_back(both, tmp_path):
    with pcr.open(both[1], split="all") as packed:
        pcr.recode(packed, tmp_path / "back", coding="scans", threads=1)
        assert len(packed) == 21  # still open
    for file in both[0].iterdir():
        assert (tmp_path / "back" / file.name).read_bytes() == file.read_bytes()


def test_refusals(both, tmp_path):
    with pytest.raises(pcr.InvalidError, match="coding is 'zip'"):
        pcr.recode(both[0], tmp_path / "x", coding="zip")
    with pytest.raises(pcr.NotFoundError):
        pcr.recode(tmp_path / "nothing", tmp_path / "x", coding="scans")
    with pytest.raises(pcr.InvalidError, match="already holds"):
        pcr.recode(both[0], both[0], coding="packed")
    with pcr.open(both[0], split="val") as part, \
            pytest.raises(pcr.InvalidError, match="one of its splits"):
        pcr.recode(part, tmp_path / "x", coding="packed")
    assert not (tmp_path / "x").exists()


def test_progress_stops_it(both, tmp_path):
    def stop(progress):
        raise KeyError("enough")
    with pytest.raises(KeyError, match="enough"):
        pcr.recode(both[0], tmp_path / "x", coding="packed", progress=stop)
    pcr.recode(both[0], tmp_path / "x", coding="packed")
    assert (tmp_path / "x/manifest.json").read_bytes() == (both[1] / "manifest.json").read_bytes()
