# SPDX-License-Identifier: BSD-2-Clause
"""pcr.torch.Dataset and ImageFolder, where PyTorch is; beside torchvision, where that is."""

import importlib.util
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pcr
from images import damaged_copy, encode, orientation_exif, picture
from together import together

installed = importlib.util.find_spec("torch") is not None
pytestmark = pytest.mark.skipif(not installed, reason="PyTorch is not installed")
if installed:
    import torch
    from torch.utils.data import DataLoader
    from pcr import torch as pt

torchvision = pytest.mark.skipif(importlib.util.find_spec("torchvision") is None,
                                 reason="torchvision is not installed")


def halved(image):
    """A transform that can be pickled: means of the halves of a PIL image."""
    array = np.asarray(image, float)
    middle = array.shape[1] // 2
    return torch.tensor([array[:, :middle].mean(), array[:, middle:].mean()])


def negative(label):
    return -1 - label


@torchvision
def test_as_torchvisions(tree, path):
    """The same classes, numbers and pixels, through the same transforms."""
    from torchvision import datasets, transforms
    transform = transforms.Compose([transforms.Resize(20), transforms.CenterCrop(16),
                                    transforms.ToTensor()])
    theirs = datasets.ImageFolder(tree / "train", transform, negative)
    ours = pt.ImageFolder(f"{path}/train", transform, negative)
    assert len(ours) == len(theirs) == 24
    assert (ours.classes, ours.class_to_idx) == (theirs.classes, theirs.class_to_idx)
    assert sorted(ours.targets) == sorted(theirs.targets)
    number = {Path(file).relative_to(tree).as_posix(): i
              for i, (file, _) in enumerate(theirs.samples)}
    assert set(number) == {key for key, _ in ours.samples} and ours.imgs is ours.samples
    for i, (key, target) in enumerate(ours.samples):
        image, label = theirs[number[key]]
        assert torch.equal(ours[i][0], image), key
        assert ours[i][1] == label == -1 - target and ours.targets[i] == target
    plain = pt.ImageFolder(path, split="train")[3][0]
    assert np.array_equal(plain, datasets.ImageFolder(tree / "train")[
        number[ours.samples[3][0]]][0])


def test_a_split_without_a_class(tmp_path):
    """Classes have the numbers of all splits; torchvision's change with the folder."""
    data = encode(picture(1, 20, 20))
    pcr.write(tmp_path / "dataset", [("a", data, "ant", None, "train"),
                                     ("b", data, "bee", None, "train"),
                                     ("c", data, "bee", None, "val")])
    dataset = pt.ImageFolder(tmp_path / "dataset" / "val")
    assert dataset.classes == ["ant", "bee"] and dataset.targets == [1] and dataset[0][1] == 1


@torchvision
def test_pictures_lie_as_stored(tmp_path):
    """As torchvision's lie; orient=True turns them."""
    from torchvision import datasets
    folder = tmp_path / "photographs" / "ant"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(encode(picture(1, 30, 20), exif=orientation_exif(6)))
    pcr.convert(tmp_path / "photographs", tmp_path / "dataset")
    ours, theirs = pt.ImageFolder(tmp_path / "dataset"), datasets.ImageFolder(folder.parent)
    assert ours[0][0].size == theirs[0][0].size == (30, 20)
    assert np.array_equal(ours[0][0], theirs[0][0])
    assert pt.ImageFolder(tmp_path / "dataset", orient=True)[0][0].size == (20, 30)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_in_workers(path, context):
    """Workers give what the process itself gives, in order."""
    dataset = pt.ImageFolder(path, halved, negative, split="train", fidelity=2)
    dataset[0], dataset.targets
    loader = DataLoader(dataset, batch_size=5, num_workers=2, multiprocessing_context=context)
    found = list(loader)
    for got, expected in together(found, DataLoader(dataset, batch_size=5)):
        assert torch.equal(got[0], expected[0]) and torch.equal(got[1], expected[1])
    assert torch.equal(torch.cat([labels for _, labels in found]),
                       -1 - torch.tensor(dataset.targets))


def test_forms(path, ds):
    expected = ds[5].decode(2)
    how = {"split": "all", "fidelity": 2}
    assert np.array_equal(pt.Dataset(path, image="array", **how)[5][0], expected)
    picture = pt.Dataset(path, image="pil", **how)[5][0]
    assert isinstance(picture, Image.Image) and picture.mode == "RGB"
    assert np.array_equal(picture, expected)
    tensor = pt.Dataset(path, **how)[5][0]
    assert torch.equal(tensor, torch.from_numpy(expected).permute(2, 0, 1))
    assert pt.Dataset(path, image="file", **how)[-1][0] == ds[47].read(2)
    files = next(iter(DataLoader(pt.Dataset(path, image="file", **how), 3)))[0]
    assert list(files) == [ds[i].read(2) for i in range(3)]
    gray = ds[5].decode(2, gray=True)
    for image, shape in (("array", gray.shape), ("tensor", (1, *gray.shape))):
        assert pt.Dataset(path, image=image, gray=True, **how)[5][0].shape == shape
    assert pt.Dataset(path, image="pil", gray=True, **how)[5][0].mode == "L"
    shapes = pt.Dataset(path, transform=lambda image: image.shape, size=(8, 9), **how)
    assert shapes[0][0] == (3, 8, 9) and len(shapes.__getitems__([3, 1])) == 2


