# SPDX-License-Identifier: BSD-2-Clause
"""Writing samples of a dataset into folders and into the formats of other loaders."""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_uint64
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Protocol, Tuple, Union

from . import _structs as st
from ._dataset import Dataset, Path, open as open_dataset
from ._keywords import keywords
from ._library import c_path, c_string, call, choice, lib, text, whole
from ._waiter import interruptible
from .errors import CancelledError, InvalidError


class Writable(Protocol):
    """What bytes can be written to: a file opened with "wb", sys.stdout.buffer, a socket's
    file."""

    def write(self, data: bytes, /) -> Any: ...


class ExportProgress(NamedTuple):
    """How far an export is. Sizes are in bytes."""

    sample_count: int  #: in all
    samples_done: int  #: written or left out
    written_count: int  #: samples written
    written_nbytes: int  #: of all that was written
    file_count: int  #: files written; 0 for a stream
    unsafe_count: int  #: samples left out, or left out of the list, for their keys
    damaged_count: int  #: samples left out for damage
    degraded_count: int  #: samples written at a lower fidelity for damage
    unrestorable_count: int  #: samples left out, as their source files were not kept
    lost_blob_count: int  #: blobs left out for damage or their names


class ExportReport(NamedTuple):
    """What an export did."""

    progress: ExportProgress
    fidelity: int
    #: (index, key, what) of samples that were left out, are not in the list, are degraded, or lack
    #: a blob; the key is None where a record cannot be read: then `index` is that of the first of
    #: its samples
    left_out: Tuple[Tuple[int, Optional[str], str], ...]


class Run:
    """One call. Exceptions in callbacks stop it, and are raised at last."""

    def __init__(self, options: st.ExportOptions,
                 progress: Optional[Callable[[ExportProgress], None]],
                 stream: Optional[Writable]) -> None:
        self._progress = progress
        self._stream = stream
        self._raised: List[BaseException] = []
        self._stopped = False
        self.left_out: List[Tuple[int, Optional[str], str]] = []
        self.options = options
        options.progress = st.EXPORT_PROGRESS_CALLBACK(self._report)
        options.left_out = st.EXPORT_LEFT_OUT_CALLBACK(self._note)
        if stream is not None:
            options.write = st.EXPORT_WRITE_CALLBACK(self._write)

    def stop(self) -> None:
        """Makes run() return soon."""
        self._stopped = True

    def run(self, dataset: Any, path: Optional[bytes]) -> ExportReport:
        report = st.sized(st.ExportReport)
        try:
            call(lib.pcr_export, dataset, path, byref(self.options), byref(report))
        except CancelledError:
            if self._raised:
                raise self._raised[0] from None
            raise
        return ExportReport(_counters(report), int(report.fidelity), tuple(self.left_out))

    def _report(self, _context: Any, report: Any) -> int:
        try:
            if self._progress is not None and not self._stopped:
                self._progress(_counters(report.contents))
        except BaseException as exc:
            self._raised.append(exc)
        return int(self._stopped or bool(self._raised))

    def _note(self, _context: Any, _finding: int, index: int, key: Optional[bytes],
              what: Optional[bytes]) -> None:
        self.left_out.append((index, None if key is None else text(key), text(what)))

    def _write(self, _context: Any, data: int, nbytes: int, _err: Any) -> int:
        assert self._stream is not None
        try:
            left = memoryview(ctypes.string_at(data, nbytes))
            while left and not self._stopped:  # raw files may write less
                count = self._stream.write(left)
                left = left[len(left) if count is None else count:]
        except BaseException as exc:
            self._raised.append(exc)
        return int(st.Code.ERR_CANCELLED) if self._stopped or self._raised else 0


def _counters(report: Any) -> ExportProgress:
    return ExportProgress(*(int(getattr(report, name)) for name in ExportProgress._fields))


