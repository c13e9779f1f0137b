# SPDX-License-Identifier: BSD-2-Clause
"""pcr.formats beside the formats' own packages, where these are installed; iterators' bytes."""

import errno
import importlib.util
import json
import os
import pickle
import resource
import subprocess
import sys

import numpy as np
import pytest

import pcr
from images import encode, picture, pixels_of

CLASSES = ["ant", "bee"]


def needs(*packages):
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


#: A function of a program of its own: its peak of memory in MiB. (Of getrusage() a child has what
#: its parent had.)
PEAK = """
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) // 1024
"""


def jpeg(number, **how):
    return encode(picture(number, 40, 30), "JPEG", quality=85, **how)


FILES = [jpeg(number) for number in range(12)]


def contents(path, **how):
    """What a dataset holds, by key: coefficients count, not bytes."""
    with pcr.open(path, **how) as ds:
        return {s.key: (ds.classes[s.label] if ds.classes and s.label is not None else s.label,
                        s.attributes, s.decode().tobytes()) for s in ds}


def decoded(data):
    return pcr.decode(data).tobytes()


# --- iterators ---

def test_bytes_of_an_iterator_are_in_a_file(tmp_path):
    """The process grows by a part of what it is given; the dataset is that of a list."""
    code = (PEAK + "import sys, pcr\n"
            "data = open(sys.argv[1], 'rb').read()\n"
            "tail = bytes(1 << 20)\n"
            "def made():\n"
            "    for i in range(60):\n"
            "        yield pcr.NewSample(str(i), data + tail, i % 2)\n"
            "pcr.write(sys.argv[2], made(), threads=1)\n"
            "print(peak())")
    (tmp_path / "a.jpg").write_bytes(FILES[0])
    sizes = [int(subprocess.run([sys.executable, "-c", text, tmp_path / "a.jpg",
                                 tmp_path / f"dataset-{i}"], check=True,
                                stdout=subprocess.PIPE).stdout)
             for i, text in enumerate((code, code.replace(", made()", ", list(made())")))]
    assert sizes[0] + 20 < sizes[1]
    names = [sorted(p.name for p in (tmp_path / f"dataset-{i}").iterdir()) for i in (0, 1)]
    assert names[0] == names[1]
    for name in names[0]:
        assert ((tmp_path / "dataset-0" / name).read_bytes() ==
                (tmp_path / "dataset-1" / name).read_bytes())


def test_a_spool_that_fails(tmp_path):
    """It is the machine's error, whatever is done with bad inputs."""
    samples = [("a", FILES[0]), ("b", FILES[1])]
    with pytest.raises(pcr.NotFoundError, match="nothing: cannot create a file"):
        pcr.write(tmp_path / "dataset", iter(samples), spool_folder=tmp_path / "nothing")
    with pytest.raises(pcr.NotFoundError):
        pcr.write(tmp_path / "no" / "dataset", iter(samples))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    for on_bad in ("fail", "skip"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
        try:
            with pytest.raises(pcr.IoError, match="cannot write a sample") as caught:
                pcr.write(tmp_path / "dataset", iter(samples), on_bad=on_bad)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert caught.value.errno == errno.EFBIG
    assert not (tmp_path / "dataset").exists()
    with pytest.raises(TypeError, match="'b': the data is a str"):
        pcr.write(tmp_path / "dataset", iter([samples[0], ("b", "b.jpg")]))
    with pytest.raises(pcr.FormatError):
        pcr.write(tmp_path / "dataset", iter([samples[0], ("b", b"nothing")]))
    report = pcr.write(tmp_path / "dataset", iter([samples[0], ("b", b"nothing")]), on_bad="skip")
    assert [bad.path for bad in report.bad] == ["b"]


# --- Parquet and Arrow ---

def table(first=0, count=12, metadata=True, **more):
    """Rows as Hugging Face stores them."""
    import pyarrow as pa
    rows = range(first, first + count)
    image = pa.array([{"bytes": FILES[i], "path": f"{i}.jpg"} for i in rows],
                     pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    columns = {"image": image, "label": pa.array([i % 2 for i in rows], pa.int64()), **more}
    features = {"image": {"_type": "Image"}, "label": {"names": CLASSES, "_type": "ClassLabel"}}
    made = pa.table(columns)
    return made.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})} if metadata else None)


