# SPDX-License-Identifier: BSD-2-Clause
"""Boxes against torchvision's transforms of boxes (v2) with the parameters that were drawn here."""

import itertools
import math

import numpy as np
import pytest

import pcr
from images import encode

torch = pytest.importorskip("torch")
tv_tensors = pytest.importorskip("torchvision.tv_tensors")
v2 = pytest.importorskip("torchvision.transforms.v2")
F = v2.functional

SIZES = [(160, 120), (90, 200), (128, 128), (301, 77), (64, 48), (63, 131)]
SHARES = np.array([[0.1, 0.2, 0.4, 0.5], [0.3, 0.3, 0.9, 0.8], [0.6, 0.05, 0.7, 0.95],
                   [0.4, 0.4, 0.6, 0.61]])


def stored(i):
    width, height = SIZES[i]
    return np.round(SHARES * [width, height, width, height], 1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    where = tmp_path_factory.mktemp("boxes") / "dataset"
    pcr.write(where, [(f"{i}.png", encode(np.zeros((height, width), np.uint8), "PNG"), i,
                       {"boxes": stored(i).tolist(), "names": list("abcd")})
                      for i, (width, height) in enumerate(SIZES)], shuffle=False)
    return where


def boxes_of(i):
    width, height = SIZES[i]
    return tv_tensors.BoundingBoxes(torch.tensor(stored(i), dtype=torch.float64), format="XYXY",
                                    canvas_size=(height, width))


def crop(boxes, batch, n, size):
    x0, y0, x1, y1 = (int(x) for x in batch.crops[n])
    assert [x0, y0, x1, y1] == batch.crops[n].tolist()
    return F.resized_crop(boxes, y0, x0, y1 - y0, x1 - x0, list(size))


def center(boxes, batch, n, size):
    return F.center_crop(F.resize(boxes, [70]), list(size))


def stretch(boxes, batch, n, size):
    return F.resize(boxes, list(size))


def letterbox(boxes, batch, n, size):
    height, width = boxes.canvas_size
    part = min(size[0] / height, size[1] / width)
    inner = [max(round(height * part), 1), max(round(width * part), 1)]
    top, left = (round((a - b) * 0.5) for a, b in zip(size, inner))
    # ImageOps.pad() is of the picture as it is flipped.
    flipped = F.horizontal_flip(boxes) if batch.flips[n] else boxes
    padded = F.pad(F.resize(flipped, inner),
                   [left, top, size[1] - inner[1] - left, size[0] - inner[0] - top])
    return F.horizontal_flip(padded) if batch.flips[n] else padded


def shorter(boxes, batch, n, size):
    return F.resize(boxes, [50], max_size=120)


WAYS = {
    "crop": (crop, {"size": (48, 80), "area": (0.2, 1)}),
    "center": (center, {"size": 64, "transform": "center_crop", "resize_px": 70}),
    "stretch": (stretch, {"size": (30, 90), "transform": "stretch", "flip_down": 0.5}),
    "letterbox": (letterbox, {"size": (96, 64), "transform": "letterbox"}),
    "resize": (shorter, {"transform": "resize", "resize_px": 50, "longest_px": 120}),
    "quarters": (stretch, {"size": 64, "transform": "stretch", "turn": 0.8, "flip_down": 0.5}),
    "rotation": (stretch, {"size": (80, 64), "transform": "stretch", "rotate": 40}),
}


@pytest.mark.parametrize("way", WAYS)
def test_equals_torchvision(path, way):
    to_size, how = WAYS[way]
    seen = left_out = 0
    size = how.get("size")
    size = size if isinstance(size, tuple) else (size, size)
    with pcr.Loader(path, batch_size=4, flip=0.5, seed=4, boxes="boxes", with_boxes=["names"],
                    box_min_size=3, **how) as loader:
        for batch in itertools.chain(*[loader] * 6):
            for n, i in enumerate(batch.indices):
                boxes = to_size(boxes_of(i), batch, n, size)
                if batch.flips[n]:
                    boxes = F.horizontal_flip(boxes)
                if batch.angles[n]:
                    boxes = F.rotate(boxes, float(batch.angles[n]))
                boxes = F.clamp_bounding_boxes(boxes)
                kept, names = F.sanitize_bounding_boxes(boxes, min_size=3)
                assert tuple(batch.shapes[n]) == tuple(boxes.canvas_size)
                assert batch.box_index[n].tolist() == torch.where(names)[0].tolist()
                np.testing.assert_allclose(batch.boxes[n], kept.numpy(), atol=2e-3)
                seen += len(kept)
                left_out += len(boxes) - len(kept)
    assert seen > 100
    assert left_out > 10 or way != "crop"


def test_randaugment_equals_torchvision(path):
    """The affine maps of RandAugment's operations move boxes as torchvision's affine() does."""
    seen = set()
    with pcr.Loader(path, size=(80, 64), transform="stretch", batch_size=3, boxes="boxes", seed=6,
                    box_min_size=1e-6, randaugment=(1, 17), geometric_only=True) as loader:
        for batch in itertools.chain(*[loader] * 16):
            for n, i in enumerate(batch.indices):
                width, height = SIZES[i]
                back = np.diag([width / 64, height / 80, 1])
                one = np.vstack([batch.affines[n], [0, 0, 1]]) @ back  # the operation by itself
                angle = -math.degrees(math.atan2(one[1, 0], one[0, 0]))
                whole = F.resize(boxes_of(i), [80, 64])
                if abs(one[0, 0] - 1) > 1e-9:
                    kind, wanted = "Rotate", F.rotate(whole, angle)
                elif abs(one[0, 1]) > 1e-9:
                    kind, wanted = "ShearX", F.affine(
                        whole, 0, [0, 0], 1, [math.degrees(math.atan(-one[0, 1])), 0],
                        center=[0, 0])
                elif abs(one[1, 0]) > 1e-9:
                    kind, wanted = "ShearY", F.affine(
                        whole, 0, [0, 0], 1, [0, math.degrees(math.atan(-one[1, 0]))],
                        center=[0, 0])
                else:
                    kind = "Translate" if np.abs(one[:2, 2]).max() > 1e-9 else "Identity"
                    wanted = F.affine(whole, 0, one[:2, 2].round().astype(int).tolist(), 1, [0, 0])
                kept, which = F.sanitize_bounding_boxes(F.clamp_bounding_boxes(wanted),
                                                        min_size=1e-6)
                assert batch.box_index[n].tolist() == torch.where(which)[0].tolist(), kind
                np.testing.assert_allclose(batch.boxes[n], kept.numpy(), atol=2e-3, err_msg=kind)
                seen.add(kind)
    assert seen == {"Identity", "ShearX", "ShearY", "Translate", "Rotate"}
