#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A reader that goes away ends pcrtool quietly; a full disk after stdout does not."""
import os
import signal
import subprocess

from helper import PCRTOOL, dataset

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
