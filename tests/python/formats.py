# SPDX-License-Identifier: BSD-2-Clause
"""Makes files of foreign formats, from descriptions of the formats, for the tests."""

import base64
import gzip
import struct

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


# --- seeds of fuzzing ---


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
