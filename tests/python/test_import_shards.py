# SPDX-License-Identifier: BSD-2-Clause
"""Folders of MosaicML Streaming (MDS) and of LitData as sources."""

import json
import struct
import sys
import types

import pytest

import pcr.errors
from formats import litdata, mds
from images import encode, picture
from sources import find

JPEGS = [encode(picture(i, 30 + i, 20)) for i in range(4)]
COLUMNS = {"image": "jpeg", "label": "int", "note": "str"}
SAMPLES = [{"image": JPEGS[i], "label": i, "note": f"n{i}"} for i in range(4)]


def zstd(data):
    return pytest.importorskip("zstandard").compress(data)


def test_mds(tmp_path):
    found = find(mds(tmp_path / "photos", COLUMNS, SAMPLES))
    assert [(s.key, s.labels, s.data, s.attributes) for s in found.samples] == [
        (f"photos/0000000{i}.jpg", [i], JPEGS[i], {"note": f"n{i}"}) for i in range(4)]
    assert found.samples[2].path == f"{tmp_path}/photos/shard.00001.mds: photos/00000002.jpg"
    assert not found.notes and not found.left_out


def test_mds_splits(tmp_path):
    for split, first in (("train", 0), ("val", 2)):
        mds(tmp_path / "set" / split, COLUMNS, SAMPLES[first:first + 2])
    assert [(s.split, s.key) for s in find(tmp_path / "set").samples] == [
        ("train", "set/train/00000000.jpg"), ("train", "set/train/00000001.jpg"),
        ("val", "set/val/00000000.jpg"), ("val", "set/val/00000001.jpg")]
    apart = find(tmp_path / "set/train", tmp_path / "set/val").samples
    assert [(s.split, s.key) for s in apart][1:3] == [
        ("train", "train/00000001.jpg"), ("val", "val/00000000.jpg")]


def test_mds_compressed(tmp_path):
    """The compressed file is read where the other is missing."""
    for keep in (False, True):
        where = mds(tmp_path / f"z{keep}", COLUMNS, SAMPLES, pack=zstd, compression="zstd:3",
                    keep_raw=keep)
        assert [s.data for s in find(where).samples] == JPEGS
    where = mds(tmp_path / "br", COLUMNS, SAMPLES, pack=lambda data: data, compression="br")
    with pytest.raises(pcr.errors.UnsupportedError, match="compressed by 'br'"):
        find(where)
    for path in (tmp_path / "zFalse").glob("*.zstd"):
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(pcr.errors.CorruptError, match="shard.00000.mds.zstd, byte .*cut off"):
        find(tmp_path / "zFalse")
    assert find(tmp_path / "zTrue").samples


def test_mds_encodings(tmp_path):
    kinds = {"a": "int8", "b": "uint8", "c": "int16", "d": "uint64", "e": "float32",
             "f": "float64", "g": "str_int", "h": "str_float", "i": "json", "j": "png",
             "k": "pkl", "l": "bytes"}
    png = encode(picture(1, 9, 9), "PNG")
    values = {"a": -3, "b": 200, "c": -300, "d": 1 << 62, "e": .5, "f": .1, "g": -5,
              "h": 1.25, "i": {"x": [1, None]}, "j": png, "k": b"x", "l": b"\xff\0"}
    found = find(mds(tmp_path / "m", kinds, [values]))
    (only,) = found.samples
    assert only.data == png and only.key == "m/00000000.png"
    assert only.attributes == {name: values[name] for name in "abcdefghi"}
    assert [text for _, text in found.notes] == [
        "'k' is left out: a pickle, which is never read"]


def test_mds_without_images_says_what_there_is(tmp_path):
    where = mds(tmp_path / "m", {"image": "pil", "y": "int"}, [{"image": b"???", "y": 1}])
    with pytest.raises(pcr.errors.CorruptError,
                       match=r"no image.*image \(pixels without a file's format\), y"):
        find(where)


def test_mds_hashes(tmp_path):
    xxhash = pytest.importorskip("xxhash")

    def hashes(data):
        return {"xxh64": xxhash.xxh64(data).hexdigest(), "sha1": "0" * 40,
                "xxh3_64": xxhash.xxh3_64(data).hexdigest(),
                "xxh128": xxhash.xxh128(data).hexdigest(),
                "xxh3_128": xxhash.xxh3_128(data).hexdigest()}

    where = mds(tmp_path / "m", COLUMNS, SAMPLES, hashes=hashes)
    found = find(where)
    assert len(found.samples) == 4
    assert [text for _, text in found.notes] == ["hashes by sha1 are not checked"]
    data = bytearray((where / "shard.00000.mds").read_bytes())
    data[-5] ^= 1
    (where / "shard.00000.mds").write_bytes(data)
    with pytest.raises(pcr.errors.CorruptError, match="shard.00000.mds, byte 0: its xxh.* is "):
        find(where)
    found = find(where, skip=True)
    assert [s.key for s in found.samples] == ["m/00000002.jpg", "m/00000003.jpg"]
    assert len(found.left_out) == 1


