# SPDX-License-Identifier: BSD-2-Clause
"""Datasets of Hugging Face's package `datasets`."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional

from .._dataset import Path
from .._source import NewSample
from .._writer import WriteReport, write
from ..errors import InvalidError
from ._arrow import choose, features_of, paths_of, samples
from ._common import keys_of

ROWS = 16  # at once: they may be copied


def from_huggingface(dataset: Any, dst: Path, *, split: Optional[str] = None,
                     image_field: Optional[str] = None, label_field: Optional[str] = None,
                     key_field: Optional[str] = None, attributes: Optional[Iterable[str]] = None,
                     classes: Optional[Iterable[str]] = None, **options: Any) -> WriteReport:
    """Writes a dataset of the samples of one of Hugging Face's.

    dataset: a datasets.Dataset, a DatasetDict with one for each split, or an IterableDataset or
        IterableDatasetDict, whose samples come one by one. Images are taken undecoded, so JPEG
        files stay without loss. Transforms and formats of the dataset have no effect.
    split: the name of a dataset's split; None: as it says itself, "all" where it does not.
    image_field, label_field: names of columns. None: the one of type Image and the one of type
        ClassLabel, or of several the one called "image" or "label"; in doubt InvalidError names
        them. An empty `label_field`: samples have none.
    key_field: the column of keys. None: the images' paths if all have some and all differ (not of
        an iterable dataset), else the split and a number.
    attributes: names of columns that become attributes; None: all that are not the above. Missing
        values are left out, numbers of classes become names, times text.
    classes: the classes' names, if the dataset does not say them or they are to be others.

    The other arguments, the result and the exceptions are those of pcr.write(); labels follow its
    rule. ClassLabel -1 is no label.
    """
    parts = _splits(dataset, split)
    first = next(iter(parts.values()))
    features = None if first.features is None else first.features.to_dict()
    schema = _schema(first)
    columns = choose(schema, features or features_of(schema.metadata), image_field,
                     label_field, key_field, attributes, classes)
    keys: Dict[str, Any] = dict.fromkeys(parts)
    if key_field is None and all(hasattr(part, "select_columns") and hasattr(part, "__len__")
                           for part in parts.values()):
        keys = dict(keys_of({name: paths_of(_tables(part.select_columns([columns.image])),
                                            columns.image) for name, part in parts.items()}))

    def every(name: str, part: Any) -> Iterator[NewSample]:
        return samples(_tables(part), columns, name, keys[name])

    return write(dst, chain.from_iterable(every(name, part) for name, part in parts.items()),
                 classes=columns.classes, **options)


def _splits(dataset: Any, split: Optional[str]) -> Dict[str, Any]:
    """The datasets by their splits' names."""
    if isinstance(dataset, Mapping):
        if split is not None:
            raise InvalidError(f"split is {split!r}, but there are several: {', '.join(dataset)}; "
                               f"give dataset[{split!r}]")
        parts = {str(name): part for name, part in dataset.items()}
    else:
        name = re.match(r"\w+", str(getattr(dataset, "split", None) or "all"))
        parts = {split or (name.group() if name else "all"): dataset}
    for part in parts.values() or [dataset]:
        if not hasattr(part, "with_format") or not hasattr(part, "features"):
            raise TypeError(f"{type(part).__name__}, expected a dataset of Hugging Face's package "
                            "datasets, or a dictionary of such")
    return parts


def _tables(part: Any) -> Iterator[Any]:
    """A dataset's rows as tables of Arrow, undecoded."""
    tables: Iterator[Any] = part.with_format("arrow").iter(ROWS)
    return tables


def _schema(part: Any) -> Any:
    for table in part.with_format("arrow").iter(1):
        return table.schema
    raise InvalidError("the dataset is empty")
