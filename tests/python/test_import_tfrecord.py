# SPDX-License-Identifier: BSD-2-Clause
"""TFRecord files as sources: what is in them, and what damage does."""

import gzip
import os
import struct
import sys
import zlib

import pytest

import pcr
import pcr.errors
from images import encode, picture
from formats import example, field, masked, tfrecord as record
from sources import find

JPEGS = [encode(picture(i, 40 + i, 30)) for i in range(4)]


def photo(i, **more):
    return {"image/encoded": JPEGS[i % 4], "image/class/label": i + 1,
            "image/filename": f"n{i:02}.JPEG", **more}


@pytest.fixture
def write(tmp_path):
    def put(name, records, pack=None):
        data = b"".join(map(record, records))
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pack(data) if pack else data)
        return path
    return put


@pytest.mark.parametrize("pack", [None, gzip.compress, zlib.compress, lambda data:
                                  gzip.compress(data[:50]) + gzip.compress(data[50:])])
def test_examples(write, pack):
    """Labels stay as they are: ImageNet's begin with 1."""
    path = write("some.tfrecord", [example(photo(i, **{"image/height": 30})) for i in range(4)],
                 pack)
    found = find(path)
    assert [s.key for s in found.samples] == [f"n{i:02}.JPEG" for i in range(4)]
    assert [s.labels for s in found.samples] == [[1], [2], [3], [4]]
    assert [s.data for s in found.samples] == JPEGS
    assert all(s.attributes == {"image/height": 30} for s in found.samples)
    assert found.samples[1].path == f"{path}: n01.JPEG"
    assert not found.left_out and not found.notes and not found.classes


@pytest.mark.parametrize("packed", [True, False])
def test_attributes(write, packed):
    """Lists of one are the value itself, unless the list has other lengths elsewhere."""
    path = write("a.tfrecord", [
        example(photo(0, boxes=[0.5, -1.25], ids=[-(1 << 63)], note="caf\u00e9", tags=["a", "b"],
                      one=[2.5], depth=b"\0\xff", empty=[]), packed),
        example(photo(1, boxes=[0.25], ids=[7], note="", tags=["c"], one=[3.5],
                      odd=float("nan")), packed)])
    a, b = find(path).samples
    assert a.attributes == {"boxes": [0.5, -1.25], "ids": -(1 << 63), "note": "caf\u00e9",
                            "tags": ["a", "b"], "one": 2.5, "empty": []}
    assert b.attributes == {"boxes": [0.25], "ids": 7, "note": "", "tags": ["c"], "one": 3.5}
    assert [text for _, text in find(path).notes] == [
        "'odd' is left out: numbers that are not finite"]


def test_choice_of_columns(write):
    path = write("b.tfrecord", [example({"pixels": b"\0\1\2", "thumb": JPEGS[0],
                                         "big": JPEGS[i], "y": [float(i), 0.5], "id": i,
                                         "label": "cat"}) for i in (1, 2)])
    assert [s.data for s in find(path).samples] == [JPEGS[0]] * 2
    assert find(path).classes == ["cat"]
    found = find(path, image_field="big", label_field="y", key_field="id")
    assert [(s.key, s.labels, s.data) for s in found.samples] == [
        ("1", [1.0, 0.5], JPEGS[1]), ("2", [2.0, 0.5], JPEGS[2])]
    assert found.samples[0].attributes == {"label": "cat"}
    assert find(path, label_field="").samples[0].labels == []
    with pytest.raises(pcr.errors.CorruptError, match="no bytes 'none such'.*pixels, thumb"):
        find(path, image_field="none such")


def test_numbered_keys(write):
    """Without file names, or against them: the shard's name and the number."""
    plain = write("x/train-0.tfrecord", [JPEGS[0], JPEGS[1]])
    other = write("y/train-0.tfrecord", [example({"image": JPEGS[2]})])
    png = write("y/train-1.tfrecord", [example({"image": encode(picture(1, 8, 8), "PNG"),
                                                "filename": "same"})] * 2)
    keys = [s.key for s in find(plain, other).samples]
    assert keys == ["x/train-0/00000000.jpg", "x/train-0/00000001.jpg",
                    "y/train-0/00000000.jpg"]
    assert {s.split for s in find(plain, other).samples} == {"train"}
    with pytest.raises(pcr.errors.InvalidError, match="the same key 'same'"):
        find(png)
    assert [s.key for s in find(png, key_field="").samples] == [
        "train-1/00000000.png", "train-1/00000001.png"]


def test_recognised_by_content(write, tmp_path):
    path = write("train-00000-of-00002", [example(photo(0))])
    write("train-00001-of-00002", [example(photo(1))], gzip.compress)
    assert len(find(path).samples) == 1
    assert len(find(tmp_path / "train-*").samples) == 2
    write("train-empty.tfrecord", [])
    with pytest.raises(pcr.errors.InvalidError, match="no images in it"):
        find(tmp_path / "train-empty.tfrecord")
    assert len(find(tmp_path / "train-empty.tfrecord", path).samples) == 1


