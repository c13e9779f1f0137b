# SPDX-License-Identifier: BSD-2-Clause
"""Attributes of all samples as arrays."""

import json
import math

import numpy as np
import pytest

import pcr
from images import encode, picture

DATA = encode(picture(8, 8, 1), "JPEG")
ROWS = [
    {"b": True, "i": 2**63 - 1, "f": 0.5, "s": "größer", "j": {"x": [1, None]}, "e": [0.5, 1, 2],
     "boxes": [[1.5, 2, 3, 4], [5, 6, 7, 8]], "ids": [7, 8], "captions": ["a", ""]},
    {},
    {"b": None, "i": -5, "f": None, "s": None, "j": None, "e": None, "boxes": None, "ids": None,
     "captions": None},
    {"b": False, "f": 3, "s": "", "j": "text", "e": [3, 4.5, 5], "boxes": [], "ids": [],
     "captions": ["c"]},
    {"b": False, "i": 0, "boxes": [[0, 0, 1, 1.25]], "ids": [9], "captions": []},
]
TYPES = {"b": "bool", "boxes": "float64[][4]", "captions": "string[]", "e": "float64[3]",
         "f": "float64", "i": "int64", "ids": "int64[]", "j": "json", "s": "string"}


def write(path, rows, **options):
    pcr.write(path, [(f"{i}", DATA, i % 2, row, f"s{i % 2}") for i, row in enumerate(rows)],
              record_samples=2, shuffle=False, **options)
    return pcr.open(path)


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    with write(tmp_path_factory.mktemp("columns") / "ds", ROWS) as found:
        yield found


ORDER = [0, 2, 4, 1, 3]  # by splits


def test_types(ds):
    assert ds.columns == TYPES and list(ds.columns) == sorted(TYPES)
    assert ds.schema == {"label": "class", "attributes": TYPES}
    assert ds.manifest["schema"]["attributes"] == TYPES


def test_objects(ds):
    assert [s.attributes for s in ds] == [ROWS[i] for i in ORDER]
    assert type(ds[4].attributes["f"]) is float  # 3, where others are fractions


@pytest.mark.parametrize("name", TYPES)
def test_values(ds, name):
    column = ds.column(name)
    wanted = [ROWS[i].get(name) for i in ORDER]
    assert column.name == name and column.type == TYPES[name] and len(column) == 5
    assert column.present.tolist() == [v is not None for v in wanted]
    got = [v.tolist() if isinstance(v, np.ndarray) else v for v in column]
    assert got == wanted
    assert repr(column) == f"<pcr.Column {name!r}: 5 x {TYPES[name]}>"


def test_arrays(ds):
    numbers = ds.column("f")
    assert numbers.values.dtype == np.float64 and numbers.offsets is None
    np.testing.assert_array_equal(numbers, [0.5, math.nan, math.nan, math.nan, 3])
    np.testing.assert_array_equal(ds.column("i"), [2**63 - 1, -5, 0, 0, 0])
    assert ds.column("b").values.dtype == np.bool_
    assert ds.column("s").values.tolist() == ["größer", None, None, None, ""]
    assert ds.column("j").values.tolist() == [{"x": [1, None]}, None, None, None, "text"]
    assert ds.column("e").values.shape == (5, 3)
    boxes = ds.column("boxes")
    assert boxes.values.shape == (3, 4) and boxes.offsets.tolist() == [0, 2, 2, 3, 3, 3]
    assert boxes[-3].tolist() == [[0, 0, 1, 1.25]]
    assert ds.column("captions").values.tolist() == ["a", "", "c"]
    with pytest.raises(ValueError, match="differ in length"):
        np.asarray(boxes)
    with pytest.raises(IndexError):
        boxes[5]


def test_parts_of_a_dataset(ds):
    with pcr.open(ds.path, split="s1") as odd:
        assert odd.column("f").present.tolist() == [False, True] and odd.columns == TYPES
    with pcr.open(f"{ds.path}/{ds.records[0].path}") as one:  # whose types it knows itself
        assert one.column("i").values.tolist() == [2**63 - 1, -5]
        assert one[0].attributes == ROWS[0]


