# SPDX-License-Identifier: BSD-2-Clause
"""Makes ICC profiles for the tests: of two primaries and gammas, gray, and CMYK by a table."""

import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
#: Columns of colorants that are wider than sRGB's (Adobe RGB's), adapted to D50.
WIDE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def _fixed(value):
    return struct.pack(">i", round(value * 65536))


def _xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _gamma(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def _name(text):
    data = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(data)) + data + bytes(78)


def profile(space, tags, kind=b"mntr", pcs=b"XYZ "):
    """A profile of version 2 with these tags; all have a name and a white point."""
    tags = {b"desc": _name("made"), b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(D50), **tags}
    table, data = struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        value += bytes(-len(value) % 4)
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(value))
        data += value
    head = (struct.pack(">I4sI4s4s4s", 132 + 12 * len(tags) + len(data), b"none", 0x02100000,
                        kind, space, pcs)
            + struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + bytes(24) + bytes(4)
            + b"".join(map(_fixed, D50)) + bytes(48))
    return head[:128] + table + data


def rgb(gamma=2.2, columns=WIDE, more=0, seed=0):
    """Colorants and a gamma; `more` random bytes in a tag that nothing looks at."""
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns)}
    tags.update({name: _gamma(gamma) for name in (b"rTRC", b"gTRC", b"bTRC")})
    if more:
        tags[b"priv"] = b"data\0\0\0\0" + np.random.default_rng(seed).bytes(more)
    return profile(b"RGB ", tags)


def gray(gamma):
    return profile(b"GRAY", {b"kTRC": _gamma(gamma)})


def cmyk():
    """Inks that are darker and warmer than their names, as a table of 4 steps each."""
    steps = np.linspace(0, 1, 4)
    c, m, y, k = np.meshgrid(steps, steps, steps, steps, indexing="ij")
    light = 1 - k
    lab = np.stack([100 * light * (1 - 0.35 * c - 0.3 * m - 0.06 * y),
                    60 * light * (m - 0.6 * c), 60 * light * (y - 0.6 * c - 0.1 * m)], -1)
    table = (lab / (100, 255, 255) * 255 + (0, 128, 128)).round().clip(0, 255).astype(np.uint8)
    ramp = bytes(range(256))
    lut = (b"mft1\0\0\0\0" + bytes([4, 3, 4, 0])
           + b"".join(map(_fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1))) + ramp * 4 + table.tobytes()
           + ramp * 3)
    return profile(b"CMYK", {b"A2B0": lut}, b"prtr", b"Lab ")
