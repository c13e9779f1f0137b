# SPDX-License-Identifier: BSD-2-Clause
"""pcr.Loader: several datasets, weights, lengths of epochs, and rules by sample."""

from collections import Counter

import numpy as np
import pytest

import pcr

OPTIONS = {"size": 16, "seed": 5, "block_samples": 3, "window_samples": 20}


def run(*args, **options):
    """(dataset, index, fidelity, pixels) of each sample of an epoch."""
    with pcr.Loader(*args, **{**OPTIONS, **options}) as loader:
        return [(int(d), int(i), int(g), p.tobytes()) for b in loader
                for d, i, g, p in zip(b.datasets, b.indices, b.fidelities, b.pixels)]


@pytest.fixture(scope="module")
def parts(path):
    """The splits: 24 samples each."""
    return [pcr.open(path, split=split) for split in ("train", "val")]


def test_datasets_one_after_another(path, parts):
    whole = run(path, transform="stretch", shuffle="none")
    found = run(parts, transform="stretch", shuffle="none")
    assert [s[0] for s in found] == [0] * 24 + [1] * 24
    assert [(s[0] * 24 + s[1], s[3]) for s in found] == [(s[1], s[3]) for s in whole]
    mixed = run(parts, shuffle="block")
    assert sorted(s[:2] for s in mixed) == [(d, i) for d in range(2) for i in range(24)]
    assert mixed != found
    with pcr.Loader([path], **OPTIONS) as loader:
        assert len(loader.datasets) == 1 and loader.dataset is loader.datasets[0]
    with pcr.Loader(parts, **OPTIONS) as loader:
        assert loader.datasets == tuple(parts)
        assert repr(parts[1]) in repr(loader)


def test_proportions(parts):
    found = run(parts, proportions=[3, 1], epoch_samples=40, shuffle="full")
    assert Counter(s[0] for s in found) == {0: 30, 1: 10}
    for first in range(0, 40, 4):  # any run of it has its share
        assert 2 <= sum(s[0] == 0 for s in found[first:first + 4]) <= 4
    counts = Counter(s[:2] for s in found)
    assert set(counts.values()) <= {1, 2}
    assert sum(counts[1, i] for i in range(24)) == 10
    with pytest.raises(pcr.InvalidError, match="proportions"):
        run(parts, proportions=[1])
    with pytest.raises(pcr.InvalidError, match="proportions"):
        run(parts, proportions=[-1, 2])


@pytest.mark.parametrize("shuffle", ["none", "block", "full"])
def test_repeat(parts, shuffle):
    counts = Counter(s[:2] for s in run(parts, repeat=[2, 0.5], shuffle=shuffle))
    assert [counts[0, i] for i in range(24)] == [2] * 24
    assert sorted(counts[1, i] for i in range(24)) == [0] * 12 + [1] * 12
    found = run(parts[0], repeat=3, shuffle=shuffle)
    assert Counter(s[1] for s in found) == {i: 3 for i in range(24)}
    assert len({(s[1], s[3]) for s in found}) > 65  # each with a crop of its own
    assert len(run(parts, repeat=0.25, shuffle=shuffle)) == 12
    for wrong in ({"repeat": -1}, {"repeat": [1]}, {"repeat": 0},
                  {"repeat": 1, "epoch_samples": 3}):
        with pytest.raises(pcr.InvalidError):
            run(parts, **wrong)


@pytest.mark.parametrize("shuffle", ["none", "block", "full"])
def test_weights(ds, shuffle):
    balanced = {0: 1.0, 1: 3.0, 2: 0.0}
    counts = Counter(ds.labels[s[1]] for s in run(
        ds, weights=lambda d: [balanced[int(x)] for x in d.labels], epoch_samples=64,
        shuffle=shuffle))
    assert counts == {0: 16, 1: 48}
    weights = np.where(np.arange(48) < 12, 5, 1)
    found = run(ds, weights=weights, replacement=False, epoch_samples=24, shuffle=shuffle)
    assert len({s[1] for s in found}) == len(found) == 24
    assert sum(s[1] < 12 for s in found) > 7
    again = run(ds, weights=weights, replacement=False, epoch_samples=24, shuffle=shuffle,
                threads=1, batch_size=5)
    assert again == found
    with pytest.raises(pcr.InvalidError, match="once"):
        run(ds, replacement=False, epoch_samples=49)
    for wrong in ([1.0] * 47, [[1.0] * 48], ["a"] * 48, [-1.0] * 48, [0.0] * 48,
                  [np.nan] * 48):
        with pytest.raises(pcr.InvalidError, match="weights"):
            run(ds, weights=wrong)


