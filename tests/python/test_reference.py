# SPDX-License-Identifier: BSD-2-Clause
"""docs/reference/pcr_reader.py, written from the format's text, reads the same bytes."""

import importlib.util
import os

import pytest

import pcr

pytest.importorskip("zstandard")
pytest.importorskip("xxhash")


@pytest.fixture(scope="module")
def reader():
    path = os.path.join(os.environ["PCR_SOURCE_ROOT"], "docs/reference/pcr_reader.py")
    spec = importlib.util.spec_from_file_location("pcr_reader", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
