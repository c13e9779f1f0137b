# SPDX-License-Identifier: BSD-2-Clause
"""A loader's batches as a tf.data.Dataset. TensorFlow must be installed to import this module."""

from __future__ import annotations

import json
from typing import Any, Iterator, List, Sequence, Tuple

import numpy as np
import tensorflow as tf  # type: ignore[import]

from ._batch import RawBatch
from ._columns import Column
from ._loader import Loader
from .errors import InvalidError

__all__ = ["dataset"]

_FIELDS = ("valid", "indices", "datasets", "fidelities", "keys", "state")
_MIX_FIELDS = ("lam", "partners")
_PIXEL_FIELDS = ("shapes", "mask", "sizes", "crops", "flips", "angles", "quarters",
                 "affines")


def dataset(loader: Loader, *, fields: Sequence[str] = ()) -> Any:
    """A tf.data.Dataset whose elements are a loader's batches, (images, labels).

    loader: a pcr.Loader, which must stay open while the dataset is in use. Each iteration of the
        dataset, also by repeat(), is the loader's next epoch: two at once are an error.
    fields: what else elements have, after the labels: "valid" (there by itself, first of these,
        with exact=True), "indices", "datasets", "fidelities", "keys" (strings), of pixels "shapes",
        "mask", "sizes", "crops", "flips", "angles", "quarters", "affines" (see pcr.Batch),
        with mixup or cutmix "lam" and "partners", names of the loader's `columns`, and "state".

    images: of the loader's dtype and shape, (n, height, width, channels) unless its `layout` says
    otherwise; the library's own memory, which returns to it when the last tensor of it is gone.
    With `views` a tuple of such. With raw=True strings, (n,), for tf.io.decode_jpeg. labels: int64,
    (n,), or float64; with mixup or cutmix the batch's soft_labels. In `element_spec` n is known
    where no batch is shorter (drop_last or exact), and None elsewhere; height and width are None
    where pictures have sizes of their own. Ragged batches are an InvalidError.

    Columns are tensors of their types, with 0, NaN, "" or "null" where a sample has no value; JSON
    is a string. Lists that differ in length are a tf.RaggedTensor.

    State: "state" is a string, the JSON of loader.state_dict() after this batch. As it comes with
    the batch, what prefetch() holds does not count: loader.load_state_dict(json.loads(
    state.numpy())) goes on behind the last batch that was used. tf.train.Checkpoint does not keep
    iterators of Python programs.

    Batches are not sharded again by tf.distribute: that is the loader's (`shard`). One batch is
    made to see its shape. Raises InvalidError, and what iterating over the loader raises; iterating
    over the dataset raises an error of tf.errors with the message of what the loader raises.
    """
    first = loader.peek()
    raw = isinstance(first, RawBatch)
    known = _FIELDS if raw else _FIELDS + _PIXEL_FIELDS
    if not raw and first.lam is not None:
        known += _MIX_FIELDS
    known += tuple(name for name in first.columns if name not in known)
    if isinstance(fields, str) or not all(name in known for name in fields):
        raise InvalidError(f"fields is {fields!r}, expected a sequence of {', '.join(known)}")
    if not isinstance(first, RawBatch) and isinstance(first.pixels, list):
        raise InvalidError("tf.data wants batches of one shape: a loader without ragged=True")
    exact = len(tuple(first)) > 2
    names = (*(("valid",) if exact and "valid" not in fields else ()), *fields)

    def element(batch: Any) -> Tuple[Any, ...]:
        return (_images(batch), batch._targets, *(_field(loader, batch, name) for name in names))

    def batches() -> Iterator[Tuple[Any, ...]]:
        return map(element, loader)

    made = tf.data.Dataset.from_generator(
        batches, output_signature=_signature(loader, ("images", "labels", *names), element(first),
                                             loader.drop_last or exact))
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return made.with_options(options)


def _images(batch: Any) -> Any:
    if isinstance(batch, RawBatch):
        return np.array([file.tobytes() for file in batch.files], object)
    views = tuple(_pixels(view.pixels) for view in batch.views)
    return views if len(views) > 1 else views[0]


def _pixels(pixels: Any) -> Any:
    """An array as TensorFlow knows its type: bfloat16 comes as its bits."""
    return pixels.view(tf.bfloat16.as_numpy_dtype) if pixels.dtype == np.uint16 else pixels


def _field(loader: Loader, batch: Any, name: str) -> Any:
    if name == "state":
        return json.dumps(loader.state_dict())
    if name == "keys":
        keys: List[bytes] = [key.encode("utf-8", "surrogateescape") for key in batch.keys]
        return np.array(keys, object)
    return _column(batch.columns[name]) if _is_column(batch, name) else getattr(batch, name)


def _is_column(batch: Any, name: str) -> bool:
    return name in batch.columns and name not in _FIELDS + _MIX_FIELDS + _PIXEL_FIELDS


def _column(column: Column) -> Any:
    """An array; lists that differ in length a RaggedTensor; texts and JSON as bytes."""
    values = column.values
    if values.dtype == object:
        json_type = "json" in column.type
        values = np.frompyfunc(lambda v: (json.dumps(v) if json_type else v or "").encode(), 1,
                               1)(values) if values.size else values
    if column.offsets is None:
        return values
    flat = tf.constant(values, tf.string) if values.dtype == object else values
    return tf.RaggedTensor.from_row_splits(flat, column.offsets)


def _signature(loader: Loader, names: Sequence[str], values: Sequence[Any],
               whole: bool) -> Tuple[Any, ...]:
    """The signature of elements, by the first one."""
    def of(name: str, value: Any) -> Any:
        if name == "images" and isinstance(value, tuple):
            return tuple(_spec(view, whole, loader.free_axes(i)) for i, view in enumerate(value))
        free = loader.free_axes(0) if name == "images" else ()
        return _spec(value, whole, (1, 2) if name == "mask" and loader.free_axes(0) else free)
    return tuple(map(of, names, values))


def _spec(value: Any, whole: bool, free: Sequence[int]) -> Any:
    """free: axes whose length is not the same in all batches."""
    if isinstance(value, str):
        return tf.TensorSpec((), tf.string)
    if isinstance(value, tf.RaggedTensor):
        count = value.shape[0] if whole else None
        return tf.RaggedTensorSpec([count, None, *value.shape[2:]], value.dtype, ragged_rank=1)
    shape = [len(value) if whole else None, *value.shape[1:]]
    for axis in free:
        shape[axis] = None
    return tf.TensorSpec(shape, tf.string if value.dtype == object else value.dtype)