def test_no_such_column(ds, path):
    with pytest.raises(pcr.InvalidError, match="no attribute named 'x'; there are 'b', 'boxes'"):
        ds.column("x")
    with pcr.open(path) as without:
        assert without.columns == {} and without.schema["attributes"] == {}
        with pytest.raises(pcr.InvalidError, match="there are none"):
            without.column("f")


def test_types_do_not_depend_on_records(tmp_path):
    """One sample decides for all, wherever it is."""
    rows = [{"n": i} for i in range(9)] + [{"n": 0.5}]
    with write(tmp_path / "a", rows) as ds, write(tmp_path / "b", rows[::-1]) as other:
        assert ds.columns == other.columns == {"n": "float64"}
        assert sorted(ds.column("n").values) == sorted(other.column("n").values)


def test_recode_keeps_columns(ds, tmp_path):
    pcr.recode(ds.path, tmp_path / "scans", coding="scans")
    with pcr.open(tmp_path / "scans") as scans:
        assert scans.columns == TYPES
        assert [s.attributes for s in scans] == [s.attributes for s in ds]


def test_same_again_and_resumed(ds, tmp_path):
    """The same samples are the same dataset, other attributes are not."""
    write(tmp_path / "d", ROWS).close()
    before = (tmp_path / "d" / "manifest.json").read_bytes()
    write(tmp_path / "d", [json.loads(json.dumps(row)) for row in ROWS]).close()
    for change in ({"i": 1}, {"f": 0.25}, {"f": "x"}, {"new": 1}):
        with pytest.raises(pcr.InvalidError, match="another dataset"):
            write(tmp_path / "d", [*ROWS[:4], {**ROWS[4], **change}])
    assert (tmp_path / "d" / "manifest.json").read_bytes() == before


def test_limits(tmp_path):
    with pytest.raises(pcr.LimitError, match="more than 1000 different names"):
        write(tmp_path / "many", [{f"n{k}": 1 for k in range(1001)}])
    with write(tmp_path / "most", [{f"n{k}": k for k in range(1000)}]) as ds:
        assert len(ds.columns) == 1000 and ds.column("n999").values.tolist() == [999]


