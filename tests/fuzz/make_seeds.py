#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes seeds for a fuzz target whose inputs are neither records nor cases of the generator.

usage: make_seeds.py TARGET FOLDER [CASES]

TARGET: cache, folders, icc, ladder, lists, packed, pictures, records, residual, restore,
    resume, spans, state.
CASES: the folder that `pcr-gen cases` made, for restore and spans.
"""

import gzip
import io
import json
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

root = Path(__file__).resolve().parents[2]

CSV = (
    "path,label\na.jpg,cat\nb/c.jpg,dog\n",
    "path;label;split;size\n\"a;\"\"b\"\".jpg\";1;train;3 4\nc.jpg;2;test;\n",
    "\ufeffFile_Name\tclass\tKey\r\na.jpg\tx y\tk/../1\r\nb.jpg\tz\t2\r\n",
    "sep=;\npath;labels\na.jpg;1 2 3\nb.jpg;4 5 6\n",
    "path,label,note\na.jpg,0.5,\"two\nlines\"\nb.jpg,-1e9,\n",
    "file_name,text\n0001.png,a cat\n0002.png,\n",
)
JSON_LINES = (
    '{"path": "a.jpg", "label": "cat"}\n{"path": "b.jpg", "label": "dog"}\n',
    '{"path": "a.jpg", "key": "x/y", "labels": [1, 2, 3], "split": "train"}\n',
    '\n{"path": "\\u00e4.jpg", "label": 0.5, "attributes": {"b": [1, {}], "a": null}}\n',
    '{"file_name": "0001.png", "text": "a cat", "bbox": [1.5, 2, 3, 4], "label": 7}\n',
    '{"path": "a.jpg", "label": -9223372036854775808}\n',
)
TREES = (
    "cat/1.jpg\ncat/2.jpg\ndog/1.jpg\n",
    "train/cat/1.jpg\ntrain/dog/2.jpg\nval/cat/3.jpg\nval/dog/4.jpg\n",
    "data/train/cat/1.jpg\ndata/train/dog/2.jpg\ndata/test/3.jpg\ndata/test/4.jpg\n",
    "a.jpg\nb.jpg\nc/d.jpg\nreadme?\n",
    "cat/train/1.jpg\ncat/test/2.jpg\ndog/train/3.jpg\ndog/test/4.jpg\n",
    "images/train2017/1.jpg\nimages/val2017/2.jpg\nlabels/train2017/1?\n",
    "Train/a/1.jpg\ntrain/a/2.jpg\ntest/images/3.jpg\nvalidation/x/y/4.jpg\n",
)
LADDERS = (
    "ladder few\nscript all\ngroup\nall 0-0 0 0\ngroup\nluma 1-63 0 0\nchroma 1-63 0 0\n",
    "ladder two\nscript small below 8\ngroup\nall 0-0 0 1\nluma 1-5 0 2\ngroup\n"
    "chroma1 1-63 0 1\nchroma2 1-63 0 1\nluma 6-63 0 2\nluma 1-63 2 1\nall 0-0 1 0\n"
    "luma 1-63 1 0\nchroma2 1-63 1 0\nchroma1 1-63 1 0\n",
    "# jpegtran\n0,1,2: 0-0, 0, 1;\n---\n0: 1-5, 0, 2;\n2: 1-63, 0, 1;\n1: 1-63, 0, 1;\n---\n"
    "0: 6-63, 0, 2;\n0: 1-63, 2, 1;\n0,1,2: 0-0, 1, 0;\n2: 1-63, 1, 0;\n1: 1-63, 1, 0;\n"
    "0: 1-63, 1, 0;\n",
)


def lists():
    for how, texts in ((0, CSV), (1, JSON_LINES), (2, CSV), (3, JSON_LINES), (7, JSON_LINES)):
        for text in texts:
            yield bytes([how]) + text.encode()


def folders():
    for kind in range(5):
        for text in TREES:
            yield bytes([kind]) + text.encode()


def state():
    names = {"version": 1, "epoch": 3, "position": 40, "sample_count": 100, "seed": 7,
             "dataset": "0123456789abcdef", "order": "fedcba9876543210", "fidelity": None,
             "fidelity_changes": [[50, 2], [60, 10]]}
    yield json.dumps(names).encode()
    yield json.dumps({**names, "seed": 2 ** 64 - 1, "fidelity": 4,
                      "fidelity_changes": []}).encode()
    for count in (0, 1, 4):
        changes = [50 + i if i < count else 0 for i in range(4)]
        fidelities = [1 + i if i < count else 0 for i in range(4)]
        yield (b"PCRS" + struct.pack("<I6QII4Q4I", 1, 3, 40, 100, 7, 8, 9, 2, count, *changes,
                                     *fidelities) + bytes(16))


def ladder():
    for text in LADDERS:
        yield text.encode()


def strings(*texts):
    return bytes([len(texts)]) + bytes(map(len, texts)) + b"".join(texts)


def table(*columns):
    """Columns (id, bytes) as a tail has them."""
    out = struct.pack("<I", len(columns))
    for number, data in columns:
        out += struct.pack("<HHIQ", number, 0, 0, len(data))
    return out + b"".join(data for _, data in columns)


def resume():
    skipped = strings(b'{"key": "a.jpg", "reason": "no image"}', b'{"key": "b.jpg"}')
    notes = strings(b'{"index":0,"key":"a","undecodable":"x"}',
                    b'{"dropped":"y","dropped_nbytes":5,"index":2,"key":"c"}',
                    b'{"index":3,"key":"d","salvaged":"z"}')
    yield table()
    yield table((1, skipped))
    yield table((1, skipped), (2, strings(b"{}")), (3, notes))
    yield table((3, notes), (77, b"?"))
    yield (b"libpcr conversion 1\nfingerprint 0123456789abcdef\nbad-policy 2\n"
           b"check 0123456789abcdef\n")


def icc():
    sys.path.insert(0, str(root / "tests" / "python"))
    import profiles

    for kind, data in ((0, profiles.gray(2.2)), (1, profiles.gray(1.0)), (2, profiles.rgb()),
                       (3, profiles.rgb(1.8, more=20)), (4, profiles.cmyk())):
        yield bytes([kind]) + data


def cache():
    yield b""
    yield b"\x41" + bytes(40)
    yield bytes(12) + b"\1" + bytes(30) + b"\x90\x10\1\xA0\0\x80"


def packed():
    for sampling in range(8):
        for how in range(5):
            head = bytes([how == 4, 13 * sampling + how, 50 - 9 * how, sampling, 7 * how,
                          sampling % 2 << 7 | how])
            changes = bytes((how + 1) * (37 * i + 11 * sampling) % 256 for i in range(5 * how))
            bits = bytes((i * i * (sampling + 3) >> how) % 251 for i in range(300))
            yield head + bytes([how]) + changes + bits


def residual():
    for width in range(0, 70, 9):
        for flags in range(4):
            head = bytes([width, (width * 5 + 11 * flags) % 70, flags, flags])
            changes = bytes((37 * i + 11 * width) % 256 for i in range(3 * flags))
            yield head + changes + bytes((i * i * (width + 3) >> flags) % 251 for i in range(300))


def spans():
    cases = sorted(Path(sys.argv[3]).glob("good/*"))
    for i, path in enumerate(cases):
        data = path.read_bytes()
        if len(data) < 20000:
            yield bytes([i % 256, 0, 40 + i % 100, 0 if i % 3 else 4]) + data


def restore():
    """Each file with its program as it is, and with bytes of it changed."""
    cases = sorted(Path(sys.argv[3]).glob("good/*"))
    for i, path in enumerate(cases):
        data = path.read_bytes()
        if len(data) < 4000:
            yield bytes([0]) + data
            changes = [i % 40, 0, i % 251, i % 7, 0, 12, i % 31, 0, 255][:3 + 3 * (i % 3)]
            yield bytes([len(changes) // 3, *changes]) + data


def records():
    sys.path.insert(0, str(root / "tests" / "python"))
    import formats
    for number, data in [*formats.seeds(), *archives(), *annotations()]:
        yield bytes([number]) + data
        yield bytes([number | 128]) + data


def annotations():
    """Kinds 10 and 11: COCO's and VOC's, of the one file that there is as an image."""
    box = {"id": 3, "image_id": 7, "category_id": "c", "bbox": [1.5, 2, 3, 4e1], "area": 5.5,
           "iscrowd": 1, "segmentation": [[1, 2, 3.5]]}
    document = {"info": {"a\u00e9\"]": [1, None]}, "annotations": [box, {**box, "area": None}],
                "images": [{"id": 7, "file_name": "./a.json", "width": 60, "height": 40}],
                "categories": [{"id": "c", "name": "cat"}]}
    for indent in (None, 1):
        yield 10, json.dumps(document, indent=indent).encode()
    yield 10, json.dumps({**document, "annotations": [box, box, {**box, "image_id": 8}],
                          "images": document["images"] * 2}).encode()
    yield 10, json.dumps(document).replace("5.5", "NaN").encode()
    box = "<bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>30</xmax><ymax>4</ymax></bndbox>"
    for name in ("cat", "a &amp; b&#33;&#x1F600;<![CDATA[<&>]]><!-- c -->", ""):
        yield 11, (f'<?xml version="1.0" encoding="utf-8"?><annotation a="1"><filename>a.xml'
                   f"</filename><size><width>60</width><height>40</height></size><object><name>"
                   f"{name}</name>{box}<difficult>1</difficult></object><b/></annotation>").encode()


def archives():
    """Kinds 6 to 8: tar, tar with right checksums, zip."""
    names = ("s/1.jpg", "s/1.cls", "s/1.json", "s/1.txt", "s/2.seg.png", "s/._2.jpg", "s/2")
    contents = (b"\xff\xd8\xff\xe0", b"1", b'{"a": [1]}', b"text", b"\x89PNG", b"x",
                b"\xff\xd8\xff")
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
            members = [*zip(names, contents), ("n" * 90 + "/" + "x" * 60 + ".jpg", b"y")]
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            for link in (tarfile.LNKTYPE, tarfile.SYMTYPE):
                info = tarfile.TarInfo(f"s/{link.decode()}.jpg")
                info.type, info.linkname = link, "s/1.jpg"
                archive.addfile(info)
        data = out.getvalue()[:-8192]
        inner = tarfile.TarInfo("s/inner.tar")
        inner.size = len(data)
        for number in (6, 7):
            yield number, data
            yield number, inner.tobuf() + data + bytes(1024)
        yield 6, gzip.compress(data, mtime=0)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in zip(names, contents):
                archive.writestr(zipfile.ZipInfo(name), data, method)
        yield 8, out.getvalue()


def pictures():
    """Small files of other formats than JPEG and PNG, by Pillow."""
    from PIL import Image, features
    colour = Image.radial_gradient("L").resize((19, 13)).convert("RGB")
    colour.paste((200, 30, 90), (3, 3, 9, 8))
    palette = colour.quantize(11)
    kinds = [(colour.convert(mode), format, {}) for mode in ("1", "L", "RGB")
             for format in ("BMP", "PPM")]
    kinds += [(palette, "BMP", {}), (colour.convert("RGBA"), "BMP", {}), (palette, "GIF", {}),
              (palette, "GIF", {"interlace": 1, "transparency": 2}),
              (colour.convert("1"), "GIF", {})]
    if features.check("libtiff"):
        kinds += [(colour, "TIFF", {"compression": how})
                  for how in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")]
        kinds += [(palette, "TIFF", {}), (colour.convert("L"), "TIFF", {}),
                  (colour.convert("1"), "TIFF", {"compression": "group4"}),
                  (colour.convert("CMYK"), "TIFF", {}), (colour.convert("LAB"), "TIFF", {}),
                  (colour.convert("RGBA"), "TIFF", {})]
    if features.check("webp"):
        kinds += [(colour, "WEBP", {"lossless": lossless}) for lossless in (False, True)]
    for image, format, how in kinds:
        out = io.BytesIO()
        image.save(out, format, **how)
        yield out.getvalue()
    yield b"P1\n# bits\n3 2\n1 0 1\n010\n"
    yield b"P2 2 2 9\n1 2\n3 9\n"
    yield b"P3 1 2 999\n1 2 3\n999 0 500\n"
    yield b"P6 1 2 1023\n" + bytes(range(12))


folder = Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
for i, seed in enumerate(globals()[sys.argv[1]]()):
    (folder / f"seed-{i:03}").write_bytes(seed)
