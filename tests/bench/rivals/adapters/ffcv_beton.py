# SPDX-License-Identifier: BSD-2-Clause
"""FFCV: images of at most 256 px in one file, as JPEG of quality 90 or as pixels.

Its package is built when it is installed, against OpenCV's and TurboJPEG's development files
(on Debian libopencv-dev, libturbojpeg0-dev and pkg-config)."""
import os

import work

PACKAGES = ["torch", "numpy", "Pillow", "opencv-python-headless", "numba", "tqdm", "psutil",
            "assertpy", "fastargs", "terminaltables", "pytorch-pfn-extras", "--no-deps ffcv"]
DOWNLOAD_MB = 340
MAX_SIDE = 256
ROWS = [{"title": f"FFCV, {text}", "antialiased": True, "crops": "own", "within": 8,
         "options": {"mode": mode}}
        for text, mode in (("<= 256 px, JPEG 90", "jpg"), ("<= 256 px, raw", "raw"))]


class _Images:
    """What FFCV's writer takes: (pixels, number) by index."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        import numpy
        from PIL import Image
        with Image.open(self.paths[index]) as image:
            return numpy.asarray(image.convert("RGB")), index


def _path(dataset, mode):
    return os.path.join(dataset, mode + ".beton")


def make(source, dataset):
    from ffcv.fields import IntField, RGBImageField
    from ffcv.writer import DatasetWriter
    images = _Images(work.paths_below(source))
    for mode in ("jpg", "raw"):
        field = RGBImageField(write_mode=mode, max_resolution=MAX_SIDE, jpeg_quality=90)
        DatasetWriter(_path(dataset, mode), {"image": field, "number": IntField()},
                      num_workers=1).from_indexed_dataset(images, shuffle_indices=False)


def nbytes(dataset, mode):
    return os.path.getsize(_path(dataset, mode))


class Loader:
    def __init__(self, source, dataset, threads, table, whole, mode):
        import cv2
        from ffcv.fields.decoders import IntDecoder, RandomResizedCropRGBImageDecoder
        from ffcv.loader import Loader as Batches, OrderOption
        from ffcv.transforms import RandomHorizontalFlip
        cv2.setNumThreads(0)
        size = (work.SIZE, work.SIZE)
        # No crop of the whole area and of a random ratio fits: the fallback is the picture.
        image = ([RandomResizedCropRGBImageDecoder(size, (1, 1), (1e-4, 1e4))] if whole else
                 [RandomResizedCropRGBImageDecoder(size, work.AREA, work.RATIO),
                  RandomHorizontalFlip(0.5)])
        self.loader = Batches(_path(dataset, mode), batch_size=work.BATCH,
                              num_workers=threads, order=OrderOption.RANDOM, drop_last=False,
                              pipelines={"image": image, "number": [IntDecoder()]})

    def epoch(self):
        for pixels, numbers in self.loader:
            yield pixels, numbers.reshape(-1)
