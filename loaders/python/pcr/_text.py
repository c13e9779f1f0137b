# SPDX-License-Identifier: BSD-2-Clause
"""Text of datasets as people can read it: keys may be any bytes."""

from __future__ import annotations

from typing import Union


def shown(text: Union[str, bytes]) -> str:
    """Printable text. Bytes that are not UTF-8 and characters that are not seen (controls, marks
    that turn the direction of writing) stand as backslash escapes."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def size_text(nbytes: float) -> str:
    """A size in bytes for people: "12.3 MB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if nbytes < 1000:
            break
        nbytes /= 1000
    else:
        unit = "TB"
    return f"{nbytes:.0f} {unit}" if unit == "bytes" else f"{nbytes:.1f} {unit}"
