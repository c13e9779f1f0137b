# SPDX-License-Identifier: BSD-2-Clause
"""SPDL: FFmpeg decodes, crops and resizes in threads."""
import ctypes.util

import work

PACKAGES = ["numpy", "spdl"]
DOWNLOAD_MB = 25
ROWS = [{"title": "SPDL (FFmpeg)", "antialiased": True, "crops": "table"}]


class Loader:
    def __init__(self, source, dataset, threads, table, whole):
        if not ctypes.util.find_library("avutil"):
            raise RuntimeError("SPDL needs the shared libraries of FFmpeg 4 to 9")
        self.jobs = list(enumerate(work.paths_below(source)))
        self.table = table
        self.threads = threads

    def _decode(self, job):
        import spdl.io
        number, path = job
        left, top, width, height, mirrored = self.table[number]
        filters = (f"crop={width}:{height}:{left}:{top}:exact=1,"
                   f"scale={work.SIZE}:{work.SIZE}:flags=bilinear,"
                   + ("hflip," if mirrored else "") + "format=pix_fmts=rgb24")
        packets = spdl.io.demux_image(path)
        frames = spdl.io.decode_packets(packets, filter_desc=filters)
        return frames, number

    @staticmethod
    def _batch(pairs):
        import numpy
        import spdl.io
        pixels = spdl.io.to_numpy(spdl.io.convert_frames([frames for frames, _ in pairs]))
        return pixels, numpy.array([number for _, number in pairs])

    def epoch(self):
        from spdl.pipeline import PipelineBuilder
        pipeline = (PipelineBuilder().add_source(iter(self.jobs))
                    .pipe(self._decode, concurrency=self.threads)
                    .aggregate(work.BATCH).pipe(self._batch).add_sink(4)
                    .build(num_threads=self.threads))
        with pipeline.auto_stop():
            yield from pipeline.get_iterator()
