# SPDX-License-Identifier: BSD-2-Clause
"""What pcr.Loader's pixels are: resizing by Pillow's filters."""

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode, noise

#: (width, height)
SIZES = [(1, 1), (2, 1), (1, 9), (3, 2), (7, 7), (13, 64), (64, 13), (31, 33), (97, 101),
         (300, 5), (5, 300), (255, 257), (701, 389)]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    where = tmp_path_factory.mktemp("odd") / "dataset"
    return where, noise(where, SIZES)


def by_pillow(image, transform, side, resize_px, how):
    """Resizing to a square; or Resize(resize_px) and CenterCrop(side) of torchvision, whose
    roundings these are."""
    if transform == "stretch":
        return image.resize((side, side), how)
    width, height = image.size
    short, long = min(image.size), max(image.size)
    more = int(resize_px * long / short)
    image = image.resize((resize_px, more) if width <= height else (more, resize_px), how)
    left = int(round((image.width - side) / 2.0))
    top = int(round((image.height - side) / 2.0))
    return image.crop((left, top, left + side, top + side))


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("transform", ["stretch", "center_crop"])
@pytest.mark.parametrize("side, resize_px", [(224, 256), (32, 48), (33, 50), (7, 7)])
def test_equals_pillow(odd, transform, name, side, resize_px):
    where, pictures = odd
    options = {"resize_px": resize_px} if transform == "center_crop" else {}
    with pcr.Loader(where, batch_size=len(SIZES), size=side, transform=transform,
                    shuffle="none", filter=name, **options) as loader:
        (batch,) = loader
    for found, picture, size in zip(batch.pixels, pictures, SIZES):
        wanted = np.asarray(by_pillow(Image.fromarray(picture), transform, side, resize_px,
                                      Image.Resampling[name.upper()]))
        off = np.abs(found.astype(int) - wanted)
        assert off.max() <= (name != "nearest"), size


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


def test_masks_beside_images(tmp_path):
    """Two loaders with one seed show the same; masks keep their values through it all."""
    rng = np.random.default_rng(3)
    images, masks = [], []
    for i in range(12):
        mask = np.zeros((60 + i, 90 - i), np.uint8)
        mask[i:40, 20:50 + i] = 7
        mask[30:, 60:] = 200
        noise = rng.integers(0, 20, (*mask.shape, 3), np.uint8)
        images.append(pcr.NewSample(f"{i}", encode(mask[:, :, None] // 2 + noise, "PNG"),
                                    label=i))
        masks.append(pcr.NewSample(f"{i}", encode(mask, "PNG"), label=i))
    pcr.write(tmp_path / "images", images)
    pcr.write(tmp_path / "masks", masks)
    how = {"batch_size": 5, "size": (48, 56), "flip": 0.5, "rotate": 40, "seed": 9}
    angles = []
    with pcr.Loader(tmp_path / "images", **how) as a, \
            pcr.Loader(tmp_path / "masks", gray=True, filter="nearest", fill=255, **how) as b:
        for image, mask in zip([*a, *a], [*b, *b]):
            for name in ("labels", "sizes", "crops", "flips", "angles"):
                np.testing.assert_array_equal(getattr(image, name), getattr(mask, name))
            assert set(np.unique(mask.pixels)) <= {0, 7, 200, 255}
            angles.extend(mask.angles)
            # What the image shows is what the mask says.
            inside = (mask.pixels[..., 0] == 200) & (image.pixels[..., 0] > 60)
            assert inside.sum() >= 0.8 * (mask.pixels == 200).sum()
    assert np.ptp(angles) > 40


def test_turned_by_the_nearest_pixel(odd):
    where, pictures = odd
    with pcr.Loader(where, batch_size=len(SIZES), size=64, transform="stretch", seed=4,
                    shuffle="none", rotate=90, filter="nearest", fill=(1, 2, 3)) as loader:
        (batch,) = loader
    for found, picture, angle, size in zip(batch.pixels, pictures, batch.angles, SIZES):
        plain = Image.fromarray(picture).resize((64, 64), Image.Resampling.NEAREST)
        wanted = np.asarray(plain.rotate(angle, Image.Resampling.NEAREST, fillcolor=(1, 2, 3)))
        assert np.mean(found != wanted) < 0.02, size


def test_numbers_of_numpy(path):
    """Sizes and such may be NumPy's integers, as shapes and arrays give them."""
    def pixels(size, number):
        with pcr.Loader(path, size=size, batch_size=number(48), resize_px=number(40),
                        transform="center_crop", threads=number(2), fill=number(3),
                        mean=np.float32(0.5), dtype="float32", fidelity=number(1)) as loader:
            (batch,) = loader
        return batch.pixels

    plain = pixels((24, 32), int)
    for size in ((np.int64(24), np.uint8(32)), np.array([24, 32])):
        np.testing.assert_array_equal(pixels(size, np.int32), plain)
    assert pixels(np.int64(20), np.uint16).shape == (48, 20, 20, 3)
    for wrong in (24.0, (24,), (24, 32, 3), "24"):
        with pytest.raises((pcr.InvalidError, TypeError)):
            pcr.Loader(path, size=wrong)
    image = np.zeros((9, 8, 3), np.uint8)
    assert pcr.resize(image, np.int64(4), np.uint8(5)).shape == (4, 5, 3)
    data = encode(np.full((32, 48, 3), 90, np.uint8))
    box = tuple(np.array([8, 8, 24, 16]))
    assert pcr.decode(data, scale=np.int64(4), crop=box).shape == (8, 16, 3)
    with pcr.open(path) as ds:
        assert ds[np.int64(3)].decode(np.int8(1)).shape[2] == 3