def expected(rows=range(12), before="", attributes=None):
    return {f"{before}{i}.jpg": (CLASSES[i % 2], attributes(i) if attributes else {},
                                 decoded(FILES[i])) for i in rows}


@needs("pyarrow")
def test_parquet(tmp_path):
    """Shards of splits, attributes of all kinds, several row groups."""
    import datetime
    import pyarrow as pa
    import pyarrow.parquet as pq
    folder = tmp_path / "made" / "data"
    folder.mkdir(parents=True)
    for name, first in (("train-00000-of-00002", 0), ("train-00001-of-00002", 5),
                        ("validation-00000-of-00001", 10)):
        rows = range(first, min(first + 5, 12))
        pq.write_table(table(first, len(rows),
                             number=pa.array([None if i == 3 else i / 2 for i in rows]),
                             text=pa.array([f"é{i}" for i in rows]),
                             boxes=pa.array([[[i, 1], [2, 3]] for i in rows]),
                             more=pa.array([{"a": i, "b": [True]} for i in rows]),
                             when=pa.array([datetime.date(2020, 1, 1 + i) for i in rows])),
                       folder / f"{name}.parquet", row_group_size=2)

    def attributes(i):
        found = {"number": i / 2, "text": f"é{i}", "boxes": [[i, 1], [2, 3]],
                 "more": {"a": i, "b": [True]}, "when": f"2020-01-{1 + i:02}"}
        return {name: value for name, value in found.items() if (i, name) != (3, "number")}

    pcr.formats.from_parquet(tmp_path / "made", tmp_path / "dataset")
    assert contents(tmp_path / "dataset", split="train") == expected(range(10), "", attributes)
    assert contents(tmp_path / "dataset", split="validation") == expected(range(10, 12), "",
                                                                          attributes)
    pcr.formats.from_parquet(str(folder / "train-*"), tmp_path / "chosen", split="mine",
                             attributes=["text"], classes=["A", "B"])
    with pcr.open(tmp_path / "chosen") as ds:
        assert ds.splits == {"mine": 10} and ds.classes == ("A", "B")
        assert ds[ds.find("4.jpg")].attributes == {"text": "é4"}
    pcr.formats.from_parquet({"a": folder / "validation-00000-of-00001.parquet",
                              "b": [folder / "train-00000-of-00002.parquet"]},
                             tmp_path / "mapped", key_field="text", label_field="", attributes=[])
    with pcr.open(tmp_path / "mapped") as ds:
        assert ds.splits == {"a": 2, "b": 5} and ds[ds.find("é4")].label is None


@needs("pyarrow")
@pytest.mark.parametrize("kind", ["stream", "file"])
def test_arrow(tmp_path, kind):
    import pyarrow as pa
    made = table()
    with pa.OSFile(str(tmp_path / "made-train.arrow"), "wb") as out:
        with (pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file)(
                out, made.schema) as writer:
            writer.write_table(made, max_chunksize=5)
    pcr.formats.from_parquet(tmp_path / "made-train.arrow", tmp_path / "dataset")
    assert contents(tmp_path / "dataset", split="train") == expected()


