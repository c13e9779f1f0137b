# SPDX-License-Identifier: BSD-2-Clause
"""Finds and loads the C library, declares its functions, turns failures into exceptions.

Order of search: the file that the environment variable PCR_LIBRARY names, the library in
the package's own folder (as wheels have it), the one that the system's loader finds.
"""

from __future__ import annotations

import ctypes
import operator
import os
import weakref
from collections import OrderedDict
from ctypes import (POINTER, byref, c_char_p, c_double, c_int, c_size_t, c_uint32, c_uint64,
                    c_void_p)
from itertools import count
from pathlib import Path
from typing import Any, Dict, List, Optional, SupportsFloat, SupportsIndex, Tuple, Union

from . import _structs as st
from . import errors

#: Height and width in pixels, or one number for both; integers of any type, as NumPy's.
Size = Union[SupportsIndex, Tuple[SupportsIndex, SupportsIndex]]

_OUT = POINTER(c_void_p)
_ERR = POINTER(st.Error)
_NUMBER = POINTER(c_uint64)
_COLUMN = POINTER(POINTER(st.Column))

#: name: (result, arguments) of every function that the package calls.
SIGNATURES: Dict[str, Tuple[Any, List[Any]]] = {
    "pcr_version": (c_char_p, []),
    "pcr_abi_version": (c_uint32, []),
    "pcr_code_name": (c_char_p, [c_int]),
    "pcr_coding_name": (c_char_p, [c_uint32]),
    "pcr_buffer_reserve": (c_int, [POINTER(st.Buffer), c_size_t, _ERR]),
    "pcr_buffer_free": (None, [POINTER(st.Buffer)]),
    "pcr_dataset_open": (c_int, [c_char_p, POINTER(st.DatasetOptions), _OUT, _ERR]),
    "pcr_dataset_close": (None, [_OUT]),
    "pcr_dataset_describe": (c_int, [c_void_p, POINTER(st.DatasetInfo), _ERR]),
    "pcr_dataset_io_stats": (c_int, [c_void_p, POINTER(st.IoStats), _ERR]),
    "pcr_dataset_prefix_nbytes": (c_uint64, [c_void_p, c_uint32]),
    "pcr_dataset_class_name": (c_char_p, [c_void_p, c_uint32]),
    "pcr_dataset_class_count": (c_uint64, [c_void_p, c_uint32]),
    "pcr_dataset_split": (c_char_p, [c_void_p]),
    "pcr_dataset_split_name": (c_char_p, [c_void_p, c_uint32, _NUMBER]),
    "pcr_dataset_ladder": (c_char_p, [c_void_p]),
    "pcr_dataset_limits": (c_int, [c_void_p, POINTER(st.Limits), _ERR]),
    "pcr_dataset_manifest": (c_void_p, [c_void_p, POINTER(c_size_t)]),
    "pcr_dataset_record": (c_int, [c_void_p, c_uint64, POINTER(st.RecordInfo), _ERR]),
    "pcr_dataset_record_notes": (c_int, [c_void_p, c_uint64, POINTER(st.Buffer), _ERR]),
    "pcr_dataset_record_prefix": (c_uint64, [c_void_p, c_uint64, c_uint32]),
    "pcr_sample_acquire": (c_int, [c_void_p, c_uint64, _OUT, _ERR]),
    "pcr_dataset_all_labels": (c_int, [c_void_p, c_uint64, c_uint64, c_void_p,
                                       POINTER(st.Buffer), _ERR]),
    "pcr_dataset_blob_name": (c_char_p, [c_void_p, c_uint32]),
    "pcr_sample_blob": (c_int, [c_void_p, c_char_p, POINTER(st.Buffer), _ERR]),
    "pcr_dataset_column_info": (c_int, [c_void_p, c_uint32, POINTER(st.ColumnInfo), _ERR]),
    "pcr_dataset_column": (c_int, [c_void_p, c_char_p, c_uint64, c_uint64, _COLUMN, _ERR]),
    "pcr_column_free": (None, [_COLUMN]),
    "pcr_dataset_labels": (c_int, [c_void_p, c_uint64, c_uint64, c_void_p, c_void_p, _ERR]),
    "pcr_dataset_find": (c_int, [c_void_p, c_char_p, c_size_t, _NUMBER, _ERR]),
    "pcr_dataset_verify_record": (c_int, [c_void_p, c_uint64, c_uint32,
                                          POINTER(st.VerifyReport), st.VERIFY_CALLBACK,
                                          c_void_p, _ERR]),
    "pcr_sample_describe": (c_int, [c_void_p, POINTER(st.SampleInfo), _ERR]),
    "pcr_sample_attributes": (c_int, [c_void_p, POINTER(st.Buffer), _ERR]),
    "pcr_sample_nbytes": (c_uint64, [c_void_p, c_uint32]),
    "pcr_sample_baseline": (c_int, [c_void_p, c_uint32, c_void_p, POINTER(st.BaselineOptions),
                                    POINTER(st.Buffer), _ERR]),
    "pcr_sample_file_info": (c_int, [c_void_p, POINTER(st.FileInfo), _ERR]),
    "pcr_sample_original": (c_int, [c_void_p, c_void_p, POINTER(st.Buffer), _ERR]),
    "pcr_sample_read": (c_int, [c_void_p, c_uint32, POINTER(st.Buffer), _ERR]),
    "pcr_sample_decode": (c_int, [c_void_p, c_uint32, c_void_p, POINTER(st.DecodeOptions),
                                  POINTER(st.Buffer), POINTER(st.ImageInfo), _ERR]),
    "pcr_sample_release": (None, [_OUT]),
    "pcr_decoder_create": (c_int, [_OUT, _ERR]),
    "pcr_decoder_destroy": (None, [_OUT]),
    "pcr_decoder_inspect": (c_int, [c_void_p, c_void_p, c_size_t,
                                    POINTER(st.DecodeOptions), POINTER(st.ImageInfo),
                                    _ERR]),
    "pcr_decoder_decode": (c_int, [c_void_p, c_void_p, c_size_t,
                                   POINTER(st.DecodeOptions), c_void_p, c_size_t,
                                   c_size_t, POINTER(st.ImageInfo), _ERR]),
    "pcr_decoder_profile": (c_uint32, [c_void_p]),
    "pcr_jpeg_encode": (c_int, [c_void_p, c_uint32, c_uint32, c_uint32, c_uint32,
                                POINTER(st.Buffer), _ERR]),
    "pcr_resize": (c_int, [c_void_p, c_void_p, c_uint32, c_uint32, c_uint32,
                           POINTER(st.ResizeOptions), c_void_p, c_uint32, c_uint32,
                           _ERR]),
    "pcr_loader_create_mix": (c_int, [_OUT, c_uint32, POINTER(st.LoaderOptions), _OUT,
                                      _ERR]),
    "pcr_loader_destroy": (None, [_OUT]),
    "pcr_loader_set_shard": (c_int, [c_void_p, c_uint32, c_uint32, _ERR]),
    "pcr_loader_batch_count": (c_uint64, [c_void_p]),
    "pcr_loader_start_epoch": (c_int, [c_void_p, c_uint64, _ERR]),
    "pcr_loader_state_json": (c_int, [c_void_p, POINTER(st.Buffer), _ERR]),
    "pcr_loader_resume": (c_int, [c_void_p, c_void_p, c_size_t, _ERR]),
    "pcr_loader_set_fidelity": (c_int, [c_void_p, c_uint32, _ERR]),
    "pcr_loader_set_quality": (c_int, [c_void_p, c_double, _ERR]),
    "pcr_sample_quality": (c_double, [POINTER(st.SampleInfo), c_uint32, c_double]),
    "pcr_loader_next": (c_int, [c_void_p, POINTER(POINTER(st.Batch)), _ERR]),
    "pcr_batch_release": (None, [POINTER(POINTER(st.Batch))]),
    "pcr_loader_cancel": (None, [c_void_p]),
    "pcr_loader_stats": (c_int, [c_void_p, POINTER(st.LoaderStats), _ERR]),
    "pcr_loader_stats_since": (c_int, [POINTER(st.LoaderStats), POINTER(st.LoaderStats),
                                       POINTER(st.LoaderStats), _ERR]),
    "pcr_loader_bad_sample": (c_int, [c_void_p, c_uint64, POINTER(st.BadSample), _ERR]),
    "pcr_loader_stats_text": (c_int, [POINTER(st.LoaderStats), c_uint32, c_char_p,
                                      POINTER(st.Buffer), _ERR]),
    "pcr_storage_complete": (None, [c_void_p, c_int, POINTER(st.Error)]),
    "pcr_system_describe": (c_int, [POINTER(st.SystemInfo), _ERR]),
    "pcr_ladder_name": (c_char_p, [c_uint32]),
    "pcr_ladder_create": (c_int, [c_char_p, _OUT, _ERR]),
    "pcr_ladder_parse": (c_int, [c_char_p, c_size_t, _OUT, _ERR]),
    "pcr_ladder_destroy": (None, [_OUT]),
    "pcr_source_open": (c_int, [c_char_p, POINTER(st.SourceOptions),
                                POINTER(POINTER(st.Source)), _ERR]),
    "pcr_source_open_all": (c_int, [POINTER(c_char_p), c_uint32, POINTER(st.SourceOptions),
                                    POINTER(POINTER(st.Source)), _ERR]),
    "pcr_source_close": (None, [POINTER(POINTER(st.Source))]),
    "pcr_writer_open": (c_int, [c_char_p, POINTER(st.WriterOptions), _OUT, _ERR]),
    "pcr_writer_add": (c_int, [c_void_p, c_uint64, POINTER(st.SourceSample), c_void_p, c_size_t,
                               _ERR]),
    "pcr_writer_finish": (c_int, [c_void_p, POINTER(st.WriteProgress), _ERR]),
    "pcr_writer_cancel": (None, [c_void_p]),
    "pcr_writer_close": (None, [_OUT]),
    "pcr_export": (c_int, [c_void_p, c_char_p, POINTER(st.ExportOptions),
                           POINTER(st.ExportReport), _ERR]),
    "pcr_dataset_recode": (c_int, [c_void_p, c_char_p, POINTER(st.WriteOptions),
                                   POINTER(st.WriteProgress), _ERR]),
    "pcr_dataset_write": (c_int, [c_char_p, POINTER(st.Source), POINTER(st.WriteOptions),
                                  POINTER(st.WriteProgress), _ERR]),
}


