# SPDX-License-Identifier: BSD-2-Clause
"""Decoding encoded images to arrays, and resizing arrays."""

from __future__ import annotations

import ctypes
import threading
import warnings
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _structs as st
from ._library import Handle, call, choice, lib, limits_of, whole
from .errors import InvalidError, LimitError, ProfileWarning

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt
    Pixels = npt.NDArray[np.uint8]
else:
    Pixels = np.ndarray
Encoded = Union[bytes, bytearray, memoryview]


class Scratch(threading.local):
    """What each thread has of its own and uses again: a decoder and a byte buffer."""

    def __init__(self) -> None:
        pointer = c_void_p()
        call(lib.pcr_decoder_create, byref(pointer))
        self.decoder = Handle(pointer, lib.pcr_decoder_destroy)
        self.buffer = st.Buffer()
        self._buffer_owner = Handle(self.buffer, lib.pcr_buffer_free)


scratch = Scratch()


Box = Tuple[int, int, int, int]
Background = Union[None, int, Sequence[int]]
DECODERS = {"auto": st.DECODER_AUTO, "turbo": st.DECODER_TURBO}


def color_bytes(color: Union[int, Sequence[int]], count: int, what: str) -> List[int]:
    """`count` bytes of a colour, which may be one number for all channels."""
    values: Any = [color] * count if np.ndim(color) == 0 else color
    numbers = [whole(value, what, 0) for value in values]
    if len(numbers) != count or max(numbers) > 255:
        raise InvalidError(f"{what} is {color!r}, expected {count} of 0 to 255")
    return numbers


def color_flags(options: Any, background: Background, icc: Optional[str], laid: int,
                converted: int) -> int:
    """The flags for `background`, which is set in the options, and `icc`."""
    flags = 0
    if background is not None:
        options.background[:3] = color_bytes(background, 3, "background")
        flags |= laid
    if icc not in (None, "srgb"):
        raise InvalidError(f"icc is {icc!r}, expected 'srgb' or None")
    return flags | (converted if icc else 0)


def decode_options(gray: bool = False, orient: bool = True,
                   crop: Optional[Box] = None, scale: int = 8, identical: bool = False,
                   planar: bool = False, decoder: str = "auto", background: Background = None,
                   icc: Optional[str] = None, threads: int = 1) -> st.DecodeOptions:
    """The struct of decode()'s keyword arguments."""
    if decoder not in DECODERS:
        raise InvalidError(f"decoder is {decoder!r}, expected 'auto' or 'turbo'")
    eighths = whole(scale, "scale", 0)
    if not 1 <= eighths <= 8:
        raise InvalidError(f"scale is {scale}, expected 1 to 8 eighths")
    options = st.sized(
        st.DecodeOptions, scale=eighths,
        flags=(0 if orient else st.DECODE_KEEP_ORIENTATION)
        | (st.DECODE_IDENTICAL if identical else 0) | (st.DECODE_PLANAR if planar else 0),
        color=int(st.Color.GRAY if gray else st.Color.RGB), threads=whole(threads, "threads"))
    options.decoder = DECODERS[decoder]
    options.flags |= color_flags(options, background, icc, st.DECODE_BACKGROUND,
                                 st.DECODE_TO_SRGB)
    if crop is not None:
        left, top, right, bottom = (whole(side, "crop's side", 0) for side in crop)
        if not (left < right and top < bottom):
            raise InvalidError(f"a window of {tuple(crop)}, expected left, top, right, bottom")
        options.crop_x, options.crop_y = left, top
        options.crop_width, options.crop_height = right - left, bottom - top
    return options


def decode_at(address: int, nbytes: int, options: st.DecodeOptions) -> Pixels:
    """Decodes `nbytes` at an address."""
    decoder = scratch.decoder.pointer
    info = st.sized(st.ImageInfo)
    call(lib.pcr_decoder_inspect, decoder, address, nbytes, byref(options), byref(info))
    most = (options.limits.contents.max_pixels if options.limits else 0) or 2**28
    if info.width * info.height * info.channels > 3 * most:
        raise LimitError(f"{info.width} x {info.height} pixels, above max_pixels={most}")
    planar = bool(options.flags & st.DECODE_PLANAR)
    pixels: Pixels = np.empty(info.width * info.height * info.channels, np.uint8)
    call(lib.pcr_decoder_decode, decoder, address, nbytes, byref(options),
         pixels.ctypes.data, info.width * (1 if planar else info.channels), pixels.nbytes,
         byref(info))
    warn_of_profile(options)
    return shaped(pixels, info, options)


def shaped(pixels: Pixels, info: st.ImageInfo, options: st.DecodeOptions) -> Pixels:
    """A decoded image's bytes as rows, pixels, channels, or what was asked for."""
    if info.channels == 1:
        return pixels.reshape(info.height, info.width)
    if options.flags & st.DECODE_PLANAR:
        return pixels.reshape(info.channels, info.height, info.width)
    return pixels.reshape(info.height, info.width, info.channels)


def warn_of_profile(options: st.DecodeOptions) -> None:
    """Says where the image that this thread decoded last has a profile of no use."""
    if options.flags & st.DECODE_TO_SRGB and (
            lib.pcr_decoder_profile(scratch.decoder.pointer) == st.ProfileUse.UNUSABLE):
        warnings.warn("an ICC profile that is damaged, or made for other pixels, is ignored",
                      ProfileWarning, stacklevel=4)