def test_an_open_dataset(path):
    """Its owner may close it."""
    with pcr.open(path, split="val") as ds:
        dataset = pt.Dataset(ds, size=8)
        expected = ds[3].key, ds[3].label
    copy = pickle.loads(pickle.dumps(dataset))
    for one in (dataset, copy):
        assert one.samples[3] == expected and one.dataset.split == "val" and len(one) == 24
        assert torch.equal(one[3][0], dataset[3][0])
    with pcr.open(path) as ds:
        for more in ({"split": "train"}, {"cache_bytes": 1 << 20}):
            with pytest.raises(pcr.InvalidError, match="already open"):
                pt.Dataset(ds, **more)


def test_names_and_attributes(mixed):
    path, files = mixed
    names = {"x": "images", "key": "keys", "more": "attributes", "number": "indices"}
    dataset = pt.Dataset(path, size=8, names=names)
    assert list(dataset[2]) == list(names)
    assert (dataset[2]["key"], dataset[2]["number"]) == (files[2][0], 2)
    batch = next(iter(DataLoader(dataset, len(files), num_workers=1)))
    assert batch["key"] == [name for name, _ in files]
    assert batch["more"]["number"].tolist() == list(range(len(files)))
    assert dataset.dataset[dataset.dataset.find(files[2][0])].attributes == {"number": 2}
    assert pt.Dataset(path).targets == [-1] * len(files)


def test_a_cache(path, tmp_path):
    dataset = pt.Dataset(path, split="train", fidelity=1, cache_dir=tmp_path / "cache")
    for _ in range(2):
        for index in range(3):
            dataset[index]
    found = dataset.dataset.io_stats()
    assert found["cache_hit_nbytes"] > 0 and any((tmp_path / "cache").iterdir())
    assert pickle.loads(pickle.dumps(dataset))[2][1] == dataset[2][1]


def test_float_labels(tmp_path):
    data = encode(picture(1, 20, 20))
    pcr.write(tmp_path / "floats", [("a", data, 0.5), ("b", data, None)], shuffle=False)
    dataset = pt.Dataset(tmp_path / "floats", size=4)
    assert dataset[0][1] == 0.5 and math.isnan(dataset[1][1])
    with pytest.raises(pcr.InvalidError, match="no classes; pcr.torch.Dataset"):
        pt.ImageFolder(tmp_path / "floats")


def test_what_is_refused(path, tmp_path):
    for wrong, error, message in (
            ({"num_workers": 2}, TypeError, "the DataLoader's"),
            ({"loader": open}, TypeError, "write image="),
            ({"planar": True}, TypeError, "image=\"tensor\""),
            ({"cache": 1}, TypeError, "did you mean cache_"),
            ({"image": "jpeg"}, pcr.InvalidError, "image is 'jpeg'"),
            ({"image": "file", "size": 8}, pcr.InvalidError, "not decoded"),
            ({"image": "file", "gray": True}, pcr.InvalidError, "not decoded"),
            ({"names": {"a": "crops"}}, pcr.InvalidError, "names is"),
            ({"scale": 9}, pcr.InvalidError, "scale is 9"),
            ({"fidelity": 99}, pcr.InvalidError, "fidelity is 99"),
            ({"size": (0, 5)}, pcr.InvalidError, "0")):
        for kind in (pt.Dataset, pt.ImageFolder):
            with pytest.raises(error, match=message):
                kind(path, split="train", **wrong)
    with pytest.raises(IndexError):
        pt.Dataset(path, split="train")[24]
    with pytest.raises(pcr.NotFoundError):
        pt.ImageFolder(tmp_path / "nothing" / "train")
    with pytest.raises(pcr.InvalidError, match="test"):
        pt.ImageFolder(f"{path}/test")


@pytest.mark.parametrize("workers", [0, 1])
def test_damage_is_told(path, tmp_path, workers):
    """A worker's exception arrives as what it is."""
    def damage(data, record):
        data[record.head_end:] = bytes(len(data) - record.head_end)

    dataset = pt.Dataset(damaged_copy(path, tmp_path / "damaged", damage), split="all", size=8)
    with pytest.raises(pcr.CorruptError):
        list(DataLoader(dataset, batch_size=4, num_workers=workers))
