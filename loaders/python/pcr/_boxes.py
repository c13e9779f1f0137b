# SPDX-License-Identifier: BSD-2-Clause
"""Boxes that follow all that moves the pixels of a batch's pictures."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from ._columns import Column
from ._library import real
from .errors import InvalidError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


class Moved(NamedTuple):
    """The boxes of a view: see Batch."""

    boxes: List[npt.NDArray[np.float32]]
    places: List[Ints]
    columns: Dict[str, List[npt.NDArray[Any]]]


class Boxes:
    """Which column has a loader's boxes, which others go with it, and which boxes are kept."""

    def __init__(self, name: str, others: Iterable[str], min_size: float,
                 min_part: float) -> None:
        if not isinstance(name, str):
            raise InvalidError(f"boxes is {name!r}, expected the name of an attribute")
        if isinstance(others, (str, bytes)):
            raise InvalidError(f"with_boxes is {others!r}, expected several names, as a list")
        if not real(min_size, "box_min_size") > 0:
            raise InvalidError(f"box_min_size is {min_size}, expected pixels above 0")
        if not 0 <= real(min_part, "box_min_part") <= 1:
            raise InvalidError(f"box_min_part is {min_part}, expected 0 to 1")
        self.name, self.others = name, tuple(others)
        self._min_size, self._min_part = float(min_size), float(min_part)

    def check(self, kinds: Mapping[str, str]) -> None:
        """Raises InvalidError for types of columns that cannot be such; "" is none. Where all
        lists are empty the type is "json"."""
        kind = kinds[self.name]
        if kind not in ("", "json") and not (kind.startswith(("float64[", "int64[")) and
                                             kind.endswith("][4]")):
            raise InvalidError(f"boxes is {self.name!r}, which is {kind}, expected float64[][4]: "
                               "lists of [x0, y0, x1, y1]")
        for name in self.others:
            if kinds[name] not in ("", "json") and "[" not in kinds[name]:
                raise InvalidError(f"with_boxes has {name!r}, which is {kinds[name]}, expected a "
                                   "list with an item for each box")

    def move(self, columns: Mapping[str, Column], affines: Floats, shapes: Ints) -> Moved:
        """Moves all boxes of a batch into its pictures, of those heights and widths."""
        items, counts = _items(columns[self.name])
        if items.dtype == object and len(items):
            raise InvalidError(f"boxes is {self.name!r}, whose lists are not all of "
                               "[x0, y0, x1, y1]")
        count = len(counts)
        of = np.repeat(np.arange(count), counts)  # the sample of each box
        place = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
        whole = _moved(items.reshape(-1, 4).astype(np.float64), affines[of])
        boxes = np.clip(whole, 0, shapes[of][:, [1, 0, 1, 0]])
        kept = _kept(boxes, whole, self._min_size, self._min_part)
        ends = np.cumsum(np.bincount(of[kept], minlength=count))[:-1]
        more: Dict[str, List[npt.NDArray[Any]]] = {}
        for name in self.others:
            values, lengths = _items(columns[name])
            if not np.array_equal(lengths, counts):
                i = int(np.flatnonzero(lengths != counts)[0])
                raise InvalidError(f"sample {i} of the batch has {counts[i]} boxes, but "
                                   f"{lengths[i]} items of {name!r}")
            more[name] = np.split(values[kept], ends)
        return Moved(np.split(boxes[kept].astype(np.float32), ends), np.split(place[kept], ends),
                     more)


def boxes_of(name: Optional[str], others: Iterable[str], min_size: float,
             min_part: float) -> Optional[Boxes]:
    """A loader's boxes; None where it has none."""
    if name is not None:
        return Boxes(name, others, min_size, min_part)
    if tuple(others):
        raise InvalidError("with_boxes names what goes with `boxes`, which is not given")
    if (min_size, min_part) != (1, 0):
        raise InvalidError("box_min_size and box_min_part are for `boxes`, which is not given")
    return None


def _items(column: Column) -> Tuple[npt.NDArray[Any], Ints]:
    """The items of all lists, one after the other, and how many each sample has."""
    if column.type == "json":
        return _json_items(column)
    if column.offsets is not None:
        return column.values, np.diff(column.offsets)
    found = column.values[column.present]  # (samples, length[, width])
    length = column.values.shape[1]
    return (found.reshape(len(found) * length, *found.shape[2:]),
            np.where(column.present, length, 0).astype(np.int64))


def _json_items(column: Column) -> Tuple[npt.NDArray[Any], Ints]:
    lists = [[] if value is None else value for value in column]
    for value in lists:
        if not isinstance(value, list):
            raise InvalidError(f"{column.name!r} has {value!r:.100}, expected a list with an item "
                               "for each box")
    counts = np.array([len(value) for value in lists], np.int64)
    items = np.empty(int(counts.sum()), object)
    for i, item in enumerate(chain.from_iterable(lists)):
        items[i] = item
    return items, counts


def _moved(boxes: Floats, affines: Floats) -> Floats:
    """What is around the boxes' corners where they went, not clipped; affines are each box's."""
    corners = boxes[:, [[0, 1], [2, 1], [0, 3], [2, 3]]]  # (boxes, 4, 2)
    went = corners @ affines[:, :, :2].transpose(0, 2, 1) + affines[:, None, :, 2]
    found: Floats = np.concatenate([went.min(1), went.max(1)], 1)
    found[(boxes[:, 2:] < boxes[:, :2]).any(1)] = np.nan  # which corners would hide
    return found


def _kept(boxes: Floats, whole: Floats, min_size: float,
          min_part: float) -> npt.NDArray[np.bool_]:
    """Which boxes have both sides, and the part of their area; not those that are NaN."""
    sides = boxes[:, 2:] - boxes[:, :2]
    area = (whole[:, 2:] - whole[:, :2]).prod(1)
    found: npt.NDArray[np.bool_] = ((sides >= min_size).all(1) &
                                    (sides.prod(1) >= min_part * area * (1 - 1e-9)))
    return found
