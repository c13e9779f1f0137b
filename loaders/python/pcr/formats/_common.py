# SPDX-License-Identifier: BSD-2-Clause
"""What importers have in common: packages that must be there, keys, files."""

from __future__ import annotations

import importlib
import os
import posixpath
from typing import Any, Dict, List, Mapping, Optional, Sequence


def need(module: str, why: str) -> Any:
    """A module of a package that may not be installed. Raises ModuleNotFoundError that says what
    needs it."""
    package = module.split(".")[0]
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as exc:
        if exc.name != package:
            raise
        raise ModuleNotFoundError(f"{why} needs {package}, which is not installed",
                                  name=package) from None
    return importlib.import_module(module)


def read_file(path: str) -> bytes:
    """A file's bytes."""
    with open(path, "rb") as file:
        return file.read()


def _relative(paths: Mapping[str, Sequence[str]]) -> Dict[str, List[str]]:
    """Absolute paths without what they all begin with; others without "." and ".."."""
    every = [path for of in paths.values() for path in of]
    above = ""
    if every and all(os.path.isabs(path) for path in every):
        above = os.path.commonpath([os.path.dirname(path) for path in every])
    return {split: [posixpath.normpath("/" + os.path.relpath(path, above) if above
                                       else "/" + path)[1:] for path in of]
            for split, of in paths.items()}


def keys_of(paths: Mapping[str, Sequence[Optional[str]]]) -> Dict[str, List[str]]:
    """A key for each sample, by the paths of the images of each split: these if all have one and
    no two the same; else with the split before; else the split and a number."""
    given = {split: [path for path in of if path] for split, of in paths.items()}
    if all(len(given[split]) == len(of) for split, of in paths.items()):
        plain = _relative(given)
        for before in (False, True):
            keys = {split: [f"{split}/{path}" if before else path for path in of]
                    for split, of in plain.items()}
            every = [key for of in keys.values() for key in of]
            if all(every) and len(set(every)) == len(every):
                return keys
    return {split: [numbered(split, i, ending_of(path)) for i, path in enumerate(of)]
            for split, of in paths.items()}


def ending_of(path: Optional[str]) -> str:
    """The ending of a file's name, with the dot."""
    return os.path.splitext(path or "")[1]


def numbered(split: str, index: int, ending: str) -> str:
    """The key of a sample that has a number."""
    return f"{split}/{index:08}{ending}"
