# SPDX-License-Identifier: BSD-2-Clause
"""Exact pictures (pictures="progressive"): JPEGs below full fidelity, the file's pixels at it. The
same files, kept whole and decoded by libpng, are the control."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

import pcr
from images import encode, orientation_exif, picture
from test_pictures import deep, palette
from test_plain_formats import bmp, save
from test_reduce import RGB_PROFILE, alpha_png
from test_tiff import tiff

REFERENCE = str(Path(__file__).parents[2] / "docs" / "reference")


def photo(seed, width, height, channels=3):
    """A picture whose channels have the same details and grain, as photographs have."""
    detail = picture(seed, width, height, 1).astype(float) - 128
    slopes = picture(seed + 100, width, height, 1).astype(float)
    smooth = np.asarray(Image.fromarray(slopes.astype(np.uint8)).reduce(8).resize((width, height)))
    planes = [detail * gain + smooth * share + 60
              for gain, share in ((1, .5), (.9, .4), (.8, .3))][:channels]
    pixels = np.dstack(planes).clip(0, 255).astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def png(pixels, **options):
    """Not compressed, so that any other form is smaller."""
    return encode(pixels, "PNG", compress_level=0, **options)


def turned(orientation):
    return png(photo(6 + orientation, 90, 70), exif=orientation_exif(orientation))


def webp():
    out = io.BytesIO()
    Image.fromarray(photo(20, 120, 90)).save(out, "WebP", lossless=True, quality=0, method=0)
    return out.getvalue()


#: name, file, whether it becomes exact
CASES = [
    ("photo.jpg", encode(picture(1, 120, 90), quality=95), False),
    ("colour.png", png(photo(2, 160, 121), icc_profile=RGB_PROFILE), True),
    ("wide.png", png(photo(3, 301, 40)), True),
    ("gray.png", png(photo(5, 200, 150, 1)), True),
    *((f"turned-{n}.png", turned(n), True) for n in range(2, 9)),
    ("alpha.png", alpha_png(), False),
    ("palette.png", palette(), False),
    ("deep.png", deep(), False),
    ("tiny.png", encode(np.zeros((1, 1, 3), np.uint8), "PNG"), False),
]
EXACT = sum(case[2] for case in CASES)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The control."""
    where = tmp_path_factory.mktemp("whole") / "dataset"
    pcr.write(where, [case[:2] for case in CASES], shuffle=False)
    with pcr.open(where) as ds:
        yield ds


@pytest.fixture(scope="module", params=["packed", "scans", "recoded"])
def exact(request, tmp_path_factory):
    where = tmp_path_factory.mktemp("exact")
    coding = "scans" if request.param == "scans" else "packed"
    report = pcr.write(where / "dataset", [case[:2] for case in CASES], shuffle=False,
                       coding=coding, pictures="progressive")
    assert report.progress.samples_exact == EXACT
    if request.param == "recoded":
        pcr.recode(where / "dataset", where / "scans", coding="scans")
        pcr.recode(where / "scans", where / "recoded", coding="packed")
        with open(where / "dataset" / "all-00000.pcr", "rb") as first:
            with open(where / "recoded" / "all-00000.pcr", "rb") as second:
                assert first.read() == second.read()
    with pcr.open(where / ("recoded" if request.param == "recoded" else "dataset")) as ds:
        yield ds


def test_what_becomes_exact(exact):
    about = exact.describe()
    assert (about["pictures"], about["exact_count"], about["quality"]) == ("progressive", EXACT, 90)
    assert about["encoded_count"] == 0 and about["opaque_count"] == 4
    with open(os.path.join(exact.path, "manifest.json"), encoding="utf-8") as file:
        assert json.load(file)["pictures"] == {"chosen": 3, "exact_count": EXACT, "jpeg_count": 0,
                                              "quality": 90}
    assert exact.verify(deep=True).bad_samples == 0
    for sample, (name, data, _) in zip(exact, CASES):
        assert sample.key == name and sample.source_nbytes == len(data)


@pytest.mark.parametrize("how", [
    {}, {"gray": True}, {"orient": False}, {"planar": True}, {"icc": "srgb"},
    {"background": (9, 99, 199)}, {"threads": 4}, {"identical": True}, {"decoder": "turbo"},
    {"gray": True, "planar": True, "orient": False}], ids=str)
def test_pixels_are_the_files(exact, whole, how):
    for ours, theirs in zip(exact, whole):
        np.testing.assert_array_equal(ours.decode(**how), theirs.decode(**how), ours.key)


def test_windows(exact, whole):
    random = np.random.default_rng(1)
    for ours, theirs in zip(exact, whole):
        width, height = theirs.size
        for _ in range(12):
            x, y = int(random.integers(width)), int(random.integers(height))
            crop = (x, y, int(random.integers(x, width)) + 1, int(random.integers(y, height)) + 1)
            gray = bool(random.integers(2))
            np.testing.assert_array_equal(ours.decode(crop=crop, gray=gray),
                                          theirs.decode(crop=crop, gray=gray), str(crop))