@needs("pyarrow")
def test_what_files_do_not_say(tmp_path):
    """Labels' names come from beside, or are numbers; a bare column of bytes; files by path; keys
    that are numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    pq.write_table(table(metadata=False), tmp_path / "plain.parquet")
    pcr.formats.from_parquet(tmp_path / "plain.parquet", tmp_path / "numbers")
    with pcr.open(tmp_path / "numbers") as ds:
        assert ds.classes == ("0", "1") and ds.splits == {"all": 12}
    (tmp_path / "dataset_infos.json").write_text(json.dumps({"default": {"features": {
        "image": {"_type": "Image"}, "label": {"names": CLASSES, "_type": "ClassLabel"}}}}))
    pcr.formats.from_parquet(tmp_path / "plain.parquet", tmp_path / "named")
    assert contents(tmp_path / "named") == expected()
    (tmp_path / "dataset_infos.json").write_text("{")
    with pytest.raises(pcr.InvalidError, match="dataset_infos.json"):
        pcr.formats.from_parquet(tmp_path / "plain.parquet", tmp_path / "x")
    (tmp_path / "dataset_infos.json").unlink()

    pq.write_table(pa.table({"content": pa.array(FILES, pa.large_binary()),
                             "cls": pa.array([CLASSES[i % 2] for i in range(12)]),
                             "id": pa.array(range(12))}), tmp_path / "bytes.parquet")
    pcr.formats.from_parquet(tmp_path / "bytes.parquet", tmp_path / "bytes", key_field="id")
    assert contents(tmp_path / "bytes") == {key[:-4]: value for key, value in expected().items()}
    pcr.formats.from_parquet(tmp_path / "bytes.parquet", tmp_path / "keys", attributes=[])
    assert set(contents(tmp_path / "keys")) == {f"all/{i:08}" for i in range(12)}

    (tmp_path / "files").mkdir()
    for i, data in enumerate(FILES):
        (tmp_path / "files" / f"{i}.jpg").write_bytes(data)
    paths = pa.array([{"bytes": None, "path": f"files/{i}.jpg"} for i in range(12)],
                     pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    pq.write_table(table().set_column(0, "image", paths), tmp_path / "paths.parquet")
    pcr.formats.from_parquet(tmp_path / "paths.parquet", tmp_path / "by-path")
    assert contents(tmp_path / "by-path") == expected(before="files/")
    (tmp_path / "files" / "3.jpg").unlink()
    with pytest.raises(pcr.InvalidError, match="files/3.jpg: neither bytes nor a file"):
        pcr.formats.from_parquet(tmp_path / "paths.parquet", tmp_path / "x")


@needs("pyarrow")
def test_labels_that_are_missing(tmp_path):
    """-1 of a class, as in test sets, and null."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    labels = pa.array([-1, None, 1] * 4, pa.int64())
    pq.write_table(table().set_column(1, "label", labels), tmp_path / "test.parquet")
    pcr.formats.from_parquet(tmp_path / "test.parquet", tmp_path / "dataset")
    with pcr.open(tmp_path / "dataset", split="test") as ds:
        assert ds.classes == ("ant", "bee")
        assert [ds[ds.find(f"{i}.jpg")].label for i in range(3)] == [None, None, 1]


@needs("pyarrow")
def test_columns_in_doubt(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    def refused(made, message, **how):
        pq.write_table(made, tmp_path / "x.parquet")
        with pytest.raises(pcr.InvalidError, match=message):
            pcr.formats.from_parquet(tmp_path / "x.parquet", tmp_path / "x", **how)
        assert not (tmp_path / "x").exists()

    mask = pa.array(FILES, pa.binary())
    both = table(metadata=False, mask=mask)
    refused(both, "attributes cannot hold bytes, which mask has")
    refused(both.rename_columns(["a", "label", "b"]).drop_columns(["a"]).append_column(
        "c", mask), "which column is the image\\? b, c may be: give image_field=")
    refused(both, "image_field is 'picture'", image_field="picture")
    refused(both, "'label' is of int64", image_field="label")
    refused(both, "attributes has 'x'", attributes=["x"])
    refused(table().drop_columns(["image"]), "which column is the image\\? give image_field=")
    features = {name: {"names": CLASSES, "_type": "ClassLabel"} for name in ("fine", "coarse")}
    cifar = pa.table({"img": mask, "fine": pa.array([0, 1] * 6), "coarse": pa.array([1, 0] * 6)}
                     ).replace_schema_metadata({"huggingface": json.dumps(
                         {"info": {"features": features}})})
    refused(cifar, "which column is the label\\? fine, coarse may be")
    pq.write_table(cifar, tmp_path / "cifar.parquet")
    pcr.formats.from_parquet(tmp_path / "cifar.parquet", tmp_path / "cifar", label_field="fine")
    with pcr.open(tmp_path / "cifar") as ds:
        assert ds.classes == ("ant", "bee")
        assert ds[ds.find("all/00000003")].attributes == {"coarse": "ant"}
    for wrong in (tmp_path / "nothing.parquet", tmp_path / "no*"):
        with pytest.raises(pcr.NotFoundError):
            pcr.formats.from_parquet(wrong, tmp_path / "x")


@needs("pyarrow")
@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_damaged_files(tmp_path, name):
    """Not such a file, cut off, damaged within: an error that names it, and no dataset."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    if name == "a.parquet":
        pq.write_table(table(), tmp_path / "whole")
    else:
        with pa.OSFile(str(tmp_path / "whole"), "wb") as out:
            with pa.ipc.new_stream(out, table().schema) as writer:
                writer.write_table(table(), max_chunksize=3)
    data = (tmp_path / "whole").read_bytes()
    for damaged in (b"", b"PAR1" + bytes(50) + b"PAR1", data[:-100],
                    data[:8] + bytes(60) + data[68:]):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises((pcr.FormatError, pcr.CorruptError), match=f"{name}: "):
            pcr.formats.from_parquet(tmp_path / name, tmp_path / "dataset")
        assert not (tmp_path / "dataset").exists()


@needs("pyarrow")
def test_memory_stays_small(tmp_path):
    """One large row group is read by its pages."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    rows = 80
    tail = os.urandom(1 << 20)
    made = pa.table({"image": pa.array([FILES[i % 12] + tail for i in range(rows)])})
    pq.write_table(made, tmp_path / "made.parquet", row_group_size=rows, write_batch_size=2,
                   compression="none", use_dictionary=False)
    code = (PEAK + "import sys, pcr\n"
            "from pcr.formats import parquet\n"
            "import pyarrow.parquet\n"
            "before = peak()\n"
            "parquet.write = lambda dst, samples, **_: sum(len(s.data) for s in samples)\n"
            "assert parquet.from_parquet(sys.argv[1], 'x') > 80 << 20\n"
            "print(peak() - before)")
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "made.parquet"],
                          stdout=subprocess.PIPE, check=True)
    assert int(done.stdout) < 50


