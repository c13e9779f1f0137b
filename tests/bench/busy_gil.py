#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a busy Python thread costs a loader: pcr.Loader beside one of Python threads.

usage: busy_gil.py DATASET [SECONDS]

Each line: images/s with nothing else in the process, with another process that computes (it
takes as much of the machine), and with a thread of this interpreter that computes (it also
holds the interpreter's lock). The last column is the third over the second: what the lock
costs. Medians of five turns, taken one after another.
"""
import itertools
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pcr

TURNS, BATCH, SIZE = 5, 64, 224


def spin(done):
    n = 0
    while not done():
        for _ in range(10000):
            n += 1


class BusyThread:
    def __enter__(self):
        self._end = threading.Event()
        self._thread = threading.Thread(target=spin, args=(self._end.is_set,))
        self._thread.start()

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


class BusyProcess:
    def __enter__(self):
        self._process = subprocess.Popen([sys.executable, "-c", "while True: pass"])

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


class Nothing:
    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


def library_batches(path):
    """Batch sizes, for ever, of the library's loader."""
    with pcr.Loader(path, batch_size=BATCH, size=SIZE, threads=1, readers=1) as loader:
        while True:
            for images, _ in loader:
                yield len(images)


def python_batches(path):
    """The same of a Python thread that decodes and resizes by this package, image by image,
    two batches ahead."""
    with pcr.open(path) as dataset, ThreadPoolExecutor(1) as pool:
        random = np.random.default_rng(1)

        def make(indices):
            images = [pcr.resize(dataset[int(i)].decode(), SIZE, SIZE) for i in indices]
            return np.stack(images)

        waiting = []
        for _ in itertools.count():
            waiting.append(pool.submit(make, random.integers(0, len(dataset), BATCH)))
            if len(waiting) > 2:
                yield len(waiting.pop(0).result())


def rate(batches, seconds):
    next(batches)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        count += next(batches)
    return count / (time.perf_counter() - began)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    path, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    print(f"{'':24}{'alone':>10}{'process':>10}{'thread':>10}{'ratio':>8}")
    for name, make in (("pcr.Loader", library_batches),
                       ("a loader in Python", python_batches)):
        rates = {Nothing: [], BusyProcess: [], BusyThread: []}
        for _ in range(TURNS):
            for kind, found in rates.items():
                batches = make(path)
                with kind():
                    found.append(rate(batches, seconds))
                batches.close()
        alone, process, thread = (statistics.median(found) for found in rates.values())
        ratio = statistics.median(t / p for t, p in zip(rates[BusyThread],
                                                        rates[BusyProcess]))
        print(f"{name:24}{alone:10.0f}{process:10.0f}{thread:10.0f}{ratio:8.2f}")


main()
