#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The training program learns, goes on exactly where it was cut off, and runs in two
processes, where PyTorch is installed."""
import os
import re
import sys

from helper import convert, dataset, files, run, with_pytorch

samples, env = with_pytorch()
path = dataset(count=160)
program = [os.path.join(samples, "train_resnet.py"), path, "--size", "32",
           "--batch-size", "16", "--epochs", "3", "--low-epochs", "2", "--every", "3"]


def train(*args, code=0, launcher=()):
    return run(sys.executable, *launcher, *program, *args, env=env, code=code).stdout.decode()


def digests(text):
    return re.findall(r"^rank \d: weights (\w+)$", text, flags=re.M)


whole = train()
epochs = re.findall(r"^rank 0: epoch (\d): (\d+) images, \d+ images/s, loss ([\d.]+); "
                    r"(\d+) bytes read$", whole, flags=re.M)
assert [e[0] for e in epochs] == ["0", "1", "2"], whole
assert float(epochs[2][2]) < float(epochs[0][2]), whole   # it learns
assert int(epochs[0][3]) < int(epochs[2][3]), whole       # and reads less at first
assert "accuracy on validation: " in whole and len(digests(whole)) == 1, whole

steps = int(epochs[0][1]) // 16
assert steps > 4
cut = train("--checkpoint", "run.pt", "--stop-after", str(steps + 4), code=3)
assert "weights" not in cut
rest = train("--checkpoint", "run.pt")
assert "goes on in epoch 1 after " in rest, rest
assert digests(rest) == digests(whole)

# Integer labels, as a WebDataset's, are classes without names, also where one is missing.
for step in (1, 2):
    with open("list.csv", "w", encoding="utf-8") as file:
        file.write("path,label,split\n")
        for name in files("photos"):
            split, folder, _ = name.split("/")
            label = sorted(os.listdir(f"photos/{split}")).index(folder) * step
            file.write(f"photos/{name},{label},{split}\n")
    convert("list.csv", f"ints{step}.pcr")
    numbers = run(sys.executable, program[0], f"ints{step}.pcr", *program[2:], "--epochs", "1",
                  env=env).stdout.decode()
    assert "accuracy on validation: " in numbers and len(digests(numbers)) == 1, numbers

import torch.distributed  # noqa: E402

if torch.distributed.is_available() and torch.distributed.is_gloo_available():
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port",
                str(20000 + os.getpid() % 20000)]
    two = train("--batch-size", "8", launcher=launcher)
    assert len(digests(two)) == 2 and len(set(digests(two))) == 1, two
else:
    print("this PyTorch has no gloo: several processes are not tested")
