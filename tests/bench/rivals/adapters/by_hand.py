# SPDX-License-Identifier: BSD-2-Clause
"""simplejpeg and OpenCV by hand: threads that fill a batch from files."""
from concurrent.futures import ThreadPoolExecutor

import work

PACKAGES = ["numpy", "simplejpeg", "opencv-python-headless"]
DOWNLOAD_MB = 85
ROWS = [{"title": "files, simplejpeg + OpenCV, INTER_AREA", "antialiased": True,
         "crops": "table", "options": {"antialiased": True}},
        {"title": "files, simplejpeg + OpenCV, INTER_LINEAR", "antialiased": False,
         "crops": "table", "options": {"antialiased": False}}]


class Loader:
    def __init__(self, source, dataset, threads, table, whole, antialiased):
        import cv2
        cv2.setNumThreads(0)
        self.paths = work.paths_below(source)
        self.table = table
        self.antialiased = antialiased
        self.pool = ThreadPoolExecutor(threads)

    def _fill(self, batch, place, number):
        batch[place] = work.with_opencv(work.read(self.paths[number]), self.table[number],
                                        self.antialiased)

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