def check_damage(path, message, kept):
    with pytest.raises(pcr.errors.CorruptError, match=message) as failure:
        find(path)
    assert str(path) in str(failure.value)
    found = find(path, skip=True)
    assert [s.key for s in found.samples] == [f"n{i:02}.JPEG" for i in kept]
    assert [s.data for s in found.samples] == [JPEGS[i] for i in kept]
    assert found.left_out


def test_damage(write):
    records = [record(example(photo(i))) for i in range(4)]
    path = write("d.tfrecord", [])
    starts = [sum(map(len, records[:i])) for i in range(4)]

    def flipped(at, length=None):
        data = bytearray(b"".join(records))
        data[at] ^= 4
        path.write_bytes(data[:length])

    flipped(starts[1] + 100)
    check_damage(path, f"byte {starts[1]}: record 1: its data has a wrong checksum", (0, 2, 3))
    flipped(starts[2] - 1)
    check_damage(path, "record 1: its data has a wrong checksum", (0, 2, 3))
    flipped(starts[1] + 2)
    check_damage(path, f"byte {starts[1]}: record 1: its length has a wrong", (0, 2, 3))
    flipped(3)
    check_damage(path, "byte 0: record 0: its length has a wrong checksum", (1, 2, 3))
    flipped(starts[1] + 9)
    check_damage(path, "its length has a wrong checksum", (0, 2, 3))
    path.write_bytes(b"".join(records)[:-1])
    check_damage(path, f"byte {starts[3]}: record 3: the file ends within it", (0, 1, 2))
    path.write_bytes(b"".join(records)[:starts[3] + 5])
    check_damage(path, f"byte {starts[3]}: record 3: the file ends within it", (0, 1, 2))
    packed = gzip.compress(b"".join(records))
    path.write_bytes(packed[:len(packed) * 3 // 4])
    check_damage(path, f"byte {len(packed) * 3 // 4}: .*cut off", (0, 1))
    path.write_bytes(packed[:-6] + b"??????")
    check_damage(path, "incorrect data check", (0, 1, 2, 3))


@pytest.mark.parametrize("message, text", [
    (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "no tf.train.Example"),
    (b"\x0a\x05\x0a\x03\x0a\xff\xff", "no tf.train.Example"),
    (b"\x0b", "no tf.train.Example"),
    (b"\xff" * 30, "no tf.train.Example"),
    (b"", "no image"),
    (field(1, field(1, field(1, b"a") + field(2, field(3, field(1, b"\xff\xff"))))),
     "no tf.train.Example"),
    (field(1, field(1, field(1, b"a") + field(2, field(2, field(1, b"123"))))),
     "no tf.train.Example"),
    (example(photo(0)) + field(2, b""), "SequenceExample"),
    (example({"label": 1, "pixels": b"\0\1"}), "no image .*image_field.*: label, pixels"),
])
def test_other_messages(write, message, text):
    path = write("m.tfrecord", [example(photo(0)), message, example(photo(2))])
    check_damage(path, text, (0, 2))


def test_hostile_lengths(write, tmp_path):
    for nbytes in (1 << 63, (1 << 64) - 1, (1 << 30) - 10, 1 << 31):
        length = struct.pack("<Q", nbytes)
        path = tmp_path / "h.tfrecord"
        head = length + masked(length)
        path.write_bytes(head + record(example(photo(1))))
        check_damage(path, "byte 0: record 0: the file ends within it", (1,))
        path.write_bytes(gzip.compress(head + record(example(photo(1)))))
        with pytest.raises(pcr.errors.CorruptError, match="record 0"):
            find(path)


def test_a_column_of_labels_must_be_text_or_numbers(write):
    path = write("l.tfrecord", [example({"image": JPEGS[0], "label": b"\xff\0"})])
    with pytest.raises(pcr.errors.InvalidError, match="label.*bytes that are no text"):
        find(path)


def test_converted(write, tmp_path):
    path = write("train.tfrecord", [example(photo(i)) for i in range(4)])
    report = pcr.convert(path, tmp_path / "out", label_field="image/class/label")
    assert report.progress.samples_done == 4
    with pcr.open(tmp_path / "out") as ds:
        assert sorted(s.key for s in ds) == [f"n{i:02}.JPEG" for i in range(4)]
        assert {s.key: s.label for s in ds}["n02.JPEG"] == 3


def test_tensorflow_writes_the_same(tmp_path):
    """If it is installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:
        pytest.importorskip("tensorflow")
    import tensorflow as tf
    kinds = tf.train
    for kind in ("", "GZIP", "ZLIB"):
        path = str(tmp_path / f"tf{kind}.tfrecord")
        with tf.io.TFRecordWriter(path, options=kind) as out:
            for i in range(3):
                out.write(kinds.Example(features=kinds.Features(feature={
                    "image/encoded": kinds.Feature(
                        bytes_list=kinds.BytesList(value=[JPEGS[i]])),
                    "image/class/label": kinds.Feature(
                        int64_list=kinds.Int64List(value=[i - 1])),
                    "boxes": kinds.Feature(
                        float_list=kinds.FloatList(value=[0.5] * i)),
                })).SerializeToString())
        samples = find(path).samples
        assert [s.labels for s in samples] == [[-1], [0], [1]]
        assert [s.data for s in samples] == JPEGS[:3]
        assert [s.attributes["boxes"] for s in samples] == [[], [0.5], [0.5, 0.5]]