def find(package: Path) -> str:
    """Path or name of the library to load."""
    chosen = os.environ.get("PCR_LIBRARY")
    if chosen:
        return chosen
    packaged = sorted((package / "_lib").glob("libpcr.*"))
    if packaged:
        return str(packaged[0])
    return "libpcr.so.0"


def load(path: str) -> ctypes.CDLL:
    """Loads the library, checks its binary interface, and declares its functions."""
    try:
        loaded = ctypes.CDLL(path)
    except OSError as exc:
        raise ImportError(f"cannot load libpcr's library: {exc}: the environment variable "
                          "PCR_LIBRARY may name its path", path=path) from exc
    try:
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype = result
            function.argtypes = arguments
            if name == "pcr_abi_version" and function() != st.ABI_VERSION:
                raise ImportError(
                    f"{path} has binary interface {function()}, but this package needs "
                    f"{st.ABI_VERSION}: install versions that belong together", path=path)
    except AttributeError as exc:
        raise ImportError(f"{path} is not libpcr, or too old: {exc}", path=path) from exc
    return loaded


LIBRARY_PATH = find(Path(__file__).parent)
lib = load(LIBRARY_PATH)


# What callbacks of a storage raised last, by the number that their errors carry (`detail`): the
# thread that gets the error is seldom the one that a callback ran in.
_raised: "OrderedDict[int, BaseException]" = OrderedDict()
_raised_numbers = count(1)


