# SPDX-License-Identifier: BSD-2-Clause
"""pcr.torch, where PyTorch is installed."""

import gc
import importlib.util
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

import pcr
from together import together

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
        for batch, (images, labels) in together(plain, loader):
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
        for batch, (images, labels, *more) in together(plain, loader):
            np.testing.assert_array_equal(labels.numpy(), batch.labels)
            np.testing.assert_array_equal(images.numpy(), batch.pixels)
            for name, got in together(names, more):
                if name == "samples":
                    assert [s.key for s in got] == batch.keys
                elif name in ("keys", "attributes"):
                    assert got == getattr(batch, name)
                else:
                    assert isinstance(got, torch.Tensor)
                    np.testing.assert_array_equal(got.numpy(), getattr(batch, name))
    with pt.Loader(path, fields=("keys",), exact=True, **OPTIONS) as loader:
        count = 0
        for images, labels, valid, keys in loader:
            assert valid.dtype == torch.bool and len(images) == len(labels) == len(keys) == 10
            count += int(valid.sum())
        assert count == 48
    with pytest.raises(pcr.InvalidError, match="valid"):
        pt.Loader(path, names={"x": "images"}, exact=True)
    with pt.Loader(path, raw=True, fields=("keys",), **OPTIONS) as loader:
        assert all(len(keys) == len(files) for files, _, keys in loader)
    for wrong in ("keys", ("pixels",), ("keys", "crop")):
        with pytest.raises(pcr.InvalidError, match="fields is"):
            pt.Loader(path, fields=wrong)
    with pytest.raises(pcr.InvalidError, match="fields is"):
        pt.Loader(path, raw=True, fields=("crops",))


def test_names(path):
    names = {"pixel_values": "images", "labels": "labels", "key": "keys"}
    with pt.Loader(path, **OPTIONS) as plain, pt.Loader(path, names=names, **OPTIONS) as loader:
        assert list(loader.peek()) == list(names)
        for (images, labels), batch in together(plain, loader):
            assert torch.equal(batch["pixel_values"], images)
            assert torch.equal(batch["labels"], labels) and len(batch["key"]) == len(labels)
    with pt.Loader(path, raw=True, names={"jpeg": "files"}, **OPTIONS) as loader:
        assert len(next(iter(loader))["jpeg"]) == 10
    for wrong, more in (({"a": "pixels"}, {}), ({}, {}), ("images", {}),
                        ({"a": "images"}, {"fields": ("keys",)}), ({"a": "files"}, {})):
        with pytest.raises(pcr.InvalidError, match="names is"):
            pt.Loader(path, names=wrong, **more)


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


def data_loader(dataset, workers, **more):
    return torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=workers, **more)


def passes(loader, count=1):
    """The indices, and a sum of the pixels, of each batch of so many passes."""
    return [[(indices.tolist(), int(images.sum())) for images, _, indices in loader]
            for _ in range(count)]


def iterable(path, **more):
    return pt.IterableDataset(path, size=16, seed=1, flip=0.5, fields=("indices",),
                              **{"batch_size": 7, **more})


@pytest.mark.parametrize("how", [
    {"workers": 0}, {"workers": 2}, {"workers": 2, "persistent_workers": True}])
def test_each_pass_of_an_iterable_is_the_next_epoch(path, how):
    dataset = iterable(path)
    loader = data_loader(dataset, **how)
    found = passes(loader, 2)
    for batches in found:
        assert sorted(i for indices, _ in batches for i in indices) == list(range(48))
        assert len(batches) == len(loader) == len(dataset) == 7
    assert found[0] != found[1]
    dataset.set_epoch(1)
    assert passes(loader, 1) == found[1:]
    dataset.set_epoch(0)
    assert passes(loader, 2) == found
    if how["workers"] == 0:
        with pt.Loader(path, size=16, seed=1, flip=0.5, fields=("indices",),
                       batch_size=7) as plain:
            assert passes(plain, 2) == found


def test_passes_of_many_data_loaders(path):
    """New workers, fewer workers, none, iterators that were left: always the next epoch."""
    dataset = iterable(path)
    reference = iterable(path)
    for epoch, workers in enumerate((2, 1, 0, 2)):
        reference.set_epoch(epoch)
        assert passes(data_loader(dataset, workers)) == passes(data_loader(reference, workers))
    left = iter(data_loader(dataset, 2))
    next(left)
    reference.set_epoch(5)
    torch.manual_seed(0)
    assert passes(data_loader(dataset, 2)) == passes(data_loader(reference, 2))
    torch.manual_seed(0)  # the same seeds of workers once more
    assert passes(data_loader(dataset, 2)) == passes(data_loader(reference, 2))


def test_spawned_workers(path):
    """They get copies by pickling, with the memory that is shared."""
    dataset, reference = iterable(path), iterable(path)
    loader = data_loader(dataset, 1, persistent_workers=True, multiprocessing_context="spawn")
    for epoch in (0, 1, 7):
        if epoch == 7:
            dataset.set_epoch(7)
        reference.set_epoch(epoch)
        assert passes(loader) == passes(reference)
    reference.set_epoch(8)
    assert passes(dataset) == passes(reference)


