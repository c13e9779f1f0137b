# SPDX-License-Identifier: BSD-2-Clause
"""Samples of this process as a source for the writer."""

from __future__ import annotations

import ctypes
import json
import marshal
import sys
from array import array
from collections import deque
from ctypes import c_char_p
from itertools import count, repeat
from typing import (TYPE_CHECKING, Any, Callable, Deque, Dict, Iterable, List, Mapping, NamedTuple,
                    NoReturn, Optional, Sequence, Tuple, Union)

import numpy as np

from . import _structs as st
from ._label import Label, label_array
from ._library import c_string, call, lib
from ._spool import Spool
from .errors import InvalidError, PcrError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

_TAIL_NBYTES = 8 << 20
_ALIVE = 1024

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


class _Descriptions:
    """What is known of samples: with a folder, in a file there if it is more than some MB."""

    def __init__(self, folder: Optional[str]) -> None:
        self._folder = folder
        self._spool: Optional[Spool] = None
        self._begins = array("Q")
        self._tail = bytearray()  # what is not in the spool
        self._tail_begin = 0

    def __len__(self) -> int:
        return len(self._begins)

    def add(self, value: Tuple[Any, ...]) -> None:
        self._begins.append(self._tail_begin + len(self._tail))
        self._tail += marshal.dumps(value)
        if len(self._tail) >= _TAIL_NBYTES and self._folder is not None:
            self._spool = self._spool or Spool(self._folder)
            self._spool.add(np.frombuffer(self._tail, np.uint8))
            self._tail_begin += len(self._tail)
            self._tail = bytearray()

    def __getitem__(self, index: int) -> Any:
        begin = self._begins[index]
        end = (self._begins[index + 1] if index + 1 < len(self._begins)
               else self._tail_begin + len(self._tail))
        if begin >= self._tail_begin:
            return marshal.loads(self._tail[begin - self._tail_begin:end - self._tail_begin])
        assert self._spool
        return marshal.loads(self._spool.read(begin, end - begin).tobytes())


