# SPDX-License-Identifier: BSD-2-Clause
"""pcr.torch in Lightning, where that is installed."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

installed = importlib.util.find_spec("lightning") is not None
pytestmark = [pytest.mark.skipif(not installed, reason="lightning is not installed"),
              pytest.mark.filterwarnings("ignore")]
if installed:
    import lightning
    import torch

    import pcr.torch

    class Model(lightning.LightningModule):
        """Notes the indices, fidelities and a sum of each batch, by epoch."""

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)
            self.seen = []
            self.validated = []

        def training_step(self, batch, _):
            images, _, indices, fidelities = batch
            self.seen.append((self.current_epoch, indices.tolist(), set(fidelities.tolist()),
                              int(images.sum())))
            return self.layer(images.float().mean().reshape(1, 1)).sum()

        def validation_step(self, batch, _):
            self.validated.append((self.current_epoch, batch[2].tolist()))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0)

        def by_epoch(self):
            return [[rest for epoch, *rest in self.seen if epoch == e]
                    for e in range(self.seen[-1][0] + 1)]

OPTIONS = {"size": 16, "batch_size": 10, "seed": 2, "flip": 0.5, "split": "train",
           "fields": ("indices", "fidelities"), "fidelity": [(0, 1), (1, 3), (2, None)]}


def trainer(tmp_path, epochs, **more):
    return lightning.Trainer(max_epochs=epochs, accelerator="cpu", devices=1, logger=False,
                             default_root_dir=tmp_path, enable_progress_bar=False,
                             enable_model_summary=False, log_every_n_steps=1,
                             **{"enable_checkpointing": False, **more})


def expected(path, epochs):
    """What the loader gives by itself."""
    with pcr.torch.Loader(path, **OPTIONS) as loader:
        return [[[indices.tolist(), set(fidelities.tolist()), int(images.sum())]
                 for images, _, indices, fidelities in loader] for _ in range(epochs)]


def test_each_epoch_is_the_next(path, tmp_path):
    model = Model()
    validation = pcr.torch.Loader(path, **{**OPTIONS, "split": "val", "shuffle": "none"})
    with pcr.torch.Loader(path, **OPTIONS) as loader:
        trainer(tmp_path, 3).fit(model, loader, validation)
    assert model.by_epoch() == expected(path, 3)
    assert [len(set(map(str, epoch))) for epoch in model.by_epoch()] == [3] * 3
    passes = [indices for epoch, indices in model.validated if epoch == 2]
    assert sum(passes, []) == list(range(24))


def test_a_new_loader_for_each_epoch(path, tmp_path):
    class Reloads(Model):
        def train_dataloader(self):
            return pcr.torch.Loader(path, **OPTIONS)

    model = Reloads()
    trainer(tmp_path, 3, reload_dataloaders_every_n_epochs=1).fit(model)
    assert model.by_epoch() == expected(path, 3)


def test_part_of_each_epoch(path, tmp_path):
    model = Model()
    with pcr.torch.Loader(path, **OPTIONS) as loader:
        trainer(tmp_path, 3, limit_train_batches=2).fit(model, loader)
    assert model.by_epoch() == [epoch[:2] for epoch in expected(path, 3)]


@pytest.mark.parametrize("how", [
    {}, {"every_n_train_steps": 3}, {"every_n_train_steps": 2},
    {"save_on_train_epoch_end": True}])
@pytest.mark.parametrize("validates", [False, True])
def test_going_on_from_a_checkpoint(path, tmp_path, how, validates):
    """From the end of the first epoch, in its middle, from its last batch: what would have
    come."""
    saved = lightning.pytorch.callbacks.ModelCheckpoint(
        tmp_path, filename="{step}", save_top_k=-1, **how)
    more = [pcr.torch.Loader(path, **{**OPTIONS, "split": "val"})] if validates else []
    first = Model()
    with pcr.torch.Loader(path, **OPTIONS) as loader:
        trainer(tmp_path, 2, callbacks=[saved], enable_checkpointing=True).fit(
            first, loader, *more)
    files = {int(file.stem.split("=")[1]): file for file in tmp_path.glob("*.ckpt")}
    assert sorted(files) == ([2, 4, 6] if how.get("every_n_train_steps") == 2 else [3, 6])
    for step, file in files.items():
        second = Model()
        with pcr.torch.Loader(path, **OPTIONS) as loader:
            trainer(tmp_path, 3).fit(second, loader, *more, ckpt_path=file)
        found = [rest for _, *rest in second.seen]
        assert found == sum(expected(path, 3), [])[step:], (step, how)


@pytest.mark.parametrize("persistent", [False, True])
def test_an_iterable_in_workers(path, tmp_path, persistent):
    model, reference = Model(), pcr.torch.IterableDataset(path, **OPTIONS)
    dataset = pcr.torch.IterableDataset(path, **OPTIONS)
    trainer(tmp_path, 3).fit(model, torch.utils.data.DataLoader(
        dataset, batch_size=None, num_workers=2, persistent_workers=persistent))
    loader = torch.utils.data.DataLoader(reference, batch_size=None, num_workers=2)
    assert model.by_epoch() == [
        [[indices.tolist(), set(fidelities.tolist()), int(images.sum())]
         for images, _, indices, fidelities in loader] for _ in range(3)]


TWO = """
import json, sys
import lightning, torch, pcr
sys.path.insert(0, sys.argv[1])
from test_frameworks_lightning import Model, OPTIONS

if __name__ == "__main__":
    loader = pcr.torch.Loader(sys.argv[2], **{**OPTIONS, "batch_size": 6})
    model = Model()
    trainer = lightning.Trainer(max_epochs=2, accelerator="cpu", devices=2, strategy="ddp",
                                logger=False, enable_checkpointing=False,
                                enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(model, loader)
    with open(f"{sys.argv[3]}/{trainer.global_rank}.json", "w") as file:
        json.dump([[epoch, indices] for epoch, indices, _, _ in model.seen], file)
"""


def test_two_devices(path, tmp_path):
    """Made before there are processes, each trains on its part."""
    script = tmp_path / "two.py"
    script.write_text(TWO)
    subprocess.run([sys.executable, script, os.path.dirname(__file__), path, tmp_path],
                   check=True, timeout=120)
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert [len(rank) for rank in ranks] == [4, 4]
    for epoch in range(2):
        seen = [i for rank in ranks for e, indices in rank if e == epoch for i in indices]
        assert sorted(seen) == list(range(24))
