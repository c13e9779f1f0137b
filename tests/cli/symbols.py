#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The library exports just the functions of its public headers. The map and the symbols of the
Debian package list them."""
import glob
import os
import re
import subprocess
import sys

ROOT = os.environ["PCR_SOURCE_ROOT"]


def declared():
    names = set()
    for path in glob.glob(os.path.join(ROOT, "libpcr/include/pcr/*.h")):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        names.update(re.findall(r"^PCR_API\b[^;(]*?\b(pcr_\w+)\s*\(", text, flags=re.M))
    return names


def mapped():
    with open(os.path.join(ROOT, "libpcr/libpcr.map"), encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    return set(re.findall(r"\bpcr_\w*\*?", text))


def packaged():
    with open(os.path.join(ROOT, "debian/libpcr0.symbols"), encoding="utf-8") as file:
        return set(re.findall(r"^ (pcr_\w+)@", file.read(), flags=re.M))


def exported():
    output = subprocess.run(["nm", "-D", "--defined-only", os.environ["LIBPCR"]],
                            capture_output=True, text=True, check=True).stdout
    entries = [line.split()[-2:] for line in output.splitlines()]
    # Type A is the name of the map's version, which each symbol carries.
    versions = {name.rstrip("@").split("@")[0] for kind, name in entries if kind == "A"}
    assert len(versions) == 1, f"versions {versions}"
    bare = [name for kind, name in entries if kind != "A" and name.split("@@")[1:] != [*versions]]
    assert not bare, f"without a version: {bare}"
    return {name.split("@")[0] for kind, name in entries if kind != "A"}


def compare(what, these, other, those):
    for name in sorted(these - those):
        print(f"{name} is in {what}, not in {other}", file=sys.stderr)
    return bool(these - those)


def main():
    headers, listed, library, symbols = declared(), mapped(), exported(), packaged()
    assert len(headers) > 40, f"only {len(headers)} functions found in the headers"
    failed = False
    for pair in (("the headers", headers, "libpcr.map", listed),
                 ("libpcr.map", listed, "the headers", headers),
                 ("libpcr.map", listed, "debian/libpcr0.symbols", symbols),
                 ("debian/libpcr0.symbols", symbols, "libpcr.map", listed),
                 ("the headers", headers, "the library", library),
                 ("the library", library, "the headers", headers)):
        failed |= compare(*pair)
    sys.exit(1 if failed else 0)


main()
