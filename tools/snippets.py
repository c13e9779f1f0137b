#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Finds the blocks of code below a heading of a Markdown file, for those who run them.

usage: tools/snippets.py FILE HEADING [LANGUAGE]

Prints the blocks below HEADING (its text, without #), of LANGUAGE alone if given.
"""
import re
import sys
from pathlib import Path


def snippets(text, heading):
    """The blocks below a heading and its subheadings, as (language, code)."""
    found, level, language = [], 0, None
    for line in text.splitlines(keepends=True):
        if line.startswith("```"):
            language = line[3:].strip() if language is None else None
            if language is not None and level:
                found.append((language, ""))
        elif language is not None:
            if level:
                found[-1] = (language, found[-1][1] + line)
        elif title := re.match(r"(#+) (.*)", line):
            depth = len(title[1])
            if title[2].strip() == heading:
                level = depth
            elif depth <= level:
                level = 0
    return found


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[1].startswith("-"):
        print(__doc__.split("\n\n", 1)[1], end="")
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    found = snippets(Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2])
    wanted = [code for language, code in found if language in (sys.argv[3:] or [language])]
    print("".join(wanted), end="")
    return 0 if wanted else 1


if __name__ == "__main__":
    sys.exit(main())