def rich(path):
    """A dataset with splits, classes, attributes, samples without a label, an opaque one."""
    samples = [pcr.NewSample(f"{CLASSES[i % 2]}/{i}.jpg", FILES[i], CLASSES[i % 2],
                             {"number": i, "boxes": [[i, 2.5]], "mixed": [i, str(i)][i % 2]},
                             "train" if i < 8 else "test") for i in range(11)]
    samples.append(pcr.NewSample("x.png", encode(picture(1, 20, 20), "PNG"), None, None, "test"))
    pcr.write(path, samples, classes=CLASSES)


@needs("pyarrow")
def test_round_trip(tmp_path):
    rich(tmp_path / "dataset")
    with pcr.open(tmp_path / "dataset") as ds:
        files = pcr.formats.to_parquet(ds, tmp_path / "out", shard_nbytes=3000)
    names = [os.path.relpath(file, tmp_path / "out") for file in files]
    assert names[0].startswith("data/train-00000-of-0000") and len(names) > 3
    assert sorted(os.listdir(tmp_path / "out" / "data")) == sorted(n[5:] for n in names)
    pcr.formats.from_parquet(tmp_path / "out", tmp_path / "back")
    for split in ("train", "test"):
        before = contents(tmp_path / "dataset", split=split)
        for _, attributes, _ in before.values():
            if "mixed" in attributes:  # of several types: JSON
                attributes["mixed"] = json.dumps(attributes["mixed"])
        assert contents(tmp_path / "back", split=split) == before
    with pytest.raises(pcr.InvalidError, match="files of the split 'train' already"):
        pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "out")
    with pytest.raises(pcr.InvalidError, match="one file has one split; there are train, test"):
        pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "one.parquet")
    with pytest.raises(pcr.InvalidError, match="an attribute 'number'"):
        pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "x", label_field="number")
    with pytest.raises(pcr.InvalidError, match="fidelity is 99"):
        pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "x", fidelity=99)


@needs("pyarrow")
def test_source_files(tmp_path):
    """Byte for byte, where the dataset has them."""
    import pyarrow.parquet as pq
    for kept in (True, False):
        pcr.write(tmp_path / f"dataset-{kept}", [(str(i), FILES[i]) for i in range(12)],
                  keep_originals=kept)
    pcr.formats.to_parquet(tmp_path / "dataset-True", tmp_path / "a.parquet", jpeg="source")
    assert {row["path"]: row["bytes"] for row in pq.read_table(tmp_path / "a.parquet").column(
        "image").to_pylist()} == {str(i): FILES[i] for i in range(12)}
    with pytest.raises(pcr.UnsupportedError):
        pcr.formats.to_parquet(tmp_path / "dataset-False", tmp_path / "b.parquet", jpeg="source")
    with pytest.raises(pcr.InvalidError, match="the full one"):
        pcr.formats.to_parquet(tmp_path / "dataset-True", tmp_path / "b.parquet", jpeg="source",
                               fidelity=1)
    assert not (tmp_path / "b.parquet").exists()


