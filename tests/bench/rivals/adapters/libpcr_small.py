# SPDX-License-Identifier: BSD-2-Clause
"""libpcr with what FFCV has: images of at most 256 px, JPEG of quality 90."""
import os
import subprocess

from adapters import libpcr

PACKAGES = libpcr.PACKAGES
DOWNLOAD_MB = libpcr.DOWNLOAD_MB
ROWS = [{"title": f"libpcr, <= 256 px, JPEG 90{text}", "antialiased": True, "crops": "own",
         "options": {"part": part}, "within": 8}
        for text, part in (("", 1.0), (", about 37% of them", 0.37))]


def make(source, dataset):
    subprocess.run([os.environ["PCRTOOL"], "convert", "-q", "--no-shuffle", "--max-side",
                    "256", "--quality", "90", source, os.path.join(dataset, "images.pcr")],
                   check=True)


read_nbytes = libpcr.read_nbytes
Loader = libpcr.Loader
