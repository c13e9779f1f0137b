# SPDX-License-Identifier: BSD-2-Clause
"""Named byte strings of samples, stored apart from the images."""

import shutil

import numpy as np
import pytest

import pcr
from images import encode, picture

DATA = encode(picture(64, 48, 1), "JPEG")
MASK = encode(picture(64, 48, 2)[..., 0], "PNG")
BLOBS = [{"mask": MASK, "audio": b"\0" * 5}, {}, {"mask": b""}, None, {"audio": bytes(range(256))}]


def samples(blobs=BLOBS):
    return [pcr.NewSample(f"{i}.jpg", DATA, i % 2, {"n": i}, blobs=b) for i, b in enumerate(blobs)]


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    path = tmp_path_factory.mktemp("blobs") / "ds"
    pcr.write(path, samples(), record_samples=3, shuffle=False)
    with pcr.open(path) as found:
        yield found


def check(ds, blobs=BLOBS):
    for sample, wanted in zip(ds, blobs):
        for name in ("audio", "mask"):
            assert sample.blob(name) == (wanted or {}).get(name)


def test_read(ds):
    assert ds.blobs == ("audio", "mask")
    assert ds.manifest["schema"]["blobs"] == ["audio", "mask"]
    check(ds)
    with pytest.raises(pcr.InvalidError, match="no blob named 'x'"):
        ds[0].blob("x")
    with pcr.open(f"{ds.path}/{ds.records[1].path}") as one:
        assert one.blobs == ("audio",) and one[1].blob("audio") == BLOBS[4]["audio"]
    assert ds.verify(deep=True).findings == ()


def test_no_prefix_is_charged(ds, tmp_path):
    """Groups are those of a dataset without blobs; reading images reads none, and a blob is one
    range."""
    pcr.write(tmp_path / "without", samples([None] * 5), record_samples=3, shuffle=False)
    with pcr.open(tmp_path / "without") as without, pcr.open(ds.path) as fresh:
        assert without.blobs == () and "blobs" not in without.manifest["schema"]
        for a, b in zip(ds.records, without.records):
            assert [e - a.head_end for e in a.ends] == [e - b.head_end for e in b.ends]
        assert ds[0].jpeg() == without[0].jpeg()
        fresh[0].key, fresh[0].blob("audio")
        before = fresh.io_stats()
        assert fresh[0].blob("mask") == MASK
        after = fresh.io_stats()
        assert after["read_nbytes"] - before["read_nbytes"] == len(MASK)
        assert after["range_count"] - before["range_count"] == 1


def test_functions_arrays_and_generators(ds, tmp_path):
    """The same blobs however they are given are the same dataset."""
    before = {p.name: p.read_bytes() for p in ds_files(ds.path)}
    given = [b and {k: (lambda v=v: v) if k == "mask" else np.frombuffer(v, np.uint8)
                    for k, v in b.items()} for b in BLOBS]
    pcr.write(tmp_path / "a", samples(given), record_samples=3, shuffle=False)
    pcr.write(tmp_path / "b", iter(samples()), record_samples=3, shuffle=False)
    with pcr.Writer(tmp_path / "c", record_samples=3, shuffle=False) as writer:
        for s in samples():
            writer.add(s.key, s.data, s.label, s.attributes, blobs=s.blobs)
    for name in "abc":
        assert {p.name: p.read_bytes() for p in ds_files(tmp_path / name)} == before


def ds_files(path):
    from pathlib import Path
    return sorted(p for p in Path(path).iterdir() if not p.name.startswith("."))


def test_same_again(ds, tmp_path):
    pcr.write(tmp_path / "d", samples(), record_samples=3, shuffle=False)
    before = (tmp_path / "d" / "manifest.json").read_bytes()
    assert pcr.write(tmp_path / "d", samples(), record_samples=3,
                     shuffle=False).progress.records_kept == 2
    for change in ({"mask": MASK}, {"audio": b"12345", "mask": MASK + b"1"}, {"new": b""}):
        with pytest.raises(pcr.InvalidError, match="another dataset"):
            pcr.write(tmp_path / "d", samples([change, *BLOBS[1:]]), record_samples=3,
                      shuffle=False)
    assert (tmp_path / "d" / "manifest.json").read_bytes() == before


def test_recode(ds, tmp_path):
    pcr.recode(ds.path, tmp_path / "scans", coding="scans")
    with pcr.open(tmp_path / "scans") as scans:
        assert scans.blobs == ds.blobs
        check(scans)


def test_damage(ds, tmp_path):
    shutil.copytree(ds.path, tmp_path / "d")
    record = tmp_path / "d" / ds.records[0].path
    data = bytearray(record.read_bytes())
    data[ds.records[0].ends[-1] + 5 + 100] ^= 1  # of the first mask
    record.write_bytes(data)
    with pcr.open(tmp_path / "d") as hurt:
        with pytest.raises(pcr.CorruptError, match="the checksum of a blob is wrong"):
            hurt[0].blob("mask")
        assert hurt[0].blob("audio") == b"\0" * 5 and hurt[0].jpeg() == ds[0].jpeg()
        report = hurt.verify()
        assert report.bad_samples == 1 and "blob mask" in str(report.findings[0][1])
    record.write_bytes(data[:-20])
    with pcr.open(tmp_path / "d") as cut:
        with pytest.raises(pcr.TruncatedError):
            cut[2].blob("mask"), cut[0].blob("mask")


def test_what_cannot_be_written(tmp_path):
    for blobs, error in (({"": b"x"}, pcr.InvalidError), ({"a": "text"}, TypeError),
                         ([b"x"], TypeError)):
        with pytest.raises(error, match="'0.jpg'|name is empty"):
            pcr.write(tmp_path / "d", samples([blobs]))

    def fail():
        raise OSError("gone")
    with pytest.raises(OSError, match="gone"):
        pcr.write(tmp_path / "d", samples([{"a": fail}]))
    with pytest.raises(pcr.LimitError, match="blob a"):
        pcr.write(tmp_path / "d", samples([{"a": bytes(len(DATA) + 1)}]),
                  max_sample_nbytes=len(DATA))


def test_reference_reader(ds, monkeypatch):
    import os
    monkeypatch.syspath_prepend(os.path.join(os.environ["PCR_SOURCE_ROOT"], "docs", "reference"))
    pytest.importorskip("zstandard")
    import pcr_reader
    theirs = pcr_reader.Dataset(str(ds.path)).record(0)
    assert theirs.blob(0, "mask") == MASK and set(theirs.blobs[2]) == {"mask"}
