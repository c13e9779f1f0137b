# SPDX-License-Identifier: BSD-2-Clause
"""MosaicML Streaming: MDS shards with the JPEGs' bytes."""
import os
import sys
import types

import work
from adapters import torch_epochs

PACKAGES = ["torch", "--no-deps mosaicml-streaming", "numpy", "Pillow", "simplejpeg",
            "opencv-python-headless", "tqdm", "xxhash", "Brotli", "python-snappy", "zstd",
            "boto3", "catalogue"]
DOWNLOAD_MB = 310
ROWS = torch_epochs.decoder_rows("MosaicML Streaming (MDS)")
#: What `import streaming` takes from large packages for parts of it that are not used
#: here: its ready-made datasets, and batches of token dictionaries.
UNUSED = {"torchvision.datasets": ["VisionDataset"],
          "torchvision.transforms.functional": ["to_tensor"],
          "transformers.feature_extraction_utils": ["BatchFeature"],
          "transformers.models.auto.tokenization_auto": ["AutoTokenizer"],
          "transformers.tokenization_utils_base": ["BatchEncoding"]}


def _import():
    for name, members in UNUSED.items():
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            sys.modules.setdefault(".".join(parts[:end]),
                                   types.ModuleType(".".join(parts[:end])))
        for member in members:
            setattr(sys.modules[name], member, type(member, (), {}))
    import streaming
    return streaming


def make(source, dataset):
    columns = {"jpeg": "bytes", "number": "int"}
    with _import().MDSWriter(out=os.path.join(dataset, "mds"), columns=columns) as out:
        for number, path in enumerate(work.paths_below(source)):
            out.write({"jpeg": work.read(path), "number": number})


class Loader:
    def __init__(self, source, dataset, threads, table, whole, decoder):
        streaming = _import()
        streaming.base.util.clean_stale_shared_memory()
        decode = torch_epochs.Decode(table, decoder)

        class Decoded(streaming.StreamingDataset):
            def __getitem__(self, index):
                sample = super().__getitem__(index)
                return decode(sample["jpeg"], sample["number"])

        shards = Decoded(local=os.path.join(dataset, "mds"), shuffle=False,
                         batch_size=work.BATCH)
        self.loader = torch_epochs.data_loader(shards, threads, batch_size=work.BATCH)

    def epoch(self):
        return iter(self.loader)
