#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Coding 2 to coefficients in plain Python, written from docs/FORMAT.md section 10: the
specification by example. What there is to call is Decoder(...).decode(...)."""

from collections import namedtuple

STATES, LOG, PLANES, MAX_DC = 512, 9, 10, 2047
T, B, M, DC = range(4)  # families
CONTEXTS = (12 * 1372, 12 * 5376, 10 * 42, 3 * 100)  # 10.4
SYMBOLS = (256, 256, 16, 16)
ESCAPES = (0xAA, 0, 0, 15)
Q7, Q10, QE = (0, 1, 2, 4, 7, 12), (0, 1, 3, 6, 11, 20), (0, 2, 4, 8, 14, 20)

Component = namedtuple("Component", "h v kind")  # sampling; 0 luma, 1 Cb, 2 Cr
Frame = namedtuple("Frame", "width height components")
Line = namedtuple("Line", "group classes ss se ah al")  # group from 0; kinds that it names
Pass = namedtuple("Pass", "component ss se first al level kind")
Corrupt = type("Corrupt", (Exception,), {})


def need(condition, message):
    if not condition:
        raise Corrupt(message)


def varint(data, at):
    value = shift = 0
    while True:
        need(at < len(data), "a number that is not whole")
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def exceeds(value, thresholds):
    return sum(value > t for t in thresholds)


class Bits:
    """Numbers from each byte's least significant bit on (10.2)."""

    def __init__(self, data):
        self.bits, self.at, self.nbits = int.from_bytes(data, "little"), 0, 8 * len(data)

    def take(self, n):
        need(self.at + n <= self.nbits, "bits end too early")
        self.at += n
        return self.bits >> self.at - n & (1 << n) - 1

    def finished(self):
        return (self.at + 7) // 8 == self.nbits // 8


