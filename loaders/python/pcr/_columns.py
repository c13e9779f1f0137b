# SPDX-License-Identifier: BSD-2-Clause
"""Attributes of many samples as arrays."""

from __future__ import annotations

import ctypes
import json
from typing import TYPE_CHECKING, Any, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from . import _structs as st

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

_DTYPES = {st.Element.BOOL: np.bool_, st.Element.INT64: np.int64,
           st.Element.FLOAT64: np.float64}


class Column(Sequence[Any]):
    """One attribute of n samples. column[i] is sample i's value, or None if it has none.

    name: of the attribute.
    type: as Dataset.columns names it.
    values: of bool, int64 or float64; of "string" an object array of str, of "json" one of what
        json.loads() makes. Shape (n,), (n, length) or (n, length, width), where samples without
        a value have False, 0, NaN or None. Where lists differ in length all items stand one
        after the other: shape (items,) or (items, width), and such samples have none.
    offsets: None, or where lists differ in length int64, shape (n + 1,): sample i's list is
        values[offsets[i]:offsets[i + 1]].
    present: bool, shape (n,): whether the sample has a value. (Null counts as none.)

    np.asarray(column) is `values`, where `offsets` is None.
    """

    __slots__ = ("_single", "name", "offsets", "present", "type", "values")

    def __init__(self, name: str, kind: str, values: npt.NDArray[Any],
                 offsets: Optional[npt.NDArray[np.int64]],
                 present: npt.NDArray[np.bool_]) -> None:
        self.name = name
        self.type = kind
        self.values = values
        self.offsets = offsets
        self.present = present
        self._single = "[" not in kind

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, index: Any) -> Any:
        i = range(len(self))[index]
        if not isinstance(i, int):
            raise TypeError("a column is indexed by numbers; its arrays can be sliced")
        if not self.present[i]:
            return None
        if self.offsets is not None:
            return self.values[self.offsets[i]:self.offsets[i + 1]]
        value = self.values[i]
        return value.item() if self._single and isinstance(value, np.generic) else value

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> npt.NDArray[Any]:
        if self.offsets is not None:
            raise ValueError(f"the lists of {self.name!r} differ in length: use its values and "
                             "offsets")
        return np.array(self.values, dtype) if copy else np.asarray(self.values, dtype)

    def __repr__(self) -> str:
        return f"<pcr.Column {self.name!r}: {len(self)} x {self.type}>"


def column_of(name: str, kind: str, c: Any) -> Column:
    """A copy of a struct pcr_column."""
    n, count = int(c.sample_count), int(c.element_count)
    present = _copy(c.states, n, np.uint8) == 1
    offsets = _copy(c.offsets, n + 1, np.int64) if c.offsets else None
    values = _values(c, count)
    if c.is_list:
        shape: Tuple[int, ...] = (n, c.length) if offsets is None else (count // c.width,)
        values = values.reshape(*shape, c.width) if kind.count("[") > 1 else values.reshape(shape)
    if values.dtype == object and offsets is None:
        values[~present] = None
    return Column(name, kind, values, offsets, present)


def _copy(address: Any, count: int, dtype: Any) -> npt.NDArray[Any]:
    nbytes = count * np.dtype(dtype).itemsize
    return np.frombuffer(bytearray(ctypes.string_at(address, nbytes)) if nbytes else b"", dtype)


def _values(c: Any, count: int) -> npt.NDArray[Any]:
    if c.element in _DTYPES:
        return _copy(c.values, count, _DTYPES[c.element])
    nbytes = _copy(c.text_offsets, count + 1, np.uint64)[-1]
    texts = ctypes.string_at(c.texts, int(nbytes)).decode().split("\0")[:-1] if count else []
    values = np.empty(count, object)
    if c.element == st.Element.STRING:
        values[:] = texts
    else:
        for i, value in enumerate(json.loads(f"[{','.join(t or 'null' for t in texts)}]")):
            values[i] = value
    return values


def join_columns(parts: Sequence[Column]) -> Column:
    """One column of the samples of several, at least one."""
    offsets: Optional[npt.NDArray[np.int64]] = None
    if len(parts) == 1:
        return parts[0]
    if parts[0].offsets is not None:
        found: List[npt.NDArray[np.int64]] = [np.zeros(1, np.int64)]
        for part in parts:
            assert part.offsets is not None
            found.append(part.offsets[1:] + found[-1][-1])
        offsets = np.concatenate(found)
    return Column(parts[0].name, parts[0].type, np.concatenate([p.values for p in parts]), offsets,
                  np.concatenate([p.present for p in parts]))
