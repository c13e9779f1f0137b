# SPDX-License-Identifier: BSD-2-Clause
"""Datasets and records opened for reading."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import warnings
from ctypes import byref, c_size_t, c_uint64, c_void_p
from types import FrameType, TracebackType
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Mapping,
                    NamedTuple, Optional, Sequence, Set, Tuple, Type, Union, overload)

import numpy as np

from . import _structs as st
from ._columns import Column, column_of, join_columns
from ._keywords import keywords
from ._library import (Handle, c_path, c_string, call, choice, lib, limits_of, raw, text,
                       to_exception, whole)
from ._sample import Sample, SampleView, open_sample
from ._storage import Adapter, Storage
from ._waiter import interruptible
from .errors import InvalidError, PcrError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

PICTURES = {kind.value: kind.name.lower() for kind in st.Pictures if kind}

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


class Record(NamedTuple):
    """One record file of a dataset. Sizes are in bytes."""

    number: int
    path: str  #: relative to the dataset's folder
    first_sample: int  #: index of its first sample in the dataset as opened
    sample_count: int
    nbytes: int  #: the file's size
    head_end: int  #: size of header and head
    ends: Tuple[int, ...]  #: ends[g - 1] is the prefix length at fidelity g


class VerifyReport(NamedTuple):
    """What Dataset.verify() found."""

    record_count: int
    sample_count: int
    bad_records: int
    bad_samples: int
    findings: Tuple[Tuple[str, PcrError], ...]  #: (record's path, what is wrong with it)
    undecodable_samples: int = 0  #: deep: intact ones that no decoder here can show
    undecodable: Tuple[Tuple[str, PcrError], ...] = ()  #: (record's path, which and why)
    restored_samples: int = 0  #: originals: whose source file was restored; opaque ones too


class Dataset(Sequence[Sample]):
    """A dataset opened for reading: a sequence of samples. Made by pcr.open().

    Immutable; may be used by several threads at once. After close() its methods raise
    ValueError, but samples and loaders that came from it go on working: the C object
    lives as long as any of them.

    Pickles as its path and pcr.open()'s options: where it is unpickled, for example in a
    worker process, the files are opened again.
    """

    def __init__(self, handle: Handle, path: str, split: Optional[str],
                 how: Mapping[str, Any]) -> None:
        self._open: Optional[Handle] = handle
        self._how = how
        self.path = path  #: as given to pcr.open()
        self.split = split  #: the split that was opened, None for all
        info = st.sized(st.DatasetInfo)
        call(lib.pcr_dataset_describe, handle.pointer, byref(info))
        self._info = info
        self._labels: Optional[npt.NDArray[Any]] = None
        self._indexed = False  # by keys

    @property
    def _handle(self) -> Handle:
        if self._open is None:
            raise ValueError("the dataset is closed")
        return self._open

    def __reduce__(self) -> Any:
        self._handle
        return _reopen, (self.path, self._how)

    def of_split(self, split: str) -> Dataset:
        """The same dataset, opened anew with the same options but this split."""
        self._handle
        return _reopen(self.path, {**self._how, "split": split})

    def __len__(self) -> int:
        return int(self._info.sample_count)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> SampleView: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Sample, SampleView]:
        """Sample `index` (from the end where negative), or a view of a slice of them.

        Reads the head of the sample's record on first use, no image bytes. Raises
        IndexError, IoError, FormatError, CorruptError, TruncatedError, UnsupportedError,
        LimitError, OutOfMemory.
        """
        if isinstance(index, slice):
            return SampleView(self._handle, range(len(self))[index])
        return open_sample(self._handle, range(len(self))[index])

    def __iter__(self) -> Iterator[Sample]:
        handle = self._handle
        for index in range(len(self)):
            yield open_sample(handle, index)

    def __contains__(self, sample: object) -> bool:
        """Whether a sample, or a key (str or bytes), is in the dataset."""
        if isinstance(sample, Sample):
            return sample.belongs_to(self._handle)
        if isinstance(sample, (str, bytes)):
            return self._find(sample) is not None
        return False

    def __repr__(self) -> str:
        which = "" if self.split is None else f", split {self.split!r}"
        return f"<pcr.Dataset {self.path!r}{which}: {len(self)} samples>"

    @property
    def group_count(self) -> int:
        """G, the number of fidelities; fidelity G is lossless."""
        return int(self._info.group_count)

    @property
    def classes(self) -> Tuple[str, ...]:
        """Class names by class index; empty where labels are not classes."""
        pointer = self._handle.pointer
        return tuple(text(lib.pcr_dataset_class_name(pointer, i))
                     for i in range(self._info.class_count))

    @property
    def class_to_idx(self) -> Dict[str, int]:
        """Class index by class name, as torchvision's datasets have it."""
        return {name: index for index, name in enumerate(self.classes)}

    @property
    def schema(self) -> Dict[str, Any]:
        """What samples have: {"label": kind, "attributes": columns}. The kinds: "class" (the
        first label is a class's index), "ints", "floats", "none"."""
        return {"label": st.LabelKind(self._info.label_kind).name.lower(),
                "attributes": self.columns}

    @property
    def columns(self) -> Dict[str, str]:
        """The types of the attributes that samples may have, by name, in byte order of names.

        A type is "bool", "int64", "float64", "string" or "json" (values of mixed types, objects,
        and lists of other shapes than these); a list of n "int64[n]", lists of different
        lengths "int64[]", a list of rows of k "float64[][k]".
        """
        pointer, found = self._handle.pointer, {}
        info = st.sized(st.ColumnInfo)
        for index in range(self._info.column_count):
            call(lib.pcr_dataset_column_info, pointer, index, byref(info))
            found[text(info.name)] = text(info.type)
        return found

    @property
    def blobs(self) -> Tuple[str, ...]:
        """The names of blobs that samples may have (Sample.blob()), in byte order."""
        pointer = self._handle.pointer
        found: List[str] = []
        while (name := lib.pcr_dataset_blob_name(pointer, len(found))) is not None:
            found.append(text(name))
        return tuple(found)

    def column(self, name: str) -> Column:
        """An attribute of all samples of the opened split(s), as arrays: see Column.

        Reads all heads, no image bytes, each time. Raises InvalidError where there is no
        attribute of this name, IoError, FormatError, CorruptError, TruncatedError,
        UnsupportedError, LimitError, OutOfMemory.
        """
        kind = self.columns.get(name)
        if kind is None:
            raise InvalidError(f"there is no attribute named {name!r}; there are "
                               f"{', '.join(map(repr, self.columns)) or 'none'}")
        stopped: List[bool] = []
        return interruptible(lambda: self._read_column(name, str(kind), stopped),
                             lambda: stopped.append(True), wait=False)

    def _read_column(self, name: str, kind: str, stopped: List[bool]) -> Column:
        handle, encoded, step = self._handle, c_string(name, "a name"), 1 << 16
        parts = []
        for first in range(0, len(self) or 1, step):
            if stopped:
                break
            pointer = ctypes.POINTER(st.Column)()
            call(lib.pcr_dataset_column, handle.pointer, encoded, first,
                 min(step, len(self) - first), byref(pointer))
            try:
                parts.append(column_of(name, kind, pointer.contents))
            finally:
                lib.pcr_column_free(byref(pointer))
        return join_columns(parts)

    @property
    def class_counts(self) -> Tuple[int, ...]:
        """Samples of each class in the opened split(s)."""
        pointer = self._handle.pointer
        return tuple(int(lib.pcr_dataset_class_count(pointer, i))
                     for i in range(self._info.class_count))

    @property
    def splits(self) -> Dict[str, int]:
        """Name and sample count of each split of the whole dataset, in order."""
        pointer = self._handle.pointer
        count = c_uint64()
        found = {}
        for index in range(self._info.split_count):
            name = text(lib.pcr_dataset_split_name(pointer, index, byref(count)))
            found[name] = count.value
        return found

    @property
    def ladder(self) -> str:
        """The ladder's text: which scans form which group."""
        return text(lib.pcr_dataset_ladder(self._handle.pointer))

    @property
    def manifest(self) -> Dict[str, Any]:
        """The manifest, parsed; empty for a single record file."""
        nbytes = c_size_t()
        address = lib.pcr_dataset_manifest(self._handle.pointer, byref(nbytes))
        data = ctypes.string_at(address, nbytes.value) if nbytes.value else b"{}"
        parsed: Dict[str, Any] = json.loads(data)
        return parsed

    @property
    def labels(self) -> npt.NDArray[Any]:
        """First label of each sample: int64, -1 where there is none, or where the schema says
        floats float64, NaN where there is none; shape (len,).

        Read-only. The first use reads all heads, no image bytes.
        """
        if self._labels is None:
            stopped: List[bool] = []
            self._labels = interruptible(lambda: self._read_labels(stopped),
                                         lambda: stopped.append(True), wait=False)
        return self._labels

    def _read_labels(self, stopped: List[bool]) -> npt.NDArray[Any]:
        handle, floats = self._handle, self._info.label_kind == st.LabelKind.FLOATS
        found = np.empty(len(self), np.float64 if floats else np.int64)
        for number in range(self._info.record_count):
            if stopped:
                break
            record = self._record(number)
            address = found.ctypes.data + 8 * record.first_sample
            call(lib.pcr_dataset_labels, handle.pointer, record.first_sample,
                 record.sample_count, None if floats else address, address if floats else None)
        found.flags.writeable = False
        return found

    def all_labels(self) -> Tuple[npt.NDArray[Any], npt.NDArray[np.uint64]]:
        """All labels of all samples: (values, offsets), where sample i has
        values[offsets[i]:offsets[i + 1]]. values: int64, or float64 where the schema says
        floats; offsets: uint64, shape (len + 1,). Reads all heads, no image bytes."""
        stopped: List[bool] = []
        return interruptible(lambda: self._read_all_labels(stopped),
                             lambda: stopped.append(True), wait=False)

    def _read_all_labels(self, stopped: List[bool]) -> Tuple[npt.NDArray[Any],
                                                             npt.NDArray[np.uint64]]:
        handle, floats = self._handle, self._info.label_kind == st.LabelKind.FLOATS
        offsets = np.zeros(len(self) + 1, np.uint64)
        parts: List[npt.NDArray[Any]] = [np.empty(0, np.float64 if floats else np.int64)]
        found = st.Buffer()
        try:
            for number in range(self._info.record_count):
                if stopped:
                    break
                record = self._record(number)
                first, end = record.first_sample, record.first_sample + record.sample_count
                before = offsets[first]
                call(lib.pcr_dataset_all_labels, handle.pointer, first, record.sample_count,
                     offsets.ctypes.data + 8 * first, byref(found))
                offsets[first:end + 1] += before
                parts.append(np.frombuffer(ctypes.string_at(found.data, found.nbytes),
                                           parts[0].dtype) if found.nbytes else parts[0])
        finally:
            lib.pcr_buffer_free(byref(found))
        return np.concatenate(parts), offsets

    @property
    def targets(self) -> List[Any]:
        """The same as a list of Python's numbers, as torchvision's datasets have it."""
        values: List[Any] = self.labels.tolist()
        return values

    @property
    def records(self) -> List[Record]:
        """All records in order. Opens no record."""
        return [self._record(i) for i in range(self._info.record_count)]

    def _record(self, index: int) -> Record:
        pointer = self._handle.pointer
        info = st.sized(st.RecordInfo)
        call(lib.pcr_dataset_record, pointer, index, byref(info))
        ends = tuple(int(lib.pcr_dataset_record_prefix(pointer, index, g + 1))
                     for g in range(self.group_count))
        return Record(index, text(info.path), info.first_sample, info.sample_count,
                      info.total_nbytes, info.head_end, ends)

    def prefix_nbytes(self, fidelity: int) -> int:
        """Bytes of all record prefixes at a fidelity, headers and heads included."""
        if not 1 <= fidelity <= self.group_count:
            raise InvalidError(f"fidelity {fidelity}, expected 1 to {self.group_count}")
        return int(lib.pcr_dataset_prefix_nbytes(self._handle.pointer, fidelity))

    def describe(self) -> Dict[str, Any]:
        """Counts and sizes (bytes, of the opened split(s)), format version, prefixes.

        max_side, target_nbytes: what larger images were reduced to before they were packed;
        None: nothing was. pictures: what became of other formats than JPEG ("opaque", "jpeg",
        "progressive";
        None: not known, as of one record), encoded_count: so many of them became JPEGs. quality:
        of the JPEGs that were made, at most; None: none were. In the whole dataset, whatever
        split was opened: coding ("scans" or "packed", that it was written with; None: not
        known, as of one record), scans_count and packed_count (samples of these codings),
        opaque_count (samples kept whole), undecodable_count (those of them
        that no decoder here could show), salvaged_count (samples of damaged files),
        dropped_count (samples whose files had bytes after the image, which were not kept),
        dropped_nbytes (those bytes), skipped_count (inputs left out), unrestorable_count
        (samples kept whole, as it would take too much to restore their files). notes() names
        them. originals: whether source files, but for salvaged ones, can be restored
        (Sample.original()); tail_nbytes: what records have for that, and their notes.
        """
        info = self._info
        return {
            "path": self.path,
            "format_version": (info.version_major, info.version_minor),
            "group_count": info.group_count,
            "sample_count": info.sample_count,
            "record_count": info.record_count,
            "coding": text(lib.pcr_coding_name(info.coding)) if info.coding else None,
            "scans_count": info.scans_count,
            "packed_count": info.packed_count,
            "opaque_count": info.opaque_count,
            "undecodable_count": info.undecodable_count,
            "salvaged_count": info.salvaged_count,
            "dropped_count": info.dropped_count,
            "dropped_nbytes": info.dropped_nbytes,
            "skipped_count": info.skipped_count,
            "originals": bool(info.originals),
            "unrestorable_count": info.unrestorable_count,
            "tail_nbytes": info.tail_nbytes,
            "max_side": info.max_side or None,
            "target_nbytes": info.target_nbytes or None,
            "quality": info.quality or None,
            "pictures": PICTURES.get(info.pictures),
            "encoded_count": info.encoded_count,
            "exact_count": info.exact_count,
            "source_nbytes": info.source_nbytes,
            "head_nbytes": info.head_nbytes,
            "total_nbytes": info.total_nbytes,
            "prefix_nbytes": [self.prefix_nbytes(g + 1) for g in range(info.group_count)],
            "splits": self.splits,
            "classes": dict(zip(self.classes, self.class_counts)),
        }

    def notes(self) -> List[Dict[str, Any]]:
        """What the writer noted of samples (of the opened split), in the dataset's order.

        Each is a dictionary with "index" (in the dataset), "key", and what was noted:
        "undecodable" (what it is, if no decoder here could show it), "salvaged" (what was
        wrong with its file), "unrestorable" (why it was kept whole, though it can be coded),
        "encoded" (the format of a file that became a JPEG), "dropped" and "dropped_nbytes" (what
        stood after the image and was not kept). Reads all records' heads and tails.

        Raises IoError, FormatError, CorruptError, TruncatedError, UnsupportedError, LimitError,
        OutOfMemory.
        """
        found: List[Dict[str, Any]] = []
        for number in range(self._info.record_count):
            first = self._record(number).first_sample
            for line in self._record_notes(number).splitlines():
                note = json.loads(line)
                note["index"] += first
                found.append(note)
        return found

    def _record_notes(self, number: int) -> bytes:
        lines = st.Buffer()
        try:
            call(lib.pcr_dataset_record_notes, self._handle.pointer, number, byref(lines))
            return ctypes.string_at(lines.data, lines.nbytes) if lines.nbytes else b""
        finally:
            lib.pcr_buffer_free(byref(lines))

    def io_stats(self) -> Dict[str, int]:
        """What was read from storage since the dataset was opened, without the manifest.

        open_count (files); read_count, range_count (a read has one range or several),
        read_nbytes, read_ns (thread time), error_count, retry_count, throttle_ns (of
        read_ns); cache_hit_nbytes, cache_miss_nbytes, cache_stored_nbytes, in whole blocks of
        16 KiB; cache_bad_count (damaged blocks there), cache_failed_count (records of which
        it could keep nothing more for an error); fault_count.
        """
        found = st.sized(st.IoStats)
        call(lib.pcr_dataset_io_stats, self._handle.pointer, byref(found))
        return {field[0]: int(getattr(found, field[0]))
                for field in found._fields_ if field[0] not in ("size", "reserved")}

    def find(self, key: Union[str, bytes]) -> int:
        """Index of the first sample with this key. Raises KeyError where there is none.

        The first call reads all heads; later ones take constant time.
        """
        index = self._find(key)
        if index is None:
            raise KeyError(key)
        return index

    def _find(self, key: Union[str, bytes]) -> Optional[int]:
        wanted = raw(key)
        index, handle = c_uint64(), self._handle

        def find() -> int:
            return call(lib.pcr_dataset_find, handle.pointer, wanted, len(wanted), byref(index))
        # The first search reads all heads.
        code = find() if self._indexed else interruptible(find, lambda: None, wait=False)
        self._indexed = True
        return None if code == st.Code.END else index.value

    def verify(self, *, deep: bool = False, originals: bool = False,
               progress: Optional[Callable[[int, int], None]] = None) -> VerifyReport:
        """Verifies every checksum of every record.

        deep: also decode each sample at every fidelity. Samples that were kept whole, are
            intact, and that no decoder here can show are told apart from damage.
        originals: also restore the source file of each sample that keeps it, and compare its
            checksum.
        progress: called with (records done, records in all) after each record; an
            exception that it raises ends the work.

        Damage is told in the report, not raised. Raises IoError for a folder that cannot
        be read, OutOfMemory.
        """
        handle = self._handle
        report = st.sized(st.VerifyReport)
        findings: List[Tuple[str, PcrError]] = []
        undecodable: List[Tuple[str, PcrError]] = []
        stopped: List[bool] = []

        def note(_context: Any, kind: int, path: Optional[bytes], _done: int,
                 err: Any) -> int:
            if err:
                found = undecodable if kind == st.VerifyKind.UNDECODABLE else findings
                found.append((text(path), to_exception(err.contents)))
            return len(stopped)

        callback = st.VERIFY_CALLBACK(note)
        total = int(self._info.record_count)
        flags = (st.VERIFY_DEEP if deep else 0) | (st.VERIFY_ORIGINALS if originals else 0)
        for index in range(total):
            interruptible(
                lambda: call(lib.pcr_dataset_verify_record, handle.pointer, index,
                             flags, byref(report), callback, None),
                lambda: stopped.append(True), wait=False)
            if progress is not None:
                progress(index + 1, total)
        return VerifyReport(report.record_count, report.sample_count, report.bad_records,
                            report.bad_samples, tuple(findings),
                            report.undecodable_samples, tuple(undecodable),
                            report.restored_samples)

    def close(self) -> None:
        """Lets go of the dataset. May be called more than once."""
        self._open = None

    def __enter__(self) -> Dataset:
        self._handle
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()


