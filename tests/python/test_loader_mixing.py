# SPDX-License-Identifier: BSD-2-Clause
"""Mixup and CutMix: pictures, soft labels, and torchvision's transforms of these names."""

import itertools

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode, noise, picture

HOW = dict(batch_size=8, size=(24, 36), seed=3, flip=0.5)


def pairs(path, epochs=3, **how):
    """Batches that are mixed, and the same ones that are not."""
    whole = {name: value for name, value in how.items()
             if "mix" not in name and name != "num_classes"}
    with pcr.Loader(path, split="train", **{**HOW, **how}) as loader, \
            pcr.Loader(path, split="train", **{**HOW, **whole}) as plain:
        for batch, before in zip(itertools.chain(*[loader] * epochs),
                                 itertools.chain(*[plain] * epochs)):
            assert np.array_equal(batch.indices, before.indices)
            yield batch, before


def one_hot(labels, count):
    return np.eye(count, dtype=np.float32)[labels]


def gray_of(pixels):
    return np.array(Image.fromarray(pixels).convert("L"))


def corners(mixed, before, partner):
    """Of what is the partner's in a picture of noise: (x0, y0, x1, y1)."""
    others = (mixed != before).any(-1)
    rows, columns = np.flatnonzero(others.any(1)), np.flatnonzero(others.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    found = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    x0, y0, x1, y1 = found
    assert np.array_equal(mixed[y0:y1, x0:x1], partner[y0:y1, x0:x1])
    return tuple(int(x) for x in found)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
def test_mixup_is_a_weighted_mean(path, dtype, each):
    bounds = {"uint8": (0.55, 0), "float32": (1e-6, 0), "float16": (1e-6, 1e-3)}
    lams = []
    for batch, before in pairs(path, mixup=0.4, dtype=dtype, mix_each=each):
        n = len(batch.labels)
        images, soft = batch
        assert soft is batch.soft_labels and soft.dtype == np.float32 and soft.shape == (n, 3)
        assert batch.partners.tolist() == np.roll(np.arange(n), 1).tolist()
        assert each == (len(set(batch.lam.tolist())) > 1)
        lam = batch.lam.astype(np.float64)
        for i, j in enumerate(batch.partners):
            wanted = (lam[i] * before.pixels[i].astype(np.float64) +
                      (1 - lam[i]) * before.pixels[j].astype(np.float64))
            least, part = bounds[dtype]
            np.testing.assert_allclose(images[i].astype(np.float64), wanted, part, least)
        hot = one_hot(batch.labels, 3)
        np.testing.assert_allclose(soft, lam[:, None] * hot + (1 - lam)[:, None] *
                                   hot[batch.partners], atol=1e-6)
        assert np.array_equal(batch.labels, before.labels)
        lams += batch.lam.tolist()
    assert min(lams) < 0.4 and max(lams) > 0.8


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["uint8", "bfloat16"])
def test_cutmix_pastes_a_rectangle(path, dtype, layout):
    for batch, before in pairs(path, cutmix=1, dtype=dtype, layout=layout, mix_each=True):
        images, plain = batch.pixels, before.pixels
        if layout == "NCHW":
            images, plain = (a.transpose(0, 2, 3, 1) for a in (images, plain))
        for i, j in enumerate(batch.partners):
            x0, y0, x1, y1 = corners(images[i], plain[i], plain[j])
            # Where edges are alike in both the rectangle seems to be smaller.
            assert (x1 - x0) * (y1 - y0) / (24 * 36) == pytest.approx(1 - batch.lam[i], abs=0.15)
            assert batch.soft_labels[i].sum() == pytest.approx(1)


def test_both_and_neither(path):
    kinds = [0, 0, 0]
    for batch, before in pairs(path, epochs=12, mixup=1, cutmix=1, mix_chance=0.6, mix_each=True,
                               cutmix_chance=0.25):
        for i, j in enumerate(batch.partners):
            own = (batch.pixels[i] == before.pixels[i]).all(-1).mean()
            assert i != j or batch.lam[i] == 1
            kinds[0 if i == j else 1 if own > 0.4 and own + 0.1 > batch.lam[i] else 2] += 1
            if i == j:
                assert own == 1
    assert kinds[0] > 50 and kinds[1] > 10 and kinds[2] > kinds[1]


def test_threads_and_states_change_nothing(path):
    def take(loader):
        return [(batch.pixels.copy(), batch.soft_labels, batch.lam) for batch in loader]

    how = dict(HOW, split="train", mixup=0.3, cutmix=1)
    with pcr.Loader(path, threads=1, **how) as loader:
        whole = take(loader) + take(loader)
    with pcr.Loader(path, threads=4, batches_ahead=2, **how) as loader:
        again = take(loader)
        epoch = iter(loader)
        again.append(take([next(epoch)])[0])
        state = loader.state_dict()
    with pcr.Loader(path, **how) as loader:
        loader.load_state_dict(state)
        again += take(loader)
    assert len(again) == len(whole)
    for found, wanted in zip(again, whole):
        assert all(map(np.array_equal, found, wanted))


