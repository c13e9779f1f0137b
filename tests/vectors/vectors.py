# SPDX-License-Identifier: BSD-2-Clause
"""The record vectors: each row of docs/FORMAT.md's tables as a file, right or wrong."""
import dataclasses
import random
import struct

import record_writer as w
import tiny_jpeg

EXIF = (b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
        b"\0\0\0\0")
COMMENT = b"\xff\xfe\x00\x0aa photo!"


class Vector:
    """code None: good. stage: "open" (header and head), "read N" (group N, where lower
    ones are fine), "sample N" (reading one sample alone at fidelity N), or "tail"."""
    def __init__(self, name, text, record, stage=None, code=None):
        self.name, self.text, self.record = name, text, record
        self.stage, self.code = stage, code


VECTORS = []


def good(name, text, record):
    VECTORS.append(Vector("good-" + name, text, record))


def bad(name, code, text, record, stage="open"):
    prefix = "unsupported-" if code == "UNSUPPORTED" else "bad-"
    VECTORS.append(Vector(prefix + name, text, record, stage, code))


# --- the images ---

def dictionary_number(dictionary, string):
    if string not in dictionary:
        dictionary.append(string)
    return dictionary.index(string)


def coded(key, seed, components, dictionary, shared=False, metadata=(), flat=False, **fields):
    """A coded sample; shared: tables and SOS segments in the dictionary; flat: of one gray."""
    image = tiny_jpeg.Image(seed, components)
    if flat:
        image.blocks = [[[0] * 64 for _ in blocks] for blocks in image.blocks]
    header = image.header()
    frame = header.index(b"\xff\xc2")
    items = [dictionary_number(dictionary, header[:2])] + list(metadata)
    items += [dictionary_number(dictionary, header[2:frame]),
              dictionary_number(dictionary, header[frame:])]
    pieces = []
    for group in image.scans():
        row = []
        for scan in group:
            if scan is None:
                row.append((None, b""))
            elif shared:
                row.append((dictionary_number(dictionary, scan[0]), scan[1]))
            else:
                row.append((None, scan[0] + scan[1]))
        pieces.append(row)
    return w.Sample(key, width=16, height=16, components=components,
                    sampling=image.sampling, items=items, pieces=pieces, **fields)


def three_coded(shared=False):
    d = []
    samples = [
        coded(b"a/gray.jpg", 1, 1, d, shared, labels=(0,), source_nbytes=300),
        coded(b"a/upright.jpg", 2, 3, d, shared, metadata=[EXIF], labels=(0,),
              orientation=6, attributes=b'{"place":"lab"}', source_nbytes=500),
        coded(b"b/colour.jpg", 3, 3, d, shared, metadata=[COMMENT, EXIF[:4] + b"\0" * 32],
              labels=(1,), source_nbytes=501),
    ]
    return w.Record(samples, tiny_jpeg.PIECES, tiny_jpeg.LADDER, d)


# --- exact pictures ---

MARK = b"\xff\xef\0\x06PCR\3"
EXACT_PIECES = tiny_jpeg.PIECES + [2]
EXACT_LADDER = tiny_jpeg.LADDER + b"group\n"
STRIP_ROWS = 5


def residual(differences, channels, rows=STRIP_ROWS, tables=None, end=b"", states=bytes(9)):
    """One of escapes alone. differences: by row, by channel, by column."""
    raw = bytes([1] * channels) + bytes(720 * channels) + channels * (bytes(255) + w.varint(512))
    raw = raw if tables is None else tables(raw)
    stored = struct.pack("<I", len(raw)) + w.zstd(raw)
    sizes, data = [], []
    for y in range(0, 16, max(rows, 1)):
        plain = bytes(2 * d if d >= 0 else -2 * d - 1 for row in differences[y:y + rows]
                      for channel in row for d in channel)
        sizes += [len(states), len(plain)]
        data += [states, plain]
    return (w.varint(rows) + w.varint(len(stored)) + stored + w.varints(sizes) + b"".join(data)
            + end)


