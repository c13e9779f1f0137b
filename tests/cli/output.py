#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A reader that goes away ends pcrtool quietly; a full disk after stdout does not. Streams that
are closed are no files."""
import os
import signal
import subprocess

from helper import PCRTOOL, convert, dataset, pcrtool, photos, read

path = dataset()


def into_closed_pipe(*args, ignore):
    """Exit code and messages where nobody reads the output."""
    reader, writer = os.pipe()
    os.close(reader)
    action = signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignore else signal.SIG_DFL)
    try:
        done = subprocess.run([PCRTOOL, *args], stdout=writer, stderr=subprocess.PIPE,
                              restore_signals=False, check=False, timeout=60)
    finally:
        signal.signal(signal.SIGPIPE, action)
        os.close(writer)
    return done.returncode, done.stderr


for args in (["ls", path], ["info", path, "--json"], ["cat", path, "@0"], ["doctor"],
             ["--help"]):
    for ignore in (False, True):
        code, messages = into_closed_pipe(*args, ignore=ignore)
        assert code == -signal.SIGPIPE, (args, code, messages)
        assert messages == b"", (args, messages)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PCRTOOL, *args], stdout=full, stderr=subprocess.PIPE,
                              check=False, timeout=60)
    assert done.returncode == 1, (args, done.returncode)
    assert b"No space left" in done.stderr, (args, done.stderr)


def closed(*args, streams=(1,)):
    """Exit code and messages where these streams are closed."""
    def close():
        for fd in streams:
            os.close(fd)
    done = subprocess.run([PCRTOOL, *args], stderr=subprocess.PIPE, preexec_fn=close,
                          check=False, timeout=60)
    return done.returncode, done.stderr


# Output that is closed is missed where there is any, and there alone.
for args in (["ls", path], ["info", path, "--json"], ["cat", path, "@0"], ["verify", path],
             ["help", "--man"]):
    assert closed(*args) == (1, b"pcrtool: cannot write to standard output: "
                                b"Bad file descriptor\n"), args
    assert closed(*args, streams=(0, 1, 2)) == (1, b""), args
whole = pcrtool("cat", path, "@0").stdout
assert closed("cat", path, "@0", "-o", "a.jpg", streams=(0, 1)) == (0, b"")
assert closed("cat", path, "@0", "-o", "b.jpg", streams=(0, 1, 2)) == (0, b"")
assert read("a.jpg") == read("b.jpg") == whole

# A failure is told once.
with open("one.csv", "w", encoding="utf-8") as file:
    file.write("path,label\na.jpg,c1\n")
convert("one.csv", "classes.pcr", "--classes", ",".join(f"c{i}" for i in range(900)))
with open("/dev/full", "wb") as full:
    done = subprocess.run([PCRTOOL, "info", "classes.pcr", "--json"], stdout=full,
                          stderr=subprocess.PIPE, check=False, timeout=60)
assert done.returncode == 1
assert done.stderr == b"pcrtool info: cannot print JSON: No space left on device\n", done.stderr

# What is said of bad inputs goes into no record.
source = photos("bad", count=16, splits=False)
for i in range(8):
    with open(f"{source}/class-0{i % 4}/bad-{i}.jpg", "wb") as file:
        file.write(b"<html>")
assert closed("convert", source, "skipped.pcr", "--on-bad", "skip", "--records", "2",
              streams=(0, 1, 2)) == (3, b"")
pcrtool("verify", "skipped.pcr", "--deep", "--quiet")
convert(source, "again.pcr", "--on-bad", "skip", records=2, code=3)
assert read("again.pcr/manifest.json") == read("skipped.pcr/manifest.json")
