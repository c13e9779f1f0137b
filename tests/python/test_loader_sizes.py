# SPDX-License-Identifier: BSD-2-Clause
"""Pictures in sizes of their own, in padded and in ragged batches."""

import itertools

import numpy as np
import pytest

import pcr
from images import encode, noise, picture

SIZES = [(64, 48), (31, 90), (120, 77), (40, 40), (9, 7), (201, 150), (80, 33), (1, 60), (99, 2)]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    where = tmp_path_factory.mktemp("odd") / "dataset"
    return where, noise(where, SIZES)


def torchvisions_size(width, height, shorter, longest):
    """torchvision.transforms.functional._compute_resized_output_size(), which fails where this
    gives 0: here the least is 1."""
    short, long = (width, height) if width <= height else (height, width)
    if shorter is None:
        new_short, new_long = int(longest * short / long), longest
    else:
        new_short, new_long = shorter, int(shorter * long / short)
        if longest is not None and new_long > longest:
            new_short, new_long = int(longest * new_short / new_long), longest
    new_short = max(new_short, 1)
    return (new_short, new_long) if width <= height else (new_long, new_short)


def resized(pixels, size):
    return pcr.resize(np.ascontiguousarray(pixels), *size)


BOUNDS = [(40, None), (40, 60), (None, 50), (17, 40), (200, 333), (50, 50)]


@pytest.mark.parametrize("shorter, longest", BOUNDS)
def test_sizes_and_pixels(odd, shorter, longest):
    """torchvision's sizes, and the pixels that pcr.resize() makes."""
    where, pictures = odd
    with pcr.Loader(where, batch_size=4, transform="resize", resize_px=shorter, flip=0.5,
                    longest_px=longest, seed=1) as loader:
        for batch in loader:
            assert batch.pixels.shape[1:3] == tuple(batch.shapes.max(0))
            for found, (height, width), i, flip in zip(batch.pixels, batch.shapes.tolist(),
                                                       batch.indices, batch.flips):
                assert (width, height) == torchvisions_size(*SIZES[i], shorter, longest)
                wanted = resized(pictures[i], (height, width))[:, ::-1 if flip else 1]
                assert np.array_equal(found[:height, :width], wanted)


@pytest.mark.parametrize("shorter, longest", [b for b in BOUNDS if b[0] != b[1]])
def test_torchvisions_own(odd, shorter, longest):
    torchvision = pytest.importorskip("torchvision")
    image = pytest.importorskip("PIL.Image")
    where, pictures = odd
    if shorter is None:
        transforms = pytest.importorskip("torchvision.transforms.v2")
    else:
        transforms = torchvision.transforms
    resize = transforms.Resize(shorter, max_size=longest)
    with pcr.Loader(where, batch_size=1, transform="resize", resize_px=shorter,
                    longest_px=longest, shuffle="none") as loader:
        for batch, pixels in zip(loader, pictures):
            if min(torchvisions_size(*pixels.shape[1::-1], shorter, longest)) > 1:
                wanted = np.asarray(resize(image.fromarray(pixels)))
                assert np.abs(batch.pixels[0].astype(int) - wanted).max() <= 1


