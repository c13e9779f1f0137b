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
from ._columns import Column
from ._dataset import Dataset, Record, VerifyReport, open
from ._epoch import Epoch
from ._export import ExportProgress, ExportReport, export
from ._image import decode, encode, resize
from ._loader import Loader
from ._sample import FileInfo, Sample, SampleView
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
    from . import formats as formats, grain as grain, tf as tf, torch as torch
else:
    #: Modules that are imported when they are first used, for what they need takes seconds.
    _LATER = {"formats": ("", ""), "grain": ("grain", "Grain"),
              "tf": ("tensorflow", "TensorFlow"), "torch": ("torch", "PyTorch")}

    def __getattr__(name: str) -> Any:
        """pcr.torch and such."""
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib
        try:
            return importlib.import_module(f".{name}", __name__)
        except ModuleNotFoundError as exc:
            package, title = _LATER[name]
            if exc.name != package:
                raise
            raise ModuleNotFoundError(f"pcr.{name} needs {title}, which is not installed",
                                      name=package) from exc

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
    "ExportProgress",
    "ExportReport",
    "FileInfo",
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
    "export",
    "ladders",
    "open",
    "recode",
    "resize",
    "system",
    "write",
]
