# SPDX-License-Identifier: BSD-2-Clause
"""Labels: what may be one, what is stored, and what datasets and loaders give back."""

import enum
import math
from decimal import Decimal

import numpy as np
import pytest

import pcr
from images import encode, picture

DATA = encode(picture(1, 40, 30))
FLOATS = [0.5, -1e300, 7.0, 5e-324]


def write(path, labels, **options):
    """A dataset of one sample for each label; its keys are "0", "1" and so on."""
    options.setdefault("shuffle", False)
    pcr.write(path, [(str(i), DATA, label) for i, label in enumerate(labels)], **options)
    return pcr.open(path)


@pytest.fixture
def floats(tmp_path):
    with write(tmp_path / "floats", [*FLOATS, None, [1, 2.5], 3], record_samples=2) as ds:
        yield ds


# --- what may be a label ---

@pytest.mark.parametrize("label, stored", [
    (3, (3,)), (-(2**63), (-(2**63),)), (np.int8(-5), (-5,)), (np.uint64(7), (7,)),
    (np.array(4), (4,)), (np.array([4, 5], np.int32), (4, 5)), ([1, -1], (1, -1)),
    ((2**63 - 1,), (2**63 - 1,)), ([], ()), (np.zeros(0), ()), (range(3), (0, 1, 2)),
    ([np.int64(1), 2], (1, 2)), (None, ()),
    (0.5, (0.5,)), (np.float32(0.1), (float(np.float32(0.1)),)), (np.array(2.5), (2.5,)),
    ([0.2, 7.9], (0.2, 7.9)), ([1, 0.5], (1.0, 0.5)), (np.array([1.5, 2.0]), (1.5, 2.0)),
    (-0.0, (0.0,)), (1.0, (1.0,)),
])
def test_labels_that_are_stored(label, stored, tmp_path):
    with write(tmp_path / "ds", [label], classes=()) as ds:
        assert ds[0].labels == stored
        assert [type(v) for v in ds[0].labels] == [type(v) for v in stored]
        kind = {int: "ints", float: "floats"}[type(stored[0])] if stored else "none"
        assert ds.schema == {"label": kind, "attributes": {}}


@pytest.mark.parametrize("label, kind", [
    (True, "bool"), (np.True_, "bool"), ([1, None], "NoneType"), ([1, True], "bool"),
    ([[1], [2]], "list"), ({"a": 1}, "dict"), ({1, 2}, "set"), (object(), "object"),
    (b"cat", "bytes"), (["cat", "dog"], "str"), (Decimal("0.5"), "Decimal"), (1j, "complex"),
    (np.zeros((2, 2)), "shape"), (np.array(["a"]), "str"), (np.array([True]), "bool"),
])
def test_what_is_no_label(label, kind, tmp_path):
    with pytest.raises(TypeError, match=f"'one'.*{kind}"):
        pcr.write(tmp_path / "ds", [("zero", DATA), ("one", DATA, label)])
    assert not (tmp_path / "ds").exists()


@pytest.mark.parametrize("label", [
    math.nan, math.inf, [0.5, -math.inf], np.float32("nan"), 2**63, -(2**63) - 1,
    np.uint64(2**63), [1, 10**30], "", [0.5, 2**53 + 1],
])
def test_numbers_that_cannot_be_stored(label, tmp_path):
    with pytest.raises(pcr.InvalidError, match="'one'"):
        pcr.write(tmp_path / "ds", [("zero", DATA), ("one", DATA, label)])
    assert not (tmp_path / "ds").exists()


class Colour(str, enum.Enum):
    RED = "red"


def test_names(tmp_path):
    with write(tmp_path / "a", ["red", np.str_("blue"), Colour.RED, None, []]) as ds:
        assert ds.classes == ("blue", "red") and ds.targets == [1, 0, 1, -1, -1]
    with pytest.warns(UserWarning, match="class '10' has label 0"):
        write(tmp_path / "c", ["10", "2", "3"])
    with pytest.warns(UserWarning, match="class '10' has label 0"):
        convert(tmp_path / "d", jsonl('"10"', '"2"'))
    with write(tmp_path / "b", ["10", "2", "nan", "NA"]) as ds:
        assert ds.classes == ("10", "2", "NA", "nan")