def exact(key, components, dictionary, how=None, metadata=(), **fields):
    """A JPEG of one gray, and a residual. how: differences, channels to the residual's bytes."""
    s = coded(key, 1, components, dictionary, flat=True, metadata=metadata, **fields)
    rng = random.Random(components)
    differences = [[[rng.randint(-128, 127) for _ in range(16)] for _ in range(components)]
                   for _ in range(16)]
    pixels = bytearray()
    for row in differences:
        for green, *others in zip(*row):
            pixels += bytes((128 + green + (others[k] if others else 0)) & 255 if k is not None
                            else (128 + green) & 255
                            for k in ((0, None, 1) if others else (None,)))
    data = (how or residual)(differences, components)
    s.pieces.append([(dictionary_number(dictionary, MARK), data), (None, b"")])
    return dataclasses.replace(s, coding=(1, 1, 1, 3), pixels=bytes(pixels))


def two_exact(how=None):
    """The last sample has the residual that is to be tried."""
    d = []
    samples = [exact(b"colour.png", 3, d, metadata=[COMMENT], source_nbytes=700, labels=(1,)),
               coded(b"a.jpg", 5, 3, d, labels=(0,)),
               exact(b"gray.png", 1, d, how, source_nbytes=300, labels=(0,))]
    samples[1].pieces.append([(None, b""), (None, b"")])
    return w.Record(samples, EXACT_PIECES, EXACT_LADDER, d)


def one_opaque(**fields):
    return w.Record([w.opaque(b"file", b"not an image at all", [1], **fields)], [1],
                    b"ladder one\nscript all\ngroup\nall 0-0 0 0\n")


OPTIONAL = (w.ATTRIBUTES, w.SAMPLING, w.ORIENTATION, w.SCRIPT, w.LADDER, w.SOURCE_NBYTES)
CODED, SHARED = three_coded(), three_coded(shared=True)
FLOATS = w.Record([w.opaque(b"none", b"1", [1]),
                   w.opaque(b"half", b"2", [1], float_labels=(0.5,)),
                   w.opaque(b"many", b"3", [1], float_labels=(
                       -0.0, 5e-324, -1.7976931348623157e308, 1 / 3, 7.0))], [1])
QUALITY = CODED.changed(samples=[
    dataclasses.replace(s, quality=bytes((40 * i + 9 * k) % 256 for k in range(
        7 * len(tiny_jpeg.PIECES) - 7))) for i, s in enumerate(CODED.samples)])
ATTRIBUTES = w.Record([w.opaque(b"%d" % i, b"x", [1], attributes=text.encode())
                       for i, text in enumerate((
    '{"b":true,"box":[[1.5,2.0,3.0,4.0],[5.0,6.0,7.25,8.0]],"f":0.5,"i":-3,'
    '"j":{"a":[1,null]},"l":[1,2,3],"n":null,"p":[0.5,-0.0],"r":[],'
    '"s":"größer","t":["a",""],"u":[[true,false],[true,true]]}',
    '{}',
    '{"b":null,"box":[],"f":-1.25,"i":9223372036854775807,"j":"x","l":[4,5,6],"p":[7.0,2.5],'
    '"r":[],"s":"","t":[],"u":[[false,false],[true,false]]}',
    '{"b":false,"f":7.0,"i":0,"j":1,"t":["c"]}'))], [1])
BLOBS = w.Record([w.opaque(b"both", b"x", [1], blobs={b"mask": b"mask", b"a": b""}),
                  w.opaque(b"none", b"x", [1]),
                  w.opaque(b"one", b"x", [1], blobs={b"a": bytes(300)})], [1], tail=[])
LARGE = bytes(4 << 20)
SKIPPED = (1, 0, w.varint(1) + w.strings(
    [b'{"code":"CORRUPT","key":"x","message":"x@9: gone","offset":9,"path":"x.jpg"}']))



def notes(*texts):
    return (3, 0, w.varint(len(texts)) + w.strings(texts))


NOTES = notes(b'{"dropped":"MPO frames","dropped_nbytes":4096,"index":2,"key":"b/colour.jpg"}',
              b'{"index":1,"key":"a/upright.jpg","salvaged":"it ends too early"}')


# --- source files (FORMAT.md 3.8) ---

COPY, MOVE, INSERT, TABLES, SCAN, PADDING, PATCHES = range(7)


def op(operation, n, after=b""):
    return w.varint(n << 3 | operation) + after


