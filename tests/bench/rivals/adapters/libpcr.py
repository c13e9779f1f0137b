# SPDX-License-Identifier: BSD-2-Clause
"""libpcr from Python: the whole image, and the groups at about 37% and 13% of the bytes."""
import os
import subprocess

import work

PACKAGES = ["numpy"]
DOWNLOAD_MB = 17
ROWS = [{"title": f"libpcr, {text}", "antialiased": True, "crops": "own",
         "options": {"part": part}, "within": within}
        for text, part, within in (("lossless", 1.0, 1), ("about 37% of the bytes", 0.37, 4),
                                   ("about 13% of the bytes", 0.13, 8))]


def make(source, dataset):
    # In the source's order, so that an image's index is its number.
    subprocess.run([os.environ["PCRTOOL"], "convert", "-q", "--no-shuffle", source,
                    os.path.join(dataset, "images.pcr")], check=True)


def _open(dataset, part):
    """The dataset, and the fidelity whose share of the bytes is nearest to `part`."""
    import pcr
    opened = pcr.open(os.path.join(dataset, "images.pcr"))
    groups = range(1, opened.group_count + 1)
    whole = opened.prefix_nbytes(opened.group_count)
    return opened, min(groups, key=lambda g: abs(opened.prefix_nbytes(g) / whole - part))


def read_nbytes(dataset, part):
    opened, fidelity = _open(dataset, part)
    return opened.prefix_nbytes(fidelity)


class Loader:
    def __init__(self, source, dataset, threads, table, whole, part):
        import pcr
        opened, fidelity = _open(dataset, part)
        how = ({"transform": "stretch"} if whole else
               {"transform": "random_crop", "area": work.AREA, "ratio": work.RATIO,
                "flip": 0.5})
        self.loader = pcr.Loader(opened, batch_size=work.BATCH, size=work.SIZE,
                                 threads=threads, fidelity=fidelity, **how)

    def epoch(self):
        for batch in self.loader:
            yield batch.pixels, batch.indices
