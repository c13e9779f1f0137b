#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every subcommand that reads names a path that is missing or no dataset."""
import os

from helper import dataset, fails, photos, read, records

os.mkdir("empty")
photo = os.path.join(photos("others", count=4, splits=False), "class-00", "photo-00000.jpg")
path = records(dataset())[0]
with open("short.pcr", "wb") as file:
    file.write(read(path)[:50])
with open("nothing.pcr", "wb") as file:
    file.write(b"")

COMMANDS = [("info",), ("ls",), ("cat", "@0"), ("extract", "out"), ("verify",)]


def check(name, code, says):
    for command, *rest in COMMANDS:
        fails(command, name, *rest, code=code, says=[name, *says])
    assert not os.path.exists("out"), "extract made its folder before it had a dataset"


check("missing.pcr", 1, ["No such file"])
check("empty", 1, ["no dataset, as it has no manifest.json"])
check(photo, 1, [])
check("nothing.pcr", 1, [])
check("short.pcr", 4, [])

fails("info", "others", "--json", says=["others: a folder of 4 image(s)"])
os.mkdir("begun")
with open("begun/.pcr-convert", "wb") as file:
    file.write(b"")
check("begun", 1, ["an unfinished conversion"])

# The same for a manifest that is none.
os.mkdir("other")
with open("other/manifest.json", "w", encoding="utf-8") as file:
    file.write('{"name": "a web page"}\n')
check("other", 1, [])
