# SPDX-License-Identifier: BSD-2-Clause
"""FFCV's files, LMDB environments, and the records of the paper's software, as sources."""

import struct

import pytest

import pcr
import pcr.errors
from formats import beton, datum, field, lmdb, pcr_release, scans, varint
from images import encode, picture
from sources import find

JPEGS = [encode(picture(i, 40 + i, 30), progressive=bool(i % 2)) for i in range(4)]


def put(path, data):
    path.write_bytes(data)
    return path


# --- records of the paper's software ---


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("version", [0, 1])
def test_release(tmp_path, packed, version):
    """Images have different numbers of scans, and the last record has fewer images."""
    put(tmp_path / "PCR_0.pcr", pcr_release(JPEGS[:3], [5, -1, 0], packed, version))
    put(tmp_path / "PCR_1.pcr", pcr_release(JPEGS[3:], [9], packed, version))
    found = find(tmp_path / "PCR_*.pcr")
    assert [s.data for s in found.samples] == JPEGS
    assert [s.labels for s in found.samples] == [[5], [-1], [0], [9]]
    assert [s.key for s in found.samples] == ["PCR_0/00000000.jpg", "PCR_0/00000001.jpg",
                                              "PCR_0/00000002.jpg", "PCR_1/00000000.jpg"]
    assert len(scans(JPEGS[1])) > len(scans(JPEGS[0]))


def test_release_converted(tmp_path):
    path = put(tmp_path / "PCR_0.pcr", pcr_release(JPEGS, [3, 2, 1, 0]))
    pcr.convert(path, tmp_path / "out")
    with pcr.open(tmp_path / "out") as ds:
        assert sorted((s.key, s.label) for s in ds) == [
            (f"PCR_0/0000000{i}.jpg", 3 - i) for i in range(4)]


def test_release_damaged(tmp_path):
    good = pcr_release(JPEGS[:2], [1, 2])
    for data, message in (
            (good[:-1], "byte [0-9]+: no field of a record, or the file ends within it"),
            (good + b"\x0a\x00", "2 labels and 10 levels, but 21 parts"),
            (good + b"\x10\x01", "no field of a record"),
            (good[:3], "no field of a record"),
            (b"\x08\x01\x18\x01", "1 labels and 0 levels, but 0 parts"),
            (b"\x0a\x02\x80\x80" + good, "no field of a record"),
            (b"\x08\x01\x10" + varint(1 << 40), "no field of a record"),
            (b"\x08\x01\x10\x01" + b"\x0a" + varint((1 << 64) - 1), "no field of a record"),
            (b"\x08" + b"\xff" * 11, "no field of a record"),
            (b"\x08\x01\x10\x01" + field(1, b"no image"), "no image")):
        path = put(tmp_path / "a.pcr", data)
        with pytest.raises(pcr.errors.CorruptError, match=message) as failure:
            find(path, format="pcr-release")
        assert str(path) in str(failure.value)
        find(path, put(tmp_path / "b.pcr", good), skip=True, format="pcr-release")
    with pytest.raises(pcr.errors.UnsupportedError, match="--raw_image_bytes"):
        find(put(tmp_path / "a.pcr", pcr_release(JPEGS[:2], [1, 2], version=2)))


# --- FFCV ---

FIELDS = {"image": "image", "label": "int", "a_name_of_16_byt": "float", "meta": "json",
          "text": "bytes", "emb": "array"}
SAMPLES = [{"image": JPEGS[i], "label": i - 1, "a_name_of_16_byt": i / 4,
            "meta": {"boxes": [[i, 1]]}, "text": f"caption {i}".encode(), "emb": b"12345678"}
           for i in range(4)]


