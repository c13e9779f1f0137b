# SPDX-License-Identifier: BSD-2-Clause
"""What a loader's epochs have, and what each sample is to be: arrays for the C library."""

from __future__ import annotations

import ctypes
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, Optional,
                    Sequence, Tuple, Union)

import numpy as np

from . import _structs as st
from ._dataset import Dataset
from ._library import fidelity_number, quality_number, whole
from .errors import InvalidError

if TYPE_CHECKING:  # it takes longer to import than all of this package
    import numpy.typing as npt

#: A fidelity, or a mixture of fidelities with their chances.
FidelityRule = Union[None, int, Mapping[Optional[int], float]]
#: A rule, or rules with the epochs from which they hold.
Fidelity = Union[FidelityRule, Sequence[Tuple[int, FidelityRule]]]
#: A quality, or a mixture of qualities with their chances.
QualityRule = Union[None, float, Mapping[float, float]]
#: The same, or rules with the epochs from which they hold.
Quality = Union[QualityRule, Sequence[Tuple[int, QualityRule]]]
#: An array with an entry for each sample of a dataset, or a function of the dataset that
#: returns one; for a list of datasets such a function, or a list of arrays, functions, None.
PerSample = Union[None, "npt.ArrayLike", Callable[[Dataset], "npt.ArrayLike"]]


class Mix:
    """The options that are arrays, and their memory while the C loader copies it.

    several: whether the datasets were given as a list, and arguments are so too.
    """

    def __init__(self, datasets: Sequence[Dataset], several: bool) -> None:
        self._datasets = datasets
        self._several = several
        self._counts = [len(d) for d in datasets]
        self._groups = max(d.group_count for d in datasets)
        self._members = list(self._counts)
        self._keep: List[Any] = []

    def _address(self, array: npt.NDArray[Any]) -> int:
        self._keep.append(array)
        return int(array.ctypes.data)

    def _each(self, value: Any, what: str) -> List[Any]:
        """An argument's parts, dataset by dataset, after any functions were called."""
        if callable(value) or value is None:
            parts = [value] * len(self._datasets)
        elif not self._several:
            parts = [value]
        else:
            parts = list(value)
            if len(parts) != len(self._datasets):
                raise InvalidError(f"{what} has {len(parts)} entries, expected one for each "
                                   f"of {len(self._datasets)} datasets")
        return [part(dataset) if callable(part) else part
                for part, dataset in zip(parts, self._datasets)]

    def _by_sample(self, options: st.LoaderOptions, field: str, value: Any, kinds: str,
                   dtype: Any, default: float) -> None:
        """Sets one of the arrays by sample."""
        if value is None:
            return
        arrays = []
        for part, count in zip(self._each(value, field), self._counts):
            array = np.full(count, default, dtype) if part is None else np.asarray(part)
            if array.shape != (count,) or count and array.dtype.kind not in kinds:
                raise InvalidError(f"{field} is an array of {array.dtype}, shape "
                                   f"{array.shape}, expected shape ({count},)")
            if dtype is np.uint8 and count and not 0 <= array.min() <= array.max() <= 255:
                raise InvalidError(f"{field} has values from {array.min()} to {array.max()}")
            arrays.append(array.astype(dtype))
        setattr(options.samples, field, self._address(np.concatenate(arrays)))
        options.samples.count = sum(self._counts)

    def set_samples(self, options: st.LoaderOptions, weights: Any, fidelities: Any,
                    qualities: Any, augment: Any) -> None:
        """Sets what is said sample by sample."""
        self._by_sample(options, "weights", weights, "iufb", np.float64, 1)
        self._by_sample(options, "fidelities", fidelities, "iu", np.uint8, 0)
        self._by_sample(options, "qualities", qualities, "iuf", np.float64, 0)
        self._by_sample(options, "augment", augment, "b", np.uint8, 1)

    def set_indices(self, options: st.LoaderOptions, indices: Any,
                    classes: Optional[Iterable[Union[int, str]]]) -> None:
        """Sets the samples to use."""
        if indices is None and classes is None:
            return
        places = None if classes is None else class_places(self._datasets, classes)
        first, found = 0, []
        for k, (part, dataset) in enumerate(zip(self._each(indices, "indices"),
                                                self._datasets)):
            chosen = _choose(dataset, part, None if places is None else list(places[k]))
            found.append(chosen + np.uint64(first))
            first += len(dataset)
        self._members = [len(part) for part in found]
        numbers = np.concatenate(found)
        options.order.indices = self._address(numbers)
        options.order.index_count = len(numbers)

    def set_length(self, options: st.LoaderOptions, epoch_samples: Optional[int],
                   repeat: Union[None, float, Sequence[float]],
                   proportions: Optional[Sequence[float]]) -> None:
        """Sets how many samples an epoch has, of which datasets; after set_indices()."""
        if repeat is not None:
            if epoch_samples is not None or proportions is not None:
                raise InvalidError("repeat sets how many samples an epoch has, and from "
                                   "which datasets: it excludes epoch_samples and proportions")
            given: Any = repeat
            times = ([float(given)] * len(self._members)
                     if np.ndim(given) == 0 else [float(x) for x in given])
            if len(times) != len(self._members) or not all(0 <= x < np.inf for x in times):
                raise InvalidError(f"repeat is {repeat!r}, expected a number, 0 or more, or "
                                   "one for each dataset")
            shares = [round(x * n) for x, n in zip(times, self._members)]
            epoch_samples = sum(shares)
            if len(shares) > 1:
                proportions = shares
        if proportions is not None:
            array = np.asarray(proportions, np.float64)
            if array.shape != (len(self._members),):
                raise InvalidError(f"proportions is {proportions!r}, expected a number for "
                                   f"each of {len(self._members)} datasets")
            options.order.proportions = self._address(array)
        if epoch_samples is not None:
            options.order.epoch_samples = whole(epoch_samples, "epoch_samples")

    def set_fidelity(self, options: st.LoaderOptions, fidelity: Fidelity, quality: Quality,
                     bounds: Tuple[Optional[int], Optional[int]]) -> None:
        """Sets the number, or the schedule of numbers and mixtures, of either; and the bounds of
        what qualities choose."""
        options.fidelity.minimum, options.fidelity.maximum = map(fidelity_number, bounds)
        if fidelity is not None and quality is not None:
            raise InvalidError("fidelity and quality exclude each other")
        name, given = ("fidelity", fidelity) if quality is None else ("quality", quality)
        if not isinstance(given, (Mapping, list, tuple)):
            number: Any = given
            if quality is None:
                options.fidelity.level = fidelity_number(number)
            else:
                options.fidelity.quality = quality_number(number)
            return
        rules: Any = [(0, given)] if isinstance(given, Mapping) else given
        steps = (st.FidelityStep * len(rules))()
        for step, rule in zip(steps, rules):
            try:
                epoch, value = rule
            except (TypeError, ValueError):
                raise InvalidError(f"{name} has {rule!r}, expected (epoch, {name})"
                                   ) from None
            step.epoch = whole(epoch, f"an epoch of {name}", 0, 64)
            if isinstance(value, Mapping) and quality is None:
                step.chances = self._address(self._chances(value))
            elif isinstance(value, Mapping):
                step.quality_count = len(value)
                step.qualities = self._address(np.array([quality_number(q) for q in value]))
                step.chances = self._address(np.array(list(value.values()), np.float64))
            elif quality is not None:
                step.quality = quality_number(value)
            else:
                step.fidelity = fidelity_number(value)
        self._keep.append(steps)
        options.fidelity.steps = ctypes.addressof(steps)
        options.fidelity.step_count = len(steps)

    def _chances(self, mixture: Mapping[Optional[int], float]) -> npt.NDArray[np.float64]:
        chances = np.zeros(self._groups)
        for fidelity, chance in mixture.items():
            number = fidelity_number(fidelity) or self._groups
            if number > self._groups:
                raise InvalidError(f"fidelity is {number}, the dataset has 1 to "
                                   f"{self._groups}")
            chances[number - 1] += chance
        return chances


