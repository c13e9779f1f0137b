# SPDX-License-Identifier: BSD-2-Clause
"""Damaged JPEGs that are coded as far as they decode, and only if asked for; Pillow's
LOAD_TRUNCATED_IMAGES as control."""

import json

import numpy as np
import pytest
from PIL import ImageFile

import pcr
from images import encode, orientation_exif, picture, pixels_of

PLAIN = encode(picture(1, 120, 90), quality=90)
GRAY = encode(picture(2, 90, 70, 1), quality=85)
PROGRESSIVE = encode(picture(5, 120, 90), quality=90, progressive=True)


def cut(data, share):
    return data[:int(len(data) * share)]


def scan_at(data):
    return data.index(b"\xff\xda") + 14


def with_bytes_lost(data):
    """Where it cannot be mistaken for another picture."""
    for at in range(scan_at(data) + 200, len(data)):
        lost = data[:at] + data[at + 40:]
        try:
            pcr.decode(lost)
        except pcr.CorruptError:
            return lost
    raise AssertionError


def fake_marker(data):
    """A marker that stands for nothing, in the middle of the scan."""
    at = (scan_at(data) + len(data)) // 2
    return data[:at] + b"\xff\x9f" + data[at:]


DAMAGED = {
    "cut-30": cut(PLAIN, 0.3),
    "cut-60": cut(PLAIN, 0.6),
    "cut-95": cut(PLAIN, 0.95),
    "cut-with-end": cut(PLAIN, 0.6) + b"\xff\xd9",
    "cut-and-filled": cut(PLAIN, 0.6) + b"\0" * 300,
    "cut-gray": cut(GRAY, 0.5),
    "bytes-lost": with_bytes_lost(PLAIN),
    "fake-marker": fake_marker(PLAIN),
}


@pytest.fixture
def tolerant(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)


def write(where, samples, **options):
    options.setdefault("on_bad", "salvage")
    return pcr.write(where, samples, shuffle=False, **options)


@pytest.mark.parametrize("coding", ("packed", "scans"))
@pytest.mark.parametrize("name", DAMAGED)
def test_shows_what_pillow_shows(name, coding, tmp_path, tolerant):
    data = DAMAGED[name]
    with pytest.raises(pcr.PcrError) as refused:
        write(tmp_path / "fail", [("a.jpg", data)], on_bad="fail")
    report = write(tmp_path / "out", [("a.jpg", data)], coding=coding)
    assert report.progress.samples_salvaged == 1 and report.progress.samples_bad == 0
    assert not report.bad
    with pcr.open(tmp_path / "out") as ds:
        assert ds[0].coding == coding
        assert np.array_equal(ds[0].decode(), pixels_of(data))
        assert np.array_equal(pixels_of(ds[0].jpeg()), pixels_of(data))
        reason = ds[0].attributes["salvaged"]
        assert reason and reason in str(refused.value)
        assert ds.notes() == [{"index": 0, "key": "a.jpg", "salvaged": reason}]
        assert ds.describe()["salvaged_count"] == 1
        assert ds.verify(deep=True).findings == ()
        for fidelity in range(1, ds.group_count + 1):
            assert ds[0].decode(fidelity).shape == ds[0].decode().shape


@pytest.mark.parametrize("coding", ("packed", "scans"))
@pytest.mark.parametrize("share", (0.5, 0.9))
def test_progressive(share, coding, tmp_path, tolerant):
    """Decoders smooth what is incomplete, each in its own way; the picture is the same."""
    data = cut(PROGRESSIVE, share)
    write(tmp_path / "out", [("a.jpg", data)], coding=coding)
    with pcr.open(tmp_path / "out") as ds:
        got, want = ds[0].decode().astype(int), pixels_of(data).astype(int)
        assert abs(got - want).mean() < 6
        whole = pixels_of(PROGRESSIVE).astype(int)
        assert abs(got - whole).mean() < 12


@pytest.mark.parametrize("coding", ("packed", "scans"))
def test_cut_anywhere(coding, tmp_path):
    """Once there are data of a scan, something is coded."""
    begin = scan_at(PROGRESSIVE)
    cuts = range(21, len(PROGRESSIVE) - 2, 71)
    report = write(tmp_path / "out", [(f"{at}.jpg", PROGRESSIVE[:at]) for at in cuts],
                   record_samples=50, coding=coding)
    skipped = sorted(int(bad.path[:-4]) for bad in report.bad)
    assert skipped == [at for at in cuts if at <= begin]
    assert report.progress.samples_salvaged == sum(at > begin for at in cuts)