def test_beton(tmp_path):
    path = put(tmp_path / "train.beton", beton(FIELDS, SAMPLES))
    found = find(path)
    assert [(s.key, s.labels, s.data, s.split) for s in found.samples] == [
        (f"train/0000000{i}.jpg", [i - 1], JPEGS[i], "train") for i in range(4)]
    assert found.samples[3].attributes == {"a_name_of_16_byt": .75, "meta": {"boxes": [[3, 1]]},
                                           "text": "caption 3"}
    assert [text for _, text in found.notes] == ["'emb' is left out: an array"]
    path.rename(tmp_path / "any name")
    assert len(find(tmp_path / "any name").samples) == 4


def test_beton_of_pixels(tmp_path):
    path = put(tmp_path / "a.beton", beton({"image": "image", "label": "int"},
                                           [{"image": b"\0" * 192, "label": 0}], mode=1))
    with pytest.raises(pcr.errors.CorruptError,
                       match="image .pixels; make the dataset from the original images., label"):
        find(path)


def test_beton_damaged(tmp_path):
    good = beton({"image": "image", "label": "int", "m": "json"},
                 [{"image": JPEGS[i], "label": i, "m": [i]} for i in range(3)])
    rows = 24 + 3 * 1041

    def check(data, message, kept=None, error=pcr.errors.CorruptError):
        path = put(tmp_path / "a.beton", bytes(data))
        with pytest.raises(error, match=message) as failure:
            find(path)
        assert str(path) in str(failure.value)
        if kept is not None:
            found = find(path, skip=True)
            assert [s.data for s in found.samples] == [JPEGS[i] for i in kept]
            assert found.left_out

    def patched(at, form, value):
        data = bytearray(good)
        struct.pack_into(form, data, at, value)
        return data

    check(good[:20], "byte 0: it has no header")
    check(good[:2000], "it ends within its fields")
    check(good[:rows + 10], "its header is wrong, or it is cut off")
    check(patched(8, "<Q", 1 << 62), "its header is wrong")
    check(patched(16, "<Q", 1 << 62), "its header is wrong")
    check(patched(2, "<H", 65535), "within its fields|header is wrong|only its program knows",
          error=pcr.errors.PcrError)
    check(patched(0, "<H", 1), "version 1", error=pcr.errors.UnsupportedError)
    check(patched(24, "<B", 255), "field 'image' is of a type that only its program knows",
          error=pcr.errors.UnsupportedError)
    row = 40
    check(patched(rows + row + 5, "<Q", 12345), "record 1: field 'image' is wrong", (0, 2))
    check(patched(rows + 2 * row + 24, "<Q", 1 << 63), "record 2: field 'm' is wrong", (0, 1))
    check(patched(rows + 2 * row + 32, "<Q", (1 << 64) - 1), "record 2: field 'm'", (0, 1))
    check(good[:-30], "record 2: field 'image' is wrong", (0, 1))


# --- LMDB ---


def test_lmdb(tmp_path):
    """Values in leaves and in pages of their own; one leaf, and several below a branch."""
    images = {b"k%03d" % i: encode(picture(i, 8 + i % 60, 8), quality=30) for i in range(60)}
    for count in (3, 60):
        part = dict(list(images.items())[:count])
        folder = tmp_path / f"l{count}"
        folder.mkdir()
        put(folder / "data.mdb", lmdb({**part, b"__len__": b"\x80\x03K\x03."}))
        put(folder / "lock.mdb", bytes(100))
        for where in (folder, folder / "data.mdb"):
            found = find(where)
            assert {s.key.encode(): s.data for s in found.samples} == part
            assert not found.left_out
    (tmp_path / "all").mkdir()
    (tmp_path / "l3").rename(tmp_path / "all" / "train")
    assert {s.split for s in find(tmp_path / "all").samples} == {"train"}


def test_lmdb_layouts(tmp_path):
    path = put(tmp_path / "a.lmdb", lmdb({b"%08d" % i: datum(JPEGS[i], i + 1) for i in range(3)}))
    assert [(s.key, s.labels, s.data) for s in find(path).samples] == [
        (f"0000000{i}", [i + 1], JPEGS[i]) for i in range(3)]
    path = put(tmp_path / "a.lmdb", lmdb({
        b"image-000000001": JPEGS[0], b"image-000000002": JPEGS[1],
        b"label-000000001": b"caf\xc3\xa9", b"label-000000002": b"two", b"num-samples": b"2"}))
    assert [s.attributes for s in find(path).samples] == [{"label": "caf\u00e9"},
                                                          {"label": "two"}]
    path = put(tmp_path / "a.lmdb", lmdb({struct.pack("<I", i): JPEGS[i] for i in range(2)}))
    assert [s.key for s in find(path).samples] == ["00000000", "01000000"]