def test_mds_of_several_writers(tmp_path):
    """Each in a folder of its own, and an index of all that was made of theirs."""
    for name, first in (("a", 0), ("b", 2)):
        mds(tmp_path / "all" / name, COLUMNS, SAMPLES[first:first + 2])
    shards = []
    for name in "ab":
        shards += json.loads((tmp_path / "all" / name / "index.json").read_text())["shards"]
        shards[-1]["raw_data"]["basename"] = f"{name}/shard.00000.mds"
    apart = find(tmp_path / "all" / "*").samples
    assert [s.key for s in apart] == ["a/00000000.jpg", "a/00000001.jpg", "b/00000000.jpg",
                                      "b/00000001.jpg"]
    (tmp_path / "all" / "index.json").write_text(json.dumps({"version": 2, "shards": shards}))
    together = find(tmp_path / "all").samples
    assert [s.data for s in together] == [s.data for s in apart] == JPEGS
    assert [s.key for s in together] == [f"all/0000000{i}.jpg" for i in range(4)]


def change_index(where, change):
    index = json.loads((where / "index.json").read_text())
    change(index)
    (where / "index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("make", [
    lambda where: mds(where, COLUMNS, SAMPLES, per_shard=4),
    lambda where: litdata(where, ["jpeg", "int"], [[s["image"], s["label"]] for s in SAMPLES])])
def test_damaged_files(make, tmp_path):
    where = make(tmp_path / "m")
    (path,) = [p for p in where.iterdir() if p.name != "index.json"]
    good = path.read_bytes()
    places = struct.unpack("<5I", good[4:24])

    def check(data, message, kept):
        path.write_bytes(data)
        with pytest.raises(pcr.errors.CorruptError, match=message):
            find(where)
        found = find(where, skip=True) if kept else None
        assert not kept or [s.data for s in found.samples] == [JPEGS[i] for i in kept]
        assert not kept or found.left_out

    def patched(at, value):
        return good[:at] + struct.pack("<I", value) + good[at + 4:]

    check(good[:-1], f"byte {places[3]}: record 3: the file ends within it", (0, 1, 2))
    check(good[:places[1] + 3], f"byte {places[1]}: record 1: the file ends within", (0,))
    check(good[:17], "byte 4: it ends within the places", ())
    check(good[:3], "byte 0: it says that it has 0 samples, but index.json 4", ())
    check(patched(0, 5), "it says that it has 5 samples, but index.json 4", ())
    check(patched(4, 3), "byte 4: record 0: its place 3 is wrong", (1, 2, 3))
    check(patched(12, 0), "byte 8: record 1: its place .* is wrong", (0, 3))
    check(patched(12, 0xFFFFFFFF), "record 1: the file ends within it", (0, 3))
    check(patched(places[2], 1), f"byte {places[2]}: record 2: the sizes of its columns are wrong",
          (0, 1, 3))
    check(patched(places[2], 0xFFFFFFFF), "record 2: the sizes of its columns are wrong", (0, 1, 3))
    path.unlink()
    with pytest.raises(pcr.errors.CorruptError, match="is not there|is there"):
        find(where)


def test_damaged_index(tmp_path):
    where = mds(tmp_path / "m", COLUMNS, SAMPLES)
    text = (where / "index.json").read_text()

    def check(change, message, error=pcr.errors.CorruptError):
        (where / "index.json").write_text(text)
        change_index(where, change)
        with pytest.raises(error, match=message):
            find(where, format="mds")

    def shard(**values):
        return lambda index: index["shards"][0].update(values)

    check(shard(raw_data={"basename": "../m/shard.00000.mds"}), "leads out of the folder")
    check(shard(raw_data={"basename": "/etc/passwd"}), "leads out of the folder")
    check(shard(raw_data=None), "a shard without files")
    check(shard(samples=-1), "a shard without samples")
    check(shard(samples=1 << 40), "index.json 1099511627776")
    check(shard(column_names=["a"]), "columns without names")
    check(shard(column_sizes=[-1, 8, 0]), "columns without names")
    check(shard(column_sizes=[1 << 60, 8, 1 << 60]), "sizes of its columns are wrong")
    check(shard(column_encodings=["json", "int", "str"]), "column 'image' is no json")
    check(shard(format="json"), "format 'json'", pcr.errors.UnsupportedError)
    check(lambda index: index.update(version=3), "version 3", pcr.errors.UnsupportedError)
    (where / "index.json").write_text(text[:-10])
    with pytest.raises(pcr.errors.CorruptError, match="index.json, byte"):
        find(where)


