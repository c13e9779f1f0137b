# SPDX-License-Identifier: BSD-2-Clause
"""Every block of code in docs/python.md runs as it stands, given what the text around it names."""

import contextlib
import importlib.util
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pcr
from images import encode, picture
from test_moving import launch, missing

TEXT = (Path(os.environ["PCR_SOURCE_ROOT"]) / "docs/python.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.M | re.S)
COUNT = 24


def jpeg(number):
    return encode(picture(number, 60, 50), "JPEG", quality=85)


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    """A folder of photographs and the datasets that the document names."""
    folder = tmp_path_factory.mktemp("documents")
    for i in range(COUNT):
        split = "train" if i < 16 else "val"
        path = folder / "photos" / split / f"class-{i % 2}" / f"{i:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(i))
    pcr.convert(folder / "photos", folder / "photos.pcr")
    for name in ("images", "masks", "drawings"):
        pcr.write(folder / f"{name}.pcr", [(f"{i}.jpg", jpeg(i)) for i in range(COUNT)])
    more = {"boxes": [[1, 2, 30, 40]], "box_classes": ["cat"]}
    pcr.write(folder / "boxes.pcr", [(f"{i}.jpg", jpeg(i), None, more) for i in range(COUNT)])
    with zipfile.ZipFile(folder / "all.zip", "w") as file:
        for path in (folder / "photos.pcr").iterdir():
            file.write(path, f"photos.pcr/{path.name}")
    return folder


class Later:
    """Something that a block calls or reads, and of which the text says no more."""

    def __call__(self, *_args, **_kwargs):
        return 1.0


def uses_torch(block):
    return re.search(r"\btorch\.", re.sub(r"#.*", "", block)) is not None


def torch_space(stack, monkeypatch):
    """What a program with PyTorch has: a model of two classes, and its group of processes."""
    import torch
    import torch.distributed

    import pcr.torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.last = torch.nn.Linear(3, 2)

        def forward(self, images):
            return self.last(images.float().mean((2, 3)) / 255)

    launch(monkeypatch)
    torch.distributed.init_process_group("gloo")
    stack.callback(torch.distributed.destroy_process_group)
    loader = stack.enter_context(pcr.torch.Loader("photos.pcr", split="train", batch_size=8,
                                                  size=32))
    return {"torch": torch, "device": "cpu", "model": Model(), "loader": loader}


@pytest.fixture
def space(where):
    """What a program has before each block."""
    ds = pcr.open(where / "photos.pcr")
    loader = pcr.Loader(where / "images.pcr", split="all", batch_size=8, size=224)
    yield {
        "__name__": "__documents__", "pcr": pcr, "np": np, "zipfile": zipfile, "ds": ds,
        "loader": loader, "jpeg_bytes": jpeg(1), "fetch": jpeg, "step": Later(),
        "render": lambda: ((jpeg(i), ("cat", "dog")[i % 2]) for i in range(4)),
        "train": Later(), "train_step": Later(), "losses": np.arange(1, COUNT + 1, dtype=float),
        "hard": np.arange(COUNT) % 2 == 0, "photos": str(where / "photos.pcr"),
        "drawings": str(where / "drawings.pcr"),
    }
    loader.close()
    ds.close()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block(number, where, space, tmp_path, monkeypatch):
    block = BLOCKS[number]
    package = missing(block)
    if uses_torch(block) and importlib.util.find_spec("torch") is None:
        package = "torch"
    if package:
        pytest.skip(f"{package} is not installed")
    for path in where.iterdir():
        if path.name != "photos.pcr" or "pcr.convert" not in block:
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    with contextlib.ExitStack() as stack:
        if uses_torch(block) and "import pcr.torch" not in block:
            space.update(torch_space(stack, monkeypatch))
        exec(compile(block, f"docs/python.md, block {number + 1}", "exec"), space)
