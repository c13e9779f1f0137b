#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong on a command line whatever the data are is found before they are looked at, and
exit code 2 says so."""
import os
import re

from helper import fails, pcrtool

MISSING = {"cat": ["missing.pcr", "@0"], "convert": ["missing", "out.pcr"],
           "extract": ["missing.pcr", "out"], "recode": ["missing.pcr", "out.pcr"]}


def wrong(command, *options, says):
    fails(command, *MISSING.get(command, ["missing.pcr"]), *options, code=2, says=says)


# Each option of each command, from its help: a value that is none, and none at all.
commands = re.findall(r"^  (\w+) +\S", pcrtool("--help").stdout.decode(), flags=re.M)
seen = 0
for command in commands:
    text = pcrtool(command, "--help").stdout.decode()
    for name, value in re.findall(r"^ +(?:-\w, )?--([a-z-]+)(?:=(\S+))?", text, flags=re.M):
        seen += 1
        if not value:
            wrong(command, f"--{name}=x", says=[f"--{name} takes no value"])
            continue
        wrong(command, f"--{name}=", says=[f"--{name} "])
        if value in ("N", "G", "PX", "SIZE", "RATE"):
            wrong(command, f"--{name}=x", says=[f"--{name} takes a "])
assert seen > 70, seen

# Options that do not go together, or that lack another one or an operand.
for options, says in (
        (["--quality", "80"], "--quality applies to --max-side"),
        (["--all-files", "--extensions", "jpg"], "exclude each other"),
        (["--no-classes", "--classes", "a,b"], "exclude each other"),
        (["--from", "list", "--layout", "class"], "--layout applies to folders"),
        (["--from", "list", "--extensions", "jpg"], "--extensions applies to folders"),
        (["--from", "list", "--all-files"], "--all-files applies to folders"),
        (["--from", "folder", "--root", "."], "--root applies to lists"),
        (["--coding", "packed", "--ladder", "classic"], "cannot use ladder classic"),
        (["--extensions", ".jpg"], "'.jpg' is no extension"),
        (["--extensions", "jpg,,png"], "a name is empty"),
        (["--classes", "ape,,bee"], "a name is empty"),
        (["--classes", "ape,bee,ape"], "'ape' is given twice")):
    wrong("convert", *options, says=[says])
    wrong("convert", *options, "--json", says=[says])
wrong("recode", says=["--coding"])
wrong("recode", "--coding", "packed", "--ladder", "classic", says=["cannot use ladder classic"])
wrong("verify", "--max-pixels", "9", says=["--max-pixels applies to --deep"])
wrong("verify", "--max-scans", "9", says=["--max-scans applies to --deep"])
wrong("doctor", "--consumer", "9", "--stats", "x", says=["exclude each other"])
for option in ("fidelity", "consumer", "storage", "threads", "size", "seconds"):
    fails("doctor", f"--{option}=1", code=2, says=[f"--{option} needs an operand"])
fails("doctor", "--stats=x", code=2, says=["--stats needs an operand"])

for words, says in ((["help", "ls", "cat"], "'cat'"), (["help", "--man", "ls", "cat"], "'cat'"),
                    (["--version", "x"], "'x'"), (["completion", "bash", "x"], ""),
                    (["completion", "x"], "bash")):
    fails(*words, code=2, says=[says])

# What a source is shows by itself.
os.mkdir("folder")
with open("list.csv", "w", encoding="utf-8") as file:
    file.write("path\nmissing.jpg\n")
for options in (["--layout", "class"], ["--extensions", "jpg"], ["--all-files"]):
    fails("convert", "list.csv", "out.pcr", *options, code=2, says=["list.csv", "folders"])
fails("convert", "folder", "out.pcr", "--root", ".", code=2, says=["folder: --root applies"])

# With nothing wrong it is the data that are missing.
for command in commands:
    options = {"recode": ["--coding", "scans"], "cat": ["-o", "out"]}.get(command, [])
    done = pcrtool(command, *MISSING.get(command, ["missing.pcr"]), *options, code=1)
    assert b"missing" in done.stderr, done
assert sorted(os.listdir()) == ["folder", "list.csv"], os.listdir()
