#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The residual of an exact picture in plain Python, written from docs/FORMAT.md section 11: the
specification by example. What there is to call is exact(...). Needs pcr_packed.py beside it."""
import struct

import zstandard

from pcr_packed import STATES, Bits, Corrupt, Tables, need, varint

CONTEXTS, LANES, ESCAPE, MAX_TABLES = 720, 8, 255, 1 << 18
MARK = b"\xff\xef\x00\x06PCR\x03"
SIZES, ACTIVE = (1, 2, 4, 8, 16, 32, 64), (3, 8, 16, 32, 64)
CURVED = ((-11, -2, 3, 12), (-6, -1, 2, 7), (-6, -1, 2, 7))  # by channel


def reached(value, thresholds):
    return sum(value >= t for t in thresholds)


def tables_of(stored, channels):
    """Of each channel its maps and its tables' states (11.3)."""
    need(len(stored) >= 4, "tables")
    nbytes, = struct.unpack("<I", stored[:4])
    need(nbytes <= MAX_TABLES, "tables are too large")
    try:
        frame = zstandard.ZstdDecompressor().decompressobj()
        data = frame.decompress(stored[4:])
    except zstandard.ZstdError as error:
        raise Corrupt(f"tables: {error}") from error
    need(frame.eof and not frame.unused_data and len(data) == nbytes, "tables are not one frame")
    counts, at = data[:channels], channels * (1 + CONTEXTS)
    need(len(data) >= at and sum(counts) <= 255, "tables")
    maps = [data[channels + k * CONTEXTS:channels + (k + 1) * CONTEXTS] for k in range(channels)]
    need(all(max(m) < n for m, n in zip(maps, counts)), "a table that is not there")
    found = []
    for count in counts:
        found.append([])
        for _ in range(count):
            frequencies = [0] * 256
            for symbol in range(256):
                frequencies[symbol], at = varint(data, at)
            need(sum(frequencies) == STATES and frequencies[ESCAPE], "a table")
            found[-1].append(Tables.states(frequencies))
    need(at == len(data), "bytes after the tables")
    return list(zip(maps, found))


def channels_of(row, channels):
    """A row of packed pixels as green, red - green, blue - green; or gray (11.1)."""
    if channels == 1:
        return [list(row)]
    red, green, blue = row[::3], row[1::3], row[2::3]
    return [list(green), [r - g for r, g in zip(red, green)],
            [b - g for b, g in zip(blue, green)]]


def context(k, x, jpeg, above, now):
    """11.2. jpeg: P of the rows above, at hand and below; above: D of the two rows above; now: D of
    the channel before in this row."""
    up, here, down = jpeg
    at, left, right = here[x], here[max(x - 1, 0)], here[min(x + 1, len(here) - 1)]
    near, far = above
    size = (2 * abs(near[x]) + (abs(near[x - 1]) if x else 0) +
            (abs(near[x + 1]) if x + 1 < len(near) else 0) + abs(far[x]))
    a = (reached(abs(right - at) + abs(left - at) + 2 * abs(up[x] - at), ACTIVE) if k == 0
         else min(max(now[x], -2), 2) + 2)
    sign = (near[x] > 0) - (near[x] < 0) + 1
    curve = reached(4 * at - up[x] - down[x] - left - right, CURVED[k])
    return ((reached(size, SIZES) * 6 + a) * 3 + sign) * 5 + curve


def strip(rows, width, tables, symbols, plain):
    """The exact rows of a strip of the JPEG's, as packed pixels."""
    bits, taken, out = Bits(symbols), 0, []
    states = [bits.take(9) for _ in range(LANES)]
    channels, count = len(tables), len(rows)
    split = [channels_of(row, channels) for row in rows]
    above = [[[0] * width] * 2 for _ in range(channels)]  # of each channel
    for y in range(count):
        found = []
        for k, (contexts, entries) in enumerate(tables):
            jpeg = [split[max(y - 1, 0)][k], split[y][k], split[min(y + 1, count - 1)][k]]
            wanted = [contexts[context(k, x, jpeg, above[k], found[-1] if k else None)]
                      for x in range(width)]
            row = []
            for x, table in enumerate(wanted):
                symbol, nbits, base = entries[table][states[x % LANES]]
                states[x % LANES] = base + bits.take(nbits)
                row.append(symbol)
            for x, symbol in enumerate(row):
                if symbol == ESCAPE:
                    need(taken < len(plain), "plain bytes end too early")
                    row[x], taken = plain[taken], taken + 1
            found.append([s >> 1 ^ -(s & 1) for s in row])
            above[k] = [found[-1], above[k][0]]
        exact_row = bytearray(len(rows[y]))
        for x in range(width):
            green = split[y][0][x] + found[0][x]
            for k in range(channels):
                value = green + (split[y][k][x] + found[k][x] if k else 0)
                exact_row[x * channels + (1, 0, 2)[k] if channels == 3 else x] = value & 255
        out.append(bytes(exact_row))
    need(not any(states) and bits.finished() and taken == len(plain), "a strip's end")
    return out


def exact(residual, pixels, width, height, channels):
    """The exact picture's packed pixels, from those of its JPEG."""
    rows, at = varint(residual, 0)
    nbytes, at = varint(residual, at)
    need(1 <= rows <= 65535 and at + nbytes <= len(residual), "incomplete")
    stored = residual[at:at + nbytes]
    at += nbytes
    sizes = []
    for _ in range(2 * -(-height // rows)):
        size, at = varint(residual, at)
        sizes.append(size)
    need(at + sum(sizes) == len(residual), "strips of another size than the residual")
    tables = tables_of(stored, channels)
    stride, out = width * channels, []
    lines = [pixels[stride * y:stride * (y + 1)] for y in range(height)]
    for i in range(0, len(sizes), 2):
        parts = []
        for size in sizes[i:i + 2]:
            parts.append(residual[at:at + size])
            at += size
        out += strip(lines[i // 2 * rows:(i // 2 + 1) * rows], width, tables, *parts)
    return b"".join(out)
