# SPDX-License-Identifier: BSD-2-Clause
"""BMP, PBM, PGM, PPM and GIF: decoded as Pillow decodes them, kept whole in datasets."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode, picture


def by_pillow(data, mode="RGB"):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert(mode))


def save(image, format, **how):
    out = io.BytesIO()
    image.save(out, format, **how)
    return out.getvalue()


def equals_pillow(data, most=0):
    """Whole, in gray, as a window, and resized row by row."""
    made, wanted = pcr.decode(data), by_pillow(data)
    assert made.shape == wanted.shape
    assert np.abs(made.astype(int) - wanted).max() <= most
    gray = pcr.decode(data, gray=True).reshape(made.shape[:2])
    luma = by_pillow(encode(made, "PNG"), "L")
    assert np.abs(gray.astype(int) - luma).max() <= 1
    height, width = made.shape[:2]
    left, top, right, bottom = width // 3, height // 4, width - width // 3, height - height // 4
    assert np.array_equal(pcr.decode(data, crop=(left, top, right, bottom)),
                          made[top:bottom, left:right])
    assert np.array_equal(pcr.decode(data, orient=False), made)


# --- BMP ---

def bmp(width, height, bits, rows, *, palette=b"", header=40, compression=0, masks=(),
        top_down=False, colors=0):
    """Rows from the top, bytes without padding."""
    padded = [row + bytes(-len(row) % 4) for row in rows]
    pixels = b"".join(padded if top_down else padded[::-1])
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1,
                           bits, compression, 0, 2835, 2835, colors, 0)
    extra = b"".join(struct.pack("<I", mask) for mask in masks)
    if header > 40:
        extra = extra.ljust(header - 40, b"\0")
    begin = 14 + len(head) + len(extra) + len(palette)
    return (b"BM" + struct.pack("<IHHI", begin + len(pixels), 0, 0, begin) + head + extra + palette
            + pixels)


def noise(width, height, bits, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (width * bits + 7) // 8, dtype=np.uint8).tobytes()
            for _ in range(height)]


def palette(count, size=4):
    rng = np.random.default_rng(count)
    colors = rng.integers(0, 256, (count, size), dtype=np.uint8)
    colors[:, 3:] = 0
    return colors.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (9, 5), (33, 20), (64, 3)])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp_of_pillow(size, mode):
    image = Image.fromarray(picture(3, *size))
    image = image.quantize(100) if mode == "P" else image.convert(mode)
    equals_pillow(save(image, "BMP"))


@pytest.mark.parametrize("width", [1, 7, 8, 13, 32])
@pytest.mark.parametrize("top_down", [False, True])
def test_bmp_of_every_depth(width, top_down):
    for bits in (1, 4, 8):
        rows = noise(width, 6, bits)
        equals_pillow(bmp(width, 6, bits, rows, palette=palette(1 << bits), top_down=top_down,
                          colors=0 if width % 2 else 1 << bits))
        if not top_down:
            equals_pillow(bmp(width, 6, bits, rows, palette=palette(1 << bits, 3), header=12))
    for header in (40, 108, 124):
        equals_pillow(bmp(width, 6, 16, noise(width, 6, 16), header=header, top_down=top_down))
        equals_pillow(bmp(width, 6, 24, noise(width, 6, 24), header=header, top_down=top_down))
        equals_pillow(bmp(width, 6, 32, noise(width, 6, 32), header=header, top_down=top_down))
    equals_pillow(bmp(width, 6, 16, noise(width, 6, 16), compression=3, top_down=top_down,
                      masks=(0xF800, 0x7E0, 0x1F)))
    equals_pillow(bmp(width, 6, 32, noise(width, 6, 32), compression=3, top_down=top_down,
                      masks=(0xFF0000, 0xFF00, 0xFF)))


def test_bmp_with_2_bits_and_odd_masks():
    two = bmp(5, 1, 2, [bytes([0b00011011, 0b01000000])], palette=palette(4))
    colors = np.frombuffer(palette(4), np.uint8).reshape(4, 4)[:, 2::-1]
    assert np.array_equal(pcr.decode(two)[0], colors[[0, 1, 2, 3, 1]])
    deep = bmp(1, 1, 32, [struct.pack("<I", 0x3FF << 20 | 0x200 << 10 | 0x001)], compression=3,
               masks=(0x3FF << 20, 0x3FF << 10, 0x3FF))
    assert pcr.decode(deep).tolist() == [[[255, 128, 0]]]
    none = bmp(1, 1, 16, [struct.pack("<H", 0x1F)], compression=3, masks=(0, 0, 0x1F))
    assert pcr.decode(none).tolist() == [[[0, 0, 255]]]


def test_bmp_with_alpha():
    pixels = np.dstack([picture(4, 30, 20), picture(5, 30, 20, 1)])
    data = bmp(30, 20, 32, [row.tobytes() for row in pixels[..., [2, 1, 0, 3]]], header=108,
               compression=3, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    assert np.array_equal(pcr.decode(data), pixels[..., :3])
    over = Image.alpha_composite(Image.new("RGBA", (30, 20), (9, 8, 200)),
                                 Image.fromarray(pixels))
    laid = pcr.decode(data, background=(9, 8, 200))
    assert np.abs(laid.astype(int) - np.asarray(over.convert("RGB"))).max() <= 1


@pytest.mark.parametrize("data, error, words", [
    (bmp(4, 4, 8, noise(4, 4, 8), palette=palette(256))[:-1], pcr.TruncatedError, "too few"),
    (bmp(4, 4, 8, noise(4, 4, 8), palette=palette(256))[:300], pcr.TruncatedError, "palette"),
    (bmp(4, 4, 8, noise(4, 4, 8))[:30], pcr.TruncatedError, "header"),
    (bmp(4, 4, 8, noise(4, 4, 8), palette=palette(2), colors=2), pcr.CorruptError,
     "of a palette of 2"),
    (bmp(4, 4, 8, noise(4, 4, 8), palette=palette(256), compression=1), pcr.UnsupportedError,
     "compressed"),
    (bmp(4, 4, 24, noise(4, 4, 24), compression=3, masks=(1, 2, 4)), pcr.CorruptError, "masks"),
    (bmp(4, 4, 32, noise(4, 4, 32), compression=3, masks=(5, 2, 8)), pcr.UnsupportedError,
     "gaps"),
    (bmp(4, 4, 5, noise(4, 4, 8)), pcr.CorruptError, "5 bits"),
    (bmp(0, 4, 24, []), pcr.CorruptError, "0 x 4"),
    (bmp(-5, 4, 24, []), pcr.CorruptError, "-5 x 4"),
    (bmp(1 << 30, 1 << 30, 24, []), pcr.TruncatedError, "too few"),
    (b"BMW of my father's, blue, 1987", pcr.FormatError, "no image"),
])
def test_bad_bmp(data, error, words):
    with pytest.raises(error, match=words):
        pcr.decode(data)


# --- PBM, PGM, PPM ---

@pytest.mark.parametrize("size", [(1, 1), (9, 5), (33, 20)])
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_pnm_of_pillow(size, mode):
    equals_pillow(save(Image.fromarray(picture(3, *size)).convert(mode), "PPM"))


def as_text(kind, pixels, most):
    values = pixels.reshape(pixels.shape[0], -1)
    height, width = pixels.shape[:2]
    head = f"{kind}\n# by hand\n{width} {height}\n" + (f"{most}\n" if most else "")
    return (head + "\n".join(" ".join(map(str, row)) for row in values) + "\n").encode()


@pytest.mark.parametrize("most", [1, 7, 200, 255])
def test_pnm_as_text_and_binary(most):
    rng = np.random.default_rng(most)
    gray, colour = (rng.integers(0, most + 1, (6, 11) + more) for more in ((), (3,)))
    equals_pillow(as_text("P2", gray, most), 1)
    equals_pillow(as_text("P3", colour, most), 1)
    for kind, pixels in (("P5", gray), ("P6", colour)):
        binary = f"{kind} 11 6 {most}\n".encode() + pixels.astype(np.uint8).tobytes()
        equals_pillow(binary, 1)
        text = as_text({"P5": "P2", "P6": "P3"}[kind], pixels, most)
        assert np.array_equal(pcr.decode(text), pcr.decode(binary))


def test_pnm_of_bits():
    bits = np.random.default_rng(1).integers(0, 2, (5, 11))
    equals_pillow(as_text("P1", bits, 0))
    close = b"P1 11 5\n" + b"".join(b"%d" % bit for bit in bits.ravel())
    assert np.array_equal(pcr.decode(close)[..., 0], np.where(bits, 0, 255))


@pytest.mark.parametrize("most", [256, 1023, 4095, 65535])
def test_pnm_of_16_bits(most):
    """Of 65535 the upper 8, as of a PNG."""
    rng = np.random.default_rng(most)
    for kind, shape in (("P5", (4, 9)), ("P6", (4, 9, 3))):
        values = rng.integers(0, most + 1, shape)
        data = f"{kind}\n9 4\n{most}\n".encode() + values.astype(">u2").tobytes()
        wanted = np.rint(values * 65535 / most).astype(int) >> 8
        wanted = np.broadcast_to(wanted.reshape(4, 9, -1), (4, 9, 3))
        assert np.array_equal(pcr.decode(data), wanted)
    deep = rng.integers(0, 65536, (5, 6)).astype(np.uint16)
    png = save(Image.fromarray(deep), "PNG")
    pgm = b"P5 6 5 65535\n" + deep.astype(">u2").tobytes()
    assert np.array_equal(pcr.decode(png), pcr.decode(pgm))


@pytest.mark.parametrize("data, error, words", [
    (b"P5 4 4 255\n" + bytes(15), pcr.TruncatedError, "too few for 4 x 4"),
    (b"P6 4", pcr.TruncatedError, "height"),
    (b"P6 4 4 255", pcr.TruncatedError, "a blank"),
    (b"P6 4 4 255x", pcr.CorruptError, "a blank"),
    (b"P6 4 x4 255\n", pcr.CorruptError, "the height"),
    (b"P6 0 4 255\n", pcr.CorruptError, "the width"),
    (b"P6 99999999999999999999 4 255\n", pcr.CorruptError, "the width"),
    (b"P6 4 4 65536\n", pcr.CorruptError, "largest sample"),
    (b"P6 2000000000 2000000000 255\n", pcr.TruncatedError, "too few"),
    (b"P5 2 2 100\n\x01\x02\x65\x03", pcr.CorruptError, "a sample of 101"),
    (b"P2 2 2 100\n1 2 101 3", pcr.CorruptError, "a sample, a number from 0 to 100"),
    (b"P2 2 2 100\n1 2 100       ", pcr.TruncatedError, "a sample is expected"),
    (b"P2 2 2 100\n1 2 x 1", pcr.CorruptError, "a sample"),
    (b"P1 2 2\n1 0 2 1", pcr.CorruptError, "a bit"),
    (b"P1 2 2\n1 0 1   ", pcr.TruncatedError, "a bit is expected"),
    (b"P2.718 is a number", pcr.FormatError, "no image"),
    (b"P7\nWIDTH 2\n", pcr.FormatError, "PAM"),
])
def test_bad_pnm(data, error, words):
    with pytest.raises(error, match=words):
        pcr.decode(data)


# --- GIF ---

@pytest.mark.parametrize("size", [(1, 1), (9, 5), (7, 13), (100, 61), (300, 200)])
@pytest.mark.parametrize("colors", [2, 3, 16, 256])
@pytest.mark.parametrize("interlace", [0, 1])
def test_gif_of_pillow(size, colors, interlace):
    image = Image.fromarray(picture(7, *size)).quantize(colors)
    equals_pillow(save(image, "GIF", interlace=interlace))


def test_gif_of_noise_and_of_one_color():
    """Tables that fill up, and codes that stand for themselves."""
    rng = np.random.default_rng(1)
    for pixels in (rng.integers(0, 256, (200, 300)), np.zeros((200, 300)),
                   np.arange(60000).reshape(200, 300) % 7):
        image = Image.fromarray(pixels.astype(np.uint8), "P")
        image.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
        equals_pillow(save(image, "GIF"))


def test_gif_with_transparency():
    image = Image.fromarray(picture(7, 40, 30)).quantize(32)
    data = save(image, "GIF", transparency=5)
    equals_pillow(data)
    with Image.open(io.BytesIO(data)) as opened:
        rgba = opened.convert("RGBA")
    assert (np.asarray(rgba)[..., 3] == 0).any()
    over = Image.alpha_composite(Image.new("RGBA", rgba.size, (200, 30, 10)), rgba)
    laid = pcr.decode(data, background=(200, 30, 10))
    assert np.array_equal(laid, np.asarray(over.convert("RGB")))


def test_gif_of_several_is_the_first():
    frames = [Image.fromarray(picture(i, 40, 30)) for i in range(3)]
    data = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    equals_pillow(data)


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("screen, place", [
    ((50, 45), (0, 0)), ((50, 45), (7, 3)), ((10, 10), (2, 4)), ((0, 0), (0, 0))])
def test_gif_on_its_screen(screen, place, transparent):
    image = Image.fromarray(picture(7, 31, 29)).quantize(16)
    data = bytearray(save(image, "GIF", **({"transparency": 3} if transparent else {})))
    struct.pack_into("<HH", data, 6, *screen)
    at = data.index(struct.pack("<BHHHH", 0x2C, 0, 0, 31, 29))
    struct.pack_into("<HH", data, at + 1, *place)
    made = pcr.decode(bytes(data))
    height, width = max(screen[1], place[1] + 29), max(screen[0], place[0] + 31)
    assert made.shape == (height, width, 3)
    if all(screen):  # Pillow wants one
        equals_pillow(bytes(data))
    x, y = place
    assert np.array_equal(made[y:y + 29, x:x + 31], np.asarray(image.convert("RGB")))


GIF = save(Image.fromarray(picture(7, 40, 30)).quantize(32), "GIF")
PIXELS = GIF.index(struct.pack("<BHHHH", 0x2C, 0, 0, 40, 30)) + 10


@pytest.mark.parametrize("data, error, words", [
    (GIF[:10], pcr.TruncatedError, "ends within"),
    (GIF[:40], pcr.TruncatedError, "ends within"),
    (GIF[:len(GIF) // 2], pcr.TruncatedError, "ends within"),
    (GIF[:PIXELS + 40] + b"\0;", pcr.TruncatedError, "ends within"),
    (GIF[:PIXELS + 1] + b"\0;", pcr.CorruptError, "after 0 of 40 x 30"),
    (GIF[:PIXELS] + b"\x09" + GIF[PIXELS + 1:], pcr.CorruptError, "codes of 9 bits"),
    (GIF[:PIXELS] + b"\x05\x02\xff\xff\0;", pcr.CorruptError, "not in use"),
    (GIF[:PIXELS - 10] + b";", pcr.CorruptError, "without a picture"),
    (GIF[:PIXELS - 10] + b"?", pcr.CorruptError, "neither"),
    (GIF[:PIXELS - 5] + b"\0\0" + GIF[PIXELS - 3:], pcr.CorruptError, "0 x 30"),
    (b"GIF88a" + GIF[6:], pcr.FormatError, "no image"),
])
def test_bad_gif(data, error, words):
    with pytest.raises(error, match=words):
        pcr.decode(data)


def test_gif_with_a_color_beyond_its_palette():
    image = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4), "P")
    image.putpalette(bytes(range(48)))
    data = bytearray(save(image, "GIF"))
    assert data[10] & 7 == 3
    with pytest.raises(pcr.CorruptError, match="of a palette of 8"):
        pcr.decode(bytes(data[:10]) + bytes([data[10] & 0xF8 | 2]) + bytes(data[11:13 + 24])
                   + bytes(data[13 + 48:]))


# --- datasets ---

def test_limits():
    for data in (GIF, bmp(40, 30, 24, noise(40, 30, 24)), b"P5 40 30 255\n" + bytes(1200)):
        with pytest.raises(pcr.LimitError, match="40 x 30 pixels"):
            pcr.decode(data, max_pixels=1000)


def test_dataset(tmp_path):
    """Kept whole, read at any fidelity, loaded, and given back byte for byte; or made JPEGs."""
    image = Image.fromarray(picture(7, 40, 30))
    files = {"a.bmp": save(image, "BMP"), "b.ppm": save(image, "PPM"), "d.gif": GIF,
             "c.pgm": save(image.convert("L"), "PPM"), "e.pbm": save(image.convert("1"), "PPM")}
    (tmp_path / "in" / "x").mkdir(parents=True)
    for name, data in files.items():
        (tmp_path / "in" / "x" / name).write_bytes(data)
    (tmp_path / "in" / "x" / "without-ending").write_bytes(files["b.ppm"])
    report = pcr.convert(tmp_path / "in", tmp_path / "out", layout="class")
    assert not report.bad and not report.left_out
    with pcr.open(tmp_path / "out") as ds:
        assert len(ds) == 6 and ds.describe()["opaque_count"] == 6
        for sample in ds:
            data = (tmp_path / "in" / sample.key).read_bytes()
            assert sample.size == (40, 30) and bytes(sample.read()) == data
            assert np.array_equal(sample.decode(1), by_pillow(data))
        with pcr.Loader(ds, batch_size=6, size=20, transform="stretch", shuffle="none") as loader:
            (batch,) = loader
        for pixels, sample in zip(batch.pixels, ds):
            assert np.array_equal(pixels, pcr.resize(sample.decode(), 20, 20))
        assert ds.verify(deep=True).bad_samples == 0
    report = pcr.convert(tmp_path / "in", tmp_path / "jpeg", layout="class", pictures="jpeg:95")
    assert report.progress.samples_encoded == 6
    with pcr.open(tmp_path / "jpeg") as ds:
        assert {note["key"].split(".")[-1]: note["encoded"] for note in ds.notes()} == {
            "bmp": "BMP", "ppm": "PNM", "pgm": "PNM", "pbm": "PNM", "gif": "GIF",
            "x/without-ending": "PNM"}
        for sample in ds:
            with Image.open(io.BytesIO(sample.jpeg())) as made:
                assert made.mode == ("L" if sample.key.endswith(("pgm", "pbm")) else "RGB")
