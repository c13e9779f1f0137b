# SPDX-License-Identifier: BSD-2-Clause
"""simplejpeg and OpenCV, or Pillow, by hand: threads that fill a batch from files. "Scaled" decodes
JPEGs to the least eighth of their size that the crop needs, by libjpeg-turbo."""
from concurrent.futures import ThreadPoolExecutor

import work

PACKAGES = ["numpy", "simplejpeg", "opencv-python-headless", "Pillow"]
DOWNLOAD_MB = 85
ROWS = [{"title": "files, simplejpeg + OpenCV, INTER_AREA", "antialiased": True,
         "crops": "table", "options": {"antialiased": True}},
        {"title": "files, simplejpeg + OpenCV, INTER_LINEAR", "antialiased": False,
         "crops": "table", "options": {"antialiased": False}},
        {"title": "files, simplejpeg scaled + OpenCV, INTER_AREA", "antialiased": True,
         "crops": "table", "options": {"antialiased": True, "scaled": True}},
        {"title": "files, Pillow, scaled by draft()", "antialiased": True,
         "crops": "table", "options": {"scaled": True, "pillow": True}}]


class Loader:
    def __init__(self, source, dataset, threads, table, whole, pillow=False, **how):
        if not pillow:
            import cv2
            cv2.setNumThreads(0)
        self.decode = work.with_pillow if pillow else work.with_opencv
        self.paths = work.paths_below(source)
        self.table = table
        self.how = how
        self.pool = ThreadPoolExecutor(threads)

    def _fill(self, batch, place, number):
        batch[place] = self.decode(work.read(self.paths[number]), self.table[number], **self.how)

    def _begin(self, first):
        import numpy
        numbers = numpy.arange(first, min(first + work.BATCH, len(self.paths)))
        batch = numpy.empty((len(numbers), work.SIZE, work.SIZE, 3), numpy.uint8)
        return batch, numbers, [self.pool.submit(self._fill, batch, place, number)
                                for place, number in enumerate(numbers)]

    def epoch(self):
        ahead = []
        for first in range(0, len(self.paths) + 2 * work.BATCH, work.BATCH):
            if first < len(self.paths):
                ahead.append(self._begin(first))
            if ahead and (len(ahead) > 2 or first >= len(self.paths)):
                batch, numbers, jobs = ahead.pop(0)
                for job in jobs:
                    job.result()
                yield batch, numbers
