# SPDX-License-Identifier: BSD-2-Clause
"""Ctrl-C is heard while the library works, and leaves everything usable."""

import os
import signal
import subprocess
import sys
import time

import pytest

import pcr
from images import encode, picture

# Prints "working" when the long call is about to begin, and on KeyboardInterrupt how long
# the rest took. The arguments come after the program.
LOADER = """
import sys, threading, time, pcr
loader = pcr.Loader(sys.argv[1], batch_size=1000, size=64, threads=1)
for attempt in range(2):
    try:
        print("working", flush=True)
        for batch in loader:
            print("a batch came", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
loader.close()
with pcr.Loader(sys.argv[1], batch_size=2, size=64, transform="stretch") as loader:
    for batch in loader:
        print("usable", batch.pixels.shape, flush=True)
        break
print("end", flush=True)
"""
LOADER_AT_EXIT = """
import sys, pcr
loader = pcr.Loader(sys.argv[1], batch_size=1000, size=64, threads=1)
print("working", flush=True)
for batch in loader:
    pass
"""
# Each read takes longer than a test may, so that nothing but Ctrl-C comes back in time.
METADATA = """
import sys, pcr
ds = pcr.open(sys.argv[1], delay=1000)
for call in (lambda: ds.labels, lambda: "no such key" in ds, lambda: ds.verify()):
    try:
        print("working", flush=True)
        call()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
print("end", flush=True)
"""
WRITER = """
import sys, time, pcr
def data():
    time.sleep(0.02)
    return open(sys.argv[1], "rb").read()
try:
    print("working", flush=True)
    pcr.write(sys.argv[2], [(str(i), data) for i in range(100000)], record_samples=50)
except KeyboardInterrupt:
    print("interrupted", flush=True)
report = pcr.write(sys.argv[3], [(str(i), data) for i in range(3)])
print("usable", report.progress.samples_done, flush=True)
print("end", flush=True)
"""


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A dataset whose one batch takes long: 100 PNG files of 4 million pixels."""
    path = tmp_path_factory.mktemp("slow") / "dataset"
    data = encode(picture(1, 20, 20).repeat(100, 0).repeat(100, 1), "PNG")
    pcr.write(path, [(str(i), data) for i in range(100)])
    return path


def start(program, *arguments):
    return subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def interrupt_when_it_works(process):
    """Sends SIGINT 0.3 s after "working"; gives the next line and its delay."""
    assert process.stdout.readline() == "working\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    return process.stdout.readline(), time.monotonic() - began


def finish(process):
    """What is still to come of output and errors. Not by communicate(), which does not know of
    what readline() has read ahead."""
    rest, errors = process.stdout.read(), process.stderr.read()
    process.wait(timeout=60)
    return rest, errors


def test_loader(slow):
    process = start(LOADER, slow)
    for _ in range(2):
        line, delay = interrupt_when_it_works(process)
        assert line == "interrupted\n" and delay < 1
    rest, errors = finish(process)
    assert rest == "usable (2, 64, 64, 3)\nend\n" and errors == ""
    assert process.returncode == 0


def test_metadata(path):
    process = start(METADATA, path)
    for _ in range(3):
        assert interrupt_when_it_works(process)[0] == "interrupted\n"
    rest, errors = finish(process)
    assert rest == "end\n" and errors == "" and process.returncode == 0


def test_loader_at_exit(slow):
    process = start(LOADER_AT_EXIT, slow)
    line, delay = interrupt_when_it_works(process)
    assert line == "" and delay < 5
    errors = finish(process)[1]
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


def test_writer(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encode(picture(1, 64, 64)))
    process = start(WRITER, tmp_path / "a.jpg", tmp_path / "long", tmp_path / "short")
    line, delay = interrupt_when_it_works(process)
    assert line == "interrupted\n" and delay < 3
    rest, errors = finish(process)
    assert rest == "usable 3\nend\n" and errors == ""
    assert process.returncode == 0
    assert not os.path.exists(tmp_path / "long" / "manifest.json")