@needs("pyarrow")
@pytest.mark.parametrize("labels", [[0.5, None, -2.0], [[1, 2], [], [3]], [7, 9, None],
                                    [None, None, None]])
def test_labels_go_round(tmp_path, labels):
    pcr.write(tmp_path / "dataset", [(str(i), FILES[i], label) for i, label in enumerate(labels)],
              classes=[], shuffle=False)
    pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "a.parquet")
    pcr.formats.from_parquet(tmp_path / "a.parquet", tmp_path / "back", classes=[], shuffle=False)
    with pcr.open(tmp_path / "dataset") as ds, pcr.open(tmp_path / "back") as back:
        assert [s.labels for s in back] == [s.labels for s in ds]
        assert back.schema == ds.schema


@needs("pyarrow")
def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    rich(tmp_path / "dataset")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError):
            pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "a.parquet", split="train")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert os.listdir(tmp_path) == ["dataset"]


# --- Hugging Face's datasets ---

@pytest.fixture
def offline(tmp_path, monkeypatch):
    import datasets
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets


@needs("datasets", "pyarrow")
def test_datasets_read_what_we_write(tmp_path, offline):
    rich(tmp_path / "dataset")
    pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "out", fidelity=2)
    found = offline.load_dataset(str(tmp_path / "out"), cache_dir=tmp_path / "cache")
    assert {name: len(part) for name, part in found.items()} == {"train": 8, "test": 4}
    features = found["train"].features
    assert isinstance(features["image"], offline.Image)
    assert features["label"].names == CLASSES
    with pcr.open(tmp_path / "dataset", split="train") as ds:
        for sample, row in zip(ds, found["train"]):
            assert row["label"] == sample.label and row["number"] == sample.attributes["number"]
            assert row["boxes"] == sample.attributes["boxes"]
            assert np.array_equal(np.asarray(row["image"]), pixels_of(sample.read(2)))
    pcr.formats.to_parquet(tmp_path / "dataset", tmp_path / "a.parquet", split="train")
    one = offline.load_dataset("parquet", data_files={"train": str(tmp_path / "a.parquet")},
                               cache_dir=tmp_path / "cache")
    assert one["train"].features == features
    pcr.write(tmp_path / "several", [("a", FILES[0], [0, 1]), ("b", FILES[1], [1])],
              classes=CLASSES)
    pcr.formats.to_parquet(tmp_path / "several", tmp_path / "several.parquet")
    several = offline.load_dataset("parquet", data_files=str(tmp_path / "several.parquet"),
                                   cache_dir=tmp_path / "cache")["train"]
    assert several.features["label"].feature.names == CLASSES
    assert sorted(several["label"]) == [[0, 1], [1]]


def made(datasets):
    """A dataset of Hugging Face's with features of several kinds."""
    features = datasets.Features({
        "image": datasets.Image(), "label": datasets.ClassLabel(names=CLASSES),
        "other": datasets.ClassLabel(names=["x", "y"]),
        "tags": datasets.Sequence(datasets.Value("string")),
        "when": datasets.Value("timestamp[s]")})
    return datasets.Dataset.from_dict({
        "image": [{"bytes": data, "path": f"{i}.jpg"} for i, data in enumerate(FILES)],
        "label": [i % 2 for i in range(12)], "other": [1] * 12, "tags": [["a", "b"]] * 12,
        "when": [None] * 12}, features=features)


