#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What exact pictures (pictures="progressive") save: bytes and decoding time against PNG.

usage: exact.py FOLDER [COUNT]

COUNT (40) images of the folder are written as PNG by Pillow with optimize=True: as they are
decoded, at half the size (which no JPEG has made so), and that in gray. Of each kind: bytes of
the dataset, and of the JPEG's groups alone, to those of the PNG files; and the CPU time of
decoding at full fidelity, at the one below, and at the third, in ns per pixel, least of five turns,
beside libpng's of the same files.
"""
import io
import os
import sys
import tempfile
import time

from PIL import Image

import pcr

TURNS = 5


def png(image):
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def kinds(paths):
    whole = [Image.open(path).convert("RGB") for path in paths]
    yield "as decoded", whole
    yield "halved", [image.reduce(2) for image in whole]
    yield "halved, gray", [image.reduce(2).convert("L") for image in whole]


def least(dataset, fidelity, pixels):
    """CPU time of decoding all samples."""
    best = float("inf")
    for _ in range(TURNS):
        start = time.process_time()
        for sample in dataset:
            sample.decode(fidelity)
        best = min(best, time.process_time() - start)
    return best / pixels * 1e9


def measure(name, images):
    files = [(f"{i}.png", png(image)) for i, image in enumerate(images)]
    pixels = sum(image.width * image.height for image in images)
    source = sum(len(data) for _, data in files)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        pcr.write(os.path.join(folder, "exact"), files, pictures="progressive", threads=1)
        taken = time.process_time() - start
        pcr.write(os.path.join(folder, "whole"), files, threads=1)
        with pcr.open(os.path.join(folder, "exact")) as ours, \
                pcr.open(os.path.join(folder, "whole")) as theirs:
            about, best = ours.describe(), ours.group_count
            prefixes = [n / source for n in about["prefix_nbytes"]]
            times = [least(ours, g, pixels) for g in (best, best - 1, 3)]
            control = least(theirs, None, pixels)
    print(f"| {name} | {about['exact_count']} of {len(files)} | {source * 8 / pixels:.2f} | "
          f"{prefixes[-1]:.3f} | {prefixes[-2]:.3f} | {times[0]:.1f} | {times[1]:.1f} | "
          f"{times[2]:.1f} | {control:.1f} | {taken / pixels * 1e9:.0f} |", flush=True)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    paths = sorted(os.path.join(where, name) for where, _, names in os.walk(sys.argv[1])
                   for name in names)
    paths = paths[::max(1, len(paths) // count)][:count]
    print("| pictures | exact | PNG, bits a pixel | dataset to PNG | JPEG alone | full, ns a pixel "
          "| JPEG | fidelity 3 | libpng | conversion |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, images in kinds(paths):
        measure(name, images)


if __name__ == "__main__":
    main()
