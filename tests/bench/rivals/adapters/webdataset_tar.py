# SPDX-License-Identifier: BSD-2-Clause
"""WebDataset: tar shards read by worker processes."""
import os
import tarfile

import work
from adapters import torch_epochs

PACKAGES = ["torch", "webdataset", "numpy", "Pillow", "simplejpeg",
            "opencv-python-headless"]
DOWNLOAD_MB = 290
ROWS = torch_epochs.decoder_rows("WebDataset")
SHARDS = 4  # so that two workers have the same number


def make(source, dataset):
    paths = work.paths_below(source)
    for shard in range(SHARDS):
        with tarfile.open(os.path.join(dataset, f"{shard:06}.tar"), "w") as tar:
            for path in paths[shard::SHARDS]:
                tar.add(path, os.path.basename(path))


class FromSample:
    """A sample with key and bytes to (pixels, number)."""

    def __init__(self, decode):
        self.decode = decode

    def __call__(self, sample):
        return self.decode(sample["jpg"], int(sample["__key__"]))


class Loader:
    def __init__(self, source, dataset, threads, table, whole, decoder):
        import webdataset
        torch_epochs.one_thread_each()
        shards = [os.path.join(dataset, f"{shard:06}.tar") for shard in range(SHARDS)]
        samples = (webdataset.WebDataset(shards, shardshuffle=False)
                   .map(FromSample(torch_epochs.Decode(table, decoder)))
                   .batched(work.BATCH, collation_fn=work.collate))
        self.loader = webdataset.WebLoader(samples, batch_size=None, num_workers=threads,
                                           persistent_workers=True)

    def epoch(self):
        for pixels, numbers in self.loader:
            yield pixels, numbers
