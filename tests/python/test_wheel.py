# SPDX-License-Identifier: BSD-2-Clause
"""A source distribution makes a wheel that holds the library and needs nothing else."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pcr
from images import encode, picture

MISSING = [name for name in ("pip", "setuptools", "venv", "wheel")
           if importlib.util.find_spec(name) is None]
MISSING += [name for name in ("meson", "ninja") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}")


def made(folder, names):
    """The folders that a build makes, and version control."""
    return [name for name in names if os.path.isdir(os.path.join(folder, name))
            and (name.startswith(("build", ".", "__")) or name.endswith(".egg-info")
                 or name == "dist")]


def run(*arguments, **env):
    clean = {k: v for k, v in os.environ.items()
             if k not in ("PYTHONPATH", "PCR_LIBRARY", "DESTDIR")}
    done = subprocess.run(list(map(str, arguments)), env={**clean, **env},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(os.environ["PCR_SOURCE_ROOT"], folder / "source", ignore=made)
    # What is asked is what the wheel holds: the compiler may hurry.
    run(sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps",
        "--no-index", "-w", folder, folder / "source",
        LIBPCR_MESON_SETUP="-Dportable=true -Doptimization=0 -Dwerror=true")
    (found,) = folder.glob("*.whl")
    return found


def test_tag_and_contents(wheel):
    name, version, python, abi, platform = wheel.stem.split("-")
    assert (name, version, python, abi) == ("libpcr", pcr.__version__, "py3", "none")
    assert platform.startswith("linux_") or platform.startswith("manylinux")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = Path(pcr.__file__).parent
    expected = {f"pcr/{p.name}" for p in package.iterdir()
                if p.suffix == ".py" or p.name == "py.typed"}
    expected |= {f"pcr/{folder}/{p.name}" for folder in ("formats", "pages")
                 for p in (package / folder).iterdir() if p.is_file()}
    assert {n for n in names if n.startswith("pcr/")} == expected | {
        "pcr/_lib/libpcr.so.0"}
    assert [n for n in names if n.endswith(".data/scripts/pcrtool")]


def test_installed(wheel, tmp_path):
    run(sys.executable, "-m", "venv", "--system-site-packages", "--without-pip",
        tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    (tmp_path / "a.jpg").write_bytes(encode(picture(1, 30, 20)))
    code = ("import sys, pcr; print(pcr.system()['library']); "
            "pcr.write('dataset', [('a', open('a.jpg', 'rb').read())]); "
            "print(pcr.open('dataset')[0].decode().shape)")
    library, shape = run("env", "-C", tmp_path, python, "-c", code).splitlines()
    assert library.startswith(str(tmp_path / "venv"))
    assert library.endswith("/pcr/_lib/libpcr.so.0")
    assert shape == "(20, 30, 3)"
    tool = tmp_path / "venv" / "bin" / "pcrtool"
    told = run(tool, "--version")
    assert pcr.__version__ in told
    assert run(python, "-m", "pcr", "--version", PATH="/none") == told
    assert "1 sample" in run(python, "-m", "pcr", "info", tmp_path / "dataset")
