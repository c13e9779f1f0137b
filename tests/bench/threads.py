#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One large image decoded by several threads: wall time and CPU time by the number of threads. The
control is what the machine gives to two threads that have nothing to do with each other: each
decodes the image by itself.

usage: threads.py [DATASET]   its largest 12 images, else 4 generated ones of 12 megapixels

Numbers of threads and the control take turns, of three images after one that is not measured;
medians of seven turns, as ratios to one thread, medians over the images.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import pcr

COUNTS, TURNS, IMAGES, CONTROL, EACH = (1, 2, 4, 8), 7, 12, "control", 3


def measure(sample, fidelity, pool):
    """(wall, CPU) by the number of threads, of one thread's."""
    def decode(images, threads):
        for _ in range(images):
            sample.decode(fidelity, threads=threads)

    def run(count, images):
        if count == CONTROL:
            list(pool.map(decode, (images, images), (1, 1)))
        else:
            decode(images, count)

    times = {count: [] for count in (*COUNTS, CONTROL)}
    for _ in range(TURNS):
        for count in times:
            run(count, 1)
            wall, cpu = time.perf_counter(), time.process_time()
            run(count, EACH)
            images = 2 * EACH if count == CONTROL else EACH
            times[count].append(((time.perf_counter() - wall) / images,
                                 (time.process_time() - cpu) / images))
    medians = {count: [statistics.median(t) for t in zip(*taken)]
               for count, taken in times.items()}
    return {count: [a / b for a, b in zip(m, medians[1])] for count, m in medians.items()}


def report(path):
    with pcr.open(path, split="all") as ds:
        samples = sorted(ds, key=lambda s: -s.size[0] * s.size[1])[:IMAGES]
        megapixels = statistics.fmean(s.size[0] * s.size[1] for s in samples) / 1e6
        print(f"{len(samples)} images of {megapixels:.1f} megapixels, "
              f"{len(os.sched_getaffinity(0))} CPUs")
        for fidelity in (2, ds.group_count):
            with ThreadPoolExecutor(2) as pool:
                rows = [measure(sample, fidelity, pool) for sample in samples]
            for count in (*COUNTS[1:], CONTROL):
                wall, cpu = (statistics.median(r[count][i] for r in rows) for i in range(2))
                name = "two images at once:" if count == CONTROL else f"{count} threads"
                print(f"fidelity {fidelity}: {name} {1 / wall:5.2f} times as fast, "
                      f"CPU time {cpu:.2f}")


def main():
    if len(sys.argv) > 1:
        report(sys.argv[1])
        return
    with tempfile.TemporaryDirectory(prefix="pcr-bench.") as folder:
        subprocess.run([os.environ["PCR_GEN"], "photos", folder + "/photos", "--count", "4",
                        "--size", "4000x3000", "--quality", "92"], check=True,
                       stdout=subprocess.DEVNULL)
        pcr.convert(folder + "/photos", folder + "/photos.pcr")
        report(folder + "/photos.pcr")


main()