@needs("datasets")
@pytest.mark.filterwarnings("ignore")
def test_huggingface(tmp_path, offline):
    def attributes(_i):
        return {"other": "y", "tags": ["a", "b"]}

    whole = made(offline)
    pcr.formats.from_huggingface(whole, tmp_path / "dataset")
    assert contents(tmp_path / "dataset") == expected(range(12), "", attributes)
    parts = offline.DatasetDict({"train": whole.select(range(3, 9)).shuffle(seed=1),
                                 "test": whole.select(range(3))})
    pcr.formats.from_huggingface(parts.with_format("torch"), tmp_path / "parts",
                                 attributes=["tags"])
    for split, rows in (("train", range(3, 9)), ("test", range(3))):
        assert contents(tmp_path / "parts", split=split) == expected(
            rows, "", lambda _i: {"tags": ["a", "b"]})
    pcr.formats.from_huggingface(whole.to_iterable_dataset(), tmp_path / "stream", split="val")
    assert contents(tmp_path / "stream", split="val") == {
        f"val/{int(key[:-4]):08}.jpg": value
        for key, value in expected(range(12), "", attributes).items()}
    same = offline.DatasetDict({"train": whole, "test": whole})
    pcr.formats.from_huggingface(same, tmp_path / "same", attributes=[])
    assert set(contents(tmp_path / "same", split="test")) == {f"test/{i}.jpg" for i in range(12)}
    whole.save_to_disk(tmp_path / "disk")
    pcr.formats.from_parquet(tmp_path / "disk", tmp_path / "arrow")
    assert contents(tmp_path / "arrow") == expected(range(12), "", attributes)
    with pytest.raises(pcr.InvalidError, match="there are several: train, test"):
        pcr.formats.from_huggingface(parts, tmp_path / "x", split="train")
    with pytest.raises(TypeError, match="list, expected a dataset of Hugging Face's"):
        pcr.formats.from_huggingface([1], tmp_path / "x")


@needs("datasets")
@pytest.mark.filterwarnings("ignore")
def test_a_folder_of_huggingfaces(tmp_path, offline):
    """Files that lie in folders: their bytes are read from there, and keys are their paths."""
    for i, data in enumerate(FILES):
        path = tmp_path / "photographs" / "train" / CLASSES[i % 2] / f"{i}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found = offline.load_dataset("imagefolder", data_dir=str(tmp_path / "photographs"),
                                 cache_dir=tmp_path / "cache")
    pcr.formats.from_huggingface(found, tmp_path / "dataset")
    assert contents(tmp_path / "dataset", split="train") == {
        f"{CLASSES[i % 2]}/{i}.jpg": (CLASSES[i % 2], {}, decoded(FILES[i])) for i in range(12)}


# --- torchvision ---

@needs("torchvision")
def test_torchvision_files(tree, path, tmp_path):
    """The files of folders, of a subset, of splits: as pcr.convert() takes them."""
    import torch
    from torchvision import datasets
    parts = {name: datasets.ImageFolder(tree / name) for name in ("train", "val")}
    pcr.formats.from_torchvision(parts, tmp_path / "dataset")
    for name in parts:
        assert contents(tmp_path / "dataset", split=name) == contents(path, split=name)
    subset = torch.utils.data.Subset(torch.utils.data.Subset(parts["val"], [9, 3, 20]), [2, 0])
    pcr.formats.from_torchvision(subset, tmp_path / "subset", split="val")
    chosen = [os.path.relpath(parts["val"].samples[i][0], tree / "val") for i in (20, 9)]
    with pcr.open(tmp_path / "subset") as ds:
        assert {s.key.split("/")[-1] for s in ds} == {name.split("/")[-1] for name in chosen}
        assert {ds.classes[s.label] for s in ds} == {name.split("/")[0] for name in chosen}
    datasets_of_other_classes = dict(parts, more=datasets.FakeData(3))
    with pytest.raises(pcr.InvalidError, match="different classes"):
        pcr.formats.from_torchvision(datasets_of_other_classes, tmp_path / "x")


@needs("torchvision")
def test_torchvision_lists_of_their_own(tmp_path):
    """A dataset that keeps files and labels apart, as it lies on disk."""
    from torchvision import datasets
    root = tmp_path / "fgvc-aircraft-2013b" / "data"
    (root / "images").mkdir(parents=True)
    (root / "variants.txt").write_text("A 1\nB/2\n")
    (root / "images_variant_train.txt").write_text(
        "".join(f"{i} {['A 1', 'B/2'][i % 2]}\n" for i in range(6)))
    for i in range(6):
        (root / "images" / f"{i}.jpg").write_bytes(FILES[i])
    aircraft = datasets.FGVCAircraft(tmp_path, split="train", transform=lambda image: 0)
    pcr.formats.from_torchvision(aircraft, tmp_path / "dataset", split="train")
    assert contents(tmp_path / "dataset") == {
        f"{i}.jpg": (["A 1", "B/2"][i % 2], {}, decoded(FILES[i])) for i in range(6)}


