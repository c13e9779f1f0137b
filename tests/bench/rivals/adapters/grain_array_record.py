# SPDX-License-Identifier: BSD-2-Clause
"""Grain on an ArrayRecord file, decoding in its threads."""
import os

import work
from adapters import torch_epochs

PACKAGES = ["grain", "array-record", "numpy", "Pillow", "simplejpeg",
            "opencv-python-headless"]
DOWNLOAD_MB = 110
ROWS = torch_epochs.decoder_rows("Grain (ArrayRecord)")


def make(source, dataset):
    from array_record.python.array_record_module import ArrayRecordWriter
    writer = ArrayRecordWriter(os.path.join(dataset, "images.array_record"), "group_size:1")
    for number, path in enumerate(work.paths_below(source)):
        writer.write(number.to_bytes(8, "little") + work.read(path))
    writer.close()


class Loader:
    def __init__(self, source, dataset, threads, table, whole, decoder):
        import cv2
        import grain
        cv2.setNumThreads(0)
        decode = torch_epochs.Decode(table, decoder)
        records = grain.sources.ArrayRecordDataSource(
            [os.path.join(dataset, "images.array_record")])
        self.batches = (
            grain.MapDataset.source(records)
            .map(lambda record: decode(record[8:], int.from_bytes(record[:8], "little")))
            .to_iter_dataset(grain.ReadOptions(num_threads=threads,
                                               prefetch_buffer_size=2 * work.BATCH))
            .batch(work.BATCH))

    def epoch(self):
        return iter(self.batches)
