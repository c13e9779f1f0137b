# SPDX-License-Identifier: BSD-2-Clause
"""Storages that Python programs bring, as the C library sees them."""

from __future__ import annotations

import ctypes
import errno
from ctypes import byref, c_ssize_t, c_void_p, py_object
from itertools import count
from typing import Any, Dict, Optional, Protocol, Tuple

from . import _structs as st
from ._library import c_string, error_of, lib, text

_WRITABLE = 0x200  # PyBUF_WRITE
_view_of = ctypes.pythonapi.PyMemoryView_FromMemory
_view_of.restype = py_object
_view_of.argtypes = [c_void_p, c_ssize_t, ctypes.c_int]


class StorageFile(Protocol):
    """An open object of a Storage.

    It may also have `version`, a whole number of 64 bits that differs when the object was
    replaced, and `close()`, which is called when it is not needed any more.
    """

    size: int  #: in bytes

    def read_into(self, offset: int, buffer: memoryview) -> Optional[int]:
        """Fills `buffer` with the bytes from `offset` on. What it returns is None, or how many
        bytes it filled: fewer than there is room for mean that the object ends before. The
        buffer must not be kept."""


class Storage(Protocol):
    """Where datasets are: objects by names, with "/" between the parts of a name.

    It may also have `identity`, a str that tells this storage from all others, which a cache
    folder needs; and `may_pass(exception)`, which says whether what failed with an exception
    may succeed when it is tried again. Without it connection errors, timeouts and OSErrors whose
    errno says so (EIO, EAGAIN and others) may.
    """

    def open(self, name: str) -> StorageFile:
        """Opens an object. Raises FileNotFoundError or KeyError where nothing has the name."""


class Adapter:
    """A struct pcr_storage on a Storage, with all the memory that it points into. Its callbacks
    come from any thread."""

    def __init__(self, storage: Any) -> None:
        if not callable(getattr(storage, "open", None)):
            raise TypeError(f"a storage needs a method open(name), but {storage!r} has none")
        self._storage = storage
        self._may_pass = getattr(storage, "may_pass", None)
        self._files: Dict[int, Any] = {}
        self._numbers = count(1)
        identity = getattr(storage, "identity", None)
        self.struct = st.sized(
            st.Storage, open=st.STORAGE_OPEN(self._open), read=st.STORAGE_READ(self._read),
            close=st.STORAGE_CLOSE(self._close),
            identity=None if identity is None else c_string(identity, "a storage's identity"))

    def _open(self, _context: Any, name: Optional[bytes], out: Any, info: Any, err: Any) -> int:
        try:
            try:
                file = self._storage.open(text(name))
            except KeyError as exc:
                raise FileNotFoundError(errno.ENOENT, f"no object has this name: {exc}") from exc
            info.contents.nbytes = _number(file, "size")
            if getattr(file, "version", None) is not None:
                info.contents.version = _number(file, "version")
            number = next(self._numbers)
            self._files[number] = file
            out[0] = number
            return 0
        except BaseException as exc:
            code, err[0] = self._error(exc)
            return code

    def _read(self, _context: Any, number: int, offset: int, dst: int, nbytes: int,
              request: int) -> None:
        code, why = 0, None
        try:
            view = _view_of(dst, nbytes, _WRITABLE)
            try:
                filled = self._files[number].read_into(offset, view)
            finally:
                view.release()  # its memory is the library's again
            if filled is not None and filled != nbytes:
                raise EOFError(f"read_into() filled {filled} bytes of {nbytes}")
        except BaseException as exc:
            code, error = self._error(exc)
            why = byref(error)
        lib.pcr_storage_complete(request, code, why)

    def _close(self, _context: Any, number: int) -> None:
        close = getattr(self._files.pop(number), "close", None)
        if close is not None:
            close()

    def _error(self, exc: BaseException) -> Tuple[int, st.Error]:
        """The code and the struct for what a callback raised."""
        if isinstance(exc, MemoryError):
            code = st.Code.ERR_NOMEM
        elif isinstance(exc, EOFError):
            code = st.Code.ERR_TRUNCATED
        elif isinstance(exc, Exception):
            code = st.Code.ERR_IO
        else:
            code = st.Code.ERR_CANCELLED  # KeyboardInterrupt, SystemExit
        number = (exc.errno or 0) if isinstance(exc, OSError) else 0
        flags = 0  # as errno says
        if isinstance(exc, (ConnectionError, TimeoutError)):
            flags = st.ERROR_MAY_PASS
        if code == st.Code.ERR_IO and self._may_pass is not None:
            try:
                flags = st.ERROR_MAY_PASS if self._may_pass(exc) else st.ERROR_LASTS
            except Exception as other:
                other.__cause__ = exc
                exc, flags = other, st.ERROR_LASTS
        return int(code), error_of(exc, code, number, flags)


def _number(file: Any, name: str) -> int:
    value = getattr(file, name)
    number = int(value() if callable(value) else value)
    if not 0 <= number < 1 << 64:
        raise ValueError(f"{name} of {file!r} is {number}")
    return number
