# SPDX-License-Identifier: BSD-2-Clause
"""What pcr.Loader's pixels are: resizing by Pillow's filters."""

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode

#: (width, height)
SIZES = [(1, 1), (2, 1), (1, 9), (3, 2), (7, 7), (13, 64), (64, 13), (31, 33), (97, 101),
         (300, 5), (5, 300), (255, 257), (701, 389)]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A dataset of PNG files, whose pixels are exact, and these pixels."""
    where = tmp_path_factory.mktemp("odd") / "dataset"
    rng = np.random.default_rng(5)
    pictures = [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in SIZES]
    pcr.write(where, [(f"{i}.png", encode(pixels, "PNG")) for i, pixels
                      in enumerate(pictures)], shuffle=False)
    return where, pictures


def window(transform, width, height, side, resize_px):
    """The window that is shown, of float coordinates."""
    if transform == "stretch":
        return (0, 0, width, height)
    part = min(width, height) / resize_px * side
    left, top = (width - part) / 2, (height - part) / 2
    return (left, top, left + part, top + part)


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("transform", ["stretch", "center_crop"])
@pytest.mark.parametrize("side, resize_px", [(224, 256), (32, 48), (7, 7)])
def test_equals_pillow(odd, transform, name, side, resize_px):
    where, pictures = odd
    options = {"resize_px": resize_px} if transform == "center_crop" else {}
    with pcr.Loader(where, batch_size=len(SIZES), size=side, transform=transform,
                    shuffle="none", filter=name, **options) as loader:
        (batch,) = loader
    for found, picture, size in zip(batch.pixels, pictures, SIZES):
        box = window(transform, *size, side, resize_px)
        wanted = np.asarray(Image.fromarray(picture).resize(
            (side, side), Image.Resampling[name.upper()], box=box, reducing_gap=None))
        off = np.abs(found.astype(int) - wanted)
        if name == "nearest":  # at a border between pixels, rounding decides
            assert np.mean(off > 0) < 0.02, size
        else:
            assert off.max() <= 1, size


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_crops_tell_what_is_shown(odd, layout):
    """From the originals, each batch's pixels can be made again."""
    where, pictures = odd
    flips = set()
    with pcr.Loader(where, batch_size=4, size=(24, 32), flip=0.5, layout=layout,
                    seed=3) as loader:
        for _ in range(3):
            for batch in loader:
                rows = zip(batch.pixels, batch.indices, batch.sizes, batch.crops, batch.flips)
                for found, i, size, crop, flip in rows:
                    assert tuple(size) == pictures[i].shape[:2]
                    wanted = Image.fromarray(pictures[i]).resize(
                        (32, 24), Image.Resampling.BILINEAR, box=tuple(map(float, crop)))
                    wanted = np.asarray(wanted)[:, ::-1 if flip else 1].astype(int)
                    found = found.transpose(1, 2, 0) if layout == "NCHW" else found
                    assert np.abs(found - wanted).max() <= 1
                flips.update(batch.flips.tolist())
                assert not batch.angles.any()
    assert flips == {False, True}


def test_crops_of_turned_pictures(odd):
    where, pictures = odd
    with pcr.Loader(where, batch_size=len(SIZES), size=64, transform="stretch",
                    shuffle="none", rotate=30) as loader:
        (batch,) = loader
    assert np.abs(batch.angles).max() <= 30 < 2 * np.ptp(batch.angles)
    plain = [Image.fromarray(p).resize((64, 64), Image.Resampling.BILINEAR) for p in pictures]
    for found, picture, angle, size in zip(batch.pixels, plain, batch.angles, SIZES):
        wanted = np.asarray(picture.rotate(angle, Image.Resampling.BILINEAR)).astype(int)
        assert np.mean(np.abs(found - wanted) > 2) < 0.01, size


def test_refuses_filters(path):
    with pytest.raises(pcr.InvalidError, match="filter"):
        pcr.Loader(path, filter="box")


def batch_of(where, **options):
    with pcr.Loader(where, batch_size=100, size=(45, 60), transform="stretch",
                    shuffle="none", **options) as loader:
        (batch,) = loader
    return batch.pixels.astype(int)


