# SPDX-License-Identifier: BSD-2-Clause
"""libpcr with what FFCV has: images of at most 256 px, JPEG of quality 90."""
from adapters import libpcr

PACKAGES = libpcr.PACKAGES
DOWNLOAD_MB = libpcr.DOWNLOAD_MB
ROWS = [dict(row, within=8) for row in libpcr.rows("libpcr, <= 256 px, JPEG 90", 34)]


def make(source, dataset):
    libpcr.make(source, dataset, "--max-side", "256", "--quality", "90")


read_nbytes = libpcr.read_nbytes
Loader = libpcr.Loader
