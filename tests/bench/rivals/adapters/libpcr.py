# SPDX-License-Identifier: BSD-2-Clause
"""libpcr from Python: the whole image, and prefixes of it."""
import os
import subprocess

import work

PACKAGES = ["numpy"]
DOWNLOAD_MB = 17


def rows(title, *percents):
    """The whole, and the fidelities of about so many per cent of its bytes."""
    return [{"title": title if percent == 100 else f"{title}, about {percent}% of its bytes",
             "antialiased": True, "crops": "own", "options": {"part": percent / 100},
             "within": 1 if percent == 100 else 4 if percent > 25 else 8}
            for percent in (100, *percents)]


ROWS = rows("libpcr", 34, 14)


def make(source, dataset, *options):
    # In the source's order, so that an image's index is its number.
    subprocess.run([os.environ["PCRTOOL"], "convert", "-q", "--no-shuffle", *options, source,
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
    def __init__(self, source, dataset, threads, table, whole, part, **by):
        import pcr
        opened, fidelity = _open(dataset, part)
        by = by or {"fidelity": fidelity}
        how = ({"transform": "stretch"} if whole else
               {"transform": "random_crop", "area": work.AREA, "ratio": work.RATIO,
                "flip": 0.5})
        self.loader = pcr.Loader(opened, batch_size=work.BATCH, size=work.SIZE,
                                 threads=threads, **by, **how)

    def epoch(self):
        for batch in self.loader:
            yield batch.pixels, batch.indices
