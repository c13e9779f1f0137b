# SPDX-License-Identifier: BSD-2-Clause
"""Boxes that follow the pictures of a loader."""

import itertools
import math

import numpy as np
import pytest

import pcr
from images import encode, orientation_exif

SIZES = [(160, 120), (90, 200), (128, 128), (301, 77), (64, 48)]
SHARES = np.array([[0.1, 0.2, 0.4, 0.5], [0.3, 0.3, 0.9, 0.8], [0.6, 0.05, 0.7, 0.95]])


def lists(i):
    """A sample's boxes, and what goes with them: 0 to 3 of each."""
    width, height = SIZES[i]
    count = (3, 0, 1, 2, 3)[i]
    return {"boxes": np.round(SHARES[:count] * [width, height, width, height]).tolist(),
            "names": [f"{i}-{k}" for k in range(count)], "areas": [float(k) for k in range(count)]}


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    """Black pictures; each has one white box, its first. The last has neither, without lists."""
    where = tmp_path_factory.mktemp("boxes") / "dataset"
    samples = []
    for i, (width, height) in enumerate(SIZES):
        pixels = np.zeros((height, width), np.uint8)
        for x0, y0, x1, y1 in lists(i)["boxes"][:1]:
            pixels[int(y0):int(y1), int(x0):int(x1)] = 255
        samples.append((f"{i}.png", encode(pixels, "PNG"), i, lists(i)))
    samples.append(("none.png", encode(np.zeros((40, 50), np.uint8), "PNG"), 5, {"names": None}))
    pcr.write(where, samples, shuffle=False)
    with pcr.open(where) as found:
        yield found


def moved(box, crop, flip, degrees, size, turned=False):
    """A box's place, by each of its corners. size: (height, width) after the turn, which has
    changed their places if `turned`."""
    height, width = size[::-1] if turned else size
    corners = []
    for x in box[0], box[2]:
        for y in box[1], box[3]:
            u = (x - crop[0]) * width / (crop[2] - crop[0])
            v = (y - crop[1]) * height / (crop[3] - crop[1])
            u = width - u if flip else u
            away, at = math.hypot(u - width / 2, v - height / 2), math.atan2(
                height / 2 - v, u - width / 2) + math.radians(degrees)
            corners.append((size[1] / 2 + away * math.cos(at), size[0] / 2 - away * math.sin(at)))
    xs, ys = zip(*corners)
    return [min(xs), min(ys), max(xs), max(ys)]


HOW = {
    "crop": {"size": (48, 80), "flip": 0.5, "area": (0.2, 1)},
    "center": {"size": 64, "transform": "center_crop"},
    "stretch": {"size": (30, 90), "transform": "stretch", "flip": 0.5, "flip_down": 0.5},
    "letterbox": {"size": (96, 64), "transform": "letterbox", "flip": 0.5},
    "turns": {"size": 64, "flip": 0.5, "flip_down": 0.5, "turn": 0.9},
    "rotate": {"size": (80, 64), "transform": "letterbox", "flip": 0.5, "rotate": 40},
    "resize": {"transform": "resize", "resize_px": 50, "longest_px": 90, "flip": 0.5, "turn": 0.6},
    "ragged": {"transform": "none", "ragged": True, "flip_down": 0.5, "turn": 0.6, "flip": 0.5},
    "rectangle": {"size": 96, "transform": "letterbox", "multiple": 32, "flip": 0.5, "turn": 0.5},
    "own size": {"transform": "none", "turn": 0.5, "rotate": 30, "flip": 0.5},
    "all": {"size": 72, "turn": 0.5, "rotate": 15, "flip": 0.5, "area": (0.3, 1)},
}


def test_follow_randaugment(ds):
    """A box is around where the affine map takes its corners, and the white one is white there."""
    seen = 0
    with pcr.Loader(ds, size=96, batch_size=3, transform="stretch", boxes="boxes", seed=2,
                    randaugment=(1, 20), geometric_only=True, flip=0.5) as loader:
        for batch in itertools.chain(*[loader] * 8):
            for n, i in enumerate(batch.indices):
                for box, k in zip(batch.boxes[n], batch.box_index[n]):
                    x0, y0, x1, y1 = lists(i)["boxes"][k]
                    found = batch.affines[n] @ [[x0, x1, x0, x1], [y0, y0, y1, y1], [1] * 4]
                    whole = np.concatenate([found.min(1), found.max(1)])
                    np.testing.assert_allclose(box, np.clip(whole, 0, 96), atol=1e-4)
                    middle = found.mean(1)
                    if not k and 3 < middle.min() and middle.max() < 93:
                        assert batch.pixels[n][int(middle[1]), int(middle[0])].min() > 200
                        seen += 1
    assert seen > 20