def program_of(seed, components, metadata=b"", after=b""):
    """A sequential file of the image, and the program that restores it."""
    image = tiny_jpeg.Image(seed, components)
    header = image.header()[:2] + metadata + image.header()[2:]
    sof = header.index(b"\xff\xc2") + 1
    tables = [tiny_jpeg.huffman(0x00, tiny_jpeg.DC_SYMBOLS),
              tiny_jpeg.huffman(0x10, tiny_jpeg.AC_SYMBOLS)]
    sos, data = image.sequential()
    end = b"\xff\xd9" + after
    program = (op(COPY, sof) + op(INSERT, 1, b"\xc0") + op(MOVE, w.zigzag(1))
               + op(COPY, len(header) - sof - 1)
               + b"".join(op(TABLES, 1, t[4:5] + b"\0" + t[5:]) for t in tables)
               + op(INSERT, len(sos), sos) + op(SCAN, 0) + op(INSERT, len(end), end))
    return (header[:sof] + b"\xc0" + header[sof + 1:] + b"".join(tables) + sos + data + end,
            program)


def restore_column(rows):
    """rows: (source file, program), or (b"", b"")."""
    return (2, 0, b"".join(struct.pack("<I", w.xxh3(f) & 0xFFFFFFFF if p else 0) for f, p in rows)
            + w.strings([p for _, p in rows]))


def files_column(rows):
    """rows: (mode, seconds, nanoseconds), None each where it is not known."""
    times = [r[1:] for r in rows if r[1] is not None]
    steps = [t[0] - before[0] for t, before in zip(times, [(0,)] + times)]
    return (4, 0, bytes((r[0] is not None) | (r[1] is not None) << 1 for r in rows)
            + w.varints(r[0] for r in rows if r[0] is not None) + w.varints(map(w.zigzag, steps))
            + b"".join(struct.pack("<I", t[1]) for t in times))


def with_originals():
    record = three_coded()
    rows = [program_of(1, 1), program_of(2, 3, EXIF, b"what follows"), (b"", b"")]
    infos = [(0o644, 1000000000, 5), (None, -2, 999999999), (0o400, None, None)]
    for sample, (data, _) in zip(record.samples, rows):
        sample.source_nbytes = len(data) or sample.source_nbytes
    record.tail = [restore_column(rows), files_column(infos)]
    record.originals = [data if program else None for data, program in rows]
    record.infos = infos
    return record


ORIGINALS = with_originals()


def good_vectors():
    good("originals", "source files restored from a tail, modes and times; one file without",
         ORIGINALS)
    good("coded", "three coded samples with tables of their own; metadata in group G",
         CODED)
    good("shared-tables", "the same with tables and SOS segments in the dictionary", SHARED)
    opaque = [w.opaque(b"x.png", b"\x89PNG and so on", [1, 2]), w.opaque(b"y", b"y", [1, 2])]
    good("opaque-only", "opaque samples alone; no labels, no items, no strings",
         w.Record(opaque, [1, 2]).changed(leave_out=OPTIONAL + (w.LABELS, w.HEADER,
                                                                w.DICTIONARY,
                                                                w.PIECE_STRING)))
    mixed = three_coded(shared=True)
    mixed.samples.insert(1, w.opaque(b"kept.png", b"kept whole", tiny_jpeg.PIECES,
                                     labels=(1,)))
    good("exact", "exact pictures, of three components with metadata and of one, and a JPEG "
         "between them; the ladder's last group has no scans", two_exact())
    good("mixed", "an opaque sample between coded ones", mixed)
    empty = w.Record([w.opaque(b"none", b"", [1, 1, 1]), w.opaque(b"some", b"s", [1, 1, 1])],
                     [1, 1, 1])
    good("empty-groups", "groups 2 and 3 are empty, and so is one sample", empty)
    good("labels", "no label, one, and several, of all sizes; keys of any bytes",
         w.Record([w.opaque(b"\xff\x01", b"1", [1]),
                   w.opaque(b"", b"2", [1], labels=(-1,)),
                   w.opaque("ключ".encode(), b"3", [1],
                            labels=((1 << 63) - 1, -(1 << 63), 0, 300))], [1]))
    good("float-labels", "no label, one, and several, the smallest and the largest floats",
         FLOATS)
    good("blobs", "blobs of two names before a tail, one of them empty", BLOBS)
    good("attributes", "attributes of all types, with nulls and without", ATTRIBUTES)
    good("quality", "the quality of prefixes, with differences that wrap around", QUALITY)
    good("unknown-column", "an unknown column without the required flag, and other flag bits",
         CODED.changed(extra_columns=[(999, 0xFFFE, b"of a later version"),
                                      (40, 0, b"")]))
    good("unknown-column-large", "an unknown column that expands 10,000 times",
         CODED.changed(extra_columns=[(999, 0, LARGE)]))
    good("minor-9", "a higher minor version and unknown optional flags",
         CODED.changed(minor=9, optional_flags=0xFFFFFFFF))
    good("tail", "a tail with a skipped input and an unknown column",
         CODED.changed(tail=[SKIPPED, (77, 0, b"?")]))
    good("tail-unknown-large", "a tail with an unknown column that expands 10,000 times",
         CODED.changed(tail=[(77, 0, LARGE), SKIPPED]))
    good("notes", "a tail with notes on two samples, and a skipped input",
         CODED.changed(tail=[SKIPPED, NOTES]))
    good("groups-32", "as many groups as there can be",
         w.Record([w.opaque(b"k", b"bytes", [1] * 32)], [1] * 32))
    good("pieces-64", "as many pieces in a group as there can be",
         w.Record([w.opaque(b"k", b"bytes", [64])], [64]))


