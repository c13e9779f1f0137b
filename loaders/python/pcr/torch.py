# SPDX-License-Identifier: BSD-2-Clause
"""Datasets and loaders for PyTorch, which must be installed to import this module.

Loader is the fast one: the library's own threads, batches as tensors without a copy.
Dataset and IterableDataset are for programs that are built around
torch.utils.data.DataLoader.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple, Union

import torch  # type: ignore[import]
import torch.utils.data  # type: ignore[import]

from . import _loader
from ._dataset import Dataset as _Dataset, Path, open as _open
from ._image import resize
from ._library import Size, height_width
from ._batch import MemoryHooks, RawBatch
from .errors import InvalidError

__all__ = ["Dataset", "IterableDataset", "Loader"]


def _process() -> Tuple[int, int]:
    """(rank, world) of torch.distributed, if that is in use."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


_FIELDS = ("indices", "datasets", "fidelities", "samples", "keys", "attributes")
_PIXEL_FIELDS = ("sizes", "crops", "flips", "angles")


def _check_fields(fields: Sequence[str], raw: bool) -> Tuple[str, ...]:
    known = _FIELDS if raw else _FIELDS + _PIXEL_FIELDS
    if isinstance(fields, str) or not all(name in known for name in fields):
        raise InvalidError(f"fields is {fields!r}, expected a sequence of {', '.join(known)}")
    return tuple(fields)


def _tensors(batch: Any, dtype: str, fields: Tuple[str, ...]) -> Tuple[Any, ...]:
    if isinstance(batch, RawBatch):
        images: Any = [torch.from_numpy(file) for file in batch.files]
    elif dtype == "bfloat16":  # by way of int16, which every version knows
        images = torch.from_numpy(batch.pixels.view("int16")).view(torch.bfloat16)
    else:
        images = torch.from_numpy(batch.pixels)
    more = (getattr(batch, name) for name in fields)
    return (images, torch.from_numpy(batch.labels),
            *(value if isinstance(value, list) else torch.from_numpy(value) for value in more))


def _pinned() -> MemoryHooks:
    """Functions that give memory which PyTorch has pinned."""
    held = {}

    def allocate(nbytes: int) -> int:
        tensor = torch.empty(nbytes, dtype=torch.uint8, pin_memory=True)
        address = int(tensor.data_ptr())
        held[address] = tensor
        return address

    def release(address: int, _nbytes: int) -> None:
        del held[address]

    return allocate, release


class Loader(_loader.Loader):
    """pcr.Loader whose batches are (images, labels): tensors.

    Takes the same arguments. `layout` is "NCHW" unless given; `shard` is the process's
    rank and world in torch.distributed where that is in use when the first batch is taken.
    `images` is the library's own memory, which returns to it when the last tensor that looks
    at it is gone; `labels` are each sample's first: int64, -1 where there is none, or of a
    dataset with float labels float64, NaN where there is none.

    fields: names of what else batches are to have, as tensors or lists, after the labels:
        "indices", "datasets", "fidelities", "samples" (all labels, among others), "keys",
        "attributes", and of pixels "sizes", "crops", "flips", "angles". pcr.Batch says what
        they are.
    raw: (files, labels): a list of uint8 tensors, for torchvision.io.decode_jpeg and such.
    pin_memory: batches are in memory that PyTorch has pinned, for copies to a GPU that do
        not block; it needs one.
    """

    def __init__(self, dataset: Any, *, dtype: str = "uint8", layout: str = "NCHW",
                 pin_memory: bool = False, fields: Sequence[str] = (), **options: Any) -> None:
        self._fields = _check_fields(fields, bool(options.get("raw")))
        if pin_memory:
            options["memory"] = _pinned()
        super().__init__(dataset, dtype=dtype, layout=layout, **options)
        self._dtype = dtype

    def _find_shard(self) -> Optional[Tuple[int, int]]:
        return _process()

    def __iter__(self) -> Iterator[Tuple[Any, ...]]:  # type: ignore[override]
        """An iterator over the next epoch, or the rest of a state's. See pcr.Loader."""
        epoch = super().__iter__()
        return (_tensors(batch, self._dtype, self._fields) for batch in epoch)

    def peek(self) -> Tuple[Any, ...]:  # type: ignore[override]
        """The batch that the next iteration will give first. See pcr.Loader."""
        return _tensors(super().peek(), self._dtype, self._fields)