def test_labels_of_all_samples_go_together(tmp_path):
    for labels, message in [(["cat", 1], "'1'.*'cat'"), ([0.5, "cat"], "'0'.*'cat'"),
                            ([0.5, 2**53 + 1], "'1'.*9007199254740993")]:
        with pytest.raises(pcr.InvalidError, match=message):
            write(tmp_path / "ds", labels)
    with pytest.raises(pcr.InvalidError, match="'1'.*classes"):
        write(tmp_path / "ds", ["cat", 0.5], classes=["cat"])
    with pytest.raises(pcr.InvalidError, match="'1'.*class 2, but there are 2"):
        write(tmp_path / "ds", ["cat", 2], classes=["dog", "cat"])
    for classes, error in [("cat", pcr.InvalidError), (["a", "a"], pcr.InvalidError),
                           ([1, 2], TypeError)]:
        with pytest.raises(error, match="classes"):
            write(tmp_path / "ds", [0, 1], classes=classes)
    assert not (tmp_path / "ds" / "manifest.json").exists()


# --- datasets ---

def test_float_dataset(floats):
    ds = floats
    assert ds.schema["label"] == "floats" and ds.classes == () and ds.class_to_idx == {}
    assert [s.labels for s in ds] == [*((v,) for v in FLOATS), (), (1.0, 2.5), (3.0,)]
    assert ds[4].label is None and ds[6].label == 3 and isinstance(ds[6].label, float)
    assert ds.labels.dtype == np.float64 and not ds.labels.flags.writeable
    np.testing.assert_array_equal(ds.labels, [*FLOATS, math.nan, 1, 3])
    assert ds.targets[:4] == FLOATS and math.isnan(ds.targets[4])
    with pcr.open(f"{ds.path}/{ds.records[0].path}") as one:
        assert one.schema["label"] == "floats" and one.targets == FLOATS[:2]


def test_class_dataset(ds):
    assert ds.schema == {"label": "class", "attributes": {}}
    assert ds.class_to_idx == {"ant": 0, "bee": 1, "crab": 2}
    assert ds.targets == [s.label for s in ds] == ds.labels.tolist()
    assert type(ds.targets[0]) is int and ds.labels.dtype == np.int64
    with pcr.open(ds.path, split="val") as val:
        assert val.targets == ds.targets[-len(val):]


def test_integers_that_are_classes(tmp_path):
    labels = [2, 0, 1, 2, None]
    with write(tmp_path / "a", labels) as ds:
        assert ds.schema["label"] == "class" and ds.classes == ("0", "1", "2")
        assert ds.class_counts == (1, 1, 2) and ds.targets == [2, 0, 1, 2, -1]
    with write(tmp_path / "b", labels, classes=["x", "y", "z"]) as ds:
        assert ds.class_to_idx == {"x": 0, "y": 1, "z": 2} and ds.targets[:2] == [2, 0]
    with write(tmp_path / "c", labels, classes=()) as ds:
        assert ds.schema["label"] == "ints" and ds.classes == ()
    with write(tmp_path / "d", [1, 2, 3]) as ds:
        assert ds.schema["label"] == "ints" and ds.classes == ()


def test_labels_can_be_interrupted(floats, monkeypatch):
    """Between the records, while the main thread waits for another."""
    from pcr import _dataset
    record = floats._record

    def stop(number):
        if number == 1:
            raise KeyboardInterrupt
        return record(number)
    monkeypatch.setattr(floats, "_record", stop)
    with pytest.raises(KeyboardInterrupt):
        floats.labels
    monkeypatch.undo()
    assert len(floats.labels) == 7 and _dataset


# --- loaders ---

def batches(loader):
    return {int(i): v for b in loader for i, v in zip(b.indices, b.labels)}


@pytest.mark.parametrize("raw", [False, True])
def test_float_batches(floats, raw):
    with pcr.Loader(floats, batch_size=3, size=8, raw=raw) as loader:
        found = batches(loader)
        assert {b.labels.dtype for b in loader} == {np.dtype(np.float64)}
    np.testing.assert_array_equal([found[i] for i in range(7)], floats.labels)
    with pytest.raises(pcr.InvalidError, match="floats"):
        pcr.Loader(floats, classes=[1])


def test_batches_of_floats_and_integers(floats, ds, tmp_path):
    with pytest.raises(pcr.InvalidError, match="float labels"):
        pcr.Loader([ds, floats])
    with pytest.raises(pcr.InvalidError, match="integer labels"):
        pcr.Loader([floats, ds])
    with write(tmp_path / "none", [None]) as none:
        with pcr.Loader([none, floats], batch_size=8, size=8) as loader:
            labels = np.sort(next(iter(loader)).labels)
    np.testing.assert_array_equal(labels, np.sort([*FLOATS, 1, 3, math.nan, math.nan]))


