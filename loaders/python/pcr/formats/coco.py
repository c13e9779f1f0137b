# SPDX-License-Identifier: BSD-2-Clause
"""Images with boxes, as COCO's annotation files have them."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Union

import numpy as np

from .._dataset import Path
from .._writer import WriteReport
from ..errors import CorruptError, FormatError, InvalidError
from ._annotated import (Annotated, Complaints, box_complaint, check_name, check_options,
                         write_annotated)
from ._common import read_file

Paths = Union[Path, Mapping[str, Path]]


class _Annotation(NamedTuple):
    """What is kept of an annotation, as it was found."""

    id: Any
    image: Any
    category: Any
    box: Any
    area: Any
    iscrowd: Any
    segmentation: Any


def from_coco(images: Paths, annotations: Paths, dst: Path, *, split: str = "all",
              segmentations: bool = False, on_bad: str = "fail", **options: Any) -> WriteReport:
    """Writes a dataset of images with boxes.

    images: the folder that the images' file_name are in.
    annotations: a JSON file such as instances_train2017.json. Or both are mappings from splits,
        {"train": "train2017", "val": "val2017"}.
    split: the samples' split, for a file that is not in such a mapping.
    segmentations: keep these too, as JSON: polygons or run lengths, for each box.
    on_bad: "fail": an annotation that cannot be right raises an error that names it: of an image
        or category that is not in the file, without a box of four finite numbers, of negative
        size, or more than a pixel outside its image. Otherwise such are left out, and are among
        the report's `left_out`. For images it means what it does for pcr.write().

    Attributes are lists with an item for each of an image's annotations, in the file's order,
    empty where it has none: `boxes`, [x0, y0, x1, y1] in pixels (COCO's are [x, y, width,
    height]); `box_classes`, the categories' names; `box_category_ids`; `box_areas`, of the
    segmentation where the file says so, else of the box; `box_iscrowd`, 0 or 1. And `image_id`.
    Samples have no labels. Keys are the images' names, below the split's where these are not
    unique. Loader(boxes="boxes", with_boxes=["box_classes"]) has boxes follow crops.

    A file is read whole, and takes some three times its size while it is, or with
    `segmentations` some eight times.

    The other arguments, the result and the exceptions are those of pcr.write(), but for `classes`
    and for `max_side`, as boxes would not follow. FormatError: not such a file. CorruptError: such
    an annotation. NotFoundError: an image's file is not there.
    """
    check_options("COCO", options)
    folders, files = _by_split(images, split), _by_split(annotations, split)
    if set(folders) != set(files):
        raise InvalidError("images and annotations have different splits: "
                           f"{', '.join(folders)}; {', '.join(files)}")
    left_out: Complaints = []
    found = {name: _read(file, segmentations, on_bad == "fail", left_out)
             for name, file in files.items()}
    return write_annotated(dst, folders, found, left_out, on_bad, options)


def _by_split(given: Paths, split: str) -> Dict[str, str]:
    parts = given if isinstance(given, Mapping) else {split: given}
    return {name: os.fsdecode(path) for name, path in parts.items()}


def _read(file: str, segmentations: bool, strict: bool, left_out: Complaints) -> List[Annotated]:
    """The images of a file, checked. Not strict: annotations that cannot be right are left out."""
    document = _parsed(file, segmentations)
    for name, kind in (("images", dict), ("annotations", _Annotation), ("categories", dict)):
        of = document.get(name) if isinstance(document, dict) else None
        if not isinstance(of, list) or not all(isinstance(entry, kind) for entry in of):
            raise FormatError(f"{file}: no list of {name}, as COCO's annotations have it" + (
                "" if name != "annotations" else ", each with image_id and category_id"))
    categories = _by_id(file, "category", document["categories"], "name")
    images = _by_id(file, "image", document["images"], "file_name")
    _check_names(file, images)
    of_image: Dict[Any, List[_Annotation]] = {number: [] for number in images}
    names: Dict[str, Any] = {}  # of categories in use
    for place, annotation in enumerate(document["annotations"]):
        what = _complaint(annotation, images, categories)
        if not what:
            name = categories[annotation.category]["name"]
            other = names.setdefault(name, annotation.category)
            if other != annotation.category:
                what = f"category {annotation.category} has the name of {other}, {name!r}"
        if not what:
            of_image[annotation.image].append(annotation)
            continue
        where = f"{file}: annotation " + (f"at place {place}" if annotation.id is None
                                          else f"{annotation.id!r}")
        if strict:
            raise CorruptError(f"{where}: {what}")
        left_out.append((where, what))
    return [Annotated(f"{file}: image {number!r}", images[number]["file_name"],
                      {"image_id": number, **_attributes(of_image.pop(number), categories,
                                                         segmentations)})
            for number in images]


def _parsed(file: str, segmentations: bool) -> Any:
    """The document, of whose annotations only what is used is kept, as soon as each is read."""
    def hook(entry: Dict[str, Any]) -> Any:
        if "image_id" not in entry or "category_id" not in entry:
            return entry
        return _Annotation(entry.get("id"), entry["image_id"], entry["category_id"],
                           entry.get("bbox"), entry.get("area"), entry.get("iscrowd", 0),
                           entry.get("segmentation") if segmentations else None)

    data = read_file(file)
    try:
        return json.loads(data, object_hook=hook)
    except (ValueError, RecursionError) as exc:
        raise FormatError(f"{file}: not JSON: {exc}") from None


def _by_id(file: str, what: str, entries: Sequence[Dict[str, Any]],
           name: str) -> Dict[Any, Dict[str, Any]]:
    """Images or categories by their ids."""
    found: Dict[Any, Dict[str, Any]] = {}
    for place, entry in enumerate(entries):
        number = entry.get("id")
        if not _is_id(number) or not isinstance(entry.get(name), str) or not entry[name]:
            raise FormatError(f"{file}: {what} {place if number is None else repr(number)}: "
                              f"expected an id and a {name}")
        if number in found:
            raise CorruptError(f"{file}: {what} {number!r} is there twice")
        found[number] = entry
    return found


def _is_id(value: Any) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _check_names(file: str, images: Mapping[Any, Dict[str, Any]]) -> None:
    """Files lie in the folder, each once."""
    seen: Dict[str, Any] = {}
    for number, image in images.items():
        name = image["file_name"]
        check_name(f"{file}: image {number!r}", name)
        other = seen.setdefault(os.path.normpath(name), number)
        if other != number:
            raise CorruptError(f"{file}: images {other!r} and {number!r} are both {name!r}")


def _complaint(a: _Annotation, images: Mapping[Any, Dict[str, Any]],
               categories: Mapping[Any, Any]) -> str:
    """Why an annotation cannot be right; empty: it can."""
    if not _is_id(a.image) or a.image not in images:
        return f"image {a.image!r:.100}, which is not among the images"
    if not _is_id(a.category) or a.category not in categories:
        return f"category {a.category!r:.100}, which is not among the categories"
    if not isinstance(a.box, list) or len(a.box) != 4 or not all(map(_finite, a.box)):
        return f"bbox is {a.box!r:.100}, expected [x, y, width, height]"
    x, y, width, height = a.box
    image = images[a.image]
    sides = image.get("width"), image.get("height")
    if not all(side is None or _finite(side) for side in sides):
        return f"image {a.image!r} has {sides!r:.100} as width and height"
    why = box_complaint((x, y, x + width, y + height), *sides)
    if why:
        return f"bbox is {a.box}, {why}"
    if a.area is not None and not _finite(a.area):
        return f"area is {a.area!r:.100}, expected a number"
    if a.iscrowd not in (0, 1):
        return f"iscrowd is {a.iscrowd!r:.100}, expected 0 or 1"
    return ""


def _finite(value: Any) -> bool:
    """A number that float64 holds."""
    return (isinstance(value, (int, float)) and not isinstance(value, bool) and
            abs(value) < 1e300)


def _attributes(of: Sequence[_Annotation], categories: Mapping[Any, Any],
                segmentations: bool) -> Dict[str, Any]:
    boxes = np.array([a.box for a in of], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    found: Dict[str, Any] = {
        "boxes": boxes,
        "box_classes": [categories[a.category]["name"] for a in of],
        "box_category_ids": [a.category for a in of],
        "box_areas": np.array([a.box[2] * a.box[3] if a.area is None else a.area for a in of],
                              np.float64),
        "box_iscrowd": np.array([a.iscrowd for a in of], np.int64),
    }
    if segmentations:
        found["box_segmentations"] = [a.segmentation for a in of]
    return found
