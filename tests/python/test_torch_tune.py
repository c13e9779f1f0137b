# SPDX-License-Identifier: BSD-2-Clause
"""pcr.torch.GradientTuner, where PyTorch is installed."""

import copy
import importlib.util
import json
import logging
import subprocess
import sys

import numpy as np
import pytest

import pcr
from together import together

installed = importlib.util.find_spec("torch") is not None
pytestmark = pytest.mark.skipif(not installed, reason="PyTorch is not installed")
if installed:
    import torch
    from pcr import torch as pt

OPTIONS = {"split": "train", "size": 16, "batch_size": 6, "seed": 2, "fidelity": 2}


def linear():
    return torch.nn.Linear(3 * 16 * 16, 1, bias=False)


def centred(model, batch):
    """A loss whose gradient is the sum of the pixels less 128."""
    return model(batch[0].flatten(1).float() - 128).sum()


def sums(path, epoch, batches, **how):
    """The same by NumPy."""
    with pcr.Loader(path, layout="NCHW", **{**OPTIONS, "fidelity": None, **how}) as loader:
        loader.set_epoch(epoch)
        found = [b.pixels.reshape(len(b.pixels), -1).astype(float) - 128 for b in loader]
    return sum(x.sum(0) for x in found[:batches])


def cosines(path, epoch, batches, candidates):
    full = sums(path, epoch, batches)
    for c in candidates:
        low = sums(path, epoch, batches, **{"quality" if c < 1 else "fidelity": c})
        yield low @ full / np.linalg.norm(low) / np.linalg.norm(full)


@pytest.mark.parametrize("candidates", [None, [1, 3], [.5, .99]])
@pytest.mark.parametrize("kind", ["Loader", "IterableDataset"])
def test_the_lowest_above_the_threshold(path, candidates, kind, caplog):
    loader = getattr(pt, kind)(path, **OPTIONS)
    given = candidates or list(range(1, loader.group_count))
    expected = list(cosines(path, 3, 2, given))
    low, high = expected[:2]
    model = linear()
    for threshold, chosen, seen in ((low - 1e-4, given[0], 1), ((low + high) / 2, given[1], 2),
                                    (1, None, len(given))):
        tuner = pt.GradientTuner(loader, model, centred, candidates, start=3, batches=2,
                                 threshold=threshold)
        with caplog.at_level(logging.INFO, "pcr"):
            assert tuner.step(3) == chosen == tuner.chosen
        decision, = tuner.history
        assert decision.step == 3 and decision.chosen == chosen
        assert list(decision.figures) == [str(c) for c in given[:seen]]
        np.testing.assert_allclose(list(decision.figures.values()), expected[:seen], atol=1e-5)
        assert decision.reason in caplog.records[-1].getMessage()
    tuner = pt.GradientTuner(loader, model, centred, candidates, start=3, batches=2,
                             threshold=low - 1e-4)
    tuner.step(3)
    how = {"quality" if given[0] < 1 else "fidelity": given[0]}
    with pt.Loader(path, **{**OPTIONS, "fidelity": None, **how}) as plain:
        assert all(map(torch.equal, [b[0] for b in loader], [b[0] for b in plain]))


def test_when(path):
    with pt.Loader(path, **OPTIONS) as loader:
        def tuner():
            return pt.GradientTuner(loader, linear(), centred, start=2, every=3, batches=1)
        first = tuner()
        assert [first.step(epoch) for epoch in (0, 1)] == [None] * 2 and not first.history
        found = [first.step(epoch) for epoch in range(2, 9)]
        assert [d.step for d in first.history] == [2, 5, 8]
        assert [found[0], found[3], found[6]] == [d.chosen for d in first.history]
        second = tuner()
        second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        assert second.chosen == first.chosen and second.history == first.history
        second.step(8)  # its decision is in the state
        assert len(second.history) == 3