# --- the fixed header ---

def fields(record, **values):
    return record.changed(edit_fields=lambda h: h.update(values))


def header_bytes(offset, data):
    return CODED.changed(edit_header=lambda h: h.__setitem__(
        slice(offset, offset + len(data)), data))


def group_field(g, name, value):
    def edit(h):
        h["table"][g][name] = value(h["table"]) if callable(value) else value
    return CODED.changed(edit_fields=edit)


def header_vectors():
    cut = lambda n: CODED.changed(edit_file=lambda f: f[:n])
    swap = lambda at, v: CODED.changed(edit_file=lambda f: f[:at] + v + f[at + len(v):])
    bad("empty", "FORMAT", "a file without bytes", cut(0))
    bad("magic-short", "FORMAT", "the first 7 bytes of the magic", cut(7))
    bad("magic-other", "FORMAT", "another magic", swap(1, b"QCR"))
    bad("magic-newline", "FORMAT", "CR LF became LF on the way", swap(4, b"\n\x1a\n\n"))
    bad("header-short", "TRUNCATED", "ends within the fixed header", cut(100))
    bad("major-2", "UNSUPPORTED", "major version 2", fields(CODED, major=2))
    bad("groups-0", "CORRUPT", "no group", header_bytes(24, b"\0\0"))
    bad("groups-33", "CORRUPT", "more than 32 groups", header_bytes(24, b"\x21\0"))
    bad("groups-65535", "CORRUPT", "far more than 32 groups", header_bytes(24, b"\xff\xff"))
    bad("header-checksum", "CORRUPT", "a bit of the header's own checksum",
        swap(96 + 24 * 3 - 1, b"\0"))
    bad("header-bit", "CORRUPT", "a bit of the header, against its checksum", swap(20, b"\7"))
    bad("required-flag", "UNSUPPORTED", "a required flag", fields(CODED, required=1 << 31))
    for at in ("zero26", "zero28"):
        bad(at, "UNSUPPORTED", "the field at offset %s is not zero" % at[4:],
            fields(CODED, **{at: 1}))
    bad("blobs-without-column", "CORRUPT", "blobs in the header, and no column of them",
        BLOBS.changed(leave_out=(w.BLOBS,)))
    bad("blobs-size", "CORRUPT", "a column of blobs that are a byte longer",
        BLOBS.changed(edit_columns=lambda c: c.update({w.BLOBS: c[w.BLOBS].replace(
            w.varint(5), w.varint(6), 1)})))
    bad("group-zero", "UNSUPPORTED", "the last field of a group's entry is not zero",
        group_field(1, "zero", 1))
    bad("samples-0", "CORRUPT", "no samples", fields(CODED, samples=0))
    bad("samples-many", "LIMIT", "more samples than the reader's limit",
        fields(CODED, samples=(1 << 20) + 1))
    bad("head-0", "CORRUPT", "no head", fields(CODED, head=0))
    bad("head-overflow", "CORRUPT", "header and head overflow 64 bits",
        fields(CODED, head=(1 << 64) - 1))
    bad("head-raw-large", "LIMIT", "a head of 2^40 bytes when decompressed",
        fields(CODED, head_raw=1 << 40))
    bad("pieces-0", "CORRUPT", "a group of no pieces", group_field(0, "pieces", 0))
    bad("pieces-65", "CORRUPT", "a group of 65 pieces", group_field(0, "pieces", 65))
    bad("end-decreases", "CORRUPT", "end(2) is below end(1)",
        group_field(1, "end", lambda t: t[0]["end"] - 1))
    bad("end-in-head", "CORRUPT", "end(1) is below the head's end",
        group_field(0, "end", 96 + 24 * 3))
    bad("tail-overflow", "CORRUPT", "end(G) and tail overflow 64 bits",
        fields(CODED, tail=(1 << 64) - 100))
    bad("file-short", "TRUNCATED", "the last byte is missing",
        CODED.changed(edit_file=lambda f: f[:-1]))
    bad("file-short-in-head", "TRUNCATED", "ends within the head", cut(200))
    bad("file-long", "CORRUPT", "a byte after the record",
        CODED.changed(edit_file=lambda f: f + b"\0"))
    bad("group-checksum", "CORRUPT", "group 2 differs from its checksum; fidelity 1 is fine",
        group_field(1, "check", 1), "read 2")
    flip = lambda groups: groups.__setitem__(2, groups[2][:-1] + bytes([groups[2][-1] ^ 1]))
    bad("chunk-checksum", "CORRUPT", "the last sample's chunk in group 3 differs from its "
        "Check32 (the group's own checksum agrees)", CODED.changed(edit_groups=flip),
        "sample 3")


