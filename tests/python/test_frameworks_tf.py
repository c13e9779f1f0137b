# SPDX-License-Identifier: BSD-2-Clause
"""pcr.tf, where TensorFlow is installed."""

import gc
import importlib.util
import json

import numpy as np
import pytest

import pcr
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
