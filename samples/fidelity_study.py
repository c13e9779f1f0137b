#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Trains a small network on a dataset at several fidelities, and compares accuracy, bytes and time.

    fidelity_study.py DATASET --out results.jsonl
    fidelity_study.py DATASET --out slow.jsonl --throttle 10 --arms full,quality=0.9
    fidelity_study.py --show results.jsonl --plot results.svg

An arm is a way of reading: "full", "fidelity=3", "quality=0.9", or a tuner: "gradient",
"plateau", "bandwidth". Each is trained with each seed; all have the same network, samples, order
and crops. Validation is at full fidelity. One line of JSON is written after each epoch, and a run
that is complete in the file is not repeated. --throttle N reads as from storage that delivers at
full fidelity a N-th of what training takes. Needs PyTorch, and Matplotlib for --plot.
"""
import argparse
import collections
import json
import math
import statistics
import sys
import time

import pcr

ARMS = "full,fidelity=2,fidelity=3,quality=0.9,quality=0.95,gradient,plateau,bandwidth"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CANDIDATES = [0.8, 0.9, 0.95, None]  # of tuners
STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}  # 95%, by seeds


def network(class_count, widths=(16, 32, 64, 128)):
    from torch import nn
    layers, inputs = [], 3
    for width in widths:
        layers += [nn.Conv2d(inputs, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width),
                   nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2),
                         nn.Linear(inputs, class_count))


def evaluate(model, dataset, args):
    """Accuracy on the validation split, at full fidelity."""
    import torch
    loader = pcr.torch.Loader(dataset, batch_size=128, size=args.size, shuffle=False,
                              transform="center_crop", dtype="float32", mean=MEAN, std=STD,
                              threads=1)
    model.eval()
    right = count = 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images).argmax(1) == labels).sum())
            count += len(labels)
    loader.close()
    return right / count


def loss_of(model, batch):
    import torch
    images, labels = batch
    return torch.nn.functional.cross_entropy(model(images), labels)


def make_tuner(arm, loader, model):
    if arm == "gradient":
        return pcr.torch.GradientTuner(loader, model, loss_of, CANDIDATES, start=2, every=5,
                                       batches=4)
    if arm == "plateau":
        return pcr.PlateauTuner(loader, CANDIDATES, patience=2, min_delta=0.02)
    if arm == "bandwidth":
        return pcr.BandwidthTuner(loader, CANDIDATES[:-1] + [0.98])
    return None


def train(arm, seed, args, throttle=None):
    """One run; yields its row after each epoch."""
    import torch
    torch.manual_seed(seed)
    kind, _, value = arm.partition("=")
    how = {} if not value else {kind: int(value) if kind == "fidelity" else float(value)}
    validation = pcr.open(args.dataset, split=args.validation)
    training = pcr.open(args.dataset, split=args.split, throttle=throttle)
    with validation, training:
        model = network(len(training.classes))
        loader = pcr.torch.Loader(
            training, batch_size=args.batch_size, size=args.size, seed=seed,
            area=(0.25, 1), flip=0.5, dtype="float32", mean=MEAN, std=STD, drop_last=True,
            threads=1, **how)
        optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, args.rate, total_steps=args.epochs * len(loader), pct_start=0.2)
        tuner = make_tuner(arm, loader, model)
        seconds = 0.0
        for epoch in range(args.epochs):
            start, losses = time.monotonic(), []
            if arm == "gradient":
                tuner.step(epoch)
            model.train()
            for batch in loader:
                loss = loss_of(model, batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                if arm == "bandwidth":
                    tuner.step()
            if arm == "plateau":
                tuner.step(statistics.fmean(losses))
            seconds += time.monotonic() - start
            yield {"arm": arm, "seed": seed, "size": args.size, "epoch": epoch + 1,
                   "of": args.epochs, "loss": round(statistics.fmean(losses), 4),
                   "accuracy": round(evaluate(model, validation, args), 4),
                   "nbytes": loader.stats()["read_nbytes"], "seconds": round(seconds, 2),
                   "throttle": throttle, "chosen": tuner.chosen if tuner else None}
        loader.close()


def measure_rate(args):
    """Bytes that training takes each second at full fidelity, from its second epoch."""
    rows = []
    for row in train("full", 0, args):
        rows.append(row)
        if len(rows) == 2:
            break
    return ((rows[1]["nbytes"] - rows[0]["nbytes"]) /
            (rows[1]["seconds"] - rows[0]["seconds"]))


def run(args):
    done = collections.Counter()
    try:
        with open(args.out) as f:
            for row in map(json.loads, f):
                done[row["arm"], row["seed"], row["size"]] += row["epoch"] == row["of"]
    except FileNotFoundError:
        pass
    throttle = measure_rate(args) / args.throttle if args.throttle else None
    for seed in range(args.seeds):
        for arm in args.arms.split(","):
            if done[arm, seed, args.size]:
                continue
            for row in train(arm, seed, args, throttle):
                with open(args.out, "a") as f:
                    f.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)


def spread(values):
    """Mean and half of the 95% confidence interval."""
    n = len(values)
    half = STUDENT.get(n, 2.26) * statistics.stdev(values) / math.sqrt(n) if n > 1 else 0.0
    return statistics.fmean(values), half


def read_runs(path):
    """{(size, arm): {seed: rows by epoch}}; of complete runs alone."""
    runs = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path) as f:
        for row in map(json.loads, f):
            rows = runs[row["size"], row["arm"]][row["seed"]]
            if row["epoch"] == 1:
                rows.clear()
            rows.append(row)
    return {key: {seed: rows for seed, rows in seeds.items() if len(rows) == rows[0]["of"]}
            for key, seeds in runs.items()}


def final(rows):
    """Mean accuracy of the last three epochs, which differ by chance."""
    return statistics.fmean(row["accuracy"] for row in rows[-3:])


def show(args):
    runs = read_runs(args.show)
    for size in sorted({size for size, _ in runs}):
        arms = {arm: list(seeds.values()) for (s, arm), seeds in runs.items()
                if s == size and seeds}
        full = arms.get("full")
        reached = statistics.fmean(final(rows) for rows in full) if full else None
        print(f"\n{size} px, {len(next(iter(arms.values())))} seeds; accuracy: mean of the last "
              "three epochs, with the 95% interval over the seeds")
        print("| | accuracy | bytes of full | time of full | time to what full reaches |")
        print("|---|---|---|---|---|")
        base = None
        if full:
            base = [statistics.fmean(rows[-1][k] for rows in full) for k in ("nbytes", "seconds")]
        for arm, seeds in arms.items():
            mean, half = spread([final(rows) for rows in seeds])
            line = f"| {arm} | {mean:.3f} ± {half:.3f} |"
            if base:
                for k, of in zip(("nbytes", "seconds"), base):
                    line += f" {statistics.fmean(rows[-1][k] for rows in seeds) / of:.2f} |"
                times = [next((row["seconds"] for row in rows
                               if row["accuracy"] >= reached - args.margin), None)
                         for rows in seeds]
                line += (f" {statistics.fmean(times):.0f} s |" if None not in times
                         else " not by all |")
            print(line)
    if args.plot:
        plot(runs, args.plot)


def plot(runs, path):
    """Accuracy against bytes and against time, means over the seeds."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    sizes = sorted({size for size, _ in runs})
    figure, axes = pyplot.subplots(len(sizes), 2, figsize=(11, 4.2 * len(sizes)), squeeze=False)
    for row, size in zip(axes, sizes):
        for axis, key, unit, name in ((row[0], "nbytes", 1e6, "MB read"),
                                      (row[1], "seconds", 1, "seconds of training")):
            for (s, arm), seeds in runs.items():
                if s == size and seeds:
                    by_epoch = list(zip(*seeds.values()))
                    axis.plot([statistics.fmean(r[key] for r in e) / unit for e in by_epoch],
                              [statistics.fmean(r["accuracy"] for r in e) for e in by_epoch],
                              label=arm)
            axis.set_xlabel(name)
            axis.set_ylabel(f"validation accuracy, {size} px")
            axis.grid(alpha=0.3)
        row[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("dataset", nargs="?")
    p.add_argument("--out", metavar="FILE", default="fidelity_study.jsonl")
    p.add_argument("--arms", default=ARMS)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--epochs", type=int, default=15)
    p.add_argument("--size", type=int, default=112, help="height and width in pixels")
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--rate", type=float, default=0.004, help="highest learning rate")
    p.add_argument("--split", default="train")
    p.add_argument("--validation", default="validation")
    p.add_argument("--throttle", type=float, metavar="N")
    p.add_argument("--show", metavar="FILE", help="print the table of results, train nothing")
    p.add_argument("--margin", type=float, default=0.01,
                   help="of the accuracy that full fidelity reaches, how much may be missing")
    p.add_argument("--plot", metavar="FILE", help="with --show: draw accuracy by bytes and time")
    args = p.parse_args()
    if args.show:
        return show(args)
    if not args.dataset:
        p.error("which dataset?")
    import torch
    global pcr
    import pcr.torch
    torch.set_num_threads(1)
    run(args)
    args.show = args.out
    return show(args)


if __name__ == "__main__":
    sys.exit(main())
