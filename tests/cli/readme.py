#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What README.md shows works: its commands, its C and its Python, and its links lead somewhere."""
import os
import re
import shlex
import sys
from pathlib import Path

from helper import PCRTOOL, ROOT, photos, run, skip
from snippets import snippets

MEASURE = ("bench", "advise", "doctor")  # take seconds, and have tests of their own
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

for target in re.findall(r"\]\(([^)#]+)", TEXT):
    assert "://" in target or (ROOT / target).exists(), f"README.md: there is no {target}"

if os.environ["PCR_SANITIZED"] != "0":
    skip("a sanitized library runs in no other program")
blocks = snippets(TEXT, "Use it")
commands = [shlex.split(line, comments=True) for line in blocks[0][1].splitlines()]
(python,) = [text for language, text in blocks if language == "python"]
(c,) = [text for language, text in blocks if language == "c"]
library = Path(os.environ["LIBPCR"])
env = {**os.environ, "PCR_LIBRARY": str(library), "PYTHONPATH": str(ROOT / "loaders/python")}

photos(count=80)
done = 0
for words in commands:
    if words[0] == "pcrtool" and words[1] not in MEASURE:
        run("sh", "-c", shlex.join([PCRTOOL, *words[1:]]).replace("'>'", ">"))
        done += 1
    elif words[0] == "python3" and "view" not in words:  # view serves until it is stopped
        run(sys.executable, *words[1:], env=env)
        done += 1
assert done >= 6, done
assert Path("a.jpg").read_bytes()[:2] == b"\xff\xd8"
assert any(Path("out").rglob("*.jpg"))

run(sys.executable, "-c", python, env=env)

Path("snippet.c").write_text(c)
run(*shlex.split(os.environ["CC"]), "-std=c11", "-Wall", "-Wextra", "-Werror",
    f"-I{ROOT / 'libpcr/include'}", "snippet.c", "-o", "snippet", str(library),
    f"-Wl,-rpath,{library.parent}")
assert re.fullmatch(rb"\d{3,} bytes\n", run("./snippet").stdout)
Path("photos.pcr").rename("elsewhere.pcr")
assert b"photos.pcr" in run("./snippet", code=1).stderr
