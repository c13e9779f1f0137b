# SPDX-License-Identifier: BSD-2-Clause
"""HEIC, AVIF and JPEG XL, decoded by Pillow's plugins: convert(pillow=True), as_png()."""

import importlib
import io

import numpy as np
import pytest
from PIL import Image

import pcr
from images import picture
from pcr.formats import as_png
from test_reduce import RGB_PROFILE

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
ENDINGS = {"HEIC": "heic", "AVIF": "avif", "JPEG XL": "jxl"}


def coded(kind, pixels, **how):
    """A file of a format; skips where nothing here writes it."""
    module, format = {"HEIC": ("pillow_heif", "HEIF"), "AVIF": ("pillow_avif", "AVIF"),
                      "JPEG XL": ("pillow_jxl", "JXL")}[kind]
    try:
        plugin = importlib.import_module(module)
        if kind == "HEIC":
            plugin.register_heif_opener()
    except ImportError:
        pass
    Image.init()
    if format not in Image.SAVE:
        pytest.skip(f"no plugin of Pillow writes {kind}")
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format, quality=90, **how)
    return out.getvalue()


@pytest.mark.parametrize("kind", ENDINGS)
def test_as_png(kind):
    data = coded(kind, picture(1, 64, 48), icc_profile=RGB_PROFILE)
    png = as_png(data)
    with Image.open(io.BytesIO(png)) as made, Image.open(io.BytesIO(data)) as source:
        assert made.format == "PNG" and made.info["icc_profile"] == source.info["icc_profile"]
        assert np.array_equal(np.asarray(made), np.asarray(source.convert("RGB")))
    assert np.array_equal(pcr.decode(png), np.asarray(Image.open(io.BytesIO(png))))
    with pytest.raises(pcr.LimitError, match="64 x 48 pixels, the limit is 1000"):
        as_png(data, 1000)
    with pytest.raises(pcr.PcrError, match=kind):
        as_png(data[:len(data) // 2])


@pytest.mark.parametrize("kind", ENDINGS)
def test_alpha_and_orientation(kind):
    pixels = np.dstack([picture(1, 64, 48), picture(2, 64, 48, 1)])
    with Image.open(io.BytesIO(as_png(coded(kind, pixels)))) as made:
        assert made.mode == "RGBA" and made.size == (64, 48)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = coded(kind, picture(1, 64, 48), exif=exif.tobytes())
    with Image.open(io.BytesIO(as_png(turned))) as made:
        assert made.size in ((48, 64), (64, 48)) and made.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("pictures", ["opaque", "jpeg:95"])
def test_convert(tmp_path, pictures):
    (tmp_path / "in" / "x").mkdir(parents=True)
    made = {}
    for number, (kind, ending) in enumerate(ENDINGS.items()):
        try:
            made[f"x/{number}.{ending}"] = coded(kind, picture(number, 64, 48))
        except pytest.skip.Exception:
            continue
    if not made:
        pytest.skip("Pillow has no plugin")
    for key, data in made.items():
        (tmp_path / "in" / key).write_bytes(data)
    photo = io.BytesIO()
    Image.fromarray(picture(9, 64, 48)).save(photo, "JPEG", quality=95)
    (tmp_path / "in" / "x" / "photo.jpg").write_bytes(photo.getvalue())
    with pytest.raises(pcr.PcrError, match="HEIC|AVIF|JPEG XL"):
        pcr.convert(tmp_path / "in", tmp_path / "no", layout="class")
    for _ in range(2):  # the second time it is there
        report = pcr.convert(tmp_path / "in", tmp_path / "out", layout="class", pillow=True,
                             pictures=pictures)
        assert not report.bad and report.progress.samples_done == len(made) + 1
    report = pcr.convert(tmp_path / "in", tmp_path / "dry", layout="class", pillow=True,
                         pictures=pictures, dry_run=True)
    assert sum(count for _, count in report.decoded) == len(made)
    with pcr.open(tmp_path / "out") as ds:
        assert ds.describe()["opaque_count"] == (len(made) if pictures == "opaque" else 0)
        assert ds.describe()["encoded_count"] == (0 if pictures == "opaque" else len(made))
        for sample in ds:
            if sample.key in made:
                wanted = pcr.decode(as_png(made[sample.key]))
                difference = np.abs(sample.decode().astype(int) - wanted)
                assert difference.mean() < (0.01 if pictures == "opaque" else 15)
        assert ds.verify(deep=True).bad_samples == 0


def test_without_a_plugin_or_with_damage(tmp_path):
    with pytest.raises((pcr.UnsupportedError, pcr.CorruptError), match="HEIC"):
        as_png(HEIC)
    with pytest.raises(pcr.UnsupportedError, match="neither HEIC"):
        as_png(b"\x89PNG")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.heic").write_bytes(HEIC)
    photo = io.BytesIO()
    Image.fromarray(picture(9, 64, 48)).save(photo, "JPEG", quality=95)
    (tmp_path / "in" / "b.jpg").write_bytes(photo.getvalue())
    with pytest.raises((pcr.UnsupportedError, pcr.CorruptError), match="a.heic: HEIC"):
        pcr.convert(tmp_path / "in", tmp_path / "out", layout="flat", pillow=True)
    report = pcr.convert(tmp_path / "in", tmp_path / "kept", layout="flat", pillow=True,
                         on_bad="skip")
    assert [bad.path.endswith("a.heic") for bad in report.bad] == [True]
