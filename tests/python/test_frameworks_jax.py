# SPDX-License-Identifier: BSD-2-Clause
"""Batches as arrays of JAX, and pcr.grain, where these are installed."""

import gc
import importlib.util
import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

import pcr
from together import together


def needs(package):
    return pytest.mark.skipif(importlib.util.find_spec(package) is None,
                              reason=f"{package} is not installed")


OPTIONS = {"size": 16, "batch_size": 12, "seed": 2, "split": "all"}


@needs("jax")
@pytest.mark.filterwarnings("ignore")
def test_arrays_of_jax_are_the_batches_memory(path):
    """No copy; the buffer comes back when the array is gone, and not before."""
    import jax
    import jax.numpy as jnp
    with pcr.Loader(path, dtype="float32", threads=1, batches_ahead=1, **OPTIONS) as loader:
        kept, copies = [], []
        for images, labels in loader:
            array = jax.dlpack.from_dlpack(images)
            assert array.unsafe_buffer_pointer() == images.ctypes.data
            assert array.shape == images.shape and array.dtype == jnp.float32
            assert jnp.asarray(labels).tolist() == labels.tolist()
            kept.append(array)
            copies.append(images.copy())
            del images
        gc.collect()
        again = [images.copy() for images, _ in loader]  # in other buffers
        assert len({array.unsafe_buffer_pointer() for array in kept}) == len(kept) == 4
        for array, copy in together(kept, copies):
            assert np.array_equal(array, copy)
        del kept, array
        gc.collect()
        places = {images.ctypes.data for _ in range(4) for images, _ in loader}
        assert len(places) < 8 and len(again) == 4
    step = jax.jit(lambda x: x.mean())
    with pcr.Loader(path, dtype="float32", **OPTIONS) as loader:
        means = [step(jax.dlpack.from_dlpack(images)) for images, _ in loader]
    with pcr.Loader(path, dtype="float32", **OPTIONS) as loader:
        assert np.allclose(means, [images.mean() for images, _ in loader], atol=1e-6)


@needs("jax")
def test_bfloat16_of_jax(path):
    import jax
    import jax.numpy as jnp
    how = {"mean": .5, "std": .25, **OPTIONS}
    with pcr.Loader(path, dtype="bfloat16", **how) as loader, \
            pcr.Loader(path, dtype="float32", **how) as plain:
        for (bits, _), (exact, _) in together(loader, plain):
            array = jax.lax.bitcast_convert_type(jax.dlpack.from_dlpack(bits), jnp.bfloat16)
            assert np.allclose(np.asarray(array, np.float32), exact, rtol=2**-8)


@needs("grain")
def test_a_source(path, ds, tmp_path):
    source = pcr.grain.Source(path, split="train", size=16, fidelity=2)
    assert len(source) == 24 and list(source[3]) == ["image", "label"]
    assert np.array_equal(source[3]["image"], pcr.resize(ds[3].decode(2), 16, 16))
    assert source[3]["label"] == ds[3].label and source.classes == list(ds.classes)
    named = pcr.grain.Source(ds, image="file", names={"jpeg": "images", "key": "keys"})
    assert named[5] == {"jpeg": ds[5].read(), "key": ds[5].key}
    with pytest.raises(TypeError, match="Source\\(\\) has no argument 'transform'"):
        pcr.grain.Source(path, split="all", transform=len)
    copy = pickle.loads(pickle.dumps(source))
    assert repr(copy) == repr(source) and np.array_equal(copy[3]["image"], source[3]["image"])
    shutil.copytree(path, tmp_path / "dataset")
    moved = pcr.grain.Source(f"{tmp_path}/dataset/", split="train", fidelity=1)
    assert repr(moved) == repr(source)
    others = [pcr.grain.Source(path, split="val")]
    (tmp_path / "x").mkdir()
    pcr.write(tmp_path / "x" / "dataset",
              [pcr.NewSample(s.key, s.read(), None, None, "train") for s in ds[:24]])
    others.append(pcr.grain.Source(tmp_path / "x" / "dataset", split="train"))
    assert all(repr(other) != repr(source) for other in others)


@needs("grain")
def test_map_dataset(path, ds):
    """Shuffled, batched, repeated; a state goes on exactly."""
    import grain
    source = pcr.grain.Source(path, split="train", size=8,
                              names={"image": "images", "index": "indices"})

    def made():
        return (grain.MapDataset.source(source).shuffle(seed=3).repeat(2).to_iter_dataset()
                .batch(5, drop_remainder=False))

    whole = [batch["index"].tolist() for batch in made()]
    assert sorted(sum(whole, [])) == sorted(2 * list(range(24)))
    first = iter(made())
    for _ in range(3):
        batch = next(first)
    assert batch["image"].shape == (5, 8, 8, 3)
    state = json.loads(json.dumps(first.get_state()))
    second = iter(made())
    second.set_state(state)
    assert [batch["index"].tolist() for batch in second] == whole[3:]


WORKERS = """
import json, sys
import grain, pcr

def main(path, other):
    def loader(path, fidelity=None):
        source = pcr.grain.Source(path, split="train", size=8, fidelity=fidelity,
                                  names={"image": "images", "index": "indices"})
        sampler = grain.samplers.IndexSampler(len(source), grain.sharding.NoSharding(),
                                              shuffle=True, num_epochs=1, seed=1)
        return grain.DataLoader(data_source=source, sampler=sampler, worker_count=2,
                                operations=[grain.transforms.Batch(4)])
    whole = [batch["index"].tolist() for batch in loader(path)]
    assert sorted(sum(whole, [])) == list(range(24)), whole
    batches = iter(loader(path))
    for _ in range(2):
        batch = next(batches)
    assert batch["image"].shape == (4, 8, 8, 3)
    state = batches.get_state()
    rest = iter(loader(other, 1))
    rest.set_state(state)
    assert [batch["index"].tolist() for batch in rest] == whole[2:]

if __name__ == "__main__":
    from absl import flags
    flags.FLAGS.mark_as_parsed()  # absl.app.run() does so
    main(*sys.argv[1:])
    print("done")
"""


@needs("grain")
def test_worker_processes(path, tmp_path):
    """Grain's DataLoader, its sampler and its checkpoint, which a copy of the dataset takes."""
    shutil.copytree(path, tmp_path / "dataset")
    (tmp_path / "program.py").write_text(WORKERS)
    done = subprocess.run([sys.executable, tmp_path / "program.py", path, tmp_path / "dataset"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    assert done.stdout.endswith("done\n"), done.stderr[-3000:]
