# SPDX-License-Identifier: BSD-2-Clause
"""RandAugment and TrivialAugmentWide: Pillow makes each picture again by the operations drawn."""

import itertools
import math

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

import pcr
from images import encode, picture

FILL = (9, 99, 199)
MASK = (1 << 64) - 1
KINDS = ("Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness",
         "Color", "Contrast", "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize")
MOVES = KINDS[1:6]


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def key(seed, a, b):
    return mix(mix(mix(seed) ^ a) ^ b)


def unit(of):
    return (mix(of) >> 11) * 2.0 ** -53


def strength(kind, width, height, magnitude, bins, wide):
    """torchvision's, without its sign."""
    level = magnitude / (bins - 1)
    return {
        "ShearX": level * (0.99 if wide else 0.3), "ShearY": level * (0.99 if wide else 0.3),
        "TranslateX": int(level * (32 if wide else 150 / 331 * width)),
        "TranslateY": int(level * (32 if wide else 150 / 331 * height)),
        "Rotate": level * (135 if wide else 30),
        "Posterize": 8 - round(level * (6 if wide else 4)), "Solarize": 255 - level * 255,
        **dict.fromkeys(("Brightness", "Color", "Contrast", "Sharpness"),
                        level * (0.99 if wide else 0.9)),
    }.get(kind, 0)


def drawn(seed, epoch, index, size, count, magnitude, bins=31, wide=False):
    """The operations of a sample, as (kind, strength)."""
    height, width = size
    stream = key((mix(seed) + 10) & MASK, epoch, index)
    for i in range(1 if wide else count):
        kind = KINDS[int(unit(key(stream, i, 0)) * len(KINDS))]
        at = int(unit(key(stream, i, 2)) * bins) if wide else magnitude
        value = strength(kind, width, height, at, bins, wide)
        signed = kind not in ("Posterize", "Solarize") and unit(key(stream, i, 1)) < 0.5
        yield kind, -value if signed else value


