# SPDX-License-Identifier: BSD-2-Clause
"""Writes record files and manifests from docs/FORMAT.md alone, right or wrong as asked."""
import copy
import json
import struct
from dataclasses import dataclass, field

import xxhash
import zstandard

MAGIC = b"\x89PCR\r\n\x1a\n"
(KEY, LABELS, ATTRIBUTES, CODING, WIDTH, HEIGHT, COMPONENTS, SAMPLING, ORIENTATION, SCRIPT,
 LADDER, DICTIONARY, HEADER, PIECE_STRING, PIECE_NBYTES, CHECK, SOURCE_NBYTES,
 FLOAT_LABELS, QUALITY, BLOBS) = range(1, 21)
REQUIRED = {KEY, LABELS, CODING, WIDTH, HEIGHT, COMPONENTS, DICTIONARY, HEADER, PIECE_STRING,
            PIECE_NBYTES, CHECK, FLOAT_LABELS}


def xxh3(data):
    return xxhash.xxh3_64_intdigest(data)


def varint(v):
    out = bytearray()
    while v >= 128:
        out.append(v & 127 | 128)
        v >>= 7
    out.append(v)
    return bytes(out)


def varints(values):
    return b"".join(map(varint, values))


def zigzag(v):
    return (v << 1 ^ v >> 63) & (1 << 64) - 1


def strings(items):
    return varints(len(s) for s in items) + b"".join(items)


def type_of(value):
    """(element, dimensions) of a value (FORMAT.md 3.7); ("json", ()) where it has no other."""
    names = {bool: "bool", int: "int64", float: "float64", str: "string"}
    if not isinstance(value, list):
        return names.get(type(value), "json"), ()
    kinds = {type_of(v) for v in value}
    elements, inner = {k[0] for k in kinds}, {k[1] for k in kinds}
    if elements == {"int64", "float64"}:
        elements = {"float64"}
    if len(elements) != 1 or len(inner) != 1 or elements == {"json"} or len(*inner) > 1:
        return "json", ()
    return *elements, (len(value), *inner.pop())


def column_type(values):
    """Of all values of a name that are not null; empty lists are those of others."""
    kinds = {type_of(v) for v in values if v != []}
    elements, shapes = {k[0] for k in kinds}, {k[1] for k in kinds}
    if elements == {"int64", "float64"}:
        elements = {"float64"}
    if len(elements) != 1 or len({s[1:] for s in shapes}) != 1 or len({len(s) for s in shapes}) > 1:
        return "json", ()
    first = {s[:1] for s in shapes} | {(0,) for v in values if v == []}
    shape = shapes.pop()
    if first != {()} and not shape:
        return "json", ()
    return elements.pop(), ((shape[0] if len(first) == 1 else None, *shape[1:]) if shape else ())


def flat(value, depth):
    return [value] if not depth else [e for v in value for e in flat(v, depth - 1)]


def floats(values):
    for d in range(10):
        whole = [round(v * 10**d) for v in values]
        if all(abs(m) <= 1 << 53 and m / 10**d == v and (v or struct.pack("<d", v)[7] == 0)
               for m, v in zip(whole, map(float, values))):
            return bytes([d]) + varints(map(zigzag, whole))
    rows = [struct.pack("<d", v) for v in values]
    return b"\xff" + b"".join(bytes(row[k] for row in rows) for k in range(8))