# --- the head ---

def raw(edit):
    return CODED.changed(edit_raw=edit)


def column(id_, edit, record=None):
    def change(columns):
        columns[id_] = edit(columns[id_])
    return (record or CODED).changed(edit_columns=change)


def stored(edit):
    return CODED.changed(edit_head=edit)


def entry(i, offset, data):
    """Entry i of the table of columns."""
    at = 4 + 16 * i + offset
    return raw(lambda r: r[:at] + data + r[at + len(data):])


def head_vectors():
    bad("head-checksum", "CORRUPT", "the head differs from its checksum",
        fields(CODED, head_check=1))
    bad("head-zstd", "CORRUPT", "the head is no zstd frame", stored(lambda h: b"\0" * 40))
    bad("head-zstd-damaged", "CORRUPT", "the head's zstd frame is damaged",
        stored(lambda h: h[:-9] + b"\xff" * 9))
    bad("head-zstd-short", "CORRUPT", "the head's zstd frame is cut",
        stored(lambda h: h[:-3]))
    bad("head-two-frames", "CORRUPT", "an empty zstd frame after the head's",
        stored(lambda h: h + w.zstd(b"")))
    bad("head-raw-size", "CORRUPT", "head_raw_nbytes is one more than the frame holds",
        CODED.changed(edit_fields=lambda h: h.update(head_raw=h["head_raw"] + 1)))
    bad("column-count", "CORRUPT", "more columns than bytes",
        raw(lambda r: b"\xff\xff\xff\xff" + r[4:]))
    bad("columns-none", "CORRUPT", "no columns", raw(lambda r: bytes(4)))
    bad("columns-short", "CORRUPT", "the columns' sizes add up to more than the head",
        raw(lambda r: r[:-1]))
    bad("columns-long", "CORRUPT", "bytes after the last column", raw(lambda r: r + b"\0"))
    bad("column-size-overflow", "CORRUPT", "a column of 2^64 - 1 bytes",
        entry(2, 8, b"\xff" * 8))
    bad("column-twice", "CORRUPT", "a column stands twice",
        CODED.changed(extra_columns=[(w.LADDER, 0, b"ladder")]))
    bad("column-unknown-twice", "CORRUPT", "an unknown column stands twice",
        CODED.changed(extra_columns=[(999, 0, b""), (999, 0, b"")]))
    bad("column-required", "UNSUPPORTED", "an unknown column with the required flag",
        CODED.changed(extra_columns=[(999, 1, b"?")]))
    bad("column-required-large", "UNSUPPORTED", "one that expands 10,000 times",
        CODED.changed(extra_columns=[(999, 1, LARGE)]))
    bad("column-large", "LIMIT", "a known column that expands 10,000 times",
        column(w.LADDER, lambda _: LARGE))
    bad("columns-large-short", "CORRUPT", "the last of them is missing a byte",
        CODED.changed(extra_columns=[(999, 0, LARGE)], edit_raw=lambda r: r[:-1]))
    bad("columns-large-long", "CORRUPT", "bytes after the last column",
        CODED.changed(extra_columns=[(999, 0, LARGE)], edit_raw=lambda r: r + b"\0"))
    names = {w.KEY: "key", w.CODING: "coding", w.WIDTH: "width", w.HEIGHT: "height",
             w.COMPONENTS: "components", w.PIECE_NBYTES: "piece-nbytes", w.CHECK: "check"}
    for id_, name in names.items():
        bad("column-" + name + "-missing", "CORRUPT", "the column is missing",
            CODED.changed(leave_out=(id_,)))
    names.update({w.LABELS: "labels", w.ATTRIBUTES: "attributes", w.SAMPLING: "sampling",
                  w.ORIENTATION: "orientation", w.SCRIPT: "script",
                  w.DICTIONARY: "dictionary", w.HEADER: "header",
                  w.PIECE_STRING: "piece-string", w.SOURCE_NBYTES: "source-nbytes"})
    for id_, name in sorted(names.items()):
        bad("column-" + name + "-long", "CORRUPT", "the column has a byte more than it needs",
            column(id_, lambda c: c + b"\0"))
        bad("column-" + name + "-short", "CORRUPT", "the column ends a byte early",
            column(id_, lambda c: c[:-1]))


