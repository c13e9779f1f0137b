# SPDX-License-Identifier: BSD-2-Clause
"""Progressive Compressed Records: image training data at any fidelity.

A dataset is a sequence of samples, each readable at fidelity 1 to G, where G is lossless
and each fidelity is a prefix of the next::

    import pcr

    with pcr.open("dataset") as ds:
        pixels = ds[0].decode(fidelity=2)

    for images, labels in pcr.Loader("dataset", batch_size=128, fidelity=4):
        ...
"""

from typing import TYPE_CHECKING, Any

from . import errors
from ._batch import Batch, BatchView, RawBatch
from ._batch import Batch, RawBatch
from ._columns import Column
from ._dataset import Dataset, Record, VerifyReport, open
from ._epoch import Epoch
from ._image import decode, encode, resize
from ._loader import Loader
from ._sample import Sample, SampleView
from ._source import NewSample
from ._stats import BadSample, LoaderStats
from ._storage import Storage, StorageFile
from ._system import system
from ._push import Writer
from ._tune import BandwidthTuner, Decision, PlateauTuner
from ._views import View
from ._writer import BadInput, WriteProgress, WriteReport, convert, ladders, recode, write
from .errors import (AccessError, BusyError, CancelledError, CorruptError, FormatError,
                     InvalidError, IoError, LimitError, NotFoundError, OutOfMemory,
                     PcrError, ProfileWarning, TruncatedError, UnsupportedError)

if TYPE_CHECKING:
    from . import torch as torch
else:
    def __getattr__(name: str) -> Any:
        """pcr.torch, imported when it is first used: PyTorch takes seconds."""
        if name != "torch":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib
        try:
            return importlib.import_module(".torch", __name__)
        except ModuleNotFoundError as exc:
            if exc.name != "torch":
                raise
            raise ModuleNotFoundError("pcr.torch needs PyTorch, which is not installed",
                                      name="torch") from exc

__version__ = "0.1.0"

__all__ = [
    "AccessError",
    "BadInput",
    "BandwidthTuner",
    "Batch",
    "BatchView",
    "BusyError",
    "CancelledError",
    "Column",
    "CorruptError",
    "Dataset",
    "Decision",
    "Epoch",
    "BadSample",
    "FormatError",
    "InvalidError",
    "IoError",
    "LimitError",
    "Loader",
    "LoaderStats",
    "NewSample",
    "NotFoundError",
    "OutOfMemory",
    "PcrError",
    "PlateauTuner",
    "ProfileWarning",
    "RawBatch",
    "Record",
    "Sample",
    "SampleView",
    "Storage",
    "StorageFile",
    "TruncatedError",
    "UnsupportedError",
    "VerifyReport",
    "WriteProgress",
    "View",
    "Writer",
    "WriteReport",
    "convert",
    "decode",
    "encode",
    "errors",
    "ladders",
    "open",
    "recode",
    "resize",
    "system",
    "write",
]
