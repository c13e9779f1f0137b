# SPDX-License-Identifier: BSD-2-Clause
"""What loaders give out, and memory for it that the caller provides."""

from __future__ import annotations

import operator
import os
import weakref
from ctypes import byref
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional,
                    Sequence, Tuple, Union)

import numpy as np

from . import _structs as st
from ._boxes import Boxes, Moved
from ._columns import Column, column_of
from ._dataset import Dataset
from ._library import lib
from ._mixing import softened
from ._sample import Sample
from .errors import InvalidError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

    from ._mix import Renumbering

#: allocate(nbytes) -> address, a multiple of 64, or 0; release(address, nbytes).
MemoryHooks = Tuple[Callable[[int], int], Callable[[int, int], None]]


class Samples:
    """What batches of pixels and of files have in common.

    labels: shape (n,): each sample's first label: int64, -1 where there is none, or where the
        dataset's labels are floats float64, NaN where there is none. With the loader's
        `renumber` int64: the class's place in `classes`.
    label_counts: int64, shape (n,): how many labels each sample has; all_labels are these.
    indices: int64, shape (n,): positions in the dataset as opened.
    datasets: int64, shape (n,): which of the loader's datasets, from 0.
    fidelities: int64, shape (n,): what each sample was decoded at.
    valid: bool, shape (n,): True where the sample has its own place, False where one only
        fills the batch: in the place of a bad one, or as it has its place in another batch too,
        of this process or another. Measures of a whole dataset sum over the valid ones.
    number: of the batch in its epoch, from 0.
    epoch: the epoch's number.
    columns: a dictionary of the attributes that the loader's `columns` name, each a Column of the
        batch's samples.

    These arrays are copies, which may be kept for as long as you like.
    """

    __slots__ = ("_exact", "_from", "_values", "columns", "datasets", "epoch", "fidelities",
                 "indices", "label_counts", "labels", "number", "valid")

    def __init__(self, batch: st.Batch, datasets: Sequence[Dataset],
                 renumber: Optional[Renumbering], exact: bool,
                 columns: Mapping[str, str]) -> None:
        n = batch.sample_count
        self._from = datasets
        self._exact = exact
        self.labels: npt.NDArray[Any] = (
            np.ctypeslib.as_array(batch.float_labels, (n,)).copy() if batch.float_labels
            else numbers(batch.labels, n))
        self.label_counts: npt.NDArray[np.int64] = numbers(batch.label_counts, n)
        self._values = all_values(batch, self.labels, self.label_counts)
        self.indices: npt.NDArray[np.int64] = numbers(batch.indices, n)
        self.datasets: npt.NDArray[np.int64] = numbers(batch.datasets, n)
        if renumber is not None:
            self.labels = renumber(self.labels, self.datasets)
        self.fidelities: npt.NDArray[np.int64] = numbers(batch.fidelities, n)
        self.valid: npt.NDArray[np.bool_] = (
            np.ctypeslib.as_array(batch.valid, (n,)).astype(np.bool_))
        self.number = int(batch.number)
        self.epoch = int(batch.epoch)
        self.columns: Dict[str, Column] = {
            name: column_of(name, kind, batch.columns[i].contents)
            for i, (name, kind) in enumerate(columns.items())}

    @property
    def _targets(self) -> npt.NDArray[Any]:
        """What training is to predict."""
        return self.labels

    @property
    def all_labels(self) -> List[npt.NDArray[Any]]:
        """Each sample's labels, the dataset's own: n arrays of int64 or float64."""
        return np.split(self._values, np.cumsum(self.label_counts)[:-1])

    @property
    def samples(self) -> List[Sample]:
        """Each sample's metadata: its key, all its labels, its attributes, its size. It comes
        from the records' heads, which are in memory for the most part; about 10 us a sample.
        """
        return [self._from[d][i]
                for d, i in zip(self.datasets.tolist(), self.indices.tolist())]

    @property
    def keys(self) -> List[str]:
        """Each sample's key."""
        return [sample.key for sample in self.samples]

    @property
    def attributes(self) -> List[Dict[str, Any]]:
        """Each sample's attributes."""
        return [sample.attributes for sample in self.samples]