def coded_as(column_bytes, *codings):
    """Column 4 with other codings of the last sample."""
    n = len(column_bytes) // len(codings)
    return b"".join(column_bytes[n * g:n * g + n - 1] + bytes([c])
                    for g, c in enumerate(codings))


def value_vectors():
    """Bad values in columns whose size is right."""
    first = lambda v: lambda c: v + c[len(v):]
    bad("coding-opaque-above", "CORRUPT", "the first sample is opaque in group 1 alone",
        column(w.CODING, first(b"\0")))
    bad("coding-unknown", "UNSUPPORTED", "the last sample has coding 9",
        column(w.CODING, lambda c: coded_as(c, 9, 9, 9)), "sample 1")
    bad("coding-changes", "UNSUPPORTED", "the last sample has coding 2 from group 2 on; its "
        "fidelity 1 is readable", column(w.CODING, lambda c: coded_as(c, 1, 2, 2)), "sample 2")
    bad("components-5", "CORRUPT", "five components", column(w.COMPONENTS, first(b"\5")))
    bad("orientation-0", "CORRUPT", "orientation 0", column(w.ORIENTATION, first(b"\0")))
    bad("orientation-9", "CORRUPT", "orientation 9", column(w.ORIENTATION, first(b"\x09")))
    bad("key-nul", "CORRUPT", "a NUL byte in a key",
        column(w.KEY, lambda c: c.replace(b"gray", b"gr\0y")))
    bad("key-length", "CORRUPT", "a key longer than the column",
        column(w.KEY, first(b"\x7f")))
    bad("key-length-overflow", "CORRUPT", "lengths of keys that overflow 64 bits",
        column(w.KEY, lambda c: w.varints([1 << 63, 1 << 63, 5]) + c))
    bad("varint-11-bytes", "CORRUPT", "a varint of 11 bytes",
        column(w.WIDTH, lambda c: b"\x90" + b"\x80" * 9 + b"\0" + c[1:]))
    bad("varint-65-bits", "CORRUPT", "a varint whose tenth byte exceeds 1",
        column(w.SOURCE_NBYTES, lambda c: b"\xff" * 9 + b"\2" + c[2:]))
    bad("labels-count", "CORRUPT", "more labels than the column has bytes",
        column(w.LABELS, first(b"\x70")))
    bad("labels-count-overflow", "CORRUPT", "counts of labels that overflow 64 bits",
        column(w.LABELS, lambda c: w.varints([(1 << 64) - 1, 2, 1]) + c[3:]))
    float_vectors()
    bad("items-count", "CORRUPT", "more items than the column has bytes",
        column(w.HEADER, first(b"\x70")))
    bad("item-string", "CORRUPT", "an item names a string above D",
        column(w.HEADER, lambda c: c[:3] + w.varint(2 * len(CODED.dictionary)) + c[4:]))
    bad("item-beyond-chunk", "CORRUPT", "an item takes more bytes than the chunk has",
        column(w.HEADER, lambda c: c.replace(w.varint(2 * len(EXIF) + 1),
                                             w.varint(2 * 1000 + 1))))
    bad("dictionary-count", "CORRUPT", "more strings than the column has bytes",
        column(w.DICTIONARY, first(b"\x7f")))
    bad("dictionary-count-overflow", "CORRUPT", "2^64 - 1 strings",
        column(w.DICTIONARY, lambda c: w.varint((1 << 64) - 1) + c[1:]))
    bad("piece-string-number", "CORRUPT", "a piece names a string above D",
        column(w.PIECE_STRING, first(w.varint(len(SHARED.dictionary) + 1)), SHARED))
    bad("piece-nbytes-more", "CORRUPT", "the chunks are larger than their group",
        column(w.PIECE_NBYTES, lambda c: bytes([c[0] + 1]) + c[1:]))
    bad("piece-nbytes-less", "CORRUPT", "the chunks are smaller than their group",
        column(w.PIECE_NBYTES, lambda c: bytes([c[0] - 1]) + c[1:]))
    bad("piece-nbytes-overflow", "CORRUPT", "sizes of pieces that overflow 64 bits",
        column(w.PIECE_NBYTES, lambda c: w.varint((1 << 64) - 1) + c[1:]))
    quality_vectors()
    opaque_vectors()


