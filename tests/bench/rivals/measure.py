# SPDX-License-Identifier: BSD-2-Clause
"""One measurement of one loader in a process of its own; prints a JSON object.

measure.py JOB: a JSON object with adapter, row, source, dataset, threads, seconds, count,
check and crops (a file). It tells of the first batch, then of whole epochs after the
first; with "check" it compares one epoch with Pillow instead.
"""
import importlib
import json
import os
import sys
import time

import processes
import work


def compare(loader, paths, table):
    """Mean absolute difference in levels to Pillow, over all images of an epoch."""
    import numpy
    found = {}
    for pixels, numbers in loader.epoch():
        for image, number in zip(numpy.asarray(pixels), numpy.asarray(numbers)):
            wanted = work.with_pillow(work.read(paths[int(number)]), table[int(number)])
            assert image.shape == wanted.shape and image.dtype == wanted.dtype, \
                f"{image.shape} of {image.dtype}"
            found[int(number)] = float(numpy.mean(numpy.abs(
                image.astype(numpy.int16) - wanted.astype(numpy.int16))))
    assert found, "no image came"
    return {"difference": sum(found.values()) / len(found), "compared": len(found)}


def speed(loader, least_seconds, expected):
    """First batch, then images a second and processor time an image of later epochs."""
    import numpy
    pid = os.getpid()
    first = None
    total = 0.0
    seen = set()
    for pixels, numbers in loader.epoch():
        total += float(numpy.asarray(pixels)[0, 0, 0, 0])
        first = first or time.clock_gettime(time.CLOCK_BOOTTIME) - processes.started_at(pid)
        seen.update(int(number) for number in numpy.asarray(numbers))
    # A loader that leaves out short batches may miss those, but nothing else.
    assert len(seen) > expected - work.BATCH, f"{len(seen)} of {expected} images came"
    count = 0
    began, cpu = time.perf_counter(), processes.cpu_seconds(pid)
    while (spent := time.perf_counter() - began) < least_seconds:
        for pixels, _ in loader.epoch():
            assert pixels.shape[1:] == (work.SIZE, work.SIZE, 3), pixels.shape
            count += len(pixels)
    cpu = processes.cpu_seconds(pid) - cpu
    return {"first_s": first, "rate": count / spent, "cpu_ms": 1e3 * cpu / count,
            "images": count, "total": total}


def main():
    job = json.loads(sys.argv[1])
    adapter = importlib.import_module("adapters." + job["adapter"])
    row = adapter.ROWS[job["row"]]
    own = row["crops"] == "own"
    table = work.read_table(job["crops"]) if job["check"] or not own else None
    loader = adapter.Loader(job["source"], job["dataset"], job["threads"], table,
                            whole=job["check"] and own, **row.get("options", {}))
    if job["check"]:
        found = compare(loader, work.paths_below(job["source"]), table)
    else:
        found = speed(loader, job["seconds"], job["count"])
    print("RESULT " + json.dumps(found), flush=True)
    os._exit(0)  # some loaders' threads and workers never end by themselves


main()
