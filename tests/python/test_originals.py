# SPDX-License-Identifier: BSD-2-Clause
"""Source files, byte for byte."""
import io
import os
import tarfile

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


def test_modes_and_times(tmp_path, files):
    for key, data in files.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / key).write_bytes(data)
        (tmp_path / "in" / key).chmod(0o604)
        os.utime(tmp_path / "in" / key, ns=(0, 10**18 + int(key[0])))
    pcr.convert(tmp_path / "in", tmp_path / "d", keep_originals=True)
    pcr.convert(tmp_path / "in", tmp_path / "off", keep_originals=False)
    pcr.write(tmp_path / "made", list(files.items()), keep_originals=True)
    with pcr.open(tmp_path / "d") as ds:
        for s in ds:
            assert s.file_info() == pcr.FileInfo(mode=0o604, mtime_ns=10**18 + int(s.key[0]))
    for folder in "off", "made":
        with pcr.open(tmp_path / folder) as ds:
            assert {s.file_info() for s in ds} == {pcr.FileInfo(None, None)}


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


def test_times_that_cannot_be_kept(tmp_path, files):
    """A tar's exact time counts, not the rounded one in front of it; so one that is out of range
    is not known."""
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for name, mtime in ("1.jpg", -2.25), ("2.jpg", 1e15), ("3.jpg", 7):
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(files[name]), mtime, 0o640
            archive.addfile(member, io.BytesIO(files[name]))
    pcr.convert(tmp_path / "a.tar", tmp_path / "d", keep_originals=True)
    with pcr.open(tmp_path / "d") as ds:
        assert {s.key: s.file_info() for s in ds} == {
            name: pcr.FileInfo(0o640, mtime)
            for name, mtime in (("1.jpg", -2250000000), ("2.jpg", None), ("3.jpg", 7000000000))}