FORMS = [{}, {"layout": "NCHW"}, {"gray": True}, {"gray": True, "layout": "NCHW"},
         {"dtype": "float32", "mean": (0.5, 0.4, 0.3), "std": 0.2},
         {"dtype": "float16", "layout": "NCHW", "mean": (0.5, 0.4, 0.3), "std": 0.2},
         {"dtype": "bfloat16"}]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_padded_and_ragged_are_the_same(odd, form):
    where, _ = odd
    options = dict(batch_size=4, transform="none", seed=3, turn=0.5, fill=7 if "gray" in form else
                   (7, 70, 170), **form)
    with pcr.Loader(where, **options) as padded, pcr.Loader(where, ragged=True,
                                                            **options) as ragged, \
            pcr.Loader(where, pad_zero=True, multiple=32, **options) as zero:
        for (a, b, c) in zip(padded, ragged, zero):
            first = 1 if form.get("layout") == "NCHW" else 0
            value = normal(np.atleast_1d(np.array(options["fill"], np.uint8)), form)
            assert np.array_equal(a.shapes, b.shapes) and np.array_equal(a.shapes, c.shapes)
            assert c.pixels.shape[1 + first:3 + first] == tuple(-(-a.shapes.max(0) // 32) * 32)
            for batch, padding in (a, value), (c, 0 * value):
                for place, pixels, shape, mask in zip(batch.pixels, b.pixels, b.shapes.tolist(),
                                                      batch.mask):
                    place, pixels = (p.transpose(1, 2, 0) if first else p for p in (place, pixels))
                    assert list(pixels.shape[:2]) == shape
                    assert np.array_equal(place[:shape[0], :shape[1]], pixels)
                    assert np.array_equal(np.argwhere(mask).max(0) + 1, shape)
                    assert mask.sum() == shape[0] * shape[1]
                    assert (place[~mask] == padding).all()


def normal(pixels, form):
    """Pixels as a loader of this form has them."""
    if "dtype" not in form:
        return pixels
    mean, std = (np.float32(form.get(*of)).astype(float) for of in (("mean", 0), ("std", 1)))
    found = ((pixels / 255 - mean) / std).astype(np.float32)
    if form["dtype"] != "bfloat16":
        return found.astype(form["dtype"])
    bits = found.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def test_as_they_are(odd):
    where, pictures = odd
    with pcr.Loader(where, batch_size=4, transform="none", ragged=True, dtype="float32",
                    mean=0.5) as loader:
        assert repr(loader.peek()) == "<pcr.Batch 0 of epoch 0: 4 ragged>"
        for batch in loader:
            images, _ = batch
            for image, i in zip(images, batch.indices):
                assert np.array_equal(image, normal(pictures[i], {"dtype": "float32", "mean": .5}))
                image[:] = 3  # they may be written to
            with pytest.raises(pcr.InvalidError, match="have no mask"):
                batch.mask


def test_turned(odd):
    """By right angles height and width change places."""
    where, pictures = odd
    seen = set()
    with pcr.Loader(where, batch_size=3, transform="none", ragged=True, turn=0.8, flip=0.5,
                    flip_down=0.3) as loader:
        for batch in itertools.chain(loader, loader, loader):
            for n, i in enumerate(batch.indices):
                whole = pictures[i][:, ::-1 if batch.flips[n] else 1]
                assert np.array_equal(batch.pixels[n], np.rot90(whole, batch.quarters[n]))
                assert (batch.quarters[n] * 90 - batch.angles[n]) % 360 == 0
                seen.add(int(batch.quarters[n]))
    assert seen == {0, 1, 2, 3}


def test_rectangles(odd):
    """Letterboxes with no more bars than a multiple takes: YOLO's."""
    where, pictures = odd
    fill = (114, 9, 200)
    with pcr.Loader(where, batch_size=1, transform="letterbox", size=(128, 96), multiple=32,
                    fill=fill, shuffle="none") as loader:
        for batch, pixels in zip(loader, pictures):
            height, width = pixels.shape[:2]
            scale = min(128 / height, 96 / width)
            inner = [max(round(side * scale), 1) for side in (height, width)]
            sides = [-(-side // 32) * 32 for side in inner]
            assert batch.shapes[0].tolist() == sides == list(batch.pixels.shape[1:3])
            top, left = (round((a - b) / 2) for a, b in zip(sides, inner))
            wanted = np.empty((*sides, 3), np.uint8)
            wanted[:] = fill
            wanted[top:top + inner[0], left:left + inner[1]] = resized(pixels, inner)
            assert np.array_equal(batch.pixels[0], wanted)
            x0, y0, x1, y1 = batch.crops[0]
            assert np.isclose((0 - x0) / (x1 - x0) * sides[1], left, atol=1e-3)
            assert np.isclose((height - y0) / (y1 - y0) * sides[0], top + inner[0], atol=1e-3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """JPEGs in two fidelities and more, upright and not, one of them damaged."""
    where = tmp_path_factory.mktemp("photos") / "dataset"
    sizes = [(300, 200), (160, 240), (500, 90), (128, 128), (90, 400), (320, 200)] * 3
    pcr.write(where, [(f"{i}.jpg", encode(picture(i, *size), quality=90), i % 3)
                      for i, size in enumerate(sizes)])
    return where


def taken(loader, epochs=1):
    return [(batch.number, batch.indices.tolist(), batch.shapes.tolist(), pixels.tobytes())
            for batch in itertools.chain(*itertools.repeat(loader, epochs))
            for pixels in batch.pixels]


@pytest.mark.parametrize("ragged", [False, True])
def test_order_threads_and_states(photos, ragged):
    """Nothing depends on threads, and a state goes on."""
    options = dict(transform="resize", resize_px=90, longest_px=150, batch_size=5, flip=0.5,
                   jitter=(0.4, 0.4, 0.4, 0.1), turn=0.5, ragged=ragged, fidelity=2, seed=7)
    with pcr.Loader(photos, threads=1, **options) as loader:
        wanted = taken(loader, 2)
    with pcr.Loader(photos, threads=3, batches_ahead=1, **options) as loader:
        assert taken(loader, 2) == wanted
    with pcr.Loader(photos, **options) as loader:
        next(iter(loader))
        state = loader.state_dict()
    with pcr.Loader(photos, **options) as loader:
        loader.load_state_dict(state)
        assert taken(loader) == [row for row in wanted[:18] if row[0] > 0]


CHANGES = dict(flip=0.5, flip_down=0.4, jitter=(0.4, 0.4, 0.4, 0.1), blur=0.5, solarize=0.3,
               erase=0.5, rotate=30, grayscale=0.2, randaugment=(2, 9), fill=(5, 50, 100))


@pytest.mark.parametrize("form", [{}, {"layout": "NCHW", "dtype": "float16"}], ids=str)
def test_are_the_pixels_of_one_size(tmp_path, form):
    """Where all pictures have one size, they are as with transforms that have one."""
    noise(tmp_path / "d", [(60, 44)] * 12)
    options = dict(batch_size=5, seed=6, **CHANGES, **form)
    with pcr.Loader(tmp_path / "d", transform="stretch", size=(44, 60), **options) as one, \
            pcr.Loader(tmp_path / "d", transform="none", **options) as own, \
            pcr.Loader(tmp_path / "d", transform="none", ragged=True, **options) as ragged:
        for a, b, c in zip(itertools.chain(one, one), itertools.chain(own, own),
                           itertools.chain(ragged, ragged)):
            assert np.array_equal(a.pixels, b.pixels)
            assert np.array_equal(a.pixels, c.pixels)
            assert np.array_equal(a.affines, b.affines) and np.array_equal(a.shapes, c.shapes)


def test_changes_of_turned_pictures(tmp_path):
    """A picture that lies on its side is changed as one that is so stored."""
    pictures = noise(tmp_path / "d", [(60, 44)] * 12)
    options = dict(batch_size=12, seed=6, shuffle="none", transform="none", ragged=True, **CHANGES)
    with pcr.Loader(tmp_path / "d", turn=1, **options) as loader:
        turned = next(iter(loader))
    quarters = turned.quarters
    assert set(quarters.tolist()) == {0, 1, 2, 3}
    options["flip"] = options["flip_down"] = 0
    pcr.write(tmp_path / "e", [
        (f"{i}.png", encode(np.rot90(p[:, ::-1 if flip else 1], q).copy(), "PNG"))
        for i, (p, q, flip) in enumerate(zip(pictures, quarters, turned.flips))], shuffle=False)
    with pcr.Loader(tmp_path / "e", **options) as loader:
        for a, b in zip(turned.pixels, next(iter(loader)).pixels):
            assert np.array_equal(a, b)


def test_by_quality(photos):
    """A smaller picture needs fewer bytes."""
    read = []
    for side in 40, 300:
        with pcr.Loader(photos, transform="resize", resize_px=side, quality=0.9) as loader:
            for _ in loader:
                pass
            read.append(loader.stats().delivered_nbytes)
    assert read[0] < read[1]


def test_views(odd):
    """Some with sizes of their own, others with one."""
    where, pictures = odd
    views = [pcr.View(16, flip=0.5), pcr.View(transform="none"),
             pcr.View(transform="resize", longest_px=30, multiple=8)]
    assert [view.size for view in views] == [(16, 16), None, None]
    assert repr(views[2]) == "pcr.View(transform='resize', longest_px=30, multiple=8)"
    with pcr.Loader(where, batch_size=4, views=views, seed=2) as loader, \
            pcr.Loader(where, batch_size=4, size=16, flip=0.5, seed=2) as alone:
        for batch, one in zip(loader, alone):
            assert np.array_equal(batch.pixels, one.pixels)
            assert (batch.shapes == 16).all() and batch.mask.all()
            assert (np.array(batch.views[2].pixels.shape[1:3]) % 8 == 0).all()
            for place, i, (height, width) in zip(batch.views[1].pixels, batch.indices,
                                                 batch.views[1].shapes):
                assert np.array_equal(place[:height, :width], pictures[i])
    with pcr.Loader(where, batch_size=4, views=views[:2], ragged=True) as loader:
        for (first, second), labels in loader:
            assert first.shape == (len(labels), 16, 16, 3) and len(second) == len(labels)


def test_memory(odd):
    """Batches grow in the caller's memory, and outlive the loader."""
    where, pictures = odd
    held, most = {}, []

    def allocate(nbytes):
        block = np.empty(nbytes + 64, np.uint8)
        address = block.ctypes.data + -block.ctypes.data % 64
        held[address] = block
        most.append(nbytes)
        return address

    with pcr.Loader(where, batch_size=2, transform="none", ragged=True, seed=2,
                    memory=(allocate, lambda address, _: held.pop(address)),
                    ring_nbytes=1) as loader:
        batches = list(loader)
    assert most and all(nbytes > 0 for nbytes in most)
    for batch in batches:
        for image, i in zip(batch.pixels, batch.indices):
            assert np.array_equal(image, pictures[i])
            assert image.ctypes.data % 64 == 0
    del batches, batch, image
    assert not held


def test_too_large(odd):
    """A sample whose picture would be too large is bad."""
    where, _ = odd
    options = dict(batch_size=3, transform="resize", resize_px=200, max_pixels=200_000)
    with pcr.Loader(where, **options) as loader:
        with pytest.raises(pcr.LimitError, match="1 x 60 pixels would become 200 x 12000|"
                                                 "99 x 2 pixels would become 9900 x 200"):
            list(loader)
    with pcr.Loader(where, bad_sample="skip", **options) as loader:
        for batch in loader:
            assert not {7, 8} & set(batch.indices.tolist())
        assert {bad.sample for bad in loader.bad_samples()} == {7, 8}
    with pcr.Loader(where, transform="resize", resize_px=65536, indices=[7]) as loader:
        with pytest.raises(pcr.LimitError, match="sides of 65536"):
            list(loader)


OF_VIEWS = {"transform", "size", "resize_px", "longest_px", "multiple", "max_size"}


@pytest.mark.parametrize("options, why", [
    (dict(transform="resize", max_size=9), "write transform=.resize., longest_px="),
    (dict(transform="resize"), "RESIZE needs one"),
    (dict(transform="resize", size=224), "size is 224, but transform='resize' gives"),
    (dict(transform="none", size=224), "transform='none'"),
    (dict(transform="resize", resize_px=50, longest_px=40), "resize_px is 50, but longest_px"),
    (dict(longest_px=40), "only RESIZE has it"),
    (dict(multiple=8), "nothing is padded"),
    (dict(transform="none", multiple=8, ragged=True), "nothing is padded"),
    (dict(transform="letterbox", size=100, multiple=32), "height x width is 100 x 100"),
    (dict(ragged=True), "all pictures have the same size"),
    (dict(pad_zero=True), "all pictures have the same size"),
    (dict(transform="none", ragged=True, pad_zero=True), "RAGGED batches are not padded"),
    (dict(transform="none", ragged=True, mixup=1, num_classes=0), "only those of one size"),
    (dict(transform="resize", resize_px=9, cutmix=1, num_classes=0), "only those of one size"),
    (dict(transform="none", multiple=0), "multiple is 0"),
    (dict(transform="resize", longest_px="9"), "longest_px is '9'"),
])
def test_refuses(odd, options, why):
    with pytest.raises((pcr.InvalidError, TypeError), match=why):
        pcr.Loader(odd[0], **options)
    with pytest.raises((pcr.InvalidError, TypeError), match=why):
        pcr.Loader(odd[0], views=[pcr.View(**{k: v for k, v in options.items() if k in OF_VIEWS})],
                   **{k: v for k, v in options.items() if k not in OF_VIEWS})


def test_torch(odd):
    torch = pytest.importorskip("torch")
    where, pictures = odd
    options = dict(batch_size=3, transform="none", seed=2)
    names = {"pixel_values": "images", "pixel_mask": "mask", "target_sizes": "sizes"}
    for batch in pcr.torch.Loader(where, names=names, dtype="bfloat16", **options):
        assert batch["pixel_values"].shape[2:] == batch["pixel_mask"].shape[1:]
        assert batch["pixel_mask"].dtype == torch.bool
        assert batch["pixel_mask"].sum() == batch["target_sizes"].prod(1).sum()
    for images, labels, indices, shapes in pcr.torch.Loader(
            where, ragged=True, fields=("indices", "shapes"), **options):
        for image, i, shape in zip(images, indices, shapes):
            assert list(image.shape[1:]) == shape.tolist()
            assert np.array_equal(image.permute(1, 2, 0).numpy(), pictures[i])
    with pytest.raises(pcr.InvalidError, match="fields is .'mask'"):
        pcr.torch.Loader(where, ragged=True, fields=("mask",), **options)
    workers = torch.utils.data.DataLoader(
        pcr.torch.IterableDataset(where, ragged=True, **options), batch_size=None, num_workers=1)
    assert [len(images) for images, _ in workers] == [3] * 3


def test_tf(odd):
    pytest.importorskip("tensorflow")
    import pcr.tf
    where, _ = odd
    for layout, axes in ("NHWC", (1, 2)), ("NCHW", (2, 3)):
        with pcr.Loader(where, batch_size=3, transform="none", layout=layout) as loader:
            made = pcr.tf.dataset(loader, fields=("mask", "shapes"))
            spec = made.element_spec
            assert [axis for axis in range(1, 4) if spec[0].shape[axis] is None] == list(axes)
            assert spec[2].shape.as_list() == [None, None, None]
            for images, _, mask, shapes in made:
                assert mask.numpy().sum() == shapes.numpy().prod(1).sum()
    with pcr.Loader(where, transform="none", ragged=True) as loader:
        with pytest.raises(pcr.InvalidError, match="batches of one shape"):
            pcr.tf.dataset(loader)