@needs("torchvision")
def test_torchvision_pixels(tmp_path):
    """Pixels become PNG, or JPEG where that is asked for."""
    from torchvision import datasets
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    pixels = np.stack([picture(i, 32, 32) for i in range(8)])
    names = [f"data_batch_{i}" for i in range(1, 6)]
    for i, name in enumerate([*names, "test_batch"]):
        chosen = range(8) if name == "test_batch" else range(0)
        (folder / name).write_bytes(pickle.dumps({
            "data": pixels[list(chosen)].transpose(0, 3, 1, 2).reshape(len(chosen), 3072),
            "labels": [i % 2 for i in chosen]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": CLASSES}))

    class Cifar(datasets.CIFAR10):
        def _check_integrity(self):
            return True

        def _load_meta(self):
            self.classes = CLASSES

    cifar = Cifar(tmp_path, train=False)
    pcr.formats.from_torchvision(cifar, tmp_path / "dataset", split="test")
    assert contents(tmp_path / "dataset") == {
        f"test/{i:08}.png": (CLASSES[i % 2], {}, pixels[i].tobytes()) for i in range(8)}
    pcr.formats.from_torchvision(cifar, tmp_path / "lossy", split="test", encode=90)
    with pcr.open(tmp_path / "lossy") as ds:
        assert {s.coding for s in ds} == {"packed"} and ds[0].key.endswith(".jpg")
    fake = datasets.FakeData(3, (3, 20, 24), 2)
    pcr.formats.from_torchvision(fake, tmp_path / "fake")
    with pcr.open(tmp_path / "fake") as ds:
        assert np.array_equal(ds[ds.find("all/00000001.png")].decode(), np.asarray(fake[1][0]))
        assert ds[ds.find("all/00000001.png")].label == int(fake[1][1])
    fake.transform = lambda image: image
    with pytest.raises(pcr.InvalidError, match="FakeData has a transform"):
        pcr.formats.from_torchvision(fake, tmp_path / "x")
    with pytest.raises(pcr.InvalidError, match="encode is 'webp'"):
        pcr.formats.from_torchvision(cifar, tmp_path / "x", encode="webp")
    with pytest.raises(TypeError, match="int, expected a dataset of torchvision"):
        pcr.formats.from_torchvision(5, tmp_path / "x")


def test_without_packages(tmp_path):
    """What is missing is named."""
    code = ("import sys\nsys.modules.update(pyarrow=None)\nimport pcr\n"
            "assert 'pcr.formats' not in sys.modules\n"
            "pcr.formats.from_parquet('a.parquet', 'b')")
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True,
                          cwd=tmp_path)
    assert "from_parquet() needs pyarrow, which is not installed" in done.stderr


@needs("pyarrow")
def test_commands(tmp_path):
    def run(*arguments):
        done = subprocess.run([sys.executable, "-m", "pcr", *map(str, arguments)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout, done.stderr

    rich(tmp_path / "dataset")
    code, out, _ = run("export", tmp_path / "dataset", tmp_path / "out")
    files = [tmp_path / "out" / "data" / f"{name}-00000-of-00001.parquet"
             for name in ("train", "test")]
    assert code == 0 and out.splitlines() == list(map(str, files))
    code, out, _ = run("import", *files, tmp_path / "back", "--attributes", "number",
                       "--coding", "scans")
    assert code == 0 and "12 samples" in out
    with pcr.open(tmp_path / "back", split="test") as ds:
        assert ds[ds.find("ant/8.jpg")].attributes == {"number": 8}
        assert ds[ds.find("ant/8.jpg")].coding == "scans"
    assert run("import", *files, tmp_path / "x", "--image-field", "none")[0] == 2
    code, _, told = run("import", tmp_path / "nothing.parquet", tmp_path / "x")
    assert code == 1 and "nothing.parquet: no such file" in told
    assert run("export", tmp_path / "dataset", tmp_path / "dataset" / "manifest.json" / "x")[0] == 1
    assert "import" in run("--help")[1]