@pytest.mark.parametrize("persistent", [False, True])
def test_fidelity_reaches_workers(path, persistent):
    dataset = pt.IterableDataset(path, size=16, batch_size=4, batches_ahead=1,
                                 fields=("fidelities",), fidelity=[(0, 1), (2, 3)])
    loader = data_loader(dataset, 1, persistent_workers=persistent, prefetch_factor=1)

    def fidelities():
        return [set(batch[2].tolist()) for batch in loader]

    batches = iter(loader)
    seen = [next(batches)]
    dataset.set_fidelity(2)
    seen += batches
    assert set(seen[0][2].tolist()) == {1} and set(seen[-1][2].tolist()) == {2}
    assert fidelities() == [{2}] * 12  # epoch 1
    assert fidelities() == [{3}] * 12  # the schedule's
    dataset.set_fidelity(None)
    assert fidelities() == [{dataset.group_count}] * 12
    with pytest.raises(pcr.InvalidError, match="fidelity is 99"):
        dataset.set_fidelity(99)


def test_quality_in_workers(path):
    """set_fidelity() takes its place until an epoch begins that the schedule names, set_quality()
    that of both."""
    dataset = pt.IterableDataset(path, size=16, batch_size=12, fields=("fidelities",),
                                 quality=[(0, .5), (2, .95)])
    with pcr.Loader(path, size=16, batch_size=12, quality=[(0, .5), (2, .95)]) as loader:
        expected = [sorted(g for b in loader for g in b.fidelities.tolist()) for _ in range(3)]
    loader = data_loader(dataset, 1)

    def fidelities():
        return sorted(g for batch in loader for g in batch[2].tolist())

    assert fidelities() == expected[0]
    dataset.set_fidelity(2)
    assert fidelities() == [2] * 48
    assert fidelities() == expected[2]
    dataset.set_fidelity(2)
    dataset.set_quality(.95)
    with pcr.Loader(path, size=16, batch_size=12, quality=.95) as plain:
        plain.set_epoch(3)
        assert fidelities() == sorted(g for b in plain for g in b.fidelities.tolist())
    dataset.set_quality(.99999999)
    assert min(fidelities()) > 2
    with pytest.raises(pcr.InvalidError, match="quality is 1"):
        dataset.set_quality(1)


def test_an_iterable_checks_what_it_is_given(path, tmp_path):
    for wrong in ({"batch_size": 0}, {"fields": ("x",)}, {"fidelity": 99}, {"shard": (2, 2)},
                  {"pin_memory": True}):
        with pytest.raises(pcr.InvalidError):
            pt.IterableDataset(path, **wrong)
    with pytest.raises(pcr.NotFoundError):
        pt.IterableDataset(tmp_path / "nothing")
    with pytest.raises(TypeError, match="no argument 'num_workers'.*threads="):
        pt.IterableDataset(path, num_workers=3)
    with pcr.open(path, split="val") as ds:
        dataset = pickle.loads(pickle.dumps(iterable(ds, batch_size=5)))
        assert len(dataset) == len(list(dataset)) == 5
        assert dataset.batch_size == 5 and dataset.classes == ds.classes


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_of_batches_are_refused(path, workers):
    loader = torch.utils.data.DataLoader(iterable(path), batch_size=4, num_workers=workers)
    with pytest.raises(TypeError, match="batch_size=None"):
        next(iter(loader))


def test_ranks_of_workers(path):
    datasets = [iterable(path, shard=(rank, 2)) for rank in range(2)]
    for workers in (0, 2):
        ranks = [passes(data_loader(dataset, workers))[0] for dataset in datasets]
        assert [len(r) for r in ranks] == [len(d) for d in datasets] == [4, 4]
        assert {i for r in ranks for indices, _ in r for i in indices} == set(range(48))


