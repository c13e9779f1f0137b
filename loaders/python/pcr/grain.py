# SPDX-License-Identifier: BSD-2-Clause
"""A data source for Grain, which must be installed to import this module.

A source gives single samples, decoded in Grain's worker processes, in the order of Grain's own
samplers and with its checkpoints. pcr.Loader is faster: threads, reads of whole slices, crops that
decode only what they show; for JAX its batches are arrays by DLPack.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any, Mapping, Optional, Union

import grain  # type: ignore[import]  # what is not there says so here

from ._dataset import Dataset, Path
from ._items import Items
from ._library import Size

__all__ = ["Source"]

assert grain  # it is imported for its absence alone


class Source(Items):
    """A RandomAccessDataSource of a dataset's samples, for grain.DataLoader and
    grain.MapDataset.source().

    dataset: a path, or what pcr.open() returned, which may be closed afterwards.
    split: of a path, as in pcr.open(); for None pcr.Loader's warning holds.
    image: what images are: an "array", uint8, (height, width, 3), or (height, width) with
        gray=True; "pil", a PIL.Image.Image; or "file": bytes, a JPEG file at the fidelity, or the
        file that was kept whole.
    fidelity: 1 to G; None is G.
    size: (height, width) that images are resized to, whole, or one number for both: batches need
        images of one size.
    names: items are dictionaries, {key: name, ...}, where a name is "images", "labels", "indices",
        "keys" or "attributes"; None is {"image": "images", "label": "labels"}. A label is an int,
        -1 where there is none, or of a dataset with float labels a float, NaN where there is none.
    Other keyword arguments are those of Sample.decode() (orient, gray, crop, scale, ...) and, with
    a path, those of pcr.open() (cache_dir, retries, storage, ...).

    Its repr(), by which Grain knows the source of a checkpoint, has the dataset's name, split and a
    sum of its contents: a copy elsewhere, or another fidelity, goes on from the same checkpoint.

    May be pickled: worker processes open the files anew. Raises what pcr.open() raises,
    InvalidError; indexing raises IndexError and what Sample.decode() raises.
    """

    def __init__(self, dataset: Union[Dataset, Path], *, split: Optional[str] = None,
                 image: str = "array", fidelity: Optional[int] = None,
                 size: Optional[Size] = None, names: Optional[Mapping[str, str]] = None,
                 **options: Any) -> None:
        super().__init__(dataset, split, image, fidelity, size, None, None,
                         {"image": "images", "label": "labels"} if names is None else names,
                         options)
        contents = json.dumps(self.dataset.manifest, sort_keys=True).encode()
        self._sum = zlib.crc32(contents)

    def __repr__(self) -> str:
        name = os.path.basename(os.path.normpath(self.dataset.path))
        return (f"pcr.grain.Source({name!r}, split={self.dataset.split!r}, "
                f"{len(self)} samples, contents {self._sum:08x})")
