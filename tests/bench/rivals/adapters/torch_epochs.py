# SPDX-License-Identifier: BSD-2-Clause
"""What the loaders that work through torch's DataLoader share."""
import work

#: Two ways to decode for loaders that hand out bytes: as their guides have it, and the
#: fastest that can be put together by hand.
DECODERS = {"Pillow": work.with_pillow,
            "OpenCV": lambda data, crop: work.with_opencv(data, crop, True)}


def decoder_rows(title):
    return [{"title": f"{title}, {how}", "antialiased": True, "crops": "table",
             "options": {"decoder": name}}
            for name, how in (("Pillow", "Pillow"), ("OpenCV", "simplejpeg + OpenCV"))]


class Decode:
    """(bytes, number) to (pixels, number); goes to worker processes."""

    def __init__(self, table, decoder):
        self.table = table
        self.decoder = decoder

    def __call__(self, data, number):
        return DECODERS[self.decoder](data, self.table[number]), number


def one_thread_each():
    """Worker processes have one thread each, or two workers would be four threads."""
    import cv2
    import torch
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def data_loader(dataset, threads, **more):
    """A DataLoader of arrays that keeps its workers from one epoch to the next."""
    from torch.utils.data import DataLoader
    one_thread_each()
    return DataLoader(dataset, num_workers=threads, persistent_workers=True,
                      collate_fn=work.collate, **more)
