# SPDX-License-Identifier: BSD-2-Clause
"""Makes files of foreign formats, from descriptions of the formats, for the tests."""

import base64
import gzip
import json
import struct
import tempfile
from pathlib import Path

#: An 8 x 8 gray JPEG, as small as there are.
TINY = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////"
    "////////////////////////////////////wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/E"
    "ABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z")

# --- TFRecord, protocol buffers ---


def crc(data):
    """CRC-32C, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def masked(data):
    value = crc(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def tfrecord(data):
    """A record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def feature(values, packed=True):
    values = values if isinstance(values, list) else [values]
    if values and isinstance(values[0], (bytes, str)):
        return field(1, b"".join(field(1, v.encode() if isinstance(v, str) else v)
                                 for v in values))
    if values and isinstance(values[0], float):
        items = [struct.pack("<f", v) for v in values]
        return field(2, field(1, b"".join(items)) if packed else
                     b"".join(b"\x0d" + v for v in items))
    items = [varint(v) for v in values]
    return field(3, field(1, b"".join(items)) if packed else
                 b"".join(b"\x08" + v for v in items))


def example(features, packed=True):
    return field(1, b"".join(field(1, field(1, name.encode()) + field(2, feature(v, packed)))
                             for name, v in features.items()))


# --- shards with an index.json: MosaicML Streaming, LitData ---


def shard(samples, fixed=(), config=b""):
    """A shard's bytes of samples, which are lists of bytes. fixed: which of their columns have no
    sizes. config: what MDS puts behind the places."""
    body = []
    for sample in samples:
        sizes = [len(data) for i, data in enumerate(sample) if i not in fixed]
        body.append(struct.pack(f"<{len(sizes)}I", *sizes) + b"".join(sample))
    places = [8 + 4 * len(body) + len(config)]
    for data in body:
        places.append(places[-1] + len(data))
    return struct.pack(f"<{len(body) + 2}I", len(body), *places) + config + b"".join(body)


#: encoding: (fixed size or None, how a value is encoded), as MDS and LitData have them.
ENCODINGS = {
    "jpeg": (None, bytes), "png": (None, bytes), "bytes": (None, bytes), "pkl": (None, bytes),
    "pil": (None, bytes), "str": (None, str.encode), "int": (8, struct.Struct("<q").pack),
    "int8": (1, struct.Struct("<b").pack), "uint8": (1, struct.Struct("<B").pack),
    "int16": (2, struct.Struct("<h").pack), "uint64": (8, struct.Struct("<Q").pack),
    "float32": (4, struct.Struct("<f").pack), "float64": (8, struct.Struct("<d").pack),
    "float": (8, struct.Struct("<d").pack), "bool": (1, struct.Struct("?").pack),
    "str_int": (None, lambda v: str(v).encode()), "str_float": (None, lambda v: str(v).encode()),
    "json": (None, lambda v: json.dumps(v).encode()),
}


