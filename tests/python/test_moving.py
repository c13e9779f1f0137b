# SPDX-License-Identifier: BSD-2-Clause
"""Every block of code in docs/moving.md runs, where the packages that it imports are there."""

import importlib.util
import io
import os
import re
import tarfile
from pathlib import Path

import pytest

from images import encode, picture

TEXT = (Path(os.environ["PCR_SOURCE_ROOT"]) / "docs" / "moving.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.M | re.S)
PACKAGES = {"torch": "torch", "pcr.torch": "torch", "torchvision": "torchvision",
            "webdataset": "webdataset", "ffcv": "ffcv"}


def missing(block):
    """A package that the block needs and that is not here."""
    for name in re.findall(r"^(?:import|from) ([\w.]+)", block, flags=re.M):
        package = PACKAGES.get(name) or PACKAGES.get(name.split(".")[0])
        if package and importlib.util.find_spec(package) is None:
            return package
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
    return where


def test_there_are_blocks():
    assert len(BLOCKS) == 10
    assert sum(missing(block) is None for block in BLOCKS) >= 1


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block(number, folder, tmp_path, monkeypatch):
    block = BLOCKS[number]
    package = missing(block)
    if package:
        pytest.skip(f"{package} is not installed")
    for name in ("photos", "photos-000000.tar"):
        (tmp_path / name).symlink_to(folder / name)
    if "pcr.convert" not in block:
        (tmp_path / "photos.pcr").symlink_to(folder / "made.pcr")
    monkeypatch.chdir(tmp_path)
    space = {"__name__": "__moving__"}
    exec(compile(block, f"docs/moving.md, block {number + 1}", "exec"), space)
    if hasattr(space.get("loader"), "close"):
        space["loader"].close()
