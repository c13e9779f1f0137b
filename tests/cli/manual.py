#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each function, struct, member and value of the C interface is explained in a manual page that
`man` finds and that renders without a warning."""
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

from helper import pcrtool, run

ROOT = Path(os.environ["PCR_SOURCE_ROOT"])
HEADERS = ROOT / "libpcr/include/pcr"
MANUAL = ROOT / "tools/manual.py"


def page_of(name):
    text = Path(f"man/man3/{name}.3").read_text(encoding="utf-8")
    link = re.fullmatch(r"\.so (man3/pcr_\w+\.3)\n", text)
    return Path("man", link.group(1)).read_text(encoding="utf-8") if link else text


def sections(page):
    """Text by heading."""
    parts = re.split(r"^\.SS (.*)\n", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def explained(section):
    """Names in the tags of a section's list that have a text."""
    tags = re.findall(r"^\.TP\n\\fB(.+)\\fP\n[^.]", section, flags=re.M)
    tags += re.findall(r"^\.nf\n(\\fB[^.]+)\n\.fi\n\.RS\n[^.]", section, flags=re.M)
    return {word for tag in tags for word in re.findall(r"\w+", tag)}


def check_functions():
    listed = re.sub(r"/\*.*?\*/", "", (ROOT / "libpcr/libpcr.map").read_text(), flags=re.S)
    names = re.findall(r"\bpcr_\w+", listed)
    assert len(names) > 80, names
    for name in names:
        page = page_of(name)
        assert re.search(rf"^\\fB[^\n]*\b{name}\(", page, flags=re.M), f"{name}: no synopsis"
        text = sections(page)[f"{name}()"]
        assert re.match(r"[A-Z]\w", text), f"{name}: {text!r}"


def check_types():
    """By the description of the binary interface, which is not made from comments."""
    structs = members = values = 0
    tree = xml.parse(ROOT / "libpcr/libpcr.abi")
    for struct in tree.iter("class-decl"):
        name, parts = struct.get("name"), [d.find("var-decl") for d in struct.iter("data-member")]
        if not name.startswith("pcr_") or not parts:
            continue
        words = explained(sections(page_of(name))[f"struct {name}"])
        for part in parts:
            assert part.get("name") in words, f"{name}.{part.get('name')} is not explained"
        structs += 1
        members += len(parts)
    pages = "".join(path.read_text() for path in Path("man/man3").glob("*.3"))
    everything, headings = explained(pages), sections(pages)
    for value in tree.iter("enumerator"):
        name = value.get("name")
        assert name in everything or headings.get(name), f"{name} is not explained"
        values += 1
    assert structs > 25 and members > 250 and values > 80, (structs, members, values)


def check_complaints():
    """What has no comment is named."""
    for name, old, new, says in [
            ("base.h", "size_t capacity; /* bytes allocated */", "size_t capacity;",
             "size_t capacity of struct pcr_buffer"),
            ("base.h", "/* no more items; no such key */", "", "PCR_END = 1 of enum pcr_code"),
            ("image.h", "/* Creates a decoder. Codes: NOMEM. */", "", "pcr_decoder_create()")]:
        text = (HEADERS / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        Path(name).write_text(text.replace(old, new), encoding="utf-8")
        error = run(MANUAL, "1.0", "none", name, code=1).stderr.decode()
        assert f"{says} has no comment" in error and error.startswith(f"{name}:"), error


def check_rendering():
    Path("man/man1").mkdir()
    Path("man/man1/pcrtool.1").write_bytes(pcrtool("help", "--man").stdout)
    for name in re.findall(r"^  (\w+) +\S", pcrtool("help").stdout.decode(), flags=re.M):
        Path(f"man/man1/pcrtool-{name}.1").write_bytes(pcrtool("help", "--man", name).stdout)
    pages = sorted(path for path in Path("man").glob("*/*")
                   if not path.read_text(encoding="utf-8").startswith(".so "))
    for tool in (["groff", "-man", "-ww", "-z", "-Tutf8", "-Kutf8"],
                 ["mandoc", "-T", "lint", "-W", "warning"]):
        if not shutil.which(tool[0]):
            print(f"no {tool[0]}")
            continue
        for path in pages:
            done = subprocess.run([*tool, path], stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.STDOUT, check=False)
            lines = [line for line in done.stdout.splitlines() if "missing date" not in line]
            assert not lines, lines
    if shutil.which("man"):
        shown = run("man", "-M", "man", "pcr_loader_create", env=os.environ | {"LC_ALL": "C"})
        assert re.search(rb"NAME\n +pcr_loader - ", shown.stdout), shown.stdout[:300]


Path("man").mkdir()
run(MANUAL, "1.0", "man/man3", *sorted(HEADERS.glob("*.h")))
check_functions()
check_types()
check_complaints()
check_rendering()