class Batch(Samples):
    """One batch. Unpacks as ``images, labels = batch``; of a loader with exact=True as
    ``images, labels, valid = batch``; `images` of a loader with views is a list, the pixels of
    each; `labels` of one with mixup or cutmix are soft_labels.

    views: what each view shows, a list of BatchView; one without the loader's `views`. The
        following are those of the first.

    pixels: of the loader's dtype (bfloat16: its bits, as uint16), shape (n, height, width,
        channels), or (n, channels, height, width) for layout "NCHW". It is the library's
        own memory, not a copy: the buffer is used again for a later batch once no array
        looks at it any more. It may be written to. With the loader's `ragged` n such arrays,
        (height, width, channels) or (channels, height, width).
    shapes: int64, shape (n, 2): height and width of each delivered picture. Where sizes differ it
        is at the top left of its place in `pixels`.
    mask: bool, shape (n, height, width): True where a picture is, False where it is padded (as
        transformers' pixel_mask; DETR's is the opposite). A letterbox's bars are the picture's.
        Raises InvalidError with `ragged`.
    sizes: int64, shape (n, 2): height and width of the picture; upright, or, with
        orient=False, as it is stored.
    crops: float32, shape (n, 4): x0, y0, x1, y1, the part of that picture that was resized to
        the pixels.
    flips: bool, shape (n,): whether it was then mirrored, left to right.
    angles: float32, shape (n,): degrees by which it was then turned, anticlockwise.
    quarters: int64, shape (n,): how many times 90 of these were turns by right angles, 0 to 3;
        after an odd number the height is what was the width.
    affines: float64, shape (n, 2, 3): all of it at once, and where RandAugment's operations move
        pixels the only place that says so: affines[i] @ (x, y, 1) is where a place of the picture,
        in pixels from its top left corner, is in the delivered one.
    boxes: of a loader with `boxes`, n arrays of float32, each of shape (boxes, 4): x0, y0, x1,
        y1 in pixels of the picture delivered. They follow all that moves pixels (where that is
        not along its sides, around the moved corners) and are clipped; those that Loader's
        `box_min_size` and `box_min_part` say are left out.
    box_index: n arrays of int64: which of the sample's boxes these are.
    box_columns: by each name in `with_boxes` n arrays, the items of that column that belong to
        these boxes.

    Of a loader with `mixup` or `cutmix`, else None; the labels that the batch unpacks as are then
    soft_labels, if there are such:

    soft_labels: float32, shape (n, classes): lam at the sample's labels and 1 - lam at its
        partner's, added where they are the same. Where labels are floats shape (n,): both
        first labels, weighted so. None with num_classes=0. labels are still the sample's own.
    lam: float32, shape (n,): how much of a sample is its own.
    partners: int64, shape (n,): the place in the batch of the sample that the rest is of; its own,
        with a lam of 1, where it was not mixed.

    Labels, indices and such, and the samples' keys and attributes: see Samples. All arrays
    but pixels are copies.
    """

    __slots__ = ("affines", "angles", "crops", "flips", "lam", "partners", "pixels", "quarters",
                 "shapes", "sizes", "soft_labels", "views")

    def __init__(self, memory: Memory, batch: st.Batch, datasets: Sequence[Dataset],
                 renumber: Optional[Renumbering], exact: bool,
                 columns: Mapping[str, str], boxes: Optional[Boxes]) -> None:
        super().__init__(batch, datasets, renumber, exact, columns)
        self.views = [BatchView(memory, batch, batch.views[i], self.columns, boxes)
                      for i in range(batch.view_count)]
        first = self.views[0]
        self.pixels, self.sizes, self.crops = first.pixels, first.sizes, first.crops
        self.flips, self.angles, self.quarters = first.flips, first.angles, first.quarters
        self.shapes, self.affines = first.shapes, first.affines
        self.lam: Optional[npt.NDArray[np.float32]] = None
        self.partners: Optional[npt.NDArray[np.int64]] = None
        self.soft_labels: Optional[npt.NDArray[np.float32]] = None
        if batch.lam:
            n = batch.sample_count
            self.lam = np.ctypeslib.as_array(batch.lam, (n,)).copy()
            self.partners = numbers(batch.partners, n)
            self.soft_labels = softened(batch, self.labels, self.lam, self.partners, renumber)

    @property
    def _targets(self) -> npt.NDArray[Any]:
        """What training is to predict."""
        return self.labels if self.soft_labels is None else self.soft_labels

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Where pictures are: see Batch. Raises InvalidError with `ragged`."""
        return self.views[0].mask

    @property
    def boxes(self) -> List[npt.NDArray[np.float32]]:
        """Each sample's boxes in the delivered picture: see Batch. Raises InvalidError where the
        loader has no `boxes`, or a sample has other numbers of them and of what goes with them.
        """
        return self.views[0].boxes

    @property
    def box_index(self) -> List[npt.NDArray[np.int64]]:
        """Which of each sample's boxes they are."""
        return self.views[0].box_index

    @property
    def box_columns(self) -> Dict[str, List[npt.NDArray[Any]]]:
        """What belongs to them, by the names in the loader's `with_boxes`."""
        return self.views[0].box_columns

    def __iter__(self) -> Iterator[Any]:
        yield self.pixels if len(self.views) == 1 else [view.pixels for view in self.views]
        yield self._targets
        if self._exact:
            yield self.valid

    def __repr__(self) -> str:
        return f"<pcr.Batch {self.number} of epoch {self.epoch}: {_form(self.pixels)}>"


