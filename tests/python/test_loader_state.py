# SPDX-License-Identifier: BSD-2-Clause
"""pcr.Loader: shards, subsets, and going on from a state."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys

import numpy as np
import pytest

import pcr
from together import together

OPTIONS = {"size": 16, "seed": 5, "flip": 0.5, "block_samples": 3, "window_samples": 20}
VARIABLES = ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS", "OMPI_COMM_WORLD_RANK",
             "OMPI_COMM_WORLD_SIZE")


def samples(batches):
    """(index, label, pixels) of each sample."""
    return [(int(i), int(label), pixels.tobytes()) for b in batches
            for i, label, pixels in zip(b.indices, b.labels, b.pixels)]


def in_steps(ranks, order):
    """The samples of several ranks' batches, step by step, each in the epoch's order: which
    rank has which of a step's samples is left open."""
    return [s for step in together(*ranks)
            for s in sorted(samples(step), key=order.index)]


@pytest.fixture(scope="module")
def whole(path):
    with pcr.Loader(path, **OPTIONS) as loader:
        return [samples(loader) for _ in range(2)]


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_ranks_share_an_order(path, whole, world):
    ranks = [list(pcr.Loader(path, batch_size=48 // world // 2, shard=(rank, world),
                             **OPTIONS)) for rank in range(world)]
    assert [len(batches) for batches in ranks] == [2] * world
    assert in_steps(ranks, whole[0]) == whole[0]


def test_the_last_step(path, whole):
    loaders = [pcr.Loader(path, batch_size=2, shard=(r, 5), **OPTIONS) for r in range(5)]
    ranks = [list(loader) for loader in loaders]
    assert {len(loader) for loader in loaders} == {len(b) for b in ranks} == {5}
    assert {len(batches[-1].labels) for batches in ranks} == {2}
    assert set(in_steps(ranks, whole[0])) == set(whole[0])
    dropped = [list(pcr.Loader(path, batch_size=2, shard=(r, 5), drop_uneven=True,
                               **OPTIONS)) for r in range(5)]
    assert in_steps(dropped, whole[0]) == whole[0][:45]
    dropped = [list(pcr.Loader(path, batch_size=2, shard=(r, 5), drop_last=True,
                               **OPTIONS)) for r in range(5)]
    assert in_steps(dropped, whole[0]) == whole[0][:40]


@pytest.mark.parametrize("shuffle", ["block", "full"])
@pytest.mark.parametrize("world", [1, 2])
def test_workers_take_turns(path, shuffle, world):
    how = {**OPTIONS, "shuffle": shuffle}
    for workers in (1, 2, 3, 7):
        for batch_size in (5, 7):
            found = []
            for rank in range(world):
                loaders = [pcr.Loader(path, batch_size=batch_size, shard=(rank, world),
                                      worker=(w, workers), **how) for w in range(workers)]
                one = pcr.Loader(path, batch_size=batch_size, shard=(rank, world), **how)
                sizes = [[len(b.labels) for b in loader] for loader in loaders]
                found += [int(i) for loader in loaders for b in loader for i in b.indices]
                assert sum(len(loader) for loader in loaders) == len(one)
                assert [size for turn in itertools.zip_longest(*sizes) for size in turn
                        if size] == [len(b.labels) for b in one]
            assert set(found) == set(range(48))
            assert world > 1 or len(found) == 48
    for wrong in ((2, 2), (0, 0), (0, 5000), (-1, 2)):
        with pytest.raises(pcr.InvalidError):
            pcr.Loader(path, worker=wrong)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("shuffle", ["none", "block"])
