#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes libpcr/libpcr.abi, the description of the binary interface, or compares with it.

usage: tools/abi.py [--check]

The interface is what the public headers declare: symbols with their version, functions,
structs with their members' places, enumerators. A library of empty functions is made of them, so
that nothing private shows and any build will do; tests/cli/symbols.py holds the real library
equal to the headers. Needs abidw and abidiff (package abigail-tools).

--check   compare instead, and print what differs; exit status 1 if anything does

Whoever changes the interface runs this and commits the result. A change that is not an addition
also raises PCR_ABI_VERSION in pcr/base.h and the version in libpcr.map.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "libpcr/include"
MAP = ROOT / "libpcr/libpcr.map"
DESCRIPTION = ROOT / "libpcr/libpcr.abi"


def declarations():
    """The public functions' declarations, without attributes and the semicolon."""
    found = []
    for path in sorted((INCLUDE / "pcr").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", " ", path.read_text(encoding="utf-8"), flags=re.S)
        found += re.findall(r"^PCR_API\s+(?:PCR_MUST_CHECK\s+)?([^;]*\))\s*;", text, flags=re.M)
    return found


def describe(folder, out):
    """Makes the library of empty functions in a folder, and its description."""
    functions = declarations()
    if len(functions) < 40:
        sys.exit(f"only {len(functions)} functions found in the headers")
    library = folder / "libpcr.so.0"
    (folder / "abi.c").write_text("#include <pcr/pcr.h>\n" + "".join(
        f"{function}\n{{\n    __builtin_trap();\n}}\n" for function in functions))
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-std=c11", "-g", "-O0",
                    "-fno-eliminate-unused-debug-types", "-fPIC", "-shared", f"-I{INCLUDE}",
                    "-Wl,-soname,libpcr.so.0", f"-Wl,--version-script,{MAP}", "-o", library,
                    "abi.c"], check=True, cwd=folder)
    subprocess.run(["abidw", "--load-all-types", "--no-corpus-path", "--no-comp-dir-path",
                    "--no-show-locs", "--no-elf-needed", "--no-parameter-names",
                    "--out-file", out, library],
                   check=True)


def enumerators(path):
    """Names and values, which abidiff does not compare where no function has the type."""
    return set(re.findall(r"<enumerator name='(\w+)' value='(-?\d+)'", path.read_text()))


def compare(found):
    """Whether a description is the committed one; prints what is not."""
    same = subprocess.run(["abidiff", "--harmless", "--no-default-suppression", DESCRIPTION,
                           found], check=False).returncode == 0
    old, new = enumerators(DESCRIPTION), enumerators(found)
    for what, these in (("gone", old - new), ("new", new - old)):
        for name, value in sorted(these):
            print(f"{name} = {value} is {what}")
    return same and old == new


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    for tool in ("abidw", "abidiff"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing (package abigail-tools)")
    with tempfile.TemporaryDirectory() as name:
        found = Path(name) / "libpcr.abi"
        describe(Path(name), found)
        if not sys.argv[1:]:
            shutil.copyfile(found, DESCRIPTION)
            return
        if not compare(found):
            sys.exit("the headers and libpcr/libpcr.abi differ: is it meant? Then run "
                     "tools/abi.py, and raise PCR_ABI_VERSION unless it only adds")


main()