class Tables:
    """Of their bytes (10.6), not compressed."""

    def __init__(self, data):
        counts, at, self.maps, self.entries = data[:4], 4, [], [[], [], [], []]
        need(len(data) >= 4 + sum(CONTEXTS) and sum(counts) <= 255, "tables")
        for count, contexts in zip(counts, CONTEXTS):
            self.maps.append(data[at : at + contexts])
            need(max(self.maps[-1]) < count, "a table that is not there")
            at += contexts
        for family in (i for i in range(4) for _ in range(counts[i])):
            frequencies = [0] * SYMBOLS[family]
            for symbol in range(SYMBOLS[family]):
                frequencies[symbol], at = varint(data, at)
            need(sum(frequencies) == STATES and frequencies[ESCAPES[family]], "a table")
            self.entries[family].append(self.states(frequencies))
        need(at == len(data), "bytes after the tables")

    @staticmethod
    def states(frequencies):
        """(symbol, bits, base) of each (10.2)."""
        symbols, x, entries = [0] * STATES, list(frequencies), []
        in_order = (symbol for symbol, f in enumerate(frequencies) for _ in range(f))
        for i, symbol in enumerate(in_order):
            symbols[i * (STATES // 2 + STATES // 8 + 3) % STATES] = symbol
        for symbol in symbols:
            nbits = LOG + 1 - x[symbol].bit_length()
            entries.append((symbol, nbits, (x[symbol] << nbits) - STATES))
            x[symbol] += 1
        return entries


class Stream:
    """A group's symbols and plain bits in one segment."""

    def __init__(self, tables, symbols, plain, state_count):
        self.tables, self.symbols, self.plain = tables, Bits(symbols), Bits(plain)
        self.states = [self.symbols.take(LOG) for _ in range(state_count)]

    def call(self, wanted):
        """The symbols of a list of (family, context)."""
        found = []
        for i, (family, context) in enumerate(wanted):
            lane = i % len(self.states)
            table = self.tables.entries[family][self.tables.maps[family][context]]
            symbol, nbits, base = table[self.states[lane]]
            self.states[lane] = base + self.symbols.take(nbits)
            found.append(symbol)
        return [self.plain.take(8) if symbol == ESCAPES[family] else symbol
                for symbol, (family, _) in zip(found, wanted)]

    def finished(self):
        return not any(self.states) and self.symbols.finished() and self.plain.finished()


def steps_of(frame, lines):
    """Groups of steps of passes (10.1)."""
    groups = [[] for _ in range(1 + max(line.group for line in lines))]
    for line in lines:
        steps = groups[line.group]
        passes = [
            Pass(i, line.ss, line.se, not line.ah, line.al, level,
                 level if line.ah else 10 + chroma)
            for i, c in enumerate(frame.components) if c.kind in line.classes
            for chroma in [c.kind > 0] for level in [min(line.al, 4) + 5 * chroma]]
        named = {p.component for p in steps[-1]} if steps else set()
        if passes and (not steps or named & {p.component for p in passes}):
            steps.append(passes)
        elif passes:
            steps[-1].extend(passes)
    return groups


class Row:
    def __init__(self, width):
        self.dc, self.residuals = [0] * width, [0] * width
        self.value = [[0] * 64 for _ in range(width)]  # magnitudes, but for DC
        self.negative = [[False] * 64 for _ in range(width)]
        self.order = []  # block and number of each coefficient, as they were found

    def counts(self):
        """Of each block how many coefficients are known, by bytes."""
        return [[8 - b[8 * j : 8 * j + 8].count(0) for j in range(8)] for b in self.value]


class Decoder:
    def __init__(self, frame, lines, tables):
        self.frame, self.tables, self.groups = frame, tables, steps_of(frame, lines)
        self.max_h, self.max_v = (max(c[i] for c in frame.components) for i in range(2))
        passes = [p for steps in self.groups for step in steps for p in step]
        self.part_of = []  # of each component's coefficients (10.1)
        for i in range(len(frame.components)):
            cuts = {k for p in passes if p.component == i for k in (p.ss, p.se + 1)}
            self.part_of.append([sum(cut <= k for cut in cuts) for k in range(64)])

    def size(self, i):
        c, up = self.frame.components[i], lambda a, b: -(-a // b)
        return (up(up(self.frame.width * c.h, self.max_h), 8),
                up(up(self.frame.height * c.v, self.max_v), 8))

    def components_of(self, batch):
        """Those that have a block row in a batch (10.1)."""
        mcu_row, slot = divmod(batch, self.max_v)
        for i, c in enumerate(self.frame.components):
            late = self.max_v // 2 if i == 2 else 0
            if any((r * self.max_v + late) // c.v == slot and
                   mcu_row * c.v + r < self.size(i)[1] for r in range(c.v)):
                yield i

    @staticmethod
    def split(chunk, segments):
        """The symbols and plain bits of each segment (10.2)."""
        sizes, at, parts = [0] * (2 * segments - 1), 0, []
        for i in range(len(sizes)):
            sizes[i], at = varint(chunk, at)
        for size in sizes:
            need(at + size <= len(chunk), "segments are longer than the chunk")
            parts.append(chunk[at : at + size])
            at += size
        parts.append(chunk[at:])
        return list(zip(parts[::2], parts[1::2]))

    def decode(self, params, chunks):
        """Of each component its blocks, row by row, as lists of 64. params: bytes (10.2)."""
        restart, end = varint(params, 9)
        need(end == len(params) and restart < 65536 and params[8] <= 4, "parameters")
        batches = -(-self.frame.height // (8 * self.max_v)) * self.max_v
        every = restart * self.max_v or batches
        used = [g for g in range(len(chunks)) if self.groups[g]]
        parts = {g: self.split(chunks[g], -(-batches // every)) for g in used}
        need(all(chunks[g] == b"\0" for g in range(len(chunks)) if g not in used), "bytes")
        planes, streams, above = [[] for _ in self.frame.components], {}, {}
        for batch in range(batches):
            if batch % every == 0:
                need(all(s.finished() for s in streams.values()), "a segment's end")
                streams = {g: Stream(self.tables, *parts[g][batch // every], 1 << params[8])
                           for g in used}
                above = {}
            rows = {i: Row(self.size(i)[0]) for i in self.components_of(batch)}
            for g in used:
                for number, passes in enumerate(self.groups[g]):
                    here = [p for p in passes if p.component in rows]
                    if here and not here[0].se:
                        self.step_dc(streams[g], here, rows, above)
                    elif here:
                        self.step_ac(streams[g], here, rows, above, (g, number))
            for i, row in rows.items():
                planes[i] += [[dc] + [-v if n else v for v, n in zip(value[1:], negative[1:])]
                              for dc, value, negative in zip(row.dc, row.value, row.negative)]
        need(all(s.finished() for s in streams.values()), "the end")
        return planes

    def step_dc(self, stream, passes, rows, above):
        wanted = []
        for p in passes:
            begin, up = 100 * self.frame.components[p.component].kind, above.get(p.component)
            for x in range(len(rows[p.component].dc)):
                e = g = 9
                if up:
                    a, left, right = up.dc[x], up.dc[max(x - 1, 0)], up.dc[x : x + 2][-1]
                    e = min(sum(up.residuals[x : x + 2]).bit_length(), 9)
                    g = min((abs(a - left) + abs(a - right)).bit_length(), 9)
                wanted.append((DC, begin + 10 * e + g))
        lengths = iter(stream.call(wanted))
        for p in passes:
            row, up = rows[p.component], above.get(p.component)
            for x in range(len(row.dc)):
                d = next(lengths)
                need(d <= 12, "a difference of DC")
                size = stream.plain.take(d - 1) | 1 << d - 1 if d else 0
                guess = left = row.dc[x - 1] if x else 0
                if up:
                    a = up.dc[x]
                    guess = sorted((a, left, left + a - up.dc[x - 1]))[1] if x else a
                row.dc[x] = guess + (-size if d and stream.plain.take(1) else size)
                row.residuals[x] = size
                need(abs(row.dc[x]) <= MAX_DC, "DC")
            above[p.component] = row

    def step_ac(self, stream, passes, rows, above, key):
        shape, wanted, zeros = {}, [], [0] * 8
        for p in passes:
            own = rows[p.component].counts()
            up, gain = above.get((key, p.component), ([zeros] * len(own), zeros * len(own)))
            side = [zeros] + (up if p.first else own) + [zeros]
            near = [[2 * u + l + r for u, l, r in zip(*bytes_of)]
                    for bytes_of in zip(up, side, side[2:])]
            shape[p] = own, near
            for x, counts in enumerate(own):
                low, high = sum(counts[:2]), sum(counts[2:])
                v = 0 if not high else 1 if 2 * high < low else 2 if high < 2 * low else 3
                context = (exceeds(gain[x], Q7) * 4 + v) * 7 + exceeds(low + high, Q10)
                context = context * 7 + exceeds(sum(near[x]) // 4, Q10)
                wanted.append((T, p.kind * 1372 + context))
        symbols = iter(stream.call(wanted))
        named = {p: [next(symbols) for _ in shape[p][0]] for p in passes}
        found = self.find(stream, passes, rows, shape, named)
        lengths = iter(stream.call([
            (M, p.level * 42 + 6 * exceeds(sum(x == y for y, _ in found[p]), Q7)
             + exceeds(k, (2, 3, 6, 10, 20))) for p in passes if p.first for x, k in found[p]]))
        for p in passes:
            row, m = rows[p.component], [next(lengths) if p.first else 1 for _ in found[p]]
            self.plain(stream.plain.take, p, self.part_of[p.component], row, found[p], m)
            gain = [sum(x == y for y, _ in found[p]) for x in range(len(row.dc))]
            above[key, p.component] = row.counts(), gain

    def find(self, stream, passes, rows, shape, named):
        """New coefficients of each pass (10.3, 2)."""
        wanted, places, found = [], [], {p: [] for p in passes}
        for p in passes:
            own, near = shape[p]
            for x, t in enumerate(named[p]):
                more = (0, 0, 1, 2, 2, 3, 3, 3, 3)[bin(t).count("1")]
                for j in (j for j in range(8) if t >> j & 1):
                    s, d = own[x][j], sum(own[x][i] for i in (j - 1, j + 1) if 0 <= i < 8)
                    context = 0 if d <= 2 * s else 1 if d < 2 * s + 3 else 2
                    context = ((context * 7 + exceeds(near[x][j], QE)) * 4 + more) * 64
                    context += p.kind * 5376 + (8 * s + j) % 64
                    wanted.append((B, context))
                    places.append((p, x, j))
        for (p, x, j), b in zip(places, stream.call(wanted)):
            free = [k for k in range(8 * j, 8 * j + 8)
                    if p.ss <= k <= p.se and not rows[p.component].value[x][k]]
            found[p] += [(x, k) for i, k in enumerate(free) if b >> i & 1]
        return {p: sorted(new, key=lambda place: self.part_of[p.component][place[1]])
                for p, new in found.items()}

    @staticmethod
    def plain(take, p, part_of, row, found, lengths):
        """Plain bits of one pass (10.3, 4)."""
        known = [(x, k) for x, k in row.order if p.ss <= k <= p.se]
        for (x, k), m in zip(found, lengths):
            need(1 <= m <= PLANES - p.al, "a magnitude")
            row.value[x][k] = (take(m - 1) | 1 << m - 1) << p.al
        for x, k in found:
            row.negative[x][k] = bool(take(1))
        for x, k in sorted(known, key=lambda place: part_of[place[1]]):
            row.value[x][k] |= take(1) << p.al
        row.order += found
