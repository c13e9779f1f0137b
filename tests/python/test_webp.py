# SPDX-License-Identifier: BSD-2-Clause
"""WebP files: decoded as Pillow decodes them, kept whole in datasets."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, features

import pcr


def can_decode():
    try:
        pcr.decode(webp(np.zeros((1, 1, 3), np.uint8), lossless=True))
        return True
    except pcr.UnsupportedError:
        return False


def webp(pixels, mode=None, **how):
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "WEBP", **how)
    return out.getvalue()


pytestmark = [
    pytest.mark.skipif(not features.check("webp"), reason="Pillow has no WebP"),
    pytest.mark.skipif(features.check("webp") and not can_decode(),
                       reason="this build has no libwebp"),
]


def picture(height=61, width=83, channels=3):
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256, 255 - x], 2)
    noise = rng.integers(-9, 10, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)[..., :channels]


def by_pillow(data, mode="RGB"):
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


@pytest.mark.parametrize("size", [(61, 83), (1, 1), (1, 9), (17, 2), (200, 150)])
@pytest.mark.parametrize("how", [{"lossless": True}, {"quality": 60}, {"quality": 95}])
def test_equals_pillow(size, how):
    data = webp(picture(*size), **how)
    assert np.array_equal(pcr.decode(data), by_pillow(data))
    if how.get("lossless"):
        assert np.array_equal(pcr.decode(data), picture(*size))
    gray = pcr.decode(data, gray=True).squeeze()
    assert np.abs(gray.astype(int) - by_pillow(data, "L").squeeze()).max() <= 1


def test_alpha():
    data = webp(picture(channels=4), "RGBA", lossless=True, exact=True)
    assert np.array_equal(pcr.decode(data), picture())  # dropped
    whole = Image.alpha_composite(Image.new("RGBA", (83, 61), (10, 200, 30)),
                                  Image.open(io.BytesIO(data)))
    laid = pcr.decode(data, background=(10, 200, 30))
    assert np.abs(laid.astype(int) - np.asarray(whole.convert("RGB"))).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_stands_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = webp(picture(), lossless=True, exif=exif.tobytes())
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert np.array_equal(pcr.decode(data), np.asarray(upright))
    assert np.array_equal(pcr.decode(data, orient=False), picture())


def test_profile():
    """One that swaps nothing, and one with other primaries: as from a PNG of the same pixels."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = webp(picture(), lossless=True, icc_profile=srgb)
    assert np.array_equal(pcr.decode(data, icc="srgb"), picture())
    with pytest.warns(pcr.ProfileWarning):
        found = pcr.decode(webp(picture(), lossless=True, icc_profile=profile), icc="srgb")
    assert np.array_equal(found, picture())


def test_damaged_and_animated():
    data = webp(picture(), quality=80)
    for end in 13, 30, len(data) // 2, len(data) - 9:
        with pytest.raises(pcr.PcrError, match="WebP|too short"):
            pcr.decode(data[:end])
    with pytest.raises(pcr.TruncatedError, match="not enough"):
        pcr.decode(data[:len(data) // 2])
    bad = bytearray(data)
    bad[20:40] = bytes(20)
    with pytest.raises(pcr.CorruptError, match="WebP: damaged"):
        pcr.decode(bytes(bad))
    with pytest.raises(pcr.FormatError, match="no image"):
        pcr.decode(b"RIFF\x24\0\0\0WAVEfmt " + bytes(40))
    with pytest.raises(pcr.LimitError, match="max_pixels"):
        pcr.decode(data, max_pixels=1000)
    out = io.BytesIO()
    frames = [Image.fromarray(picture()), Image.fromarray(255 - picture())]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    if Image.open(io.BytesIO(out.getvalue())).n_frames == 2:
        with pytest.raises(pcr.UnsupportedError, match="animation"):
            pcr.decode(out.getvalue())


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(3):
            data = webp(picture(40 + i, 50), quality=90) if i % 2 else webp(
                picture(40 + i, 50), lossless=True)
            (tmp_path / "in" / name / f"{i}.webp").write_bytes(data)
    return tmp_path


def test_dataset(folder):
    """Kept whole, read at any fidelity, loaded, and given back byte for byte."""
    report = pcr.convert(folder / "in", folder / "out")
    assert not report.bad
    with pcr.open(folder / "out") as dataset:
        assert len(dataset) == 6 and dataset.classes == ("a", "b")
        for sample in dataset:
            data = (folder / "in" / sample.key).read_bytes()
            assert sample.size == by_pillow(data).shape[1::-1]
            assert np.array_equal(sample.decode(1), by_pillow(data))
            assert bytes(sample.read()) == data
        with pcr.Loader(dataset, batch_size=6, size=20, transform="stretch",
                        shuffle="none") as loader:
            (batch,) = loader
        for pixels, sample in zip(batch.pixels, dataset):
            assert np.array_equal(pixels, pcr.resize(sample.decode(), 20, 20))


def test_reduced(folder):
    """max_side makes JPEGs of them, too."""
    pcr.convert(folder / "in", folder / "out", max_side=20)
    with pcr.open(folder / "out") as dataset:
        assert all(max(sample.size) == 20 for sample in dataset)
        assert all(bytes(sample.read()[:2]) == b"\xff\xd8" for sample in dataset)