def residual_vectors():
    """Full fidelity of the last sample is wrong, the others are right."""
    def wrong(name, text, how):
        bad("residual-" + name, "CORRUPT", text, two_exact(how), "sample 4")

    def as_coded(*codings):
        return two_exact().changed(edit_columns=lambda columns: columns.update(
            {w.CODING: coded_as(columns[w.CODING], *codings)}))

    wrong("empty", "no bytes after the mark", lambda d, n: b"")
    wrong("rows-0", "strips of no rows", lambda d, n: residual(d, n, rows=0))
    wrong("rows-65536", "strips of 65,536 rows", lambda d, n: residual(d, n, rows=65536))
    wrong("long", "a byte too many", lambda d, n: residual(d, n, end=b"\0"))
    wrong("short", "it lacks its last byte", lambda d, n: residual(d, n)[:-1])
    wrong("tables-missing", "a context with a table that is not there",
          lambda d, n: residual(d, n, tables=lambda t: t[:9] + b"\1" + t[10:]))
    wrong("tables-none", "no tables", lambda d, n: residual(d, n, tables=lambda t: b"\0" + t[1:]))
    wrong("tables-sum", "frequencies that add up to 513",
          lambda d, n: residual(d, n, tables=lambda t: t[:-257] + b"\1" + t[-256:]))
    wrong("tables-escape", "a table without an escape",
          lambda d, n: residual(d, n, tables=lambda t: t[:-257] + w.varint(512) + bytes(255)))
    wrong("tables-long", "a byte after the tables",
          lambda d, n: residual(d, n, tables=lambda t: t + b"\0"))
    wrong("states", "states that do not end at 0",
          lambda d, n: residual(d, n, states=b"\1" + bytes(8)))
    wrong("symbols-short", "a strip without all its states",
          lambda d, n: residual(d, n, states=bytes(8)))
    wrong("symbols-long", "a strip with a byte of symbols too many",
          lambda d, n: residual(d, n, states=bytes(10)))
    unmarked = two_exact()
    unmarked.samples[-1].pieces[-1][0] = (None, unmarked.samples[-1].pieces[-1][0][1])
    bad("residual-unmarked", "CORRUPT", "coding 3, but the mark is missing", unmarked, "sample 4")
    bad("residual-uncoded", "CORRUPT", "the mark, but not coding 3", as_coded(1, 1, 1, 1),
        "sample 4")
    bad("residual-early", "UNSUPPORTED", "coding 3 in the last two groups; fidelity 2 is readable",
        as_coded(1, 1, 3, 3), "sample 3")
    bad("residual-alone", "UNSUPPORTED", "coding 3 in all groups", as_coded(3, 3, 3, 3), "sample 1")


def float_vectors():
    def floats(text, name, edit, **fields):
        bad("float-labels-" + name, "CORRUPT", text,
            column(w.FLOAT_LABELS, edit, FLOATS).changed(**fields))
    floats("a label that is a NaN", "nan", lambda c: c[:-8] + struct.pack("<d", float("nan")))
    floats("an infinite label", "infinite", lambda c: c[:-8] + struct.pack("<d", -1e999))
    floats("more float labels than the column has bytes for", "count",
           lambda c: c[:2] + w.varint(6) + c[3:])
    floats("counts of float labels that overflow 64 bits", "count-overflow",
           lambda c: w.varints([0, (1 << 64) - 1, 7]) + c[3:])
    floats("the column has a byte more than it needs", "long", lambda c: c + b"\0")
    floats("the column ends a byte early", "short", lambda c: c[:-1])
    both = FLOATS.changed(samples=FLOATS.samples[:1] + [w.opaque(
        b"both", b"2", [1], labels=(1,), float_labels=(1.0,))])
    bad("float-labels-and-labels", "CORRUPT", "a sample with integer and float labels", both)