def test_views_are_mixed_alike(path):
    views = [pcr.View((24, 36)), pcr.View(16, jitter=(0.4, 0, 0, 0))]
    how = dict(batch_size=5, seed=1, views=views, split="train")
    for kind in "mixup", "cutmix":
        with pcr.Loader(path, **how, **{kind: 1.0}) as loader, pcr.Loader(path, **how) as plain:
            for batch, before in zip(loader, plain):
                (first, second), soft = batch
                assert first.shape[1:3] == (24, 36) and second.shape[1:3] == (16, 16)
                assert soft.shape == (len(first), 3)
                lam, j = batch.lam[0], batch.partners[0]
                own, other = (before.views[1].pixels[k].astype(float) for k in (0, j))
                if kind == "mixup":
                    assert np.abs(second[0] - lam * own - (1 - lam) * other).max() <= 0.55
                else:
                    corners(second[0], own, other)


def test_masks_are_cut_alike(tmp_path):
    """A loader of masks with the same seed and alpha pastes the same rectangles."""
    noise(tmp_path / "noise", [(40, 30)] * 12)
    how = dict(size=(30, 40), transform="stretch", batch_size=5, seed=3)
    mask = dict(gray=True, filter="nearest", num_classes=0)
    with pcr.Loader(tmp_path / "noise", cutmix=1, num_classes=0, **how) as images, \
            pcr.Loader(tmp_path / "noise", cutmix=1, **mask, **how) as masks, \
            pcr.Loader(tmp_path / "noise", **how) as plain:
        for image, mask, before in zip(images, masks, plain):
            for i, j in enumerate(image.partners):
                x0, y0, x1, y1 = corners(image.pixels[i], before.pixels[i], before.pixels[j])
                wanted = gray_of(before.pixels[i])
                wanted[y0:y1, x0:x1] = gray_of(before.pixels[j])[y0:y1, x0:x1]
                assert np.array_equal(mask.pixels[i, ..., 0], wanted)


def test_samples_that_are_not_augmented_stay_whole(path):
    with pcr.Loader(path, split="train", mixup=1, **HOW,
                    augment=lambda ds: np.arange(len(ds)) % 3 > 0) as loader:
        for batch in loader:
            assert np.array_equal(batch.partners == np.arange(len(batch.lam)),
                                  batch.indices % 3 == 0)


def test_a_batch_of_one(path):
    with pcr.Loader(path, split="train", mixup=1, size=16, batch_size=1) as loader:
        batch = next(iter(loader))
        assert batch.lam.tolist() == [1] and batch.partners.tolist() == [0]
        assert np.array_equal(batch.soft_labels, one_hot(batch.labels, 3))


def written(where, labels):
    return pcr.write(where, [(f"{i}.png", encode(picture(i, 20, 20), "PNG"), label)
                             for i, label in enumerate(labels)], shuffle=False)


def test_other_labels(tmp_path):
    """Several labels, floats, integers without classes, none, and classes by number."""
    written(tmp_path / "several", [[1, 4], [4], [0], [2, 0]])
    how = dict(size=16, batch_size=4, mixup=0.5)
    with pcr.Loader(tmp_path / "several", num_classes=5, **how) as loader:
        (batch,) = loader
        hot = np.array([np.isin(np.arange(5), labels) for labels in batch.all_labels], np.float32)
        lam = batch.lam[:, None]
        np.testing.assert_allclose(batch.soft_labels, lam * hot + (1 - lam) * hot[batch.partners],
                                   atol=1e-6)
    with pytest.raises(pcr.InvalidError, match="num_classes. is needed by mix"):
        pcr.Loader(tmp_path / "several", **how)
    with pcr.Loader(tmp_path / "several", num_classes=4, **how) as loader, \
            pytest.raises(pcr.InvalidError, match="has label 4, but soft labels have 4 columns"):
        list(loader)

    written(tmp_path / "floats", [0.5, -3.0, 8.25])
    with pcr.Loader(tmp_path / "floats", **how) as loader:
        (batch,) = loader
        images, soft = batch
        assert soft.shape == (3,) and soft.dtype == np.float32
        np.testing.assert_allclose(soft, batch.lam * batch.labels + (1 - batch.lam) *
                                   batch.labels[batch.partners], atol=1e-6)
    with pytest.raises(pcr.InvalidError, match="labels are floats"):
        pcr.Loader(tmp_path / "floats", num_classes=3, **how)

    written(tmp_path / "some", [1, None, 0])
    with pcr.Loader(tmp_path / "some", num_classes=2, **how) as loader, \
            pytest.raises(pcr.InvalidError, match="sample 1 of dataset 0 has no label"):
        list(loader)
    written(tmp_path / "none", [None, None])
    with pytest.raises(pcr.InvalidError, match="samples have no labels"):
        pcr.Loader(tmp_path / "none", **how)
    with pcr.Loader(tmp_path / "none", num_classes=0, **how) as loader:
        (batch,) = loader
        images, labels = batch
        assert batch.soft_labels is None and labels.tolist() == [-1, -1]
        assert len(batch.lam) == len(batch.partners) == 2


