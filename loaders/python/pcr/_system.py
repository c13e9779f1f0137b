# SPDX-License-Identifier: BSD-2-Clause
"""What this machine and this build of the library can do."""

from __future__ import annotations

from ctypes import byref
from typing import Any, Dict

from . import _structs as st
from ._library import LIBRARY_PATH, call, lib, text


def system() -> Dict[str, Any]:
    """Versions, the library's file, CPUs that this process may use, CPU features, I/O."""
    info = st.sized(st.SystemInfo)
    call(lib.pcr_system_describe, byref(info))
    found: Dict[str, Any] = {
        "version": text(lib.pcr_version()),
        "library": LIBRARY_PATH,
        "cpu_count": info.cpu_count,
        "cpu_features": text(info.cpu_features).split(),
        "io_backends": text(info.io_backends).split(),
        "io_uring_refused": text(info.io_uring),
    }
    for name in ("jpeg", "png", "zstd", "xxhash", "json"):
        found[f"{name}_library"] = text(getattr(info, f"{name}_library"))
    return found
