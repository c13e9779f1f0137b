# SPDX-License-Identifier: BSD-2-Clause
"""TurboLoader on a tar. It delivers float32 alone; its crops are its own.

Its pool has a thread for each CPU that the process may use, so that is what is set."""
import os
import tarfile

import work

PACKAGES = ["numpy", "turboloader"]
DOWNLOAD_MB = 30
ROWS = [{"title": "TurboLoader, float32", "antialiased": True, "crops": "own"}]


def make(source, dataset):
    with tarfile.open(os.path.join(dataset, "images.tar"), "w") as tar:
        for path in work.paths_below(source):
            tar.add(path, os.path.relpath(path, source))


class Loader:
    def __init__(self, source, dataset, threads, table, whole):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        os.environ["OMP_NUM_THREADS"] = str(threads)
        import turboloader
        self.loader = turboloader.DataLoader(
            os.path.join(dataset, "images.tar"), batch_size=work.BATCH, num_workers=threads,
            image_size=work.SIZE, output_format="numpy", antialias=True,
            train_aug=not whole, hflip_prob=0.0 if whole else 0.5)
        self.whole = whole
        self.number = 0

    def epoch(self):
        self.loader.set_epoch(self.number)
        self.number += 1
        for pixels, about in self.loader:
            if self.whole:
                pixels = (pixels * 255).round().astype("uint8")
            yield pixels, about["indices"]
