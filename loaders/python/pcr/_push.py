# SPDX-License-Identifier: BSD-2-Clause
"""Writing datasets of samples as they come."""

from __future__ import annotations

import threading
import warnings
from ctypes import byref, c_void_p
from types import TracebackType
from typing import Any, Dict, Iterable, Mapping, Optional, Type, Union

import numpy as np

from . import _structs as st
from ._dataset import Path
from ._keywords import keywords
from ._label import Label, label_array
from ._library import Handle, c_path, c_string, call, lib, limits_of, whole
from ._source import (Data, NewSample, attributes_text, blob_array, blob_list, class_list,
                      file_bytes, new_sample, strings)
from ._waiter import interruptible
from ._writer import Job, Ladder, Progress, WriteReport, write_options
from .errors import InvalidError


class Writer:
    """Writes a dataset of samples that a program makes as it goes, in one thread or several:

        with pcr.Writer("made.pcr", classes=["cat", "dog"]) as writer:
            for number, (image, name) in enumerate(made()):
                writer.add(f"{number}.jpg", image, name)

    Samples are kept in a file without a name in the folder that `dst` is in, or in `spool_folder`,
    which must have room for them. At the end of the ``with`` block, or by finish(), the dataset is
    written as pcr.write() would of the same samples. Before that nothing of it is there; an
    exception in the block leaves no dataset.

    classes: the classes' names, needed where labels are names. Empty, or None without names:
        see pcr.write().
    splits: the splits' names, in their order.

    The other arguments are those of pcr.convert(). report: after finish(), its WriteReport.

    Raises InvalidError where `dst` already holds a dataset, IoError, OutOfMemory.
    """

    @keywords(num_workers="write threads=", workers="write threads=")
    def __init__(self, dst: Path, *, classes: Optional[Iterable[str]] = None,
                 splits: Iterable[str] = ("all",), coding: Optional[str] = None,
                 ladder: Optional[Ladder] = None, seed: int = 0, shuffle: bool = True,
                 record_samples: int = 1024,
                 record_nbytes: int = 0, threads: Optional[int] = None, on_bad: str = "fail",
                 opaque: str = "keep", dedupe: bool = False,
                 keep_originals: Optional[bool] = None, progress: Optional[Progress] = None,
                 max_side: Optional[int] = None, target_nbytes: Optional[int] = None,
                 quality: Optional[int] = None, pictures: str = "opaque",
                 max_pixels: Optional[int] = None, max_scans: Optional[int] = None,
                 max_sample_nbytes: Optional[int] = None,
                 max_memory_nbytes: Optional[int] = None,
                 spool_folder: Optional[Path] = None) -> None:
        settings = write_options(coding, ladder, seed, shuffle, record_samples, record_nbytes,
                                 threads, on_bad, opaque, dedupe, keep_originals, False,
                                 max_side, target_nbytes, quality, pictures,
                                 max_memory_nbytes,
                                 limits_of(max_pixels, max_scans, max_sample_nbytes))
        names = [] if classes is None else class_list(classes)
        if classes is not None and not names:
            settings.flags |= st.WRITE_NO_CLASSES
        self._job = Job(settings, progress)
        self._number = {name: i for i, name in enumerate(names)}
        self._splits = {name: i for i, name in enumerate(splits)}
        if not self._splits:
            raise InvalidError("splits is empty")
        options = st.sized(
            st.WriterOptions, class_count=len(names), class_names=strings(names, "a class name"),
            split_count=len(self._splits), split_names=strings(list(self._splits), "a split"),
            spool_folder=None if spool_folder is None else c_path(spool_folder))
        options.write.contents = settings
        pointer = c_void_p()
        call(lib.pcr_writer_open, c_path(dst), byref(options), byref(pointer))
        self._lock = threading.Lock()  # over _open
        self._open: Optional[Handle] = Handle(pointer, lib.pcr_writer_close, settings)
        self._unfinished = ""  # the dataset that samples were added to
        self._dst = str(dst)
        self.report: Optional[WriteReport] = None

    def _handle(self) -> Handle:
        with self._lock:
            if self._open is None:
                raise ValueError("the writer is closed")
            return self._open

    def add(self, key: Union[str, bytes], data: Data, label: Label = None,
            attributes: Optional[Dict[str, Any]] = None, split: Optional[str] = None, *,
            index: Optional[int] = None,
            blobs: Optional[Mapping[str, Data]] = None) -> None:
        """Adds a sample; what its arguments are, NewSample says. From any thread.

        data, blobs: bytes, and no functions. split: None is the first.
        index: the samples' order before the shuffle, whichever thread is first; they differ, and
            gaps are fine. None for all samples: the order of the calls.

        Raises TypeError, InvalidError, LimitError, IoError (a full disk), OutOfMemory,
        CancelledError; then nothing is added, and others may follow. That an image is bad, or a
        key there twice, finish() raises.
        """
        handle = self._handle()
        name = next(iter(self._splits)) if split is None else split
        sample = new_sample(0 if index is None else index,
                            NewSample(key, data, label, attributes, name))
        if name not in self._splits:
            raise InvalidError(f"{key!r}: split {name!r}, but there are {list(self._splits)}")
        if isinstance(label, str) and not self._number:
            raise InvalidError(f"{key!r}: label {label!r:.100} is a name: give the writer classes")
        labels = label_array(sample.label, repr(key), self._number)
        view = file_bytes(data, repr(key))
        given = blob_list(blobs, repr(key))
        if any(callable(value) for _, value in given):
            raise TypeError(f"{key!r}: a blob is a function, expected bytes")
        floats = labels.dtype == np.float64
        address = labels.ctypes.data if labels.size else None
        call(lib.pcr_writer_add, handle.pointer,
             st.WRITER_NEXT if index is None else whole(index, "index", 0, 64),
             byref(st.sized(st.SourceSample, key=c_string(sample.key, "a key"),
                            attributes=attributes_text(sample), split=self._splits[name],
                            labels=None if floats else address,
                            float_labels=address if floats else None,
                            label_count=labels.size, blobs=blob_array(given, True),
                            blob_count=len(given))),
             view.ctypes.data, view.nbytes)
        self._unfinished = self._dst

    def finish(self) -> WriteReport:
        """Writes and publishes the dataset, after all add() have returned, and closes the
        writer. Raises what pcr.write() raises; then it may be called again."""
        handle = self._handle()
        done = interruptible(
            lambda: self._job.run(lambda report: call(lib.pcr_writer_finish, handle.pointer,
                                                      report)), self._job.stop)
        self.report = WriteReport(done, tuple(self._job.bad), (),
                                  repeated=tuple(self._job.repeated))
        self.close()
        return self.report

    def cancel(self) -> None:
        """Makes add() and finish(), also one that is under way, raise CancelledError."""
        lib.pcr_writer_cancel(self._handle().pointer)

    def close(self) -> None:
        """Closes the writer; without finish() before, nothing is left of it."""
        self._unfinished = ""
        with self._lock:
            self._open = None

    def __del__(self) -> None:
        if getattr(self, "_unfinished", ""):
            warnings.warn(f"{self._unfinished} was not written: its pcr.Writer was dropped "
                          "without finish(), close() or a with block", RuntimeWarning, source=self)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        try:
            if kind is None and self._open is not None:
                self.finish()
        finally:
            self.close()
