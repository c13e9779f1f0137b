#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `meson install` installs is whole: with it alone README's program and the sample programs
are built, by the commands that README and they themselves show, also without shared libraries."""
import re
import shlex
from pathlib import Path

from helper import ROOT, installed, run
from snippets import snippets

libdir, env = installed()
for name in ("bin/pcrtool", "include/pcr/pcr.h", "share/man/man1/pcrtool-convert.1",
             "share/man/man3/pcr_dataset_open.3"):
    assert list(Path("root").rglob(name)), f"{name} is not installed"
made = run(*shlex.split("pkg-config --modversion libpcr"), env=env).stdout.decode().strip()
(tool,) = Path("root").rglob("bin/pcrtool")
assert made in run(str(tool), "--version", env={}).stdout.decode()  # finds the library itself

for name, arguments in (("write_dataset", ["photos.pcr"]), ("read_dataset", ["photos.pcr"])):
    source = (ROOT / "samples" / f"{name}.c").read_text()
    Path(f"{name}.c").write_text(source)
    (command,) = re.findall(r"^ \*     (cc .*)$", source, flags=re.M)
    run("sh", "-c", command, env=env)
    run(f"./{name}", *arguments, env=env)

readme = (ROOT / "README.md").read_text()
(program,) = [code for language, code in snippets(readme, "Use it") if language == "c"]
Path("program.c").write_text(program)
commands = [line for language, code in snippets(readme, "From source") if language == "sh"
            for line in code.splitlines() if line.startswith("cc ")]
assert len(commands) == 2, commands
run("sh", "-c", commands[0], env=env)
assert re.fullmatch(rb"\d+ bytes\n", run("./program", env=env).stdout)


if (libdir / "libpcr.a").exists():
    run("sh", "-c", commands[1], env=env)
    assert b"libpcr" not in run("readelf", "-d", "program").stdout
    assert re.fullmatch(rb"\d+ bytes\n", run("./program").stdout)
else:
    print("skipped: a program with libpcr.a: this build has none (default_library)")

script = str(ROOT / "tools/check_install.sh")
assert run(script, "--help").stdout.startswith(b"usage: tools/check_install.sh")
titles = run(script, "--list").stdout.decode().splitlines()
assert titles[0] == "quickstart" and "From source" in titles, titles
for title in titles[1:]:
    assert any(language == "sh" for language, _ in snippets(readme, title)), title
for arguments in (["--only"], ["--none"]):
    assert b"check_install.sh: " in run(script, *arguments, code=2).stderr
