# SPDX-License-Identifier: BSD-2-Clause
"""Pictures that are no JPEGs (pictures=), and JPEGs of a given size (target_nbytes=)."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode, orientation_exif, picture
from test_reduce import RGB_PROFILE, alpha_png


def opaque_alpha():
    """An alpha channel that hides nothing."""
    return encode(np.dstack([picture(3, 90, 70), np.full((70, 90), 255, np.uint8)]), "PNG")


def palette():
    out = io.BytesIO()
    Image.fromarray(picture(4, 80, 60)).quantize(64).save(out, "PNG")
    return out.getvalue()


def deep():
    """16 bits a sample."""
    out = io.BytesIO()
    Image.fromarray(np.arange(60 * 80, dtype=np.uint16).reshape(60, 80) * 13).save(out, "PNG")
    return out.getvalue()


#: name, file, whether it becomes a JPEG, its mode
CASES = [
    ("photo.jpg", encode(picture(1, 120, 90), quality=95), False, "RGB"),
    ("colour.png", encode(picture(2, 120, 90), "PNG", icc_profile=RGB_PROFILE), True, "RGB"),
    ("gray.png", encode(picture(5, 64, 50, 1), "PNG"), True, "L"),
    ("turned.png", encode(picture(6, 64, 50), "PNG", exif=orientation_exif(6)), True, "RGB"),
    ("palette.png", palette(), True, "RGB"),
    ("deep.png", deep(), True, "L"),
    ("opaque-alpha.png", opaque_alpha(), True, "RGB"),
    ("alpha.png", alpha_png(), False, "RGB"),
]
JPEGS = sum(case[2] for case in CASES)


@pytest.fixture(scope="module", params=["packed", "scans"])
def mixed(request, tmp_path_factory):
    where = tmp_path_factory.mktemp("pictures") / "dataset"
    report = pcr.write(where, [(name, data) for name, data, _, _ in CASES], shuffle=False,
                       coding=request.param, pictures="jpeg:93")
    assert report.progress.samples_encoded == JPEGS and report.progress.samples_reduced == 0
    with pcr.open(where) as opened:
        yield opened


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_pictures_become_jpegs(mixed, number):
    name, data, becomes, mode = CASES[number]
    sample = mixed[number]
    source = pcr.decode(data)
    if not becomes:
        np.testing.assert_array_equal(sample.decode(), source)
        assert (sample.coding == "opaque") == name.endswith(".png")
        return
    assert sample.coding != "opaque"
    assert sample.size == source.shape[1::-1]
    with Image.open(io.BytesIO(sample.jpeg())) as image:
        assert image.mode == mode and image.getexif().get(274, 1) == 1
        assert image.info.get("icc_profile") == (RGB_PROFILE if name == "colour.png" else None)
    gray = sample.decode(gray=True).astype(int)  # colour has half the resolution
    assert np.mean(np.abs(gray - pcr.decode(data, gray=True))) < 3
    assert sample.decode(1).shape == source.shape  # a fidelity of its own


def test_they_are_counted_and_named(mixed):
    about = mixed.describe()
    assert (about["pictures"], about["encoded_count"], about["quality"]) == ("jpeg", JPEGS, 93)
    assert about["max_side"] is None is about["target_nbytes"]
    assert about["opaque_count"] == 1 and not about["originals"]
    assert about["source_nbytes"] == sum(len(case[1]) for case in CASES)
    with open(os.path.join(mixed.path, "manifest.json"), encoding="utf-8") as file:
        assert json.load(file)["pictures"] == {"chosen": 2, "exact_count": 0, "jpeg_count": JPEGS,
                                              "quality": 93}
    assert {note["key"]: note["encoded"] for note in mixed.notes()} == {
        name: "PNG" for name, _, becomes, _ in CASES if becomes}
    assert mixed.verify(deep=True).bad_samples == 0


def test_recoding_keeps_the_counts(mixed, tmp_path):
    other = {"packed": "scans", "scans": "packed"}[mixed.describe()["coding"]]
    for _ in range(2):  # the second time there is nothing to do
        pcr.recode(mixed.path, tmp_path / "recoded", coding=other)
        with pcr.open(tmp_path / "recoded") as ds:
            about = ds.describe()
            assert (about["pictures"], about["encoded_count"], about["quality"]) == ("jpeg", JPEGS,
                                                                                     93)


def test_by_default_they_stay(tmp_path):
    pcr.write(tmp_path / "d", [(name, data) for name, data, _, _ in CASES], shuffle=False)
    with pcr.open(tmp_path / "d") as ds:
        about = ds.describe()
        assert (about["pictures"], about["encoded_count"], about["quality"]) == ("opaque", 0, None)
        assert about["opaque_count"] == len(CASES) - 1
        assert [sample.read() for sample in ds][1:] == [case[1] for case in CASES][1:]
    with open(tmp_path / "d" / "manifest.json", encoding="utf-8") as file:
        assert "pictures" not in json.load(file)


def test_repetition(tmp_path):
    samples = [(name, data) for name, data, _, _ in CASES]
    pcr.write(tmp_path / "d", samples, pictures="jpeg:80", record_samples=3)
    again = pcr.write(tmp_path / "d", samples, pictures="jpeg:80", record_samples=3)
    assert again.progress.records_kept == 3 and again.progress.samples_encoded == JPEGS
    for other in ({}, {"pictures": "jpeg:81"}, {"pictures": "jpeg:80", "target_nbytes": 1 << 20}):
        with pytest.raises(pcr.InvalidError, match="another dataset"):
            pcr.write(tmp_path / "d", samples, record_samples=3, **other)


def test_a_damaged_picture_is_bad(tmp_path):
    data = CASES[1][1]
    with pytest.raises(pcr.TruncatedError, match="cut.png"):
        pcr.write(tmp_path / "d", [("cut.png", data[:len(data) // 2])], pictures="jpeg:90")


def test_a_picture_wider_than_jpegs_stays(tmp_path):
    wide = encode(np.zeros((1, 65501), np.uint8), "PNG")
    pcr.write(tmp_path / "d", [("wide.png", wide)], pictures="jpeg:90")
    with pcr.open(tmp_path / "d") as ds:
        assert ds[0].read() == wide and ds.describe()["encoded_count"] == 0


LIMIT = 4000


def test_no_file_is_larger_than_asked_for(tmp_path):
    samples = [(f"{i}.jpg", encode(picture(i, 160 + i, 120), quality=95)) for i in range(6)]
    samples += [("colour.png", CASES[1][1]), ("small.jpg", encode(picture(9, 32, 32), quality=95)),
                ("small.png", encode(picture(9, 20, 20), "PNG"))]
    small = [data for _, data in samples if len(data) <= LIMIT]
    assert len(small) == 2
    report = pcr.write(tmp_path / "d", samples, target_nbytes=LIMIT, coding="scans", shuffle=False)
    assert report.progress.samples_reduced == 7 and report.progress.samples_encoded == 1
    with pcr.open(tmp_path / "d") as ds:
        about = ds.describe()
        assert (about["target_nbytes"], about["quality"], about["opaque_count"]) == (LIMIT, 90, 1)
        for sample, (name, data) in zip(ds, samples):
            made = sample.read()
            assert len(made) <= LIMIT or data in small
            difference = np.abs(sample.decode(gray=True).astype(int) - pcr.decode(data, gray=True))
            assert np.mean(difference) < (0.5 if data in small else 20), name
            if data in small:
                np.testing.assert_array_equal(sample.decode(), pcr.decode(data))


def quality_of(jpeg):
    """By libjpeg's first step of luma in the standard's table, 16."""
    with Image.open(io.BytesIO(jpeg)) as image:
        return image.quantization[0]


def test_it_is_the_highest_quality(tmp_path):
    data = encode(picture(3, 300, 200), "PNG")
    tables, sizes = [], []
    for q in range(1, 101):
        out = io.BytesIO()
        Image.fromarray(pcr.decode(data)).save(out, "JPEG", quality=q, subsampling=2)
        sizes.append(len(out.getvalue()))
        tables.append(quality_of(out.getvalue()))
    for limit in (sizes[0], sizes[49], sizes[49] - 1, sizes[79] + 1):
        pcr.write(tmp_path / str(limit), [("a", data)], target_nbytes=limit)
        with pcr.open(tmp_path / str(limit)) as ds:
            made = tables.index(quality_of(ds[0].jpeg()))
        best = max(q for q in range(100) if sizes[q] <= limit)
        assert made == best


def test_too_few_bytes_are_an_error(tmp_path):
    samples = [("a.png", CASES[1][1]), ("b.jpg", CASES[0][1])]
    with pytest.raises(pcr.LimitError, match="in quality 1, more than 300"):
        pcr.write(tmp_path / "a", samples, target_nbytes=300)
    report = pcr.write(tmp_path / "b", samples + [("c", encode(picture(1, 8, 8)))],
                       target_nbytes=700, on_bad="skip")
    assert {bad.path for bad in report.bad} <= {"a.png", "b.jpg"} and report.bad
    kept = pcr.write(tmp_path / "c", samples, target_nbytes=300, on_bad="opaque")
    assert kept.progress.samples_bad == 0
    with pcr.open(tmp_path / "c") as ds:
        assert ds.describe()["opaque_count"] == 2


def test_with_a_smaller_size(tmp_path):
    pcr.write(tmp_path / "d", [("a.png", CASES[1][1])], target_nbytes=1500, max_side=60,
              pictures="jpeg:95")
    with pcr.open(tmp_path / "d") as ds:
        assert ds[0].size == (60, 45) and len(ds[0].jpeg()) <= 1600  # progressive
        assert ds.describe()["max_side"] == 60


@pytest.mark.parametrize("options", [
    {"pictures": "jpeg"}, {"pictures": "jpeg:0"}, {"pictures": "jpeg:101"}, {"pictures": "png"},
    {"pictures": "jpeg:9x"}, {"pictures": None}, {"pictures": 90},
    {"pictures": "jpeg:90", "quality": 80}, {"pictures": "opaque", "quality": 80},
    {"pictures": "jpeg:90", "keep_originals": True}, {"target_nbytes": 0}, {"target_nbytes": -1},
    {"target_nbytes": 1 << 32}, {"target_nbytes": 1000, "keep_originals": True}])
def test_refused(tmp_path, options):
    with pytest.raises(pcr.InvalidError):
        pcr.write(tmp_path / "d", [("a", CASES[0][1])], **options)
