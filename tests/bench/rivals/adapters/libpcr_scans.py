# SPDX-License-Identifier: BSD-2-Clause
"""libpcr with progressive JPEG scans instead of its own coding."""
from adapters import libpcr

PACKAGES = libpcr.PACKAGES
DOWNLOAD_MB = libpcr.DOWNLOAD_MB
ROWS = libpcr.rows("libpcr, scans", 34, 19)


def make(source, dataset):
    libpcr.make(source, dataset, "--coding", "scans")


read_nbytes = libpcr.read_nbytes
Loader = libpcr.Loader
