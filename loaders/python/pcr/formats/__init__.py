# SPDX-License-Identifier: BSD-2-Clause
"""Datasets from and to what other Python packages hold: one function a format.

| function | from or to | needs |
|---|---|---|
| from_parquet() | Parquet and Arrow files, Hugging Face's or others | pyarrow |
| from_huggingface() | a Dataset, DatasetDict or a streamed one of `datasets` | datasets |
| from_torchvision() | a dataset of torchvision, or a Subset of one | torchvision |
| as_png() | a PNG of a HEIC, AVIF or JPEG XL file | Pillow and a plugin |
| to_parquet() | Parquet files that `datasets.load_dataset` reads | pyarrow |

Any iterable of samples is written by pcr.write(); all that is here ends there, and takes its
arguments. Files are taken as they are, without decoding, one part after the other: in memory are
keys, labels and attributes. Formats that need no Python are pcr.convert()'s.
"""

from typing import Any, Callable, Dict

from .._pillow import as_png
from .huggingface import from_huggingface
from .parquet import from_parquet, to_parquet
from .torchvision import from_torchvision

#: Importers by name, which `python3 -m pcr import` takes paths for where it can.
IMPORTERS: Dict[str, Callable[..., Any]] = {
    "parquet": from_parquet,
    "huggingface": from_huggingface,
    "torchvision": from_torchvision,
}

#: Exporters by name.
EXPORTERS: Dict[str, Callable[..., Any]] = {"parquet": to_parquet}

__all__ = ["EXPORTERS", "IMPORTERS", "as_png", "from_huggingface", "from_parquet",
           "from_torchvision", "to_parquet"]
