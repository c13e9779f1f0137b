# SPDX-License-Identifier: BSD-2-Clause
"""pcr.tf, where TensorFlow is installed."""

import gc
import importlib.util
import json

import numpy as np
import pytest

import pcr
from images import encode, picture
from together import together

installed = importlib.util.find_spec("tensorflow") is not None
pytestmark = [pytest.mark.skipif(not installed, reason="TensorFlow is not installed"),
              pytest.mark.filterwarnings("ignore")]
if installed:
    import tensorflow as tf

OPTIONS = {"size": 16, "batch_size": 10, "seed": 2, "split": "all", "flip": .5}


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16", "bfloat16"])
def test_elements(path, dtype):
    with pcr.Loader(path, dtype=dtype, **OPTIONS) as plain, \
            pcr.Loader(path, dtype=dtype, **OPTIONS) as loader:
        dataset = pcr.tf.dataset(loader)
        assert dataset.element_spec == (tf.TensorSpec((None, 16, 16, 3), getattr(tf, dtype)),
                                        tf.TensorSpec((None,), tf.int64))
        for _ in range(2):  # each another epoch
            for batch, (images, labels) in together(plain, dataset):
                assert np.array_equal(images.numpy().view(batch.pixels.dtype), batch.pixels)
                assert np.array_equal(labels.numpy(), batch.labels)


ROWS = [{"i": 7, "f": .5, "s": "\u00e9", "b": True, "two": [1, 2], "rag": [.5, 1.5], "boxes":
         [[0, 0, 1, 1]], "names": ["a", "b"], "j": {"x": [1]}},
        {"i": -1, "f": 1.5, "s": "b", "b": False, "two": [3, 4], "rag": [], "boxes": [],
         "names": [], "j": None}, {}]


@pytest.mark.parametrize("drop_last", [False, True])
def test_columns(tmp_path, drop_last):
    data = encode(picture(1, 20, 20), "JPEG")
    pcr.write(tmp_path / "d", [(str(i), data, 0, row) for i, row in enumerate(ROWS * 3)])
    names = tuple(ROWS[0])
    with pcr.Loader(tmp_path / "d", size=8, batch_size=4, columns=names, drop_last=drop_last,
                    split="all") as loader:
        dataset = pcr.tf.dataset(loader, fields=(*names, "keys"))
        n = 4 if drop_last else None
        specs = dict(zip(names, dataset.element_spec[2:]))
        assert specs["i"] == tf.TensorSpec((n,), tf.int64)
        assert specs["f"] == tf.TensorSpec((n,), tf.float64)
        assert specs["b"] == tf.TensorSpec((n,), tf.bool)
        assert specs["s"] == specs["j"] == tf.TensorSpec((n,), tf.string)
        assert specs["two"] == tf.TensorSpec((n, 2), tf.int64)
        assert specs["rag"] == tf.RaggedTensorSpec((n, None), tf.float64, ragged_rank=1)
        assert specs["boxes"] == tf.RaggedTensorSpec((n, None, 4), tf.int64, ragged_rank=1)
        assert specs["names"] == tf.RaggedTensorSpec((n, None), tf.string, ragged_rank=1)
        count = 0
        for _, _, *columns, keys in dataset.prefetch(1):
            found = dict(zip(names, columns))
            for place, key in enumerate(keys.numpy()):
                row = ROWS[int(key) % 3]
                assert found["i"][place].numpy() == row.get("i", 0)
                assert found["b"][place].numpy() == row.get("b", False)
                assert np.array_equal(found["f"][place], row.get("f", np.nan), equal_nan=True)
                assert found["s"][place].numpy().decode() == row.get("s", "")
                assert found["two"][place].numpy().tolist() == row.get("two", [0, 0])
                assert json.loads(found["j"][place].numpy()) == row.get("j")
                for name in ("rag", "boxes"):
                    assert found[name][place].numpy().tolist() == row.get(name, [])
                assert [t.decode() for t in found["names"][place].numpy()] == row.get("names", [])
                count += 1
        assert count == (8 if drop_last else 9)