class BatchView:
    """One of the pictures of each sample in a batch: pixels, shapes, mask, sizes, crops, flips,
    angles, quarters, affines, boxes, box_index and box_columns as Batch has them."""

    __slots__ = ("_boxes", "_columns", "_moved", "_place", "affines", "angles", "crops", "flips",
                 "pixels", "quarters", "shapes", "sizes")

    def __init__(self, memory: Memory, batch: st.Batch, view: st.BatchView,
                 columns: Mapping[str, Column], boxes: Optional[Boxes]) -> None:
        self._boxes, self._columns = boxes, columns
        self._moved: Optional[Moved] = None  # until they are asked for
        self._place = int(view.height), int(view.width)
        places: Any = np.ctypeslib.as_array(view.pictures, (batch.sample_count,))
        self.shapes: npt.NDArray[np.int64] = side_by_side(places, ("height", "width"), np.int64)
        self.pixels: Any = (_padded(memory, batch, view) if view.height else
                            _ragged(memory, batch, view, places["offset"], self.shapes))
        of: Any = np.ctypeslib.as_array(view.crops, (batch.sample_count,))
        self.sizes: npt.NDArray[np.int64] = side_by_side(of, ("height", "width"), np.int64)
        self.crops: npt.NDArray[np.float32] = side_by_side(of, ("x0", "y0", "x1", "y1"), np.float32)
        self.flips: npt.NDArray[np.bool_] = of["flipped"].astype(np.bool_)
        self.angles: npt.NDArray[np.float32] = of["degrees"].copy()
        self.quarters: npt.NDArray[np.int64] = of["quarters"].astype(np.int64)
        self.affines: npt.NDArray[np.float64] = of["affine"].reshape(-1, 2, 3).copy()

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Where pictures are: see Batch. Raises InvalidError with `ragged`."""
        if isinstance(self.pixels, list):
            raise InvalidError("ragged batches are not padded and have no mask")
        height, width = self._place
        found: npt.NDArray[np.bool_] = (
            (np.arange(height)[:, None] < self.shapes[:, 0, None, None]) &
            (np.arange(width) < self.shapes[:, 1, None, None]))
        return found

    def _follow(self) -> Moved:
        if self._moved is None:
            if self._boxes is None:
                raise InvalidError("the loader has no boxes: give it boxes= the name of the "
                                   "attribute")
            self._moved = self._boxes.move(self._columns, self.affines, self.shapes)
        return self._moved

    @property
    def boxes(self) -> List[npt.NDArray[np.float32]]:
        """Each sample's boxes in the delivered picture: see Batch. Raises InvalidError where the
        loader has no `boxes`, or a sample has other numbers of them and of what goes with them.
        """
        return self._follow().boxes

    @property
    def box_index(self) -> List[npt.NDArray[np.int64]]:
        """Which of each sample's boxes they are."""
        return self._follow().places

    @property
    def box_columns(self) -> Dict[str, List[npt.NDArray[Any]]]:
        """What belongs to them, by the names in the loader's `with_boxes`."""
        return self._follow().columns

    def __repr__(self) -> str:
        return f"<pcr.BatchView: {_form(self.pixels)}>"


class RawBatch(Samples):
    """One batch of a loader with raw=True. Unpacks as ``files, labels = batch``; with
    exact=True as ``files, labels, valid = batch``.

    data: uint8, shape (bytes,): the image files, one after the other. It is the library's
        own memory, not a copy, as `pixels` of other batches.
    offsets: int64, shape (n + 1,): file i is data[offsets[i]:offsets[i + 1]].
    files: n arrays, which look at data: a JPEG file each, at the sample's fidelity; samples
        that are kept whole are as they were, of whatever format.

    Labels, indices and such, and the samples' keys and attributes: see Samples.
    """

    __slots__ = ("data", "offsets")

    def __init__(self, memory: Memory, batch: st.Batch, datasets: Sequence[Dataset],
                 renumber: Optional[Renumbering], exact: bool,
                 columns: Mapping[str, str], _boxes: None) -> None:
        super().__init__(batch, datasets, renumber, exact, columns)
        self.data: npt.NDArray[np.uint8] = np.asarray(Files(memory, batch))
        self.offsets = numbers(batch.offsets, batch.sample_count + 1)

    @property
    def files(self) -> List[npt.NDArray[np.uint8]]:
        """Each sample's file, as an array that looks at data."""
        return [self.data[begin:end]
                for begin, end in zip(self.offsets[:-1], self.offsets[1:])]

    def __iter__(self) -> Iterator[Union[List[npt.NDArray[np.uint8]], npt.NDArray[Any]]]:
        yield self.files
        yield self.labels
        if self._exact:
            yield self.valid

    def __repr__(self) -> str:
        return (f"<pcr.RawBatch {self.number} of epoch {self.epoch}: "
                f"{len(self.labels)} files>")