@pytest.mark.parametrize("how", HOW.values(), ids=list(HOW))
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_equal_a_plain_reference(ds, how, layout):
    seen = dropped = 0
    with pcr.Loader(ds, batch_size=4, boxes="boxes", with_boxes=["names", "areas"], box_min_size=2,
                    box_min_part=0.25, seed=4, layout=layout, **how) as loader:
        batches = [batch for _ in range(6) for batch in loader]
    for batch in batches:
        assert len(batch.boxes) == len(batch.labels)
        for n, i in enumerate(batch.indices):
            size, turned = batch.shapes[n].tolist(), batch.quarters[n] % 2
            stored = lists(i) if i < len(SIZES) else {"boxes": [], "names": [], "areas": []}
            wanted, index = [], []
            for k, box in enumerate(stored["boxes"]):
                whole = moved(box, batch.crops[n], batch.flips[n], batch.angles[n], size,
                              turned)
                x0, y0, x1, y1 = np.clip(whole, 0, [size[1], size[0]] * 2)
                part = (x1 - x0) * (y1 - y0) / ((whole[2] - whole[0]) * (whole[3] - whole[1]))
                if x1 - x0 >= 2 and y1 - y0 >= 2 and part >= 0.25:
                    wanted.append([x0, y0, x1, y1])
                    index.append(k)
            found = batch.boxes[n]
            assert found.dtype == np.float32 and found.shape == (len(wanted), 4)
            np.testing.assert_allclose(found, np.reshape(wanted, (-1, 4)), atol=1e-4)
            assert batch.box_index[n].tolist() == index
            assert batch.box_columns["names"][n].tolist() == [stored["names"][k] for k in index]
            assert batch.box_columns["areas"][n].tolist() == [stored["areas"][k] for k in index]
            seen += len(index)
            dropped += len(stored["boxes"]) - len(index)
    assert seen and (dropped or "area" not in how)


@pytest.mark.parametrize("how", HOW.values(), ids=list(HOW))
def test_are_where_pixels_are(ds, how):
    """The white box of a picture is where its moved box says, or, turned by another than a right
    angle, within it and at its edges."""
    seen = 0
    with pcr.Loader(ds, batch_size=6, boxes="boxes", gray=True, seed=1, **how) as loader:
        for batch in (batch for _ in range(4) for batch in loader):
            for pixels, boxes, index in zip(batch.pixels, batch.boxes, batch.box_index):
                if 0 not in index:
                    continue
                y, x = np.nonzero(pixels[..., 0] >= 128)
                if not len(x):
                    continue
                white = [x.min(), y.min(), x.max() + 1, y.max() + 1]
                if "rotate" not in how:
                    np.testing.assert_allclose(white, boxes[0], atol=1)
                else:
                    assert (white[:2] >= boxes[0][:2] - 1).all()
                    assert (white[2:] <= boxes[0][2:] + 1).all()
                seen += 1
    assert seen > 8


def test_right_angles_are_exact(tmp_path):
    """Also a box that is just large enough stays."""
    pcr.write(tmp_path / "d", [("a", encode(np.zeros((126, 126), np.uint8), "PNG"), None,
                                {"boxes": [[3, 0, 20, 30], [0, 62, 1, 63]]})])
    found = set()
    with pcr.Loader(tmp_path / "d", split="all", size=126, transform="stretch", turn=0.9, flip=0.5,
                    boxes="boxes") as loader:
        for batch in (batch for _ in range(40) for batch in loader):
            found.add(tuple(batch.boxes[0][0].tolist()))
            assert batch.box_index[0].tolist() == [0, 1]
    assert found == {(3, 0, 20, 30), (106, 0, 123, 30), (3, 96, 20, 126), (106, 96, 123, 126),
                     (0, 3, 30, 20), (96, 3, 126, 20), (0, 106, 30, 123), (96, 106, 126, 123)}


def test_as_pictures_lie(tmp_path):
    """Upright, and with orient=False as stored."""
    from io import BytesIO
    from PIL import Image
    out = BytesIO()
    Image.new("L", (40, 20)).save(out, "JPEG", exif=orientation_exif(6).tobytes())
    pcr.write(tmp_path / "d", [("a", out.getvalue(), None, {"boxes": [[2, 3, 12, 13]]})])
    for orient, size in ((True, (40, 20)), (False, (20, 40))):
        with pcr.Loader(tmp_path / "d", split="all", size=size, transform="stretch", orient=orient,
                        boxes="boxes") as loader:
            batch = next(iter(loader))
            assert tuple(batch.sizes[0]) == size
            assert batch.boxes[0].tolist() == [[2, 3, 12, 13]]


