# SPDX-License-Identifier: BSD-2-Clause
"""Samples of this process as a source for the writer."""

from __future__ import annotations

import ctypes
import json
from ctypes import c_char_p
from itertools import count
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Mapping,
                    NamedTuple, NoReturn, Optional, Sequence, Tuple, Union)

import numpy as np

from . import _structs as st
from ._label import Label, label_array
from ._library import c_string, call, lib
from ._spool import Spool, Spooled
from .errors import InvalidError, PcrError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

Data = Union[bytes, bytearray, memoryview, "npt.NDArray[np.uint8]"]


class NewSample(NamedTuple):
    """A sample to be written.

    key: unique in the dataset; str or bytes, not empty, without NUL.
    data: the image file's bytes (bytes, bytearray, memoryview, a one-dimensional uint8
        array), or a function without arguments that returns them. Such a function is called
        from the writer's threads, perhaps more than once.
    label: a class name (str); an int within int64; a finite float; several numbers, as a
        sequence or a one-dimensional array; None or an empty sequence: no label. NumPy's
        scalars and arrays count as what they hold. Where one sample has a float, the labels
        of all are stored as floats. Anything else (a bool, None among others, NaN) is an
        error.
    attributes: a dict that JSON can hold, or None. NumPy's scalars and arrays become numbers
        and lists.
    split: the split that it belongs to.
    blobs: named byte strings that are stored with the sample, apart from the image: masks as
        PNG, audio, arrays. A dict of bytes (as data), or of functions that return them.
    """

    key: Union[str, bytes]
    data: Union[Data, Callable[[], Data]]
    label: Label = None
    attributes: Optional[Dict[str, Any]] = None
    split: str = "all"
    blobs: Optional[Mapping[str, Union[Data, Callable[[], Data]]]] = None


class Source:
    """A struct pcr_source over samples, with all the memory that it points into."""

    def __init__(self, samples: Iterable[Union[NewSample, Sequence[Any]]],
                 classes: Optional[Iterable[str]], bad_may_pass: bool = False,
                 spool_folder: Optional[str] = None) -> None:
        """bad_may_pass: an OSError or PcrError of a `data` function makes its sample a bad
        input; it ends the work otherwise. spool_folder: where the bytes of samples are kept that
        come one by one; those of a sequence are in memory, and stay there."""
        found = list(_kept(map(new_sample, count(), samples), spool_folder)
                     if spool_folder is not None and not isinstance(samples, (list, tuple))
                     else map(new_sample, count(), samples))
        names = _names_of(found) if classes is None else class_list(classes)
        self.classes = names
        number = {name: i for i, name in enumerate(names)}
        splits = list(dict.fromkeys(s.split for s in found)) or ["all"]
        self._bad_may_pass = bad_may_pass
        self._raised: Dict[int, BaseException] = {}  # by `data` functions, by sample
        self._names = [repr(s.key) for s in found]
        self._data: List[Any] = [
            s.data if callable(s.data) else file_bytes(s.data, name)
            for s, name in zip(found, self._names)]
        self._keys = [c_string(s.key, "a key") for s in found]
        self._attributes = [attributes_text(s) for s in found]
        self._blobs = [blob_list(s.blobs, name) for s, name in zip(found, self._names)]
        self._described = [blob_array(blobs, False) for blobs in self._blobs]
        self._split = [splits.index(s.split) for s in found]
        self._labels = [label_array(s.label, name, number)
                        for s, name in zip(found, self._names)]
        self._class_names = strings(names, "a class name")
        self._split_names = strings(splits, "a split")
        self.struct = st.sized(
            st.Source, class_count=len(names), sample_count=len(found),
            class_names=self._class_names, split_names=self._split_names,
            split_count=len(splits), describe=st.DESCRIBE_CALLBACK(self._describe),
            load=st.LOAD_CALLBACK(self._load),
            load_blob=st.LOAD_BLOB_CALLBACK(self._load_blob))

    def exception_of(self, failure: PcrError) -> Optional[BaseException]:
        """What a `data` function raised, if that is why the writer failed so."""
        if failure.code != st.Code.ERR_CANCELLED or not self._raised:
            return None
        index = failure.offset if failure.offset in self._raised else min(self._raised)
        assert index is not None
        raised = self._raised[index]
        if hasattr(raised, "add_note"):
            raised.add_note(f"in the data of {self._names[index]}")
        return raised

    def _describe(self, _context: Any, index: int, out: Any, _err: Any) -> int:
        sample = out.contents
        data, labels = self._data[index], self._labels[index]
        floats = labels.dtype == np.float64
        sample.key = self._keys[index]
        sample.path = None
        sample.attributes = self._attributes[index]
        sample.labels = labels.ctypes.data if labels.size and not floats else None
        sample.float_labels = labels.ctypes.data if labels.size and floats else None
        sample.label_count = labels.size
        sample.split = self._split[index]
        sample.nbytes = 0 if callable(data) and not isinstance(data, Spooled) else data.nbytes
        sample.revision = 0
        sample.blobs = self._described[index]
        sample.blob_count = len(self._blobs[index])
        return 0

    def _load(self, _context: Any, index: int, most: int, out: Any, err: Any) -> int:
        return self._give(index, self._data[index], most, out, err)

    def _load_blob(self, _context: Any, index: int, blob: int, most: int, out: Any,
                   err: Any) -> int:
        return self._give(index, self._blobs[index][blob][1], most, out, err)

    def _give(self, index: int, data: Any, most: int, out: Any, err: Any) -> int:
        passes = self._bad_may_pass and not isinstance(data, Spooled)
        try:
            view = file_bytes(data(), self._names[index]) if callable(data) else data
            if view.nbytes > most:
                return fail(err, st.Code.ERR_LIMIT,
                            f"{view.nbytes} bytes, but the limit is {most}")
            call(lib.pcr_buffer_reserve, out, view.nbytes)
            if view.nbytes:
                ctypes.memmove(out.contents.data, view.ctypes.data, view.nbytes)
            out.contents.nbytes = view.nbytes
            return 0
        except BaseException as exc:
            if passes and isinstance(exc, PcrError):
                return fail(err, exc.code, str(exc), exc.sys_errno)
            if passes and isinstance(exc, OSError):
                return fail(err, st.Code.ERR_IO, str(exc), exc.errno or 0)
            self._raised[index] = exc
            return fail(err, st.Code.ERR_CANCELLED, f"{type(exc).__name__}: {exc}",
                        offset=index)


