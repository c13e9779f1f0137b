# SPDX-License-Identifier: BSD-2-Clause
"""Bytes that are kept in a file without a name until they are needed."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _structs as st
from .errors import PcrError, make

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt


class Spool:
    """A file in a folder that has room for all that is added. Reads may come from any thread."""

    def __init__(self, folder: str) -> None:
        import tempfile  # it takes a while
        self.folder = folder
        self.nbytes = 0
        try:
            self._file: Any = tempfile.TemporaryFile(prefix=".pcr-spool-", dir=folder,
                                                     buffering=0)
        except OSError as exc:
            raise self._failure("cannot create a file for the samples", exc) from None

    def _failure(self, what: str, exc: OSError) -> PcrError:
        return make(st.Code.ERR_IO, f"{self.folder}: {what}: {exc.strerror}", exc.errno or 0)

    def add(self, data: npt.NDArray[np.uint8]) -> int:
        """Keeps bytes; where they are. Raises IoError, for example where the disk is full."""
        view, done = data.data, 0
        try:
            while done < view.nbytes:
                done += os.pwrite(self._file.fileno(), view[done:], self.nbytes + done)
        except OSError as exc:
            raise self._failure("cannot write a sample", exc) from None
        self.nbytes += done
        return self.nbytes - done

    def read(self, offset: int, nbytes: int) -> npt.NDArray[np.uint8]:
        """Bytes that were added. Raises IoError."""
        data = np.empty(nbytes, np.uint8)
        view, done = data.data, 0
        try:
            while done < nbytes:
                count = os.preadv(self._file.fileno(), [view[done:]], offset + done)
                if not count:
                    raise OSError(errno.EIO, "the file has become shorter")
                done += count
        except OSError as exc:
            raise self._failure("cannot read a sample back", exc) from None
        return data

