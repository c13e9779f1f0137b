# SPDX-License-Identifier: BSD-2-Clause
"""Several views of each sample, letterboxes, and random changes of pixels."""

import itertools
import pickle

import numpy as np
import pytest
from PIL import Image, ImageOps

import pcr
from images import noise

SIZES = [(64, 48), (31, 90), (120, 77), (40, 40), (9, 7), (201, 150), (80, 33)]
VIEWS = [pcr.View((24, 32), flip=0.5), pcr.View(16, area=(0.05, 0.3), flip=0.5),
         pcr.View(20, transform="stretch")]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    where = tmp_path_factory.mktemp("odd") / "dataset"
    return where, noise(where, SIZES)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_each_shows_its_crop(odd, layout):
    """Pillow makes each view again from the original and the crop."""
    where, pictures = odd
    shown = [set() for _ in VIEWS]
    with pcr.Loader(where, batch_size=4, views=VIEWS, layout=layout, seed=3) as loader:
        for epoch in range(3):
            for batch in loader:
                assert [view.pixels.shape[1 + (layout == "NCHW"):][:2]
                        for view in batch.views] == [view.size for view in VIEWS]
                for number, view in enumerate(batch.views):
                    for found, i, crop, flip in zip(view.pixels, batch.indices, view.crops,
                                                    view.flips):
                        shown[number].add((epoch, int(i), *map(float, crop)))
                        height, width = VIEWS[number].size
                        wanted = Image.fromarray(pictures[i]).resize(
                            (width, height), Image.Resampling.BILINEAR,
                            box=tuple(map(float, crop)))
                        wanted = np.asarray(wanted)[:, ::-1 if flip else 1].astype(int)
                        found = found.transpose(1, 2, 0) if layout == "NCHW" else found
                        assert np.abs(found - wanted).max() <= 1
    assert all(len(crops) == 3 * len(SIZES) for crops in shown)
    assert not shown[0] & shown[1]


def test_batches_unpack(odd):
    where, _ = odd
    with pcr.Loader(where, batch_size=3, views=VIEWS, exact=True) as loader:
        for (first, second, third), labels, valid in loader:
            assert len(first) == len(second) == len(third) == len(labels) == len(valid) == 3
    with pcr.Loader(where, batch_size=3, views=VIEWS[:1], seed=1) as loader, \
            pcr.Loader(where, batch_size=3, size=(24, 32), flip=0.5, seed=1) as alone:
        for (images, _), batch in zip(loader, alone):
            assert np.array_equal(images, batch.pixels)
            assert len(batch.views) == 1 and batch.views[0].pixels is batch.pixels


def test_memory_outlives_the_loader(odd):
    """A view keeps its batch."""
    where, _ = odd
    kept = []
    with pcr.Loader(where, batch_size=2, views=VIEWS, dtype="float32", seed=8) as loader:
        for batch in loader:
            kept.append((batch.views[1].pixels, batch.views[1].pixels.copy()))
            del batch
    assert all(np.array_equal(view, copy) for view, copy in kept)
    assert kept[0][0].dtype == np.float32


def test_a_state_goes_on(odd):
    where, _ = odd
    options = dict(batch_size=2, views=VIEWS, seed=4)
    with pcr.Loader(where, **options) as loader:
        epoch = iter(loader)
        next(epoch)
        state = loader.state_dict()
        wanted = [batch.views[2].pixels.copy() for batch in epoch]
    with pcr.Loader(where, **options) as loader:
        loader.load_state_dict(state)
        found = [batch.views[2].pixels.copy() for batch in loader]
    assert len(found) == len(wanted) and all(map(np.array_equal, found, wanted))


def test_one_crop_in_several_views(odd):
    where, _ = odd
    views = [pcr.View(24, flip=0.5), pcr.View(12, flip=0.5, crop_of=0, jitter=(0.4, 0.4, 0, 0))]
    with pcr.Loader(where, batch_size=4, views=views, seed=3) as loader:
        for batch in loader:
            assert np.array_equal(batch.views[0].crops, batch.views[1].crops)
            assert np.array_equal(batch.views[0].flips, batch.views[1].flips)
    with pytest.raises(pcr.InvalidError, match="view 0: crop_of is 2"):
        pcr.Loader(where, views=[pcr.View(crop_of=1), pcr.View()])