def test_arguments_by_dataset(parts):
    found = run(parts, indices=[[3, 1], None], classes=["ant", "bee"], shuffle="none",
                fidelities=[None, np.full(24, 2)], fidelity=1)
    labels = [d.labels for d in parts]
    expected = [(0, i, 1) for i in (1, 3) if labels[0][i] < 2]
    expected += [(1, i, 2) for i in range(24) if labels[1][i] < 2]
    assert [s[:3] for s in found] == expected
    with pytest.raises(pcr.InvalidError, match="one for each"):
        run(parts, weights=[np.ones(24)])
    with pytest.raises(pcr.InvalidError, match="no class 'dog'"):
        run(parts, classes=["dog"])
    with pytest.raises(pcr.InvalidError, match="without datasets"):
        run([])


def test_fidelity_rules(ds):
    full = ds.group_count
    with pcr.Loader(ds, fidelity=[(1, 2), (3, {1: 3, None: 1}), (4, None)],
                    **OPTIONS) as loader:
        epochs = [Counter(int(g) for b in loader for g in b.fidelities) for _ in range(6)]
    assert epochs[:3] == [{full: 48}, {2: 48}, {2: 48}]
    assert set(epochs[3]) == {1, full} and 24 < epochs[3][1] < 46
    assert epochs[4:] == [{full: 48}, {full: 48}]
    found = run(ds, fidelity={1: 1, 2: 1})
    assert {s[2] for s in found} == {1, 2}
    assert found == run(ds, fidelity={1: 1, 2: 1}, threads=1, batch_size=7)
    own = np.arange(48) % (full + 1)
    for _, index, fidelity, _ in run(ds, fidelities=own, fidelity=3):
        assert fidelity == (own[index] or 3)
    for wrong in ({full + 1: 1}, {0: 1}, {1: -1}, {1: 0}, [(2, 1), (1, 1)], [1, 2], [(0, 99)],
                  [(-1, 2)], 99, 0):
        with pytest.raises(pcr.InvalidError):
            run(ds, fidelity=wrong)
    for wrong in ([full + 1] * 48, [300] * 48, [-1] * 48, [0.5] * 48, [1] * 47):
        with pytest.raises(pcr.InvalidError, match="fidelities"):
            run(ds, fidelities=wrong)


def test_selective_augmentation(ds):
    mask = np.arange(48) % 3 == 0
    plain = dict(s[1::2] for s in run(ds, transform="center_crop"))
    augmented = dict(s[1::2] for s in run(ds, flip=0.5))
    found = dict(s[1::2] for s in run(ds, flip=0.5, augment=mask))
    assert found == {i: (augmented if mask[i] else plain)[i] for i in range(48)}
    assert found == dict(s[1::2] for s in run(ds, flip=0.5, augment=lambda d: mask))
    with pytest.raises(pcr.InvalidError, match="augment"):
        run(ds, augment=np.arange(48))


def test_state_of_a_mix(parts):
    options = {**OPTIONS, "proportions": [1, 2], "epoch_samples": 50, "fidelity": {1: 1, 4: 1},
               "weights": [np.arange(24), None]}
    whole = run(parts, **options)
    with pcr.Loader(parts, batch_size=6, **options) as loader:
        batches = iter(loader)
        for _ in range(3):
            next(batches)
        loader.set_fidelity(2)
        state = loader.state_dict()
    assert state["fidelity"] is None and state["fidelity_changes"] == [[42, 2]]
    with pcr.Loader(parts, batch_size=5, **options) as loader:
        loader.load_state_dict(state)
        rest = [(int(d), int(i), int(g)) for b in loader
                for d, i, g in zip(b.datasets, b.indices, b.fidelities)]
        assert loader.state_dict()["fidelity"] == 2
        with pytest.raises(pcr.FormatError):
            loader.load_state_dict({**state, "fidelity_changes": [[42]]})
        with pytest.raises(pcr.FormatError):
            loader.load_state_dict({**state, "fidelity_changes": [[42, 2]] * 5})
    assert rest[:24] == [s[:3] for s in whole[18:42]]
    assert rest[24:] == [(*s[:2], 2) for s in whole[42:]]
