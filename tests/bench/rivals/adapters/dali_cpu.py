# SPDX-License-Identifier: BSD-2-Clause
"""DALI on the CPU alone: files, decoded under a crop of its own."""
import work

PACKAGES = ["numpy", "nvidia-dali-cuda120"]
DOWNLOAD_MB = 560
ROWS = [{"title": "DALI, CPU", "antialiased": True, "crops": "own"}]


class Loader:
    def __init__(self, source, dataset, threads, table, whole):
        from nvidia.dali import fn, pipeline_def, types
        paths = work.paths_below(source)

        @pipeline_def(batch_size=work.BATCH, num_threads=threads, device_id=None)
        def pipeline():
            data, numbers = fn.readers.file(files=paths, labels=list(range(len(paths))))
            if whole:
                pixels = fn.decoders.image(data, device="cpu", output_type=types.RGB)
            else:
                pixels = fn.decoders.image_random_crop(
                    data, device="cpu", output_type=types.RGB, random_area=work.AREA,
                    random_aspect_ratio=work.RATIO)
            pixels = fn.resize(pixels, size=(work.SIZE, work.SIZE), antialias=True,
                               interp_type=types.INTERP_LINEAR)
            if not whole:
                pixels = fn.flip(pixels, horizontal=fn.random.coin_flip())
            return pixels, numbers

        self.pipeline = pipeline()
        self.pipeline.build()
        self.batch_count = -(-len(paths) // work.BATCH)

    def epoch(self):
        for _ in range(self.batch_count):
            pixels, numbers = self.pipeline.run()
            yield pixels.as_array(), numbers.as_array().ravel()
