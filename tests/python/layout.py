#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes a C program that prints the layout of all public structs and all constants.

usage: layout.py HEADER_FOLDER OUTPUT.c DEPFILE

The program prints JSON, all numbers unsigned 64-bit:
{"structs": {name: {"size": n, "members": {member: [offset, size]}}},
 "constants": {name: value}}
"""

import sys
from pathlib import Path

from headers import Headers

headers = Headers(Path(sys.argv[1]))
out = ["#include <inttypes.h>", "#include <stdio.h>", "#include <pcr/pcr.h>", "",
       "int main(void)", "{"]


def item(text: str, *values: str) -> None:
    arguments = "".join(f", (uint64_t) ({value})" for value in values)
    out.append(f'    printf("{text}"{arguments});')


number = '%" PRIu64 "'
item('{\\"structs\\": {')
for i, (name, members) in enumerate(headers.structs.items()):
    item(f'{", " if i else ""}\\"{name}\\": {{\\"size\\": {number}, \\"members\\": {{',
         f"sizeof(struct {name})")
    for j, member in enumerate(members):
        item(f'{", " if j else ""}\\"{member}\\": [{number}, {number}]',
             f"offsetof(struct {name}, {member})",
             f"sizeof(((struct {name} *) NULL)->{member})")
    item("}}")
item('}, \\"constants\\": {')
for i, name in enumerate(headers.constants):
    item(f'{", " if i else ""}\\"{name}\\": {number}', name)
item("}}\\n")
out += ["    return 0;", "}", ""]
folder, output, depfile = sys.argv[1:]
Path(output).write_text("\n".join(out))
names = " ".join(str(path).replace(" ", "\\ ") for path in Path(folder).glob("*.h"))
Path(depfile).write_text(f"{Path(output).name}: {names}\n")