class Dataset(torch.utils.data.Dataset):  # type: ignore[misc]
    """Single samples: (image, first label); without one, -1, or NaN where labels are floats.

    path, split: as in pcr.open().
    fidelity: 1 to G; None is G.
    size: (height, width) that images are resized to, whole, or one number for both; None
        leaves them as they are.
    orient: as in pcr.decode().
    transform: called with the image, uint8 of shape (height, width, 3), a NumPy array;
        without one the image becomes a tensor of shape (3, height, width).

    May be sent to other processes, and used after fork(): each opens the files itself.
    """

    def __init__(self, path: Path, *, split: Optional[str] = None,
                 fidelity: Optional[int] = None, size: Optional[Size] = None,
                 transform: Optional[Callable[[Any], Any]] = None,
                 orient: bool = True) -> None:
        self._path, self._split = path, split
        self.fidelity, self.size, self.transform = fidelity, size, transform
        self.orient = orient
        self._opened: Optional[Tuple[int, _Dataset]] = None
        self._count = len(self._dataset())

    def _dataset(self) -> _Dataset:
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), _open(self._path, split=self._split)
        return self._opened[1]

    def __getstate__(self) -> Any:
        return {**self.__dict__, "_opened": None}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Tuple[Any, Union[int, float]]:
        sample = self._dataset()[index]
        image: Any = sample.decode(self.fidelity, orient=self.orient)
        if self.size is not None:
            image = resize(image, *height_width(self.size))
        if self.transform is not None:
            image = self.transform(image)
        else:
            image = torch.from_numpy(image).permute(2, 0, 1)
        label = sample.label
        if label is None:
            label = float("nan") if self._dataset().schema["label"] == "floats" else -1
        return image, label

    def __getitems__(self, indices: List[int]) -> List[Tuple[Any, Union[int, float]]]:
        return [self[index] for index in indices]


class _Batches(Iterator[Tuple[Any, ...]]):
    """One pass of an IterableDataset. Its loader is made when the first batch is asked for, so
    that a state may come before."""

    def __init__(self, make: Callable[[], Loader], epoch: int) -> None:
        self._make, self._epoch = make, epoch
        self._loader: Optional[Loader] = None
        self._batches: Optional[Iterator[Tuple[Any, ...]]] = None
        self._state: Any = None

    def __next__(self) -> Tuple[Any, ...]:
        if self._batches is None:
            self._loader = self._make()
            self._loader.set_epoch(self._epoch)
            if self._state is not None:
                self._loader.load_state_dict(self._state)
            self._batches = iter(self._loader)
        try:
            return next(self._batches)
        except StopIteration:
            if self._loader is not None:
                self._state = self._loader.state_dict()
                self._loader.close()
                self._loader = None
            raise

    def state_dict(self) -> Any:
        """What Loader.state_dict() is; {"epoch": n} before the first batch."""
        if self._loader is not None:
            return self._loader.state_dict()
        return {"epoch": self._epoch} if self._state is None else self._state

    def load_state_dict(self, state: Any) -> None:
        """Has the first batch be the one after the state's last."""
        if self._batches is not None:
            raise RuntimeError("a state comes before the first batch")
        self._epoch = state["epoch"]
        self._state = state if "position" in state else None


class IterableDataset(torch.utils.data.IterableDataset):  # type: ignore[misc]
    """Whole batches, (images, labels), for DataLoader(..., batch_size=None).

    Takes Loader's arguments; the first is a path. The order is divided among all
    worker processes of all ranks (`shard`, or those of torch.distributed): one epoch of all
    of them has each sample once, but for what evens out the last step. A worker has one
    thread unless `threads` says otherwise.

    Its iterators have state_dict() and load_state_dict(), by which torchdata's
    StatefulDataLoader goes on in the middle of an epoch, with as many workers and ranks.
    """

    def __init__(self, path: Path, *, shard: Optional[Tuple[int, int]] = None,
                 **options: Any) -> None:
        self._path, self._options = path, options
        self._shard = _process() if shard is None else shard
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch that the next iter() gives. Each iter() gives epoch 0 without."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[Tuple[Any, ...]]:
        rank, world = self._shard
        options = dict(self._options)
        worker = torch.utils.data.get_worker_info()
        if worker is not None:
            rank, world = rank * worker.num_workers + worker.id, world * worker.num_workers
            options.setdefault("threads", 1)
        return _Batches(lambda: Loader(self._path, shard=(rank, world), **options),
                        self._epoch)