#: NumPy's names of the types that pixels can have. NumPy has no bfloat16.
_TYPES = {st.Dtype.UINT8: "|u1", st.Dtype.FLOAT32: "<f4", st.Dtype.FLOAT16: "<f2",
          st.Dtype.BFLOAT16: "<u2"}


class Memory:
    """Owns a C batch. Arrays over its memory keep this object, and with it the batch.

    keep: what must outlive the batch.
    """

    def __init__(self, pointer: Any, keep: Any) -> None:
        weakref.finalize(self, _release, pointer, os.getpid(), keep).atexit = False


class Pixels:
    """Pixels at an address, for np.asarray()."""

    def __init__(self, memory: Memory, address: int, dtype: str, shape: Tuple[int, ...]) -> None:
        self._memory = memory
        self.__array_interface__ = {"version": 3, "typestr": dtype, "data": (address, False),
                                    "shape": shape}


def _shape(batch: st.Batch, height: int, width: int) -> Tuple[int, int, int]:
    """Of a picture."""
    return ((batch.channels, height, width) if batch.layout == st.Layout.NCHW
            else (height, width, batch.channels))


def _padded(memory: Memory, batch: st.Batch, view: st.BatchView) -> npt.NDArray[Any]:
    return np.asarray(Pixels(memory, view.pixels, _TYPES[batch.dtype],
                             (batch.sample_count, *_shape(batch, view.height, view.width))))


def _ragged(memory: Memory, batch: st.Batch, view: st.BatchView, offsets: npt.NDArray[np.uint64],
            shapes: npt.NDArray[np.int64]) -> List[npt.NDArray[Any]]:
    return [np.asarray(Pixels(memory, view.pixels + offset, _TYPES[batch.dtype],
                              _shape(batch, height, width)))
            for offset, (height, width) in zip(offsets.tolist(), shapes.tolist())]


def _form(pixels: Any) -> str:
    """What a repr says of a view's pixels."""
    return f"{len(pixels)} ragged" if isinstance(pixels, list) else str(pixels.shape)


class Files:
    """The files of a batch, for np.asarray()."""

    def __init__(self, memory: Memory, batch: st.Batch) -> None:
        self._memory = memory
        self.__array_interface__ = {
            "version": 3, "typestr": "|u1", "data": (batch.data, False),
            "shape": (batch.offsets[batch.sample_count],),
        }


def _release(pointer: Any, pid: int, keep: Any) -> None:
    # In a forked child a lock of the loader may be held by a thread that is not there.
    if os.getpid() == pid:
        lib.pcr_batch_release(byref(pointer))
    del keep


def all_values(batch: st.Batch, first: npt.NDArray[Any],
               counts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """All samples' labels, one after the other."""
    if counts.max(initial=0) <= 1:
        return first[counts > 0]
    rows: Any = batch.all_float_labels if batch.float_labels else batch.all_labels
    return np.concatenate([np.ctypeslib.as_array(rows[i], (count,))
                           for i, count in enumerate(counts.tolist()) if count])


def side_by_side(of: Any, names: Sequence[str], dtype: Any) -> Any:
    """A copy of some members of an array of structures, side by side."""
    return np.stack([of[name] for name in names], axis=1).astype(dtype)


def numbers(pointer: Any, count: int) -> npt.NDArray[np.int64]:
    """A copy of an array of whole numbers."""
    return np.ctypeslib.as_array(pointer, (count,)).astype(np.int64)


class Hooks:
    """A caller's functions for batches' memory, as the library calls them. Must outlive all
    batches. An exception in one of them is kept for the next call that can raise it."""

    def __init__(self, memory: MemoryHooks, options: st.LoaderOptions) -> None:
        self._allocate, self._release = memory
        self._raised: List[BaseException] = []
        self._callbacks = (st.ALLOCATE_CALLBACK(self._get), st.RELEASE_CALLBACK(self._give))
        options.memory.allocate, options.memory.release = self._callbacks

    def _get(self, _context: Any, nbytes: int) -> int:
        try:
            address = operator.index(self._allocate(nbytes))
            if not 0 <= address < 1 << 64:
                raise InvalidError(f"allocate({nbytes}) of memory gave {address}, expected an "
                                   "address")
            return address
        except BaseException as exc:
            self._raised.append(exc)
            return 0

    def _give(self, _context: Any, address: int, nbytes: int) -> None:
        try:
            self._release(address, nbytes)
        except BaseException as exc:
            self._raised.append(exc)

    def check(self) -> None:
        """Raises what was raised in a function since the last call."""
        if self._raised:
            first, self._raised[:] = self._raised[0], []
            raise first