class Source:
    """A struct pcr_source over samples, with all the memory that it points into."""

    def __init__(self, samples: Iterable[Union[NewSample, Sequence[Any]]],
                 classes: Optional[Iterable[str]], bad_may_pass: bool = False,
                 spool_folder: Optional[str] = None) -> None:
        """bad_may_pass: an OSError or PcrError of a `data` function makes its sample a bad
        input; it ends the work otherwise. spool_folder: where the bytes of samples are kept that
        come one by one, and what is known of all; the bytes of a sequence are in memory, and stay
        there."""
        given = None if classes is None else class_list(classes)
        self._number: Dict[str, int] = {name: i for i, name in enumerate(given or ())}
        self._splits: Dict[str, int] = {}
        self._first: List[Optional[NewSample]] = [None, None]  # with numbers; with a name
        self._bytes_folder = None if isinstance(samples, (list, tuple)) else spool_folder
        self._bytes: Optional[Spool] = None
        self._descriptions = _Descriptions(spool_folder)
        self._held: Dict[int, List[Any]] = {}  # data and blobs that are in memory, or functions
        for sample in map(new_sample, count(), samples):
            self._add(sample, given is None)
        if given is None:  # until here in the order in which they were found
            found = list(self._number)
            given = sorted(found)
            order = {name: i for i, name in enumerate(given)}
            self._class_of = [order[name] for name in found]
        else:
            self._class_of = list(range(len(given)))
        self.classes = given
        self._bad_may_pass = bad_may_pass
        self._raised: Dict[int, BaseException] = {}  # by `data` functions, by sample
        # What the latest samples that were described point to: more than the writer works on.
        self._alive: Deque[Any] = deque(maxlen=_ALIVE)
        splits = list(self._splits) or ["all"]
        self._class_names = strings(self.classes, "a class name")
        self._split_names = strings(splits, "a split")
        self.struct = st.sized(
            st.Source, class_count=len(self.classes), sample_count=len(self._descriptions),
            class_names=self._class_names, split_names=self._split_names,
            split_count=len(splits), describe=st.DESCRIBE_CALLBACK(self._describe),
            load=st.LOAD_CALLBACK(self._load),
            load_blob=st.LOAD_BLOB_CALLBACK(self._load_blob))

    def _keep(self, data: Any) -> Any:
        """Where the bytes are in the spool; or the data, if it is held."""
        if callable(data) or self._bytes_folder is None:
            return data
        self._bytes = self._bytes or Spool(self._bytes_folder)
        return self._bytes.add(data)

    def _class_number(self, sample: NewSample, may_name: bool) -> Optional[int]:
        """That of a label that is a name. may_name: names are found as they come."""
        is_name = isinstance(sample.label, str)
        if may_name and not self._first[is_name] and (is_name or _has_label(sample)):
            self._first[is_name] = sample._replace(data=b"", attributes=None, blobs=None)
            other, named = self._first
            if other and named:
                raise InvalidError(
                    f"{other.key!r}: label {other.label!r:.100}, but that of {named.key!r} is a "
                    f"class name, {named.label!r}; give `classes` if both are intended")
        if not isinstance(sample.label, str) or not sample.label:
            return None
        if may_name:
            return self._number.setdefault(str.__str__(sample.label), len(self._number))
        return self._number.get(sample.label)

    def _add(self, sample: NewSample, may_name: bool) -> None:
        name, index = repr(sample.key), len(self._descriptions)
        data = sample.data if callable(sample.data) else file_bytes(sample.data, name)
        blobs = blob_list(sample.blobs, name)
        key, attributes = c_string(sample.key, "a key"), attributes_text(sample)
        number = self._class_number(sample, may_name)
        labels = None
        if number is None:
            array_of = label_array(sample.label, name, self._number)
            labels = (array_of.dtype == np.float64, array_of.tobytes())
        nbytes = [0 if callable(value) else value.nbytes
                  for value in (data, *(value for _, value in blobs))]
        places = [self._keep(value) for value in (data, *(value for _, value in blobs))]
        if not all(isinstance(place, int) for place in places):
            self._held[index] = places
            places = [-1] * len(places)
        split = self._splits.setdefault(str.__str__(sample.split), len(self._splits))
        self._descriptions.add((key, isinstance(sample.key, str), attributes, number, labels, split,
                                nbytes, places, [blob for blob, _ in blobs]))

    def _name(self, index: int) -> str:
        """A sample's, for messages."""
        key, is_text = self._descriptions[index][:2]
        return repr(key.decode("utf-8", "surrogateescape") if is_text else key)

    def exception_of(self, failure: PcrError) -> Optional[BaseException]:
        """What a `data` function raised, if that is why the writer failed so."""
        if failure.code != st.Code.ERR_CANCELLED or not self._raised:
            return None
        index = failure.offset if failure.offset in self._raised else min(self._raised)
        assert index is not None
        raised = self._raised[index]
        if hasattr(raised, "add_note"):
            raised.add_note(f"in the data of {self._name(index)}")
        return raised

    def _describe(self, _context: Any, index: int, out: Any, err: Any) -> int:
        try:
            key, _, attributes, number, numbers, split, nbytes, _, names = self._descriptions[index]
        except PcrError as exc:
            return fail(err, exc.code, str(exc), exc.sys_errno)
        sample = out.contents
        floats, text = numbers or (False, self._class_of[number].to_bytes(8, sys.byteorder))
        labels = (ctypes.c_char * len(text)).from_buffer_copy(text)
        blobs = (st.SourceBlob * len(names))(*map(st.SourceBlob, names, repeat(None), nbytes[1:]))
        self._alive.append((key, attributes, labels, blobs))
        sample.key = key
        sample.path = None
        sample.attributes = attributes
        sample.labels = ctypes.addressof(labels) if text and not floats else None
        sample.float_labels = ctypes.addressof(labels) if text and floats else None
        sample.label_count = len(text) // 8
        sample.split = split
        sample.nbytes = nbytes[0]
        sample.revision = 0
        sample.blobs = blobs
        sample.blob_count = len(names)
        return 0

    def _load(self, _context: Any, index: int, most: int, out: Any, err: Any) -> int:
        return self._give(index, 0, most, out, err)

    def _load_blob(self, _context: Any, index: int, blob: int, most: int, out: Any,
                   err: Any) -> int:
        return self._give(index, 1 + blob, most, out, err)

    def _bytes_of(self, index: int, part: int) -> Tuple[Any, bool]:
        """The data of a sample (part 0) or of a blob; and whether a function of the caller made
        it."""
        data = self._held[index][part] if index in self._held else None
        if isinstance(data, int) or data is None:
            nbytes, places = self._descriptions[index][6:8]
            assert self._bytes
            place = places[part] if data is None else data
            return self._bytes.read(place, nbytes[part]), False
        return data, True

    def _give(self, index: int, part: int, most: int, out: Any, err: Any) -> int:
        of_caller = False
        try:
            data, of_caller = self._bytes_of(index, part)
            view = file_bytes(data(), self._name(index)) if callable(data) else data
            if view.nbytes > most:
                return fail(err, st.Code.ERR_LIMIT,
                            f"{view.nbytes} bytes, but the limit is {most}")
            call(lib.pcr_buffer_reserve, out, view.nbytes)
            if view.nbytes:
                ctypes.memmove(out.contents.data, view.ctypes.data, view.nbytes)
            out.contents.nbytes = view.nbytes
            return 0
        except BaseException as exc:
            passes = self._bad_may_pass and of_caller
            if passes and isinstance(exc, PcrError):
                return fail(err, exc.code, str(exc), exc.sys_errno)
            if passes and isinstance(exc, OSError):
                return fail(err, st.Code.ERR_IO, str(exc), exc.errno or 0)
            self._raised[index] = exc
            return fail(err, st.Code.ERR_CANCELLED, f"{type(exc).__name__}: {exc}",
                        offset=index)


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
