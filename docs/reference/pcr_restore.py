#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Source files restored from samples, written from docs/FORMAT.md 3.8. Nothing here is fast."""
from collections import Counter, defaultdict

MOST_RUN, MOST_BITS = 0x7FFF, 937  # of blocks, and of correction bits before a run ends
SOF = (0xC0, 0xC1, 0xC2)

# ISO/IEC 10918-1 K.3: 16 counts and the values; DC luma, DC chroma, AC luma, AC chroma.
STANDARD = [bytes.fromhex(text) for text in (
    "00010501010101010100000000000000000102030405060708090a0b",
    "00030101010101010101010000000000000102030405060708090a0b",
    "0002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552"
    "d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465"
    "666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8"
    "b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
    "00020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c1092333"
    "52f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a6364"
    "65666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6"
    "b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa")]


class Corrupt(Exception):
    pass


def need(condition, message):
    if not condition:
        raise Corrupt(message)


def words_of(table):
    """(symbol, code as text) of 16 counts and the values."""
    code, at = 0, 16
    for length in range(1, 17):
        for symbol in table[at:at + table[length - 1]]:
            yield symbol, f"{code:0{length}b}"
            code += 1
        at += table[length - 1]
        code <<= 1


def optimal(counts):
    """jpeg_gen_optimal_table(): 16 counts and the values."""
    trees = {symbol: [count, [symbol]] for symbol, count in {**counts, 256: 1}.items()}
    sizes = Counter()
    while len(trees) > 1:
        (_, first), (_, second) = sorted((tree[0], -symbol) for symbol, tree in trees.items())[:2]
        joined = trees.pop(-second)
        trees[-first][0] += joined[0]
        trees[-first][1] += joined[1]
        sizes.update(trees[-first][1])
    bits = [0] * 258
    for size in sizes.values():
        bits[size] += 1
    for i in range(257, 16, -1):
        while bits[i]:
            j = max(k for k in range(1, i - 1) if bits[k])
            bits[i] -= 2
            bits[i - 1] += 1
            bits[j + 1] += 2
            bits[j] -= 1
    if counts:
        bits[max(k for k in range(17) if bits[k])] -= 1
    values = sorted((size, symbol) for symbol, size in sizes.items() if symbol < 256)
    return bytes(bits[1:17]) + bytes(symbol for _, symbol in values)


def segments(data):
    """(marker, payload, where the next begins) of each, up to the data of a scan."""
    at = 0
    while at < len(data):
        while at < len(data) and not (data[at] == 0xFF and data[at + 1:at + 2] > b"\0" and
                                      data[at + 1] != 0xFF):
            at += 1  # fill bytes, and stray ones
        if at >= len(data):
            return
        marker, nbytes = data[at + 1], 0
        if not (marker == 1 or 0xD0 <= marker <= 0xD9):
            nbytes = max(2, int.from_bytes(data[at + 2:at + 4], "big"))
        yield marker, data[at + 4:at + 2 + nbytes], at + 2 + nbytes
        at += 2 + nbytes