def test_lower_fidelities_are_jpegs(exact):
    for sample, (_, data, becomes) in zip(exact, CASES):
        if not becomes:
            continue
        sizes = [sample.nbytes(g) for g in range(1, exact.group_count + 1)]
        assert sizes == sorted(sizes) and sizes[-2] < sizes[-1] / 1.3 < len(data)
        best = exact.group_count - 1
        with Image.open(io.BytesIO(sample.jpeg(best))) as image:
            pixels = np.asarray(image.convert("RGB"))
            assert image.getexif().get(274, 1) == sample.orientation
        np.testing.assert_array_equal(sample.decode(best, orient=False), pixels)
        source = sample.decode(orient=False)
        assert .5 < np.abs(source.astype(int) - pixels).mean() < 6
        assert sample.read(best, jpeg="baseline")[:3] == b"\xff\xd8\xff"
        half = sample.decode(scale=4, orient=False)  # without the residual
        np.testing.assert_array_equal(half, sample.decode(best, scale=4, orient=False))
        with pytest.raises(pcr.UnsupportedError):
            sample.jpeg()


def test_files_are_new_pngs(exact):
    for sample, (name, data, becomes) in zip(exact, CASES):
        if not becomes:
            continue
        for made in (sample.read(), sample.read(jpeg="baseline")):
            with Image.open(io.BytesIO(made)) as ours, Image.open(io.BytesIO(data)) as theirs:
                assert (ours.format, ours.mode, ours.size) == ("PNG", theirs.mode, theirs.size)
                np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
                assert ours.info.get("icc_profile") == theirs.info.get("icc_profile")
                assert ours.getexif().get(274, 1) == theirs.getexif().get(274, 1), name
        with pytest.raises(pcr.UnsupportedError, match="its pixels are kept, but not its source"):
            sample.original()


def test_export(exact, tmp_path):
    for fidelity, kind in ((None, b"\x89PNG"), (exact.group_count - 1, b"\xff\xd8\xff")):
        pcr.export(exact, tmp_path / str(fidelity), fidelity=fidelity)
        for sample, (name, _, becomes) in zip(exact, CASES):
            data = (tmp_path / str(fidelity) / name).read_bytes()
            assert data == sample.read(fidelity) and (not becomes or data.startswith(kind)), name
    pcr.export(exact, tmp_path / "baseline", jpeg="baseline")
    assert (tmp_path / "baseline" / "wide.png").read_bytes() == exact[2].read()