@keywords(num_workers="threads=", workers="threads=", to="format=", force="replace=")
def export(src: Union[Path, Dataset], dst: Union[Path, Writable], *,
           format: Optional[str] = None, split: Optional[str] = None,
           samples: Optional[Iterable[int]] = None, fidelity: Optional[int] = None,
           jpeg: str = "progressive", on_damage: str = "fail", shard_nbytes: int = 0,
           shard_samples: int = 0, list: bool = False, zstd: bool = False,
           replace: bool = False, threads: Optional[int] = None,
           progress: Optional[Callable[[ExportProgress], None]] = None) -> ExportReport:
    """Writes samples of a dataset as image files, at any fidelity.

    src: the dataset's folder, or a dataset that is open.
    dst: a folder for "folder" and "mds", made if need be; a file for the others, or with
        shards the files dst-000000 and so on, with the number before the ending. Or an object
        with a write() method, such as a file or a pipe, for "tar", "tfrecord" and "zip".
    format: "folder" (each sample is the file of its key), "tar" (WebDataset's convention),
        "tfrecord" (tf.train.Example), "zip" (files, not compressed) or "mds" (MosaicML
        Streaming). None: by dst's ending (.tar, .tfrecord, .zip), else "folder".
    split: only this split; only for a path as src. samples: indices of the samples, in this
        order; None is all.
    fidelity: None is full.
    jpeg: the form of coded samples' files, "progressive" or "baseline"; or "source": the source
        files, byte for byte (Sample.original()); a sample without one is left out.
    on_damage: what to do with a damaged sample: "fail" raises its error, "skip" leaves it out,
        "degrade" writes it at the highest fidelity that is complete.
    shard_nbytes, shard_samples: begin a new file before one has more bytes of samples, or more
        samples. 0: no bound (mds: 64 MiB).
    list: folder and zip: also write list.jsonl and classes.txt, of which convert() makes the
        same samples again.
    zstd: mds: compress the shards.
    replace: replace existing files, which else are an IoError (EEXIST).
    threads: None is one for each CPU that this process may use.
    progress: called at least every 200 ms with an ExportProgress. An exception that it
        raises stops the work and passes through, as one of dst.write() does, and Ctrl-C.

    The same samples and options give the same bytes. Files appear when they are complete. Raises
    InvalidError, IoError (BusyError: another export to dst), CorruptError and TruncatedError under
    "fail", LimitError, OutOfMemory.
    """
    flags = ((st.EXPORT_LIST if list else 0) | (st.EXPORT_ZSTD if zstd else 0) |
             (st.EXPORT_REPLACE if replace else 0))
    options = st.sized(
        st.ExportOptions, flags=flags,
        format=None if format is None else c_string(format, "a format"),
        fidelity=0 if fidelity is None else whole(fidelity, "fidelity"),
        jpeg=choice(st.ExportJpeg, jpeg, "jpeg"),
        damage=choice(st.ExportDamage, on_damage, "on_damage"),
        shard_nbytes=whole(shard_nbytes, "shard_nbytes", 0, 64),
        shard_samples=whole(shard_samples, "shard_samples", 0, 64),
        thread_count=0 if threads is None else whole(threads, "threads"))
    if samples is not None:
        indices = [whole(index, "a sample's index", 0, 64) for index in samples]
        options.indices = (c_uint64 * max(len(indices), 1))(*indices)
        options.index_count = len(indices)
    if isinstance(src, Dataset) and split is not None:
        raise InvalidError("split is that of pcr.open() where the dataset is open")
    stream: Optional[Writable] = None
    path: Optional[bytes] = None
    if isinstance(dst, (str, bytes, os.PathLike)):
        path = c_path(dst)
    else:
        stream = dst
    run = Run(options, progress, stream)

    def work() -> ExportReport:
        dataset = src if isinstance(src, Dataset) else open_dataset(src, split=split)
        try:
            return run.run(dataset._handle.pointer, path)
        finally:
            if dataset is not src:
                dataset.close()

    return interruptible(work, run.stop)