class Picture:
    """What segments say of scans: the frame, tables, the restart interval, the last SOS."""

    def __init__(self):
        self.frame = None
        self.tables, self.interval, self.sos = {}, 0, None

    def read(self, data):
        """Reads segments; the scan's data follows the last one."""
        self.sos = None
        for marker, body, end in segments(data):
            if marker in SOF:
                height, width = (int.from_bytes(body[i:i + 2], "big") for i in (1, 3))
                rows = [body[i:i + 3] for i in range(6, 6 + 3 * body[5], 3)]
                self.frame = (marker == 0xC2, width, height,
                              [(r[0], r[1] >> 4, r[1] & 15) for r in rows])
            elif marker == 0xDD:
                self.interval = int.from_bytes(body[:2], "big")
            elif marker == 0xC4:
                while body:
                    nbytes = 17 + sum(body[1:17])
                    self.tables[body[0] >> 4, body[0] & 15] = body[1:nbytes]
                    body = body[nbytes:]
            elif marker == 0xDA:
                self.sos = body, end
                return

    def scan(self):
        """Component numbers with their tables, and Ss, Se, Ah, Al."""
        body, n, found = self.sos[0], self.sos[0][0], []
        for i in range(n):
            number = next((k for k in range(found[-1][0] + 1 if found else 0, len(self.frame[3]))
                           if self.frame[3][k][0] == body[1 + 2 * i]), None)
            need(number is not None, "a scan of no component")
            found.append((number, body[2 + 2 * i] >> 4, body[2 + 2 * i] & 15))
        return found, body[1 + 2 * n], body[2 + 2 * n], body[3 + 2 * n] >> 4, body[3 + 2 * n] & 15

    def size(self, number):
        """Blocks of a component across and down, without padding."""
        _, width, height, components = self.frame
        sizes = []
        for i, pixels in ((1, width), (2, height)):
            most = max(c[i] for c in components)
            sizes.append(-(-(-(-pixels * components[number][i] // most)) // 8))
        return sizes

    def mcus(self, numbers):
        """(component, x, y) of the blocks of each MCU of a scan."""
        if len(numbers) == 1:
            across, down = self.size(numbers[0])
            return [[(numbers[0], x, y)] for y in range(down) for x in range(across)]
        _, width, height, components = self.frame
        across = -(-width // (8 * max(c[1] for c in components)))
        down = -(-height // (8 * max(c[2] for c in components)))
        return [[(n, mx * components[n][1] + x, my * components[n][2] + y) for n in numbers
                 for y in range(components[n][2]) for x in range(components[n][1])]
                for my in range(down) for mx in range(across)]

    def table(self, klass, slot):
        if (klass, slot) not in self.tables and not self.frame[0] and slot < 2:
            return STANDARD[2 * klass + slot]
        return self.tables.get((klass, slot), bytes(16))


# --- decoding: a sample's JPEG file to its coefficients ---

class Bits:
    def __init__(self, data):
        data = data.replace(b"\xff\0", b"\xff")
        self.text, self.at = f"{int.from_bytes(b'1' + data, 'big'):b}"[6:], 0

    def take(self, count):
        self.at += count
        return int("0" + self.text[self.at - count:self.at], 2)

    def symbol(self, codes):
        for length in range(1, 17):
            found = codes.get(self.text[self.at:self.at + length])
            if found is not None:
                self.at += length
                return found
        raise Corrupt("no such code")

    def value(self, size):
        v = self.take(size)
        return v if not size or v >> (size - 1) else v - (1 << size) + 1


def coefficients(jpeg):
    """(Picture, blocks by component and place) of a file as samples materialise."""
    picture, blocks, at = Picture(), None, 0
    while True:
        picture.read(jpeg[at:])
        if not picture.sos:
            return picture, blocks
        if blocks is None:
            blocks = [{(x, y): [0] * 64 for y in range(picture.size(n)[1])
                       for x in range(picture.size(n)[0])} for n in range(len(picture.frame[3]))]
        begin = end = at + picture.sos[1]
        while jpeg[end] != 0xFF or jpeg[end + 1] == 0:
            end += 1
        decode_scan(picture, blocks, Bits(jpeg[begin:end]))
        at = end


def decode_scan(picture, blocks, bits):
    found, ss, se, ah, al = picture.scan()
    codes = {(k, n): {text: symbol for symbol, text in words_of(picture.table(k, t[k]))}
             for n, *t in found for k in (0, 1)}
    last, run = Counter(), 0
    for mcu in picture.mcus([n for n, *_ in found]):
        for n, x, y in mcu:
            block = blocks[n].get((x, y), [0] * 64)
            if not ss and ah:
                block[0] |= bits.take(1) << al
            elif not ss:
                last[n] += bits.value(bits.symbol(codes[0, n]))
                block[0] = last[n] << al
            if se and run:
                run -= 1
                if ah:
                    refine(block, bits, ss, se, 64, al)
            elif se:
                run = (refine_block if ah else first_block)(
                    block, bits, codes[1, n], max(ss, 1), se, al)


def first_block(block, bits, codes, k, se, al):
    """Returns how many more blocks are without."""
    while k <= se:
        run, size = divmod(bits.symbol(codes), 16)
        if not size and run < 15:
            return (1 << run) + bits.take(run) - 1
        k += run
        if size:
            block[k] = bits.value(size) * (1 << al)
        k += 1
    return 0


def refine(block, bits, k, se, zeros, al):
    """Corrects coefficients up to the one after so many zeros, if there is one; returns where."""
    for k in range(k, se + 1):
        if block[k]:
            block[k] += (bits.take(1) << al) * (1 if block[k] > 0 else -1)
        elif not zeros:
            return k
        else:
            zeros -= 1
    return se + 1


def refine_block(block, bits, codes, k, se, al):
    while k <= se:
        run, size = divmod(bits.symbol(codes), 16)
        if not size and run < 15:
            run = (1 << run) + bits.take(run) - 1
            refine(block, bits, k, se, 64, al)
            return run
        sign = 1 if size and bits.take(1) else -1
        k = refine(block, bits, k, se, run, al)
        if size:
            block[k] = sign << al
        k += 1
    return 0


# --- coding: symbols of scans, each with its plain bits ---

def extra(v, size):
    return f"{v if v > 0 else v + (1 << size) - 1:0{size}b}" if size else ""


class Coder:
    """A scan as a list: ((class, slot) or None, symbol, plain bits), or None for a marker."""

    def __init__(self, picture, blocks, padding, single_runs):
        self.found, self.ss, self.se, self.ah, self.al = picture.scan()
        self.slots = {n: t for n, *t in self.found}
        self.items, self.run, self.pending = [], 0, ""
        self.most_run = 1 if single_runs else MOST_RUN
        last = Counter()
        progressive = picture.frame[0]
        for number, mcu in enumerate(picture.mcus([n for n, *_ in self.found])):
            if picture.interval and number and number % picture.interval == 0:
                self.flush()
                self.items.append(None)
                last.clear()
            before = {}
            for n, x, y in mcu:
                block = blocks[n].get((x, y)) or (
                    padding[n][x, y] if padding else [before[n][0]] + [0] * 63)
                before[n] = block
                if not progressive:
                    self.dc(n, block[0], last)
                    self.first(n, block, 1, 63, 0)
                    continue
                if not self.ss and self.ah:
                    self.items.append((None, None, str(block[0] >> self.al & 1)))
                elif not self.ss:
                    self.dc(n, block[0] >> self.al, last)
                elif self.ah:
                    self.refined(n, block)
                else:
                    self.first(n, block, self.ss, self.se, self.al)
        self.flush()

    def put(self, klass, n, symbol, plain=""):
        self.items.append(((klass, self.slots[n][klass]), symbol, plain))

    def dc(self, n, v, last):
        size = abs(v - last[n]).bit_length()
        self.put(0, n, size, extra(v - last[n], size))
        last[n] = v

    def first(self, n, block, k, se, al):
        run = 0
        values = [abs(v) >> al for v in block]
        if any(values[k:se + 1]):
            self.flush()
        for k in range(k, se + 1):
            if not values[k]:
                run += 1
                continue
            for _ in range(run // 16):
                self.put(1, n, 0xF0)
            size = values[k].bit_length()
            self.put(1, n, run % 16 << 4 | size,
                     extra(values[k] if block[k] > 0 else -values[k], size))
            run = 0
        if run and self.ss:
            self.end(n, "")
        elif run:
            self.put(1, n, 0)

    def refined(self, n, block):
        run, bits, al = 0, "", self.al
        values = [abs(v) >> al for v in block]
        fresh = [k for k in range(self.ss, self.se + 1) if values[k] == 1]
        if fresh:
            self.flush()
        for k in range(self.ss, self.se + 1):
            if not values[k]:
                run += 1
                continue
            while run > 15 and fresh and k <= fresh[-1]:
                self.put(1, n, 0xF0, bits)
                run, bits = run - 16, ""
            if values[k] > 1:
                bits += str(values[k] & 1)
                continue
            self.put(1, n, run << 4 | 1, str(int(block[k] > 0)) + bits)
            run, bits = 0, ""
        if not fresh or fresh[-1] != self.se:
            self.end(n, bits)

    def end(self, n, bits):
        """The block ends without more; a run of such is one symbol."""
        self.run, self.run_of = self.run + 1, n
        self.pending += bits
        if self.run == self.most_run or len(self.pending) > MOST_BITS:
            self.flush()

    def flush(self):
        if self.run:
            size = self.run.bit_length() - 1
            plain = f"{self.run - (1 << size):0{size}b}" if size else ""
            self.put(1, self.run_of, size << 4, plain + self.pending)
            self.run, self.pending = 0, ""

    def counts(self):
        found = defaultdict(Counter)
        for item in self.items:
            if item and item[0]:
                found[item[0]][item[1]] += 1
        return found

    def data(self, table, zeros):
        """Entropy-coded data, with tables as table(class, slot) gives them."""
        codes, out, text, markers = {}, b"", [], 0
        for item in self.items + [None]:
            if item:
                if item[0] and item[0] not in codes:
                    codes[item[0]] = dict(words_of(table(*item[0])))
                text += [codes[item[0]].get(item[1], "") if item[0] else "", item[2]]
                continue
            joined = "".join(text)
            joined += "01"[not zeros] * (-len(joined) % 8)
            if joined:
                out += int(joined, 2).to_bytes(len(joined) // 8, "big").replace(
                    b"\xff", b"\xff\0")
            out += bytes([0xFF, 0xD0 + markers % 8])
            text, markers = [], markers + 1
        return out[:-2]


# --- programs ---

class Restoring:
    def __init__(self, header, blocks, cursor):
        """cursor: over the program, as pcr_reader has it."""
        self.header, self.blocks, self.program = header, blocks, cursor
        self.picture, self.out, self.at, self.parsed = Picture(), [b""], 0, 0
        self.padding = self.stored = None
        while cursor.left():
            value = cursor.varint()
            need(value & 7 < 7, "an unknown operation")
            (self.copy, self.move, self.insert, self.make_tables, self.scan, self.keep_padding,
             self.patch)[value & 7](value >> 3)

    def copy(self, n):
        need(n <= len(self.header) - self.at, "it copies more than the header")
        self.out.append(self.header[self.at:self.at + n])
        self.at += n

    def move(self, n):
        self.at += n >> 1 ^ -(n & 1)
        need(0 <= self.at <= len(self.header), "it leaves the header")

    def insert(self, n):
        self.out.append(self.program.take(n))

    def make_tables(self, n):
        """A segment; one with optimal tables is written with the next scan."""
        need(1 <= n <= 8, "a segment of so many tables")
        rows = []
        for _ in range(n):
            where, kind = self.program.take(2)
            need(where >> 4 < 2 and where & 15 < 4 and kind < 6, "a table")
            table = STANDARD[kind - 1] if 0 < kind < 5 else None
            if kind == 0:
                counts = self.program.take(16)
                table = counts + self.program.take(sum(counts))
            rows.append((where, table))
        self.out.append(rows)

    @staticmethod
    def rendered(rows, counts):
        body = b"".join(bytes([where]) + (table or optimal(counts[where >> 4, where & 15]))
                        for where, table in rows)
        return b"\xff\xc4" + (len(body) + 2).to_bytes(2, "big") + body

    def scan(self, how):
        need(how < 8, "a scan of an unknown kind")
        self.picture.read(b"".join(b if isinstance(b, bytes) else self.rendered(
            b, defaultdict(Counter)) for b in self.out[self.parsed:]))
        need(self.picture.sos, "a scan without a header")
        if how & 2 and not self.padding:
            self.padding = self.padding_blocks()
        coder = Coder(self.picture, self.blocks, self.padding if how & 2 else None, how & 4)
        counts = coder.counts()
        for i, item in enumerate(self.out):
            if not isinstance(item, bytes):
                self.out[i] = self.rendered(item, counts)
        self.picture.read(b"".join(self.out[self.parsed:]))
        self.out.append(coder.data(self.picture.table, how & 1))
        self.parsed = len(self.out)

    def keep_padding(self, n):
        self.stored = self.program.take(n)

    def padding_blocks(self):
        need(self.stored is not None, "padding blocks are missing")
        cursor, last, found = type(self.program)(self.stored, "padding"), 0, []
        _, width, height, components = self.picture.frame
        for n, (_, h, v) in enumerate(components):
            across = -(-width // (8 * max(c[1] for c in components))) * h
            down = -(-height // (8 * max(c[2] for c in components))) * v
            found.append({})
            for y in range(down):
                for x in range(across):
                    if (x, y) in self.blocks[n]:
                        continue
                    step = cursor.varint()
                    last += step >> 1 ^ -(step & 1)
                    found[n][x, y] = self.padding_block(cursor, last)
        need(not cursor.left(), "padding of another length")
        return found

    @staticmethod
    def padding_block(cursor, dc):
        block, k = [dc] + [0] * 63, 0
        while k < 63:
            run, size = divmod(cursor.take(1)[0], 16)
            if not run and not size:
                break
            k += run + 1
            need(size or run == 15, "padding")
            if size:
                bits = int.from_bytes(cursor.take(1 if size <= 8 else 2), "little")
                need(k < 64 and not bits >> size, "padding")
                block[k] = bits if bits >> (size - 1) else bits - (1 << size) + 1
        return block

    def patch(self, n):
        old, at, self.out = self.file(), 0, []
        for _ in range(n):
            skip, removed, inserted = self.program.varints(3)
            need(skip + removed <= len(old) - at, "a patch is beyond the file")
            self.out += [old[at:at + skip], self.program.take(inserted)]
            at += skip + removed
        self.out.append(old[at:])
        need(not self.program.left(), "something after its end")

    def file(self):
        need(all(isinstance(item, bytes) for item in self.out), "tables of no scan")
        return b"".join(self.out)


def restore(header, jpeg, program):
    """header: of 3.8; jpeg: the sample's file at full fidelity; program: a cursor."""
    return Restoring(header, coefficients(jpeg)[1], program).file()
