# SPDX-License-Identifier: BSD-2-Clause
"""Conversion with max_side: what becomes smaller, how, and what stays as it is."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

import pcr
from images import encode, orientation_exif, picture, pixels_of

RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
#: A profile's header that says GRAY; long enough to be one.
GRAY_PROFILE = RGB_PROFILE[:16] + b"GRAY" + RGB_PROFILE[20:]


def alpha_png():
    return encode(np.dstack([picture(3, 150, 90), np.full((90, 150), 7, np.uint8)]), "PNG")


def cmyk():
    out = io.BytesIO()
    Image.fromarray(picture(4, 140, 120)).convert("CMYK").save(out, "JPEG", quality=95,
                                                             icc_profile=RGB_PROFILE)
    return out.getvalue()


#: name, file, size of the result at 100 px (None: as it was), profile of the result
CASES = [
    ("wide.jpg", encode(picture(1, 401, 133), quality=95), (100, 33), None),
    ("tall.jpg", encode(picture(2, 60, 300), quality=95), (20, 100), None),
    ("line.png", encode(picture(2, 3000, 2), "PNG"), (100, 1), None),
    ("fits.jpg", encode(picture(5, 100, 80), quality=90, exif=orientation_exif(6)), None,
     None),
    ("fits.png", encode(picture(6, 100, 100), "PNG"), None, None),
    ("alpha.png", alpha_png(), (100, 60), None),
    ("gray.jpg", encode(picture(7, 200, 180, 1), quality=95, icc_profile=GRAY_PROFILE),
     (100, 90), GRAY_PROFILE),
    ("gray.png", encode(picture(8, 180, 200, 1), "PNG"), (90, 100), None),
    ("turned.jpg", encode(picture(9, 300, 150), quality=95, icc_profile=RGB_PROFILE,
                          exif=orientation_exif(6)), (50, 100), RGB_PROFILE),
    ("profile.png", encode(picture(10, 120, 240), "PNG", icc_profile=RGB_PROFILE), (50, 100),
     RGB_PROFILE),
    ("long-profile.jpg", encode(picture(12, 240, 120), quality=95, icc_profile=RGB_PROFILE
                                + bytes(100000)), (100, 50), RGB_PROFILE + bytes(100000)),
    ("cmyk.jpg", cmyk(), (100, 86), None),
    ("progressive.jpg", encode(picture(11, 222, 111), quality=95, progressive=True),
     (100, 50), None),
]


@pytest.fixture(scope="module", params=["packed", "scans"])
def reduced(request, tmp_path_factory):
    where = tmp_path_factory.mktemp("reduced") / "dataset"
    report = pcr.write(where, [(name, data) for name, data, _, _ in CASES], shuffle=False,
                       coding=request.param, max_side=100, quality=95)
    assert report.progress.samples_reduced == len(CASES) - 2
    with pcr.open(where) as opened:
        yield opened


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_reduced(reduced, number):
    name, data, size, profile = CASES[number]
    sample = reduced[number]
    source = pcr.decode(data)
    if size is None:
        np.testing.assert_array_equal(sample.decode(), source)
        return
    assert sample.coding == reduced.describe()["coding"] and sample.size == size
    with Image.open(io.BytesIO(sample.jpeg())) as image:
        assert image.size == size and image.getexif().get(274, 1) == 1
        assert image.mode == ("L" if "gray" in name else "RGB")
        assert image.info.get("icc_profile") == profile
    gray = pcr.decode(data, gray=True)  # colour has half the resolution
    wanted = pcr.resize(gray, size[1], size[0], filter="bicubic").astype(int)
    assert np.mean(np.abs(sample.decode(gray=True) - wanted)) < 3
    wanted = pcr.resize(source, size[1], size[0], filter="bicubic").astype(int)
    assert np.mean(np.abs(sample.decode() - wanted)) < 15


def test_untouched_files_are_lossless(reduced):
    assert reduced[4].coding == "opaque" and reduced[4].read() == CASES[4][1]
    np.testing.assert_array_equal(pixels_of(reduced[3].jpeg()), pixels_of(CASES[3][1]))


def test_it_is_said(reduced, path):
    about = reduced.describe()
    assert (about["max_side"], about["quality"]) == (100, 95)
    assert about["source_nbytes"] == sum(len(case[1]) for case in CASES)
    assert reduced.verify(deep=True).bad_samples == 0
    with pcr.open(path) as plain:
        assert plain.describe()["max_side"] is None is plain.describe()["quality"]


def test_quality_and_repetition(tmp_path):
    samples = [(str(i), encode(picture(i, 160, 120), quality=95)) for i in range(12)]

    def size_of(name, **options):
        pcr.write(tmp_path / name, samples, max_side=64, **options)
        with pcr.open(tmp_path / name) as ds:
            return ds.describe()["total_nbytes"]

    assert size_of("a", quality=30) < size_of("b") == size_of("c", quality=90, threads=1)
    again = pcr.write(tmp_path / "b", samples, max_side=64)
    assert again.progress.records_kept == 1 and again.progress.samples_reduced == 0
    for other in ({}, {"max_side": 65}, {"max_side": 64, "quality": 91}):
        with pytest.raises(pcr.InvalidError, match="another dataset"):
            pcr.write(tmp_path / "b", samples, **other)


def test_damaged_inputs_are_judged_as_ever(tmp_path):
    whole = encode(picture(1, 200, 200), quality=95)
    samples = [("whole", whole), ("cut", whole[:len(whole) // 2]), ("text", b"no image")]
    with pytest.raises(pcr.PcrError, match="cut"):
        pcr.write(tmp_path / "a", samples, max_side=50, shuffle=False)
    report = pcr.write(tmp_path / "b", samples, max_side=50, on_bad="skip")
    assert sorted(bad.path for bad in report.bad) == ["cut", "text"]
    assert report.progress.samples_reduced == 1


@pytest.mark.parametrize("options", [
    {"quality": 90}, {"max_side": 50, "quality": 101}, {"max_side": 70000},
    {"max_side": 0}, {"max_side": 50, "quality": 0}])
def test_refused(tmp_path, options):
    with pytest.raises(pcr.InvalidError):
        pcr.write(tmp_path / "d", [("a", encode(picture(1, 80, 60)))], **options)
