# SPDX-License-Identifier: BSD-2-Clause
"""One sample of a dataset: its metadata, its bytes and its pixels at any fidelity."""

from __future__ import annotations

import ctypes
import json
from ctypes import byref, c_void_p
from typing import (Any, Dict, Iterator, NamedTuple, NoReturn, Optional, Sequence, Tuple,
                    Union, overload)

import numpy as np

from . import _structs as st
from ._image import (Background, Box, Pixels, decode_options, scratch, shaped,
                     warn_of_profile)
from ._library import Handle, c_string, call, fidelity_number, is_baseline, lib, whole
from .errors import InvalidError, UnsupportedError


class FileInfo(NamedTuple):
    """What is known of a sample's source file besides its bytes."""

    mode: Optional[int]  #: permissions, 0 to 0o777; None: not known
    mtime_ns: Optional[int]  #: when it was changed last, in ns since 1970; None: not known


class Sample:
    """One image with its key, labels and attributes.

    Holds its record's head in memory and keeps the dataset alive. Metadata costs no
    reading; read(), jpeg() and decode() read the sample's chunks, at most one range for
    each group up to the fidelity. A fidelity is 1 to G; None means G, which is lossless.
    """

    __slots__ = ("_dataset", "_handle", "_info")

    def __init__(self, dataset: Handle, handle: Handle) -> None:
        self._dataset = dataset
        self._handle = handle
        self._info = st.sized(st.SampleInfo)
        call(lib.pcr_sample_describe, handle.pointer, byref(self._info))

    def belongs_to(self, dataset: Handle) -> bool:
        """Whether this sample came from that open dataset."""
        return self._dataset is dataset

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Sample) and other._dataset is self._dataset
                and other.index == self.index)

    def __hash__(self) -> int:
        return hash((id(self._dataset), self.index))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sample belongs to an open dataset and cannot be pickled or sent "
                        "to another process: send its index, or the parts you need")

    def __repr__(self) -> str:
        return f"<pcr.Sample {self.index}: {self.key!r}, label {self.label}>"

    @property
    def index(self) -> int:
        """Position in the dataset as opened."""
        return int(self._info.index)

    @property
    def record(self) -> Tuple[int, int]:
        """Record number, and position in that record."""
        return self._info.record, self._info.record_index

    @property
    def key_bytes(self) -> bytes:
        """The key as stored: any bytes but NUL."""
        return ctypes.string_at(self._info.key, self._info.key_nbytes)

    @property
    def key(self) -> str:
        """The key; bytes that are not UTF-8 stand as surrogate escapes."""
        return self.key_bytes.decode("utf-8", "surrogateescape")

    @property
    def label(self) -> Union[None, int, float]:
        """The first label, None where there is none: a class's index, or a number of the
        kind that Dataset.schema tells."""
        return self.labels[0] if self._info.label_count else None

    @property
    def labels(self) -> Union[Tuple[int, ...], Tuple[float, ...]]:
        """All labels."""
        info = self._info
        return tuple((info.float_labels or info.labels)[:info.label_count])

    @property
    def attributes(self) -> Dict[str, Any]:
        """The attributes, a new dict each time; empty where there are none. Those of many
        samples are read faster by Dataset.column()."""
        found = st.Buffer()
        try:
            call(lib.pcr_sample_attributes, self._handle.pointer, byref(found))
            parsed: Dict[str, Any] = json.loads(ctypes.string_at(found.data, found.nbytes))
            return parsed
        finally:
            lib.pcr_buffer_free(byref(found))

    def blob(self, name: str) -> Optional[bytes]:
        """The bytes of the sample's blob of a name, None where it has none. One read; no image
        bytes. Raises InvalidError (no sample has a blob of this name: Dataset.blobs), IoError,
        CorruptError, TruncatedError, LimitError, OutOfMemory."""
        found = st.Buffer()
        try:
            code = call(lib.pcr_sample_blob, self._handle.pointer, c_string(name, "a name"),
                        byref(found))
            return None if code == st.Code.END else ctypes.string_at(found.data, found.nbytes)
        finally:
            lib.pcr_buffer_free(byref(found))

    @property
    def size(self) -> Optional[Tuple[int, int]]:
        """(width, height) in pixels after orientation; None if not known (opaque)."""
        width, height = self._info.width, self._info.height
        if not width or not height:
            return None
        return (height, width) if self._info.orientation >= 5 else (width, height)

    @property
    def component_count(self) -> int:
        """Colour components as stored; 0 if not known (opaque)."""
        return int(self._info.component_count)

    @property
    def orientation(self) -> int:
        """How the picture is to be turned: 1 to 8, as EXIF numbers them."""
        return int(self._info.orientation)

    @property
    def coding(self) -> str:
        """How it is stored: "scans" (progressive JPEG, split over the groups), "packed" (the same
        coefficients, smaller) or "opaque" (the source file, whole); "unknown" where a newer
        writer knows more."""
        name: bytes = lib.pcr_coding_name(self._info.coding)
        return name.decode()

    @property
    def source_nbytes(self) -> int:
        """Size of the source file in bytes."""
        return int(self._info.source_nbytes)

    def quality(self, fidelity: Optional[int] = None, scale: float = 1.0) -> Optional[float]:
        """Predicted quality at a fidelity, 0 to 1: SSIM of luma against full fidelity, where
        `scale` pixels of the picture, along a line, become one of the output (1 and less: it is
        not made smaller). 1 at full fidelity; None if it is not known."""
        found = float(lib.pcr_sample_quality(ctypes.byref(self._info),
                                             fidelity_number(fidelity), scale))
        return None if found < 0 else found

    def nbytes(self, fidelity: Optional[int] = None) -> int:
        """Stored bytes up to a fidelity: what read() transfers."""
        return int(lib.pcr_sample_nbytes(self._handle.pointer, fidelity_number(fidelity)))

    def read(self, fidelity: Optional[int] = None, *, jpeg: str = "progressive",
             restart_rows: Optional[int] = None) -> bytes:
        """The sample's bytes: a standard JPEG, or an opaque sample's file.

        jpeg: of a coded sample, "progressive" or "baseline", which has the same coefficients in
            sequence, with restart markers, as decoders in hardware take it.
        restart_rows: of "baseline", rows of MCUs from one restart marker to the next (1), fewer
            where an interval would have more than 65,535 MCUs; 0: no markers.

        Raises IoError, CorruptError, TruncatedError, InvalidError (fidelity above G),
        OutOfMemory.
        """
        buffer, number = scratch.buffer, fidelity_number(fidelity)
        if is_baseline(jpeg):
            rows = 1 if restart_rows is None else whole(restart_rows, "restart_rows", 0)
            options = st.sized(st.BaselineOptions, restart_rows=rows or st.NO_RESTARTS)
            call(lib.pcr_sample_baseline, self._handle.pointer, number, scratch.decoder.pointer,
                 byref(options), byref(buffer))
        elif restart_rows is not None:
            raise InvalidError("restart_rows is of jpeg='baseline' alone")
        else:
            call(lib.pcr_sample_read, self._handle.pointer, number, byref(buffer))
        return ctypes.string_at(buffer.data, buffer.nbytes)

    def original(self) -> bytes:
        """The source file, byte for byte, if the dataset keeps originals
        (Dataset.describe()["originals"]): read at full fidelity, with what its record's tail has
        of it, and verified by size and checksum. An opaque sample's file always is that.

        Raises UnsupportedError if the original was not kept, IoError, CorruptError,
        TruncatedError, LimitError, OutOfMemory.
        """
        buffer = scratch.buffer
        call(lib.pcr_sample_original, self._handle.pointer, scratch.decoder.pointer,
             byref(buffer))
        return ctypes.string_at(buffer.data, buffer.nbytes)

    def file_info(self) -> FileInfo:
        """Mode and time of the source file, where the dataset keeps originals and the source
        knew them: files of folders and lists, members of tar and zip archives.

        Raises IoError, CorruptError, TruncatedError, LimitError, OutOfMemory.
        """
        info = st.FileInfo()
        call(lib.pcr_sample_file_info, self._handle.pointer, byref(info))
        return FileInfo(int(info.mode) if info.known & st.FILE_MODE else None,
                        int(info.mtime_ns) if info.known & st.FILE_TIME else None)

    def jpeg(self, fidelity: Optional[int] = None) -> bytes:
        """As read(), but raises UnsupportedError for an opaque sample that is no JPEG."""
        data = self.read(fidelity)
        if data[:3] != b"\xff\xd8\xff":
            raise UnsupportedError(f"{self.key}: kept whole, and not a JPEG file")
        return data

    def decode(self, fidelity: Optional[int] = None, *, gray: bool = False,
               orient: bool = True, crop: Optional[Box] = None, scale: int = 8,
               identical: bool = False, planar: bool = False,
               decoder: str = "auto", background: Background = None,
               icc: Optional[str] = None, threads: int = 1) -> Pixels:
        """Reads and decodes the sample; the other arguments are those of pcr.decode(). The
        limits are the dataset's.

        threads: decode a large picture by up to so many, 1 to 64. Pictures of the coding
            "packed" that are 1,024 pixels high or more can be divided, with 131,072 pixels a
            thread at least. The pixels are the same. A loader decodes several samples at a
            time instead.

        Returns a new uint8 array, as pcr.decode() does.
        Raises what read() and pcr.decode() raise.
        """
        options = decode_options(gray, orient, crop, scale, identical, planar, decoder,
                                 background, icc, threads)
        info, buffer = st.sized(st.ImageInfo), st.Buffer()
        owner = Handle(buffer, lib.pcr_buffer_free)
        call(lib.pcr_sample_decode, self._handle.pointer, fidelity_number(fidelity),
             scratch.decoder.pointer, byref(options), byref(buffer), byref(info))
        data = (ctypes.c_uint8 * buffer.nbytes).from_address(buffer.data)
        data.owner = owner  # the array's base, which keeps it
        warn_of_profile(options)
        return shaped(np.frombuffer(data, np.uint8), info, options)


def open_sample(dataset: Handle, index: int) -> Sample:
    """Sample `index` of an open dataset."""
    pointer = c_void_p()
    call(lib.pcr_sample_acquire, dataset.pointer, index, byref(pointer))
    return Sample(dataset, Handle(pointer, lib.pcr_sample_release, dataset))


class SampleView(Sequence[Sample]):
    """Some samples of a dataset, in the order of a range. Made by slicing."""

    def __init__(self, dataset: Handle, indices: range) -> None:
        self._dataset = dataset
        self.indices = indices  #: in the dataset as opened

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> SampleView: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Sample, SampleView]:
        if isinstance(index, slice):
            return SampleView(self._dataset, self.indices[index])
        return open_sample(self._dataset, self.indices[index])

    def __iter__(self) -> Iterator[Sample]:
        for index in self.indices:
            yield open_sample(self._dataset, index)

    def __repr__(self) -> str:
        return f"<pcr.SampleView of {len(self)} samples>"