def by_pillow(image, kind, value, resample, fill):
    """What torchvision's transforms do to an image of Pillow's."""
    affine = {"ShearX": (1, value, 0, 0, 1, 0), "ShearY": (1, 0, 0, value, 1, 0),
              "TranslateX": (1, 0, -value, 0, 1, 0), "TranslateY": (1, 0, 0, 0, 1, -value)}
    if kind in affine:
        return image.transform(image.size, Image.Transform.AFFINE, affine[kind], resample,
                               fillcolor=fill)
    if kind == "Rotate":
        return image.rotate(value, resample, fillcolor=fill)
    if kind in ("Brightness", "Color", "Contrast", "Sharpness"):
        return getattr(ImageEnhance, kind)(image).enhance(1 + value)
    return {"Identity": lambda: image, "Posterize": lambda: ImageOps.posterize(image, value),
            "Solarize": lambda: ImageOps.solarize(image, value),
            "AutoContrast": lambda: ImageOps.autocontrast(image),
            "Equalize": lambda: ImageOps.equalize(image)}[kind]()


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Noise; pictures with slopes, which have gaps in their histograms; flat ones."""
    where = tmp_path_factory.mktemp("odd") / "dataset"
    random = np.random.default_rng(2)
    pictures = [random.integers(0, 256, (48, 56, 3), np.uint8) for _ in range(4)]
    pictures += [picture(i, 56, 48) // 2 + 40 for i in range(6)]
    pictures += [np.full((48, 56, 3), (7, 128, 255), np.uint8), np.tile(
        np.arange(56, dtype=np.uint8)[None, :, None] * 3, (48, 1, 3))]
    pcr.write(where, [(f"{i}.png", encode(pixels, "PNG"), i) for i, pixels
                      in enumerate(pictures)], shuffle=False)
    return where


PLAIN = dict(size=(48, 56), transform="stretch", batch_size=5, seed=21)


def batches(path, epochs, layout="NHWC", **how):
    with pcr.Loader(path, layout=layout, fill=FILL[:1] if how.get("gray") else FILL,
                    **{**PLAIN, **how}) as loader:
        for batch in itertools.chain(*[loader] * epochs):
            pixels = batch.pixels if layout == "NHWC" else batch.pixels.transpose(0, 2, 3, 1)
            yield batch, pixels.astype(int)


def originals(path, **how):
    with pcr.Loader(path, shuffle="none", **{**PLAIN, **how}) as loader:
        return np.concatenate([batch.pixels for batch in loader])


@pytest.mark.parametrize("filter", ["nearest", "bilinear"])
@pytest.mark.parametrize("gray", [False, True])
def test_each_operation_equals_pillow(odd, filter, gray):
    """Byte for byte; bilinear interpolation within a level."""
    plain = originals(odd, gray=gray)
    resample = getattr(Image.Resampling, filter.upper())
    seen = {}
    for magnitude in 0, 4, 9, 20, 30:
        for batch, pixels in batches(odd, 8, "NCHW" if magnitude == 9 else "NHWC", gray=gray,
                                     filter=filter, randaugment=(1, magnitude)):
            for found, i in zip(pixels, batch.indices):
                ((kind, value),) = drawn(21, batch.epoch, int(i), (48, 56), 1, magnitude)
                before = Image.fromarray(plain[i][..., 0] if gray else plain[i])
                wanted = np.asarray(by_pillow(before, kind, value, resample,
                                              FILL[0] if gray else FILL)).astype(int)
                bound = 1 if kind in MOVES and filter == "bilinear" else 0
                found = found[..., 0] if gray else found
                assert np.abs(found - wanted).max() <= bound, (kind, value, i)
                seen.setdefault(kind, set()).add(value)
    assert set(seen) == set(KINDS)
    assert all(len(seen[kind]) > 4 for kind in ("ShearX", "Rotate", "Contrast", "Solarize"))


def test_several_operations_follow_each_other(odd):
    plain = originals(odd)
    for batch, pixels in batches(odd, 3, filter="nearest", randaugment=(3, 7, 11)):
        for found, i in zip(pixels, batch.indices):
            image = Image.fromarray(plain[i])
            for kind, value in drawn(21, batch.epoch, int(i), (48, 56), 3, 7, 11):
                image = by_pillow(image, kind, value, Image.Resampling.NEAREST, FILL)
            assert np.array_equal(found, np.asarray(image))


def test_trivialaugment_equals_pillow(odd):
    plain = originals(odd)
    seen = set()
    for wide, bins in (True, 31), (5, 5):
        for batch, pixels in batches(odd, 12, filter="nearest", trivialaugment=wide):
            for found, i in zip(pixels, batch.indices):
                ((kind, value),) = drawn(21, batch.epoch, int(i), (48, 56), 1, 0, bins, True)
                wanted = by_pillow(Image.fromarray(plain[i]), kind, value,
                                   Image.Resampling.NEAREST, FILL)
                assert np.array_equal(found, np.asarray(wanted)), (kind, value)
                seen.add(kind)
    assert seen == set(KINDS)


def test_masks_move_alone(odd):
    """With geometric_only the same operations move pixels, and no value changes."""
    plain = originals(odd, gray=True)
    moved = 0
    for batch, pixels in batches(odd, 4, gray=True, filter="nearest", randaugment=(2, 15),
                                 geometric_only=True):
        for found, i in zip(pixels, batch.indices):
            image = Image.fromarray(plain[i][..., 0])
            for kind, value in drawn(21, batch.epoch, int(i), (48, 56), 2, 15):
                if kind in MOVES:
                    image = by_pillow(image, kind, value, Image.Resampling.NEAREST, FILL[0])
                    moved += 1
            assert np.array_equal(found[..., 0], np.asarray(image))
    assert moved > 20


def test_points_follow(tmp_path):
    """batch.affines say where each place of a picture went, whatever was done to it."""
    pixels = np.zeros((160, 200, 3), np.uint8)
    spots = [(60, 50), (120, 70), (90, 110), (140, 120)]  # x, y
    for x, y in spots:
        pixels[y - 6:y + 6, x - 6:x + 6] = 255
    pcr.write(tmp_path / "spots", [(f"{i}.png", encode(pixels, "PNG")) for i in range(24)])
    for count, how in ((1, {"transform": "stretch", "flip": 0.5, "turn": 0.5}),
                       (1, {"transform": "letterbox"}),
                       (3, {"area": (0.6, 1), "flip": 0.5, "rotate": 20})):
        seen = lost = 0
        with pcr.Loader(tmp_path / "spots", size=128, batch_size=8, seed=5,
                        randaugment=(count, 14), geometric_only=True, **how) as loader:
            for batch in itertools.chain(*[loader] * 4):
                assert batch.affines.shape == (len(batch.labels), 2, 3)
                for found, affine in zip(batch.pixels, batch.affines):
                    for x, y in spots:
                        u, v = affine @ (x, y, 1)
                        if 3 < u < 125 and 3 < v < 125:
                            seen += 1
                            lost += found[math.floor(v), math.floor(u)].min() <= 100
        # One that is cut off, or moved out, and then moved in again is lost.
        assert seen > 200 and lost <= (0 if count == 1 else seen / 8)


def test_states_threads_and_views(odd):
    views = [pcr.View(32, randaugment=(2, 9)), pcr.View(32, randaugment=(2, 9), crop_of=0),
             pcr.View(24, trivialaugment=True)]
    how = dict(batch_size=4, views=views, seed=8)
    with pcr.Loader(odd, threads=1, **how) as loader:
        whole = [[view.pixels.copy() for view in batch.views] for batch in loader]
    with pcr.Loader(odd, threads=3, **how) as loader:
        first = next(iter(loader))
        again = [[view.pixels.copy() for view in first.views]]
        state = loader.state_dict()
    with pcr.Loader(odd, **how) as loader:
        loader.load_state_dict(state)
        again += [[view.pixels.copy() for view in batch.views] for batch in loader]
    assert all(map(np.array_equal, itertools.chain(*whole), itertools.chain(*again)))
    assert not np.array_equal(whole[0][0], whole[0][1])
    assert "randaugment=(2, 9)" in repr(views[0])


def test_samples_that_are_not_augmented(odd):
    plain = originals(odd)
    how = dict(PLAIN, randaugment=(4, 20), augment=lambda ds: np.arange(len(ds)) % 2 > 0)
    with pcr.Loader(odd, **how) as loader, pcr.Loader(odd, **PLAIN) as other:
        for batch, before in zip(loader, other):
            for found, wanted, i in zip(batch.pixels, before.pixels, batch.indices):
                assert i % 2 or np.array_equal(found, wanted)
    assert len(plain) == 12


def test_wrong_options():
    for wrong, words in [({"randaugment": 3}, "randaugment is 3"),
                         ({"randaugment": (17, 9)}, "operations is 17"),
                         ({"randaugment": (2, 31)}, "magnitude is 31"),
                         ({"randaugment": (2, 0, 1)}, "bins is 1"),
                         ({"trivialaugment": 1.5}, "trivialaugment is 1.5"),
                         ({"trivialaugment": 1}, "trivialaugment is 1"),
                         ({"trivialaugment": True, "randaugment": (1, 1)}, "exclude each other"),
                         ({"geometric_only": True}, "neither is given")]:
        with pytest.raises(pcr.InvalidError, match=words):
            pcr.View(**wrong)
    with pytest.raises(TypeError, match="write randaugment="):
        pcr.View(magnitude=3)


@pytest.mark.parametrize("wide", [False, True])
def test_strengths_are_torchvisions(wide):
    """The table above, which the tests go by, is that of torchvision's transforms."""
    pytest.importorskip("torch")
    autoaugment = pytest.importorskip("torchvision.transforms.autoaugment")
    for bins in 31, 11:
        if wide:
            space = autoaugment.TrivialAugmentWide()._augmentation_space(bins)
        else:
            space = autoaugment.RandAugment()._augmentation_space(bins, (48, 56))
        assert set(space) == set(KINDS)
        for kind, (values, signed) in space.items():
            assert signed == (kind in MOVES + KINDS[6:10])
            for magnitude, value in enumerate(values.tolist() if values.ndim else []):
                found = strength(kind, 56, 48, magnitude, bins, wide)
                whole = "Translate" in kind  # which torchvision truncates when it is applied
                assert found == pytest.approx(value, abs=1 if whole else 1e-5)


