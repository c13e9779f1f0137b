#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""cat does not write an image to a terminal; names are shown there without control bytes."""
import json
import os
import pty
import subprocess
import sys

from helper import PCRTOOL, convert, dataset, photos


def on_terminal(*args):
    """Exit code and output of pcrtool with a terminal as its output."""
    master, slave = pty.openpty()
    env = dict(os.environ, TERM="xterm")
    with subprocess.Popen([PCRTOOL, *args], stdin=slave, stdout=slave, stderr=slave,
                          env=env) as process:
        os.close(slave)
        output = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the terminal's other end is closed
                break
            if not part:
                break
            output += part
    os.close(master)
    return process.returncode, output


try:
    for end in pty.openpty():
        os.close(end)
except OSError as why:
    print(f"skipped: this system has no pseudo-terminals ({why})")
    sys.exit(77)

path = dataset()
code, output = on_terminal("cat", path, "@0")
assert code == 2, code
assert b"terminal" in output and b"\xff\xd8" not in output
assert b"\033[" in output, "no colour on a terminal"

os.environ["NO_COLOR"] = "1"
code, output = on_terminal("cat", path, "@0")
assert code == 2 and b"\033[3" not in output and b"\033[1" not in output
code, output = on_terminal("info", path, "--json")
assert code == 0 and json.loads(output)["sample_count"] == 40

# A key that would move the cursor or set the title.
photo = os.path.join(photos("one", count=1, classes=1, splits=False), "class-00",
                     "photo-00000.jpg")
with open("list.jsonl", "w", encoding="utf-8") as file:
    file.write(json.dumps({"path": photo, "key": "a\033]0;title\007b.jpg"}) + "\n")
convert("list.jsonl", "hostile.pcr")
code, output = on_terminal("ls", "hostile.pcr")
assert code == 0 and b"\033" not in output and b"\007" not in output, output
assert b"a?]0;title?b.jpg" in output
