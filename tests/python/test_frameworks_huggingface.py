# SPDX-License-Identifier: BSD-2-Clause
"""pcr.torch with accelerate and transformers, where these are installed."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

missing = [name for name in ("accelerate", "transformers")
           if importlib.util.find_spec(name) is None]
pytestmark = [pytest.mark.skipif(bool(missing), reason=f"{missing} not installed"),
              pytest.mark.filterwarnings("ignore")]
if not missing:
    import accelerate
    import torch
    import transformers

    import pcr.torch

    class Net(torch.nn.Module):
        """Notes the batches that it sees."""

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 3)
            self.seen = []

        def forward(self, pixel_values, labels, indices, fidelities):
            self.seen.append([indices.tolist(), set(fidelities.tolist()),
                              int(pixel_values.sum())])
            logits = self.layer(pixel_values.float().mean((1, 2, 3))[:, None])
            return {"loss": torch.nn.functional.cross_entropy(logits, labels),
                    "logits": logits}

    class Trainer(transformers.Trainer):
        """A Trainer whose data come from loaders."""

        def __init__(self, train, evaluation, **more):
            super().__init__(model=Net(), **more)
            self.loaders = train, evaluation

        def get_train_dataloader(self):
            return self.loaders[0]

        def get_eval_dataloader(self, eval_dataset=None):
            return self.loaders[1]

OPTIONS = {"size": 16, "batch_size": 5, "seed": 2, "flip": 0.5, "split": "train",
           "fidelity": [(0, 1), (1, 3), (2, None)],
           "names": {"pixel_values": "images", "labels": "labels", "indices": "indices",
                     "fidelities": "fidelities"}}


def seen(batch):
    return [batch["indices"].tolist(), set(batch["fidelities"].tolist()),
            int(batch["pixel_values"].sum())]


@pytest.fixture
def loader(path):
    with pcr.torch.Loader(path, **OPTIONS) as made:
        yield made


@pytest.fixture
def expected(path):
    """What the loader gives by itself."""
    with pcr.torch.Loader(path, **OPTIONS) as made:
        return [[seen(batch) for batch in made] for _ in range(3)]


def arguments(tmp_path, **more):
    return transformers.TrainingArguments(
        output_dir=tmp_path, num_train_epochs=3, per_device_train_batch_size=5, use_cpu=True,
        report_to=[], disable_tqdm=True, remove_unused_columns=False, logging_steps=100,
        **more)


def test_trainer(tmp_path, loader, expected, path):
    evaluation = pcr.torch.Loader(path, **{**OPTIONS, "split": "val", "shuffle": "none",
                                           "fidelity": 1})
    trainer = Trainer(loader, evaluation, args=arguments(tmp_path, save_strategy="no"),
                      compute_metrics=lambda p: {"count": len(p.predictions)})
    trainer.train()
    assert trainer.model.seen == sum(expected, [])
    trainer.model.seen.clear()
    assert trainer.evaluate()["eval_count"] == 24
    assert sum((indices for indices, _, _ in trainer.model.seen), []) == list(range(24))


def test_trainer_of_samples(path, tmp_path):
    """The Trainer's own DataLoader around a dataset of samples."""
    dataset = pcr.torch.Dataset(path, split="train", size=16, names={
        "pixel_values": "images", "labels": "labels", "indices": "indices",
        "fidelities": "indices"})
    trainer = transformers.Trainer(Net(), arguments(tmp_path, save_strategy="no"),
                                   train_dataset=dataset)
    trainer.train()
    seen = [sum((batch[0] for batch in trainer.model.seen[first:first + 5]), [])
            for first in (0, 5, 10)]
    assert [sorted(epoch) for epoch in seen] == [list(range(24))] * 3 and seen[0] != seen[1]


