#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A reader of PCR datasets in plain Python, written from docs/FORMAT.md: the specification
by example. Needs the packages zstandard and xxhash.

Samples of coding 2 take pcr_packed_file.py and pcr_packed.py beside it, source files of coded
samples pcr_restore.py; exact pictures at full fidelity (coding 3) pcr_residual.py and
pcr_packed.py, and Pillow for the pixels of their JPEG.

    python3 pcr_reader.py PATH list                 a line for each sample
    python3 pcr_reader.py PATH cat INDEX FIDELITY   one sample at a fidelity, to stdout
    python3 pcr_reader.py PATH original INDEX       its source file, byte for byte, to stdout
    python3 pcr_reader.py PATH verify               check every checksum

PATH is a dataset's folder or one record file. Numbers of sections are FORMAT.md's.
"""
import io
import json
import math
import os
import re
import struct
import sys
import zlib

import zstandard
from xxhash import xxh3_64_intdigest as xxh3

try:
    import pcr_packed_file
except ImportError:
    pcr_packed_file = None  # packed samples are refused
try:
    import pcr_restore
except ImportError:
    pcr_restore = None  # and so are source files of coded ones

try:
    import pcr_residual
    from PIL import Image
except ImportError:
    pcr_residual = None  # so are exact pictures at full fidelity

MAX_SAMPLES, MAX_HEAD, MAX_SAMPLE = 1 << 20, 256 << 20, 1 << 30  # section 9
COLUMNS = (" key labels attributes coding width height components sampling orientation script"
           " ladder dictionary header piece_string piece_nbytes check source_nbytes"
           " float_labels quality blobs").split(" ")


class PcrError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def need(condition, code, message):
    if not condition:
        raise PcrError(code, message)


class Cursor:
    """Reads a column from front to back (section 2)."""

    def __init__(self, data, name):
        self.data, self.at, self.name = data, 0, name

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        need(count <= self.left(), "CORRUPT", f"{self.name} ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self, below=1 << 64):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                need(value < below, "CORRUPT", f"{self.name}: {value} is too large")
                return value
        raise PcrError("CORRUPT", f"{self.name}: a varint of more than 10 bytes")

    def varints(self, count, below=1 << 64):
        return [self.varint(below) for _ in range(count)]

    def strings(self, count):
        return [self.take(length) for length in self.varints(count)]


def unpack(stored, raw_nbytes, check, name):
    """Checks and decompresses a head or tail."""
    need(raw_nbytes <= MAX_HEAD, "LIMIT", f"a {name} of {raw_nbytes} bytes")
    need(xxh3(stored) == check, "CORRUPT", f"the {name}'s checksum is wrong")
    frame = zstandard.ZstdDecompressor(max_window_size=MAX_HEAD).decompressobj()
    try:
        need(zstandard.frame_content_size(stored) == raw_nbytes, "CORRUPT", f"{name}: size")
        raw = frame.decompress(stored)
    except zstandard.ZstdError as error:
        raise PcrError("CORRUPT", f"{name}: {error}") from error
    need(frame.eof and not frame.unused_data, "CORRUPT", f"the {name} is not one frame")
    return raw


def columns(raw, names, stored_nbytes):
    """The table of columns (3.2): a dictionary of cursors by name."""
    table, found = Cursor(raw, "column table"), {}
    count, = struct.unpack("<I", table.take(4))
    kept = 4 + 16 * count
    for ident, flags, _, nbytes in [struct.unpack("<HHIQ", table.take(16))
                                    for _ in range(count)]:
        name = names[ident] if 1 <= ident < len(names) else ident
        need(name not in found, "CORRUPT", f"column {name} stands twice")
        need(name != ident or not flags & 1, "UNSUPPORTED", f"column {name} is not known")
        found[name] = Cursor(table.take(nbytes), name)
        kept += nbytes if name != ident else 0
    need(not table.left(), "CORRUPT", "bytes after the last column")
    need(kept <= max(1 << 20, 512 * stored_nbytes + 511), "LIMIT", "they expand too far")
    return found


class Record:
    """One record file (section 3). Groups are numbered from 1, samples from 0."""

    def __init__(self, path):
        self.path, self.file = path, open(path, "rb")
        self.nbytes = os.fstat(self.file.fileno()).st_size
        self._header()
        stored = self.read(self.ends[0] - self.head_nbytes, self.ends[0])
        self._head(unpack(stored, self.head_raw, self.head_check, "head"))
        self._lay_out()

    def read(self, begin, end):
        self.file.seek(begin)
        data = self.file.read(end - begin)
        need(len(data) == end - begin, "TRUNCATED", "the file ends too early")
        return data

    def _header(self):
        fixed = self.read(0, min(self.nbytes, 96 + 24 * 32))
        need(fixed[:8] == b"\x89PCR\r\n\x1a\n", "FORMAT", "not a PCR record")
        need(len(fixed) >= 28, "TRUNCATED", "no whole header")
        major, _, required, _, self.count, self.groups, zero = struct.unpack(
            "<HHIIIHH", fixed[8:28])
        need(major == 1, "UNSUPPORTED", f"format version {major}")
        need(1 <= self.groups <= 32, "CORRUPT", f"{self.groups} groups")
        size = 96 + 24 * self.groups
        need(len(fixed) >= size, "TRUNCATED", "no whole header")
        self.check, = struct.unpack("<Q", fixed[size - 8:size])
        need(xxh3(fixed[:size - 8]) == self.check, "CORRUPT", "the header's checksum is wrong")
        need(not required, "UNSUPPORTED", f"required flags {required:#x}")
        (zero2, self.head_nbytes, self.head_raw, self.head_check, self.tail_nbytes,
         self.tail_raw, self.tail_check, self.blobs_nbytes) = struct.unpack("<I7Q", fixed[28:88])
        table = list(struct.iter_unpack("<QQHHI", fixed[88:size - 8]))
        zeroes = [zero, zero2, *(row[3] | row[4] for row in table)]
        need(not any(zeroes), "UNSUPPORTED", "a reserved field is not 0")
        self.ends = [size + self.head_nbytes] + [row[0] for row in table]  # end(0)..end(G)
        _, self.group_checks, self.piece_counts, _, _ = zip(*table)
        total = self.ends[-1] + self.blobs_nbytes + self.tail_nbytes
        need(self.count and self.head_nbytes and self.ends == sorted(self.ends) and
             total < 1 << 64 and all(1 <= n <= 64 for n in self.piece_counts) and
             (self.tail_nbytes or not self.tail_raw | self.tail_check), "CORRUPT", "numbers")
        need(self.count <= MAX_SAMPLES and self.head_nbytes <= MAX_HEAD, "LIMIT", "too large")
        need(total <= self.nbytes, "TRUNCATED", "the file is shorter than the record")
        need(total == self.nbytes, "CORRUPT", "bytes after the record")

    def _head(self, raw):
        cols, n = columns(raw, COLUMNS, self.head_nbytes), self.count
        self.types = {}

        def get(name, parse, absent=None):
            need(name in cols or absent is not None, "CORRUPT", f"column {name} is missing")
            value = parse(cols[name]) if name in cols else absent
            need(name not in cols or not cols[name].left(), "CORRUPT", f"{name} is too long")
            return value

        def words(cursor):
            return struct.unpack(f"<{n}I", cursor.take(4 * n))

        def lists(cursor):
            return [cursor.varints(k) for k in cursor.varints(n)]

        def doubles(cursor):
            return [struct.unpack(f"<{k}d", cursor.take(8 * k)) for k in cursor.varints(n)]

        def numbers(cursor):
            return cursor.varints(n, 1 << 32)

        self.key = get("key", lambda c: c.strings(n))
        self.labels = [[v >> 1 ^ -(v & 1) for v in r] for r in get("labels", lists, [[]] * n)]
        floats = get("float_labels", doubles, [()] * n)
        need(not any(a and b for a, b in zip(self.labels, floats)), "CORRUPT", "two labels")
        need(all(math.isfinite(v) for row in floats for v in row), "CORRUPT", "not finite")
        self.labels = [list(b) or a for a, b in zip(self.labels, floats)]
        self.attributes = get("attributes", self._attributes, [{} for _ in range(n)])
        self.coding = get("coding", lambda c: [c.take(n) for _ in range(self.groups)])
        self.width, self.height = get("width", numbers), get("height", numbers)
        self.components = get("components", lambda c: c.take(n))
        self.sampling = get("sampling", words, [0] * n)
        self.orientation = get("orientation", lambda c: c.take(n), b"\1" * n)
        self.script = get("script", lambda c: c.take(n), b"\0" * n)
        self.ladder = get("ladder", lambda c: c.take(c.left()), b"")
        self.strings = [b""] + get("dictionary", lambda c: c.strings(c.varint()), [])
        self.items = get("header", lists, [[]] * n)
        rows = range(sum(self.piece_counts))
        self.piece_nbytes = get("piece_nbytes", lambda c: [numbers(c) for _ in rows])
        self.piece_string = get("piece_string", lambda c: [numbers(c) for _ in rows],
                                [[0] * n] * len(rows))
        self.checks = get("check", lambda c: [words(c) for _ in range(self.groups)])
        self.source_nbytes = get("source_nbytes", lambda c: c.varints(n), [0] * n)
        need("blobs" in cols or not self.blobs_nbytes, "CORRUPT", "no column blobs")
        self.blobs = get("blobs", self._blobs, [{} for _ in range(n)])
        self.quality = get("quality", self._quality, [[]] * n)
        texts = b"".join([*self.key, self.ladder])
        need(b"\0" not in texts, "CORRUPT", "a NUL byte in a text")
        used = [v // 2 + 1 for row in self.items for v in row if not v & 1]
        need(max(used + [max(row) for row in self.piece_string]) < len(self.strings),
             "CORRUPT", "a string that is not there")
        need(all((a == 0) == (b == 0) for row in self.coding for a, b in zip(row, self.coding[0])),
             "CORRUPT", "opaque in some groups")
        need(max(self.components) < 5, "CORRUPT", "components")
        need(set(self.orientation) <= set(range(1, 9)), "CORRUPT", "an orientation")

    def _attributes(self, cursor):
        """By sample, a dictionary (3.7). The types are kept in self.types."""
        count = cursor.varint(1001)
        names, types = cursor.strings(count), cursor.strings(count)
        sizes, rows = cursor.varints(count), [{} for _ in range(self.count)]
        need(all(a < b for a, b in zip(names, names[1:])) and b"\0" not in b"".join(names),
             "CORRUPT", "names of attributes")
        self.types = {name.decode(): text.decode() for name, text in zip(names, types)}
        for (name, text), size in zip(self.types.items(), sizes):
            self._attribute(name, text, Cursor(cursor.take(size), name), rows)
        return rows

    def _attribute(self, name, text, cursor, rows):
        shape = re.fullmatch(r"(?:(bool|int64|float64|string)(?:\[([1-9]\d*|)\]"
                             r"(?:\[([1-9]\d*)\])?)?|json)", text)
        need(shape, "CORRUPT", f"the type {text}")
        element, length, width = shape.group(1) or "json", shape.group(2), shape.group(3)
        states = cursor.take(self.count)
        need(max(states) < 3, "CORRUPT", f"states of {name}")
        samples = [i for i, state in enumerate(states) if state == 1]
        items = cursor.varints(len(samples)) if length == "" else [int(length or 1)] * len(samples)
        values = iter(self._elements(element, sum(items) * int(width or 1), cursor))
        need(not cursor.left(), "CORRUPT", f"{name} is too long")
        for i, count in zip(samples, items):
            value = [[next(values) for _ in range(int(width))] if width else next(values)
                     for _ in range(count)]
            rows[i][name] = value if length is not None else value[0]
        for i, state in enumerate(states):
            if state == 2:
                rows[i][name] = None

    @staticmethod
    def _elements(element, count, cursor):
        need(count <= cursor.left() or not count, "CORRUPT", f"{cursor.name} ends too early")
        if element == "bool":
            values = cursor.take(count)
            need(not values.strip(b"\0\1"), "CORRUPT", "a boolean")
            return map(bool, values)
        if element in ("string", "json"):
            texts = [text.decode() for text in cursor.strings(count)]
            need("\0" not in "".join(texts), "CORRUPT", "a NUL byte in a text")
            return texts if element == "string" else map(json.loads, texts)
        decimals = cursor.take(1)[0] if element == "float64" else 0
        if decimals == 255:
            planes = [cursor.take(count) for _ in range(8)]
            values = [struct.unpack("<d", bytes(row))[0] for row in zip(*planes)]
            need(all(map(math.isfinite, values)), "CORRUPT", "a number that is not finite")
            return values
        need(decimals < 10, "CORRUPT", "decimals")
        whole = [v >> 1 ^ -(v & 1) for v in cursor.varints(count)]
        need(element == "int64" or all(abs(v) <= 1 << 53 for v in whole), "CORRUPT", "above 2^53")
        return [v / 10**decimals for v in whole] if element == "float64" else whole

    def _blobs(self, cursor):
        """By sample, {name: (begin in the file, end, Check32)} (3.9)."""
        names = cursor.strings(cursor.varint(1001))
        need(all(a < b for a, b in zip(names, names[1:])) and all(names), "CORRUPT", "names")
        sizes, at, rows = [cursor.varints(self.count) for _ in names], self.ends[-1], []
        for i in range(self.count):
            rows.append({})
            for name, row in zip(names, sizes):
                if row[i]:
                    check, = struct.unpack("<I", cursor.take(4))
                    rows[i][name.decode()] = at, at + row[i] - 1, check
                    at += row[i] - 1
        need(at == self.ends[-1] + self.blobs_nbytes, "CORRUPT", "sizes of blobs")
        return rows

    def blob(self, i, name):
        """Sample i's blob of a name, read and verified."""
        begin, end, check = self.blobs[i][name]
        data = self.read(begin, end)
        need(xxh3(data) & 0xFFFFFFFF == check, "CORRUPT", f"sample {i}: blob {name} is damaged")
        return data

    def _quality(self, cursor):
        """By sample, prefix and scale (3.6), in quarters of a decibel."""
        rows, cells = [], 7 * (self.groups - 1)
        for k in range(cells):
            before = rows[k - (1 if k % 7 else 7)] if k else bytes(self.count)
            rows.append(bytes((a + b) & 255 for a, b in zip(cursor.take(self.count), before)))
        return [[list(row[k:k + 7]) for k in range(0, cells, 7)] for row in zip(*rows)]

    def pieces_of(self, g):
        return range(sum(self.piece_counts[:g - 1]), sum(self.piece_counts[:g]))

    def _lay_out(self):
        """The begin of each chunk (3.3): begin[g - 1][i], and at [g - 1][N] the end."""
        self.begin = []
        for g in range(1, self.groups + 1):
            at, row = self.ends[g - 1], []
            for i in range(self.count):
                row.append(at)
                at += sum(v >> 1 for v in self.items[i] if v & 1 and g == self.groups)
                at += sum(self.piece_nbytes[p][i] for p in self.pieces_of(g))
            need(at == self.ends[g], "CORRUPT", f"group {g} is not the sum of its chunks")
            self.begin.append(row + [at])
        for i in range(self.count):  # the rest of 3.2's and 3.4's rules
            used = [v // 2 + 1 for v in self.items[i] if not v & 1]
            used += [row[i] for row in self.piece_string]
            sizes = [row[i + 1] - row[i] for row in self.begin]
            need(self.coding[0][i] or not (self.items[i] or any(used) or any(sizes[1:])), "CORRUPT",
                 f"opaque sample {i} has more than its bytes in group 1")
            total = sum(sizes) + sum(len(self.strings[u]) for u in used) + 2
            need(total <= MAX_SAMPLE, "LIMIT", f"sample {i} is too large")

    def read_group(self, g, i=None):
        """Group g whole, or the chunk of sample i in it: read and verified."""
        if i is None:
            data = self.read(self.ends[g - 1], self.ends[g])
            need(xxh3(data) == self.group_checks[g - 1], "CORRUPT", f"group {g} is damaged")
        else:
            data = self.read(self.begin[g - 1][i], self.begin[g - 1][i + 1])
            need(xxh3(data) & 0xFFFFFFFF == self.checks[g - 1][i], "CORRUPT",
                 f"sample {i} is damaged in group {g}")
        return data

    def materialise(self, i, fidelity):
        """Sample i as a file (3.4), from at most `fidelity` reads; 0 means full."""
        fidelity = fidelity or self.groups
        need(fidelity <= self.groups, "INVAL", f"there are {self.groups} fidelities")
        coding = self.coding[0][i]
        if fidelity == self.groups and self.is_exact(i):
            return self._png(*self.exact(i))
        need(coding <= 2 and all(row[i] == coding for row in self.coding[:fidelity]), "UNSUPPORTED",
             "an unknown coding")
        chunks = [Cursor(self.read_group(g, i), "chunk") for g in range(1, fidelity + 1)]
        if coding == 0:
            return chunks[0].data
        used = [self.piece_string[p][i] for g in range(fidelity) for p in self.pieces_of(g + 1)]
        need(not pcr_residual or pcr_residual.MARK not in [self.strings[u] for u in used],
             "CORRUPT", f"sample {i}: a residual that its coding lacks")
        out = [chunks[-1].take(v >> 1) if v & 1 else self.strings[v // 2 + 1]
               for v in self.items[i] if not v & 1 or fidelity == self.groups]
        if coding == 2:
            return self._packed(i, b"".join(out), chunks)
        for g in range(1, fidelity + 1):
            for p in self.pieces_of(g):
                out += [self.strings[self.piece_string[p][i]],
                        chunks[g - 1].take(self.piece_nbytes[p][i])]
        return b"".join(out) + b"\xff\xd9"

    def is_exact(self, i):
        """Whether full fidelity is a JPEG and its residual (3.2)."""
        codings = [row[i] for row in self.coding]
        return codings[0] in (1, 2) and len(set(codings[:-1])) == 1 and codings[-1] == 3

    def exact(self, i):
        """Packed pixels of an exact picture, width, height, channels (section 11)."""
        need(pcr_residual, "UNSUPPORTED", f"sample {i} has a residual (coding 3): it takes "
             "pcr_residual.py and pcr_packed.py beside this file, and Pillow")
        jpeg = self.materialise(i, self.groups - 1)
        chunk = Cursor(self.read_group(self.groups, i), "chunk")
        chunk.take(sum(v >> 1 for v in self.items[i] if v & 1))
        first, *others = self.pieces_of(self.groups)
        need(self.strings[self.piece_string[first][i]] == pcr_residual.MARK and
             not any(self.piece_nbytes[p][i] or self.piece_string[p][i] for p in others),
             "CORRUPT", f"sample {i} lacks its residual")
        residual = chunk.take(self.piece_nbytes[first][i])
        picture = Image.open(io.BytesIO(jpeg))
        channels = len(picture.getbands())
        need(picture.mode in ("L", "RGB"), "CORRUPT", f"a residual of {channels} components")
        try:
            return pcr_residual.exact(residual, picture.tobytes(), *picture.size,
                                      channels), *picture.size, channels
        except pcr_residual.Corrupt as error:
            raise PcrError("CORRUPT", f"sample {i}: {error}") from error

    @staticmethod
    def _png(pixels, width, height, channels):
        def chunk(kind, data):
            return (struct.pack(">I", len(data)) + kind + data +
                    struct.pack(">I", zlib.crc32(kind + data)))

        rows = [b"\0" + pixels[y * width * channels:(y + 1) * width * channels]
                for y in range(height)]
        head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
        return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
                chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b""))

    def _packed(self, i, header, chunks):
        """A JPEG file of the same coefficients as the one that it stands for (10.7)."""
        need(pcr_packed_file, "UNSUPPORTED", f"sample {i} is packed (coding 2): decoding it takes "
             "pcr_packed_file.py and pcr_packed.py beside this file")
        header += self.strings[self.piece_string[0][i]]
        try:
            return pcr_packed_file.jpeg(header, [c.take(c.left()) for c in chunks])
        except pcr_packed_file.Corrupt as error:
            raise PcrError("CORRUPT", f"sample {i}: {error}") from error
        except pcr_packed_file.Unsupported as error:
            raise PcrError("UNSUPPORTED", f"sample {i}: {error}") from error

    def header(self, i):
        """SOI and the header items of sample i (3.8), without those of 10.7."""
        own = self.read_group(self.groups, i)
        out, at = [], 0
        for v in self.items[i]:
            item = own[at:at + (v >> 1)] if v & 1 else self.strings[v // 2 + 1]
            at += v >> 1 if v & 1 else 0
            if item[:2] == b"\xff\xd8" and item[2:4] == b"\xff\xef" and item[6:9] == b"PCR":
                item = item[:2] + item[4 + int.from_bytes(item[4:6], "big"):]
            out += [] if item[:2] == b"\xff\xef" and item[4:7] == b"PCR" else [item]
        return b"".join(out)

    def original(self, i):
        """The source file of sample i (3.8), or None: it was not kept."""
        if self.coding[0][i] == 0:
            return self.materialise(i, 0)
        column = self._tail("restore")
        if not column:
            return None
        check = struct.unpack("<I", column.take(4 * self.count)[4 * i:4 * i + 4])[0]
        programs = column.strings(self.count)
        need(not column.left(), "CORRUPT", "what restores files is too long")
        if not programs[i]:
            return None
        need(pcr_restore, "UNSUPPORTED", "restoring a source file takes pcr_restore.py beside "
             "this file")
        try:
            data = pcr_restore.restore(self.header(i), self.materialise(i, 0),
                                       Cursor(programs[i], "program"))
        except pcr_restore.Corrupt as error:
            raise PcrError("CORRUPT", f"sample {i}: {error}") from error
        need(len(data) == self.source_nbytes[i] and xxh3(data) & 0xFFFFFFFF == check, "CORRUPT",
             f"sample {i}: its source file is not restored to what it was")
        return data

    def file_infos(self):
        """By sample, mode and time in ns of the source file (3.8); None: not known."""
        column = self._tail("files")
        if not column:
            return [(None, None)] * self.count
        known = column.take(self.count)
        need(max(known) < 4, "CORRUPT", "what is known of files")
        modes = iter(column.varints(sum(k & 1 for k in known), 0o777 + 1))
        times, last = [], 0
        for _ in range(sum(k >> 1 for k in known)):
            step = column.varint()
            last += step >> 1 ^ -(step & 1)
            times.append(last * 10**9)
        rests = [struct.unpack("<I", column.take(4))[0] for _ in times]
        need(all(-1 << 63 <= t and t + r < 1 << 63 and r < 10**9 for t, r in zip(times, rests))
             and not column.left(), "CORRUPT", "times of files")
        times = iter([t + r for t, r in zip(times, rests)])
        return [(next(modes) if k & 1 else None, next(times) if k & 2 else None) for k in known]

    def skipped(self):
        """The inputs that were left out (3.5): JSON texts from the tail."""
        column = self._tail("skipped")
        return column.strings(column.varint()) if column else []

    def notes(self):
        """What was noted of samples (3.5): JSON objects from the tail."""
        column = self._tail("notes")
        try:
            found = [json.loads(text) for text in
                     (column.strings(column.varint()) if column else [])]
        except ValueError as error:
            raise PcrError("CORRUPT", f"a note: {error}") from error
        for note in found:
            need(isinstance(note, dict) and note.get("index") in range(self.count) and
                 all(isinstance(note.get(name, ""), str)
                     for name in ("undecodable", "salvaged", "encoded"))
                 and note.get("dropped_nbytes", 1) >= 1, "CORRUPT", f"a note {note}")
        return found

    def _tail(self, name):
        """A column of the tail; None where there is none."""
        if not self.tail_nbytes:
            return None
        stored = self.read(self.ends[-1] + self.blobs_nbytes, self.nbytes)
        cols = columns(unpack(stored, self.tail_raw, self.tail_check, "tail"),
                       ["", "skipped", "restore", "notes", "files"], self.tail_nbytes)
        return cols.get(name)

    def verify(self):
        for g in range(1, self.groups + 1):
            for i in [None, *range(self.count)]:
                self.read_group(g, i)
        for i, row in enumerate(self.blobs):
            for name in row:
                self.blob(i, name)
        return self.skipped(), self.notes(), self.file_infos()


class Dataset:
    """A folder with manifest.json (section 6), or one record file."""

    def __init__(self, path):
        if not os.path.isdir(path):
            self.records, self.paths, self.counts = None, [path], [Record(path).count]
            return
        text = open(os.path.join(path, "manifest.json"), "rb").read()
        start = b'{"_xxh3":"'
        need(text[:10] == start[:len(text)], "FORMAT", "not a manifest")
        need(len(text) >= 28, "TRUNCATED", "the manifest ends too early")
        need(text[10:28] == b'%016x",' % xxh3(text[28:]), "CORRUPT",
             "the manifest's checksum is wrong")
        manifest = json.loads(text)
        need(manifest["format"] == "pcr", "FORMAT", "not a PCR manifest")
        need(manifest["version"][0] == 1 and not manifest["required"], "UNSUPPORTED", "newer")
        self.records, files = manifest["records"], manifest["records"]["file"]
        self.floats = manifest["schema"]["label"] == "floats"
        self.types = manifest["schema"]["attributes"]
        need(not any({"", ".", ".."} & set(name.split("/")) for name in files), "CORRUPT",
             "a file name that leaves the folder")
        self.paths = [os.path.join(path, name) for name in files]
        self.counts = self.records["sample_count"]

    def record(self, number):
        record = Record(self.paths[number])
        found = dict(sample_count=record.count, nbytes=record.nbytes, ends=record.ends[1:],
                     head_end=record.ends[0], check=f"{record.check:016x}")
        need(not self.records or all(self.records[name][number] == value
                                     for name, value in found.items()), "CORRUPT",
             f"{record.path} is not what the manifest describes")
        kind = int if self.records and self.floats else float if self.records else None
        need(not kind or not any(isinstance(v, kind) for row in record.labels for v in row),
             "CORRUPT", f"{record.path} has labels of another kind than the manifest says")
        need(not self.records or record.types.items() <= self.types.items(), "CORRUPT",
             f"{record.path} has attributes of other types than the manifest says")
        return record


def main(path, command, index="-1", fidelity="0"):
    dataset, index = Dataset(path), int(index)
    for number, count in enumerate(dataset.counts):
        if command == "verify":
            dataset.record(number).verify()
        elif command == "list":
            record = dataset.record(number)
            for i in range(count):
                print(record.key[i], f"{record.width[i]}x{record.height[i]}",
                      record.labels[i], record.attributes[i], record.quality[i])
        elif 0 <= index < count and command == "original":
            data = dataset.record(number).original(index)
            need(data is not None, "UNSUPPORTED", "its source file was not kept")
            sys.stdout.buffer.write(data)
        elif 0 <= index < count:
            sys.stdout.buffer.write(dataset.record(number).materialise(index, int(fidelity)))
        index -= count
    need(command not in ("cat", "original") or index < 0, "INVAL", "there is no such sample")


if __name__ == "__main__":
    if (sys.argv[2:3], len(sys.argv)) not in [(["list"], 3), (["verify"], 3), (["cat"], 5),
                                              (["original"], 4)]:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (PcrError, OSError, KeyError, ValueError) as problem:
        sys.exit(str(problem))