class Net(torch.nn.Module if installed else object):
    """What keeps state in many ways."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.frozen = torch.nn.BatchNorm2d(4).eval()
        self.drop = torch.nn.Dropout(.5)
        self.out = torch.nn.Linear(4, 3)
        self.unused = torch.nn.Parameter(torch.ones(2))
        self.fixed = torch.nn.Parameter(torch.ones(4), requires_grad=False)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("late", None)

    def forward(self, x):
        self.calls = self.calls + 1  # another tensor
        if len(x) == 6:
            self.late = torch.ones(())
        x = self.frozen(self.norm(self.conv(x.float() / 255))) * self.fixed[:, None, None]
        return self.out(self.drop(x.mean((2, 3))))


def entropy(model, batch):
    images, labels = batch
    return torch.nn.functional.cross_entropy(model(images), labels)


def trained():
    torch.manual_seed(5)
    model = Net()
    optimiser = torch.optim.SGD(model.parameters(), .1, momentum=.9)
    entropy(model, (torch.rand(4, 3, 16, 16), torch.tensor([0, 1, 2, 0]))).backward()
    optimiser.step()
    return model, optimiser


def everything(model, optimiser):
    return [copy.deepcopy(x) for x in (
        model.state_dict(), optimiser.state_dict(), [p.grad for p in model.parameters()],
        [m.training for m in model.modules()], torch.get_rng_state())]


def equal(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def failing(model, batch):
    model.eval()
    entropy(model, batch)
    raise ArithmeticError("the loss")


def not_a_number(model, batch):
    return entropy(model, batch) * float("nan")


@pytest.mark.parametrize("loss", [entropy, failing, not_a_number])
def test_nothing_is_touched(path, loss):
    model, optimiser = trained()
    before, grads = everything(model, optimiser), [p.grad for p in model.parameters()]
    calls = model.calls
    with pt.Loader(path, **OPTIONS) as loader, pt.Loader(path, **OPTIONS) as other:
        run = iter(loader)
        next(run), next(run)
        tuner = pt.GradientTuner(loader, model, loss, [1, 2], start=0, batches=2)
        if loss is failing:
            with pytest.raises(ArithmeticError, match="the loss"):
                tuner.step(0)
            assert not tuner.history
        else:
            tuner.step(0)
            assert (tuner.chosen is None) == (loss is not_a_number)
        assert equal(everything(model, optimiser), before)
        assert all(a is b for a, b in zip(grads, [p.grad for p in model.parameters()]))
        assert model.calls is calls and model.late is None
        run_other = iter(other)
        next(run_other), next(run_other)
        for (images, labels), (expected, numbers) in together(run, run_other):
            assert torch.equal(labels, numbers)


def test_the_same_random_numbers_at_each_candidate(path):
    """With dropout, equal pixels have equal gradients."""
    model, _ = trained()
    with pt.Loader(path, fidelities=np.full(48, 2), size=16, batch_size=6, split="all") as loader:
        tuner = pt.GradientTuner(loader, model, entropy, [1], start=0, batches=2, threshold=.999)
        assert tuner.step(0) == 1
        assert tuner.history[0].figures == {"1": pytest.approx(1, abs=1e-6)}


def test_gradients_of_embeddings(path):
    """A sparse gradient, and one that is zero."""
    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(256, 1, sparse=True)

        def forward(self, x):
            return self.table(x.flatten().long())

    with pt.Loader(path, **OPTIONS) as loader:
        tuner = pt.GradientTuner(loader, Table(), lambda m, b: m(b[0]).sum(), [1], start=0,
                                 batches=1)
        assert tuner.step(0) == 1 and 0.8 < tuner.history[0].figures["1"] < 1
        tuner = pt.GradientTuner(loader, Table(), lambda m, b: m(b[0]).sum() * 0, [1], start=0,
                                 batches=1)
        assert tuner.step(0) is None and "nan at 1" in tuner.history[0].reason


def test_refused(path):
    with pt.Loader(path, **OPTIONS) as loader:
        for wrong in ({"threshold": 2}, {"every": 0}, {"start": -1}, {"batches": 0},
                      {"candidates": [2, 1]}, {"candidates": [99]}):
            with pytest.raises(pcr.InvalidError):
                pt.GradientTuner(loader, linear(), centred, **wrong)
        with pytest.raises(pcr.InvalidError, match="parameters"):
            pt.GradientTuner(loader, torch.nn.ReLU(), centred, start=0).step(0)


TWO = """
import json, sys
import torch, torch.distributed
import pcr.torch
path, place, rank = sys.argv[1:]
torch.distributed.init_process_group("gloo", init_method=f"file://{place}/meet",
                                     rank=int(rank), world_size=2)
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 3))
model = torch.nn.parallel.DistributedDataParallel(net)

def loss(model, batch):
    return torch.nn.functional.cross_entropy(model(batch[0] / 255), batch[1])

loader = pcr.torch.Loader(path, split="train", size=16, batch_size=4)
gradient = pcr.torch.GradientTuner(loader, model, loss, [1, 2], start=0, batches=2,
                                   threshold=1)
gradient.step(0)
plateau = pcr.PlateauTuner(loader, [1, 2], patience=1)
plateau.step(1.0)
plateau.step(1.5 if rank == "0" else 0.6)
bandwidth = pcr.BandwidthTuner(loader, [1, 2], every=1, patience=1)
for batch in loader:
    bandwidth.step()
    loss(model, batch).backward()
torch.distributed.barrier()
torch.distributed.destroy_process_group()
loader = pcr.torch.Loader(path, split="train", size=16, batch_size=4, shard=(int(rank), 2))
alone = pcr.torch.GradientTuner(loader, net, loss, [1, 2], start=0, batches=2, threshold=1)
alone.step(0)
json.dump({name: tuner.history for name, tuner in (
    ("gradient", gradient), ("plateau", plateau), ("bandwidth", bandwidth), ("alone", alone))},
    open(f"{place}/{rank}.json", "w"))
"""


def test_two_processes_decide_together(path, tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO)
    ranks = [subprocess.Popen([sys.executable, script, path, tmp_path, str(rank)])
             for rank in range(2)]
    assert [rank.wait(120) for rank in ranks] == [0, 0]
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    for name in ("gradient", "plateau", "bandwidth"):
        assert found[0][name] == found[1][name]
    (_, _, chosen, _, together), = found[0]["gradient"]
    alone = [rank["alone"][0][4] for rank in found]
    assert chosen is None and alone[0] != alone[1]
    assert together == pytest.approx({c: (alone[0][c] + alone[1][c]) / 2 for c in "12"}, abs=1e-6)
    (step, _, chosen, _, figures), = found[0]["plateau"]
    assert (step, chosen) == (1, 2) and figures == {"loss": pytest.approx(1.05), "least": 1}