def mds(folder, columns, samples, per_shard=2, pack=None, compression=None, hashes=None,
        keep_raw=False):
    """A folder as MDSWriter makes it. columns: {name: encoding}; samples: dictionaries.
    hashes(bytes) is what the index says of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(columns)
    kinds = [columns[name] for name in names]
    sizes = [ENCODINGS[kind][0] for kind in kinds]
    fixed = [i for i, size in enumerate(sizes) if size is not None]
    shards = []
    for begin in range(0, len(samples), per_shard):
        part = samples[begin:begin + per_shard]
        head = {"column_encodings": kinds, "column_names": names, "column_sizes": sizes,
                "compression": compression, "format": "mds", "hashes": [], "size_limit": 1 << 26,
                "version": 2}
        data = shard([[ENCODINGS[kind][1](sample[name]) for name, kind in zip(names, kinds)]
                      for sample in part], fixed, json.dumps(head, sort_keys=True).encode())
        name = f"shard.{len(shards):05}.mds"

        def info(file, text):
            (folder / file).write_bytes(text)
            return {"basename": file, "bytes": len(text), "hashes": hashes(text) if hashes else {}}

        shards.append({**head, "samples": len(part), "raw_data": info(name, data),
                       "zip_data": info(name + ".zstd", pack(data)) if pack else None})
        if pack and not keep_raw:
            (folder / name).unlink()
    (folder / "index.json").write_text(json.dumps({"shards": shards, "version": 2},
                                                  sort_keys=True))
    return folder


def litdata(folder, formats, samples, names=None, pack=None, **config):
    """A folder as LitData's optimize() makes it, of one chunk. names: of the leaves, for
    dictionaries."""
    folder.mkdir(parents=True, exist_ok=True)
    data = shard([[ENCODINGS.get(kind, (0, bytes))[1](value)
                   for kind, value in zip(formats, sample)] for sample in samples])
    file = "chunk-0-0.zstd.bin" if pack else "chunk-0-0.bin"
    (folder / file).write_bytes(pack(data) if pack else data)
    leaf = {"type": None, "context": None, "children_spec": []}
    spec = [1, {"type": "builtins.dict" if names else "builtins.tuple",
                "context": json.dumps(names), "children_spec": [leaf] * len(formats)}]
    (folder / "index.json").write_text(json.dumps({
        "chunks": [{"chunk_bytes": len(data), "chunk_size": len(samples), "dim": None,
                    "filename": file}],
        "config": {"compression": None, "data_format": formats, "data_spec": json.dumps(spec),
                   "encryption": None, "item_loader": "PyTreeLoader", **config}}))
    return folder


# --- records of the paper's software ---


def scans(data):
    """A JPEG file cut behind each scan. The first part has all that comes before it."""
    cuts, at = [0], 2
    while at < len(data) - 2:
        marker, size = data[at + 1], struct.unpack(">H", data[at + 2:at + 4])[0]
        at += 2 + size
        if marker == 0xDA:
            while not (data[at] == 0xFF and data[at + 1] not in (0, *range(0xD0, 0xD8))):
                at += 1
            cuts.append(at)
    return [data[a:b] for a, b in zip(cuts, cuts[1:])]


def pcr_release(images, labels, packed=True, version=1):
    """PCR_<i>.pcr: metadata, then a group for each scan."""
    parts = [scans(data) for data in images]
    levels = max(map(len, parts))
    head = (field(1, b"".join(map(varint, labels))) if packed else
            b"".join(b"\x08" + varint(label) for label in labels))
    head += b"\x10" + varint(levels) + (b"\x18" + varint(version) if version else b"")
    for i in range(levels):
        head += b"".join(field(1, one[i] if i < len(one) else b"") for one in parts)
    return head


# --- FFCV ---

#: type: (number, how a row's part is packed, its alignment)
BETON = {"float": (0, "<d", 8), "int": (1, "<q", 8), "image": (2, "<BHHQ", 1),
         "bytes": (3, "<QQ", 1), "array": (4, "<Q", 8), "json": (5, "<QQ", 1)}


def beton(fields, samples, page=1 << 21, mode=0):
    """A .beton file. fields: {name: type}."""
    row, rows, offsets, align = 0, [], [], 1
    for kind in fields.values():
        _, form, a = BETON[kind]
        offsets.append(-row % a + row)
        row, align = offsets[-1] + struct.calcsize(form), max(align, a)
    row += -row % align
    head = 24 + 1041 * len(fields)
    first = head + row * len(samples)
    first += -first % page
    data, table = b"", []
    for number, sample in enumerate(samples):
        text = bytearray(row)
        for (name, kind), offset in zip(fields.items(), offsets):
            value, form = sample[name], BETON[kind][1]
            if kind in ("float", "int"):
                struct.pack_into(form, text, offset, value)
                continue
            blob = json.dumps(value).encode() + b"\0" if kind == "json" else value
            place = first + len(data)
            table.append(struct.pack("<3Q", number, place, len(blob)))
            data += blob
            struct.pack_into(form, text, offset, *{
                "image": (mode, 8, 8, place), "array": (place,)}.get(kind, (place, len(blob))))
        rows.append(bytes(text))
    data += bytes(-len(data) % page)
    described = b"".join(struct.pack("<B16s1024x", BETON[kind][0], name.encode())
                         for name, kind in fields.items())
    out = struct.pack("<HHIQQ", 2, len(fields), page, len(samples), first + len(data)) + described
    out += b"".join(rows)
    return out + bytes(first - len(out)) + data + b"".join(table)


# --- LMDB ---


def lmdb(entries, page=4096):
    """data.mdb of {key: value}: a leaf, or a branch of leaves, and large values in pages of their
    own."""
    pages = [b"", b""]

    def put(flags, nodes):
        body, places, at = b"", [], page
        for node in nodes:
            node += bytes(len(node) % 2)
            at -= len(node)
            places.append(at)
            body = node + body
        head = struct.pack("<QHHHH", len(pages), 0, flags, 16 + 2 * len(places), at)
        head += struct.pack(f"<{len(places)}H", *places)
        pages.append(head + bytes(page - len(head) - len(body)) + body)
        return len(pages) - 1

    def node(low, high, flags, key, data=b""):
        return struct.pack("<HHHH", low, high, flags, len(key)) + key + data

    leaves, nodes, used = [], [], 16
    for key, value in sorted(entries.items()):
        low, high = len(value) & 0xFFFF, len(value) >> 16
        if len(value) > page // 4:
            first, count = len(pages), -(-(16 + len(value)) // page)
            data = struct.pack("<QHHI", first, 0, 4, count) + value
            data += bytes(count * page - len(data))
            pages += [data[i:i + page] for i in range(0, len(data), page)]
            one = node(low, high, 1, key, struct.pack("<Q", first))
        else:
            one = node(low, high, 0, key, value)
        if nodes and used + len(one) + 3 > page:
            leaves.append((nodes[0][8:8 + struct.unpack("<H", nodes[0][6:8])[0]], put(2, nodes)))
            nodes, used = [], 16
        nodes.append(one)
        used += len(one) + 3
    leaves.append((b"", put(2, nodes)))
    root = leaves[0][1] if len(leaves) == 1 else put(1, [
        node(leaf & 0xFFFF, leaf >> 16, 0, key if i else b"") for i, (key, leaf)
        in enumerate(leaves)])
    none = (1 << 64) - 1
    for i in range(2):
        meta = struct.pack("<QHHI", i, 0, 8, 0) + struct.pack("<IIQQ", 0xBEEFC0DE, 1, 0, 1 << 30)
        meta += struct.pack("<IHHQQQQQ", page, 0, 0, 0, 0, 0, 0, none)
        meta += struct.pack("<IHHQQQQQ", 0, 0, 1, 0, 1, 0, len(entries), root if i else none)
        pages[i] = (meta + struct.pack("<QQ", len(pages) - 1, i)).ljust(page, b"\0")
    return b"".join(pages)


def datum(data, label, encoded=True):
    """Caffe's Datum."""
    return (b"\x08\x03\x10\x08\x18\x08" + field(4, data) + b"\x28" + varint(label)
            + (b"\x38\x01" if encoded else b""))


