#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Importing from other formats, beside importing a folder, and exporting to them.

usage: formats.py [FOLDER [ROUNDS]]

FOLDER: of JPEG files, in folders of classes; without it photographs are generated. They become a
dataset, which is exported to each format; the exports are then converted, with one thread. Each
line: processor time of pcrtool, in all, medians of the rounds (3), taken in turns; the rate of the
folder's conversion over it; and the largest memory.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

PCRTOOL = os.environ["PCRTOOL"]
FORMATS = {"folder": "", "tar": ".tar", "zip": ".zip", "tfrecord": ".tfrecord", "mds": ""}


def run(*arguments):
    """Processor seconds, and the largest memory in MiB."""
    process = subprocess.Popen([PCRTOOL, *arguments, "-q"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"formats.py: pcrtool {' '.join(arguments)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def nbytes_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(path) for name in names)


def imports(folder, rounds):
    """In turns, so that what the machine does meanwhile hits all alike."""
    source = os.path.join(folder, "source.pcr")
    paths = {name: os.path.join(folder, "of-" + name + ending)
             for name, ending in FORMATS.items()}
    for name, path in paths.items():
        # Baseline files, as most sources are; progressive ones take libjpeg longer to read.
        run("extract", source, path, "--to", name, "--jpeg", "baseline")
    found = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            out = os.path.join(folder, "imported.pcr")
            found[name].append(run("convert", "--threads", "1", "--from", name, path, out))
            shutil.rmtree(out)
    print("import         CPU s   rate to the folder's   MiB")
    for name, rows in found.items():
        ratio = statistics.median(a[0] / b[0] for a, b in zip(found["folder"], rows))
        print(f"{name:12} {statistics.median(r[0] for r in rows):7.2f} {ratio:12.2f}"
              f" {max(r[1] for r in rows):16.0f}")


def exports(folder, rounds):
    print("export (of scans, as they are)   MB per CPU s   MiB")
    for name, ending in FORMATS.items():
        rates, most = [], 0
        for _ in range(rounds):
            path = os.path.join(folder, "to-" + name + ending)
            seconds, memory = run("extract", "--threads", "1", os.path.join(folder, "scans.pcr"),
                                  path, "--to", name)
            rates.append(nbytes_of(path) / 1e6 / seconds)
            most = max(most, memory)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        print(f"{name:12} {statistics.median(rates):30.0f} {most:9.0f}")


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        images = sys.argv[1] if len(sys.argv) > 1 else os.path.join(folder, "images")
        if len(sys.argv) < 2:
            subprocess.run([os.environ["PCR_GEN"], "photos", images, "--count", "400", "--size",
                            "512x384"], check=True, stdout=subprocess.DEVNULL)
        run("convert", images, os.path.join(folder, "source.pcr"))
        run("recode", os.path.join(folder, "source.pcr"), os.path.join(folder, "scans.pcr"),
            "--coding", "scans")
        imports(folder, rounds)
        exports(folder, rounds)


if __name__ == "__main__":
    main()
