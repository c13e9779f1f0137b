# SPDX-License-Identifier: BSD-2-Clause
"""pcr.decode and pcr.resize, against Pillow."""

import io
import threading

import numpy as np
import pytest
from PIL import Image, ImageOps

import pcr
from images import encode, orientation_exif, picture, pixels_of, variety


@pytest.mark.parametrize("name, data", variety(), ids=[name for name, _ in variety()])
def test_decode_equals_pillow(name, data):
    found = pcr.decode(data, orient=False)
    assert found.dtype == np.uint8 and found.flags.c_contiguous and found.flags.writeable
    np.testing.assert_array_equal(found, pixels_of(data))


def test_decode_png():
    pixels = picture(1, 40, 30)
    np.testing.assert_array_equal(pcr.decode(encode(pixels, "PNG")), pixels)


def test_decode_gray():
    data = encode(picture(1, 64, 48), quality=90)
    found = pcr.decode(data, gray=True)
    assert found.shape == (48, 64)
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", None)
        np.testing.assert_array_equal(found, np.asarray(image))


def test_decode_cmyk():
    pixels = picture(3, 48, 40, 4)
    data = encode(pixels, mode="CMYK", quality=95, subsampling=0)
    cmyk = 255 - pixels_of(data, "CMYK").astype(int)
    expected = cmyk[:, :, :3] * cmyk[:, :, 3:] / 255
    assert np.abs(pcr.decode(data) - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation):
    pixels = picture(orientation, 48, 32)
    data = encode(pixels, quality=90, exif=orientation_exif(orientation))
    stored = pixels_of(data)
    upright = np.asarray(ImageOps.exif_transpose(
        Image.open(io.BytesIO(data))))
    np.testing.assert_array_equal(pcr.decode(data), upright)
    np.testing.assert_array_equal(pcr.decode(data, orient=False), stored)