@pytest.mark.parametrize("steps", [3, 5])
def test_trainer_goes_on(tmp_path, path, loader, expected, steps):
    """From the middle of an epoch, and from its end."""
    trainer = Trainer(loader, None, args=arguments(
        tmp_path, save_strategy="steps", save_steps=steps, save_total_limit=9))
    trainer.train()
    for step in range(steps, 15, steps):
        with pcr.torch.Loader(path, **OPTIONS) as again:
            second = Trainer(again, None, args=arguments(tmp_path / "second",
                                                         save_strategy="no"))
            second.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{step}"))
        assert second.model.seen == sum(expected, [])[step:], step


def test_accelerate(loader, expected):
    accelerator = accelerate.Accelerator(cpu=True)
    net = Net()
    model, optimizer, prepared = accelerator.prepare(
        net, torch.optim.SGD(net.parameters(), lr=0.1), loader)
    assert prepared is loader
    counts = [0, 0]
    for epoch in range(2):
        for batch in prepared:
            out = model(**batch)
            accelerator.backward(out["loss"])
            optimizer.step()
            optimizer.zero_grad()
            gathered = accelerator.gather_for_metrics((out["logits"], batch["labels"]))
            counts[epoch] += len(gathered[1])
    assert counts == [24, 24] and net.seen == expected[0] + expected[1]


def test_accelerate_keeps_the_state(path, tmp_path, loader, expected):
    accelerator = accelerate.Accelerator(cpu=True)
    accelerator.register_for_checkpointing(loader)
    batches = iter(loader)
    assert [seen(next(batches)) for _ in range(2)] == expected[0][:2]
    accelerator.save_state(str(tmp_path))
    with pcr.torch.Loader(path, **OPTIONS) as again:
        second = accelerate.Accelerator(cpu=True)
        second.register_for_checkpointing(again)
        second.load_state(str(tmp_path))
        assert [seen(batch) for batch in again] == expected[0][2:]


@pytest.mark.parametrize("skipped", range(6))
def test_skip_first_batches(loader, expected, skipped):
    loader.set_epoch(1)
    rest = accelerate.skip_first_batches(loader, skipped)
    assert len(rest) == 5 - skipped
    made = loader.stats().batch_count
    assert [seen(batch) for batch in rest] == expected[1][skipped:]
    assert loader.stats().batch_count - made <= 5 - skipped + (skipped > 0)
    if skipped < 5:
        assert [seen(batch) for batch in loader] == expected[2]
        assert loader.state_dict()["epoch"] == 3


TWO = """
import json, sys
import accelerate, pcr, torch
sys.path.insert(0, sys.argv[1])
from test_frameworks_huggingface import OPTIONS

loader = pcr.torch.Loader(sys.argv[2], **{**OPTIONS, "batch_size": 3})
accelerator = accelerate.Accelerator(cpu=True)
loader = accelerator.prepare(loader)
seen = [[], []]
for epoch in range(2):
    batches = loader if epoch == 0 else accelerate.skip_first_batches(loader, 2)
    for batch in batches:
        seen[epoch].append(accelerator.gather_for_metrics(batch["indices"]).tolist())
how = {"size": 8, "split": "train", "batch_size": 4}
for workers in (0, 1):
    dataset = pcr.torch.IterableDataset(sys.argv[2], **how)
    prepared = accelerator.prepare(
        torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=workers))
    try:
        if accelerator.is_main_process:  # the other one would wait for it
            next(iter(prepared))
            raise SystemExit("it has read its part for all")
    except RuntimeError as exc:
        assert "shard=(0, 1)" in str(exc)
    accelerate.state.GradientState._reset_state()
with open(f"{sys.argv[3]}/{accelerator.process_index}.json", "w") as file:
    json.dump(seen, file)
"""


def test_accelerate_on_two(path, tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO)
    subprocess.run([sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
                    script, os.path.dirname(__file__), path, tmp_path], check=True,
                   timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1",
                                     "ACCELERATE_USE_CPU": "true"})
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first == second and [len(epoch) for epoch in first] == [4, 2]
    assert sorted(sum(first[0], [])) == list(range(24))
    assert len(set(sum(first[1], []))) == 12