def fit(found, plain, offset):
    """The factor by which pixels were multiplied, of those that were not cut off."""
    inside = (found > 0) & (found < 255)
    plain = plain - offset
    return float(np.sum((found - offset)[inside] * plain[inside]) / np.sum(plain[inside] ** 2))


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_brightness_and_contrast(path, layout):
    plain = batch_of(path, layout=layout)
    gray = batch_of(path, layout=layout, gray=True)
    for jitter in ((0.5, 0, 0, 0), (0, 0.5, 0, 0)):
        factors = []
        changed = batch_of(path, layout=layout, jitter=jitter)
        for found, source, luma in zip(changed, plain, gray):
            level = np.mean(luma) if jitter[1] else 0.0
            factors.append(fit(found, source, level))
            wanted = np.clip(factors[-1] * source + (1 - factors[-1]) * level, 0, 255)
            assert np.abs(found - wanted).max() <= 1.6
        assert 0.5 <= min(factors) < 0.65 and 1.35 < max(factors) <= 1.5


def test_hue_keeps_value_and_chroma(path):
    plain, turned = batch_of(path), batch_of(path, jitter=(0, 0, 0, 0.5))
    assert np.abs(plain.max(3) - turned.max(3)).max() <= 1
    assert np.abs(plain.min(3) - turned.min(3)).max() <= 1
    assert np.mean(np.abs(plain - turned)) > 5


def test_saturation_keeps_luma(path):
    plain, changed = batch_of(path), batch_of(path, jitter=(0, 0, 0.8, 0))
    weights = np.array([0.299, 0.587, 0.114])
    inside = ((changed > 0) & (changed < 255)).all(3)
    assert np.abs((plain @ weights - changed @ weights)[inside]).max() <= 2.5
    assert np.mean(np.abs(plain - changed)) > 1


@pytest.mark.parametrize("options", [{}, {"layout": "NCHW"}, {"gray": True}])
def test_rotation_is_pillows(path, options):
    fill = 9 if options.get("gray") else (9, 99, 199)
    plain = batch_of(path, **options)[:4].astype(np.uint8)
    turned = batch_of(path, rotate=20, fill=fill, **options)[:4]
    for source, found in zip(plain, turned):
        if "layout" in options:
            source, found = np.moveaxis(source, 0, 2), np.moveaxis(found, 0, 2)
        image, found = Image.fromarray(np.squeeze(source)), np.squeeze(found)
        off = [np.mean(np.abs(found - np.asarray(image.rotate(
            angle, Image.Resampling.BILINEAR, fillcolor=fill)).astype(int)))
            for angle in np.arange(-20, 20.01, 0.1)]
        assert min(off) < 1.5 < sorted(off)[20]  # Pillow cuts fractions off


CHANGES = {"jitter": (0.4, 0.4, 0.4, 0.2), "rotate": 15.0, "fill": 128, "flip": 0.5}


def test_changes_do_not_depend_on_threads(path):
    found = []
    for threads, batch_size, shuffle in ((1, 7, "none"), (3, 48, "full"), (2, 5, "block")):
        with pcr.Loader(path, batch_size=batch_size, size=24, threads=threads, seed=4,
                        shuffle=shuffle, **CHANGES) as loader:
            loader.set_epoch(2)
            found.append({int(i): pixels.copy() for batch in loader
                          for i, pixels in zip(batch.indices, batch.pixels)})
            again = {int(i): pixels.copy() for batch in loader
                     for i, pixels in zip(batch.indices, batch.pixels)}
    assert len(found[0]) == 48
    for other in found[1:]:
        for i, pixels in found[0].items():
            np.testing.assert_array_equal(pixels, other[i])
    assert sum(np.array_equal(again[i], found[0][i]) for i in again) < 3  # another epoch


@pytest.mark.parametrize("options", [
    {"jitter": (0.1, 0.1)}, {"jitter": (3, 0, 0, 0)}, {"jitter": (0, 0, 0, 0.6)},
    {"jitter": (-1, 0, 0, 0)}, {"rotate": -1}, {"rotate": 181}, {"fill": 256},
    {"fill": (1, 2)}, {"fill": (1, 2, 3), "gray": True}])
def test_refuses_changes(path, options):
    with pytest.raises(pcr.InvalidError):
        pcr.Loader(path, **options)
