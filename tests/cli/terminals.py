#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""On a terminal: how far the work is, colour where it is wanted, JSON to read, tame names."""
import json
import os
import pty
import subprocess
import sys

from helper import PCRTOOL, convert, damage, dataset, pcrtool, photos, read, records

try:
    for end in pty.openpty():
        os.close(end)
except OSError as why:
    print(f"skipped: this system has no pseudo-terminals ({why})")
    sys.exit(77)


def on_terminal(*args, code=0, stdout=None, **environ):
    """What is shown; `stdout`: what is no terminal."""
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm", **environ}
    env = {name: value for name, value in env.items() if value is not None}
    with subprocess.Popen([PCRTOOL, *args], stdin=subprocess.DEVNULL, env=env, stderr=follower,
                          stdout=follower if stdout is None else stdout) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            shown += part
    os.close(leader)
    assert process.returncode == code, (args, process.returncode, shown)
    return shown


CLEAR = b"\r\x1b[K"
path = dataset(count=12, records=4)

# Each command that takes long tells how far it is, and takes that away before other words.
shown = on_terminal("convert", "photos", "a.pcr")
assert CLEAR + b"convert 100%  12/12 images" in shown and b"images  " in shown, shown
assert b"12 image(s)" in shown.split(CLEAR)[-1], shown
shown = on_terminal("verify", path)
assert CLEAR + b"3 of 3 records" in shown and shown.endswith(CLEAR +
    b"3 records, 12 samples: all intact\r\n"), shown
shown = on_terminal("extract", path, "out")
assert CLEAR + b"0 of 12 samples" in shown and b"out: 12 samples" in shown.split(CLEAR)[-1], shown
for quiet in (["convert", "photos", "b.pcr"], ["verify", path],
              ["extract", "--force", path, "out"]):
    assert on_terminal(*quiet, "--quiet") == b"", quiet

# Damage on a line of its own, also beside the line that tells how far it is.
damage(records(path)[-1], -1)
shown = on_terminal("verify", path, "-j", "1", code=4)
assert CLEAR + b"CORRUPT: " in shown, shown
shown = on_terminal("extract", path, "again", code=4)
assert CLEAR + b"pcrtool extract: @" in shown, shown

# Colour where nobody asks for none.
RED = b"\x1b[1;31mpcrtool ls:\x1b[0m "
for environ, coloured in (({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False),
                          ({"TERM": "dumb"}, False), ({"TERM": None}, False)):
    shown = on_terminal("ls", "missing", code=1, **environ)
    assert shown.startswith(RED if coloured else b"pcrtool ls: "), (environ, shown)
assert on_terminal("no-such", code=2).startswith(b"\x1b[1;31mpcrtool:\x1b[0m ")

# JSON is laid out for a reader, but a list's lines stay lines.
shown = on_terminal("info", path, "--json").decode()
assert "\n  \"sample_count\": 12" in shown.replace("\r", ""), shown
assert json.loads(shown) == json.loads(pcrtool("info", path, "--json").stdout)
assert on_terminal("ls", path, "--json", "-n", "2").count(b"\n") == 2

# Names of classes and folders keep their letters, and lose what would move the cursor.
photos("tree", count=2, classes=1, splits=False)
odd = "caf\u00e9 \u4f60\U0001f600\x1b[2J\x7f\u0085z"
os.rename("tree/class-00", os.path.join("tree", odd))
tame = "caf\u00e9 \u4f60\U0001f600?[2J???z".encode()  # a mark for each byte
convert("tree", odd + ".pcr", "--layout", "class")
for shown in (on_terminal("info", odd + ".pcr"), on_terminal("ls", odd + ".pcr")):
    assert tame in shown and b"\x1b" not in shown and b"\x7f" not in shown, shown
assert on_terminal("info", odd + ".pcr").startswith(tame + b".pcr\r\n")

# Nor is it bytes that are cut or no UTF-8 at all: overlong forms, surrogates, beyond the last.
for i, name in enumerate((b"\xc3", b"\xc3(", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80",
                          b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"\xe4\xbd(", b"\xff")):
    folder = b"x%d%s.pcr" % (i, name)
    os.symlink(path, folder)
    shown = on_terminal("info", folder).split(b"\r\n")[0]
    said = name.replace(b"(", b"")
    assert shown == b"x%d%s%s.pcr" % (i, b"?" * len(said), b"(" * name.count(b"(")), (name, shown)
    done = json.loads(pcrtool("info", folder, "--json").stdout)
    assert done["path_hex"] == folder.hex() and done["path"].count("\ufffd") == len(said)
assert read(os.path.join(path, "manifest.json")).startswith(b"{")
