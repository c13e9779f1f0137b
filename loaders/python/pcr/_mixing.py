# SPDX-License-Identifier: BSD-2-Clause
"""Mixup and CutMix: a loader's options of them, and soft labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from . import _structs as st
from ._library import real, whole
from ._views import PPM, ppm
from .errors import InvalidError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

    from ._mix import Renumbering


def mix_options(mixup: float, cutmix: float, chance: float, cutmix_chance: float, each: bool,
                num_classes: Optional[int], renumber: bool, boxes: bool) -> st.LoaderMix:
    """For the library. Raises InvalidError, TypeError.

    renumber, boxes: whether the loader has them.
    """
    for name, alpha in ("mixup", mixup), ("cutmix", cutmix):
        if isinstance(alpha, bool) or not 0 <= real(alpha, name) <= 1000:
            raise InvalidError(f"{name} is {alpha!r}, expected 0 to 1000: the alpha of "
                               "Beta(alpha, alpha)")
    if not (mixup or cutmix):
        if (chance, cutmix_chance, bool(each), num_classes) != (1.0, 0.5, False, None):
            raise InvalidError("mix_chance, cutmix_chance, mix_each and num_classes are for mixup "
                               "and cutmix, of which neither is given")
        return st.LoaderMix()
    if boxes:
        raise InvalidError("boxes with mixup or cutmix, which they do not follow: write columns= "
                           "for the boxes as they are stored")
    if renumber:  # the C library does not know of these labels
        if num_classes is not None:
            raise InvalidError("num_classes with renumber: there are as many as `classes`")
        num_classes = 0
    return st.LoaderMix(
        mixup_alpha=mixup, cutmix_alpha=cutmix, each=bool(each),
        chance_ppm=ppm(chance, "mix_chance", 1 / PPM, 1),
        cutmix_ppm=ppm(cutmix_chance, "cutmix_chance", 1 / PPM, 1),
        class_count=(0 if num_classes is None else
                     whole(num_classes, "num_classes", 0) or st.NO_SOFT_LABELS))


def softened(batch: st.Batch, labels: npt.NDArray[Any], lam: npt.NDArray[np.float32],
             partners: npt.NDArray[np.int64],
             renumber: Optional[Renumbering]) -> Optional[npt.NDArray[np.float32]]:
    """The soft labels of a mixed batch; None if it has none."""
    n = len(lam)
    if renumber is not None:
        soft = np.zeros((n, len(renumber.names)), np.float32)
        soft[np.arange(n), labels] = lam
        soft[np.arange(n), labels[partners]] += 1 - lam
        return soft
    if not batch.soft_labels:
        return None
    shape = (n,) if batch.float_labels else (n, batch.class_count)
    return np.ctypeslib.as_array(batch.soft_labels, shape).copy()
