# SPDX-License-Identifier: BSD-2-Clause
"""docs/reference/pcr_reader.py, written from the format's text, reads the same bytes."""

import importlib.util
import json
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


def compare(reader, path):
    """Every sample at every fidelity, by both readers; gives how many were compared."""
    reference = reader.Dataset(str(path))
    compared = 0
    with pcr.open(path) as ds:
        for number, record in enumerate(ds.records):
            theirs = reference.record(number)
            assert theirs.count == record.sample_count
            for i in range(record.sample_count):
                sample = ds[record.first_sample + i]
                assert theirs.key[i] == sample.key_bytes
                assert tuple(theirs.labels[i]) == sample.labels
                assert json.loads(theirs.attributes[i] or b"{}") == sample.attributes
                for fidelity in range(1, ds.group_count + 1):
                    assert theirs.materialise(i, fidelity) == sample.read(fidelity)
                    compared += 1
            theirs.verify()
    return compared


def test_photographs(reader, path):
    assert compare(reader, path) >= 48 * 5


def test_several_kinds(reader, mixed):
    assert compare(reader, mixed[0]) >= 9 * 5


def test_one_record(reader, path):
    with pcr.open(path) as ds:
        file = path / ds.records[0].path
    assert compare(reader, file) > 0


def test_classic_ladder(reader, tree, tmp_path):
    pcr.convert(tree, tmp_path / "classic", ladder="classic")
    assert compare(reader, tmp_path / "classic") == 48 * 10
