# SPDX-License-Identifier: BSD-2-Clause
"""Exceptions, one class for each class of failure.

All derive from PcrError. Where Python has an exception for the same thing, the class
derives from it too: a missing dataset is a FileNotFoundError, a wrong argument a
ValueError, want of memory a MemoryError.
"""

from __future__ import annotations

import errno
from typing import Dict, Optional, Tuple, Type

__all__ = [
    "AccessError",
    "BusyError",
    "CancelledError",
    "CorruptError",
    "FormatError",
    "InvalidError",
    "IoError",
    "LimitError",
    "NotFoundError",
    "OutOfMemory",
    "PcrError",
    "TruncatedError",
    "UnsupportedError",
]


class PcrError(Exception):
    """A failure that libpcr reports.

    code: the negative number of ``enum pcr_code``.
    sys_errno: errno of the failing system call, 0 where there was none.
    offset: byte offset in the object that the message names, None where there is none.
    """

    code: int = 0
    sys_errno: int = 0
    offset: Optional[int] = None

    def __init__(self, message: str, code: Optional[int] = None, sys_errno: int = 0,
                 offset: Optional[int] = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.sys_errno = sys_errno
        self.offset = offset

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Tuple[object, ...]:
        return (type(self), (self.message, self.code, self.sys_errno, self.offset))


class OutOfMemory(PcrError, MemoryError):
    """Memory could not be had."""

    code = -1


class InvalidError(PcrError, ValueError):
    """The caller's mistake: an argument that cannot be right."""

    code = -2


class IoError(PcrError, OSError):
    """The operating system refused; ``errno`` says why."""

    code = -3

    def __init__(self, message: str, code: Optional[int] = None, sys_errno: int = 0,
                 offset: Optional[int] = None) -> None:
        PcrError.__init__(self, message, code, sys_errno, offset)
        OSError.__init__(self, sys_errno, message)


class NotFoundError(IoError, FileNotFoundError):
    """There is no such file or folder."""


class AccessError(IoError, PermissionError):
    """A file or folder may not be used by this process."""


class BusyError(IoError, BlockingIOError):
    """Another process is writing this dataset."""


class FormatError(PcrError):
    """The file is not such an object at all."""

    code = -4


class CorruptError(PcrError):
    """The object is damaged."""

    code = -5


class TruncatedError(PcrError):
    """The object ends too early."""

    code = -6


class UnsupportedError(PcrError):
    """Valid, but this library or its build cannot hold it."""

    code = -7


class LimitError(PcrError):
    """Larger than a limit."""

    code = -8


class CancelledError(PcrError):
    """The caller asked to stop."""

    code = -9


class ProfileWarning(UserWarning):
    """An image's ICC profile cannot be used: its colours are as they were without one."""


BY_CODE: Dict[int, Type[PcrError]] = {
    kind.code: kind
    for kind in (OutOfMemory, InvalidError, IoError, FormatError, CorruptError,
                 TruncatedError, UnsupportedError, LimitError, CancelledError)
}

BY_ERRNO: Dict[int, Type[IoError]] = {
    errno.ENOENT: NotFoundError,
    errno.EACCES: AccessError,
    errno.EPERM: AccessError,
    errno.EROFS: AccessError,
    errno.EAGAIN: BusyError,
    errno.EWOULDBLOCK: BusyError,
}


def make(code: int, message: str, sys_errno: int = 0,
         offset: Optional[int] = None) -> PcrError:
    """The exception for a code of ``enum pcr_code``."""
    kind: Type[PcrError] = BY_CODE.get(code, PcrError)
    if kind is IoError:
        kind = BY_ERRNO.get(sys_errno, IoError)
    return kind(message, code, sys_errno, offset)