def _kept(samples: Iterable[NewSample], folder: str) -> Iterator[NewSample]:
    """The samples, with their bytes in a file in a folder. Functions stay such."""
    spool: Optional[Spool] = None
    for sample in samples:
        if not callable(sample.data):
            spool = spool or Spool(folder)
            sample = sample._replace(data=spool.add(file_bytes(sample.data, repr(sample.key))))
        if sample.blobs:
            spool = spool or Spool(folder)
            put, name = spool.add, repr(sample.key)
            sample = sample._replace(blobs={
                key: data if callable(data) else put(file_bytes(data, name))
                for key, data in sample.blobs.items()})
        yield sample


def fail(err: Any, code: int, message: str, sys_errno: int = 0,
         offset: int = st.NO_OFFSET) -> int:
    """Fills in a callback's error."""
    if err:
        out = err.contents
        out.code, out.sys_errno, out.offset = code, sys_errno, offset
        data = message.encode("utf-8", "backslashreplace")
        out.message = data[:st.Error.message.size - 1].split(b"\0")[0]
    return int(code)


def kind(value: Any) -> str:
    """What a value is, for messages: "a str", "an int"."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"


def new_sample(index: int, value: Any) -> NewSample:
    """The sample that an entry stands for, with a key and a split that are such."""
    if not isinstance(value, NewSample):
        if not isinstance(value, (tuple, list)) or not 2 <= len(value) <= 6:
            what = f" of {len(value)}" if isinstance(value, (tuple, list)) else ""
            raise TypeError(f"sample {index} is {kind(value)}{what}, expected a NewSample or a "
                            "tuple (key, data[, label[, attributes[, split[, blobs]]]])")
        value = NewSample(*value)
    if not isinstance(value.key, (str, bytes)):
        raise TypeError(f"sample {index}: the key is {kind(value.key)} ({value.key!r:.100}), "
                        "expected a str or bytes")
    if not isinstance(value.split, str):
        raise TypeError(f"{value.key!r}: the split is {kind(value.split)}, expected a str")
    for what, text in (("key", value.key), ("split", value.split)):
        if not text:
            raise InvalidError(f"sample {index}, {value.key!r}: an empty {what}")
    return value


def file_bytes(data: Any, name: str) -> npt.NDArray[np.uint8]:
    """A file's bytes as an array over the same memory. Raises TypeError, which names the
    sample and says what to do, for what is none."""
    if isinstance(data, (bytes, bytearray)):
        return np.frombuffer(data, np.uint8)
    if hasattr(data, "save") and hasattr(data, "mode") and hasattr(data, "getbands"):
        _no_data(data, name, "give the file that the picture was read from, which is kept without "
                 "loss; one that was made must be encoded first: image.save(buffer, \"PNG\") into "
                 "an io.BytesIO, then buffer.getvalue()")
    try:
        if isinstance(data, memoryview):
            if data.ndim != 1 or data.itemsize != 1:
                _no_data(data, name)
            return np.frombuffer(data if data.contiguous else bytes(data), np.uint8)
        if hasattr(data, "__array__"):
            array = np.asarray(data)
        else:
            array = np.asarray(memoryview(data))
    except (TypeError, ValueError, BufferError):
        _no_data(data, name)
    if array.dtype != np.uint8 or array.ndim != 1:
        _no_data(data, name, f"its elements are {array.dtype}, its shape is {array.shape}: "
                 "pixels must be encoded first, as JPEG or PNG")
    return np.ascontiguousarray(array)


def _no_data(data: Any, name: str, advice: str = "") -> NoReturn:
    if not advice and (isinstance(data, str) or hasattr(data, "__fspath__")):
        advice = "to write a file give its bytes, or a function that reads it"
    raise TypeError(f"{name}: the data is {kind(data)}, expected an image file's bytes, or a "
                    "function that returns them" + (f"; {advice}" if advice else ""))


def class_list(classes: Iterable[str]) -> List[str]:
    """Names of classes as a caller gives them: different, not empty."""
    if isinstance(classes, (str, bytes)):
        raise InvalidError(f"classes is {classes!r}, expected several, as a list")
    names: Dict[str, None] = {}
    for name in classes:
        if not isinstance(name, str):
            raise TypeError(f"classes has {kind(name)} ({name!r:.100}), expected names")
        if not name or name in names:
            raise InvalidError(f"classes has {name!r} {'twice' if name else 'as a name'}")
        names[str.__str__(name)] = None
    return list(names)


def _names_of(samples: Sequence[NewSample]) -> List[str]:
    """Names of classes among the labels, sorted; either all labels are such or none."""
    named = [s for s in samples if isinstance(s.label, str)]
    if named:
        for s in samples:
            if not isinstance(s.label, str) and _has_label(s):
                raise InvalidError(
                    f"{s.key!r}: label {s.label!r:.100}, but that of {named[0].key!r} is a "
                    f"class name, {named[0].label!r}; give `classes` if both are intended")
    return sorted({str.__str__(s.label) for s in named})


def _has_label(sample: NewSample) -> bool:
    return sample.label is not None and (not isinstance(sample.label, Sequence)
                                         or len(sample.label) > 0)


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as JSON can hold them."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{kind(value)}, which JSON cannot hold")


def attributes_text(sample: NewSample) -> Optional[bytes]:
    if sample.attributes is None:
        return None
    if not isinstance(sample.attributes, dict):
        raise TypeError(f"{sample.key!r}: the attributes are {kind(sample.attributes)}, "
                        "expected a dict")
    try:
        text = json.dumps(sample.attributes, ensure_ascii=False, allow_nan=False,
                          default=_plain)
        return text.encode("utf-8")
    except TypeError as exc:
        raise TypeError(f"{sample.key!r}: attributes: {exc}") from None
    except (ValueError, RecursionError) as exc:
        raise InvalidError(f"{sample.key!r}: attributes: {exc}") from None


def blob_list(blobs: Optional[Mapping[str, Any]], name: str) -> List[Tuple[bytes, Any]]:
    """Names, and arrays of bytes or functions that return such."""
    if blobs is None:
        return []
    if not isinstance(blobs, Mapping):
        raise TypeError(f"{name}: the blobs are {kind(blobs)}, expected a dict")
    return [(c_string(key, "a blob's name"),
             data if callable(data) else file_bytes(data, f"{name}, blob {key!r}"))
            for key, data in blobs.items()]


def blob_array(blobs: Sequence[Tuple[bytes, Any]], data: bool) -> Any:
    """An array of struct pcr_source_blob, with the data or without."""
    return (st.SourceBlob * len(blobs))(*(
        st.SourceBlob(key, value.ctypes.data if data else None, getattr(value, "nbytes", 0))
        for key, value in blobs))


def strings(values: Sequence[str], what: str) -> ctypes.Array[c_char_p]:
    return (c_char_p * len(values))(*(c_string(value, what) for value in values))