def attribute_columns(objects):
    columns = []
    for name in sorted({n for o in objects for n in o}, key=str.encode):
        values = [o[name] for o in objects if o.get(name) is not None]
        element, shape = column_type(values)
        elements = [e for v in values for e in flat(v, len(shape))]
        texts = [e if element == "string" else json.dumps(
            e, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for e in elements]
        columns.append((
            name.encode(), (element + "".join(f"[{n or ''}]" for n in shape)).encode(),
            bytes(0 if name not in o else 2 if o[name] is None else 1 for o in objects)
            + (varints(map(len, values)) if shape and shape[0] is None else b"")
            + (bytes(elements) if element == "bool"
               else varints(map(zigzag, elements)) if element == "int64"
               else floats(elements) if element == "float64"
               else strings([t.encode() for t in texts]))))
    names, types, data = zip(*columns) if columns else ((), (), ())
    return (varint(len(columns)) + strings(names) + strings(types) + varints(map(len, data))
            + b"".join(data))


def zstd(raw):
    return zstandard.ZstdCompressor(level=19, write_content_size=True).compress(raw)


@dataclass
class Sample:
    key: bytes
    coding: tuple = ()  # by group; made of 1 where it is empty
    labels: tuple = ()
    float_labels: tuple = ()
    attributes: bytes = b""
    width: int = 0
    height: int = 0
    components: int = 0
    sampling: int = 0
    orientation: int = 1
    source_nbytes: int = 0
    blobs: dict = field(default_factory=dict)  # by name
    pixels: bytes = b""  # of an exact picture
    quality: bytes = b""  # by prefix and scale; none: of no sample
    items: list = field(default_factory=list)   # an int: a string's number; bytes: own
    pieces: list = field(default_factory=list)  # by group: [(string number or None, bytes)]

    def own_items(self):
        return b"".join(i for i in self.items if isinstance(i, bytes))


def opaque(key, data, piece_counts, **fields):
    pieces = [[(None, b"")] * n for n in piece_counts]
    pieces[0] = [(None, data)] + pieces[0][1:]
    return Sample(key, (0,) * len(piece_counts), pieces=pieces, source_nbytes=len(data), **fields)


@dataclass
class Record:
    samples: list
    piece_counts: list
    ladder: bytes = b""
    dictionary: list = field(default_factory=list)
    minor: int = 0
    optional_flags: int = 0
    tail: list = None          # [(id, flags, bytes)] or None
    leave_out: tuple = ()      # columns
    extra_columns: list = field(default_factory=list)
    edit_columns: object = None  # called with {id: bytes} before the head is put together
    edit_raw: object = None      # bytes of the raw head -> bytes
    edit_head: object = None     # stored head -> stored head, its size and checksum follow
    edit_groups: object = None   # list of the groups' bytes, after the chunks' checksums
    edit_fields: object = None   # called with the header's fields before it is written
    edit_header: object = None   # bytearray of the header before its checksum
    edit_file: object = None     # bytes of the file -> bytes
    originals: list = None       # source files by sample, and modes and times: for vectors
    infos: list = None

    def __post_init__(self):
        for s in self.samples:
            s.coding = s.coding or (1,) * len(self.piece_counts)

    def group(self, g):
        """The chunks of group g (from 0)."""
        last = g == len(self.piece_counts) - 1
        return [(s.own_items() if last else b"") + b"".join(p[1] for p in s.pieces[g])
                for s in self.samples]

    def columns(self):
        ss, groups = self.samples, range(len(self.piece_counts))
        cells = [[s.pieces[g][p] for s in ss] for g in groups
                 for p in range(self.piece_counts[g])]
        items = [[len(i) << 1 | 1 if isinstance(i, bytes) else i * 2 for i in s.items]
                 for s in ss]
        labels = [v for s in ss for v in s.labels]
        floats = [v for s in ss for v in s.float_labels]
        checks = [xxh3(c) & 0xFFFFFFFF for g in groups for c in self.group(g)]
        table = {
            KEY: strings([s.key for s in ss]),
            LABELS: varints([len(s.labels) for s in ss] + [zigzag(v) for v in labels]),
            ATTRIBUTES: attribute_columns([json.loads(s.attributes or b"{}") for s in ss]),
            CODING: bytes(s.coding[g] for g in groups for s in ss),
            WIDTH: varints(s.width for s in ss),
            HEIGHT: varints(s.height for s in ss),
            COMPONENTS: bytes(s.components for s in ss),
            SAMPLING: b"".join(struct.pack("<I", s.sampling) for s in ss),
            ORIENTATION: bytes(s.orientation for s in ss),
            SCRIPT: bytes(len(ss)),
            LADDER: self.ladder,
            DICTIONARY: varint(len(self.dictionary)) + strings(self.dictionary),
            HEADER: varints([len(i) for i in items] + [v for i in items for v in i]),
            PIECE_STRING: varints(0 if c[0] is None else c[0] + 1 for row in cells
                                  for c in row),
            PIECE_NBYTES: varints(len(c[1]) for row in cells for c in row),
            CHECK: b"".join(struct.pack("<I", c) for c in checks),
            SOURCE_NBYTES: varints(s.source_nbytes for s in ss),
        }
        if floats:
            table[FLOAT_LABELS] = varints(len(s.float_labels) for s in ss) + struct.pack(
                "<%dd" % len(floats), *floats)
        if ss[0].quality:
            table[QUALITY] = bytes(
                (s.quality[k] - (s.quality[k - (1 if k % 7 else 7)] if k else 0)) & 255
                for k in range(7 * len(groups) - 7) for s in ss)
        names = sorted({name for s in ss for name in s.blobs})
        if names:
            table[BLOBS] = (
                varint(len(names)) + strings(names)
                + varints(len(s.blobs[n]) + 1 if n in s.blobs else 0 for n in names for s in ss)
                + b"".join(struct.pack("<I", xxh3(b) & 0xFFFFFFFF) for b in self.all_blobs()))
        return table

    def all_blobs(self):
        return [s.blobs[name] for s in self.samples for name in sorted(s.blobs)]

    def raw_head(self):
        columns = self.columns()
        for id_ in self.leave_out:
            del columns[id_]
        if self.edit_columns:
            self.edit_columns(columns)
        table = [(i, int(i in REQUIRED), d) for i, d in columns.items()]
        raw = table_of_columns(table + self.extra_columns)
        return self.edit_raw(raw) if self.edit_raw else raw

    def build(self):
        raw = self.raw_head()
        head = zstd(raw)
        if self.edit_head:
            head = self.edit_head(head)
        groups = [b"".join(self.group(g)) for g in range(len(self.piece_counts))]
        if self.edit_groups:
            self.edit_groups(groups)
        tail_raw = table_of_columns(self.tail) if self.tail is not None else b""
        tail = zstd(tail_raw) if self.tail is not None else b""
        h = self.fields(raw, head, groups, tail_raw, tail)
        if self.edit_fields:
            self.edit_fields(h)
        data = write_header(h, self.edit_header) + head + b"".join(groups) + b"".join(
            self.all_blobs()) + tail
        return self.edit_file(data) if self.edit_file else data

    def fields(self, raw, head, groups, tail_raw, tail):
        count = len(self.piece_counts)
        end, table = 96 + 24 * count + len(head), []
        for g in range(count):
            end += len(groups[g])
            table.append({"end": end, "check": xxh3(groups[g]),
                          "pieces": self.piece_counts[g], "zero": 0})
        return {"major": 1, "minor": self.minor, "required": 0,
                "optional": self.optional_flags, "samples": len(self.samples),
                "groups": count, "zero26": 0, "zero28": 0, "head": len(head),
                "head_raw": len(raw), "head_check": xxh3(head), "tail": len(tail),
                "tail_raw": len(tail_raw), "tail_check": xxh3(tail) if tail else 0,
                "blobs": sum(map(len, self.all_blobs())), "table": table}

    def changed(self, **fields):
        """A copy with other fields."""
        other = copy.deepcopy(self)
        for name, value in fields.items():
            assert hasattr(other, name), name
            setattr(other, name, value)
        return other

    def materialise(self, i, g):
        """Sample i's file at fidelity g (FORMAT 3.4); an exact picture's pixels."""
        s, whole = self.samples[i], g == len(self.piece_counts)
        if whole and s.pixels:
            return s.pixels
        if s.coding[0] == 0:
            return b"".join(self.group(k)[i] for k in range(len(self.piece_counts)))
        out = b"".join(self.dictionary[v] if isinstance(v, int) else v if whole else b""
                       for v in s.items)
        for pieces in s.pieces[:g]:
            for number, data in pieces:
                out += (b"" if number is None else self.dictionary[number]) + data
        return out + b"\xff\xd9"


def table_of_columns(columns):
    out = struct.pack("<I", len(columns))
    out += b"".join(struct.pack("<HHIQ", i, flags, 0, len(d)) for i, flags, d in columns)
    return out + b"".join(d for _, _, d in columns)


def write_header(h, edit=None):
    out = bytearray(MAGIC + struct.pack(
        "<HHIIIHHIQQQQQQQ", h["major"], h["minor"], h["required"], h["optional"],
        h["samples"], h["groups"], h["zero26"], h["zero28"], h["head"], h["head_raw"],
        h["head_check"], h["tail"], h["tail_raw"], h["tail_check"], h["blobs"]))
    for e in h["table"]:
        out += struct.pack("<QQHHI", e["end"], e["check"], e["pieces"], 0, e["zero"])
    if edit:
        edit(out)
    return bytes(out) + struct.pack("<Q", xxh3(bytes(out)))


def header_fields(data):
    """What a manifest says of a record: (samples, size, head end, group ends, check)."""
    samples, groups = struct.unpack_from("<IH", data, 20)
    head, = struct.unpack_from("<Q", data, 32)
    ends = [struct.unpack_from("<Q", data, 88 + 24 * g)[0] for g in range(groups)]
    check = "%016x" % struct.unpack_from("<Q", data, 88 + 24 * groups)[0]
    return samples, len(data), 96 + 24 * groups + head, ends, check


def write_manifest(members):
    """members: the object without `_xxh3`."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return seal_manifest(text[1:].encode() + b"\n")


def seal_manifest(rest):
    """rest: what stands from offset 28 on."""
    return b'{"_xxh3":"%016x",' % xxh3(rest) + rest
