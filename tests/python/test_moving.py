# SPDX-License-Identifier: BSD-2-Clause
"""Every block of code in docs/moving.md and docs/frameworks.md runs, where the packages that it
imports are there."""

import importlib.util
import io
import os
import re
import socket
import tarfile
from pathlib import Path

import pytest

from images import encode, picture

DOCS = Path(os.environ["PCR_SOURCE_ROOT"]) / "docs"
BLOCKS = [(name, block) for name in ("moving", "frameworks")
          for block in re.findall(r"^```python\n(.*?)^```$", (DOCS / f"{name}.md").read_text(),
                                  flags=re.M | re.S)]
PACKAGES = {"pcr.torch": "torch", **{name: name for name in (
    "torch", "torchvision", "datasets", "webdataset", "ffcv", "torchdata", "lightning",
    "accelerate", "transformers", "jax", "grain", "tensorflow")}}


def missing(block):
    """A package that the block needs and that is not here."""
    for name in re.findall(r"^(?:import|from) ([\w.]+)", block, flags=re.M):
        package = PACKAGES.get(name) or PACKAGES.get(name.split(".")[0])
        if package and importlib.util.find_spec(package) is None:
            return package
    if "_parquet(" in block and importlib.util.find_spec("pyarrow") is None:
        return "pyarrow"
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs in split and class folders, the dataset, and a shard."""
    import pcr
    where = tmp_path_factory.mktemp("moving")
    with tarfile.open(where / "photos-000000.tar", "w") as tar:
        for i in range(80):
            data = encode(picture(i, 60, 50), "JPEG", quality=85)
            split = "train" if i < 70 else "validation"
            path = where / "photos" / split / f"class-{i % 2}" / f"{i:02}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            for name, content in (("jpg", data), ("cls", b"%d" % (i % 2))):
                info = tarfile.TarInfo(f"{i:02}.{name}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    pcr.convert(where / "photos", where / "made.pcr")
    boxes = {"boxes": [[5, 10, 30, 40], [20, 20, 60, 50]], "box_category_ids": [1, 90]}
    pcr.write(where / "coco.pcr", [
        (f"{i}.jpg", encode(picture(i, 60 + 9 * i, 50)), None, boxes if i else {}, "train")
        for i in range(8)])
    return where


def test_there_are_blocks():
    assert len(BLOCKS) == 26
    assert sum(missing(block) is None for _, block in BLOCKS) >= 1


def launch(monkeypatch):
    """The environment of a launcher's only process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name, value in (("RANK", 0), ("WORLD_SIZE", 1), ("MASTER_ADDR", "127.0.0.1"),
                        ("MASTER_PORT", port)):
        monkeypatch.setenv(name, str(value))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block(number, folder, tmp_path, monkeypatch):
    document, block = BLOCKS[number]
    package = missing(block)
    if package:
        pytest.skip(f"{package} is not installed")
    for name in ("photos", "photos-000000.tar", "coco.pcr"):
        (tmp_path / name).symlink_to(folder / name)
    if "pcr.convert" not in block:
        (tmp_path / "photos.pcr").symlink_to(folder / "made.pcr")
    if "init_process_group" in block:
        launch(monkeypatch)
    monkeypatch.chdir(tmp_path)
    space = {"__name__": "__moving__"}
    exec(compile(block, f"docs/{document}.md, block {number + 1}", "exec"), space)
    if hasattr(space.get("loader"), "close"):
        space["loader"].close()
