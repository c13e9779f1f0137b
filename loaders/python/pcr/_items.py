# SPDX-License-Identifier: BSD-2-Clause
"""Single samples by their index, as datasets of PyTorch and sources of Grain have them."""

from __future__ import annotations

import inspect
from typing import (TYPE_CHECKING, Any, Callable, ClassVar, Dict, List, Mapping, Optional, Tuple,
                    Union)

from ._dataset import Dataset, Path, open as open_dataset, warn_of_splits
from ._image import decode_options, resize
from ._keywords import meant
from ._library import Size, fidelity_number, height_width
from .errors import InvalidError

if TYPE_CHECKING:
    from ._sample import Sample

Form = Callable[[Any], Any]

_FIELDS = ("images", "labels", "indices", "keys", "attributes")
_DECODE = tuple(name for name in inspect.signature(decode_options).parameters
                if name not in ("planar", "threads"))
_OPEN = tuple(name for name in inspect.signature(open_dataset).parameters
              if name not in ("path", "split"))
_ELSEWHERE = {
    "loader": "write image=\"pil\", \"array\", \"tensor\" or \"file\"",
    "is_valid_file": "which files there are was settled at the conversion",
    "allow_empty": "a dataset's classes are those that it was converted with",
    "batch_size": "it is the DataLoader's",
    "shuffle": "it is the DataLoader's",
    "num_workers": "it is the DataLoader's",
    "transforms": "write transform= and target_transform=",
    "planar": "write image=\"tensor\"",
    "threads": "samples are decoded side by side by the DataLoader's workers",
}


def to_pil(image: Any) -> Any:
    """A PIL.Image.Image of an array: "RGB", or "L" for gray."""
    try:
        from PIL import Image  # type: ignore[import]
    except ModuleNotFoundError as exc:
        raise ModuleNotFoundError("image=\"pil\" needs Pillow, which is not installed",
                                  name=exc.name) from exc
    return Image.fromarray(image)


class Items:
    """What indexing, pickling and the lists of labels and keys are; each framework's class has
    the reference of its own arguments."""

    #: What images may be, by the name of it, and how an array becomes one.
    forms: ClassVar[Mapping[str, Form]] = {"array": lambda image: image, "pil": to_pil}

    def __init__(self, dataset: Union[Dataset, Path], split: Optional[str], image: str,
                 fidelity: Optional[int], size: Optional[Size],
                 transform: Optional[Callable[[Any], Any]],
                 target_transform: Optional[Callable[[Any], Any]],
                 names: Optional[Mapping[str, str]], options: Mapping[str, Any]) -> None:
        title = type(self).__name__
        for name in options:
            if name not in _DECODE and name not in _OPEN:
                raise TypeError(f"{title}() has no argument {name!r}"
                                f"{meant(name, _DECODE + _OPEN, _ELSEWHERE)}")
        if image != "file" and image not in self.forms:
            raise InvalidError(f"image is {image!r}, expected one of "
                               f"{', '.join([*self.forms, 'file'])}")
        if names is not None and not (isinstance(names, Mapping) and names and
                                      all(name in _FIELDS for name in names.values())):
            raise InvalidError(f"names is {names!r}, expected a mapping to some of "
                               f"{', '.join(_FIELDS)}")
        self._decode = {name: options[name] for name in _DECODE if name in options}
        decode_options(**self._decode)  # refuses values that cannot be right
        if image == "file" and (self._decode or size is not None):
            raise InvalidError("image is 'file': it is not decoded, and size, orient and such "
                               "are for pixels")
        self._names = None if names is None else dict(names)
        self._image = image
        self.fidelity, self.transform = fidelity, transform
        self.target_transform = target_transform
        self.size = None if size is None else height_width(size)
        self.dataset = _opened(dataset, split, {n: options[n] for n in _OPEN if n in options})
        highest = self.dataset.group_count
        if fidelity_number(fidelity) > highest:
            raise InvalidError(f"fidelity is {fidelity}, the dataset has 1 to {highest}")
        warn_of_splits([self.dataset])
        self._label = float("nan") if self.dataset.schema["label"] == "floats" else -1
        self._lists: Dict[str, List[Any]] = {}  # targets and keys, once they were asked for

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_lists": {}}

    def __len__(self) -> int:
        return len(self.dataset)

    def __repr__(self) -> str:
        of = self.dataset
        which = "" if of.split is None else f", split {of.split!r}"
        return (f"<{type(self).__module__}.{type(self).__name__} {of.path!r}{which}: "
                f"{len(of)} samples>")

    @property
    def classes(self) -> List[str]:
        """Class names by label; empty where labels are not classes."""
        return list(self.dataset.classes)

    @property
    def class_to_idx(self) -> Dict[str, int]:
        """Labels by class name."""
        return self.dataset.class_to_idx

    @property
    def targets(self) -> List[Any]:
        """The labels of all samples, as indexing gives them, before `target_transform`. The same
        list each time; the first use reads all heads."""
        if "targets" not in self._lists:
            self._lists["targets"] = self.dataset.targets
        return self._lists["targets"]

    @property
    def samples(self) -> List[Tuple[str, Any]]:
        """(key, label) of all samples: where torchvision has a file's path stands the key. The
        same list each time; the first use takes about 10 us a sample."""
        if "samples" not in self._lists:
            self._lists["samples"] = list(zip((s.key for s in self.dataset), self.targets))
        return self._lists["samples"]

    def pixels(self, sample: Sample) -> Any:
        """A sample's image in the form that was chosen, before `transform`."""
        if self._image == "file":
            return sample.read(self.fidelity)
        image = sample.decode(self.fidelity, **self._decode)
        if self.size is not None:
            image = resize(image, *self.size)
        return self.forms[self._image](image)

    def __getitem__(self, index: Any) -> Any:
        sample = self.dataset[index]
        image = self.pixels(sample)
        if self.transform is not None:
            image = self.transform(image)
        label: Any = sample.label
        if label is None:
            label = self._label
        if self.target_transform is not None:
            label = self.target_transform(label)
        if self._names is None:
            return image, label
        found = {"images": image, "labels": label}
        return {key: found[name] if name in found else _of_sample(sample, name)
                for key, name in self._names.items()}


def _of_sample(sample: Sample, name: str) -> Any:
    """One of _FIELDS that the sample's metadata have."""
    if name == "indices":
        return sample.index
    return sample.key if name == "keys" else sample.attributes


def _opened(dataset: Union[Dataset, Path], split: Optional[str],
            options: Mapping[str, Any]) -> Dataset:
    """The dataset, opened; one that is open already stays so for its owner."""
    if not isinstance(dataset, Dataset):
        return open_dataset(dataset, split=split, **options)
    if split is not None or options:
        name = "split" if split is not None else next(iter(options))
        raise InvalidError(f"{name} applies to a path; this dataset is already open")
    return Dataset(dataset._handle, dataset.path, dataset.split, dataset._how)
