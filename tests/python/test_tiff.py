# SPDX-License-Identifier: BSD-2-Clause
"""TIFF files: decoded as Pillow decodes them, kept whole in datasets, or made JPEGs."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps, features

import pcr
from images import encode, picture
from test_plain_formats import by_pillow, equals_pillow, save
from test_reduce import RGB_PROFILE


def can_decode():
    try:
        pcr.decode(save(Image.new("L", (3, 2)), "TIFF"))
        return True
    except pcr.UnsupportedError:
        return False


pytestmark = [
    pytest.mark.skipif(not features.check("libtiff"), reason="Pillow has no libtiff"),
    pytest.mark.skipif(not can_decode(), reason="this build has no libtiff"),
]


# --- by hand: tags of shorts and longs, one block or several ---

def tiff(width, height, blocks, *, bits, samples=1, photometric=1, order="<", big=False, extra=None,
         tile=None, rows=None, planar=1, palette=None, orientation=None, profile=None,
         compression=1, format=None):
    """A file with such blocks, strips of `rows` rows, or tiles of (width, height)."""
    tags = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * samples),
            259: (3, [compression]), 262: (3, [photometric]), 277: (3, [samples]),
            284: (3, [planar])}
    unit, code = (8, "Q") if big else (4, "I")
    head = struct.pack(order + "2sHHHQ", b"II" if order == "<" else b"MM", 43, 8, 0, 0) if big \
        else struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 0)
    data, places = bytearray(head), []
    for block in blocks:
        places.append(len(data))
        data += block + bytes(len(block) % 2)
    sizes = [len(block) for block in blocks]
    tags[324 if tile else 273] = (4, places)
    tags[325 if tile else 279] = (4, sizes)
    if tile:
        tags[322], tags[323] = (3, [tile[0]]), (3, [tile[1]])
    else:
        tags[278] = (4, [rows or height])
    for tag, value in ((338, extra), (320, palette), (274, orientation), (339, format)):
        if value is not None:
            tags[tag] = (3, value if isinstance(value, list) else [value])
    if profile:
        tags[34675] = (7, profile)
    entries = []
    for tag in sorted(tags):
        kind, values = tags[tag]
        packed = values if kind == 7 else struct.pack(
            order + {3: "H", 4: "I"}[kind] * len(values), *values)
        if len(packed) > unit:
            place = len(data)
            data += packed + bytes(len(packed) % 2)
            packed = struct.pack(order + code, place)
        entries.append(struct.pack(order + "HH" + code, tag, kind, len(values))
                       + packed.ljust(unit, b"\0"))
    begin = len(data)
    data += struct.pack(order + ("Q" if big else "H"), len(entries)) + b"".join(entries)
    data += bytes(unit)
    struct.pack_into(order + code, data, 8 if big else 4, begin)
    return bytes(data)


PIXELS = picture(3, 37, 29)
ALPHA = picture(5, 37, 29, 1)


@pytest.mark.parametrize("how", [{}, {"compression": "tiff_lzw"}, {"compression": "packbits"},
                                 {"compression": "tiff_adobe_deflate"}])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_of_pillow(mode, how):
    image = Image.fromarray(picture(3, 83, 61))
    image = image.quantize(50) if mode == "P" else image.convert(mode)
    data = save(image, "TIFF", **how)
    if mode == "CMYK":  # by libtiff here, by Pillow there
        assert np.abs(pcr.decode(data).astype(int) - by_pillow(data)).max() <= 2
    else:
        equals_pillow(data)


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fax(compression):
    equals_pillow(save(Image.fromarray(picture(3, 83, 61)).convert("1"), "TIFF",
                       compression=compression))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_inside(mode):
    data = save(Image.fromarray(picture(3, 83, 61)).convert(mode), "TIFF", compression="jpeg",
                quality=90)
    equals_pillow(data, 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("rows", [None, 1, 8])
def test_orders_and_strips(order, big, rows):
    step = rows or 29
    strips = [PIXELS[y:y + step].tobytes() for y in range(0, 29, step)]
    data = tiff(37, 29, strips, bits=8, samples=3, photometric=2, order=order, big=big, rows=rows)
    assert np.array_equal(pcr.decode(data), PIXELS)
    deep = PIXELS.astype(np.uint16) * 257 - (PIXELS > 0)
    strips = [deep[y:y + step].astype(order + "u2").tobytes() for y in range(0, 29, step)]
    data = tiff(37, 29, strips, bits=16, samples=3, photometric=2, order=order, big=big, rows=rows)
    assert np.array_equal(pcr.decode(data), deep >> 8)


@pytest.mark.parametrize("planar", [1, 2])
def test_tiles_and_planes(planar):
    padded = np.pad(PIXELS, ((0, 3), (0, 11), (0, 0)))
    tiles = [padded[y:y + 16, x:x + 16] for y in (0, 16) for x in (0, 16, 32)]
    blocks = [tile.tobytes() for tile in tiles] if planar == 1 else [
        tile[..., c].tobytes() for c in range(3) for tile in tiles]
    data = tiff(37, 29, blocks, bits=8, samples=3, photometric=2, tile=(16, 16), planar=planar)
    assert np.array_equal(pcr.decode(data), PIXELS)
    strips = [PIXELS[..., c].tobytes() for c in range(3)]
    data = tiff(37, 29, strips, bits=8, samples=3, photometric=2, planar=2)
    equals_pillow(data)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("white_is_0", [False, True])
def test_gray_of_every_depth(bits, white_is_0):
    rng = np.random.default_rng(bits)
    values = rng.integers(0, 1 << bits, (7, 13))
    if bits == 16:
        rows = values.astype("<u2").tobytes()
        wanted = values >> 8
    else:
        unpacked = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        rows = np.packbits(unpacked.reshape(7, -1), axis=1).tobytes()
        wanted = values * 255 // ((1 << bits) - 1)
    data = tiff(13, 7, [rows], bits=bits, photometric=0 if white_is_0 else 1)
    wanted = 255 - wanted if white_is_0 else wanted
    assert np.array_equal(pcr.decode(data, gray=True).reshape(7, 13), wanted)
    if bits < 16 and not white_is_0:
        equals_pillow(data)


def test_png_of_16_bits_is_the_same():
    deep = np.random.default_rng(1).integers(0, 65536, (20, 30)).astype(np.uint16)
    image = Image.fromarray(deep)
    assert np.array_equal(pcr.decode(save(image, "TIFF")), pcr.decode(save(image, "PNG")))


@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("planar", [1, 2])
def test_alpha(samples, extra, planar):
    """Neither, multiplied in, or apart."""
    colours = PIXELS if samples == 4 else PIXELS[..., :1]
    if extra == 1:
        colours = (colours.astype(int) * ALPHA[..., None] // 255).astype(np.uint8)
    stored = np.dstack([colours, ALPHA])
    blocks = [stored.tobytes()] if planar == 1 else [
        stored[..., c].tobytes() for c in range(samples)]
    data = tiff(37, 29, blocks, bits=8, samples=samples, photometric=2 if samples == 4 else 1,
                extra=extra, planar=planar)
    alpha = np.maximum(ALPHA[..., None].astype(int), 1)
    shown = np.minimum(colours.astype(int) * 255 // alpha, 255) if extra == 1 else colours
    if extra == 1:
        shown = np.where(ALPHA[..., None] == 0, colours, shown)
    shown = np.broadcast_to(shown, PIXELS.shape).astype(np.uint8)
    assert np.array_equal(pcr.decode(data), shown)
    laid = pcr.decode(data, background=(10, 20, 200)).astype(int)
    if not extra:
        assert np.array_equal(laid, shown)
        return
    over = Image.alpha_composite(Image.new("RGBA", (37, 29), (10, 20, 200)),
                                 Image.fromarray(np.dstack([shown, ALPHA])))
    assert np.abs(laid - np.asarray(over.convert("RGB"))).max() <= 1


def test_palettes():
    rng = np.random.default_rng(1)
    for bits in (1, 2, 4, 8):
        values = rng.integers(0, 1 << bits, (8, 16))
        unpacked = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        rows = np.packbits(unpacked.reshape(8, -1), axis=1).tobytes()
        colours = rng.integers(0, 65536, (3, 1 << bits))
        colours[0, 0] = 60000
        data = tiff(16, 8, [rows], bits=bits, photometric=3, palette=colours.ravel().tolist())
        assert np.array_equal(pcr.decode(data), (colours >> 8).T[values])
        small = tiff(16, 8, [rows], bits=bits, photometric=3,
                     palette=(colours >> 8).ravel().tolist())
        assert np.array_equal(pcr.decode(small), (colours >> 8).T[values])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_stands_upright(orientation):
    data = tiff(37, 29, [PIXELS.tobytes()], bits=8, samples=3, photometric=2,
                orientation=orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    png = encode(PIXELS, "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(png))))
    assert np.array_equal(pcr.decode(data), upright)
    assert np.array_equal(pcr.decode(data, orient=False), PIXELS)
    lab = save(Image.fromarray(PIXELS).convert("CMYK"), "TIFF", tiffinfo={274: orientation})
    assert pcr.decode(lab).shape == upright.shape
    assert np.abs(pcr.decode(lab).astype(int) - upright).max() <= 2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_profile(order, big, tmp_path):
    data = tiff(37, 29, [PIXELS.tobytes()], bits=8, samples=3, photometric=2, order=order, big=big,
                profile=RGB_PROFILE)
    assert np.array_equal(pcr.decode(data, icc="srgb"), PIXELS)
    broken = data.replace(RGB_PROFILE, bytes(len(RGB_PROFILE)))
    with pytest.warns(pcr.ProfileWarning):
        pcr.decode(broken, icc="srgb")
    pcr.write(tmp_path / "d", [("a.tif", data)], pictures="jpeg:95")
    with pcr.open(tmp_path / "d") as ds, Image.open(io.BytesIO(ds[0].jpeg())) as image:
        assert image.info["icc_profile"] == RGB_PROFILE


def test_several_pages_are_the_first():
    pages = [Image.fromarray(picture(i, 40, 30)) for i in range(3)]
    data = save(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert np.array_equal(pcr.decode(data), picture(0, 40, 30))


WHOLE = tiff(37, 29, [PIXELS.tobytes()], bits=8, samples=3, photometric=2)
LZW = save(Image.fromarray(PIXELS), "TIFF", compression="tiff_lzw")
JPEG = save(Image.fromarray(PIXELS), "TIFF", compression="jpeg") if can_decode() else b""


def patched(data, tag, value):
    """With another value of a tag of one short or long."""
    at = data.index(struct.pack("<H", tag), struct.unpack_from("<I", data, 4)[0])
    return data[:at + 8] + struct.pack("<I", value) + data[at + 12:]


@pytest.mark.parametrize("data, error, words", [
    (WHOLE[:6], pcr.TruncatedError, "TIFF"),
    (WHOLE[:len(WHOLE) - 20], pcr.PcrError, "TIFF"),
    (WHOLE[:8], pcr.PcrError, "TIFF"),
    (b"II*\0\x08\0\0\0" + bytes(8), pcr.CorruptError, "0 elements"),
    (patched(WHOLE, 273, 1 << 30), pcr.TruncatedError, "TIFF"),
    (patched(WHOLE, 256, 0), pcr.PcrError, "TIFF"),
    (patched(WHOLE, 259, 77), pcr.UnsupportedError, "compressed in a way"),
    (patched(WHOLE, 262, 60), pcr.UnsupportedError, "of a kind"),
    (tiff(3, 2, [bytes(24)], bits=32, format=3), pcr.UnsupportedError, "32 bits and format 3"),
    (tiff(3, 2, [bytes(24)], bits=32), pcr.UnsupportedError, "32 bits"),
    (tiff(3, 2, [bytes(24)], bits=8, photometric=2), pcr.PcrError, "TIFF"),
    (tiff(4, 2, [bytes(6)], bits=4, photometric=3), pcr.PcrError, "TIFF"),
    # Fewer blocks than it takes; Pillow and libtiff itself go on with whatever is there.
    (patched(WHOLE, 278, 10), pcr.CorruptError, "block 1 of 3 has no place"),
    (patched(WHOLE, 257, 99), pcr.PcrError, "TIFF"),
    (patched(WHOLE, 284, 2), pcr.CorruptError, "block 1 of 3 has no place"),
    (patched(tiff(37, 29, [PIXELS.tobytes()], bits=8, samples=3, photometric=8), 278, 10),
     pcr.CorruptError, "block 1 of 3 has no place"),
])
def test_bad(data, error, words):
    with pytest.raises(error, match=words):
        pcr.decode(data)


def test_wrong_sizes_of_strips_do_no_harm():
    assert np.array_equal(pcr.decode(patched(WHOLE, 279, 100)), PIXELS)


@pytest.mark.skipif(not features.check("webp"), reason="Pillow has no WebP")
def test_webp_inside():
    """Also one that is smaller than its block, which libtiff does not tell."""
    try:
        data = save(Image.fromarray(PIXELS), "TIFF", compression="webp")
        right = pcr.decode(data)
    except (OSError, pcr.UnsupportedError):
        pytest.skip("no libtiff with WebP")
    assert np.array_equal(right, by_pillow(data))
    with pytest.raises(pcr.CorruptError, match="TIFF"):
        pcr.decode(patched(data, 256, 4000))


def test_damage_is_seen():
    """Cut off or overwritten anywhere: an error, or the same pixels."""
    rng = np.random.default_rng(1)
    for data in (LZW, JPEG, WHOLE):
        right = pcr.decode(data)
        for end in range(8, len(data), max(1, len(data) // 150)):
            try:
                assert np.array_equal(pcr.decode(data[:end]), right)
            except pcr.PcrError as error:
                assert "TIFF" in str(error)
    for _ in range(60):
        bad = bytearray(LZW)
        bad[rng.integers(8, len(LZW))] ^= 1 << rng.integers(0, 8)
        try:
            pcr.decode(bytes(bad), max_pixels=10000)
        except pcr.PcrError:
            pass


def test_limits():
    with pytest.raises(pcr.LimitError, match="37 x 29 pixels"):
        pcr.decode(WHOLE, max_pixels=1000)
    huge = tiff(60000, 60000, [bytes(16)], bits=8, tile=(60000, 60000))
    with pytest.raises(pcr.LimitError, match="pixels"):
        pcr.decode(huge)
    with pytest.raises(pcr.PcrError):
        pcr.decode(tiff(60, 60, [bytes(16)], bits=8, tile=(65520, 65520)))


def test_dataset(tmp_path):
    """Kept whole, read at any fidelity, loaded, and given back byte for byte; or made JPEGs."""
    (tmp_path / "in" / "x").mkdir(parents=True)
    files = {"a.tif": WHOLE, "b.tiff": LZW, "c.tif": JPEG,
             "d.tif": save(Image.fromarray(picture(4, 40, 30, 1)), "TIFF")}
    for name, data in files.items():
        (tmp_path / "in" / "x" / name).write_bytes(data)
    (tmp_path / "in" / "x" / "without-ending").write_bytes(WHOLE)
    assert not pcr.convert(tmp_path / "in", tmp_path / "out", layout="class").bad
    with pcr.open(tmp_path / "out") as ds:
        assert ds.describe()["opaque_count"] == 5
        for sample in ds:
            data = (tmp_path / "in" / sample.key).read_bytes()
            assert bytes(sample.read()) == data
            assert np.array_equal(sample.decode(1), pcr.decode(data))
        with pcr.Loader(ds, batch_size=5, size=20, transform="stretch", shuffle="none") as loader:
            (batch,) = loader
        for pixels, sample in zip(batch.pixels, ds):
            assert np.array_equal(pixels, pcr.resize(sample.decode(), 20, 20))
        assert ds.verify(deep=True).bad_samples == 0
    pcr.convert(tmp_path / "in", tmp_path / "jpeg", layout="class", pictures="jpeg:95")
    with pcr.open(tmp_path / "jpeg") as ds:
        assert [note["encoded"] for note in ds.notes()] == ["TIFF"] * 5
        for sample in ds:
            with Image.open(io.BytesIO(sample.jpeg())) as made:
                assert made.mode == ("L" if sample.key.endswith("d.tif") else "RGB")
