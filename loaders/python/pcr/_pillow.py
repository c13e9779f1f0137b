# SPDX-License-Identifier: BSD-2-Clause
"""Files that only Pillow and its plugins decode, as PNG: HEIC, AVIF and JPEG XL."""

from __future__ import annotations

import ctypes
import importlib
import io
from typing import Any, Dict, Optional, Tuple, Union

from . import _structs as st
from ._library import call, lib
from ._source import fail
from .errors import CorruptError, LimitError, PcrError, UnsupportedError

#: What opens a format, besides Pillow itself, as modules and packages.
PLUGINS = {"HEIC": ("pillow_heif", "pillow-heif"),
           "AVIF": ("pillow_avif", "pillow-avif-plugin, or Pillow 11.3 or later"),
           "JPEG XL": ("pillow_jxl", "pillow-jxl-plugin")}
ENDINGS = (b".heic", b".heif", b".hif", b".avif", b".jxl")


def kind_of(start: bytes) -> Optional[str]:
    """Which of PLUGINS' formats a file begins like; None: another."""
    if start[:2] == b"\xff\x0a" or start[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return "JPEG XL"
    if start[4:8] != b"ftyp":
        return None
    end = int.from_bytes(start[:4], "big")
    brands = {start[8:12]} | {start[i:i + 4] for i in range(16, min(end, len(start)), 4)}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIC" if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"} else None


def _register(kind: str) -> None:
    try:
        plugin = importlib.import_module(PLUGINS[kind][0])
    except ImportError:
        return  # perhaps Pillow can do without
    if kind == "HEIC":
        plugin.register_heif_opener()


def as_png(data: Union[bytes, bytearray, memoryview], max_pixels: Optional[int] = None, *,
           compress_level: int = 6) -> bytes:
    """A PNG of the picture in a HEIC, AVIF or JPEG XL file, by Pillow and its plugins.

    It is upright, has the file's ICC profile and alpha, and 8 bits a sample, or 16 of gray where
    Pillow reads such. Other metadata, further pictures and what is beyond 8 bits are lost.

    data: the file's bytes. max_pixels: 2**28 if None. compress_level: of the PNG, 0 to 9.

    Raises UnsupportedError (another format; no plugin is installed), CorruptError, LimitError,
    ModuleNotFoundError (no Pillow).
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # type: ignore[import]
    data = bytes(data)
    kind = kind_of(data[:256])
    if kind is None:
        raise UnsupportedError("neither HEIC nor AVIF nor JPEG XL")
    _register(kind)
    most = 1 << 28 if max_pixels is None else max_pixels
    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > most:
                raise LimitError(f"{kind}: {image.width} x {image.height} pixels, the limit is "
                                 f"{most}")
            profile = image.info.get("icc_profile")
            upright = ImageOps.exif_transpose(image) or image
            if upright.mode not in ("L", "LA", "RGB", "RGBA", "I;16"):
                upright = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
            upright.info.clear()
            upright.save(out, "PNG", icc_profile=profile, compress_level=compress_level)
    except (MemoryError, PcrError):
        raise
    except UnidentifiedImageError:
        raise UnsupportedError(f"{kind}: Pillow cannot read it; {PLUGINS[kind][1]} may") from None
    except Image.DecompressionBombError as exc:
        raise LimitError(f"{kind}: {exc}") from None
    except Exception as exc:  # what plugins raise is not agreed on
        raise CorruptError(f"{kind}: Pillow: {exc}") from None
    return out.getvalue()


class Decoding:
    """Has a source hand over PNGs in place of files that only Pillow decodes."""

    def __init__(self, source: st.Source, max_pixels: Optional[int], compress_level: int) -> None:
        self._max_pixels = max_pixels
        self._compress_level = compress_level
        self.kinds: Dict[int, str] = {}  #: of the samples that were decoded
        # A field's value is a view of the field: its address is what stays.
        self._describe = st.DESCRIBE_CALLBACK(_address(source.describe))
        self._load = st.LOAD_CALLBACK(_address(source.load))
        self._own = (st.DESCRIBE_CALLBACK(self._describe_png), st.LOAD_CALLBACK(self._load_png))
        source.describe, source.load = self._own

    def counts(self) -> Tuple[Tuple[str, int], ...]:
        """How many files of each format were decoded."""
        kinds = list(self.kinds.values())
        return tuple((kind, kinds.count(kind)) for kind in sorted(set(kinds)))

    def _describe_png(self, context: Any, index: int, out: Any, err: Any) -> int:
        code = int(self._describe(context, index, out, err))
        if not code and (out.contents.path or out.contents.key).lower().endswith(ENDINGS):
            out.contents.nbytes = 0  # that of the PNG is not known
        return code

    def _load_png(self, context: Any, index: int, most: int, out: Any, err: Any) -> int:
        code = int(self._load(context, index, most, out, err))
        if code:
            return code
        buffer = out.contents
        kind = kind_of(ctypes.string_at(buffer.data, min(buffer.nbytes, 256)) if buffer.nbytes
                       else b"")
        if kind is None:
            return 0
        try:
            png = as_png(ctypes.string_at(buffer.data, buffer.nbytes), self._max_pixels,
                         compress_level=self._compress_level)
            if len(png) > most:
                raise LimitError(f"{kind}: a PNG of it has {len(png)} bytes, the limit is {most}")
            call(lib.pcr_buffer_reserve, out, len(png))
            ctypes.memmove(buffer.data, png, len(png))
            buffer.nbytes = len(png)
            self.kinds[index] = kind
            return 0
        except PcrError as exc:
            return fail(err, exc.code, str(exc))
        except MemoryError:
            return fail(err, st.Code.ERR_NOMEM, f"{kind}: no memory")
        except BaseException as exc:  # nothing may pass through C
            return fail(err, st.Code.ERR_UNSUPPORTED, f"{kind}: {type(exc).__name__}: {exc}")


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0
