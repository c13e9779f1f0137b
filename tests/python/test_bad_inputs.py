# SPDX-License-Identifier: BSD-2-Clause
"""What no decoder here can show: named at conversion, when verified, and by loaders."""

import numpy as np
import pytest

import pcr
from images import encode, picture

GOOD = encode(picture(1, 40, 32), quality=90)
FOREIGN = {
    "PSD": b"8BPS\0\1\0\0\0\0\0\0\0\3",
    "HTML": b"<!DOCTYPE html><p>Not found",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    # the frame header says what it is, whatever else stands there
    "arithmetic-coded JPEG": GOOD.replace(b"\xff\xc0", b"\xff\xc9", 1),
    "lossless JPEG": GOOD.replace(b"\xff\xc0", b"\xff\xc3", 1),
}


def samples():
    yield "good/a.jpg", GOOD
    for number, data in enumerate(FOREIGN.values()):
        yield f"odd/{number}.jpg", data
    yield "good/b.jpg", GOOD


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """All of them kept, in order."""
    where = tmp_path_factory.mktemp("kept") / "dataset"
    report = pcr.write(where, samples(), shuffle=False, on_bad="opaque")
    assert report.progress.samples_undecodable == len(FOREIGN)
    assert sorted(bad.format for bad in report.bad) == sorted(FOREIGN)  # as threads find them
    return where


@pytest.mark.parametrize("name", FOREIGN)
def test_decode_says_what_it_is(name):
    with pytest.raises((pcr.FormatError, pcr.UnsupportedError), match=name):
        pcr.decode(FOREIGN[name])


def test_bad_by_default(tmp_path):
    for name, data in FOREIGN.items():
        with pytest.raises(pcr.PcrError, match=f"x.jpg.*{name}"):
            pcr.write(tmp_path / "fail", [("x.jpg", data)])
    report = pcr.write(tmp_path / "skip", samples(), on_bad="skip")
    assert report.progress.samples_bad == len(FOREIGN)
    assert report.progress.samples_undecodable == 0
    assert {bad.format for bad in report.bad} == set(FOREIGN)
    with pcr.open(tmp_path / "skip") as ds:
        assert len(ds) == 2 and ds.notes() == [] and ds.describe()["skipped_count"] == 5


def test_noted(kept):
    with pcr.open(kept) as ds:
        assert ds.describe()["undecodable_count"] == len(FOREIGN)
        assert ds.notes() == [
            {"index": number + 1, "key": f"odd/{number}.jpg", "undecodable": name}
            for number, name in enumerate(FOREIGN)]
        record = kept / ds.records[0].path
    with pcr.open(record) as ds:  # a record by itself tells the same
        assert ds.describe()["undecodable_count"] == len(FOREIGN)
        assert len(ds.notes()) == len(FOREIGN)


def test_verify_tells_them_from_damage(kept):
    with pcr.open(kept) as ds:
        plain, deep = ds.verify(), ds.verify(deep=True)
    assert plain.undecodable_samples == 0 and plain.undecodable == ()
    assert deep.bad_samples == deep.bad_records == 0 and deep.findings == ()
    assert deep.undecodable_samples == len(FOREIGN)
    for name, (path, reason) in zip(FOREIGN, deep.undecodable):
        assert path.endswith(".pcr") and name in str(reason) and "odd/" in str(reason)


def test_loader_says_what_to_do(kept):
    options = dict(batch_size=1, size=16, shuffle="none", threads=1)
    with pcr.open(kept) as ds, pcr.Loader(ds, **options) as loader:
        with pytest.raises(pcr.PcrError) as caught:
            for _ in loader:
                pass
    for words in ("odd/0.jpg", "PSD", 'bad_sample "skip"', "--on-bad skip"):
        assert words in str(caught.value), str(caught.value)


def test_loader_passes_over_them(kept):
    with pcr.open(kept) as ds, pcr.Loader(ds, batch_size=7, size=16, shuffle="none",
                                          bad_sample="skip") as loader:
        keys = {key for batch in loader for key in batch.keys}
        assert keys == {"good/a.jpg", "good/b.jpg"}
        assert loader.stats()["replaced_count"] == len(FOREIGN)


def test_a_whole_file_is_read_back(kept):
    with pcr.open(kept) as ds:
        for number, data in enumerate(FOREIGN.values()):
            assert ds[ds.find(f"odd/{number}.jpg")].read() == data
        with pytest.raises(pcr.PcrError, match="PSD"):
            ds[1].decode()
        assert isinstance(ds[0].decode(), np.ndarray)