def error_of(exc: BaseException, code: int, sys_errno: int, flags: int) -> st.Error:
    """The error for what a callback of a storage raised, which leads back to it."""
    number = next(_raised_numbers) % 2**32 or next(_raised_numbers) % 2**32
    _raised[number] = exc
    while len(_raised) > 256:
        try:
            _raised.popitem(last=False)
        except KeyError:  # another thread was faster
            break
    message = f"{type(exc).__name__}: {exc}".encode("utf-8", "backslashreplace")
    return st.Error(code=code, sys_errno=sys_errno, offset=st.NO_OFFSET, flags=flags,
                    detail=number,
                    message=message[:st.Error.message.size - 1].split(b"\0")[0])


def to_exception(err: st.Error) -> errors.PcrError:
    """The exception that a filled struct pcr_error stands for."""
    offset: Optional[int] = None if err.offset == st.NO_OFFSET else err.offset
    message = bytes(err.message).decode("utf-8", "backslashreplace")
    made = errors.make(err.code, message, err.sys_errno, offset)
    made.__cause__ = _raised.get(err.detail)
    return made


def call(function: Any, *args: Any) -> int:
    """Calls a function whose last argument is the error struct; raises on failure."""
    err = st.Error()
    code: int = function(*args, byref(err))
    if code < 0:
        err.code = code
        failure = to_exception(err)
        if failure.__cause__ is not None and not isinstance(failure.__cause__, Exception):
            raise failure.__cause__  # KeyboardInterrupt, SystemExit
        try:
            raise failure
        finally:
            del failure  # its traceback has this frame: a cycle, with what callers hold open
    return code


def text(value: Optional[bytes]) -> str:
    """A string of the library, which may hold any bytes; "" for NULL."""
    return (value or b"").decode("utf-8", "surrogateescape")