_warned: Set[str] = set()


def outside() -> int:
    """The stack level, as the caller's warnings.warn() counts, of who called this package."""
    here = os.path.dirname(__file__)
    frame: Optional[FrameType] = sys._getframe()
    level = 1
    while frame is not None and os.path.dirname(frame.f_code.co_filename) == here:
        frame, level = frame.f_back, level + 1
    return level - 1


def warn_of_splits(datasets: Iterable[Dataset]) -> None:
    """Warns once of each dataset's path that all of its splits are taken, if nobody said so."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        return  # a worker: its parent has told
    for dataset in datasets:
        filled = {name: count for name, count in dataset.splits.items() if count}
        path = os.path.realpath(dataset.path)
        if dataset.split is not None or len(filled) < 2 or path in _warned:
            continue
        _warned.add(path)
        found = ", ".join(f"{name} ({count})" for name, count in list(filled.items())[:8])
        first = "train" if "train" in filled else next(iter(filled))
        warnings.warn(f"{dataset.path} has the splits {found}, and all of them are used: "
                      f"give split={first!r}, or split='all' if that is intended", UserWarning,
                      stacklevel=outside())


@keywords(fidelity="give it to decode(), jpeg() or a Loader",
          num_workers="reading has no workers; a Loader has threads=", mode="it is for reading",
          batch_size="pcr.Loader has it", shuffle="pcr.Loader has it",
          classes="pcr.Loader has it", subset="write split=")
def open(path: Path, *, split: Optional[str] = None, verify: bool = True,
         io: str = "auto", open_records: int = 64, cache_dir: Optional[Path] = None,
         cache_bytes: Optional[int] = None, retries: int = 4,
         storage: Optional[Storage] = None,
         throttle: Optional[float] = None, delay: float = 0.0,
         max_pixels: Optional[int] = None, max_scans: Optional[int] = None,
         max_sample_nbytes: Optional[int] = None, max_samples: Optional[int] = None,
         max_head_nbytes: Optional[int] = None,
         max_manifest_nbytes: Optional[int] = None) -> Dataset:
    """Opens a dataset folder, or one record file as a dataset of its own.

    split: only this split's samples; None for all. "all" stands for all too (where no split
        has that name), and says to a loader that they are meant.
    verify: compare checksums of all that is read; False not with a cache.
    io: "pread" reads just the bytes asked for; "uring" does so by io_uring where that is
        allowed; "direct" reads around the page cache; "mmap" is for local files that
        nobody changes (a file that shrinks kills the process); "auto" is "pread".
    open_records: records kept open with their heads in memory.
    cache_dir: a folder that keeps what is read, on a disk that is nearer than the dataset:
        the prefixes that were needed, and more of them when they are. It is made if missing,
        may be used by several processes at once, and again later.
    cache_bytes: about how much the cache may hold, 16 GiB if None; without cache_dir the
        cache is in memory. What came first stays. Damage there is noticed, and read anew.
    retries: how often a read, also of the manifest, is tried again that fails for a reason that
        may pass (an error of the disk or network, too many open files), after 5, 10, 20 ms and
        so on.
    storage: where the dataset is, if not in files: an object with a method `open(name)`, which
        returns an object with `size` and a method `read_into(offset, buffer)` (pcr.Storage,
        pcr.StorageFile). `path` is then what the names of its objects begin with, "" for nothing.
        They are called from threads of loaders, several at a time. What they raise is the
        __cause__ of the exception that the caller gets.
    throttle: for experiments: bytes a second that storage gives to this dataset at most.
    delay: for experiments: seconds that each read takes longer.
    max_pixels, max_scans, max_sample_nbytes: limits of what decode(), verify() and loaders take,
        see pcr.decode(); max_samples (of a record, 2**20), max_head_nbytes (of a record's head,
        2**28), max_manifest_nbytes (2**30): limits of what opening takes. None is the default,
        or what the dataset's conversion found to be needed; a number holds in any case. Set them
        for datasets of people that you do not know.

    Reads the manifest only. Raises NotFoundError (a FileNotFoundError) and other
    IoErrors, FormatError, CorruptError, UnsupportedError (a newer format), LimitError,
    InvalidError (no such split: says which there are), OutOfMemory.
    """
    how = dict(locals())
    del how["path"]
    options = st.sized(
        st.DatasetOptions, flags=0 if verify else st.DATASET_NO_VERIFY,
        split=None if split is None else c_string(split, "a split"),
        open_records=whole(open_records, "open_records"),
        cache_dir=None if cache_dir is None else c_path(cache_dir),
        cache_nbytes=0 if cache_bytes is None else whole(cache_bytes, "cache_bytes", 1, 64),
        retry_count=whole(retries, "retries", 0) or st.RETRY_NEVER,
        throttle_nbytes_s=0 if throttle is None else whole(int(throttle), "throttle", 1, 64),
        delay_us=whole(round(delay * 1e6), "delay", 0),
        io_backend=0 if io == "auto" else choice(st.IoBackend, io, "io"),
        limits=limits_of(max_pixels, max_scans, max_sample_nbytes, max_samples=max_samples,
                         max_head_nbytes=max_head_nbytes,
                         max_manifest_nbytes=max_manifest_nbytes))
    adapter = None if storage is None else Adapter(storage)
    if adapter is not None:
        options.storage = ctypes.pointer(adapter.struct)
    pointer = c_void_p()
    call(lib.pcr_dataset_open, c_path(path), byref(options), byref(pointer))
    return Dataset(Handle(pointer, lib.pcr_dataset_close, adapter), os.fsdecode(path), split, how)


def _reopen(path: str, how: Mapping[str, Any]) -> Dataset:
    return open(path, **how)
