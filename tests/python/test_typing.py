# SPDX-License-Identifier: BSD-2-Clause
"""The package is typed, and documented."""

import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pcr

PACKAGE = Path(pcr.__file__).parent


def test_marked_as_typed():
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None,
                    reason="mypy is not installed")
def test_mypy_strict(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.9",
         "--cache-dir", str(tmp_path), str(PACKAGE)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_public_names_have_docstrings():
    for name in pcr.__all__:
        thing = getattr(pcr, name)
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing):
            for below, member in vars(thing).items():
                if not below.startswith("_") and (inspect.isfunction(member)
                                                  or isinstance(member, property)):
                    assert inspect.getdoc(member), f"{name}.{below}"


def test_no_other_dependency_than_numpy():
    code = ("import sys; import numpy; before = set(sys.modules); import pcr\n"
            "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}"
            " - set(sys.stdlib_module_names) - {'pcr', 'numpy'}))")
    if sys.version_info < (3, 10):
        pytest.skip("needs Python 3.10")
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, text=True,
                          stdout=subprocess.PIPE, check=True)
    assert done.stdout.strip() == ""