def test_wrong_views(odd):
    where, _ = odd
    for views in [], [3], ["x"]:
        with pytest.raises(pcr.InvalidError, match="expected a list of pcr.View"):
            pcr.Loader(where, views=views)
    with pytest.raises(pcr.InvalidError, match="give size and transform to each View"):
        pcr.Loader(where, views=VIEWS, flip=0.5)
    with pytest.raises(pcr.InvalidError, match="area is 2"):
        pcr.View(area=(0.1, 2))
    with pytest.raises(TypeError, match="did you mean size"):
        pcr.View(sise=3)
    with pytest.raises(pcr.InvalidError, match="view 1: .*resize_px is 4"):
        pcr.Loader(where, views=[VIEWS[0], pcr.View(8, transform="center_crop", resize_px=4)])


def test_texts_and_pickles(odd):
    where, _ = odd
    assert repr(VIEWS[1]) == "pcr.View((16, 16), area=(0.05, 0.3), flip=0.5)"
    assert repr(pickle.loads(pickle.dumps(VIEWS[1]))) == repr(VIEWS[1])
    with pcr.Loader(where, batch_size=2, views=VIEWS) as loader:
        assert repr(loader.peek().views[1]) == "<pcr.BatchView: (2, 16, 16, 3)>"


def test_torch(odd):
    torch = pytest.importorskip("torch")
    where, _ = odd
    loader = pcr.torch.Loader(where, batch_size=3, views=VIEWS, dtype="bfloat16", seed=2)
    images, labels = next(iter(loader))
    assert [tuple(x.shape) for x in images] == [(3, 3, 24, 32), (3, 3, 16, 16), (3, 3, 20, 20)]
    assert all(x.dtype == torch.bfloat16 for x in images) and len(labels) == 3
    workers = torch.utils.data.DataLoader(
        pcr.torch.IterableDataset(where, batch_size=3, views=VIEWS, seed=2), batch_size=None,
        num_workers=1)
    assert [len(images) for images, _ in workers] == [3] * 3

@pytest.mark.parametrize("size", [(24, 32), (40, 17), (64, 64)])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_letterbox_equals_pillow(odd, size, layout):
    where, pictures = odd
    with pcr.Loader(where, batch_size=len(SIZES), size=size, transform="letterbox", flip=0.5,
                    fill=(9, 99, 199), shuffle="none", layout=layout) as loader:
        for batch in itertools.chain(loader, loader):
            for found, picture, flip, crop in zip(batch.pixels, pictures, batch.flips,
                                                  batch.crops):
                found = found.transpose(1, 2, 0) if layout == "NCHW" else found
                whole = Image.fromarray(picture[:, ::-1] if flip else picture)
                wanted = ImageOps.pad(whole, size[::-1], Image.Resampling.BILINEAR,
                                      color=(9, 99, 199))
                assert np.abs(found.astype(int) - np.asarray(wanted)).max() <= 1
                # The crop leads from a place in the picture to one in the pixels.
                x0, y0, x1, y1 = crop
                across = (np.array([0, picture.shape[1]]) - x0) / (x1 - x0) * size[1]
                across = sorted(size[1] - across) if flip else across
                down = (np.array([0, picture.shape[0]]) - y0) / (y1 - y0) * size[0]
                shown = (found != (9, 99, 199)).any(2)
                assert [shown.any(0).argmax(), shown.any(1).argmax()] == pytest.approx(
                    [across[0], down[0]], abs=0.01)


def test_effects_equal_pillow(odd):
    """With a chance of 1 each."""
    where, pictures = odd
    plain = dict(size=40, transform="stretch", batch_size=len(SIZES), shuffle="none")
    wanted = {
        "grayscale": lambda p: np.repeat(np.asarray(Image.fromarray(p).convert("L"))[..., None],
                                         3, 2),
        "solarize": lambda p: np.asarray(ImageOps.solarize(Image.fromarray(p))),
    }
    with pcr.Loader(where, **plain) as loader:
        (before,) = loader
    for name, make in wanted.items():
        with pcr.Loader(where, **plain, **{name: 1}) as loader:
            (batch,) = loader
        for found, pixels in zip(batch.pixels, before.pixels):
            assert np.abs(found.astype(int) - make(pixels)).max() <= 1, name


