# SPDX-License-Identifier: BSD-2-Clause
"""Batches of image files, and memory for batches that the caller provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Tuple, Union

import numpy as np

from . import _structs as st

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

#: allocate(nbytes) -> address, a multiple of 64, or 0; release(address, nbytes).
MemoryHooks = Tuple[Callable[[int], int], Callable[[int, int], None]]


class RawBatch:
    """One batch of a loader with raw=True. Unpacks as ``files, labels = batch``.

    data: uint8, shape (bytes,): the image files, one after the other. It is the library's
        own memory, not a copy, as `pixels` of other batches.
    offsets: int64, shape (n + 1,): file i is data[offsets[i]:offsets[i + 1]].
    files: n arrays, which look at data: a JPEG file each, at the sample's fidelity; samples
        that are kept whole are as they were, of whatever format.
    labels, indices, datasets, fidelities, number, epoch: as of other batches.
    """

    __slots__ = ("data", "datasets", "epoch", "fidelities", "indices", "labels", "number",
                 "offsets")

    def __init__(self, memory: Any, batch: st.Batch) -> None:
        n = batch.sample_count
        self.data: npt.NDArray[np.uint8] = np.asarray(memory)
        self.offsets = numbers(batch.offsets, n + 1)
        self.labels = numbers(batch.labels, n)
        self.indices = numbers(batch.indices, n)
        self.datasets = numbers(batch.datasets, n)
        self.fidelities = numbers(batch.fidelities, n)
        self.number = int(batch.number)
        self.epoch = int(batch.epoch)

    @property
    def files(self) -> List[npt.NDArray[np.uint8]]:
        """Each sample's file, as an array that looks at data."""
        return [self.data[begin:end]
                for begin, end in zip(self.offsets[:-1], self.offsets[1:])]

    def __iter__(self) -> Iterator[Union[List[npt.NDArray[np.uint8]], npt.NDArray[Any]]]:
        yield self.files
        yield self.labels

    def __repr__(self) -> str:
        return (f"<pcr.RawBatch {self.number} of epoch {self.epoch}: "
                f"{len(self.labels)} files>")


def numbers(pointer: Any, count: int) -> npt.NDArray[np.int64]:
    """A copy of an array of whole numbers."""
    return np.ctypeslib.as_array(pointer, (count,)).astype(np.int64)


def set_hooks(options: st.LoaderOptions, memory: MemoryHooks) -> Tuple[Any, Any]:
    """Puts a caller's functions into the options. What is returned must outlive all batches."""
    allocate, release = memory
    hooks = (st.ALLOCATE_CALLBACK(lambda _opaque, nbytes: allocate(nbytes)),
             st.RELEASE_CALLBACK(lambda _opaque, address, nbytes: release(address, nbytes)))
    options.allocate, options.release = hooks
    return hooks
