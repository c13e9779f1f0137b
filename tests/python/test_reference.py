# SPDX-License-Identifier: BSD-2-Clause
"""docs/reference/pcr_reader.py, written from the format's text, reads the same bytes."""

import importlib.util
import io
import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode, picture, pixels_of

pytest.importorskip("zstandard")
pytest.importorskip("xxhash")


FOLDER = os.path.join(os.environ["PCR_SOURCE_ROOT"], "docs/reference")


def load():
    spec = importlib.util.spec_from_file_location("pcr_reader",
                                                  os.path.join(FOLDER, "pcr_reader.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reader():
    """As it is where its decoder for coding 2 is beside it."""
    sys.path.insert(0, FOLDER)
    yield load()
    sys.path.remove(FOLDER)


def compare_files(theirs, sample, fidelity):
    """Scans are the same bytes; what is packed becomes a file with the same coefficients."""
    if sample.coding == "packed":
        np.testing.assert_array_equal(pixels_of(theirs),
                                      pixels_of(sample.read(fidelity, jpeg="baseline")))
    else:
        assert theirs == sample.read(fidelity)


def compare(reader, path, every=1):
    """Every sample at every fidelity (of packed ones so many-th), by both readers; gives how many
    were compared."""
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
                assert theirs.attributes[i] == sample.attributes
                if sample.coding == "packed" and i % every:
                    continue
                for fidelity in range(1, ds.group_count + 1):
                    compare_files(theirs.materialise(i, fidelity), sample, fidelity)
                    compared += 1
            theirs.verify()
    return compared


def test_photographs(reader, path):
    assert compare(reader, path, every=5) == 10 * 9


def test_several_kinds(reader, mixed):
    assert compare(reader, mixed[0]) >= 9 * 9


def test_one_record(reader, path):
    with pcr.open(path) as ds:
        file = path / ds.records[0].path
    assert compare(reader, file, every=5) == 2 * 9


def test_scans(reader, tree, tmp_path):
    pcr.convert(tree, tmp_path / "classic", ladder="classic")
    assert compare(reader, tmp_path / "classic") == 48 * 10


def source_files():
    """Of all kinds: sequential, with optimal tables, progressive, with padding of odd sizes."""
    rng = np.random.default_rng(5)
    for i, options in enumerate(({}, {"optimize": True}, {"progressive": True},
                                 {"restart_marker_blocks": 3},
                                 {"restart_marker_rows": 1, "progressive": True},
                                 {"subsampling": 0, "progressive": True, "quality": 98})):
        file = io.BytesIO()
        noise = rng.integers(0, 256, (45, 67, 3), dtype=np.uint8) // 3
        Image.fromarray(picture(i, 67, 45) // 2 + noise).save(file, "JPEG", **options)
        yield f"{i}.jpg", file.getvalue() + b"more" * (i == 1)
    file = io.BytesIO()
    Image.fromarray(picture(9, 50, 30)[:, :, 0]).save(file, "JPEG", progressive=True)
    yield "gray.jpg", file.getvalue()
    yield "junk.jpg", encode(picture(3, 64, 48)).replace(b"\xff\xd9", b"\x12\x34\xff\xd9")


@pytest.mark.parametrize("coding", ["packed", "scans"])
def test_source_files(reader, tmp_path, coding):
    files, source = dict(source_files()), tmp_path / "in"
    source.mkdir()
    for key, data in files.items():
        (source / key).write_bytes(data)
        os.utime(source / key, ns=(0, 10**18 + len(data)))
    pcr.convert(source, tmp_path / "kept", coding=coding, keep_originals=True)
    record = reader.Dataset(str(tmp_path / "kept")).record(0)
    infos = record.file_infos()
    for i, key in enumerate(record.key):
        assert record.original(i) == files[key.decode()], key
        assert infos[i] == (0o777 & os.stat(source / key.decode()).st_mode,
                            10**18 + len(files[key.decode()]))
    assert sum(map(bool, record.coding[0])) >= 7
    pcr.write(tmp_path / "off", list(files.items()), keep_originals=False)
    record = reader.Dataset(str(tmp_path / "off")).record(0)
    assert not any(record.original(i) for i, coding in enumerate(record.coding[0]) if coding)


def test_tables_of_its_own(reader, tmp_path):
    """Enough images for tables to be trained on, which stand in each record."""
    pcr.write(tmp_path / "many", [(str(i), encode(picture(i, 160, 120), quality=95))
                                  for i in range(200)], record_samples=100)
    with pcr.open(tmp_path / "many") as ds:
        record = reader.Record(str(tmp_path / "many" / ds.records[0].path))
        compare_files(record.materialise(0, 2), ds[0], 2)
        assert any(text[4:8] == b"PCRT" for text in record.strings)


def test_damage(reader, path):
    """What is not as section 10 says is refused."""
    with pcr.open(path) as ds:
        record = reader.Record(str(path / ds.records[0].path))
    header = b"".join(record.strings[v // 2 + 1] for v in record.items[0] if not v & 1)
    params = record.strings[record.piece_string[0][0]]
    chunk = record.read_group(1, 0)
    jpeg = reader.pcr_packed_file.jpeg
    assert jpeg(header + params, [chunk])[:2] == b"\xff\xd8"
    at = params.index(b"PCRP") + 4
    foreign = params[:at] + bytes([params[at] ^ 1]) + params[at + 1:]
    for wrong in ((header, [chunk]), (header + params, [chunk[:-1]]), (header + params, [b""]),
                  (header + params + params, [chunk]), (header[:-1] + params, [chunk])):
        with pytest.raises(reader.pcr_packed_file.Corrupt):
            jpeg(*wrong)
    with pytest.raises(reader.pcr_packed_file.Unsupported):
        jpeg(header + foreign, [chunk])


def test_without_its_decoder(path):
    alone = load()
    alone.pcr_packed_file = None
    with pytest.raises(alone.PcrError, match="pcr_packed_file.py and pcr_packed.py beside"):
        alone.Dataset(str(path)).record(0).materialise(0, 1)
