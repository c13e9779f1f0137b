# SPDX-License-Identifier: BSD-2-Clause
"""Limits as options, and what they hold for."""

import json

import numpy as np
import pytest

import pcr
from images import encode, picture, pixels_of

SMALL = encode(picture(1, 40, 30))
LARGE = encode(picture(2, 90, 70), quality=90, progressive=True)
PNG = encode(picture(3, 90, 70), "PNG")


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    path = tmp_path_factory.mktemp("limits") / "dataset"
    pcr.write(path, [("a.jpg", SMALL), ("b.jpg", LARGE), ("c.png", PNG)], shuffle=False)
    return path


@pytest.mark.parametrize("data", [LARGE, PNG], ids=["jpeg", "png"])
def test_decode(data):
    with pytest.raises(pcr.LimitError, match="max_pixels"):
        pcr.decode(data, max_pixels=6299)
    whole = pcr.decode(data, max_pixels=6300)
    assert np.array_equal(whole, pixels_of(data))
    part = pcr.decode(data, max_pixels=600, crop=(10, 10, 20, 14))
    assert np.array_equal(part, whole[10:14, 10:20])
    assert pcr.decode(data, max_pixels=2100, gray=True).shape == (70, 90)
    with pytest.raises(pcr.LimitError):
        pcr.decode(data, max_sample_nbytes=len(data) - 1)
    with pytest.raises(pcr.InvalidError, match="max_pixels"):
        pcr.decode(data, max_pixels=0)


def test_decode_smaller():
    assert pcr.decode(LARGE, max_pixels=2363, scale=1).shape == (9, 12, 3)
    with pytest.raises(pcr.LimitError, match="scans"):
        pcr.decode(LARGE, max_scans=9)


def test_convert(tmp_path):
    for data in (LARGE, PNG):
        with pytest.raises(pcr.LimitError, match="x.jpg"):
            pcr.write(tmp_path / "no", [("x.jpg", data)], max_pixels=6299)
        pcr.write(tmp_path / f"ok{len(data)}", [("x.jpg", data)], max_pixels=6300)
    with pytest.raises(pcr.LimitError, match="scans"):
        pcr.write(tmp_path / "no", [("x.jpg", LARGE)], max_scans=9)
    with pytest.raises(pcr.PcrError, match="x.jpg"):
        pcr.write(tmp_path / "no", [("x.jpg", LARGE)], max_sample_nbytes=100)
    with pytest.raises(pcr.LimitError, match="x.jpg.*max_memory_nbytes"):
        pcr.write(tmp_path / "no", [("x.jpg", LARGE)], max_memory_nbytes=20000)
    with pytest.raises(pcr.InvalidError, match="max_memory_nbytes"):
        pcr.write(tmp_path / "no", [("x.jpg", LARGE)], max_memory_nbytes=0)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "x.jpg").write_bytes(LARGE)
    report = pcr.convert(tmp_path / "src", tmp_path / "kept", max_pixels=6299, on_bad="opaque")
    assert report.progress.samples_undecodable == 1
    with pcr.open(tmp_path / "kept") as ds:  # it is within the default limits of readers
        assert ds.notes()[0]["undecodable"] == "JPEG beyond a limit"
        assert "limits" not in ds.manifest
    report = pcr.convert(tmp_path / "src", tmp_path / "high", max_pixels=10**9)
    assert report.progress.samples_done == 1


def test_open(where):
    with pcr.open(where, max_pixels=6299) as ds:
        assert ds[0].decode().shape == (30, 40, 3)
        for index in (1, 2):
            with pytest.raises(pcr.LimitError):
                ds[index].decode()
            assert ds[index].decode(crop=(0, 0, 8, 8)).shape == (8, 8, 3)
        report = ds.verify(deep=True)  # no damage, but not within the limit
        assert report.undecodable_samples == 2 and report.bad_samples == 0
    for limit in ("max_samples", "max_manifest_nbytes"):
        with pytest.raises(pcr.LimitError):
            pcr.open(where, **{limit: 2})
    for limit in ("max_head_nbytes", "max_sample_nbytes"):
        with pcr.open(where, **{limit: 100}) as ds, pytest.raises(pcr.LimitError):
            ds[0]


def test_loader(where):
    options = dict(batch_size=3, size=64, shuffle="none", transform="stretch", threads=1)

    def keys(ds, **limits):
        with pcr.Loader(ds, **options, **limits) as loader:
            return [key for batch in loader for key in batch.keys]

    with pcr.open(where) as ds, pcr.open(where, max_pixels=6299) as low:
        assert len(keys(ds)) == 3
        with pytest.raises(pcr.LimitError, match="b.jpg"):
            keys(ds, max_pixels=6299)
        with pytest.raises(pcr.LimitError, match="b.jpg"):
            keys(low)
        assert len(keys(low, max_pixels=6300)) == 3
        assert set(keys(ds, max_pixels=6299, bad_sample="skip")) == {"a.jpg"}


def test_a_manifest_lifts_no_limit_that_was_set(where, tmp_path):
    """It raises defaults alone, to what the dataset needs."""
    xxhash = pytest.importorskip("xxhash")
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in where.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["_xxh3"]
    manifest["limits"] = {"max_pixels": 1 << 40}
    rest = json.dumps(manifest)[1:].encode()
    check = xxhash.xxh3_64_hexdigest(rest).encode()
    (copy / "manifest.json").write_bytes(b'{"_xxh3":"' + check + b'",' + rest)
    with pcr.open(copy) as ds:
        assert ds.manifest["limits"] == {"max_pixels": 1 << 40}
        assert ds[1].decode().shape == (70, 90, 3)
    with pcr.open(copy, max_pixels=6299) as ds:
        with pytest.raises(pcr.LimitError):
            ds[1].decode()
