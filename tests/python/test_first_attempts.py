# SPDX-License-Identifier: BSD-2-Clause
"""What people try first: it works, or the error says what to write."""

import numpy as np
import pytest

import pcr

OPTIONS = {"size": 8, "batch_size": 16}


def order(loader):
    return [int(i) for batch in loader for i in batch.indices]


def test_shuffle_as_a_truth_value(path):
    for given, same in ((True, "block"), (False, "none")):
        with pcr.Loader(path, shuffle=given, **OPTIONS) as a, \
                pcr.Loader(path, shuffle=same, **OPTIONS) as b:
            assert order(a) == order(b)
    with pytest.raises(pcr.InvalidError, match="shuffle is 'yes', expected one of none, block"):
        pcr.Loader(path, shuffle="yes")


@pytest.mark.parametrize("given, meant", [
    ({"num_workers": 4}, r"'num_workers': .*threads="),
    ({"batchsize": 4}, r"'batchsize'; did you mean batch_size\?"),
    ({"fidelty": 2}, r"'fidelty'; did you mean fidelity.*\?"),
    ({"rank": 0, "world_size": 2}, r"'rank': write shard=\(rank, world\)"),
    ({"device": "cuda"}, r"'device': .*images.to\(device\)"),
    ({"xyzzy": 1}, r"'xyzzy'; it has dataset, split, .*batch_size"),
    ({"pin_memory": True}, r"'pin_memory': pcr.torch.Loader has it")])
def test_other_words(path, given, meant):
    with pytest.raises(TypeError, match=rf"Loader\(\) has no argument {meant}"):
        pcr.Loader(path, **given)


def test_other_words_elsewhere(path, tmp_path):
    with pytest.raises(TypeError, match=r"open\(\) has no argument 'fidelity': "):
        pcr.open(path, fidelity=2)
    with pytest.raises(TypeError, match=r"'slit'; did you mean split\?"):
        pcr.open(path, slit="val")
    with pytest.raises(TypeError, match=r"convert\(\) has no argument 'num_workers': .*threads"):
        pcr.convert(path, tmp_path / "out", num_workers=2)
    with pytest.raises(TypeError, match=r"write\(\) has no argument 'on_bda'; did you mean"):
        pcr.write(tmp_path / "out", [], on_bda="skip")


@pytest.mark.parametrize("fidelity", [0.5, "low", 0, -1, 2.0, True, {"low": 1}, {0.5: 1}])
def test_fidelities_are_numbers(path, ds, fidelity):
    said = "expected a whole number from 1 to G.*pcrtool info"
    with pytest.raises(pcr.InvalidError, match=said):
        pcr.Loader(path, fidelity=fidelity)
    if not isinstance(fidelity, dict):
        with pytest.raises(pcr.InvalidError, match=said):
            ds[0].decode(fidelity)
        with pcr.Loader(ds) as loader, pytest.raises(pcr.InvalidError, match=said):
            loader.set_fidelity(fidelity)


def test_a_mean_asks_for_floats(path):
    how = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), **OPTIONS}
    with pcr.Loader(path, **how) as loader, \
            pcr.Loader(path, dtype="float32", **how) as same:
        assert np.array_equal(loader.peek().pixels, same.peek().pixels)
        assert loader.peek().pixels.dtype == np.float32
    with pytest.raises(pcr.InvalidError, match="mean"):
        pcr.Loader(path, dtype="uint8", **how)


def test_numbers_of_numpy(path):
    for one in (np.int64(8), np.uint8(8), np.array(8)):
        with pcr.Loader(
                path, size=one, batch_size=np.int32(16), fidelity=np.int64(2),
                seed=np.int64(3), threads=np.int8(1), shard=(np.int64(0), np.int64(2)),
                repeat=np.float32(1), mean=np.float32(0.5), fill=np.uint8(3),
                std=np.array([1, 2, 3])) as loader:
            assert loader.peek().pixels.shape == (16, 8, 8, 3)
    with pcr.Loader(path, size=np.array([8, 9]), batch_size=16) as loader:
        assert loader.peek().pixels.shape == (16, 8, 9, 3)
        assert type(loader.batch_size) is int
    for wrong in ({"batch_size": 16.0}, {"seed": "1"}, {"threads": None, "readers": 1.5}):
        with pytest.raises(TypeError, match="expected a whole number"):
            pcr.Loader(path, **wrong)


def test_attributes(ds):
    with pcr.Loader(ds, drop_last=True, **OPTIONS) as loader:
        assert loader.batch_size == 16 and loader.drop_last
        assert loader.dataset is ds and loader.classes == ds.classes == ("ant", "bee", "crab")