def test_renumbered_classes(ds, tmp_path):
    chosen = {"batch_size": 8, "size": 8}
    with pcr.Loader(ds, classes=["crab", "ant"], renumber=True, **chosen) as loader:
        found = batches(loader)
        assert loader.classes == ("crab", "ant")
    assert len(found) == 32 and {found[i] for i in found} == {0, 1}
    assert all(v == {2: 0, 0: 1}[ds[i].label] for i, v in found.items())
    with write(tmp_path / "other", ["bee", "ape"]) as other:  # where bee is 1, and ape 0
        with pcr.Loader([ds, other], classes=["bee", "ape"], renumber=True, raw=True,
                        batch_size=4) as loader:
            seen = {(ds, other)[d][i].key: v for b in loader
                    for d, i, v in zip(b.datasets, b.indices, b.labels)}
    assert seen["0"] == 0 and seen["1"] == 1 and sorted(seen.values()) == [0] * 17 + [1]
    for options, error in [({}, pcr.InvalidError), ({"classes": "ant"}, pcr.InvalidError),
                           ({"classes": ["ant", 0]}, pcr.InvalidError),
                           ({"classes": [None]}, TypeError)]:
        with pytest.raises(error, match="classes"):
            pcr.Loader(ds, renumber=True, **options)


def test_float_tensors(floats):
    torch = pytest.importorskip("torch")
    import pcr.torch
    with pcr.torch.Loader(floats, batch_size=7, size=8, shuffle="none") as loader:
        _, labels = next(iter(loader))
    assert labels.dtype == torch.float64
    np.testing.assert_array_equal(labels.numpy(), floats.labels)
    single = pcr.torch.Dataset(floats.path)
    assert single[0][1] == 0.5 and math.isnan(single[4][1])


# --- memory ---

def test_hooks_that_fail(ds):
    """An exception in a hook is the iteration's, and what hooks give is looked at."""
    def refuse(_nbytes):
        raise ZeroDivisionError("no memory of this kind")

    for allocate, error, message in [
            (refuse, ZeroDivisionError, "no memory of this kind"),
            (lambda nbytes: None, TypeError, "NoneType"),
            (lambda nbytes: -64, pcr.InvalidError, "-64"),
            (lambda nbytes: 1 << 70, pcr.InvalidError, "address"),
            (lambda nbytes: 0, pcr.OutOfMemory, "bytes")]:
        with pcr.Loader(ds, batch_size=4, size=8,
                        memory=(allocate, lambda address, nbytes: None)) as loader:
            with pytest.raises(error, match=message):
                for _ in loader:
                    pass


