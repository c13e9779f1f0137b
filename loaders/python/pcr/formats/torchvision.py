# SPDX-License-Identifier: BSD-2-Clause
"""Datasets of torchvision: files as they are where a dataset has files."""

from __future__ import annotations

import io
import os
from functools import partial
from itertools import chain
from typing import Any, Iterator, List, Mapping, Optional, Tuple, Union

import numpy as np

from .._dataset import Path
from .._image import encode as encode_jpeg
from .._source import NewSample
from .._writer import WriteReport, write
from ..errors import InvalidError
from ._common import keys_of, need, numbered, read_file

#: Where datasets keep (lists of files, lists of labels); no second one: pairs.
_FILES = (("samples", None), ("imgs", None), ("_samples", None), ("_image_files", "_labels"),
          ("_images", "_labels"))
_ARRAYS = (("data", "targets"), ("data", "labels"))


def from_torchvision(dataset: Any, dst: Path, *, split: str = "all",
                     encode: Union[str, int] = "png", **options: Any) -> WriteReport:
    """Writes a dataset of the samples of one of torchvision's.

    dataset: one with `samples` or `imgs` (ImageFolder, DatasetFolder, ImageNet, Places365 and
        such), or with files and labels of its own (Food101, DTD, SUN397, Flowers102,
        FGVCAircraft, OxfordIIITPet, StanfordCars, GTSRB and such): the files are taken as they
        are, without loss. One with `data` (CIFAR, MNIST and their kin, SVHN, STL10), or any other
        whose items are (image, number) without a transform: pixels, which are encoded. A
        torch.utils.data.Subset of one of these. Or {split: dataset, ...}.
    split: the samples' split, for a dataset that is not such a dictionary.
    encode: what pixels become: "png", without loss, and kept whole at each fidelity; or the
        quality of a JPEG, 1 to 100.

    Transforms have no effect; a dataset of which only items are known must have none. Classes are
    `dataset.classes`; keys are the files' paths, or else the split and a number.

    The other arguments, the result and the exceptions are those of pcr.write(). TypeError: not
    such a dataset. InvalidError: it has a transform, splits have other classes.
    """
    parts = dict(dataset) if isinstance(dataset, Mapping) else {split: dataset}
    rows = {name: _unwrapped(part) for name, part in parts.items()}
    classes = [_classes(part) for part, _ in rows.values()]
    if any(names != classes[0] for names in classes):
        raise InvalidError("the splits' datasets have different classes")
    files = {name: _files(part, chosen) for name, (part, chosen) in rows.items()}
    keys = keys_of({name: [path for path, _ in found]
                    for name, found in files.items() if found is not None})

    def every(name: str) -> Iterator[NewSample]:
        found = files[name]
        if found is None:
            part, chosen = rows[name]
            return _pixels(part, chosen, name, encode)
        return (NewSample(key, partial(read_file, path), _label(label), None, name)
                for key, (path, label) in zip(keys[name], found))

    options.setdefault("classes", classes[0] if classes else None)
    return write(dst, chain.from_iterable(map(every, parts)), **options)


def _unwrapped(part: Any) -> Tuple[Any, Optional[List[int]]]:
    """A dataset, and which of its items; None: all."""
    chosen: Optional[List[int]] = None
    while hasattr(part, "dataset") and hasattr(part, "indices"):  # a Subset
        indices = [int(i) for i in part.indices]
        chosen = indices if chosen is None else [indices[i] for i in chosen]
        part = part.dataset
    if not hasattr(part, "__getitem__") or not hasattr(part, "__len__"):
        raise TypeError(f"{type(part).__name__}, expected a dataset of torchvision, or a "
                        "dictionary of such")
    return part, chosen


def _classes(part: Any) -> Optional[List[str]]:
    """Class names; ImageNet has several for each class."""
    names = getattr(part, "classes", None)
    if not isinstance(names, (list, tuple)) or not names:
        return None
    return [", ".join(name) if isinstance(name, tuple) else str(name) for name in names]


def _files(part: Any, chosen: Optional[List[int]]) -> Optional[List[Tuple[str, Any]]]:
    """(file, label) of the items, where the dataset has files."""
    for name, labels in _FILES:
        found = getattr(part, name, None)
        if not isinstance(found, (list, tuple)) or len(found) != len(part) or not found:
            continue
        pairs: Any = found if labels is None else list(zip(found, getattr(part, labels, ())))
        if len(pairs) == len(found) and all(
                isinstance(pair, tuple) and len(pair) == 2 and
                isinstance(pair[0], (str, os.PathLike)) for pair in pairs):
            all_of = [(os.path.abspath(os.fspath(path)), label) for path, label in pairs]
            return all_of if chosen is None else [all_of[i] for i in chosen]
    return None


def _label(value: Any) -> Any:
    """A target that is a number, or none of them."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    return None if isinstance(value, int) and value == -1 else value


def _pixels(part: Any, chosen: Optional[List[int]], split: str,
            encode: Union[str, int]) -> Iterator[NewSample]:
    ending = ".png" if encode == "png" else ".jpg"
    for number, index in enumerate(range(len(part)) if chosen is None else chosen):
        image, label = _item(part, index)
        yield NewSample(numbered(split, number, ending), _encoded(image, encode), _label(label),
                        None, split)


def _item(part: Any, index: int) -> Tuple[Any, Any]:
    """An item's pixels, (height, width) or (height, width, 3), and its label."""
    for data, labels in _ARRAYS:
        if len(getattr(part, data, ())) == len(part) == len(getattr(part, labels, ())):
            array = np.asarray(getattr(part, data)[index])
            if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:
                array = array.transpose(1, 2, 0)
            return array, getattr(part, labels)[index]
    if getattr(part, "transform", None) or getattr(part, "transforms", None):
        raise InvalidError(f"{type(part).__name__} has a transform, whose results would be stored: "
                           "make it without one")
    item = part[index]
    if not isinstance(item, tuple) or len(item) != 2:
        raise TypeError(f"{type(part).__name__}: item {index} is {type(item).__name__}, expected "
                        "(image, label); pcr.write() takes any samples")
    return item[0], item[1]


def _encoded(image: Any, encode: Union[str, int]) -> bytes:
    if isinstance(encode, int):
        if hasattr(image, "convert") and image.mode not in ("L", "RGB"):
            image = image.convert("RGB")
        return encode_jpeg(np.asarray(image), encode)
    if encode != "png":
        raise InvalidError(f"encode is {encode!r}, expected \"png\" or the quality of a JPEG")
    if not hasattr(image, "save"):
        image = need("PIL.Image", "encoding PNG").fromarray(np.asarray(image))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
