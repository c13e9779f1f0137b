# SPDX-License-Identifier: BSD-2-Clause
"""A loader's statistics: names, differences, texts."""

import json
import pickle
import time

import pytest

import pcr


def counted(path, epochs=1):
    with pcr.Loader(path, batch_size=16, size=16, threads=2) as loader:
        for _ in range(epochs):
            for batch in loader:
                assert batch.epoch < epochs
        return loader.stats()


def test_numbers(path):
    found = counted(path)
    assert found["sample_count"] == found.sample_count == 48
    assert found.batch_count == 3 and found.thread_count == 2
    assert found.replaced_count == found.degraded_count == 0
    assert found.read_nbytes > 0 and found.decode_ns > 0 and found.elapsed_ns > 0
    assert found.read_count >= 5
    assert found.batches_held == 1  # the loop's last
    assert found.batches_open == found.batches_ready == 0
    assert "size" not in found
    with pytest.raises(KeyError):
        found["_raw"]
    with pytest.raises(AttributeError):
        found.misspelt


def test_json_has_the_mapping(path):
    found = counted(path)
    assert json.loads(found.to_json()) == {**found,
                                           "fidelity_counts": list(found.fidelity_counts)}
    assert "\n" not in found.to_json()


def test_table(path):
    text = str(counted(path))
    assert [line.split()[0] for line in text.split("\n")] == [
        "time", "samples", "batches", "read", "threads", "readers", "consumer",
        "fidelity", "quality", "limit"]
    assert "samples   48, " in text


def test_prometheus(path):
    found = counted(path)
    text = found.to_prometheus(split='a "b"\n\\', job="x")
    values = {}
    assert ('pcr_loader_fidelity_samples_total{split="a \\"b\\"\\n\\\\",job="x",fidelity="9"} 48'
            in text.splitlines())
    for line in text.splitlines():
        if not line.startswith(("#", "pcr_loader_fidelity_samples_total")):
            name, value = line.rsplit(" ", 1)
            assert name.endswith('{split="a \\"b\\"\\n\\\\",job="x"}'), line
            values[name.split("{")[0]] = float(value)
    assert len(values) == len(found)
    assert values["pcr_loader_samples_total"] == 48
    assert values["pcr_loader_decode_seconds_total"] == found.decode_ns / 1e9
    assert "\npcr_loader_samples_total 48\n" in found.to_prometheus()
    with pytest.raises(pcr.InvalidError):
        found.to_prometheus(rank=3)


def test_difference(path):
    with pcr.Loader(path, batch_size=16, size=16) as loader:
        list(loader)
        before = loader.stats()
        held = list(loader)
        after = loader.stats()
    found = after - before
    assert found.sample_count == 48 and found.batch_count == 3
    assert found.batches_held == after.batches_held == len(held)
    assert 0 < found.read_nbytes == after.read_nbytes - before.read_nbytes
    with pytest.raises(pcr.InvalidError):
        before - after
    with pytest.raises(TypeError):
        after - 3


def test_read_ahead_is_counted_apart(path):
    """Where the next epoch is one of full fidelity, and read while this one ends."""
    nbytes = []
    for read_ahead in False, True:
        with pcr.Loader(path, size=16, fidelity=[(0, 1), (2, None)],
                        read_ahead=read_ahead) as loader:
            list(loader)
            before = loader.stats()
            list(loader)
            while read_ahead and not loader.stats().ahead_nbytes:
                time.sleep(0.001)
            nbytes.append((loader.stats() - before).read_nbytes)
    assert nbytes[1] <= nbytes[0]


def test_waits_are_counted(path):
    """Those for batches, and those for an epoch to begin while reads are under way."""
    with pcr.open(path) as whole:
        nbytes = whole.prefix_nbytes(whole.group_count)
    with pcr.open(path, throttle=2 * nbytes) as slow, \
            pcr.Loader(slow, batch_size=4, size=16, threads=1, readers=16,
                       block_samples=4) as loader:
        waited = 0.0
        for _ in range(4):
            start = time.monotonic()
            for _batch in loader:
                pass
            waited += time.monotonic() - start
        counted = loader.stats().consumer_wait_ns / 1e9
    assert 0.9 * waited < counted <= waited


def test_is_a_value(path):
    found = counted(path)
    assert pickle.loads(pickle.dumps(found)) == found
    assert found == dict(found)
