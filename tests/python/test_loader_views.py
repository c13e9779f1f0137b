# SPDX-License-Identifier: BSD-2-Clause
"""Several views of each sample: pcr.View, and the loader's batches of them."""

import pickle

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode

SIZES = [(64, 48), (31, 90), (120, 77), (40, 40), (9, 7), (201, 150), (80, 33)]
VIEWS = [pcr.View((24, 32), flip=0.5), pcr.View(16, area=(0.05, 0.3), flip=0.5),
         pcr.View(20, transform="stretch")]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A dataset of PNG files, whose pixels are exact, and these pixels."""
    where = tmp_path_factory.mktemp("odd") / "dataset"
    rng = np.random.default_rng(5)
    pictures = [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in SIZES]
    pcr.write(where, [(f"{i}.png", encode(pixels, "PNG")) for i, pixels
                      in enumerate(pictures)], shuffle=False)
    return where, pictures


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
