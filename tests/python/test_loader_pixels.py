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


def test_refuses_filters(path):
    with pytest.raises(pcr.InvalidError, match="filter"):
        pcr.Loader(path, filter="box")