def class_places(datasets: Sequence[Dataset],
                 classes: Iterable[Union[int, str]]) -> List[Dict[int, int]]:
    """For each dataset: the place in `classes` of each label that is one of them."""
    if isinstance(classes, (str, bytes)):
        raise InvalidError(f"classes is {classes!r}, expected several, as a list")
    places: List[Dict[int, int]] = [{} for _ in datasets]
    numbers = [d.class_to_idx for d in datasets]
    if any(d.schema["label"] == "floats" for d in datasets):
        raise InvalidError("classes: the dataset's labels are floats")
    for place, wanted in enumerate(classes):
        if isinstance(wanted, str):
            labels = [number.get(wanted) for number in numbers]
            if all(label is None for label in labels):
                names = sorted(set().union(*numbers))
                raise InvalidError(f"no class {wanted!r} in the dataset: it has "
                                   f"{', '.join(names) or 'none'}")
        elif isinstance(wanted, (int, np.integer)) and not isinstance(wanted, bool):
            labels = [int(wanted)] * len(datasets)
        else:
            raise TypeError(f"classes has {wanted!r}, expected names and labels")
        for known, label in zip(places, labels):
            if label is not None and known.setdefault(label, place) != place:
                raise InvalidError(f"classes has {wanted!r} twice")
    return places


class Renumbering:
    """Labels as places in a list of classes, whatever numbers the datasets give them."""

    def __init__(self, datasets: Sequence[Dataset],
                 classes: Optional[Sequence[Union[int, str]]]) -> None:
        if classes is None:
            raise InvalidError("renumber is for a list of classes: give `classes` too")
        self._places = class_places(datasets, classes)
        known = dict(enumerate(datasets[0].classes))
        #: Names by place; of a class given as a label that of the first dataset, or its digits.
        self.names = tuple(c if isinstance(c, str) else known.get(int(c), str(int(c)))
                           for c in classes)

    def __call__(self, labels: npt.NDArray[Any],
                 datasets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.array([self._places[d][label] for d, label in
                         zip(datasets.tolist(), labels.tolist())], np.int64)


def _choose(dataset: Dataset, indices: Any,
            labels: Optional[List[int]]) -> npt.NDArray[np.uint64]:
    """The samples of an index list that have such labels, in the dataset's order."""
    if indices is None:
        chosen = np.arange(len(dataset))
    else:
        given = np.asarray(indices)
        if given.ndim != 1 or given.size and given.dtype.kind not in "iu":
            raise InvalidError(f"indices is an array of {given.dtype}, shape {given.shape}, "
                               "expected whole numbers, one dimension")
        chosen = np.unique(given)
        if chosen.size and chosen[0] < 0:
            raise InvalidError(f"indices has {chosen[0]}, expected 0 or more")
    if chosen.size and chosen[-1] >= len(dataset):
        raise InvalidError(f"indices has {chosen[-1]}, the dataset has {len(dataset)} samples")
    if labels is not None:
        chosen = chosen[np.isin(dataset.labels[chosen.astype(np.int64)], labels)]
    return np.ascontiguousarray(chosen, np.uint64)
