# SPDX-License-Identifier: BSD-2-Clause
"""Which way up: Exif, Exif as PNG text, and XMP, as Pillow's exif_transpose() has it."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

import pcr
from images import encode, picture

PIXELS = picture(1, 24, 16)
XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
SHORT, LONG, BYTE, ASCII, RATIONAL, SIGNED = 3, 4, 1, 2, 5, 8


def tiff(*entries, order="<", head=None):
    """A TIFF structure of (tag, type, count, value or 4 bytes)."""
    out = head or ((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8))
    out += struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        if isinstance(value, int):
            value = struct.pack(order + ("H" if kind in (SHORT, SIGNED) else
                                         "B" if kind == BYTE else "I"), value)
        out += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
    return out + bytes(4)


def turned(value, kind=SHORT, count=1, **more):
    return tiff((0x0112, kind, count, value), **more)


def xmp(value, element=False):
    text = (f"<tiff:Orientation>{value}</tiff:Orientation>" if element
            else f'<rdf:Description tiff:Orientation="{value}"/>')
    return b"<x:xmpmeta>" + text.encode() + b"</x:xmpmeta>"


def hexed(block, name="exif"):
    digits = block.hex()
    lines = "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72))
    return f"\n{name}\n{len(block):8}\n{lines}\n".encode()


def chunk(name, data):
    return (struct.pack(">I", len(data)) + name + data
            + struct.pack(">I", zlib.crc32(name + data)))


def text(key, value):
    return chunk(b"tEXt", key + b"\0" + value)


def ztext(key, value):
    return chunk(b"zTXt", key + b"\0\0" + zlib.compress(value))


def itext(key, value, deflated=False):
    return chunk(b"iTXt", key + (b"\0\1\0" if deflated else b"\0\0\0") + b"en\0x\0"
                 + (zlib.compress(value) if deflated else value))


def png(before=b"", after=b""):
    data = encode(PIXELS, "PNG")
    pixels, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    return data[:pixels] + before + data[pixels:end] + after + data[end:]


def jpeg(*payloads, progressive=False):
    data = encode(PIXELS, quality=95, progressive=progressive)
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(p) + 2) + p for p in payloads)
    return data[:2] + segments + data[2:]


EXIF = b"Exif\0\0"
RAW, XMP = b"Raw profile type exif", b"XML:com.adobe.xmp"
MAKE_BEYOND = (0x010F, ASCII, 50, 0x7FFFFFF0)
NO_TAG = tiff((0x0100, LONG, 1, 640))
BLOCKS = {
    "short": turned(6), "big-endian": turned(5, order=">"), "long": turned(8, LONG),
    "byte": turned(6, BYTE), "text": turned(b"6\0", ASCII, 2), "signed": turned(7, SIGNED),
    "two-values": turned(struct.pack("<HH", 3, 6), count=2), "zero": turned(0),
    "nine": turned(9), "no-values": turned(6, count=0), "no-tag": NO_TAG,
    "values-beyond": turned(6, LONG, 9), "odd-type": turned(6, 99),
    "after-value-beyond": tiff(MAKE_BEYOND, (0x0112, SHORT, 1, 6)),
    "before-value-beyond": tiff((0x0112, SHORT, 1, 6), (0x0110, ASCII, 9, 0x7FFFFFF0)),
    "twice": tiff((0x0112, SHORT, 1, 6), (0x0112, SHORT, 1, 3)),
    "wrong-42": turned(6, order=">", head=b"MM*\0\0\0\0\x08"),
    "cut-off": turned(6)[:-8], "prefix-twice": EXIF + turned(6),
    "count-beyond": turned(6)[:8] + b"\xff\xff" + turned(6)[10:],
}
PNGS = {
    **{f"eXIf-{name}": png(chunk(b"eXIf", block)) for name, block in BLOCKS.items()},
    **{f"eXIf-xmp-{name}": png(chunk(b"eXIf", block) + itext(XMP, xmp(8)))
       for name, block in BLOCKS.items()},
    "prefix": png(chunk(b"eXIf", EXIF + turned(6))),
    "after-pixels": png(after=chunk(b"eXIf", turned(6))),
    "both-sides": png(chunk(b"eXIf", turned(6)), chunk(b"eXIf", turned(3))),
    "two-before": png(chunk(b"eXIf", turned(6)) + chunk(b"eXIf", turned(3))),
    "two-after": png(after=chunk(b"eXIf", turned(6)) + chunk(b"eXIf", turned(3))),
    "raw-zTXt": png(ztext(RAW, hexed(EXIF + turned(6)))),
    "raw-tEXt": png(text(RAW, hexed(EXIF + turned(7)))),
    "raw-iTXt": png(itext(RAW, hexed(turned(8)))),
    "raw-iTXt-deflated": png(itext(RAW, hexed(turned(5)), True)),
    "raw-after-pixels": png(after=ztext(RAW, hexed(EXIF + turned(6)))),
    "raw-capitals": png(text(RAW, hexed(EXIF + turned(6)).upper())),
    "raw-twice": png(text(RAW, hexed(turned(6))) + ztext(RAW, hexed(turned(3)))),
    "raw-and-eXIf": png(text(RAW, hexed(turned(3))) + chunk(b"eXIf", turned(6))),
    "raw-and-eXIf-without": png(text(RAW, hexed(turned(3))) + chunk(b"eXIf", NO_TAG)),
    "raw-app1": png(ztext(b"Raw profile type APP1", hexed(EXIF + turned(6), "APP1"))),
    "raw-and-xmp": png(text(RAW, hexed(turned(3))) + itext(XMP, xmp(6))),
    "raw-without-and-xmp": png(text(RAW, hexed(NO_TAG)) + itext(XMP, xmp(6))),
    "raw-one-line": png(text(RAW, b"exif")),
    "exif-text": png(text(b"exif", turned(6))),
    "xmp": png(itext(XMP, xmp(6))), "xmp-element": png(itext(XMP, xmp(8, True))),
    "xmp-deflated": png(itext(XMP, xmp(5), True)), "xmp-tEXt": png(text(XMP, xmp(7))),
    "xmp-zTXt": png(ztext(XMP, xmp(2))), "xmp-after": png(after=itext(XMP, xmp(3))),
    "xmp-twice": png(itext(XMP, xmp(6)) + itext(XMP, xmp(3))),
    "xmp-0": png(itext(XMP, xmp(0))), "xmp-12": png(itext(XMP, xmp(12))),
    "xmp-quote": png(itext(XMP, b"tiff:Orientation='6'")),
    "xmp-damaged": png(chunk(b"zTXt", XMP + b"\0\0notdeflated")),
    "xmp-cut": png(chunk(b"zTXt", XMP + b"\0\0" + zlib.compress(xmp(6))[:-6])),
    "other-text": png(text(b"Comment", xmp(6)) + text(RAW + b"s", hexed(turned(6)))),
}
JPEGS = {
    **{f"exif-{name}": jpeg(EXIF + block) for name, block in BLOCKS.items()},
    **{f"exif-xmp-{name}": jpeg(EXIF + block, XMP_NAME + xmp(8))
       for name, block in BLOCKS.items()},
    **{f"xmp-{n}": jpeg(XMP_NAME + xmp(n)) for n in range(10)},
    "xmp-element": jpeg(XMP_NAME + xmp(6, True)),
    "xmp-first": jpeg(XMP_NAME + xmp(6), EXIF + turned(3)),
    "xmp-twice": jpeg(XMP_NAME + xmp(6), XMP_NAME + xmp(3)),
    "xmp-extension": jpeg(b"http://ns.adobe.com/xmp/extension/\0" + xmp(6)),
    "exif-twice": jpeg(EXIF + turned(6), EXIF + turned(3)),
    "exif-without-then-with": jpeg(EXIF + NO_TAG, EXIF + turned(3)),
    "progressive": jpeg(XMP_NAME + xmp(6), progressive=True),
    "nothing": jpeg(),
}


def pillow_orientation(data):
    """As the newest Pillow; older ones do not look for XMP in JPEG files, and refuse Exif
    with a second prefix, which here always says 6."""
    if EXIF + EXIF + turned(6) in data or b"eXIf" + EXIF + turned(6) in data:
        return 6
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        if 0x0112 not in exif and image.format == "JPEG":
            for name, segment in reversed(image.applist):
                if name == "APP1" and segment.startswith(XMP_NAME):
                    found = re.search(rb'tiff:Orientation(="|>)([0-9])', segment)
                    exif[0x0112] = int(found[2]) if found else 1
                    break
        value = exif.get(0x0112)
        return value if value in range(1, 9) else 1


def upright(pixels, orientation):
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


ALL = {f"{name}.png": data for name, data in PNGS.items()}
ALL.update((f"{name}.jpg", data) for name, data in JPEGS.items())


@pytest.mark.filterwarnings("ignore")
def test_as_pillow():
    seen = set()
    for name, data in ALL.items():
        stored = pcr.decode(data, orient=False)
        expected = pillow_orientation(data)
        seen.add(expected)
        decoders = ("auto", "turbo") if name.endswith("jpg") else ("auto",)
        for decoder in decoders:
            np.testing.assert_array_equal(pcr.decode(data, decoder=decoder),
                                          upright(stored, expected), name)
    assert seen == set(range(1, 9))


@pytest.mark.filterwarnings("ignore")
def test_stored(tmp_path):
    """The head has it, so that fidelities without metadata turn too."""
    pcr.write(tmp_path / "ds", [pcr.NewSample(name, data) for name, data in ALL.items()],
              shuffle=False)
    with pcr.open(tmp_path / "ds") as ds:
        for sample, (name, data) in zip(ds, ALL.items()):
            expected = pillow_orientation(data)
            assert (sample.key, sample.orientation) == (name, expected)
            for fidelity in (1, None):
                np.testing.assert_array_equal(
                    sample.decode(fidelity),
                    upright(sample.decode(fidelity, orient=False), expected), name)
    how = {"batch_size": len(ALL), "shuffle": "none", "transform": "stretch",
           "filter": "nearest", "size": (16, 24)}
    for orient in (True, False):
        with pcr.Loader(tmp_path / "ds", orient=orient, **how) as loader:
            (batch,) = loader
        for found, size, data in zip(batch.pixels, batch.sizes, ALL.values()):
            if not orient or pillow_orientation(data) == 1:
                assert tuple(size) == (16, 24)
                np.testing.assert_array_equal(found, pcr.decode(data, orient=False))
            else:
                assert tuple(size) == pcr.decode(data).shape[:2]


def test_long_text_is_passed_over():
    bomb = ztext(XMP, bytes(1 << 21) + xmp(6))
    np.testing.assert_array_equal(pcr.decode(png(bomb)), PIXELS)
    np.testing.assert_array_equal(pcr.decode(png(text(RAW, b"\n\n\nnot hex"))), PIXELS)