def test_turns_are_told(odd):
    """Each picture is the plain one, mirrored and turned as the batch says."""
    where, _ = odd
    plain = dict(size=40, transform="stretch", batch_size=len(SIZES), shuffle="none")
    with pcr.Loader(where, **plain) as loader:
        (before,) = loader
    seen = set()
    with pcr.Loader(where, **plain, flip=0.5, flip_down=0.5, turn=0.5) as loader:
        for batch in itertools.chain(*[loader] * 6):
            for found, pixels, flip, angle in zip(batch.pixels, before.pixels, batch.flips,
                                                  batch.angles):
                wanted = np.rot90(pixels[:, ::-1] if flip else pixels, round(angle / 90))
                assert np.array_equal(found, wanted)
                seen.add((bool(flip), float(angle)))
    assert len(seen) == 8
    assert {angle for _, angle in seen} == {0, 90, 180, -90}


def test_blur_and_erasing(odd):
    where, _ = odd
    plain = dict(size=40, transform="stretch", batch_size=len(SIZES), shuffle="none")
    with pcr.Loader(where, **plain) as loader:
        (before,) = loader
    with pcr.Loader(where, **plain, blur=1, blur_sigma=(2, 2)) as loader:
        (batch,) = loader
    near = np.arange(-8, 9)
    weights = np.exp(-near ** 2 / 8)
    weights /= weights.sum()
    for found, pixels in zip(batch.pixels, before.pixels):
        wide = np.pad(pixels.astype(float), ((8, 8), (8, 8), (0, 0)), "reflect")
        wide = sum(w * wide[8 + k:48 + k] for k, w in zip(near, weights))
        wide = sum(w * wide[:, 8 + k:48 + k] for k, w in zip(near, weights))
        assert np.abs(found - wide).max() < 0.51
    with pcr.Loader(where, **plain, erase=1, erase_area=(0.1, 0.2), fill=(1, 2, 3)) as loader:
        (batch,) = loader
    for found, pixels in zip(batch.pixels, before.pixels):
        changed = (found != pixels).any(2)
        assert 0.08 < changed.mean() < 0.22
        rows, columns = changed.any(1).nonzero()[0], changed.any(0).nonzero()[0]
        assert (found[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] == (1, 2, 3)).all()


def test_wrong_effects(odd):
    where, _ = odd
    for wrong, words in [({"blur": 2}, "blur is 2"), ({"blur_sigma": (1, 17)}, "blur_sigma is 17"),
                         ({"turn": 0.5, "size": (3, 4)}, "only squares are turned"),
                         ({"erase_area": (0.5, 0.1)}, "the first is the larger")]:
        with pytest.raises(pcr.InvalidError, match=words):
            pcr.Loader(where, **wrong)


@pytest.mark.parametrize("wrong", [
    {"flip": "x"}, {"turn": [1]}, {"rotate": "5"}, {"mixup": "x"}, {"cutmix": None},
    {"mixup": 1, "mix_chance": "x"}, {"blur_sigma": "ab"}, {"jitter": "abcd"}, {"area": (None, 1)},
    {"boxes": "b", "box_min_size": "x"}, {"boxes": "b", "box_min_part": [1]}])
def test_no_numbers(odd, wrong):
    """The message names the argument."""
    name = next(name for name in reversed(list(wrong)))
    with pytest.raises(TypeError, match=f"{name}.* is .*, expected a number"):
        pcr.Loader(odd[0], size=8, **wrong)


def test_no_pairs(odd):
    for wrong, words in [({"jitter": 0.4}, "jitter is 0.4, expected .brightness"),
                         ({"area": 0.3}, "area is 0.3, expected .least, most"),
                         ({"ratio": (1, 2, 3)}, "ratio is .1, 2, 3., expected .least, most")]:
        with pytest.raises(pcr.InvalidError, match=words):
            pcr.Loader(odd[0], size=8, **wrong)