def test_releases_that_fail(ds):
    held = {}

    def allocate(nbytes):
        array = np.empty(nbytes + 64, np.uint8)
        address = -(-array.ctypes.data // 64) * 64
        held[address] = array
        return address

    def release(address, _nbytes):
        raise KeyError("never given out")

    loader = pcr.Loader(ds, batch_size=4, size=8, batches_ahead=1, memory=(allocate, release))
    with pytest.raises(KeyError, match="never given out"):
        batches = [b for b in loader]  # more than the pool keeps
        del batches
        for _ in loader:
            pass
    assert len(list(loader)) == len(loader)  # it was raised once
    with pytest.raises(KeyError, match="never given out"):
        loader.close()
    with pytest.raises(ZeroDivisionError):
        with pcr.Loader(ds, batch_size=4, size=8, memory=(allocate, release)) as loader:
            next(iter(loader))
            raise ZeroDivisionError


# --- lists ---

def convert(path, lines, **options):
    """A dataset of a list, CSV or JSON lines, of the one image."""
    path.mkdir(exist_ok=True)
    (path / "a.jpg").write_bytes(DATA)
    name = path / ("list.jsonl" if lines[0].startswith("{") else "list.csv")
    name.write_text("".join(line + "\n" for line in lines))
    pcr.convert(name, path / "ds", shuffle=False, **options)
    return pcr.open(path / "ds")


def csv(*labels):
    return ["path,key,label", *(f"a.jpg,{i},{label}" for i, label in enumerate(labels))]


def jsonl(*labels):
    return [f'{{"path": "a.jpg", "key": "{i}", "label": {label}}}'
            for i, label in enumerate(labels)]


@pytest.mark.parametrize("lines, schema, targets", [
    (csv(0.5, 3, -1e-3), "floats", [0.5, 3.0, -1e-3]),
    (jsonl(0.5, 3, -1e-3), "floats", [0.5, 3.0, -1e-3]),
    (csv(1, 0, 2), "class", [1, 0, 2]), (jsonl(1, 0, 2), "class", [1, 0, 2]),
    (csv(7, -1), "ints", [7, -1]), (jsonl(7, "[-1, 2]"), "ints", [7, -1]),
    (csv("cat", "ape"), "class", [1, 0]), (jsonl('"0.5"', '"0.25"'), "class", [1, 0]),
    (csv(1.0, 0.0), "floats", [1.0, 0.0]), (jsonl(1.0, 0.0), "floats", [1.0, 0.0]),
    (csv("", ""), "none", [-1, -1]), (jsonl("null", 5), "ints", [-1, 5]),
])
def test_lists(lines, schema, targets, tmp_path):
    with convert(tmp_path / "list", lines) as ds:
        assert ds.schema["label"] == schema and ds.targets == targets
        assert {type(t) for t in ds.targets} == {type(t) for t in targets}


@pytest.mark.parametrize("lines, line, key", [
    (csv(1, "cat"), 3, "1"), (csv(0.5, "nan"), 3, "1"), (csv(1, ""), 3, "1"),
    (csv("cat", ""), 3, "1"), (csv(2**63, 1), 2, "0"), (csv(0.5, 2**53 + 1), 3, "1"),
    (csv("1 2", 1), 2, "0"),
    (jsonl(1, '"cat"'), 2, "1"), (jsonl(0.5, "NaN"), 2, "1"), (jsonl(1, "true"), 2, "1"),
    (jsonl(1, "[1, null]"), 2, "1"), (jsonl(1, "[[1]]"), 2, "1"), (jsonl(1, "{}"), 2, "1"),
    (jsonl(2**63, 1), 1, "0"), (jsonl(0.5, 2**53 + 1), 2, "1"), (jsonl(1, '""'), 2, "1"),
    (jsonl("1e999"), 1, "0"), (jsonl('["cat"]'), 1, "0"),
])
def test_lists_that_are_refused(lines, line, key, tmp_path):
    with pytest.raises(pcr.InvalidError, match=rf"line {line} \('{key}'\)"):
        convert(tmp_path / "list", lines)
    assert not (tmp_path / "list" / "ds").exists()


def test_classes_of_lists_and_folders(tree, tmp_path):
    with convert(tmp_path / "a", csv(1, 0, 2), classes=["x", "y", "z"]) as ds:
        assert ds.classes == ("x", "y", "z") and ds.targets == [1, 0, 2]
    with convert(tmp_path / "b", csv("y", "x"), classes=["y", "x"]) as ds:
        assert ds.classes == ("y", "x") and ds.targets == [0, 1]
    with convert(tmp_path / "c", csv(1, 0), classes=()) as ds:
        assert ds.classes == () and ds.schema["label"] == "ints"
    for labels, classes in [((1, 0, 3), ["x", "y", "z"]), (("x", "w"), ["x"])]:
        with pytest.raises(pcr.InvalidError, match="line . .*classes"):
            convert(tmp_path / "d", csv(*labels), classes=classes)
    pcr.convert(tree, tmp_path / "e", classes=["crab", "dodo", "bee", "ant"])
    with pcr.open(tmp_path / "e") as ds:
        assert ds.class_counts == (16, 0, 16, 16)
        assert all(ds.classes[s.label] == s.key.split("/")[1] for s in ds)
    with pytest.raises(pcr.InvalidError, match="class folder 'bee'"):
        pcr.convert(tree, tmp_path / "f", classes=["crab", "ant"])


@pytest.mark.parametrize("some", [[1, None, [2, -3, 2**62], 4], [0.5, [1, 2.5], None, 3, None]])
def test_all_labels(some, tmp_path):
    with write(tmp_path / "ds", some * 5, shuffle=False, record_samples=3, classes=()) as ds:
        values, offsets = ds.all_labels()
        assert values.dtype == (np.float64 if 0.5 in some else np.int64)
        assert offsets.dtype == np.uint64 and offsets[0] == 0 and offsets[-1] == len(values)
        each = [s.labels for s in ds]
        assert [tuple(values[a:b].tolist()) for a, b in zip(offsets, offsets[1:])] == each
        for raw in (False, True):
            with pcr.Loader(ds, batch_size=8, size=8, raw=raw, batches_ahead=1) as loader:
                for _ in range(2):
                    for batch in loader:
                        assert [tuple(row.tolist()) for row in batch.all_labels] == [
                            each[i] for i in batch.indices]
                        assert batch.all_labels[0].dtype == values.dtype