def test_views_have_their_own(ds):
    views = [pcr.View(32, transform="stretch"), pcr.View((20, 24), transform="letterbox", flip=1)]
    with pcr.Loader(ds, batch_size=6, views=views, boxes="boxes", with_boxes=("names",),
                    shuffle=False) as loader:
        batch = next(iter(loader))
    for view, size in zip(batch.views, ((32, 32), (20, 24))):
        for n in range(5):
            wanted = [moved(box, view.crops[n], view.flips[n], 0, size)
                      for box in lists(n)["boxes"]]
            keep = view.box_index[n]
            assert view.box_columns["names"][n].tolist() == [lists(n)["names"][k] for k in keep]
            np.testing.assert_allclose(view.boxes[n], np.reshape(wanted, (-1, 4))[keep], atol=1e-4)
    assert batch.boxes is batch.views[0].boxes


def test_boxes_that_are_none(tmp_path):
    """Corners the wrong way round, without area or outside are left out; lists of one length."""
    boxes = [[5, 5, 2, 9], [5, 5, 5, 9], [100, 0, 120, 10], [-5, -5, 10, 8]]
    pcr.write(tmp_path / "d", [("a", encode(np.zeros((20, 20), np.uint8), "PNG"), None,
                                {"boxes": boxes, "ids": [1, 2, 3, 4]})])
    with pcr.open(tmp_path / "d") as ds:
        assert ds.columns["boxes"] == "int64[4][4]"
        for turn in (0, 1):
            loader = pcr.Loader(ds, size=20, transform="stretch", turn=turn, boxes="boxes",
                                with_boxes=["ids"])
            batch = next(iter(loader))
            assert batch.box_index[0].tolist() == [3]
            assert batch.box_columns["ids"][0].tolist() == [4]
            assert batch.boxes[0].shape == (1, 4)


def test_what_cannot_be(ds, tmp_path):
    for how, message in (
            ({"boxes": "x"}, "no attribute 'x'"), ({"boxes": "names"}, "expected float64"),
            ({"boxes": "boxes", "with_boxes": ["x"]}, "no attribute 'x'"),
            ({"boxes": "boxes", "with_boxes": "names"}, "as a list"),
            ({"with_boxes": ["names"]}, "`boxes`, which is not given"),
            ({"box_min_size": 2}, "`boxes`, which is not given"),
            ({"box_min_part": 0.5}, "`boxes`, which is not given"),
            ({"boxes": "boxes", "raw": True}, "raw files"),
            ({"boxes": "boxes", "box_min_size": 0}, "above 0"),
            ({"boxes": "boxes", "box_min_part": 1.5}, "expected 0 to 1")):
        with pytest.raises(pcr.InvalidError, match=message):
            pcr.Loader(ds, **{"size": 8, **how} if "raw" not in how else how)
    with pcr.Loader(ds, size=8) as loader:
        with pytest.raises(pcr.InvalidError, match="has no boxes"):
            next(iter(loader)).boxes
    pcr.write(tmp_path / "d", [("a", encode(np.zeros((20, 20), np.uint8), "PNG"), None,
                                {"boxes": [[0, 0, 9, 9]], "ids": [1, 2], "id": 3,
                                 "any": {"x": 1}, "odd": [[1, 2, 3], [1]]})])
    with pcr.open(tmp_path / "d") as short:
        with pytest.raises(pcr.InvalidError, match="has 1 boxes, but 2 items of 'ids'"):
            next(iter(pcr.Loader(short, size=8, boxes="boxes", with_boxes=["ids"]))).boxes
        with pytest.raises(pcr.InvalidError, match="'any' has .*, expected a list"):
            next(iter(pcr.Loader(short, size=8, boxes="boxes", with_boxes=["any"]))).boxes
        with pytest.raises(pcr.InvalidError, match="lists are not all of"):
            next(iter(pcr.Loader(short, size=8, boxes="odd"))).boxes
        with pytest.raises(pcr.InvalidError, match="'id', which is int64, expected a list"):
            pcr.Loader(short, size=8, boxes="boxes", with_boxes=["id"])


def test_tensors(ds):
    torch = pytest.importorskip("torch")
    how = {"batch_size": 6, "shuffle": False, "boxes": "boxes", "with_boxes": ["names", "areas"],
           "fields": ("boxes", "box_index", "names", "areas")}
    with pcr.torch.Loader(ds, size=32, transform="stretch", **how) as loader:
        _, _, boxes, index, names, areas = next(iter(loader))
    assert [len(b) for b in boxes] == [3, 0, 1, 2, 3, 0] and boxes[0].dtype == torch.float32
    assert names[3] == ["3-0", "3-1"] and areas[4].tolist() == [0, 1, 2]
    assert index[4].tolist() == [0, 1, 2] and index[1].dtype == torch.int64
    views = [pcr.View(16, transform="stretch"), pcr.View(32, transform="stretch")]
    with pcr.torch.Loader(ds, views=views, **how) as loader:
        _, _, (small, large), *_ = next(iter(loader))
    assert all(torch.equal(a * 2, b) for a, b in zip(small, large) if len(a) == len(b))
    with pytest.raises(pcr.InvalidError, match="fields"):
        pcr.torch.Loader(ds, size=8, fields=("box_index",))
