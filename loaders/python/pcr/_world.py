# SPDX-License-Identifier: BSD-2-Clause
"""How many processes train together, as far as this one can tell."""

from __future__ import annotations

import os
import sys
from typing import Any, Tuple

_VARIABLES = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE")


def world_around() -> Tuple[int, str]:
    """The number of processes and what it is known by; 1 where nothing tells of others."""
    distributed: Any = sys.modules.get("torch.distributed")  # not imported: nobody uses it
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_world_size()), "torch.distributed"
    for name in _VARIABLES:
        value = os.environ.get(name, "")
        if value.isdecimal():
            return int(value), name
    return 1, ""
