#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What several views of each sample cost: two crops of 224 pixels and eight of 96 (DINO's).

usage: views.py DATASET [ROUNDS]

CPU time per image with one thread: of a loader with ten views; of decoding each image once and
resizing ten windows of it by the package's functions, one after another; and of ten loaders.
Medians of five turns, taken one after another, and their ratio to the first.
"""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

import pcr

TURNS = 5
SHAPES = [(224, 0.4, 1.0)] * 2 + [(96, 0.05, 0.4)] * 8
ONE_THREAD = {"batch_size": 24, "threads": 1, "readers": 0}


def with_views(path, rounds):
    views = [pcr.View(size, area=(low, high), flip=0.5) for size, low, high in SHAPES]
    with pcr.Loader(path, views=views, **ONE_THREAD) as loader:
        return sum(len(batch.labels) for _ in range(rounds) for batch in loader)


def with_ten_loaders(path, rounds):
    count = 0
    for seed, (size, low, high) in enumerate(SHAPES):
        with pcr.Loader(path, size=size, area=(low, high), flip=0.5, seed=seed,
                        **ONE_THREAD) as loader:
            count += sum(len(batch.labels) for _ in range(rounds) for batch in loader)
    return count / len(SHAPES)


def window(image, low, high):
    """A box of random area and ratio, as (left, top, right, bottom)."""
    height, width = image.shape[:2]
    area, ratio = random.uniform(low, high) * height * width, random.uniform(0.75, 1.33)
    across = max(1, min(width, int((area * ratio) ** 0.5)))
    down = max(1, min(height, int((area / ratio) ** 0.5)))
    x, y = random.randint(0, width - across), random.randint(0, height - down)
    return x, y, x + across, y + down


def by_hand(path, rounds):
    count = 0
    with pcr.open(path) as dataset:
        for _ in range(rounds):
            for sample in dataset[:]:
                image = sample.decode()
                count += 1
                for size, low, high in SHAPES:
                    pcr.resize(image, size, size, box=window(image, low, high),
                               flip=random.random() < 0.5)
    return count


def main():
    if len(sys.argv) < 2:
        with tempfile.TemporaryDirectory() as folder:
            images = os.path.join(folder, "images")
            subprocess.run([os.environ["PCR_GEN"], "photos", images, "--count", "24"], check=True)
            pcr.convert(images, os.path.join(folder, "dataset"))
            return compare(os.path.join(folder, "dataset"), 3)
    compare(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)


def compare(path, rounds):
    ways = with_views, by_hand, with_ten_loaders
    times = {way: [] for way in ways}
    for _ in range(TURNS):
        for way in ways:
            start = time.process_time()
            count = way(path, rounds)
            times[way].append((time.process_time() - start) / count * 1e3)
    for way in ways:
        ratio = statistics.median(a / b for a, b in zip(times[way], times[with_views]))
        print(f"{way.__name__:18} {statistics.median(times[way]):7.3f} ms CPU/image {ratio:6.2f}")


if __name__ == "__main__":
    main()
