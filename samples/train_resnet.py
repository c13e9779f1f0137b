#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Trains a small ResNet on a dataset with PyTorch: low fidelity first, checkpoints from which
training goes on exactly, and several processes.

    train_resnet.py DATASET --checkpoint run.pt
    torchrun --nproc-per-node 2 train_resnet.py DATASET --checkpoint run.pt

The same command goes on after it was stopped, at whatever batch. The digest of the weights
that it prints at the end is then the same as without the stop.
"""
import argparse
import hashlib
import os
import time

import torch
import torch.distributed as dist
from torch import nn

import pcr
import pcr.torch

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two 3 x 3 convolutions and the way past them."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs),
            nn.ReLU(), nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs))
        self.past = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.body(x) + self.past(x))


def resnet(class_count, widths=(16, 32, 64)):
    layers = [nn.Conv2d(3, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]),
              nn.ReLU()]
    for inputs, outputs in zip((widths[0], *widths), widths):
        layers.append(Block(inputs, outputs, 1 if inputs == outputs else 2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(widths[-1], class_count))


def training_split(splits):
    """The name of the split to train on; None where the dataset has no splits."""
    filled = [name for name, count in splits.items() if count]
    for name in filled:
        if name.lower() in ("train", "training"):
            return name
    if len(filled) > 1:
        raise SystemExit(f"train_resnet.py: which of the splits {', '.join(filled)} is to be "
                         "trained on? Give --split")
    return None


class Training:
    """All that a checkpoint holds, and the loop."""

    def __init__(self, args, splits, class_count):
        torch.manual_seed(args.seed)  # the same weights in each process
        self.args = args
        self.rank = dist.get_rank() if dist.is_initialized() else 0
        self.model = resnet(class_count)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=args.rate, momentum=0.9)
        self.parallel = (nn.parallel.DistributedDataParallel(self.model)
                         if dist.is_initialized() else self.model)
        # Under torch.distributed each process gets its part of each step by itself.
        self.loader = pcr.torch.Loader(
            args.dataset, split=args.split or training_split(splits),
            batch_size=args.batch_size, size=args.size, seed=args.seed, flip=0.5,
            fidelity=[(0, args.low), (args.low_epochs, None)],
            dtype="float32", mean=MEAN, std=STD, threads=args.threads, drop_last=True)
        if not len(self.loader):
            raise SystemExit("train_resnet.py: fewer images than one step takes: give a "
                             "smaller --batch-size")
        self.epoch = self.taken = 0
        if args.checkpoint and os.path.exists(args.checkpoint):
            self.restore()

    def restore(self):
        saved = torch.load(self.args.checkpoint)
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.loader.load_state_dict(saved["loader"])
        self.epoch = saved["loader"]["epoch"]
        print(f"rank {self.rank}: goes on in epoch {self.epoch} after "
              f"{saved['loader']['position']} images", flush=True)

    def save(self):
        """One rank's state is every rank's, for all have taken as many batches."""
        if self.rank or not self.args.checkpoint:
            return
        torch.save({"model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "loader": self.loader.state_dict()}, self.args.checkpoint + ".new")
        os.replace(self.args.checkpoint + ".new", self.args.checkpoint)

    def train_epoch(self):
        self.parallel.train()
        began, before, count, loss_sum = time.perf_counter(), self.loader.stats(), 0, 0.0
        for images, labels in self.loader:
            loss = nn.functional.cross_entropy(self.parallel(images), labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            count += len(labels)
            loss_sum += loss.item() * len(labels)
            self.taken += 1
            if self.taken % self.args.every == 0:
                self.save()
            if self.taken == self.args.stop_after:
                os._exit(3)  # as abruptly as a lost machine
        spent = self.loader.stats() - before
        print(f"rank {self.rank}: epoch {self.epoch}: {count} images, "
              f"{count / (time.perf_counter() - began):.0f} images/s, loss "
              f"{loss_sum / count if count else 0:.3f}; {spent.read_nbytes} bytes read",
              flush=True)

    def run(self):
        for self.epoch in range(self.epoch, self.args.epochs):
            self.train_epoch()
            self.save()
        weights = hashlib.sha256()
        for value in self.model.parameters():
            weights.update(value.detach().numpy().tobytes())
        print(f"rank {self.rank}: weights {weights.hexdigest()[:16]}", flush=True)


@torch.no_grad()
def accuracy(model, args, split):
    """Of the whole split, each image counted once: every process has its part of it, in as many
    batches, and what only fills a batch is not valid."""
    model.eval()
    sums = torch.zeros(2, dtype=torch.int64)
    with pcr.torch.Loader(args.dataset, split=split, transform="center_crop",
                          shuffle="none", size=args.size, dtype="float32", mean=MEAN,
                          std=STD, exact=True) as loader:
        for images, labels, valid in loader:
            right = model(images).argmax(1) == labels
            valid &= labels >= 0  # there are test splits without labels
            sums += torch.stack([(right & valid).sum(), valid.sum()])
    if dist.is_initialized():
        dist.all_reduce(sums)
    return int(sums[0]), int(sums[1])


def options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--split", help="to train on, if it is not train or training")
    parser.add_argument("--checkpoint", help="file to go on from, and to save to")
    parser.add_argument("--every", type=int, default=100, help="batches between checkpoints")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--low-epochs", type=int, default=3,
                        help="epochs at the low fidelity, before those at the full one")
    parser.add_argument("--low", type=int, default=2, help="the low fidelity")
    parser.add_argument("--batch-size", type=int, default=32, help="of each process")
    parser.add_argument("--size", type=int, default=64, help="of the images, pixels")
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, help="threads that decode, in each process")
    parser.add_argument("--stop-after", type=int, default=0,
                        help="end without a word after so many batches, to try resuming")
    return parser.parse_args()


def count_classes(dataset):
    """The classes that labels are 0 to n - 1 of; integers that have no names count as such."""
    if dataset.classes:
        return len(dataset.classes)
    kind = dataset.schema["label"]
    if kind == "ints" and 0 <= dataset.labels.min() and dataset.labels.max() < 100_000:
        return int(dataset.labels.max()) + 1
    raise SystemExit(f"train_resnet.py: the dataset's labels ({kind}) are no classes; give "
                     "them when it is made: pcr.write(classes=...), pcrtool convert --classes")


def main():
    args = options()
    if "RANK" in os.environ:  # torchrun sets it
        dist.init_process_group("gloo")
    with pcr.open(args.dataset, split="all") as dataset:
        splits, class_count = dataset.splits, count_classes(dataset)
        args.low = min(args.low, dataset.group_count)
    training = Training(args, splits, class_count)
    training.run()
    for split in splits:
        if split.lower() in ("val", "valid", "validation", "dev", "eval", "test", "testing"):
            right, count = accuracy(training.model, args, split)
            if training.rank == 0 and count:
                print(f"accuracy on {split}: {right / count:.3f} ({right} of {count})")
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
