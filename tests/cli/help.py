#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Help, version, the manual page, and what is said to wrong usage."""
import re

from helper import fails, pcrtool

COMMANDS = ["convert", "info", "ls", "cat", "extract", "verify", "bench", "doctor"]

overview = pcrtool("--help").stdout.decode()
assert pcrtool("help").stdout.decode() == overview
assert pcrtool("-h").stdout.decode() == overview
listed = re.findall(r"^  (\w+) +\S", overview, flags=re.M)
assert set(listed) >= set(COMMANDS), listed

version = pcrtool("--version").stdout.decode()
assert re.fullmatch(r"pcrtool \d+\.\d+\.\d+\n", version), version

manual = pcrtool("help", "--man").stdout.decode()
assert ".TH PCRTOOL 1" in manual

for name in listed:
    text = pcrtool("help", name).stdout.decode()
    assert pcrtool(name, "--help").stdout.decode() == text
    assert pcrtool(name, "-h").stdout.decode() == text
    assert text.startswith(f"Usage: pcrtool {name} "), text
    assert len(re.findall(rf"^  pcrtool {name}\b", text, flags=re.M)) >= 2, \
        f"{name}: fewer than two examples"
    assert f"pcrtool {name} " in manual.replace("\\-", "-"), f"{name}: not in the manual"
    for option in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", text, flags=re.M):
        assert option == "help" or "\\-\\-" + option.replace("-", "\\-") in manual, option
    fails(name, "--no-such-option", code=2, says=["--no-such-option", f"{name} --help"])
    fails(name, "-Z", code=2, says=["-Z", "--help"])
    if name != "doctor":
        fails(name, code=2, says=["operand", "--help"])

fails(code=2, says=["Usage"])
fails("no-such-command", code=2, says=["no-such-command", "--help"])
fails("help", "no-such-command", code=2, says=["no-such-command"])
fails("cat", "dataset", "a", "b", code=2, says=["'b'"])
fails("cat", "dataset", "a", "--fidelity", "0", code=2, says=["1 to 32"])
fails("cat", "dataset", "a", "--fidelity", "two", code=2, says=["two"])
fails("cat", "dataset", "a", "--fidelity", code=2, says=["needs a value"])
fails("ls", "dataset", "--json=yes", code=2, says=["no value"])
