# SPDX-License-Identifier: BSD-2-Clause
"""LitData: chunks of the JPEGs as they are."""
import os

import work
from adapters import torch_epochs

PACKAGES = ["torch", "litdata", "numpy", "Pillow", "simplejpeg", "opencv-python-headless"]
DOWNLOAD_MB = 310
ROWS = torch_epochs.decoder_rows("LitData")


def _sample(job):
    number, path = job
    return {"jpeg": work.read(path), "number": number}


def make(source, dataset):
    import litdata
    litdata.optimize(fn=_sample, inputs=list(enumerate(work.paths_below(source))),
                     output_dir=os.path.join(dataset, "chunks"), chunk_bytes="64MB",
                     num_workers=1)


class Loader:
    def __init__(self, source, dataset, threads, table, whole, decoder):
        import litdata
        torch_epochs.one_thread_each()
        decode = torch_epochs.Decode(table, decoder)

        class Decoded(litdata.StreamingDataset):
            def __getitem__(self, index):
                sample = super().__getitem__(index)
                return decode(sample["jpeg"], sample["number"])

        chunks = Decoded(os.path.join(dataset, "chunks"), shuffle=False)
        self.loader = litdata.StreamingDataLoader(
            chunks, batch_size=work.BATCH, num_workers=threads, persistent_workers=True,
            collate_fn=work.collate)

    def epoch(self):
        return iter(self.loader)