def test_renumbered_classes(path):
    with pcr.Loader(path, split="train", classes=["crab", "ant"], renumber=True, cutmix=1,
                    **HOW) as loader:
        for images, soft in loader:
            assert soft.shape == (len(images), 2)
        for batch in loader:
            hot, lam = one_hot(batch.labels, 2), batch.lam[:, None]
            np.testing.assert_allclose(batch.soft_labels, lam * hot + (1 - lam) *
                                       hot[batch.partners], atol=1e-6)
    with pytest.raises(pcr.InvalidError, match="num_classes with renumber"):
        pcr.Loader(path, split="train", classes=["ant"], renumber=True, mixup=1, num_classes=2)


def test_wrong_options(path):
    for wrong, words in [({"mixup": -1}, "mixup is -1"), ({"cutmix": True}, "cutmix is True"),
                         ({"mixup": float("nan")}, "mixup is nan"),
                         ({"num_classes": 3}, "neither is given"),
                         ({"mixup": 1, "mix_chance": 0}, "mix_chance is 0"),
                         ({"mixup": 1, "exact": True}, "EXACT"),
                         ({"mixup": 1, "raw": True}, "RAW"),
                         ({"mixup": 1, "boxes": "boxes"}, "they do not follow")]:
        with pytest.raises(pcr.InvalidError, match=words):
            pcr.Loader(path, split="train", **wrong)
    with pytest.raises(TypeError, match="write mixup="):
        pcr.Loader(path, mixup_alpha=0.2)


def test_torch_trains_on_soft_labels(path):
    torch = pytest.importorskip("torch")
    loader = pcr.torch.Loader(path, split="train", size=32, batch_size=6, cutmix=1, mixup=0.2,
                              dtype="float32", fields=("lam", "partners"))
    for images, labels, lam, partners in loader:
        assert labels.shape == (len(images), 3) and labels.dtype == torch.float32
        assert partners.shape == lam.shape == (len(images),)
        torch.nn.CrossEntropyLoss()(images.mean((2, 3)), labels)
    with pytest.raises(pcr.InvalidError, match="fields is"):
        pcr.torch.Loader(path, split="train", fields=("lam",))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_equals_torchvision(path, dtype):
    """MixUp and CutMix with the parameters that were drawn here give the same tensors."""
    torch = pytest.importorskip("torch")
    v2 = pytest.importorskip("torchvision.transforms.v2")
    how = dict(HOW, split="train", dtype=dtype)
    for kind in "mixup", "cutmix":
        mixed = pcr.torch.Loader(path, fields=("lam",), **{kind: 1.0}, **how)
        plain = pcr.torch.Loader(path, **how)
        other = (v2.MixUp if kind == "mixup" else v2.CutMix)(num_classes=3)
        compared = 0
        for (images, soft, lam), (before, labels) in zip(mixed, plain):
            if kind == "cutmix":
                box = corners(*(x.permute(0, 2, 3, 1).float().numpy()[0]
                                for x in (images, before, before.roll(1, 0))))
                # Its size has a parity that edges of equal pixels hide.
                area = (1 - float(lam[0])) * 24 * 36
                if abs((box[2] - box[0]) * (box[3] - box[1]) - area) > 1e-3:
                    continue
            kept = float(lam[0])
            values = ({"lam": kept} if kind == "mixup" else
                      {"box": box, "lam_adjusted": kept})
            other.make_params = lambda _, values=values, n=len(labels): {
                "labels": labels, "batch_size": n, **values}
            wanted, wanted_soft = other(before, labels)
            compared += 1
            tolerance = {"float32": 1e-6, "float16": 4e-3, "bfloat16": 3e-2}[dtype]
            if kind == "cutmix":
                assert torch.equal(images, wanted)
            else:
                torch.testing.assert_close(images, wanted, rtol=0, atol=tolerance)
            torch.testing.assert_close(soft, wanted_soft, rtol=0, atol=1e-6)
        assert compared >= 2
