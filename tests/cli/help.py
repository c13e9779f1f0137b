#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Help, version, the manual page, and what is said to wrong usage."""
import os
import re

from helper import fails, pcrtool

COMMANDS = ["convert", "info", "ls", "cat", "extract", "verify", "bench", "doctor"]

overview = pcrtool("--help").stdout.decode()
assert pcrtool("help").stdout.decode() == overview
assert pcrtool("-h").stdout.decode() == overview
listed = re.findall(r"^  (\w+) +\S", overview, flags=re.M)
assert set(listed) >= set(COMMANDS), listed

version = pcrtool("--version").stdout.decode()
assert re.match(r"pcrtool \d+\.\d+\.\d+\n", version), version
for library in ("libjpeg", "libpng", "zlib", "Little CMS", "zstd", "xxHash", "jansson"):
    assert re.search(rf"\b{library}\S* \d", version), (library, version)

manual = pcrtool("help", "--man").stdout.decode()
assert ".TH PCRTOOL 1" in manual

with open(os.path.join(os.environ["PCR_SOURCE_ROOT"], "pcrtool/meson.build"),
          encoding="utf-8") as file:
    installed = file.read()

for name in listed:
    text = pcrtool("help", name).stdout.decode()
    assert pcrtool(name, "--help").stdout.decode() == text
    assert pcrtool(name, "-h").stdout.decode() == text
    assert text.startswith(f"Usage: pcrtool {name} "), text
    assert len(re.findall(rf"^  pcrtool {name}\b", text, flags=re.M)) >= 2, \
        f"{name}: fewer than two examples"
    assert f"pcrtool\\-{name}" in manual, f"{name}: not in the manual"
    assert f"'{name}'" in installed, f"{name}: its manual page is not installed"
    page = pcrtool("help", "--man", name).stdout.decode()
    assert f".TH PCRTOOL-{name.upper()} 1" in page
    for option in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", text, flags=re.M):
        assert "\\-\\-" + option.replace("-", "\\-") in page, option
    fails(name, "--no-such-option", code=2, says=["--no-such-option", f"{name} --help"])
    fails(name, "-Z", code=2, says=["-Z", "--help"])
    if name != "doctor":
        fails(name, code=2, says=["operand", "--help"])

fails(code=2, says=["Usage"])
fails("no-such-command", code=2, says=["no-such-command", "--help"])
fails("help", "no-such-command", code=2, says=["no-such-command"])
fails("help", "--man", "no-such-command", code=2, says=["no-such-command"])
fails("cat", "dataset", "a", "b", code=2, says=["'b'"])
fails("cat", "dataset", "a", "--fidelity", "0", code=2, says=["1 to 32"])
fails("cat", "dataset", "a", "--fidelity", "two", code=2, says=["two"])
fails("cat", "dataset", "a", "--fidelity", code=2, says=["needs a value"])
fails("ls", "dataset", "--json=yes", code=2, says=["no value"])
