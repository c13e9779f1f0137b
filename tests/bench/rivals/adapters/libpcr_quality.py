# SPDX-License-Identifier: BSD-2-Clause
"""libpcr by quality: each image at the least fidelity that its crop needs."""
from adapters import libpcr

PACKAGES = libpcr.PACKAGES
DOWNLOAD_MB = libpcr.DOWNLOAD_MB
ROWS = [{"title": f"libpcr, quality {quality}", "antialiased": True, "crops": "own",
         "options": {"quality": quality}, "within": 8} for quality in (0.95, 0.98)]

make = libpcr.make


def read_nbytes(dataset, quality):
    loader = Loader(None, dataset, 1, None, False, quality).loader
    for _ in loader:
        pass
    return loader.stats()["delivered_nbytes"]


class Loader(libpcr.Loader):
    def __init__(self, source, dataset, threads, table, whole, quality):
        super().__init__(source, dataset, threads, table, whole, 1, quality=quality)