def test_salvaged_is_a_column_of_text(tmp_path):
    whole = encode(picture(1, 120, 90), quality=90)
    cut = whole[:len(whole) * 6 // 10]
    for name, rows, kind in (("a", [{}, {}], "string"), ("b", [{"salvaged": 1}, {}], "json")):
        samples = [("good", DATA, None, rows[0]), ("cut", cut, None, rows[1])]
        pcr.write(tmp_path / name, samples, on_bad="salvage", shuffle=False)
        with pcr.open(tmp_path / name) as ds:
            assert ds.columns == {"salvaged": kind}
            assert ds.column("salvaged")[0] == rows[0].get("salvaged")
            assert isinstance(ds.column("salvaged")[1], str)
    pcr.write(tmp_path / "c", [("good", DATA)], on_bad="salvage")
    with pcr.open(tmp_path / "c") as ds:
        assert ds.columns == {}


# --- in batches ---

def test_batches(ds):
    """What the dataset's columns have, sample by sample, whatever the order."""
    names = list(TYPES)
    loader = pcr.Loader(ds, batch_size=2, size=8, columns=names, seed=3)
    for _ in range(2):  # memory of batches is used again
        seen = []
        for batch in loader:
            assert list(batch.columns) == names
            for name, column in batch.columns.items():
                whole = ds.column(name)
                assert len(column) == len(batch.labels) and column.type == TYPES[name]
                assert column.values.dtype == whole.values.dtype
                for got, index in zip(column, batch.indices):
                    np.testing.assert_equal(got, whole[index])
                np.testing.assert_array_equal(column.present, whole.present[batch.indices])
            seen += batch.indices.tolist()
        assert sorted(seen) == list(range(5))
    assert next(iter(pcr.Loader(ds, size=8))).columns == {}


@pytest.mark.parametrize("options", [{"shuffle": "full"}, {"raw": True}, {"exact": True},
                                     {"views": [pcr.View(8), pcr.View(4)]}])
def test_batches_of_all_kinds(ds, options):
    if "views" not in options:
        options = {"size": 8, **options}
    for batch in pcr.Loader(ds, batch_size=4, columns=["i", "boxes"], **options):
        for got, index in zip(batch.columns["i"], batch.indices):
            assert got == ds.column("i")[index]
        assert batch.columns["boxes"].values.shape[1:] == (4,)


def test_mixed_datasets(ds, path, tmp_path):
    with pcr.open(path, split="all") as without:
        mix = pcr.Loader([without, ds], batch_size=64, size=8, columns=["f", "s"])
        batch = next(iter(mix))
    other = batch.datasets == 0
    assert other.sum() == 48 and not batch.columns["f"].present[other].any()
    assert np.isnan(batch.columns["f"].values[other]).all()
    assert batch.columns["s"].present[~other].sum() == 2
    with write(tmp_path / "text", [{"f": "x"}]) as text:
        with pytest.raises(pcr.InvalidError, match="'f' is string in dataset 1, float64"):
            pcr.Loader([ds, text], columns=["f"])


TYPES_OF_BOTH = {"n": "int64[]", "b": "int64[][4]", "s": "string[]", "t": "bool[]"}


def test_lists_of_other_lengths(tmp_path):
    """Where datasets have lists of other lengths, all batches have lists that differ."""
    given = [[{"n": [1, 2], "b": [[0, 0, 1, 1]], "s": ["a", "b"], "t": [True, False]}, {},
              {"n": None, "b": [[1, 2, 3, 4]], "s": ["", "x"], "t": [False, False]}],
             [{"n": [3, 4, 5], "b": [[5, 6, 7, 8]] * 2, "s": ["c"], "t": [True]}] * 2,
             [{"n": [6], "b": [], "s": [], "t": []},
              {"n": [], "b": [[9, 9, 9, 9]], "s": ["d", "e", "f"], "t": [True] * 9}]]
    sets = [write(tmp_path / str(i), part) for i, part in enumerate(given)]
    assert [s.columns["n"] for s in sets] == ["int64[2]", "int64[3]", "int64[]"]
    for order in ((0, 1, 2), (2, 1, 0), (0, 1)):
        for size in (1, 2, 7):
            seen = 0
            for batch in pcr.Loader([sets[k] for k in order], batch_size=size, size=8,
                                    columns=["n", "b", "s", "t"]):
                for row, (which, key) in enumerate(zip(batch.datasets, batch.keys)):
                    value = given[order[which]][int(key)]
                    for name, column in batch.columns.items():
                        got = None if column[row] is None else np.array(column[row]).tolist()
                        assert got == value.get(name), (name, value)
                        assert column.offsets is not None
                        assert column.type == TYPES_OF_BOTH[name]
                    seen += 1
                assert batch.columns["b"].values.shape[1:] == (4,)
            assert seen == sum(len(given[k]) for k in order)
    with write(tmp_path / "other", [{"n": [.5, 1]}]) as other:
        with pytest.raises(pcr.InvalidError, match=r"'n' is float64\[2\] in dataset 1, int64"):
            pcr.Loader([sets[0], other], columns=["n"])
    for opened in sets:
        opened.close()


def test_wrong_columns(ds):
    with pytest.raises(pcr.InvalidError, match="no attribute 'x'"):
        pcr.Loader(ds, columns=["x"])
    with pytest.raises(pcr.InvalidError, match="expected several names"):
        pcr.Loader(ds, columns="f")


def test_weights(ds):
    """A column can be the weights."""
    weights = np.nan_to_num(ds.column("f").values)
    loader = pcr.Loader(ds, batch_size=5, size=8, weights=weights, epoch_samples=70)
    counts = np.bincount(np.concatenate([batch.indices for batch in loader]), minlength=5)
    np.testing.assert_array_equal(counts, [10, 0, 0, 0, 60])


def test_tensors(ds):
    torch = pytest.importorskip("torch")
    loader = pcr.torch.Loader(ds, batch_size=5, size=8, shuffle=False, columns=list(TYPES),
                              fields=list(TYPES))
    batch = dict(zip(["images", "labels", *TYPES], next(iter(loader))))
    assert torch.equal(batch["i"], torch.tensor([2**63 - 1, -5, 0, 0, 0]))
    assert batch["e"].shape == (5, 3) and batch["b"].dtype == torch.bool
    assert [len(v) for v in batch["boxes"]] == [2, 0, 1, 0, 0]
    assert batch["boxes"][2].tolist() == [[0, 0, 1, 1.25]]
    assert batch["s"] == ["größer", None, None, None, ""]