@pytest.mark.parametrize("scale", range(1, 9))
@pytest.mark.parametrize("decoder", ["auto", "turbo"])
def test_scale(scale, decoder):
    data = encode(picture(9, 101, 67), quality=90, progressive=True)
    found = pcr.decode(data, scale=scale, decoder=decoder)
    assert found.shape == (-(-67 * scale // 8), -(-101 * scale // 8), 3)
    if scale in (1, 2, 4):  # what Pillow can ask libjpeg for
        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", (101 * scale // 8, 67 * scale // 8))
            np.testing.assert_array_equal(found, np.asarray(image))


@pytest.mark.parametrize("decoder", ["auto", "turbo"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_crop_and_planar(orientation, decoder):
    data = encode(picture(2, 90, 60), quality=90, exif=orientation_exif(orientation))
    whole = pcr.decode(data)
    found = pcr.decode(data, crop=(7, 11, 40, 53), decoder=decoder)
    np.testing.assert_array_equal(found, whole[11:53, 7:40])
    found = pcr.decode(data, crop=(7, 11, 40, 53), decoder=decoder, planar=True)
    np.testing.assert_array_equal(found, whole[11:53, 7:40].transpose(2, 0, 1))
    found = pcr.decode(data, crop=(7, 11, 40, 53), gray=True, planar=True)
    np.testing.assert_array_equal(found, pcr.decode(data, gray=True)[11:53, 7:40])


@pytest.mark.parametrize("bad", [
    {"crop": (0, 0, 21, 20)}, {"crop": (5, 5, 5, 6)}, {"crop": (-1, 0, 5, 6)},
    {"crop": (0, 0, 2**33, 6)}, {"scale": 0}, {"scale": 9}, {"decoder": "other"}])
def test_decode_bad_options(bad):
    with pytest.raises(pcr.InvalidError):
        pcr.decode(encode(picture(1, 20, 20)), **bad)


def test_png_has_no_scale():
    with pytest.raises(pcr.UnsupportedError):
        pcr.decode(encode(picture(1, 20, 20), "PNG"), scale=4)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_like(kind):
    data = encode(picture(1, 20, 20))
    np.testing.assert_array_equal(pcr.decode(kind(data)), pcr.decode(data))


def test_bad_data():
    data = encode(picture(1, 80, 60))
    with pytest.raises(pcr.FormatError):
        pcr.decode(b"no image at all, but some text")
    with pytest.raises(pcr.PcrError):
        pcr.decode(b"")
    with pytest.raises((pcr.TruncatedError, pcr.CorruptError)):
        pcr.decode(data[:len(data) // 2])
    np.testing.assert_array_equal(pcr.decode(data), pixels_of(data))


def test_threads_decode_at_once():
    files = [data for _, data in variety()]
    expected = [pcr.decode(data) for data in files]
    wrong = []

    def work(first):
        for i in range(first, first + 40):
            if not np.array_equal(pcr.decode(files[i % len(files)]),
                                  expected[i % len(files)]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


FILTERS = ["bilinear", "bicubic", "nearest"]


def by_pillow(pixels, height, width, box, name):
    return np.asarray(Image.fromarray(pixels).resize(
        (width, height), Image.Resampling[name.upper()], box=box,
        reducing_gap=None)).astype(int)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("height, width, box", [
    (32, 32, None), (50, 70, None), (7, 5, None), (200, 300, None),
    (24, 24, (10, 5, 90, 75)), (24, 36, (3.5, 2.25, 60.75, 79.5)), (1, 1, None)])
def test_resize_equals_pillow(channels, height, width, box, name):
    pixels = picture(9, 97, 83, channels)
    expected = by_pillow(pixels, height, width, box, name)
    found = pcr.resize(pixels, height, width, box=box, filter=name)
    assert found.dtype == np.uint8 and found.shape == expected.shape
    assert np.abs(found - expected).max() <= (name != "nearest")
    flipped = pcr.resize(pixels, height, width, box=box, flip=True, filter=name)
    np.testing.assert_array_equal(flipped, found[:, ::-1])
    planar = pcr.resize(pixels.reshape(83, 97, channels), height, width, box=box,
                        planar=True, filter=name)
    np.testing.assert_array_equal(planar, np.moveaxis(
        found.reshape(height, width, channels), 2, 0))


@pytest.mark.parametrize("name", FILTERS)
def test_resize_equals_pillow_at_odd_sizes(name):
    """One pixel, thousands of them reduced to few, enlarged, noise of the extremes."""
    rng = np.random.default_rng(11)
    sizes = [1, 2, 3, 5, 7, 17, 61, 200]
    for case in range(300):
        height, width = (int(n) for n in rng.choice(sizes + [1999] * (case % 20 == 0), 2))
        to = [int(n) for n in rng.choice(sizes, 2)]
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        if case % 2:
            pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
        x, y = np.sort(rng.random((2, 2)), axis=1)
        box = (x[0] * width, y[0] * height, x[1] * width, y[1] * height)
        box = box if case % 3 == 0 and x[1] - x[0] > .01 and y[1] - y[0] > .01 else None
        found = pcr.resize(pixels, *to, box=box, filter=name)
        off = np.abs(found - by_pillow(pixels, *to, box, name)).max()
        assert off <= (name != "nearest"), (width, height, to, box)


@pytest.mark.parametrize("quality", [1, 50, 90, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_encode_equals_pillow(channels, quality):
    pixels = picture(9, 97, 83, channels)
    file = pcr.encode(pixels, quality)
    np.testing.assert_array_equal(
        pixels_of(file, "L" if channels == 1 else "RGB"),
        pixels_of(encode(pixels, quality=quality), "L" if channels == 1 else "RGB"))
    assert pcr.encode(pixels[:, ::-1], quality) == pcr.encode(pixels[:, ::-1].copy(), quality)


@pytest.mark.parametrize("image, quality, error", [
    (np.zeros((4, 4), np.float32), 90, pcr.InvalidError),
    (np.zeros((4, 4, 2), np.uint8), 90, pcr.InvalidError),
    (np.zeros((0, 4), np.uint8), 90, pcr.InvalidError),
    (np.zeros((4, 4), np.uint8), 0, pcr.InvalidError),
    (np.zeros((4, 4), np.uint8), 101, pcr.InvalidError),
    (np.zeros((1, 65501), np.uint8), 90, pcr.LimitError)])
def test_encode_refuses(image, quality, error):
    with pytest.raises(error):
        pcr.encode(image, quality)


def test_resize_takes_views():
    pixels = picture(9, 60, 40)
    np.testing.assert_array_equal(pcr.resize(pixels[::2, ::-1], 10, 10),
                                  pcr.resize(pixels[::2, ::-1].copy(), 10, 10))


@pytest.mark.parametrize("image, size, box", [
    (np.zeros((4, 4), np.float32), (2, 2), None), (np.zeros(4, np.uint8), (2, 2), None),
    (np.zeros((4, 4, 2), np.uint8), (2, 2), None),
    (np.zeros((0, 4), np.uint8), (2, 2), None),
    (np.zeros((4, 4), np.uint8), (0, 2), None),
    (np.zeros((4, 4), np.uint8), (2, -1), None),
    (np.zeros((4, 4), np.uint8), (2, 2), (0, 0, 0, 0)),
    (np.zeros((4, 4), np.uint8), (2, 2), (2, 2, 2, 4)),
    (np.zeros((4, 4), np.uint8), (2, 2), (0, 0, 5, 4))])
def test_resize_refuses(image, size, box):
    with pytest.raises(pcr.InvalidError):
        pcr.resize(image, *size, box=box)


def test_resize_refuses_filters():
    with pytest.raises(pcr.InvalidError, match="bilinear, bicubic, nearest"):
        pcr.resize(np.zeros((4, 4), np.uint8), 2, 2, filter="lanczos")


def test_flat_blocks_beyond_the_range():
    """A DC beyond what 8-bit samples make is white or black, not wrapped around."""
    levels = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
    data = encode(levels.repeat(8, 0).repeat(8, 1), quality=100)
    table = data.index(b"\xff\xdb") + 5
    assert data[table:table + 64] == bytes([1]) * 64
    found = pcr.decode(data[:table] + bytes([32]) * 64 + data[table + 64:], gray=True)
    wanted = (128 + 32 * (levels.astype(int) - 128)).clip(0, 255)
    np.testing.assert_array_equal(found[::8, ::8], wanted)
