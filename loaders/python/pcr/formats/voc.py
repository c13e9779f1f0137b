# SPDX-License-Identifier: BSD-2-Clause
"""Images with boxes, as Pascal VOC's XML files have them."""

from __future__ import annotations

import math
import os
from typing import Any, Dict, List, Mapping, Optional
from xml.etree import ElementTree

import numpy as np

from .._dataset import Path
from .._writer import WriteReport
from ..errors import CorruptError, FormatError, InvalidError, NotFoundError, PcrError
from ._annotated import (Annotated, Complaints, box_complaint, check_name, check_options,
                         write_annotated)
from ._common import read_file

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def from_voc(images: Path, annotations: Path, dst: Path, *,
             lists: Optional[Mapping[str, Path]] = None, first_pixel: int = 1,
             on_bad: str = "fail", **options: Any) -> WriteReport:
    """Writes a dataset of images with boxes.

    images: the folder of the images, such as VOC2012/JPEGImages.
    annotations: the folder of the XML files, such as VOC2012/Annotations.
    lists: {split: path of a list}, such as {"train": "VOC2012/ImageSets/Main/train.txt"}: the
        first word of each line names an XML file, without its ending. None: all XML files of the
        folder, in the order of their names, as the split "all".
    first_pixel: the number of the first pixel of a row: 1 in VOC, whose pixels xmin to xmax are
        from xmin - 1 to xmax. 0 takes the corners as they are, as many tools write them.
    on_bad: "fail": a file that cannot be right raises an error that names it: not XML, with a
        document type, which no such file has, without a filename, or with an object that has no
        name or no box of four numbers, or a box of negative size or more than a pixel outside.
        Otherwise such objects, or files, are left out, and are among the report's `left_out`. For
        images it means what it does for pcr.write().

    Attributes are lists with an item for each object, empty where there is none: `boxes`, [x0,
    y0, x1, y1] in pixels; `box_classes`, the objects' names; `box_difficult` and
    `box_truncated`, 0 or 1, 0 where the file does not say. Samples have no labels. Keys are the
    images' names, below the split's where these are not unique.

    The other arguments, the result and the exceptions are those of pcr.write(), but for `classes`
    and for `max_side`, as boxes would not follow. FormatError: no such file. CorruptError: such an
    object. NotFoundError: a file is not there.
    """
    check_options("VOC", options)
    if first_pixel not in (0, 1):
        raise InvalidError(f"first_pixel is {first_pixel!r}, expected 0 or 1")
    folder = os.fsdecode(annotations)
    files = ({"all": sorted(name for name in os.listdir(folder) if name.endswith(".xml"))}
             if lists is None else
             {split: [f"{word}.xml" for word in _words(os.fsdecode(path))]
              for split, path in lists.items()})
    left_out: Complaints = []
    found: Dict[str, List[Annotated]] = {}
    for split, names in files.items():
        found[split] = []
        for name in names:
            path = os.path.join(folder, name)
            try:
                check_name(path, name)
                found[split].append(_read(path, first_pixel, on_bad == "fail", left_out))
            except PcrError as exc:
                if on_bad == "fail":
                    raise
                left_out.append((path, str(exc)))
    return write_annotated(dst, dict.fromkeys(found, os.fsdecode(images)), found, left_out, on_bad,
                           options)


def _words(path: str) -> List[str]:
    """The first word of each line."""
    return [line.split()[0] for line in os.fsdecode(read_file(path)).splitlines() if line.strip()]


class _Builder(ElementTree.TreeBuilder):
    """Elements of a document without a document type, so that there are no entities."""

    def doctype(self, _name: str, _public: Optional[str], _system: Optional[str]) -> None:
        raise ValueError("it has a document type")


def _read(path: str, first_pixel: int, strict: bool, left_out: Complaints) -> Annotated:
    try:
        data = read_file(path)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such file") from None
    try:
        root = ElementTree.fromstring(data, ElementTree.XMLParser(target=_Builder()))
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as exc:
        raise FormatError(f"{path}: not an annotation of VOC: {exc}") from None
    name = (root.findtext("filename") or "").strip()
    if root.tag != "annotation" or not name:
        raise FormatError(f"{path}: not an annotation of VOC: it has no filename")
    check_name(path, name)
    width, height = (_number(root.findtext(f"size/{side}")) or None
                     for side in ("width", "height"))
    boxes, names, flags = [], [], []
    for place, entry in enumerate(root.findall("object")):
        corners = [_number(entry.findtext(f"bndbox/{corner}")) for corner in _CORNERS]
        found = [c for c in corners if c is not None]
        title = (entry.findtext("name") or "").strip()
        marks = [_number(entry.findtext(mark, "0")) for mark in ("difficult", "truncated")]
        why = ("no name" if not title else "no bndbox of four numbers" if len(found) < 4 else
               "difficult and truncated are 0 or 1" if not set(marks) <= {0, 1} else "")
        if not why:
            box = [found[0] - first_pixel, found[1] - first_pixel, found[2], found[3]]
            why = box_complaint(box, width, height)
            why = why and f"the box is {found}, {why}"
        if not why:
            boxes.append(box)
            names.append(title)
            flags.append(marks)
        elif strict:
            raise CorruptError(f"{path}: object {place}: {why}")
        else:
            left_out.append((f"{path}: object {place}", why))
    marked = np.array(flags, np.float64).reshape(-1, 2).astype(np.int64)
    return Annotated(path, name, {
        "boxes": np.array(boxes, np.float64).reshape(-1, 4), "box_classes": names,
        "box_difficult": marked[:, 0], "box_truncated": marked[:, 1]})


def _number(text: Optional[str]) -> Optional[float]:
    """A finite number; None where there is none."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