def test_lmdb_values_that_are_not_read(tmp_path):
    for value, message in ((b"\x80\x04K\x01.", "'b' is a pickle, which is never read"),
                           (datum(bytes(192), 1, False), "'b' is a Datum of pixels"),
                           (b"something", "'b' is neither an image nor")):
        path = put(tmp_path / "a.mdb", lmdb({b"a": JPEGS[0], b"b": value, b"c": JPEGS[1]}))
        with pytest.raises(pcr.errors.CorruptError, match=message):
            find(path)
        found = find(path, skip=True)
        assert [s.data for s in found.samples] == JPEGS[:2] and len(found.left_out) == 1


def test_lmdb_damaged(tmp_path):
    few = lmdb({b"a": b"\xff\xd8\xff" + bytes(100), b"b": JPEGS[0] + bytes(9000)})
    many = lmdb({b"k%03d" % i: b"\xff\xd8\xff" + bytes(400) for i in range(40)})
    root = struct.unpack_from("<Q", many, 4096 + 128)[0] * 4096
    leaf = struct.unpack_from("<Q", few, 4096 + 128)[0] * 4096
    first, second = struct.unpack_from("<HH", few, leaf + 16)

    def check(data, at, form, value, message):
        data = bytearray(data)
        struct.pack_into(form, data, at, value)
        path = put(tmp_path / "a.mdb", bytes(data))
        with pytest.raises(pcr.errors.CorruptError, match=message) as failure:
            find(path)
        assert str(path) in str(failure.value)

    check(few, 4096 + 128, "<Q", 1 << 40, "a page is not in the file")
    check(few, 4096 + 128, "<Q", 1, "neither a branch nor a leaf")
    check(few, leaf + 10, "<H", 0, "neither a branch nor a leaf")
    check(few, leaf + 12, "<H", 60000, "neither a branch nor a leaf")
    check(few, leaf + 16, "<H", 4093, "a node that is not in its page")
    check(few, leaf + first + 6, "<H", 60000, "a node goes beyond its page")
    check(few, leaf + first, "<H", 60000, "a node goes beyond its page")
    check(few, leaf + second + 8 + 1, "<Q", 1 << 60, "a value is not in the file")
    check(few, leaf + second + 2, "<H", 60000, "a value is not in the file")
    check(many, root + struct.unpack_from("<H", many, root + 16)[0], "<H", root // 4096,
          "part of a circle")
    path = put(tmp_path / "a.mdb", few[:leaf + 4096 - 1])
    with pytest.raises(pcr.errors.CorruptError, match="is not in the file"):
        find(path)
    data = bytearray(few)
    data[16] = data[4096 + 16] = 0
    with pytest.raises(pcr.errors.CorruptError, match="neither of its two first pages"):
        find(put(tmp_path / "a.mdb", bytes(data)), format="lmdb")


def test_lmdb_of_its_own_software(tmp_path):
    """If it is installed."""
    package = pytest.importorskip("lmdb")
    images = {b"k%05d" % i: encode(picture(i, 8 + i % 90, 16)) for i in range(300)}
    with package.open(str(tmp_path / "l"), map_size=1 << 28) as env:
        for part in (list(images)[::2], list(images)[1::2]):  # the second one splits leaves
            with env.begin(write=True) as out:
                for key in part:
                    out.put(key, images[key])
        with env.begin(write=True) as out:
            out.delete(b"k00007")
    images.pop(b"k00007")
    assert {s.key.encode(): s.data for s in find(tmp_path / "l").samples} == images