def test_no_import_of_its_own(path):
    code = ("import sys, pcr\nassert 'torch' not in sys.modules\n"
            "print(next(iter(pcr.torch.Loader(sys.argv[1])))[0].shape)")
    done = subprocess.run([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
    assert done.stdout == "torch.Size([48, 3, 224, 224])\n"


TWO = """
import json, sys
import torch.distributed, pcr
from torch.utils.data import DataLoader

if __name__ == "__main__":
    path, place, rank = sys.argv[1], sys.argv[2], int(sys.argv[3])
    how = {"size": 8, "batch_size": 5, "fields": ("indices",)}
    loader = pcr.torch.Loader(path, **how)  # before anybody knows of processes
    dataset = pcr.torch.IterableDataset(path, **how)
    exact = pcr.torch.Loader(path, **how, exact=True, shuffle=False)
    torch.distributed.init_process_group("gloo", init_method=f"file://{place}/meet", rank=rank,
                                         world_size=2)
    found = {}
    loader.sampler.set_epoch(1)
    found["loader"] = [[batch[2].tolist() for batch in loader]]
    for name, context in (("forked", None), ("spawned", "spawn")):
        workers = DataLoader(dataset, batch_size=None, num_workers=1,
                             multiprocessing_context=context)
        found[name] = [[batch[2].tolist() for batch in workers]]
        assert len(found[name][0]) == len(workers) == len(dataset) == 5
    found["exact"] = [[indices[valid].tolist() for _, _, valid, indices in exact]]
    json.dump(found, open(f"{place}/{rank}.json", "w"))
    torch.distributed.barrier()
"""


def test_two_processes(path, tmp_path):
    """Loaders made before the process group take their parts all the same."""
    script = tmp_path / "two.py"
    script.write_text(TWO)
    ranks = [subprocess.Popen([sys.executable, script, path, tmp_path, str(rank)])
             for rank in range(2)]
    assert [rank.wait(120) for rank in ranks] == [0, 0]
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    for name in found[0]:
        seen = [i for rank in found for batches in rank[name] for batch in batches
                for i in batch]
        assert sorted(seen) == list(range(48)), name
        assert len({len(rank[name][0]) for rank in found}) == 1


def test_a_loader_is_no_dataset(path):
    with pt.Loader(path, **OPTIONS) as loader:
        with pytest.raises(TypeError, match="do not put it into one.*IterableDataset"):
            list(torch.utils.data.DataLoader(loader))
        with pytest.raises(TypeError, match="do not put it into one.*IterableDataset"):
            list(torch.utils.data.DataLoader(loader, num_workers=1))
        with pytest.raises(TypeError, match="cannot be pickled.*make the loader there"):
            pickle.dumps(loader)


def test_what_frameworks_look_for(path, ds):
    with pt.Loader(ds, drop_last=True, **OPTIONS) as loader:
        assert loader.batch_size == 10 and loader.drop_last and loader.classes == ds.classes
        assert len(loader.dataset) == 48 and loader.dataset[3].key == ds[3].key
        assert isinstance(loader.dataset, pcr.Dataset) and len(loader.sampler) == 4
        loader.sampler.set_epoch(3)
        whole = [images.clone() for images, _ in loader]
        loader.batch_sampler.set_epoch(3)
        again = torch.utils.data.DataLoader(
            loader.dataset, batch_sampler=loader.batch_sampler, collate_fn=loader.collate_fn)
        assert all(torch.equal(a, b) for a, (b, _) in together(whole, again))
        wrong = torch.utils.data.DataLoader(
            loader.dataset, batch_sampler=loader.batch_sampler, collate_fn=loader.collate_fn,
            num_workers=1)
        with pytest.raises(TypeError, match="write num_workers=0"):
            next(iter(wrong))
        wrong = torch.utils.data.DataLoader(loader.dataset, 3, collate_fn=loader.collate_fn)
        with pytest.raises(TypeError, match="collate_fn goes with its batch_sampler"):
            next(iter(wrong))


@pytest.mark.skipif(importlib.util.find_spec("torchdata") is None,
                    reason="torchdata is not installed")
@pytest.mark.parametrize("how", [{}, {"num_workers": 2},
                                 {"num_workers": 2, "persistent_workers": True}])
def test_stateful_data_loader(path, how):
    """The rest of the epoch, then whole ones; at an epoch's end the next."""
    from torchdata.stateful_dataloader import StatefulDataLoader

    def loader():
        return StatefulDataLoader(iterable(path, batch_size=4), batch_size=None, **how)

    reference = iterable(path, batch_size=4)
    epochs = [passes(data_loader(reference, how.get("num_workers", 0)))[0] for _ in range(4)]
    for done, taken in ((0, 0), (0, 5), (1, 11), (1, 12)):
        first, second = loader(), loader()
        assert passes(first, done) == epochs[:done]
        batches = iter(first)
        for expected in epochs[done][:taken]:
            images, _, indices = next(batches)
            assert (indices.tolist(), int(images.sum())) == expected
        if taken == 12:
            assert next(batches, None) is None
        second.load_state_dict(first.state_dict())
        rest = passes(second, 2)
        if taken < 12:
            assert rest == [epochs[done][taken:], epochs[done + 1]], (done, taken)
        else:
            assert rest == epochs[done + 1:done + 3]


def test_a_state_comes_before_the_first_batch(path):
    batches = iter(pt.IterableDataset(path, size=16, batch_size=4))
    assert batches.state_dict() == {"epoch": 0}
    next(batches)
    state = batches.state_dict()
    assert state["position"] == 4
    with pytest.raises(RuntimeError):
        batches.load_state_dict(state)
    assert len(list(batches)) == 11
    ended = batches.state_dict()
    assert ended == {"epoch": 0, "ended": True}
    dataset = pt.IterableDataset(path, size=16, batch_size=4)
    again = iter(dataset)
    again.load_state_dict(ended)
    assert list(again) == [] and iter(dataset).state_dict() == {"epoch": 1}