# --- seeds of fuzzing ---


def _files(*parts):
    """Files of a seed: all but the last with their sizes."""
    return b"".join(struct.pack("<H", len(part)) + part for part in parts[:-1]) + parts[-1]


def _folder(where, *names):
    return _files(*((where / name).read_bytes() for name in names))


def seeds():
    """(kind, bytes) for the fuzz target `records`."""
    message = example({"image/encoded": TINY, "label": 3, "image/filename": "a.jpg",
                       "box": [0.5, 1.5], "text": ["a", "b"], "raw": b"\0\xff"})
    loose = example({"image": TINY, "label": "cat", "n": [1, -2]}, packed=False)
    yield 0, tfrecord(message) + tfrecord(loose)
    yield 0, gzip.compress(tfrecord(message) + tfrecord(TINY), mtime=0)
    yield 1, message
    yield 1, loose
    yield 1, message + field(2, b"")
    with tempfile.TemporaryDirectory() as top:
        where = mds(Path(top) / "mds", {"image": "jpeg", "label": "int", "box": "json",
                                        "id": "str_int", "w": "float32"},
                    [{"image": TINY, "label": i, "box": [1, i], "id": 9, "w": .5} for i in (0, 1)])
        yield 2, _folder(where, "index.json", "shard.00000.mds")
        where = litdata(Path(top) / "lit", ["jpeg", "int", "str", "bool"],
                        [[TINY, 3, "a", True], [TINY, 4, "b", False]],
                        ["image", "label", "key", "odd"])
        yield 3, _folder(where, "index.json", "chunk-0-0.bin")
        small = beton({"image": "image", "label": "int", "meta": "json", "w": "float"},
                      [{"image": TINY, "label": i, "meta": {"a": i}, "w": .5} for i in (0, 1)],
                      page=64)
        yield 4, small
        yield 5, pcr_release([TINY, TINY], [3, -1])
        yield 5, pcr_release([TINY], [7], packed=False)
        yield 9, lmdb({b"a": TINY, b"b": datum(TINY, 3), b"image-1": TINY, b"label-1": b"x"}, 512)
        yield 9, lmdb({b"%d" % i: TINY for i in range(9)}, 512)