def decode(data: Encoded, *, gray: bool = False, orient: bool = True,
           crop: Optional[Box] = None, scale: int = 8, identical: bool = False,
           planar: bool = False, decoder: str = "auto", background: Background = None,
           icc: Optional[str] = None, max_pixels: Optional[int] = None,
           max_scans: Optional[int] = None,
           max_sample_nbytes: Optional[int] = None) -> Pixels:
    """Decodes a JPEG (at any fidelity) or PNG image.

    data: the encoded image, any bytes-like object.
    gray: luma alone instead of RGB.
    orient: turn and mirror the pixels as the image's EXIF or XMP metadata say, as
        Pillow's ImageOps.exif_transpose() does; False leaves them as they are stored.
    crop: a window as (left, top, right, bottom) in pixels of the result without it; only
        what it touches is decoded.
    scale: decode to scale/8 of the size, 1 to 8 (JPEG alone).
    identical: at an incomplete fidelity give libjpeg-turbo's pixels, not the better
        approximation.
    planar: the channels come first in the result.
    decoder: "auto", or "turbo" to decode JPEG by libjpeg-turbo.
    background: (R, G, B), or one number for all, that a PNG's transparent pixels are laid
        over; None drops the alpha channel.
    icc: "srgb" converts an image with an ICC profile to sRGB (perceptual intent); a profile
        that cannot be used is passed over with a ProfileWarning. None leaves pixels as they
        are.
    max_pixels: 2**28 if None; memory is taken for no more: 3 bytes a pixel for the result, and
        8 for what is held meanwhile. A crop, gray or a small scale of a larger picture takes
        less than the picture would, and passes if it fits.
    max_scans: scans of a JPEG, 64 if None. max_sample_nbytes: size of `data`, 2**30 if None.

    Returns a new uint8 array of shape (height, width, 3), or (3, height, width) if planar,
    or (height, width) for gray.
    Raises FormatError (no known image), CorruptError, TruncatedError,
    UnsupportedError, LimitError, OutOfMemory, InvalidError (options).
    """
    options = decode_options(gray, orient, crop, scale, identical, planar, decoder, background,
                             icc)
    options.limits = limits_of(max_pixels, max_scans, max_sample_nbytes)
    view = np.frombuffer(data, np.uint8)
    return decode_at(view.ctypes.data, view.nbytes, options)


def packed(image: npt.NDArray[np.uint8]) -> Pixels:
    """An image's pixels, one after the other. Raises InvalidError for what is none."""
    source = np.ascontiguousarray(image)
    if source.dtype != np.uint8:
        raise InvalidError(f"pixels are {source.dtype}, expected uint8")
    if source.ndim not in (2, 3) or 0 in source.shape or (
            source.ndim == 3 and source.shape[2] not in (1, 3)):
        raise InvalidError(f"an image of shape {source.shape}, expected (rows, columns) "
                           "or (rows, columns, 1 or 3)")
    return source


def encode(image: npt.NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encodes pixels as a JPEG file: baseline, colours at half the resolution (4:2:0).

    image: uint8, of shape (rows, columns), (rows, columns, 1) or (rows, columns, 3).
    quality: libjpeg's, 1 to 100.

    Raises InvalidError for other shapes or qualities, LimitError for a side above 65,500 pixels.
    """
    source, buffer = packed(image), scratch.buffer
    call(lib.pcr_jpeg_encode, source.ctypes.data, source.shape[1], source.shape[0],
         source.shape[2] if source.ndim == 3 else 1, whole(quality, "quality", 0),
         byref(buffer))
    return ctypes.string_at(buffer.data, buffer.nbytes)


def resize(image: npt.NDArray[np.uint8], height: int, width: int, *,
           box: Optional[Tuple[float, float, float, float]] = None, flip: bool = False,
           planar: bool = False, filter: str = "bilinear") -> Pixels:
    """Resizes a window of an image.

    image: uint8, of shape (rows, columns), (rows, columns, 1) or (rows, columns, 3).
    height, width: of the result, in pixels.
    box: the window as (left, top, right, bottom) in pixels of `image`, fractions allowed;
        None is the whole image.
    flip: mirror left to right.
    planar: the channels come first in the result.
    filter: "bilinear" or "bicubic", both antialiased, or "nearest".

    Returns a new uint8 array of shape (height, width), or (height, width, channels), or
    if planar (channels, height, width). Equal to Pillow's resize() with the same filter,
    within 1 level; "nearest" exactly.
    Raises InvalidError for other shapes and for an empty or outside window.
    """
    source = packed(image)
    height, width = whole(height, "height", 1, 31), whole(width, "width", 1, 31)
    channels = source.shape[2] if source.ndim == 3 else 1
    options = st.sized(st.ResizeOptions, flags=(st.RESIZE_FLIP if flip else 0)
                       | (st.RESIZE_PLANAR if planar else 0),
                       filter=choice(st.Filter, filter, "filter"))
    if box is not None:
        options.x0, options.y0, options.x1, options.y1 = box
        if tuple(box) == (0, 0, 0, 0):
            raise InvalidError("an empty window")
    shape = (channels, height, width) if planar else (height, width, channels)
    result: Pixels = np.empty(shape, np.uint8)
    call(lib.pcr_resize, scratch.decoder.pointer, source.ctypes.data, source.shape[1],
         source.shape[0], channels, byref(options), result.ctypes.data, width, height)
    if source.ndim == 2:
        return result.reshape(height, width)
    return result