def test_litdata(tmp_path):
    formats = ["jpeg", "int", "str", "float", "bool", "pickle", "no_header_numpy:9"]
    names = ["image", "class", "filename", "w", "odd", "p", "emb"]
    rows = [[JPEGS[i], i - 1, f"f{i}.jpg", i / 4, bool(i % 2), b"x", b"1234"] for i in range(3)]
    for pack in (None, zstd):
        found = find(litdata(tmp_path / f"d{bool(pack)}", formats, rows, names, pack))
        assert [(s.key, s.labels, s.data) for s in found.samples] == [
            (f"f{i}.jpg", [i - 1], JPEGS[i]) for i in range(3)]
        assert found.samples[1].attributes == {"w": .25, "odd": True}
        assert len(found.notes) == 2
    where = litdata(tmp_path / "t", ["bytes", "int"], [[JPEGS[0], 7]])
    (only,) = find(where, label_field="1").samples
    assert (only.key, only.labels, only.attributes) == ("t/00000000.jpg", [7], {})


def test_litdata_that_is_not_read(tmp_path):
    rows = [[JPEGS[0], 7]]
    for config, message in (({"compression": "zstd", "compression_level": "batch"}, "batches"),
                            ({"encryption": {"algorithm": "fernet"}}, "encrypted"),
                            ({"item_loader": "TokensLoader"}, "PyTreeLoader")):
        with pytest.raises(pcr.errors.UnsupportedError, match=message):
            find(litdata(tmp_path / "a", ["bytes", "int"], rows, **config))
    for config in ({"data_spec": "[1]"}, {"data_spec": 4}, {"data_format": ["bytes"]}):
        with pytest.raises(pcr.errors.CorruptError, match="do not fit together"):
            find(litdata(tmp_path / "a", ["bytes", "int"], rows, **config))


#: What `import streaming` wants for its ready-made datasets.
UNUSED = {"torchvision.datasets": ["VisionDataset"],
          "torchvision.transforms.functional": ["to_tensor"],
          "transformers.feature_extraction_utils": ["BatchFeature"],
          "transformers.models.auto.tokenization_auto": ["AutoTokenizer"],
          "transformers.tokenization_utils_base": ["BatchEncoding"]}


def test_streaming_writes_the_same(tmp_path, monkeypatch):
    """If it is installed."""
    for name, members in UNUSED.items():  # parts of large packages, which may not be there
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            monkeypatch.setitem(sys.modules, ".".join(parts[:end]),
                                types.ModuleType(".".join(parts[:end])))
        for part in members:
            setattr(sys.modules[name], part, type(part, (), {}))
    streaming = pytest.importorskip("streaming")
    with streaming.MDSWriter(out=str(tmp_path / "s"), columns={
            "image": "jpeg", "label": "int", "id": "str_int", "w": "float32", "box": "json"},
            compression="zstd", hashes=["xxh3_128", "xxh64"]) as out:
        from PIL import Image
        for i in range(4):
            (tmp_path / f"{i}.jpg").write_bytes(JPEGS[i])
            with Image.open(tmp_path / f"{i}.jpg") as image:
                out.write({"image": image, "label": i, "id": 10 * i, "w": .5, "box": [i]})
    found = find(tmp_path / "s")
    assert [s.data for s in found.samples] == JPEGS
    assert [s.labels for s in found.samples] == [[0], [1], [2], [3]]
    assert found.samples[2].attributes == {"id": 20, "w": .5, "box": [2]}


def test_litdata_writes_the_same(tmp_path):
    """If it is installed."""
    pytest.importorskip("litdata")
    from litdata.streaming.writer import BinaryWriter
    from PIL import Image
    out = BinaryWriter(str(tmp_path / "lit"), chunk_size=2)
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(JPEGS[i])
        out[i] = {"image": Image.open(tmp_path / f"{i}.jpg"), "label": i, "name": f"{i}"}
    out.done()
    out.merge()
    found = find(tmp_path / "lit")
    assert [s.data for s in found.samples] == JPEGS
    assert [s.labels for s in found.samples] == [[0], [1], [2], [3]]
    assert found.samples[1].attributes == {"name": "1"}
