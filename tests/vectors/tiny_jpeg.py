# SPDX-License-Identifier: BSD-2-Clause
"""Writes tiny progressive JPEG images scan by scan, for vectors. Uses no image library."""
import random

LADDER = (b"ladder tiny\nscript all\n"
          b"group\nall 0-0 0 1\n"
          b"group\nluma 1-5 0 0\nchroma 1-63 0 0\n"
          b"group\nall 0-0 1 0\nluma 6-63 0 0\n")
PIECES = [1, 3, 2]  # of each group

# All Huffman codes here are 4 bits long: symbol number i of a table has code i.
DC_SYMBOLS = list(range(11))
AC_SYMBOLS = [0x00] + [run << 4 | size for size in (1, 2, 3) for run in range(4)]


def segment(marker, body=b""):
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def huffman(class_and_slot, symbols):
    return segment(0xC4, bytes([class_and_slot, 0, 0, 0, len(symbols)] + [0] * 12
                               + symbols))


class Bits:
    def __init__(self):
        self.text = ""

    def put(self, value, count):
        if count:
            self.text += format(value & ((1 << count) - 1), "0%db" % count)

    def value(self, v):
        """The extra bits of a nonzero value (ISO/IEC 10918-1 F.1.2.1)."""
        size = abs(v).bit_length()
        self.put(v if v > 0 else v - 1, size)

    def bytes(self):
        text = self.text + "1" * (-len(self.text) % 8)
        data = bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
        return data.replace(b"\xff", b"\xff\0")


class Image:
    """16 x 16 pixels, 1 or 3 components, no subsampling: four blocks each."""
    BLOCKS = 4

    def __init__(self, seed, components):
        rng = random.Random(seed)
        self.components = components
        self.blocks = [[self.block(rng) for _ in range(self.BLOCKS)]
                       for _ in range(components)]
        self.sampling = int.from_bytes(b"\x11" * components, "little")

    @staticmethod
    def block(rng):
        coefs = [rng.randint(-100, 100)] + [0] * 63
        k = 1
        while k < 64 and rng.random() < 0.9:  # runs of at most 3 zeros
            coefs[k] = rng.choice((-7, -2, -1, 1, 3, 6))
            k += rng.randint(1, 4)
        return coefs

    def header(self):
        """SOI, the quantisation table, the frame header: what decoding needs."""
        frame = bytes([8, 0, 16, 0, 16, self.components])
        frame += b"".join(bytes([c + 1, 0x11, 0]) for c in range(self.components))
        return (b"\xff\xd8" + segment(0xDB, bytes([0] + [8 + k // 4 for k in range(64)]))
                + segment(0xC2, frame))

    def sos(self, components, start, end, high, low):
        body = bytes([len(components)])
        body += b"".join(bytes([c + 1, 0]) for c in components)
        return segment(0xDA, body + bytes([start, end, high << 4 | low]))

    def dc(self, high, low):
        """(tables and SOS, data) of a DC scan of all components."""
        every = range(self.components)
        bits, last = Bits(), [0] * self.components
        for i in range(self.BLOCKS):
            for c in every:
                v = self.blocks[c][i][0]
                if high:
                    bits.put(v >> low & 1, 1)
                    continue
                d = (v >> low) - last[c]
                last[c] = v >> low
                bits.put(DC_SYMBOLS.index(abs(d).bit_length()), 4)
                if d:
                    bits.value(d)
        table = b"" if high else huffman(0x00, DC_SYMBOLS)
        return table + self.sos(every, 0, 0, high, low), bits.bytes()

    @staticmethod
    def put_ac(bits, block, k, end):
        while any(block[k:end + 1]):
            run = next(i for i in range(k, end + 1) if block[i]) - k
            k += run
            bits.put(AC_SYMBOLS.index(run << 4 | abs(block[k]).bit_length()), 4)
            bits.value(block[k])
            k += 1
        if k <= end:
            bits.put(AC_SYMBOLS.index(0x00), 4)

    def ac(self, c, start, end):
        bits = Bits()
        for block in self.blocks[c]:
            self.put_ac(bits, block, start, end)
        return huffman(0x10, AC_SYMBOLS) + self.sos([c], start, end, 0, 0), bits.bytes()

    def sequential(self):
        """(SOS, data) of a sequential scan of all components, with both tables."""
        every = range(self.components)
        bits, last = Bits(), [0] * self.components
        for i in range(self.BLOCKS):
            for c in every:
                block = self.blocks[c][i]
                d, last[c] = block[0] - last[c], block[0]
                bits.put(DC_SYMBOLS.index(abs(d).bit_length()), 4)
                if d:
                    bits.value(d)
                self.put_ac(bits, block, 1, 63)
        return self.sos(every, 0, 63, 0, 0), bits.bytes()

    def scans(self):
        """By group, by piece: (tables and SOS, data), or None where there is no scan."""
        color = self.components == 3
        return [[self.dc(0, 1)],
                [self.ac(0, 1, 5)] + [self.ac(c, 1, 63) if color else None for c in (1, 2)],
                [self.dc(1, 0), self.ac(0, 6, 63)]]
