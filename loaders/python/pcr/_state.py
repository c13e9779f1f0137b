# SPDX-License-Identifier: BSD-2-Clause
"""A loader's state as a dict of plain numbers and strings, and as the library's bytes."""

from __future__ import annotations

import struct
from typing import Any, Dict, Mapping

from .errors import FormatError, UnsupportedError

MAGIC = b"PCRS"
VERSION = 1
_LAYOUT = struct.Struct("<4sIQQQQQQII")
_CHANGE = struct.Struct("<QII")
_CHANGES_MAX = 4
_NUMBERS = ("epoch", "position", "sample_count", "seed")
_DIGESTS = ("dataset", "order")


def to_dict(state: bytes) -> Dict[str, Any]:
    """What pcr_loader_state() wrote."""
    _, version, *values, fidelity, count = _LAYOUT.unpack_from(state)
    found: Dict[str, Any] = {"version": version}
    found.update(zip(_NUMBERS, values))
    found.update((name, f"{value:016x}") for name, value in zip(_DIGESTS, values[4:]))
    found["fidelity"] = fidelity or None
    found["fidelity_changes"] = [
        list(_CHANGE.unpack_from(state, _LAYOUT.size + i * _CHANGE.size)[:2])
        for i in range(count)]
    return found


def to_bytes(state: Mapping[str, Any]) -> bytes:
    """What pcr_loader_resume() takes. Raises FormatError, UnsupportedError."""
    try:
        if state["version"] != VERSION:
            raise UnsupportedError(f"loader state: version {state['version']}, expected "
                                   f"{VERSION}")
        changes = [_CHANGE.pack(position, fidelity, 0)
                   for position, fidelity in state["fidelity_changes"]]
        head = _LAYOUT.pack(MAGIC, VERSION, *(state[name] for name in _NUMBERS),
                            *(int(state[name], 16) for name in _DIGESTS),
                            state["fidelity"] or 0, len(changes))
        return head + b"".join(changes).ljust(_CHANGES_MAX * _CHANGE.size, b"\0")
    except (KeyError, TypeError, ValueError, struct.error) as exc:
        raise FormatError(f"loader state: {exc!r} in {dict(state)!r}") from exc
