# SPDX-License-Identifier: BSD-2-Clause
"""Samples of this process as a source for the writer."""

from __future__ import annotations

import ctypes
import json
from ctypes import byref, c_char_p
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterable, List, NamedTuple, Optional,
                    Sequence, Union)

import numpy as np

from . import _structs as st
from ._library import c_string, call, lib
from .errors import InvalidError, PcrError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

Data = Union[bytes, bytearray, memoryview]
Label = Union[None, int, str, Sequence[int]]


class NewSample(NamedTuple):
    """A sample to be written.

    key: unique in the dataset; str or bytes, without NUL.
    data: the image file's bytes, or a function without arguments that returns them. Such
        a function is called from the writer's threads, perhaps more than once.
    label: a class index, a class name, several integers, or None.
    attributes: what JSON can hold, or None.
    split: the split that it belongs to.
    """

    key: Union[str, bytes]
    data: Union[Data, Callable[[], Data]]
    label: Label = None
    attributes: Optional[Dict[str, Any]] = None
    split: str = "all"


class Source:
    """A struct pcr_source over samples, with all the memory that it points into."""

    def __init__(self, samples: Iterable[Union[NewSample, Sequence[Any]]],
                 classes: Optional[Sequence[str]]) -> None:
        found = [s if isinstance(s, NewSample) else NewSample(*s) for s in samples]
        names = _class_names(found, classes)
        number = {name: i for i, name in enumerate(names)}
        splits = list(dict.fromkeys(s.split for s in found)) or ["all"]
        self.raised: List[BaseException] = []  #: by `data` functions
        self._data = [s.data for s in found]
        self._keys = [c_string(s.key, "a key") for s in found]
        self._attributes = [_json(s.attributes) for s in found]
        self._split = [splits.index(s.split) for s in found]
        self._labels = [_labels(s, number) for s in found]
        self._class_names = _strings(names, "a class name")
        self._split_names = _strings(splits, "a split")
        self.struct = st.sized(
            st.Source, class_count=len(names), sample_count=len(found),
            class_names=self._class_names, split_names=self._split_names,
            split_count=len(splits), describe=st.DESCRIBE_CALLBACK(self._describe),
            load=st.LOAD_CALLBACK(self._load))

    def _describe(self, _opaque: Any, index: int, out: Any, _err: Any) -> int:
        sample = out.contents
        data, labels = self._data[index], self._labels[index]
        sample.key = self._keys[index]
        sample.path = None
        sample.attributes = self._attributes[index]
        sample.labels = labels.ctypes.data if labels.size else None
        sample.label_count = labels.size
        sample.split = self._split[index]
        sample.nbytes = 0 if callable(data) else memoryview(data).nbytes
        sample.revision = 0
        return 0

    def _load(self, _opaque: Any, index: int, most: int, out: Any, err: Any) -> int:
        try:
            data = self._data[index]
            view = np.frombuffer(data() if callable(data) else data, np.uint8)
            if view.nbytes > most:
                return _fail(err, st.Code.ERR_LIMIT,
                             f"{view.nbytes} bytes, but the limit is {most}")
            call(lib.pcr_buffer_reserve, out, view.nbytes)
            if view.nbytes:
                ctypes.memmove(out.contents.data, view.ctypes.data, view.nbytes)
            out.contents.nbytes = view.nbytes
            return 0
        except PcrError as exc:
            return _fail(err, exc.code, str(exc), exc.sys_errno)
        except MemoryError as exc:
            return _fail(err, st.Code.ERR_NOMEM, str(exc) or "out of memory")
        except OSError as exc:
            return _fail(err, st.Code.ERR_IO, str(exc), exc.errno or 0)
        except BaseException as exc:
            self.raised.append(exc)
            return _fail(err, st.Code.ERR_CANCELLED, f"{type(exc).__name__}: {exc}")


def _fail(err: Any, code: int, message: str, sys_errno: int = 0) -> int:
    if err:
        out = err.contents
        out.code, out.sys_errno, out.offset = code, sys_errno, st.NO_OFFSET
        data = message.encode("utf-8", "backslashreplace")
        out.message = data[:st.Error.message.size - 1].split(b"\0")[0]
    return int(code)


def _class_names(samples: Sequence[NewSample],
                 classes: Optional[Sequence[str]]) -> List[str]:
    if classes is not None:
        return list(classes)
    return sorted({s.label for s in samples if isinstance(s.label, str)})


def _labels(sample: NewSample, number: Dict[str, int]) -> npt.NDArray[np.int64]:
    label = sample.label
    if label is None:
        return np.empty(0, np.int64)
    if isinstance(label, str):
        if label not in number:
            raise InvalidError(f"{sample.key!r}: no class is called {label!r}")
        return np.array([number[label]], np.int64)
    return np.array(label, np.int64).reshape(-1)


def _json(attributes: Optional[Dict[str, Any]]) -> Optional[bytes]:
    if attributes is None:
        return None
    return json.dumps(attributes, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _strings(values: Sequence[str], what: str) -> ctypes.Array[c_char_p]:
    return (c_char_p * len(values))(*(c_string(value, what) for value in values))
