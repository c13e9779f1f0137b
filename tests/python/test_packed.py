# SPDX-License-Identifier: BSD-2-Clause
"""Datasets of coding "packed", beside the same of "scans"."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

import pcr
import profiles
from images import encode, picture

SIZE = 64


@pytest.fixture(scope="module")
def twins(mixed, tree, tmp_path_factory):
    """Folders of two datasets of the same files: of scans, and packed."""
    where = tmp_path_factory.mktemp("twins")
    files = [(str(p.relative_to(tree)), p.read_bytes()) for p in sorted(tree.rglob("*.jpg"))]
    for coding in ("scans", "packed"):
        pcr.write(where / coding, mixed[1] + files, shuffle=False, record_samples=20,
                  coding=coding)
    return where / "scans", where / "packed"


@pytest.fixture
def pair(twins):
    with pcr.open(twins[0]) as scans, pcr.open(twins[1]) as packed:
        yield scans, packed


def codings(dataset):
    return [sample.coding for sample in dataset]


def test_chosen_by_sample(pair):
    scans, packed = pair
    assert set(codings(scans)) == {"scans", "opaque"}
    assert {"packed", "opaque"} <= set(codings(packed))
    assert packed.ladder.startswith("ladder packed\n")
    assert sum(s.nbytes() for s in packed) < sum(s.nbytes() for s in scans)
    for a, b in zip(scans, packed):
        assert (a.coding == "opaque") == (b.coding == "opaque")
        assert a.key == b.key and a.size == b.size and a.source_nbytes == b.source_nbytes


def test_same_pixels(pair):
    for a, b in zip(*pair):
        assert np.array_equal(a.decode(), b.decode()), a.key
        if a.coding == "opaque":
            continue
        assert np.array_equal(a.decode(gray=True, scale=3), b.decode(gray=True, scale=3)), a.key
        assert b.decode(1, scale=1).shape == b.decode(scale=1).shape
        if min(a.decode().shape[:2]) > 8:
            assert np.array_equal(a.decode(crop=(3, 5, 7, 8)), b.decode(crop=(3, 5, 7, 8))), a.key


def test_files_of_every_fidelity(pair):
    """A file is a standard JPEG, and holds what the decoder shows of the sample itself."""
    others = 0
    for sample in pair[1]:
        for fidelity in range(1, pair[1].group_count + 1):
            file = sample.read(fidelity)
            pixels = sample.decode(fidelity, orient=False)
            assert np.array_equal(pcr.decode(file, orient=False), pixels), (sample.key, fidelity)
            if sample.coding == "packed":
                identical = sample.decode(fidelity, identical=True, orient=False)
                turbo = sample.decode(fidelity, decoder="turbo", orient=False)
                assert np.array_equal(identical, turbo), (sample.key, fidelity)
                others += not np.array_equal(pixels, turbo)
                with Image.open(io.BytesIO(file)) as image:
                    image.load()
                    assert sorted(image.size) == sorted(sample.size)
    assert others  # our own decoder shows incomplete fidelities better


def test_profiles(tmp_path):
    """Profiles are found in the headers of packed samples, and nowhere else."""
    files = [(kind + ".jpg", encode(picture(3, 192, 160), quality=90, **options))
             for kind, options in (("wide", {"icc_profile": profiles.rgb()}), ("plain", {}))]
    for coding in ("scans", "packed"):
        pcr.write(tmp_path / coding, files, shuffle=False, coding=coding)
    with pcr.open(tmp_path / "scans") as scans, pcr.open(tmp_path / "packed") as packed:
        for a, b in zip(scans, packed):
            assert b.coding == "packed"
            assert np.array_equal(a.decode(icc="srgb"), b.decode(icc="srgb"))
        assert not np.array_equal(packed[0].decode(icc="srgb"), packed[0].decode())
        assert np.array_equal(packed[1].decode(icc="srgb"), packed[1].decode())


def batches(path, fidelity=None, **options):
    with pcr.open(path) as dataset:
        loader = pcr.Loader(dataset, batch_size=9, seed=5, fidelity=fidelity, **options)
        return [(b.indices.copy(), b.pixels.copy()) for b in loader]


@pytest.mark.parametrize("transform", ["random_crop", "center_crop", "stretch"])
def test_same_batches(twins, transform):
    scans, packed = (batches(path, transform=transform, size=SIZE)
                     for path in twins)
    assert len(scans) == len(packed) > 5
    for (a, x), (b, y) in zip(scans, packed):
        assert np.array_equal(a, b) and np.array_equal(x, y)


def test_verify(twins, tmp_path):
    with pcr.open(twins[1]) as dataset:
        assert not dataset.verify(deep=True).findings
    copy = shutil.copytree(twins[1], tmp_path / "copy")
    record = next(copy.glob("*.pcr"))
    data = bytearray(record.read_bytes())
    data[len(data) // 2] ^= 4
    record.write_bytes(data)
    with pcr.open(copy) as dataset:
        assert dataset.verify(deep=True).findings


def test_refusals(tmp_path, tree):
    with pytest.raises(pcr.InvalidError, match="coding"):
        pcr.convert(tree, tmp_path / "a", coding="opaque")
    with pytest.raises(pcr.InvalidError, match="coding"):
        pcr.convert(tree, tmp_path / "a", coding="zip")
    # A ladder whose first line is not all of DC.
    with pytest.raises(pcr.InvalidError, match="DC"):
        pcr.convert(tree, tmp_path / "a", coding="packed", ladder="classic")


def test_orientation_is_the_head_s(tmp_path):
    """EXIF is not in what is read below full fidelity: pictures are turned all the same."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = io.BytesIO()
    Image.fromarray(picture(1, 96, 48)).save(data, "JPEG", quality=90, exif=exif)
    for coding in ("scans", "packed"):
        pcr.write(tmp_path / coding, [("turned.jpg", data.getvalue())], coding=coding)
        with pcr.open(tmp_path / coding) as ds:
            sample, = ds
            assert (sample.coding, sample.orientation, sample.size) == (coding, 6, (48, 96))
            for fidelity in range(1, ds.group_count + 1):
                whole = sample.decode(fidelity)
                assert whole.shape == (96, 48, 3)
                with pcr.Loader(ds, size=(96, 48), transform="stretch", shuffle="none",
                                fidelity=fidelity) as loader:
                    batch, = loader
                    np.testing.assert_array_equal(batch.pixels[0], whole)


def test_threads_of_an_image(tmp_path):
    pcr.write(tmp_path / "ds", [("tall.jpg", encode(picture(2, 280, 1100), quality=90))],
              coding="packed")
    with pcr.open(tmp_path / "ds") as ds:
        for fidelity in (1, 3, ds.group_count):
            whole = ds[0].decode(fidelity)
            for threads in (2, 64):
                np.testing.assert_array_equal(ds[0].decode(fidelity, threads=threads), whole)
        for threads in (0, 65, -1):
            with pytest.raises(pcr.InvalidError, match="threads"):
                ds[0].decode(threads=threads)
        with pytest.raises(TypeError, match="threads"):
            ds[0].decode(threads="two")
