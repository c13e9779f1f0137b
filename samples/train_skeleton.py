#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A training loop on a dataset: two epochs, the first at a low fidelity, the second at a
higher one. Softmax regression in NumPy stands where your model goes.

    train_skeleton.py DATASET [BATCH_SIZE]
"""
import sys
import time

import numpy as np
import pcr

SIZE_PX = 32
RATE = 0.1


class Model:
    """Softmax regression on normalised pixels."""

    def __init__(self, class_count):
        self.weights = np.zeros((SIZE_PX * SIZE_PX * 3 + 1, class_count))

    def step(self, pixels, labels):
        """One step of gradient descent; returns the loss before it."""
        count = len(labels)
        x = pixels.reshape(count, -1).astype(np.float64) / 255 - 0.5
        x = np.hstack([x, np.ones((count, 1))])
        scores = x @ self.weights
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances = scores / scores.sum(axis=1, keepdims=True)
        loss = -np.log(chances[np.arange(count), labels] + 1e-12).mean()
        chances[np.arange(count), labels] -= 1
        self.weights -= RATE * (x.T @ chances) / count
        return loss


def train_epoch(loader, model, histogram):
    """Takes one epoch; returns the number of images and the mean loss of the batches."""
    image_count, losses = 0, []
    for batch in loader:
        labels = np.maximum(batch.labels, 0)  # -1: the sample has no label
        histogram += np.bincount(labels, minlength=len(histogram))
        losses.append(model.step(batch.pixels, labels))
        image_count += len(labels)
    return image_count, float(np.mean(losses))


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit("usage: train_skeleton.py DATASET [BATCH_SIZE]")
    batch_size = int(sys.argv[2]) if len(sys.argv) == 3 else 64
    with pcr.open(sys.argv[1]) as dataset:
        classes = dataset.classes or ("(no classes)",)
        full = dataset.group_count
        model = Model(len(classes))
        loader = pcr.Loader(dataset, batch_size=batch_size, size=SIZE_PX, seed=1, flip=0.5)
        with loader:
            for epoch, fidelity in enumerate((max(1, full // 3), full)):
                loader.set_fidelity(fidelity)
                histogram = np.zeros(len(classes), dtype=np.int64)
                read_before = loader.stats()["read_nbytes"]
                began = time.perf_counter()
                count, loss = train_epoch(loader, model, histogram)
                seconds = time.perf_counter() - began
                read = loader.stats()["read_nbytes"] - read_before
                print(f"epoch {epoch} at fidelity {fidelity} of {full}: {count} images, "
                      f"{count / seconds:.0f} images/s, {read} bytes read, "
                      f"loss {loss:.3f}")
                for name, number in zip(classes, histogram):
                    print(f"  {name}: {number}")


main()
