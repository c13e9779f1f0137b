# SPDX-License-Identifier: BSD-2-Clause
"""Source files, byte for byte."""
import pytest

import pcr
from images import encode, picture


@pytest.fixture
def files():
    return {f"{i}.jpg": encode(picture(i, 90, 70)) + b"tail" * (i == 2) for i in range(6)}


@pytest.mark.parametrize("coding", ["packed", "scans"])
def test_files_come_back(tmp_path, files, coding):
    pcr.write(tmp_path / "d", list(files.items()), coding=coding, keep_originals=True)
    with pcr.open(tmp_path / "d") as ds:
        assert {s.key: s.original() for s in ds} == files
        assert all(s.read() != files[s.key] for s in ds)
        about = ds.describe()
        assert about["originals"] and about["tail_nbytes"] and not about["unrestorable_count"]
        assert ds.verify(originals=True).restored_samples == 6
        assert ds.verify().restored_samples == 0
        report = pcr.export(ds, tmp_path / "out", jpeg="source")
    assert report.progress.unrestorable_count == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == files


def test_they_need_not_be_kept(tmp_path, files):
    pcr.write(tmp_path / "d", list(files.items()), keep_originals=False)
    with pcr.open(tmp_path / "d") as ds:
        assert not ds.describe()["originals"] and ds.describe()["dropped_count"] == 1
        with pytest.raises(pcr.UnsupportedError, match="not kept"):
            ds[0].original()


def test_whole_files_are_counted(tmp_path, files):
    files["3.jpg"] += bytes(range(256)) * 300
    report = pcr.write(tmp_path / "d", list(files.items()), keep_originals=True)
    assert report.progress.samples_unrestorable == 1
    with pcr.open(tmp_path / "d") as ds:
        assert ds.describe()["unrestorable_count"] == 1
        assert "restoring it would take" in ds.notes()[0]["unrestorable"]
        assert {s.key: s.original() for s in ds} == files