def test_fields(path):
    fields = ("indices", "keys", "crops", "flips")
    with pcr.Loader(path, exact=True, **OPTIONS) as plain, \
            pcr.Loader(path, exact=True, **OPTIONS) as loader:
        dataset = pcr.tf.dataset(loader, fields=fields)
        assert [spec.shape[0] for spec in dataset.element_spec] == [10] * 7
        for batch, (_, _, valid, indices, keys, crops, flips) in together(plain, dataset):
            assert np.array_equal(valid, batch.valid) and np.array_equal(flips, batch.flips)
            assert np.array_equal(indices, batch.indices)
            assert np.array_equal(crops, batch.crops)
            assert [key.decode() for key in keys.numpy()] == batch.keys
        for wrong in ("keys", ("pixels",)):
            with pytest.raises(pcr.InvalidError, match="fields is"):
                pcr.tf.dataset(loader, fields=wrong)
    with pcr.Loader(path, raw=True, drop_last=True, **OPTIONS) as loader:
        dataset = pcr.tf.dataset(loader)
        assert dataset.element_spec[0] == tf.TensorSpec((10,), tf.string)
        files, _ = next(iter(dataset))
        assert tf.io.decode_jpeg(files[0]).shape[2] == 3
    with pcr.Loader(path, views=[pcr.View(size=16), pcr.View(size=8)],
                    batch_size=10, split="all") as loader:
        images, labels = next(iter(pcr.tf.dataset(loader)))
        assert [i.shape[1:] for i in images] == [(16, 16, 3), (8, 8, 3)] and len(labels) == 10


def test_a_state_counts_what_was_used(path):
    """Not what prefetch() holds; from the middle of an epoch and from its end."""
    def made(loader):
        return pcr.tf.dataset(loader, fields=("indices", "state")).repeat(2).prefetch(3)

    with pcr.Loader(path, **OPTIONS) as loader:
        whole, states = [], []
        for images, labels, indices, state in made(loader):
            whole.append((indices.numpy().tolist(), int(tf.reduce_sum(tf.cast(images, tf.int64)))))
            states.append(json.loads(state.numpy()))
    assert len(whole) == 10
    for taken in (1, 3, 5, 7):
        with pcr.Loader(path, **OPTIONS) as loader:
            loader.load_state_dict(states[taken - 1])
            again = [(indices.numpy().tolist(), int(tf.reduce_sum(tf.cast(images, tf.int64))))
                     for images, _, indices, _ in made(loader)]
        assert again[:10 - taken] == whole[taken:], taken


def test_tensors_outlive_the_loader(path):
    with pcr.Loader(path, threads=1, batches_ahead=1, **OPTIONS) as loader:
        dataset = pcr.tf.dataset(loader)
        kept = [images for images, _ in dataset]
        copies = [images.numpy().copy() for images in kept]
        for _ in dataset:
            pass
    del loader, dataset
    gc.collect()
    assert len(kept) == 5 and all(map(np.array_equal, kept, copies))


def test_options_and_errors(path, tmp_path):
    with pcr.Loader(path, **OPTIONS) as loader:
        dataset = pcr.tf.dataset(loader)
        options = dataset.options()
        assert (options.experimental_distribute.auto_shard_policy ==
                tf.data.experimental.AutoShardPolicy.OFF)
    with pytest.raises(Exception, match="closed"):
        next(iter(dataset))


def test_mixed_batches(path):
    """Labels are soft ones, as CategoricalCrossentropy takes them."""
    with pcr.Loader(path, mixup=0.4, **OPTIONS) as plain, \
            pcr.Loader(path, mixup=0.4, **OPTIONS) as loader:
        dataset = pcr.tf.dataset(loader, fields=("lam", "partners"))
        assert dataset.element_spec[1] == tf.TensorSpec((None, 3), tf.float32)
        for batch, (images, soft, lam, partners) in together(plain, dataset):
            assert np.array_equal(images, batch.pixels)
            assert np.array_equal(soft, batch.soft_labels) and np.array_equal(lam, batch.lam)
            assert np.array_equal(partners, batch.partners)
    with pcr.Loader(path, **OPTIONS) as loader, pytest.raises(pcr.InvalidError, match="fields is"):
        pcr.tf.dataset(loader, fields=("lam",))


def test_keras(path):
    """fit() takes it; the last batch of an epoch is shorter."""
    import keras
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Rescaling(1 / 255),
                              keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pcr.Loader(path, **OPTIONS) as loader:
        history = model.fit(pcr.tf.dataset(loader), epochs=2, verbose=0)
        assert len(history.history["loss"]) == 2 and np.isfinite(history.history["loss"]).all()
        assert loader.state_dict()["epoch"] == 2