def test_what_shows_nothing_is_skipped(tmp_path):
    png = encode(picture(1, 40, 30), "PNG")
    samples = [("good.jpg", PLAIN), ("soi.jpg", b"\xff\xd8\xff"), ("text.jpg", b"<html>"),
               ("no-scan.jpg", PLAIN[:scan_at(PLAIN) - 14]), ("cut.png", cut(png, 0.6)),
               ("no-data.jpg", PLAIN[:scan_at(PLAIN)] + b"\xff\xd9"),
               ("cut.jpg", cut(PLAIN, 0.5))]
    report = write(tmp_path / "out", samples)
    assert {bad.path for bad in report.bad} == {key for key, _ in samples[1:-1]}
    assert (report.progress.samples_done, report.progress.samples_salvaged) == (2, 1)
    with pcr.open(tmp_path / "out") as ds:
        assert [sample.key for sample in ds] == ["good.jpg", "cut.jpg"]
        assert ds[0].attributes is None or "salvaged" not in ds[0].attributes


def test_limits_hold(tmp_path):
    large = encode(picture(1, 64, 48), quality=50)
    at = large.index(b"\xff\xc0") + 5
    bomb = large[:at] + b"\xff\xdc\xff\xdc" + large[at + 4:]
    report = write(tmp_path / "out", [("good.jpg", PLAIN), ("bomb.jpg", bomb)])
    assert report.progress.samples_bad == 1 and report.progress.samples_salvaged == 0


def test_attributes_metadata_and_reduction(tmp_path):
    turned = encode(picture(4, 120, 90), quality=90, exif=orientation_exif(6))
    samples = [pcr.NewSample("a.jpg", cut(turned, 0.7), label=3,
                             attributes={"salvaged": "mine", "x": 2})]
    write(tmp_path / "out", samples)
    with pcr.open(tmp_path / "out") as ds:
        assert sorted(ds[0].attributes) == ["salvaged", "x"]
        assert ds[0].attributes["x"] == 2 and ds[0].attributes["salvaged"] != "mine"
        assert ds[0].label == 3 and ds[0].orientation == 6
    report = write(tmp_path / "small", samples, max_side=60)
    assert report.progress.samples_reduced == 1
    with pcr.open(tmp_path / "small") as ds:
        assert ds[0].size == (45, 60) and "salvaged" in ds[0].attributes


def test_same_from_run_to_run(tmp_path):
    samples = [(f"{name}.jpg", data) for name, data in sorted(DAMAGED.items())]
    samples += [(f"{i}.jpg", encode(picture(i, 60, 50))) for i in range(12)]
    calls = [-100]

    class Stop(Exception):
        pass

    def last():
        calls[0] += 1
        if calls[0] == 2:  # the first is the survey's
            raise Stop
        return PLAIN

    samples.append(("last.jpg", last))

    def contents(where):
        return {path.name: path.read_bytes() for path in sorted(where.iterdir())}

    write(tmp_path / "one", samples, threads=1, record_samples=4)
    write(tmp_path / "many", samples, threads=4, record_samples=4)
    assert contents(tmp_path / "one") == contents(tmp_path / "many")
    # Again: it is finished, and nothing changes.
    before = contents(tmp_path / "one")
    again = write(tmp_path / "one", samples, threads=2, record_samples=4).progress
    assert again.records_kept == again.record_count
    assert again.samples_salvaged == len(DAMAGED)
    assert contents(tmp_path / "one") == before
    # Continued after a stop.
    calls[0] = 0
    with pytest.raises(Stop):
        write(tmp_path / "parts", samples, threads=1, record_samples=4)
    resumed = write(tmp_path / "parts", samples, threads=2, record_samples=4).progress
    assert resumed.records_kept and resumed.samples_salvaged == len(DAMAGED)
    assert contents(tmp_path / "parts") == before
    manifest = json.loads((tmp_path / "parts" / "manifest.json").read_bytes())
    assert manifest["statistics"]["salvaged_count"] == len(DAMAGED)
    assert manifest["schema"]["attributes"]["salvaged"] == "string"


def test_another_policy_is_another_dataset(tmp_path):
    samples = [("a.jpg", PLAIN), ("b.jpg", cut(PLAIN, 0.5))]
    write(tmp_path / "out", samples)
    with pytest.raises(pcr.InvalidError):
        write(tmp_path / "out", samples, on_bad="skip")
