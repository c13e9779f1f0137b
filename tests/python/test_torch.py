# SPDX-License-Identifier: BSD-2-Clause
"""pcr.torch, where PyTorch is installed."""

import gc
import importlib.util
import json

import numpy as np
import pytest

import pcr

installed = importlib.util.find_spec("torch") is not None
pytestmark = pytest.mark.skipif(not installed, reason="PyTorch is not installed")
if installed:
    import torch
    from pcr import torch as pt

OPTIONS = {"size": 16, "batch_size": 10, "seed": 2}


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16", "bfloat16"])
def test_tensors(path, dtype):
    with pcr.Loader(path, layout="NCHW", dtype=dtype, **OPTIONS) as plain, \
            pt.Loader(path, dtype=dtype, **OPTIONS) as loader:
        assert len(loader) == 5
        for batch, (images, labels) in zip(plain, loader, strict=True):
            assert images.shape == (len(labels), 3, 16, 16)
            assert images.dtype == getattr(torch, dtype) and labels.dtype == torch.int64
            got = images.view(torch.int16) if dtype == "bfloat16" else images
            np.testing.assert_array_equal(got.numpy().view(batch.pixels.dtype),
                                          batch.pixels)
            np.testing.assert_array_equal(labels.numpy(), batch.labels)


def test_fields(path):
    names = ("indices", "crops", "sizes", "flips", "angles", "keys", "attributes", "samples",
             "datasets", "fidelities")
    how = {"flip": 0.5, "rotate": 10, **OPTIONS}
    with pcr.Loader(path, layout="NCHW", **how) as plain, \
            pt.Loader(path, fields=names, **how) as loader:
        for batch, (images, labels, *more) in zip(plain, loader, strict=True):
            np.testing.assert_array_equal(labels.numpy(), batch.labels)
            np.testing.assert_array_equal(images.numpy(), batch.pixels)
            for name, got in zip(names, more, strict=True):
                if name == "samples":
                    assert [s.key for s in got] == batch.keys
                elif name in ("keys", "attributes"):
                    assert got == getattr(batch, name)
                else:
                    assert isinstance(got, torch.Tensor)
                    np.testing.assert_array_equal(got.numpy(), getattr(batch, name))
    with pt.Loader(path, raw=True, fields=("keys",), **OPTIONS) as loader:
        assert all(len(keys) == len(files) for files, _, keys in loader)
    for wrong in ("keys", ("pixels",), ("keys", "crop")):
        with pytest.raises(pcr.InvalidError, match="fields is"):
            pt.Loader(path, fields=wrong)
    with pytest.raises(pcr.InvalidError, match="fields is"):
        pt.Loader(path, raw=True, fields=("crops",))


def test_the_buffer_returns_with_its_tensor(path):
    with pt.Loader(path, **OPTIONS) as loader:
        kept = [images for images, _ in loader]
        copies = [images.clone() for images in kept]
        assert len({images.data_ptr() for images in kept}) == 5
    del loader
    gc.collect()
    assert all(torch.equal(a, b) for a, b in zip(kept, copies))
    with pt.Loader(path, threads=1, batches_ahead=1, **OPTIONS) as loader:
        places = {images.data_ptr() for _ in range(4) for images, _ in loader}
        assert len(places) < 8


def test_dlpack_does_not_copy(path):
    with pcr.Loader(path, dtype="float32", **OPTIONS) as loader:
        batch = next(iter(loader))
        tensor = torch.from_dlpack(batch.pixels)
        assert tensor.data_ptr() == batch.pixels.ctypes.data


def test_state(path):
    with pt.Loader(path, **OPTIONS) as loader:
        whole = [images.clone() for images, _ in loader]
        loader.set_epoch(0)
        iterator = iter(loader)
        next(iterator), next(iterator)
        state = json.loads(json.dumps(loader.state_dict()))
    with pt.Loader(path, **OPTIONS) as loader:
        loader.load_state_dict(state)
        rest = [images.clone() for images, _ in loader]
    assert len(rest) == 3 and all(map(torch.equal, rest, whole[2:]))


@pytest.mark.parametrize("workers", [0, 2])
def test_map_style(path, ds, workers):
    dataset = pt.Dataset(path, size=(20, 24), fidelity=2)
    assert len(dataset) == 48
    loader = torch.utils.data.DataLoader(dataset, batch_size=12, num_workers=workers)
    found = list(loader)
    assert torch.equal(torch.cat([labels for _, labels in found]),
                       torch.from_numpy(ds.labels.copy()))
    expected = np.moveaxis(pcr.resize(ds[13].decode(2), 20, 24), 2, 0)
    np.testing.assert_array_equal(found[1][0][1].numpy(), expected)
    assert len(dataset.__getitems__([3, 1])) == 2
    plain = pt.Dataset(path, transform=lambda image: image.shape)
    assert plain[0] == (ds[0].decode().shape, int(ds.labels[0]))


@pytest.mark.parametrize("workers", [0, 3])
def test_iterable(path, ds, workers):
    dataset = pt.IterableDataset(path, size=16, batch_size=4)
    seen = []
    for epoch in range(2):
        dataset.set_epoch(epoch)
        loader = torch.utils.data.DataLoader(dataset, batch_size=None,
                                             num_workers=workers)
        seen.append(torch.cat([images.flatten(1) for images, _ in loader]))
        assert len(seen[-1]) == 48
        assert len(torch.unique(seen[-1], dim=0)) == 48
    assert not torch.equal(*seen)


@pytest.mark.skipif(importlib.util.find_spec("torchdata") is None,
                    reason="torchdata is not installed")
@pytest.mark.parametrize("workers", [0, 2])
def test_stateful_data_loader(path, workers):
    from torchdata.stateful_dataloader import StatefulDataLoader

    def loader(epoch):
        dataset = pt.IterableDataset(path, size=16, batch_size=4)
        dataset.set_epoch(epoch)
        return StatefulDataLoader(dataset, batch_size=None, num_workers=workers)

    whole = [images.clone() for images, _ in loader(3)]
    for taken in (0, 1, 5, len(whole)):
        first, second = loader(3), loader(3)
        batches = iter(first)
        for images in whole[:taken]:
            assert torch.equal(next(batches)[0], images)
        second.load_state_dict(first.state_dict())
        rest = [images.clone() for images, _ in second]
        if taken < len(whole):
            assert len(rest) == len(whole) - taken
            assert all(map(torch.equal, rest, whole[taken:]))


def test_a_state_comes_before_the_first_batch(path):
    batches = iter(pt.IterableDataset(path, size=16, batch_size=4))
    assert batches.state_dict() == {"epoch": 0}
    next(batches)
    state = batches.state_dict()
    assert state["position"] == 4
    with pytest.raises(RuntimeError):
        batches.load_state_dict(state)
    assert len(list(batches)) == 11
    assert batches.state_dict()["epoch"] == 1
