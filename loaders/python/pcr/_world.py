# SPDX-License-Identifier: BSD-2-Clause
"""The processes that train together, as far as this one can tell."""

from __future__ import annotations

import os
import sys
from typing import Any, Tuple

_VARIABLES = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE")


def _distributed() -> Any:
    """torch.distributed if it is in use, else None."""
    found: Any = sys.modules.get("torch.distributed")  # not imported: then nobody uses it
    return found if found and found.is_available() and found.is_initialized() else None


def world_around() -> Tuple[int, str]:
    """The number of processes and what it is known by; 1 where nothing tells of others."""
    distributed = _distributed()
    if distributed is not None:
        return int(distributed.get_world_size()), "torch.distributed"
    for name in _VARIABLES:
        value = os.environ.get(name, "")
        if value.isdecimal():
            return int(value), name
    return 1, ""


def over_ranks(value: float, largest: bool = False) -> float:
    """The mean, or the largest, of what torch.distributed's processes have, all of which call
    this; the value itself where it is not in use."""
    distributed = _distributed()
    if distributed is None or distributed.get_world_size() == 1:
        return value
    torch: Any = sys.modules["torch"]
    device = "cpu" if distributed.get_backend() in ("gloo", "mpi") else "cuda"
    shared = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.all_reduce(shared, distributed.ReduceOp.MAX if largest else
                           distributed.ReduceOp.SUM)
    return float(shared) / (1 if largest else int(distributed.get_world_size()))