def test_exact(path, shuffle, raw):
    """Each sample is valid once over all ranks, which have as many batches of one size."""
    for world in 1, 2, 3, 5:
        loaders = [pcr.Loader(path, batch_size=7, shard=(rank, world), exact=True, raw=raw,
                              shuffle=shuffle, **OPTIONS) for rank in range(world)]
        seen, sizes = [], []
        for loader in loaders:
            sizes.append([])
            for batch in loader:
                images, labels, valid = batch
                assert valid.dtype == bool and valid.shape == labels.shape == (len(images),)
                sizes[-1].append(len(images))
                seen += batch.indices[valid].tolist()
        assert sizes == [[7] * len(loaders[0])] * world
        assert sorted(seen) == list(range(48))
    for option in "drop_last", "drop_uneven":
        with pytest.raises(pcr.InvalidError, match=option.upper()):
            pcr.Loader(path, exact=True, **{option: True})


def test_repeats_are_not_valid(path):
    seen = [i for rank in range(5)
            for b in pcr.Loader(path, batch_size=2, shard=(rank, 5), **OPTIONS)
            for i in b.indices[b.valid].tolist()]
    assert sorted(seen) == list(range(48))


def test_shard_from_the_environment(path, whole, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pcr.Loader(path, batch_size=12, shard="env", **OPTIONS) as loader:
        assert len(loader) == 4
        monkeypatch.setenv("SLURM_PROCID", "1")
        monkeypatch.setenv("SLURM_NTASKS", "2")
        assert len(loader) == 2  # settled when the first batch is taken
        found = samples(loader)
        assert len(found) == 24
        for first in 0, 24:  # what rank 0 has not
            step = set(whole[0][first:first + 24])
            assert len(step & set(found)) == 12
    monkeypatch.setenv("RANK", "2")
    with pytest.raises(pcr.InvalidError, match="WORLD_SIZE is not"):
        pcr.Loader(path, shard="env")


class Placed(pcr.Loader):
    """Learns of the other processes some time after it was made, as pcr.torch.Loader does."""

    place = None

    def _find_shard(self):
        return self.place


def test_shard_that_is_known_later(path, whole, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    loaders = [Placed(path, batch_size=12, **OPTIONS) for _ in range(2)]
    states = [loader.state_dict() for loader in loaders]
    assert [len(loader) for loader in loaders] == [4, 4]
    for rank, loader in enumerate(loaders):
        loader.place = rank, 2
    assert [len(loader) for loader in loaders] == [2, 2]
    assert in_steps([list(loader) for loader in loaders], whole[0]) == whole[0]
    for loader in loaders:
        loader.place = 0, 1  # too late
    assert in_steps([list(loader) for loader in loaders], whole[1]) == whole[1]

    loaders = [Placed(path, batch_size=12, **OPTIONS) for _ in range(2)]
    for rank, loader in enumerate(loaders):
        with pytest.warns(UserWarning, match="2 processes"):
            next(iter(loader))  # of all
        loader.place = rank, 2
        loader.set_epoch(0)
    assert in_steps([list(loader) for loader in loaders], whole[0]) == whole[0]

    loaders = [Placed(path, batch_size=12, **OPTIONS) for _ in range(2)]
    for rank, loader in enumerate(loaders):
        loader.load_state_dict(states[rank])
        loader.place = rank, 2  # not known when the state was loaded
    assert in_steps([list(loader) for loader in loaders], whole[0]) == whole[0]


class Group:
    """What there is of torch.distributed where it is in use."""

    @staticmethod
    def is_available():
        return True

    is_initialized = is_available

    @staticmethod
    def get_world_size():
        return 3


@pytest.mark.parametrize("way", ["WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "torch.distributed"])
def test_alone_among_several(path, way, monkeypatch, recwarn):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "torch.distributed", raising=False)
    list(pcr.Loader(path, **OPTIONS))
    if way == "torch.distributed":
        monkeypatch.setitem(sys.modules, way, Group)
    else:
        monkeypatch.setenv(way, "3")
    list(pcr.Loader(path, shard=(0, 1), **OPTIONS))
    assert not recwarn.list
    with pcr.Loader(path, **OPTIONS) as loader:
        with pytest.warns(UserWarning, match=f"{way} says that there are 3 .*shard=\"env\""):
            list(loader)
        list(loader)  # says it once
    assert not recwarn.list


@pytest.mark.parametrize("shard", [(2, 2), (0, 0), (-1, 2), "auto"])
def test_bad_shards(path, shard):
    with pytest.raises(pcr.InvalidError):
        pcr.Loader(path, shard=shard)


def test_state_is_json_and_exact(path, whole):
    for seed in range(20):
        draw = random.Random(seed)
        first = draw.randrange(1, 16)
        with pcr.Loader(path, batch_size=first, **OPTIONS) as loader:
            loader.set_epoch(1)
            iterator = iter(loader)
            taken = draw.randrange((47 // first) + 1)
            for _ in range(taken):
                next(iterator)
            state = json.loads(json.dumps(loader.state_dict()))
            assert (state["epoch"], state["position"]) == (1, taken * first)
        world, batch_size = draw.randrange(1, 4), draw.randrange(1, 9)
        ranks = []
        for rank in range(world):
            with pcr.Loader(path, batch_size=batch_size, threads=draw.randrange(1, 4),
                            shard=(rank, world), **OPTIONS) as loader:
                loader.load_state_dict(state)
                assert loader.state_dict() == state
                ranks.append(list(loader))
                assert {b.epoch for b in ranks[-1]} == {1}
                assert loader.state_dict()["epoch"] == 2
        rest = whole[1][taken * first:]
        full = len(rest) // (world * batch_size)
        assert (in_steps([r[:full] for r in ranks], rest) ==
                rest[:full * world * batch_size])
        assert set(in_steps(ranks, rest)) == set(rest)


def test_state_between_epochs(path, whole):
    with pcr.Loader(path, batch_size=20, **OPTIONS) as loader:
        assert (loader.state_dict()["epoch"], loader.state_dict()["position"]) == (0, 0)
        loader.set_epoch(7)
        assert loader.state_dict()["epoch"] == 7
        loader.set_epoch(0)
        assert samples(loader) == whole[0]
        state = loader.state_dict()
        assert (state["epoch"], state["position"]) == (1, 0)
    with pcr.Loader(path, batch_size=20, **OPTIONS) as loader:
        loader.load_state_dict(state)
        loader.set_epoch(1)  # as training loops do; it is the state's
        assert samples(loader) == whole[1]
        assert next(iter(loader)).epoch == 2
        loader.load_state_dict({**state, "position": 20})
        loader.set_epoch(0)  # another: the state is of no use
        assert samples(loader) == whole[0]


def test_an_epoch_begins_with_its_first_batch(path, whole):
    with pcr.Loader(path, batch_size=20, fidelity=[(0, 1), (1, 3), (2, None)],
                    **OPTIONS) as loader:
        first = iter(loader)
        iter(loader)  # as frameworks do when they set things up
        assert [(b.epoch, set(b.fidelities.tolist())) for _ in range(3) for b in loader] == [
            (epoch, {g}) for epoch, g in enumerate((1, 3, loader.dataset.group_count))
            for _ in range(3)]
        assert next(first).epoch == 3 and first.number == 3
        loader.set_epoch(0)
        late = iter(loader)
        loader.set_epoch(1)
        assert {b.epoch for b in late} == {1}
        late = iter(loader)
        loader.load_state_dict({**loader.state_dict(), "epoch": 1, "position": 20})
        assert [(b.epoch, b.number) for b in late] == [(1, 1), (1, 2)]


def test_peek_changes_nothing(path, whole):
    with pcr.Loader(path, batch_size=20, **OPTIONS) as loader:
        clean = loader.state_dict()
        assert samples([loader.peek()]) == samples([loader.peek()]) == whole[0][:20]
        assert loader.state_dict() == clean
        loader.set_fidelity(2)
        batches = iter(loader)
        found = [next(batches)]
        assert set(found[0].fidelities) == {2}
        state = loader.state_dict()
        assert loader.peek().epoch == 1 and loader.state_dict() == state
        found += batches
        assert [(b.epoch, b.number) for b in found] == [(0, 0), (0, 1), (0, 2)]
        loader.set_fidelity(None)
        assert samples([loader.peek()]) == whole[1][:20]
        assert samples(loader) == whole[1]
        loader.load_state_dict({**clean, "position": 20})
        assert loader.peek().number == 1
        assert samples(loader) == whole[0][20:]
    with pcr.Loader(path, indices=[], **OPTIONS) as loader:
        with pytest.raises(pcr.InvalidError, match="no batch"):
            loader.peek()


def test_an_epoch_left_after_its_first_batch_is_said(path):
    with pcr.Loader(path, batch_size=20, **OPTIONS) as loader:
        next(iter(loader))
        with pytest.warns(RuntimeWarning, match=r"epoch 0 was left after 1 of 3.*peek\(\)"):
            assert next(iter(loader)).epoch == 1
        loader.set_epoch(2)
        next(iter(loader))


def test_a_state_at_the_end_of_an_epoch(path, whole):
    """Also where the iterator was never asked again, as by those who count batches."""
    with pcr.Loader(path, batch_size=20, **OPTIONS) as loader:
        batches = iter(loader)
        for _ in range(len(loader)):
            next(batches)
        state = loader.state_dict()
        assert (state["epoch"], state["position"]) == (1, 0)
        assert next(batches, None) is None and loader.state_dict() == state
    with pcr.Loader(path, batch_size=20, **OPTIONS) as loader:
        loader.load_state_dict(state)
        iter(loader)
        assert samples(loader) == whole[1]


def test_resuming_ends_the_iterator(path):
    with pcr.Loader(path, batch_size=20, fidelity=1, **OPTIONS) as loader:
        iterator = iter(loader)
        next(iterator)
        state = loader.state_dict()
        loader.set_fidelity(None)
        loader.load_state_dict(state)
        with pytest.raises(RuntimeError, match="epoch 0 ended"):
            next(iterator)
        assert set(next(iter(loader)).fidelities) == {1}


def test_states_that_do_not_fit(path, mixed):
    with pcr.Loader(path, **OPTIONS) as loader:
        state = loader.state_dict()
        for edit, kind in [({"version": 2}, pcr.UnsupportedError),
                           ({"seed": 1}, pcr.InvalidError),
                           ({"position": 49}, pcr.FormatError),
                           ({"epoch": -1}, pcr.FormatError),
                           ({"order": "x"}, pcr.FormatError),
                           ({"dataset": 5}, pcr.FormatError)]:
            with pytest.raises(kind, match="loader state"):
                loader.load_state_dict({**state, **edit})
        with pytest.raises(pcr.FormatError):
            loader.load_state_dict({})
        assert len(samples(loader)) == 48
    with pcr.Loader(mixed[0], **OPTIONS) as other:
        with pytest.raises(pcr.InvalidError, match="another dataset"):
            other.load_state_dict(state)
    with pcr.Loader(path, **{**OPTIONS, "shuffle": "full"}) as other:
        with pytest.raises(pcr.InvalidError, match="another order"):
            other.load_state_dict(state)


KILLED = """
import json, os, sys
import pcr

path, place, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
if "fidelity" in options:
    options["fidelity"] = [(epoch, {int(g): chance for g, chance in rule.items()})
                           for epoch, rule in options["fidelity"]]
loader = pcr.Loader(path, **options)
if os.path.exists(place):
    with open(place) as file:
        loader.load_state_dict(json.load(file))
while loader.state_dict()["epoch"] < 2:
    for batch in loader:
        print(batch.epoch, *zip(batch.indices.tolist(), batch.fidelities.tolist()), sep=";",
              flush=True)
        sys.stdin.readline()
        with open(f"{place}.{os.getpid()}", "w") as file:
            json.dump(loader.state_dict(), file)
        os.replace(f"{place}.{os.getpid()}", place)
        print("saved", flush=True)
"""


class Job:
    """Several processes that train together, from the state in a file on."""

    def __init__(self, path, place, world, options):
        self.ranks = [subprocess.Popen(
            [sys.executable, "-c", KILLED, path, place,
             json.dumps({**options, "shard": (rank, world)})], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True) for rank in range(world)]

    def step(self):
        """The epoch and samples of the next step, all ranks' together; None at the end."""
        lines = [rank.stdout.readline().strip().split(";") for rank in self.ranks]
        if not lines[0][0]:
            return None
        assert len({line[0] for line in lines}) == 1
        return int(lines[0][0]), [sample for line in lines for sample in line[1:]]

    def save(self):
        for rank in self.ranks:  # each writes the same state
            rank.stdin.write("\n")
            rank.stdin.flush()
            assert rank.stdout.readline() == "saved\n"

    def kill(self):
        for rank in self.ranks:
            rank.send_signal(signal.SIGKILL)
            rank.communicate()


@pytest.mark.parametrize("more", [
    {}, {"epoch_samples": 70, "fidelity": [(0, {1: 0.5, 3: 0.5}), (1, {2: 1})]}])
def test_kill_and_resume(path, tmp_path, more):
    """Two epochs, by jobs of one to three processes killed after a few steps, before or after
    they saved: together as by one process that was not. What was not saved is done again."""
    draw = random.Random(1)
    options = {**OPTIONS, **more}
    with pcr.Loader(path, **options) as loader:
        order = [[str((int(i), int(g))) for b in loader
                  for i, g in zip(b.indices, b.fidelities)] for _ in range(2)]
    done, lives = [0, 0], 0
    while done[1] < len(order[1]):
        world, batch_size = draw.randrange(1, 4), draw.randrange(3, 9)
        job = Job(path, tmp_path / "state", world,
                  {**options, "batch_size": batch_size, "threads": draw.randrange(1, 4)})
        for _ in range(1 + draw.randrange(3)):
            step = job.step()
            if step is None:
                break
            epoch, samples_of_step = step
            first = done[epoch]
            expected = order[epoch][first:first + world * batch_size]
            if len(expected) == world * batch_size:
                assert sorted(samples_of_step) == sorted(expected)
            else:  # the last step may repeat some
                assert set(samples_of_step) == set(expected)
            job.save()
            done[epoch] += len(expected)
        else:
            job.step()  # delivered, but not saved
        job.kill()
        lives += 1
    assert done == [len(order[0])] * 2
    assert lives > 3


def test_indices(path, whole):
    chosen = [40, 3, 17, 3, 21, 22, 23]
    kept = {s for s in whole[0] if s[0] in chosen}
    for indices in (chosen, np.array(chosen), np.array(chosen, np.uint8)):
        with pcr.Loader(path, indices=indices, batch_size=4, **OPTIONS) as loader:
            assert len(loader) == 2
            found = samples(loader)
            assert set(found) == kept and len(found) == len(kept) == 6
    with pcr.Loader(path, indices=chosen, shuffle="none", size=16) as loader:
        assert [s[0] for s in samples(loader)] == [3, 17, 21, 22, 23, 40]
    with pcr.Loader(path, indices=[], size=16) as loader:
        assert len(loader) == 0 and list(loader) == []


@pytest.mark.parametrize("indices", [[48], [-1], [0.5], [[1, 2]], ["one"]])
def test_bad_indices(path, indices):
    with pytest.raises(pcr.InvalidError):
        pcr.Loader(path, indices=indices)
    with pytest.raises(pcr.InvalidError):
        pcr.Loader(path, indices=indices, classes=[0])


def test_classes(ds):
    with pcr.Loader(ds, classes=["ant", 2], **OPTIONS) as loader:
        found = samples(loader)
    assert {s[1] for s in found} == {0, 2} and len(found) == 32
    some = [s[0] for s in found[:9]]
    with pcr.Loader(ds, classes=["crab"], indices=some, **OPTIONS) as loader:
        assert sorted(s[0] for s in samples(loader)) == sorted(
            i for i in some if ds.labels[i] == 2)
    with pytest.raises(pcr.InvalidError, match="no class 'dog'"):
        pcr.Loader(ds, classes=["dog"])
    with pytest.raises(pcr.InvalidError, match="as a list"):
        pcr.Loader(ds, classes="ant")
