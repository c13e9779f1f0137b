#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A packed sample as a JPEG file, written from docs/FORMAT.md 10.7. The file is sequential, and its
Huffman codes are the plainest that there are. Needs pcr_packed.py beside it; built-in tables are in
libpcr/packed/builtin_tables.c, in decimal."""
import os
import re
import struct

import zstandard
from xxhash import xxh3_64_intdigest as xxh3

from pcr_packed import Component, Corrupt, Decoder, Frame, Line, Tables, need

BUILTIN = os.path.join(os.path.dirname(__file__), "../../libpcr/packed/builtin_tables.c")
CLASSES = {"all": (0, 1, 2), "luma": (0,), "chroma": (1, 2), "chroma1": (1,), "chroma2": (2,)}
MAX_TABLES = 1 << 20
DC_CODES = bytes([0, 0, 0, 15] + 12 * [0] + list(range(15)))  # 4 bits each: a symbol itself
AC_CODES = bytes(7 * [0] + [255] + 8 * [0] + list(range(255)))  # 8 bits each
tables_by_check = {}


class Unsupported(Exception):
    pass


def segments_of(header):
    """Marker, payload of each segment after SOI."""
    need(header[:2] == b"\xff\xd8", "no SOI")
    at = 2
    while at < len(header):
        marker, nbytes = struct.unpack(">HH", header[at:at + 4].ljust(4, b"\0"))
        need(marker >> 8 == 0xFF and marker != 0xFFDA and nbytes >= 2 and
             at + 2 + nbytes <= len(header), "a header's segment")
        yield marker, header[at + 4:at + 2 + nbytes]
        at += 2 + nbytes


def frame_of(segments):
    """Section 5 says which components are chroma."""
    sof, = [data for marker, data in segments if marker == 0xFFC2]
    height, width, count = struct.unpack(">HHB", sof[1:6])
    components = [sof[i:i + 3] for i in range(6, 6 + 3 * count, 3)]
    jfif = any(m == 0xFFE0 and data[:5] == b"JFIF\0" for m, data in segments)
    adobe = [data[11] for m, data in segments if m == 0xFFEE and data[:5] == b"Adobe"]
    ycc = jfif or adobe == [1] or not adobe and bytes(c[0] for c in components) != b"RGB"
    kinds = ((0, 1, 2) if count == 3 and ycc else
             (0, 1, 2, 0) if count == 4 and adobe == [2] else (0,) * count)
    return Frame(width, height, [Component(c[1] >> 4, c[1] & 15, kind)
                                 for c, kind in zip(components, kinds)])


def lines_of(text):
    """A ladder's text (section 5), of one script."""
    need(text.count("script ") == 1, "not one script")
    group, lines = -1, []
    for words in map(str.split, text.splitlines()):
        if words == ["group"]:
            group += 1
        elif words[0] in CLASSES:
            ss, se, ah, al = map(int, words[1].split("-") + words[2:])
            lines.append(Line(group, CLASSES[words[0]], ss, se, ah, al))
    return lines


def tables_of(check, stored):
    """Those of this XXH3: in the header, or built in (10.6)."""
    if check not in tables_by_check:
        if not stored:
            with open(BUILTIN, encoding="ascii") as file:
                text = file.read().split("clang-format off")[1]
            stored = [bytes(map(int, re.findall(r"\b\d+(?=,)", text)))]
        nbytes, = struct.unpack("<I", stored[0][:4])
        need(nbytes <= MAX_TABLES, "tables are too large")
        data = zstandard.ZstdDecompressor().decompress(stored[0][4:], max_output_size=nbytes)
        if xxh3(data) != check:
            raise Unsupported("tables that are neither in the header nor built in")
        tables_by_check[check] = Tables(data)
    return tables_by_check[check]


def entropy_coded(blocks):
    """Blocks of one component as a scan's data."""
    bits, before = [], 0
    for block in blocks:
        run, codes = 0, [(block[0] - before, 0)]
        before = block[0]
        for k in range(1, 64):
            codes += [(block[k], run)] if block[k] else []
            run = 0 if block[k] else run + 1
        for i, (value, zeros) in enumerate(codes):
            size = abs(value).bit_length()
            bits += ["11110000"] * (zeros // 16) if i else []
            bits.append(f"{zeros % 16 << 4 | size:08b}" if i else f"{size:04b}")
            if size:
                bits.append(f"{value if value > 0 else value + (1 << size) - 1:0{size}b}")
        if run:
            bits.append("00000000")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int("1" + text, 2).to_bytes(len(text) // 8 + 1, "big")[1:]
    return data.replace(b"\xff", b"\xff\0")


def segment(marker, payload):
    return struct.pack(">HH", marker, 2 + len(payload)) + payload


def jpeg(header, chunks):
    """header: the header items that are read, and the segment with parameters; chunks: of groups
    1 to g."""
    segments, own = list(segments_of(header)), {}
    kept = []
    for marker, data in segments:
        if marker == 0xFFEF and data[:3] == b"PCR":
            own.setdefault(data[3:4], []).append(data[4:])
        else:
            kept.append((marker, data))
    ladder, params = own.get(b"L", []), own.get(b"P", [])
    need(len(ladder) == len(params) == 1 and len(own.get(b"T", [])) < 2 and len(params[0]) > 9,
         "its own segments")
    frame = frame_of(kept)
    tables = tables_of(struct.unpack("<Q", params[0][:8])[0], own.get(b"T"))
    decoder = Decoder(frame, lines_of(ladder[0].decode()), tables)
    blocks = sum(w * h for w, h in map(decoder.size, range(len(frame.components))))
    need(4096 * len(chunks[0]) >= blocks, "fewer bytes than a picture of this size has")
    planes = decoder.decode(params[0], chunks)
    out = [b"\xff\xd8"]
    for marker, data in kept:
        out.append(segment(0xFFC1 if marker == 0xFFC2 else marker, data))
    out += [segment(0xFFC4, b"\0" + DC_CODES), segment(0xFFC4, b"\x10" + AC_CODES)]
    ids = [data[6::3] for marker, data in kept if marker == 0xFFC2][0]
    for identifier, plane in zip(ids, planes):
        out += [segment(0xFFDA, bytes([1, identifier, 0, 0, 63, 0])), entropy_coded(plane)]
    return b"".join(out) + b"\xff\xd9"
