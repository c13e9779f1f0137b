#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bytes and quality of a dataset at each fidelity, as a table and as a picture.

usage: tools/fidelity.py DATASET [--samples N] [--figure FILE.png]
       tools/fidelity.py DATASET --size PIXELS [--samples N]

With --size, of what a loader delivers: random crops at that size, by quality and by fidelity,
against those from full fidelity. Bytes are in % of full fidelity's; "short" is the part of the
samples whose SSIM is more than .02 below what was asked for.

Quality is that of luma against the full image: SSIM (Wang et al. 2004, 11 x 11 Gaussian
window, sigma 1.5) and PSNR in dB, means over N samples spread over the dataset.
Needs NumPy; --figure needs Pillow too.
"""

import argparse
import sys

import numpy as np

import pcr


def gaussian_filter(a, sigma=1.5, radius=5):
    """Separable Gaussian of (H, W) floats; borders are cut off by `radius`."""
    k = np.exp(-np.arange(-radius, radius + 1) ** 2 / (2 * sigma * sigma))
    k /= k.sum()
    n = 2 * radius
    rows = sum(w * a[i : a.shape[0] - n + i] for i, w in enumerate(k))
    return sum(w * rows[:, i : rows.shape[1] - n + i] for i, w in enumerate(k))


def ssim(a, b):
    """Mean SSIM of two (H, W) uint8 images of at least 11 x 11 pixels."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = gaussian_filter(a), gaussian_filter(b)
    va = gaussian_filter(a * a) - ma * ma
    vb = gaussian_filter(b * b) - mb * mb
    cov = gaussian_filter(a * b) - ma * mb
    s = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return float(s.mean())


def psnr(a, b):
    """PSNR in dB of two uint8 images; infinite where they are equal."""
    mse = np.mean((a.astype(np.float64) - b) ** 2)
    return float("inf") if mse == 0 else float(10 * np.log10(255**2 / mse))


def measure(dataset, count):
    """Rows (fidelity, % of source bytes, bytes a sample, SSIM, PSNR)."""
    picks = np.unique(np.linspace(0, len(dataset) - 1, count).astype(int))
    samples = [dataset[int(i)] for i in picks]
    samples = [s for s in samples if s.coding != "opaque" and min(s.size) >= 11]
    if not samples:
        sys.exit("fidelity: none of the samples looked at is coded and at least 11 x 11")
    full = [s.decode(gray=True) for s in samples]
    source = dataset.describe()["source_nbytes"]
    rows = []
    for g in range(1, dataset.group_count + 1):
        images = [s.decode(g, gray=True) for s in samples]
        nbytes = dataset.prefix_nbytes(g)
        rows.append(
            (
                g,
                100 * nbytes / source,
                nbytes / len(dataset),
                np.mean([ssim(a, b) for a, b in zip(images, full)]),
                np.mean([min(psnr(a, b), 99.0) for a, b in zip(images, full)]),
            )
        )
    return rows


def crops(dataset, size, count, **how):
    """By sample number below count: the luma of its crop; and the loader's stats."""
    found = {}
    with pcr.Loader(dataset, size=size, seed=1, gray=True, indices=np.arange(count),
                    **how) as loader:
        for batch in loader:
            for index, pixels in zip(batch.indices, batch.pixels):
                found[int(index)] = pixels[:, :, 0].copy()
        return found, loader.stats()


def measure_crops(dataset, size, count):
    """Rows (what was asked for, % of full fidelity's bytes, mean SSIM, 5th percentile, short)."""
    count = min(count, len(dataset))
    full, _ = crops(dataset, size, count)
    asked = [{"quality": q} for q in (0.8, 0.9, 0.95, 0.98)]
    asked += [{"fidelity": g} for g in range(1, dataset.group_count + 1)]
    for how in asked:
        found, stats = crops(dataset, size, count, **how)
        quality = np.array([ssim(full[i], found[i]) for i in full])
        short = np.mean(quality < how.get("quality", 0) - 0.02)
        yield (" ".join(f"{k} {v}" for k, v in how.items()),
               100 * stats.delivered_nbytes / stats.full_nbytes, quality.mean(),
               np.quantile(quality, 0.05), short)


def draw(dataset, rows, path):
    """A strip of one sample at each fidelity, each with its bytes and SSIM."""
    from PIL import Image, ImageDraw

    best = max(
        (dataset[i] for i in np.linspace(0, len(dataset) - 1, 24).astype(int)),
        key=lambda s: s.source_nbytes / (s.size[0] * s.size[1]),
    )
    side = min(160, *best.size)
    x, y = (best.size[0] - side) // 2, (best.size[1] - side) // 2
    sheet = Image.new("RGB", (len(rows) * (side + 8) + 8, side + 44), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (g, percent, _, quality, _) in enumerate(rows):
        left = 8 + i * (side + 8)
        crop = best.decode(g)[y : y + side, x : x + side]
        sheet.paste(Image.fromarray(crop), (left, 8))
        pen.text((left, side + 12), f"fidelity {g}", fill="black")
        pen.text((left, side + 26), f"{percent:.1f}% bytes, SSIM {quality:.3f}", fill="black")
    sheet.quantize(256).save(path, optimize=True)


def main():
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--figure")
    parser.add_argument("--size", type=int)
    args = parser.parse_args()
    with pcr.open(args.dataset) as dataset:
        if args.size:
            print("asked for     % of bytes    SSIM  5th perc.  short")
            for name, percent, mean, low, short in measure_crops(dataset, args.size,
                                                                 args.samples):
                print(f"{name:13s} {percent:10.2f}  {mean:.4f}     {low:.4f}  {100 * short:4.1f}%")
            return
        rows = measure(dataset, args.samples)
        print("fidelity  % of source  bytes/sample    SSIM   PSNR dB")
        for g, percent, nbytes, quality, decibels in rows:
            exact = "exact" if decibels == 99.0 else f"{decibels:.2f}"
            print(f"{g:8d}  {percent:11.2f}  {nbytes:12.0f}  {quality:.4f}  {exact:>8}")
        if args.figure:
            draw(dataset, rows, args.figure)


if __name__ == "__main__":
    main()
