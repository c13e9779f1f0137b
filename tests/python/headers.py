# SPDX-License-Identifier: BSD-2-Clause
"""Reads the public C headers: structs, constants, functions, as far as the tests need."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, NamedTuple


class Function(NamedTuple):
    result: str
    arguments: List[str]  #: types, without the names


class Headers:
    """What the headers in a folder declare."""

    def __init__(self, folder: Path) -> None:
        self.structs: Dict[str, List[str]] = {}  #: member names in order
        self.constants: List[str] = []
        self.functions: Dict[str, Function] = {}
        for path in sorted(folder.glob("*.h")):
            self._read(path.read_text())

    def _read(self, text: str) -> None:
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        self.constants += re.findall(r"^#define (PCR_[A-Z_]+) +\(?(?:-?\d|UINT)", text,
                                     flags=re.M)
        text = re.sub(r"^#.*$", " ", text, flags=re.M)
        text = re.sub(r"\s+", " ", text)
        for name, body in re.findall(r"\bstruct (\w+) \{(.*?)\};", text):
            self.structs[name] = [member for part in body.split(";")[:-1]
                                  for member in members(part)]
        for body in re.findall(r"\benum(?: \w+)? \{(.*?)\};", text):
            self.constants += re.findall(r"\b(PCR_\w+)(?= =|,| *$)", body)
        for result, name, arguments in re.findall(
                r"PCR_API (?:PCR_MUST_CHECK )?([\w *]+?)(\w+)\(([^;]*?)\);", text):
            self.functions[name] = Function(ctype(result), [
                argument_type(a) for a in arguments.split(",") if a.strip() != "void"])


def members(declaration: str) -> List[str]:
    """The names that one declaration in a struct declares."""
    pointer = re.search(r"\(\*(\w+)\)", declaration)
    if pointer:
        return [pointer.group(1)]
    return [re.sub(r"\[.*\]", "", part).split()[-1].lstrip("*")
            for part in declaration.split(",")]


def ctype(text: str) -> str:
    """A type without const and without needless blanks: "struct x**"."""
    text = re.sub(r" ?\* ?", "*", re.sub(r"\bconst\b", "", text))
    return text.strip().replace("  ", " ")


def argument_type(text: str) -> str:
    """The type of "const char *path" or "void *"."""
    return ctype(re.sub(r"(?<=[ *])\w+$", "", text.strip())
                 if not text.strip().endswith("*") else text)
