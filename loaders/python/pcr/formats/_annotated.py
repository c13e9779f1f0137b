# SPDX-License-Identifier: BSD-2-Clause
"""Images whose boxes are in files beside them: checks, and the dataset of them."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._dataset import Path
from .._source import NewSample
from .._writer import WriteReport, write
from ..errors import InvalidError, NotFoundError
from ._common import keys_of, read_file

Complaints = List[Tuple[str, str]]

TOLERANCE = 1.0  # by how many pixels boxes may lie outside: annotations are rounded


class Annotated(NamedTuple):
    """An image, below a folder, and where it was found, for messages."""

    where: str
    name: str
    attributes: Dict[str, Any]


def check_options(format: str, options: Mapping[str, Any]) -> None:
    """Refuses those of pcr.write() that would spoil boxes or have no effect."""
    for name, why in (("classes", "boxes have the classes"),
                      ("max_side", "boxes would not follow the pictures that it reduces"),
                      ("target_nbytes", "boxes would not follow pictures that it turns")):
        if options.get(name) is not None:
            raise InvalidError(f"{name} is not for {format}: {why}")


def check_name(where: str, name: str) -> None:
    """An image's file lies below its folder."""
    if os.path.isabs(name) or ".." in name.split("/") or "\0" in name:
        raise InvalidError(f"{where}: the file's name is {name!r:.200}, expected one below the "
                           "images' folder")


def box_complaint(box: Sequence[float], width: Optional[float], height: Optional[float]) -> str:
    """Why x0, y0, x1, y1 cannot be in a picture; empty: they can. None: of an unknown side."""
    if box[2] < box[0] or box[3] < box[1]:
        return "of negative size"
    for first, last, most in ((box[0], box[2], width), (box[1], box[3], height)):
        if first < -TOLERANCE or (most is not None and last > most + TOLERANCE):
            return f"outside of its image of {width} x {height}"
    return ""


def write_annotated(dst: Path, folders: Mapping[str, str],
                    images: Mapping[str, Sequence[Annotated]], left_out: Complaints, on_bad: str,
                    options: Mapping[str, Any]) -> WriteReport:
    """Writes the images of each split, which are below the split's folder."""
    paths = {split: [os.path.join(folders[split], image.name) for image in of]
             for split, of in images.items()}
    if on_bad == "fail":
        for split, of in images.items():
            for image, path in zip(of, paths[split]):
                if not os.path.isfile(path):
                    raise NotFoundError(f"{image.where}: no file {path}")
    keys = keys_of({split: [image.name for image in of] for split, of in images.items()})

    def samples() -> Iterator[NewSample]:
        for split, of in images.items():
            for key, path, image in zip(keys[split], paths[split], of):
                yield NewSample(key, partial(read_file, path), None, image.attributes, split)

    report = write(dst, samples(), on_bad=on_bad, **options)
    return report._replace(left_out=(*report.left_out, *left_out))