@pytest.mark.parametrize("wide", [False, True])
def test_equals_torchvision(odd, wide):
    """torchvision's transforms themselves, made to draw what was drawn here."""
    torch = pytest.importorskip("torch")
    autoaugment = pytest.importorskip("torchvision.transforms.autoaugment")
    mode = pytest.importorskip("torchvision.transforms").InterpolationMode.NEAREST
    plain = originals(odd)
    how = {"trivialaugment": True} if wide else {"randaugment": (2, 9)}
    order = list((autoaugment.TrivialAugmentWide()._augmentation_space(31) if wide else
                  autoaugment.RandAugment()._augmentation_space(31, (48, 56))))
    random = torch.randint
    for batch, pixels in batches(odd, 4, filter="nearest", **how):
        for found, i in zip(pixels, batch.indices):
            stream = key((mix(21) + 10) & MASK, batch.epoch, int(i))
            numbers = []
            for k, (kind, _) in enumerate(drawn(21, batch.epoch, int(i), (48, 56), 2, 9, 31,
                                                wide)):
                numbers.append(order.index(kind))
                if wide and kind not in ("Identity", "AutoContrast", "Equalize"):
                    numbers.append(int(unit(key(stream, k, 2)) * 31))
                if kind in MOVES + KINDS[6:10]:
                    numbers.append(int(unit(key(stream, k, 1)) < 0.5))
            transform = (autoaugment.TrivialAugmentWide(31, mode, list(FILL)) if wide else
                         autoaugment.RandAugment(2, 9, 31, mode, list(FILL)))
            queue = iter(numbers)
            torch.randint = lambda *_a, queue=queue, **_k: torch.tensor(next(queue))
            try:
                wanted = np.asarray(transform(Image.fromarray(plain[i])))
            finally:
                torch.randint = random
            assert next(queue, None) is None
            assert np.array_equal(found, wanted), (i, numbers)