def quality_vectors():
    for name, text, edit in (
            ("short", "the column ends a byte early", lambda c: c[:-1]),
            ("long", "the column has a byte more than it needs", lambda c: c + b"\0")):
        bad("quality-" + name, "CORRUPT", text, column(w.QUALITY, edit, QUALITY))


def opaque_vectors():
    d = [b"\xff\xd8", b"string"]
    def opaque_with(items=(), string=None, late=b""):
        s = w.opaque(b"k", b"bytes", [1, 1])
        s.items = list(items)
        s.pieces[0] = [(string, b"bytes")]
        s.pieces[1] = [(None, late)]
        return w.Record([s], [1, 1], dictionary=list(d))
    bad("opaque-item", "CORRUPT", "an opaque sample with a header item", opaque_with([0]))
    bad("opaque-own-item", "CORRUPT", "an opaque sample with metadata of its own",
        opaque_with([b"m"]))
    bad("opaque-string", "CORRUPT", "an opaque sample with a dictionary string",
        opaque_with(string=1))
    bad("opaque-late", "CORRUPT", "an opaque sample with bytes in group 2",
        opaque_with(late=b"more"))


def tail_vectors():
    tail = CODED.changed(tail=[SKIPPED])
    bad("tail-checksum", "CORRUPT", "the tail differs from its checksum",
        fields(tail, tail_check=1), "tail")
    bad("tail-zstd", "CORRUPT", "the tail is no zstd frame",
        tail.changed(edit_fields=lambda h: h.update(tail_check=w.xxh3(b"\1" * h["tail"])),
                     edit_file=lambda f: f[:-struct.unpack_from("<Q", f, 56)[0]]
                     + b"\1" * struct.unpack_from("<Q", f, 56)[0]), "tail")
    bad("tail-raw-size", "CORRUPT", "tail_raw_nbytes is not what the frame holds",
        fields(tail, tail_raw=3), "tail")
    bad("tail-column-required", "UNSUPPORTED", "an unknown column with the required flag",
        CODED.changed(tail=[SKIPPED, (88, 1, b"")]), "tail")
    for name, text, *texts in (
            ("json", "a note that is no JSON object", b"[]"),
            ("index", "a note on a sample that is not there", b'{"index":3,"key":"x"}'),
            ("no-index", "a note on no sample", b'{"key":"x","undecodable":"WebP"}'),
            ("text", "a note whose text is none", b'{"index":0,"key":"x","undecodable":1}'),
            ("nbytes", "a note on 0 dropped bytes",
             b'{"dropped":"MP4","dropped_nbytes":0,"index":0,"key":"x"}')):
        bad("tail-notes-" + name, "CORRUPT", text, CODED.changed(tail=[notes(*texts)]), "tail")
    bad("tail-notes-short", "CORRUPT", "a list of more notes than there are",
        CODED.changed(tail=[(3, 0, w.varint(5) + w.strings([b"{}"]))]), "tail")
    restore, files = ORIGINALS.tail
    for name, text, column in (
            ("restore-short", "programs end a byte early", (2, 0, restore[2][:-1])),
            ("restore-long", "a byte after the programs", (2, 0, restore[2] + b"\0")),
            ("files-known", "a file of which more is known than can be", (4, 0, b"\4\0\0")),
            ("files-mode", "a mode above 0777", files_column([(0o1000, None, None)] * 3)),
            ("files-time", "a time of 10^9 nanoseconds", files_column([(None, 0, 10**9)] * 3)),
            ("files-time-overflow", "a time that does not fit 64 bits",
             files_column([(None, 9223372036, 854775808)] * 3)),
            ("files-short", "times end a byte early", (4, 0, files[2][:-1])),
            ("files-long", "a byte after the times", (4, 0, files[2] + b"\0"))):
        bad("tail-" + name, "CORRUPT", text, CODED.changed(tail=[column]), "tail")
    bad("tail-absent-size", "CORRUPT", "a tail of no bytes with a size when decompressed",
        fields(CODED, tail_raw=5))


def all_vectors():
    if not VECTORS:
        for make in (good_vectors, header_vectors, head_vectors, value_vectors,
                     residual_vectors, tail_vectors):
            make()
    names = [v.name for v in VECTORS]
    assert len(set(names)) == len(names), "names must differ"
    return VECTORS
