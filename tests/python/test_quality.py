# SPDX-License-Identifier: BSD-2-Clause
"""Predicted qualities of prefixes, and loaders that choose by them."""

import json
import math
import os
import pickle
import subprocess

import numpy as np
import pytest
from PIL import Image, ImageFilter

import pcr

SCALES = [2 ** (i / 2) for i in range(7)]


def luma(pixels, scale):
    """Resized by Pillow's triangle filter, blurred over SSIM's window by the caller."""
    image = Image.fromarray(pixels).convert("L")
    size = [max(1, round(n / scale)) for n in image.size]
    return image.resize(size, Image.BILINEAR) if scale > 1 else image


def ssim(a, b):
    """Over windows of 7 x 7 pixels."""
    def mean(x):
        sums = np.pad(x.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return (sums[7:, 7:] - sums[:-7, 7:] - sums[7:, :-7] + sums[:-7, :-7]) / 49
    x, y = np.asarray(a, float), np.asarray(b, float)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    return (((2 * mx * my + 6.5025) * (2 * cov + 58.5225)) /
            ((mx * mx + my * my + 6.5025) * (vx + vy + 58.5225))).mean()


@pytest.fixture(params=["scans", "packed"], scope="module")
def photographs(request, tmp_path_factory):
    """24 pictures of noise that falls off with frequency, as photographs' detail does."""
    random, samples = np.random.default_rng(5), []
    where = tmp_path_factory.mktemp("photographs") / request.param
    for i in range(24):
        height, width = 160 + 8 * i, 200 + 16 * (i % 5)
        sum_ = np.zeros((height, width, 3))
        for octave in range(6):
            noise = random.integers(0, 255, (height >> octave or 1, width >> octave or 1, 3))
            image = Image.fromarray(noise.astype(np.uint8)).resize((width, height), 3)
            sum_ += np.asarray(image, float) * 2.0 ** (octave - 6)
        image = Image.fromarray(sum_.clip(0, 255).astype(np.uint8))
        image = image.filter(ImageFilter.GaussianBlur(i % 3 / 3))
        path = where.parent / f"{request.param}{i}.jpg"
        image.save(path, quality=80 + i % 16)
        samples.append((f"{i}.jpg", path.read_bytes()))
    pcr.write(where, samples, coding=request.param)
    return where


def test_predictions_are_near_the_truth(photographs):
    misses = []
    with pcr.open(photographs) as ds:
        for sample in list(ds)[::3]:
            full = sample.decode()
            for g in range(1, ds.group_count):
                part = sample.decode(g)
                for scale in SCALES[:5]:
                    true = ssim(luma(full, scale), luma(part, scale))
                    misses.append(sample.quality(g, scale) - true)
    assert abs(np.mean(misses)) < .03 and np.max(misses) < .12, (np.mean(misses), np.max(misses))


def test_numbers(photographs):
    with pcr.open(photographs) as ds:
        for sample in ds:
            assert sample.quality() == sample.quality(ds.group_count) == 1
            for scale in (.1, 1, 1.7, 4, 8, 100):
                row = [sample.quality(g, scale) for g in range(1, ds.group_count + 1)]
                assert row == sorted(row) and 0 <= row[0] < row[-1]
            column = [sample.quality(1, scale) for scale in SCALES]
            assert column == sorted(column)
            assert sample.quality(1, .1) == column[0] and sample.quality(1, 99) == column[-1]


def epoch(loader):
    """By sample: fidelity, crop, and a digest of the pixels."""
    return {int(i): (int(g), tuple(c), hash(p.tobytes())) for b in loader
            for i, g, c, p in zip(b.indices, b.fidelities, b.crops, b.pixels)}


def expected(ds, loader_epoch, size, quality):
    """The least fidelities that reach the quality by half a decibel, by crop."""
    found, quality = {}, 1 - (1 - quality) * 10 ** -.05
    for i, (_, crop, _) in loader_epoch.items():
        x0, y0, x1, y1 = crop
        scale = math.sqrt((x1 - x0) * (y1 - y0)) / size
        found[i] = next(g for g in range(1, ds.group_count + 1)
                        if g == ds.group_count or ds[i].quality(g, scale) >= quality - 1e-9)
    return found


@pytest.mark.parametrize("transform", ["random_crop", "center_crop", "stretch"])
def test_least_fidelity_that_reaches_it(photographs, transform):
    with pcr.open(photographs) as ds:
        for quality in (.5, .9, .99):
            how = {"size": 48, "seed": 4, "transform": transform}
            with pcr.Loader(ds, quality=quality, **how) as loader:
                got = epoch(loader)
                stats = loader.stats()
            assert {i: v[0] for i, v in got.items()} == expected(ds, got, 48, quality)
            assert sum(stats.fidelity_counts) == len(ds) == stats.quality_count
            assert stats.quality_least_ppm >= quality * 1e6 - 1
            assert quality <= stats.quality <= 1
            assert stats.delivered_nbytes == sum(ds[i].nbytes(v[0]) for i, v in got.items())
            assert stats.full_nbytes == sum(s.nbytes() for s in ds)
            restored = pickle.loads(pickle.dumps(stats))
            assert restored.fidelity_counts == stats.fidelity_counts
            own = np.zeros(len(ds), np.uint8)
            for i, v in got.items():
                own[i] = v[0]
            with pcr.Loader(ds, fidelities=own, **how) as loader:
                assert epoch(loader) == got


def test_threads_order_and_batches_do_not_matter(photographs):
    with pcr.open(photographs) as ds:
        found = []
        for how in ({"threads": 1}, {"threads": 3, "readers": 2}, {"shuffle": "full"},
                    {"batch_size": 5}, {"block_samples": 1}):
            with pcr.Loader(ds, quality=.93, size=40, seed=9, **how) as loader:
                found.append(epoch(loader))
        assert all(f == found[0] for f in found)
        ranks = {}
        for rank in (0, 1):
            with pcr.Loader(ds, quality=.93, size=40, seed=9, shard=(rank, 2)) as loader:
                ranks.update(epoch(loader))
        assert ranks == found[0]
        with pcr.Loader(ds, quality=.93, size=40, seed=9, raw=True) as loader:
            raw = {int(i): int(g) for b in loader for i, g in zip(b.indices, b.fidelities)}
        assert raw == {i: v[0] for i, v in found[0].items()}


def test_schedules_mixtures_and_own_qualities(photographs):
    with pcr.open(photographs) as ds:
        how = {"size": 40, "seed": 2, "batch_size": 6}
        with pcr.Loader(ds, quality=[(0, .5), (1, {.5: 1, .99: 1}), (2, .99)], **how) as loader:
            low, mixed, high = epoch(loader), epoch(loader), epoch(loader)
            assert sum(v[0] for v in low.values()) < sum(v[0] for v in mixed.values()) < sum(
                v[0] for v in high.values())
        own = np.where(np.arange(len(ds)) % 2, .97, 0)
        with pcr.Loader(ds, qualities=own, fidelity=1, **how) as loader:
            got = epoch(loader)
        wanted = expected(ds, got, 40, .97)
        assert {i: v[0] for i, v in got.items()} == {
            i: wanted[i] if i % 2 else 1 for i in range(len(ds))}
        with pcr.Loader(ds, quality=.9, fidelity_min=3, fidelity_max=4, **how) as loader:
            assert {v[0] for v in epoch(loader).values()} <= {3, 4}


def test_set_and_resumed(photographs):
    with pcr.open(photographs) as ds:
        how = {"size": 40, "seed": 2, "batch_size": 4, "batches_ahead": 1}
        with pcr.Loader(ds, fidelity=1, **how) as loader:
            run = iter(loader)
            next(run)
            loader.set_quality(.97)
            state = loader.state_dict()
            rest = [b.fidelities.tolist() for b in run]
            assert rest[0] == [1] * 4 and rest[1] != [1] * 4
        with pcr.Loader(ds, fidelity=1, **how) as loader:
            loader.load_state_dict(state)
            assert [b.fidelities.tolist() for b in loader] == rest


@pytest.mark.parametrize("options, message", [
    ({"quality": 1.0}, "above 0 and below 1"), ({"quality": "high"}, "above 0 and below 1"),
    ({"quality": float("nan")}, "above 0 and below 1"),
    ({"quality": {2.0: 1}}, "above 0 and below 1"),
    ({"quality": .9, "fidelity": 2}, "exclude each other"),
    ({"quality": [(1, .9), (0, .8)]}, "rising epochs"),
    ({"quality": .9, "fidelity_min": 4, "fidelity_max": 2}, "above fidelity_max"),
    ({"qualities": np.full(24, 2.0)}, "above 0 and below 1"),
    ({"qualities": np.full(24, .9), "fidelities": np.full(24, 1)}, "qualities has one too")])
def test_refused(photographs, options, message):
    with pytest.raises(pcr.InvalidError, match=message):
        pcr.Loader(photographs, **options)


def test_opaque_samples_are_whole(mixed):
    where, _ = mixed
    with pcr.Loader(where, quality=.9, size=16, shuffle="none", batch_size=1) as loader:
        for batch in loader:
            sample = loader.dataset[int(batch.indices[0])]
            if sample.coding == "opaque":
                assert batch.fidelities[0] == 1 and sample.quality(1) > .999


def gaussian_ssim(a, b):
    """Over windows of 11 x 11 pixels, weighted with sigma 1.5."""
    kernel = np.exp(-np.arange(-5, 6) ** 2 / 4.5)
    kernel /= kernel.sum()

    def mean(x):
        rows = sum(w * x[i:x.shape[0] - 10 + i] for i, w in enumerate(kernel))
        return sum(w * rows[:, i:rows.shape[1] - 10 + i] for i, w in enumerate(kernel))
    x, y = a.astype(float), b.astype(float)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    return (((2 * mx * my + 6.5025) * (2 * cov + 58.5225)) /
            ((mx * mx + my * my + 6.5025) * (vx + vy + 58.5225))).mean()


@pytest.mark.parametrize("transform", ["random", "center"])
def test_advise(photographs, transform):
    """Its figures are those of what loaders deliver."""
    done = subprocess.run(
        [os.environ["PCRTOOL"], "advise", str(photographs), "--json", "--quick", "--size", "36",
         "--transform", transform, "--samples", "16"], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    with pcr.open(photographs) as ds:
        def crops(**how):
            with pcr.Loader(ds, size=36, gray=True, transform=transform + "_crop",
                            indices=np.arange(16) * 24 // 16, **how) as loader:
                return {int(i): p[..., 0] for b in loader
                        for i, p in zip(b.indices, b.pixels.copy())}, loader.stats()
        full, _ = crops(scaled_decoding=False)
        assert found["sample_count"] == len(full) == 16
        assert len(found["choices"]) == ds.group_count + 7
        for row in found["choices"]:
            kind = "quality" if "quality" in row else "fidelity"
            pixels, stats = crops(**{kind: row[kind]})
            values = [gaussian_ssim(full[i], pixels[i]) for i in full]
            assert row["nbytes_per_image"] * 16 == pytest.approx(stats.delivered_nbytes)
            assert row["percent_of_full"] == pytest.approx(
                100 * stats.delivered_nbytes / stats.full_nbytes)
            assert row["ssim"] == pytest.approx(np.mean(values), abs=1e-6)
            assert row["ssim_5th_percentile"] == pytest.approx(np.quantile(values, .05), abs=1e-6)
            if kind == "quality":
                assert row["missed_percent"] == pytest.approx(
                    100 * np.mean(np.array(values) < row["quality"] - .02))
