# SPDX-License-Identifier: BSD-2-Clause
"""Samples of tables of Arrow: which columns are what, and their rows."""

from __future__ import annotations

import datetime
import decimal
import json
import os
from functools import partial
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from .._source import NewSample
from ..errors import InvalidError
from ._common import ending_of, need, numbered, read_file

Features = Mapping[str, Any]

#: Names of columns, where their types alone do not tell.
IMAGES = ("image", "img", "jpg", "jpeg", "png", "image_bytes", "bytes", "content")
LABELS = ("label", "labels", "cls", "class", "target")


class Columns(NamedTuple):
    """Which column is what."""

    image: str
    label: Optional[str]
    key: Optional[str]
    attributes: Sequence[str]
    classes: Optional[List[str]]
    names: Mapping[str, List[str]]  #: of attributes that are numbers of classes


def features_of(metadata: Optional[Mapping[bytes, bytes]]) -> Features:
    """Hugging Face's features, where a schema's metadata have them."""
    try:
        found = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        features: Features = found["info"]["features"]
        return features if isinstance(features, dict) else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _class_names(feature: Any) -> Optional[List[str]]:
    """The names of a feature that is a class, or a list of such."""
    if isinstance(feature, list) and len(feature) == 1:
        return _class_names(feature[0])
    if not isinstance(feature, dict):
        return None
    if feature.get("_type") == "ClassLabel" and feature.get("names"):
        return [str(name) for name in feature["names"]]
    return _class_names(feature.get("feature"))


def _is_image(kind: Any) -> bool:
    """A struct of bytes and path."""
    types = need("pyarrow", "reading Arrow").types
    return bool(types.is_struct(kind)) and any(
        kind.field(i).name == "bytes" for i in range(kind.num_fields))


def _is_binary(kind: Any) -> bool:
    types = need("pyarrow", "reading Arrow").types
    return any(check(kind) for check in (types.is_binary, types.is_large_binary,
                                         types.is_fixed_size_binary))


def _holds_bytes(kind: Any) -> bool:
    return _is_binary(kind) or any(_holds_bytes(kind.field(i).type)
                                   for i in range(kind.num_fields))


def _one(found: Sequence[str], what: str, usual: Sequence[str], columns: Sequence[str]) -> str:
    """The one that is meant among columns that may be."""
    named = [name for name in usual if name in found]
    if len(found) == 1 or named:
        return named[0] if named else found[0]
    raise InvalidError(f"which column is the {what}? " + (
        f"{', '.join(found)} may be: " if found else "") +
        f"give {what}_field= the name of one of {', '.join(columns)}")


def choose(schema: Any, features: Features, image: Optional[str], label: Optional[str],
           key: Optional[str], attributes: Optional[Iterable[str]],
           classes: Optional[Iterable[str]]) -> Columns:
    """Which column is what: as the caller says, or as types and names show."""
    types = {field.name: field.type for field in schema}
    columns = list(types)
    for what, name in (("image", image), ("label", label), ("key", key)):
        if name and name not in types:
            raise InvalidError(f"{what}_field is {name!r}, the columns are {', '.join(columns)}")
    if image is None:
        by_feature = [name for name in columns
                      if isinstance(features.get(name), dict)
                      and features[name].get("_type") == "Image"]
        image = _one(by_feature or [name for name in columns if _is_image(types[name])] or
                     [name for name in columns if _is_binary(types[name])],
                     "image", IMAGES, columns)
    if not (_is_image(types[image]) or _is_binary(types[image])):
        raise InvalidError(f"column {image!r} is of {types[image]}, expected files' bytes, or a "
                           "struct that has bytes")
    names = {name: found for name in columns
             for found in [_class_names(features.get(name))] if found}
    if label is None:
        may_be = list(names) or [name for name in LABELS if name in types and name != image]
        label = _one(may_be, "label", LABELS, columns) if may_be else ""
    rest = [name for name in columns if name not in (image, label, key)]
    if attributes is None:
        bad = [name for name in rest if _holds_bytes(types[name])]
        if bad:
            raise InvalidError(f"attributes cannot hold bytes, which {', '.join(bad)} "
                               f"{'have' if len(bad) > 1 else 'has'}: give attributes= the names "
                               "of the columns to keep")
    else:
        rest = list(attributes)
        unknown = [name for name in rest if name not in types]
        if unknown:
            raise InvalidError(f"attributes has {unknown[0]!r}, the columns are "
                               f"{', '.join(columns)}")
    return Columns(image, label or None, key, rest,
                   names.get(label) if classes is None else list(classes),
                   {name: names[name] for name in rest if name in names})


def paths_of(tables: Iterable[Any], image: str) -> List[Optional[str]]:
    """The paths of all images, None where there is none."""
    found: List[Optional[str]] = []
    for table in tables:
        column = table.column(image)
        paths = _field(column, "path")
        found += [None] * len(column) if paths is None else paths.to_pylist()
    return found


def _field(column: Any, name: str) -> Any:
    """A field of a column that is a struct, null where the struct is; None if it has none."""
    kind = column.type
    if not any(kind.field(i).name == name for i in range(kind.num_fields)):
        return None
    return need("pyarrow.compute", "reading Arrow").struct_field(column, name)


def samples(tables: Iterable[Any], columns: Columns, split: str,
            keys: Optional[Sequence[str]], folder: str = "") -> Iterator[NewSample]:
    """The rows of tables.

    keys: of all rows; None: the key column, or else numbers.
    folder: where relative paths of images without bytes begin.
    """
    number = 0
    for table in tables:
        column = table.column(columns.image)
        is_struct = _is_image(column.type)
        data = _field(column, "bytes") if is_struct else column
        paths = _field(column, "path") if is_struct else None
        labels = None if columns.label is None else table.column(columns.label).to_pylist()
        own = None if columns.key is None else table.column(columns.key).to_pylist()
        more = [(name, table.column(name).to_pylist()) for name in columns.attributes]
        for i in range(len(column)):
            path = None if paths is None else paths[i].as_py()
            key = (str(own[i]) if own is not None else
                   numbered(split, number, ending_of(path)) if keys is None else keys[number])
            found = {name: _plain(values[i], columns.names.get(name)) for name, values in more
                     if not _missing(values[i])}
            yield NewSample(key, _data(data[i], path, folder, key),
                            None if labels is None else _label(labels[i], columns.classes),
                            found or None, split)
            number += 1


def _data(value: Any, path: Optional[str], folder: str, key: str) -> Any:
    """A file's bytes, where they lie; or a function that reads it."""
    if value.is_valid:
        return memoryview(value.as_buffer())
    file = os.path.join(folder, path or "")
    if not path or not os.path.exists(file):
        raise InvalidError(f"{key}: neither bytes nor a file" + (f": {path}" if path else ""))
    return partial(read_file, file)


def _label(value: Any, classes: Optional[Sequence[str]]) -> Any:
    """A label as NewSample has it; -1 of a class is none, as in test sets."""
    if value is None or (classes and type(value) is int and value == -1):
        return None
    return value


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _plain(value: Any, names: Optional[Sequence[str]]) -> Any:
    """A value as JSON can hold it; numbers of classes become their names."""
    if isinstance(value, dict):
        return {str(name): _plain(of, names) for name, of in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(of, names) for of in value]
    if names and type(value) is int and 0 <= value < len(names):
        return names[value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value) if isinstance(value, (decimal.Decimal, datetime.timedelta)) else value


def class_feature(classes: Sequence[str]) -> Dict[str, Any]:
    """Hugging Face's description of a class."""
    return {"names": list(classes), "_type": "ClassLabel"}
