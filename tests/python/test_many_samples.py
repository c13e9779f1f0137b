# SPDX-License-Identifier: BSD-2-Clause
"""What is known of many samples lies in a file: nothing of it is lost, and memory stays small."""
import resource
import sys

import pytest

import pcr
from images import encode, picture
from pcr import _source

PHOTO = encode(picture(1, 24, 20))


def samples(count):
    for i in range(count):
        yield pcr.NewSample(f"a/{i}.jpg" if i % 3 else f"b/{i}.jpg".encode(), PHOTO,
                            label=("cat", "dog", None)[i % 3],
                            attributes={"text": f"caption {i} " + 200 * "x"} if i % 2 else None,
                            split="train" if i % 5 else "val",
                            blobs={"mask": bytes([i % 256]) * (i % 4)} if i % 7 == 0 else None)


@pytest.mark.parametrize("as_list", [False, True])
def test_nothing_is_lost(tmp_path, monkeypatch, as_list):
    """The same dataset, wherever descriptions are."""
    paths = [tmp_path / "memory.pcr", tmp_path / "file.pcr"]
    for path, nbytes in zip(paths, (1 << 30, 300)):
        monkeypatch.setattr(_source, "_TAIL_NBYTES", nbytes)
        made = samples(100)
        pcr.write(path, list(made) if as_list else made)
    names = sorted(path.name for path in paths[0].iterdir())
    assert names == sorted(path.name for path in paths[1].iterdir())
    for name in names:
        assert (paths[0] / name).read_bytes() == (paths[1] / name).read_bytes()
    with pcr.open(paths[1], split="all") as ds:
        assert len(ds) == 100


def test_a_folder_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(_source, "_TAIL_NBYTES", 300)
    with pytest.raises(pcr.IoError, match="none: cannot create a file"):
        pcr.write(tmp_path / "a.pcr", list(samples(10)), spool_folder=tmp_path / "none")


def test_descriptions():
    found = _source._Descriptions(None)
    for i in range(50):
        found.add((i, b"x" * i))
    assert len(found) == 50
    assert [found[i] for i in (49, 0, 20)] == [(i, b"x" * i) for i in (49, 0, 20)]


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in KiB")
def test_memory(tmp_path):
    """Some 16 bytes a sample, where its attributes have 5000."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = _source.Source((pcr.NewSample(str(i), b"", attributes={"text": 5000 * "x"})
                             for i in range(20000)), None, spool_folder=str(tmp_path))
    assert source.struct.sample_count == 20000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10