def raw(value: Union[str, bytes]) -> bytes:
    """The bytes of a string, the reverse of text(). Raises InvalidError where it has none."""
    if isinstance(value, bytes):
        return value
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:
        raise errors.InvalidError(f"{value!r} is not text that UTF-8 can hold: {exc.reason}"
                                  ) from None


def c_string(value: Union[str, bytes], what: str) -> bytes:
    """A string as C takes it. Raises InvalidError where it holds a NUL byte."""
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"{what} is of type {type(value).__name__}, expected a str")
    data = raw(value)
    if b"\0" in data:
        raise errors.InvalidError(f"{what} with a NUL byte: {data!r}")
    return data


def c_path(value: Any) -> bytes:
    """A path as C takes it. Raises InvalidError where it holds a NUL byte."""
    return c_string(os.fsencode(value), "a path")


def whole(value: SupportsIndex, what: str, least: int = 1, bits: int = 32) -> int:
    """A number that C can hold, of any integer type. Raises InvalidError outside of
    least .. 2^bits - 1."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{what} is {value!r}, expected a whole number") from None
    if not least <= number < 1 << bits:
        raise errors.InvalidError(f"{what} is {number}, expected {least} to 2^{bits} - 1")
    return number


def real(value: float, what: str) -> float:
    """A number, as it is. Raises TypeError for anything else."""
    if not isinstance(value, SupportsFloat):
        raise TypeError(f"{what} is {value!r}, expected a number")
    return value


def limits_of(max_pixels: Optional[int], max_scans: Optional[int],
              max_sample_nbytes: Optional[int], **others: Optional[int]) -> Any:
    """A pointer to the struct of what is given; None is a default."""
    given = {"max_pixels": max_pixels, "max_scans": max_scans,
             "max_sample_nbytes": max_sample_nbytes, **others}
    bits = {"max_scans": 32, "max_samples": 32}
    return ctypes.pointer(st.sized(st.Limits, **{
        name: whole(value, name, 1, bits.get(name, 64))
        for name, value in given.items() if value is not None}))


def is_baseline(jpeg: str) -> bool:
    """Whether a form of JPEG files is "baseline", and not "progressive"."""
    if jpeg not in ("progressive", "baseline"):
        raise errors.InvalidError(f"jpeg is {jpeg!r}, expected 'progressive' or 'baseline'")
    return jpeg == "baseline"


def height_width(size: Size, what: str = "size") -> Tuple[int, int]:
    """Height and width of a size, which is both of them or one number for both."""
    try:
        side = operator.index(size)  # type: ignore[arg-type]
        pair: Any = (side, side)
    except TypeError:
        pair = size
    try:
        height, width = pair
    except (TypeError, ValueError):
        raise errors.InvalidError(
            f"{what} is {size!r}, expected (height, width) or one number") from None
    return whole(height, f"{what}'s height"), whole(width, f"{what}'s width")


def quality_number(quality: Any) -> float:
    """A quality as C takes it. Raises InvalidError for what is none."""
    try:
        number = float(quality)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 1 or isinstance(quality, str):
        raise errors.InvalidError(f"quality is {quality!r}, expected a number above 0 and below 1")
    return number


def fidelity_number(fidelity: Optional[SupportsIndex]) -> int:
    """A fidelity as C takes it: 0 for None, the full one. Raises InvalidError for what is no
    number from 1 on."""
    if fidelity is None:
        return 0
    try:
        number = operator.index(fidelity)
    except TypeError:
        number = 0
    if not 1 <= number < 1 << 32 or isinstance(fidelity, bool):
        raise errors.InvalidError(
            f"fidelity is {fidelity!r}, expected a whole number from 1 to G, the dataset's "
            "group_count, or None for G; `pcrtool info` shows what each of them reads")
    return number


def choice(kind: Any, name: str, what: str) -> int:
    """The number of a named choice of an enum. Raises InvalidError for another name."""
    names = [member.lower() for member in kind.__members__ if member != "DEFAULT"]
    if name not in names:
        raise errors.InvalidError(
            f"{what} is {name!r}, expected one of {', '.join(names)}")
    return int(kind[name.upper()])


class Handle:
    """Owns one object of the library and destroys it when nobody needs it any more.

    `keep` are objects that must outlive it, such as the dataset of a sample.
    """

    def __init__(self, pointer: Any, destroy: Any, *keep: Any) -> None:
        self.pointer = pointer
        weakref.finalize(self, _destroy, pointer, destroy, keep).atexit = False


def _destroy(pointer: Any, destroy: Any, keep: Tuple[Any, ...]) -> None:
    destroy(byref(pointer))
    del keep
