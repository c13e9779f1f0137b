# SPDX-License-Identifier: BSD-2-Clause
"""Files through torch's DataLoader, as torchvision's ImageFolder reads them: by Pillow.

torchvision itself is left out: its wheels on the package index need a torch with CUDA."""
import work
from adapters import torch_epochs

PACKAGES = ["torch", "numpy", "Pillow", "simplejpeg", "opencv-python-headless"]
DOWNLOAD_MB = 290
ROWS = torch_epochs.decoder_rows("ImageFolder style")


class Files:
    """A map-style dataset."""

    def __init__(self, paths, decode):
        self.paths = paths
        self.decode = decode

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, number):
        return self.decode(work.read(self.paths[number]), number)


class Loader:
    def __init__(self, source, dataset, threads, table, whole, decoder):
        files = Files(work.paths_below(source), torch_epochs.Decode(table, decoder))
        self.loader = torch_epochs.data_loader(files, threads, batch_size=work.BATCH,
                                               shuffle=True)

    def epoch(self):
        return iter(self.loader)
