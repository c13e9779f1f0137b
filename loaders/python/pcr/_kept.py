# SPDX-License-Identifier: BSD-2-Clause
"""A storage that keeps what it has read, so that no byte is read twice, and counts the rest."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from typing import Any, Iterator, List, Optional, Tuple

from ._storage import Storage, StorageFile


class LocalFile:
    """An open file of this machine."""

    def __init__(self, name: str) -> None:
        self._file = open(name, "rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fills the buffer, or less of it where the file ends."""
        done = 0
        while done < len(buffer):
            count = os.preadv(self._file.fileno(), [buffer[done:]], offset + done)
            if not count:
                break
            done += count
        return done

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class LocalFiles:
    """This machine's files as a pcr.Storage."""

    def open(self, name: str) -> LocalFile:
        """Opens a file by its path."""
        return LocalFile(name)


class Kept:
    """A pcr.Storage on another one. What it keeps is forgotten when it exceeds `max_nbytes`."""

    def __init__(self, storage: Optional[Storage] = None, max_nbytes: int = 256 << 20) -> None:
        self._storage: Storage = LocalFiles() if storage is None else storage
        self._max_nbytes = max_nbytes
        self._lock = threading.Lock()  # of what follows
        self._files: List[KeptFile] = []
        self._kept_nbytes = 0
        self.read_nbytes = 0  #: read from the storage so far
        self._mine = threading.local()

    @property
    def thread_nbytes(self) -> int:
        """Of read_nbytes: what this thread has read. The library reads in the thread that asks
        for a sample."""
        return getattr(self._mine, "nbytes", 0)

    def open(self, name: str) -> KeptFile:
        """Opens an object of the storage below."""
        file = KeptFile(self, self._storage.open(name))
        with self._lock:
            self._files.append(file)
        return file

    def add(self, nbytes: int) -> None:
        """Counts what was read. May forget what files keep, so no file may be locked."""
        self._mine.nbytes = self.thread_nbytes + nbytes
        full: List[KeptFile] = []
        with self._lock:
            self.read_nbytes += nbytes
            self._kept_nbytes += nbytes
            if self._kept_nbytes > self._max_nbytes:
                full, self._kept_nbytes = list(self._files), 0
        for file in full:
            file.forget()

    def remove(self, file: KeptFile) -> None:
        """Takes a closed file off the list."""
        with self._lock:
            self._files.remove(file)
            self._kept_nbytes -= min(self._kept_nbytes, file.forget())


class KeptFile:
    """An open object, and the parts of it that were read before."""

    def __init__(self, owner: Kept, file: StorageFile) -> None:
        self._owner, self._file = owner, file
        size: Any = file.size
        self.size = int(size() if callable(size) else size)
        self._lock = threading.Lock()  # of the parts, and so that nothing is read twice
        self._starts: List[int] = []  # in ascending order; parts do not overlap
        self._parts: List[bytes] = []

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fills the buffer; only what is not kept is read."""
        end, added = offset + len(buffer), 0
        try:
            with self._lock:
                for at, stop in list(self._gaps(offset, end)):
                    part = bytearray(stop - at)
                    filled = self._file.read_into(at, memoryview(part))
                    if filled is not None and filled != len(part):
                        raise EOFError(f"{filled} bytes of {len(part)} from offset {at}")
                    place = bisect_right(self._starts, at)
                    self._starts.insert(place, at)
                    self._parts.insert(place, bytes(part))
                    added += len(part)
                for start, kept in self._overlaps(offset, end):
                    skip = max(offset - start, 0)
                    piece = kept[skip:end - start]
                    buffer[start + skip - offset:][:len(piece)] = piece
        finally:
            self._owner.add(added)

    def _overlaps(self, at: int, end: int) -> Iterator[Tuple[int, bytes]]:
        for i in range(max(bisect_right(self._starts, at) - 1, 0), len(self._starts)):
            if self._starts[i] >= end:
                break
            if self._starts[i] + len(self._parts[i]) > at:
                yield self._starts[i], self._parts[i]

    def _gaps(self, at: int, end: int) -> Iterator[Tuple[int, int]]:
        for start, kept in self._overlaps(at, end):
            if start > at:
                yield at, start
            at = start + len(kept)
        if at < end:
            yield at, end

    def forget(self) -> int:
        """Lets go of all parts; returns their size."""
        with self._lock:
            nbytes = sum(map(len, self._parts))
            self._starts.clear()
            self._parts.clear()
        return nbytes

    def close(self) -> None:
        """Closes the object."""
        self._owner.remove(self)
        close = getattr(self._file, "close", None)
        if close is not None:
            close()
