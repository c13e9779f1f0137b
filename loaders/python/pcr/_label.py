# SPDX-License-Identifier: BSD-2-Clause
"""What a label may be: an integer, a float, several of either, or a class name."""

from __future__ import annotations

import math
import operator
import warnings
from typing import TYPE_CHECKING, Any, Dict, List, Sequence, Union

import numpy as np

from .errors import InvalidError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

Number = Union[int, float, "np.integer[Any]", "np.floating[Any]"]
Label = Union[None, str, Number, Sequence[Number], "npt.NDArray[Any]"]

_EXPECTED = "expected an int, a float, several of them, or a class name"


def warn_of_numbers(names: Sequence[str]) -> None:
    """Warns of classes whose names are numbers in another order than that of the numbers."""
    try:
        numbers = [int(name) for name in names if name == str(int(name))]
    except ValueError:
        return
    later = [i for i in range(1, len(numbers)) if numbers[i] < numbers[i - 1]]
    if later and len(numbers) == len(names):
        i = later[0] - 1
        warnings.warn("class names that are numbers are sorted as text, as by "
                      f"torchvision's ImageFolder: class {names[i]!r} has label {i}. "
                      "`classes` sets another order", UserWarning, stacklevel=3)


def label_array(label: Any, name: str, classes: Dict[str, int]) -> npt.NDArray[Any]:
    """A label's numbers, as int64 or float64. `name` is the sample's, for messages.

    Raises TypeError for what is no label, InvalidError for a number that cannot be stored
    and a class that is not there.
    """
    if label is None:
        return np.empty(0, np.int64)
    if isinstance(label, str):
        if not label:
            raise InvalidError(f"{name}: the label is an empty string, {_EXPECTED}")
        if label not in classes:
            raise InvalidError(f"{name}: no class has the name {label!r}")
        return np.array([classes[label]], np.int64)
    values = [_number(v, name) for v in _values(label, name)]
    if not any(isinstance(v, float) for v in values):
        return np.array(values, np.int64)
    for value in values:
        if isinstance(value, int) and int(float(value)) != value:
            raise InvalidError(f"{name}: label {value} is not exact as a float, but another "
                               "is one")
    return np.array(values, np.float64)


def _values(label: Any, name: str) -> List[Any]:
    """The entries of a label that is a sequence or an array, or itself."""
    if type(label) is int or type(label) is float:  # nearly all are; the rest takes a while
        return [label]
    if hasattr(label, "__array__") and not isinstance(label, np.generic):
        try:
            array = np.asarray(label)
        except Exception as exc:
            raise TypeError(f"{name}: the label is a {type(label).__name__}: {exc}") from exc
        if array.ndim > 1:
            raise TypeError(f"{name}: the label is an array of shape {array.shape}, expected "
                            "at most one dimension")
        return list(array) if array.ndim else [array[()]]
    if isinstance(label, Sequence) and not isinstance(label, (bytes, bytearray, memoryview)):
        return list(label)
    return [label]


def _number(value: Any, name: str) -> Union[int, float]:
    """One number of a label, as Python's own."""
    if type(value) is not int and hasattr(value, "__array__") and not isinstance(value, np.generic):
        array = np.asarray(value)
        value = array[()] if array.ndim == 0 else value
    if type(value) is not int and isinstance(value, (float, np.floating)):
        number = float(value)
        if not math.isfinite(number):
            raise InvalidError(f"{name}: the label is {value}, expected a finite number, or None "
                               "for no label")
        return number
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{name}: a label of type {kind} ({value!r:.100}), {_EXPECTED}"
                        ) from None
    if not -1 << 63 <= whole < 1 << 63:
        raise InvalidError(f"{name}: label {whole} is outside of -2^63 to 2^63 - 1")
    return whole