def test_quality_knows_of_the_residual(exact):
    best = exact.group_count - 1
    for sample, (_, data, becomes) in zip(exact, CASES):
        if not becomes or min(sample.size) < 70:
            continue
        told = [sample.quality(g) for g in range(1, best + 2)]
        assert told == sorted(told) and told[-2] < .9999 and told[-1] == 1
        ours = sample.decode(best, gray=True, orient=False).astype(float)
        theirs = sample.decode(gray=True, orient=False).astype(float)
        h, w = (n // 8 * 8 for n in ours.shape)
        a, b = (p[:h, :w].reshape(h // 8, 8, w // 8, 8).swapaxes(1, 2).reshape(-1, 64)
                for p in (ours, theirs))
        cov = ((a - a.mean(1, keepdims=True)) * (b - b.mean(1, keepdims=True))).mean(1)
        ssim = ((2 * a.mean(1) * b.mean(1) + 6.5025) * (2 * cov + 58.5225) /
                ((a.mean(1) ** 2 + b.mean(1) ** 2 + 6.5025) * (a.var(1) + b.var(1) + 58.5225)))
        assert abs(1 - told[-2] - (1 - ssim.mean())) < .25 * (1 - ssim.mean()) + .001
        assert sample.quality(best, scale=4) >= told[-2]


def test_loaders_deliver_the_same(exact, whole):
    options = {"batch_size": 4, "size": 48, "seed": 3, "shuffle": "none", "flip": .5}
    with pcr.Loader(exact, **options) as ours, pcr.Loader(whole, **options) as theirs:
        count = 0
        for (a, _), (b, _) in zip(ours, theirs):
            np.testing.assert_array_equal(a, b)
            count += len(a)
    assert count == len(CASES)


def test_loaders_at_a_lower_fidelity(exact):
    with pcr.Loader(exact, batch_size=4, size=48, fidelity=2) as loader:
        assert sum(len(images) for images, _ in loader) == len(CASES)
    with pcr.Loader(exact, batch_size=4, raw=True, shuffle="none") as loader:
        files = [bytes(f) for batch in loader for f in batch.files]
    assert [f[:4] == b"\x89PNG" for f in files[1:]] == [True] * (len(CASES) - 1)


def test_the_reference_reads_it(exact, whole):
    sys.path.insert(0, REFERENCE)
    try:
        import pcr_reader
    except ImportError as error:
        pytest.skip(str(error))
    finally:
        sys.path.remove(REFERENCE)
    record = pcr_reader.Record(os.path.join(exact.path, "all-00000.pcr"))
    read = 0
    for i, (name, _, becomes) in enumerate(CASES):
        assert record.is_exact(i) == becomes, name
        if becomes and name in ("wide.png", "gray.png", "turned-3.png"):
            pixels, width, height, channels = record.exact(i)
            wanted = whole[i].decode(orient=False, gray=channels == 1)
            assert wanted.shape[:2] == (height, width) and pixels == wanted.tobytes()
            read += 1
    assert read == 3


def test_a_damaged_residual(tmp_path):
    pcr.write(tmp_path / "d", [CASES[1][:2]], pictures="progressive")
    path = tmp_path / "d" / "all-00000.pcr"
    data = path.read_bytes()
    path.write_bytes(data[:-1000] + bytes([data[-1000] ^ 8]) + data[-999:])
    with pcr.open(tmp_path / "d") as ds:
        with pytest.raises(pcr.CorruptError):
            ds[0].decode()
        lower = ds[0].decode(ds.group_count - 1)
        with pcr.Loader(ds, batch_size=1, size=32, bad_sample="degrade") as loader:
            images, _ = next(iter(loader))
        with pcr.Loader(ds, batch_size=1, size=32, fidelity=ds.group_count - 1) as loader:
            lower_images, _ = next(iter(loader))
        np.testing.assert_array_equal(images, lower_images)
        assert lower.shape == (121, 160, 3)
    with pcr.open(tmp_path / "d", verify=False) as ds:  # the residual's own checks
        try:
            ds[0].decode()
        except pcr.CorruptError as error:
            assert "residual" in str(error)
    path.write_bytes(data[:-1000])
    with pytest.raises(pcr.TruncatedError):
        pcr.open(tmp_path / "d")[0].decode()


def test_repetition_and_choices(tmp_path):
    samples = [case[:2] for case in CASES]
    for _ in range(2):
        report = pcr.write(tmp_path / "d", samples, pictures="progressive:85", record_samples=4)
        assert report.progress.samples_exact == EXACT
    assert report.progress.records_kept == 4
    with pytest.raises(pcr.InvalidError, match="another dataset"):
        pcr.write(tmp_path / "d", samples, pictures="progressive", record_samples=4)
    with pytest.raises(pcr.InvalidError, match="quality"):
        pcr.write(tmp_path / "e", samples, pictures="progressive:85", quality=84)
    for wrong in ("progressive:", "progressive:0", "progressive:101", "progressiv", 5):
        with pytest.raises(pcr.InvalidError, match="pictures"):
            pcr.write(tmp_path / "e", samples, pictures=wrong)


def test_what_takes_more_stays(tmp_path):
    flat = encode(np.full((30, 20, 3), 77, np.uint8), "PNG")
    noise = encode(np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8), "PNG")
    report = pcr.write(tmp_path / "d", [("flat.png", flat), ("noise.png", noise)],
                       pictures="progressive", shuffle=False)
    assert report.progress.samples_exact == 0
    with pcr.open(tmp_path / "d") as ds:
        assert [s.read() for s in ds] == [flat, noise]


def test_a_damaged_file_is_bad(tmp_path):
    data = CASES[1][1]
    with pytest.raises(pcr.TruncatedError, match="cut.png"):
        pcr.write(tmp_path / "d", [("cut.png", data[:len(data) // 2])], pictures="progressive")


def test_lossless_webp(tmp_path):
    try:
        wanted = pcr.decode(webp())
    except pcr.UnsupportedError as error:
        pytest.skip(str(error))
    pcr.write(tmp_path / "d", [("a.webp", webp())], pictures="progressive")
    with pcr.open(tmp_path / "d") as ds:
        np.testing.assert_array_equal(ds[0].decode(), wanted)


def ppm_of_two(pixels):
    return 2 * save(Image.fromarray(pixels), "PPM")


def tiff_of_two(pixels):
    image = Image.fromarray(pixels)
    return save(image, "TIFF", save_all=True, append_images=[image])


def as_bmp_of_32(pixels):
    height, width = pixels.shape[:2]
    padded = np.dstack([pixels[..., ::-1], np.zeros((height, width), np.uint8)])
    return bmp(width, height, 32, [row.tobytes() for row in padded])


def bmp_with_profile(pixels):
    height, width = pixels.shape[:2]
    data = bytearray(bmp(width, height, 24, [row.tobytes() for row in pixels[..., ::-1]],
                         header=124))
    data[70:74] = b"DEBM"
    return bytes(data)


COLOUR, GRAY = photo(31, 121, 90), photo(32, 122, 90, 1)
DEEP = GRAY.astype(np.uint16) * 257
#: format, file, whether it becomes exact
OTHERS = [
    ("bmp", save(Image.fromarray(COLOUR), "BMP"), True),
    ("bmp", save(Image.fromarray(GRAY), "BMP"), True),
    ("bmp", as_bmp_of_32(COLOUR), True),
    ("bmp", save(Image.fromarray(COLOUR).quantize(256), "BMP"), False),
    ("bmp", bmp_with_profile(COLOUR), False),
    ("ppm", save(Image.fromarray(COLOUR), "PPM"), True),
    ("pgm", save(Image.fromarray(GRAY), "PPM"), True),
    ("pgm", b"P5 122 90 254\n" + np.minimum(GRAY, 254).tobytes(), False),
    ("pgm", b"P5 122 90 65535\n" + DEEP.astype(">u2").tobytes(), False),
    ("pgm", b"P2 122 90 255\n" + " ".join(map(str, GRAY.flat)).encode() + b"\n", False),
    ("pbm", save(Image.fromarray(GRAY).convert("1"), "PPM"), False),
    ("ppm", ppm_of_two(COLOUR), False),
    ("gif", save(Image.fromarray(GRAY), "GIF"), False),
]
TIFFS = [
    ("tif", save(Image.fromarray(COLOUR), "TIFF", icc_profile=RGB_PROFILE), True),
    ("tif", save(Image.fromarray(GRAY), "TIFF"), True),
    ("tif", save(Image.fromarray(COLOUR), "TIFF", tiffinfo={274: 6}), True),
    ("tif", save(Image.fromarray(np.dstack([COLOUR, COLOUR[..., 0]])), "TIFF"), False),
    ("tif", save(Image.fromarray(COLOUR).quantize(256), "TIFF"), False),
    ("tif", save(Image.fromarray(DEEP), "TIFF"), False),
    ("tif", save(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"), False),
    ("tif", tiff_of_two(COLOUR), False),
    ("tif", tiff(122, 90, [np.dstack([GRAY, GRAY, GRAY]).tobytes()], bits=8, samples=3,
                 extra=[0, 0]), False),
    ("tif", tiff(122, 90, [GRAY.tobytes()], bits=8, photometric=0), True),
]
if features.check("libtiff"):
    TIFFS += [
        ("tif", save(Image.fromarray(COLOUR), "TIFF", compression="packbits"), True),
        ("tif", save(Image.fromarray(COLOUR), "TIFF", compression="jpeg", quality=100), False),
    ]


@pytest.mark.parametrize("cases", [OTHERS, TIFFS], ids=["others", "tiffs"])
def test_other_formats(tmp_path, cases):
    try:
        pcr.decode(cases[0][1])
    except pcr.UnsupportedError as error:
        pytest.skip(str(error))
    samples = [(f"{i}.{end}", data) for i, (end, data, _) in enumerate(cases)]
    report = pcr.write(tmp_path / "d", samples, shuffle=False, pictures="progressive")
    count = sum(becomes for _, _, becomes in cases)
    assert report.progress.samples_exact == count
    with pcr.open(tmp_path / "d") as ds:
        about = ds.describe()
        assert (about["exact_count"], about["opaque_count"]) == (count, len(cases) - count)
        for sample, (name, data), (_, _, becomes) in zip(ds, samples, cases):
            np.testing.assert_array_equal(sample.decode(), pcr.decode(data), name)
            if not becomes:
                assert sample.read() == data, name
                continue
            with Image.open(io.BytesIO(data)) as source, \
                    Image.open(io.BytesIO(sample.read())) as ours:
                assert (ours.format, ours.mode) == ("PNG", source.mode)
                assert ours.info.get("icc_profile") == source.info.get("icc_profile")
                source.load()  # Pillow turns TIFFs as it reads them
                np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(ours)),
                                              np.asarray(source), name)
            with Image.open(io.BytesIO(sample.jpeg(2))) as lower:
                assert lower.mode == source.mode
            assert sample.nbytes(2) < sample.nbytes() < len(data), name


def test_a_ladder_of_ones_own(tmp_path):
    text = "ladder mine\nscript all\ngroup\nall 0-0 0 0\ngroup\nluma 1-63 0 0\nchroma 1-63 0 0\n"
    for given in (text, text + "group\n"):
        pcr.write(tmp_path / str(len(given)), [CASES[1][:2]], pictures="progressive", ladder=given)
        with pcr.open(tmp_path / str(len(given))) as ds:
            assert ds.describe()["exact_count"] == 1 and ds.group_count == 3
