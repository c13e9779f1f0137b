# SPDX-License-Identifier: BSD-2-Clause
"""Colour profiles as Pillow's ImageCms converts them, and backgrounds under alpha."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

import pcr
import profiles
from images import encode, orientation_exif, picture, pixels_of

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDE, WIDE_LARGE = profiles.rgb(), profiles.rgb(1.8, more=150_000)
PIXELS = picture(1, 60, 44)
GRAY = picture(2, 60, 44, 1)
ALPHA = picture(3, 60, 44, 1)
INKS = np.dstack([picture(seed, 60, 44, 1) for seed in range(4, 8)])


def off(found, wanted):
    assert found.shape == wanted.shape
    return int(np.abs(found.astype(int) - wanted).max())


def to_srgb(image, data):
    """What profileToProfile() makes of an image by the profile of a file."""
    with Image.open(io.BytesIO(data)) as of:
        given = ImageCms.ImageCmsProfile(io.BytesIO(of.info["icc_profile"]))
    return np.asarray(ImageCms.profileToProfile(
        image, given, ImageCms.createProfile("sRGB"),
        outputMode="RGBA" if image.mode == "RGBA" else "RGB"))


def by_pillow(data):
    """The same of the file's own pixels."""
    with Image.open(io.BytesIO(data)) as image:
        return to_srgb(image.convert("RGB") if image.mode == "P" else image, data)


FILES = {
    "wide.jpg": encode(PIXELS, quality=95, icc_profile=WIDE),
    "progressive.jpg": encode(PIXELS, quality=80, progressive=True, icc_profile=WIDE),
    "segments.jpg": encode(PIXELS, quality=95, icc_profile=WIDE_LARGE),
    "gray.jpg": encode(GRAY, quality=95, icc_profile=profiles.gray(1.0)),
    "cmyk.jpg": encode(INKS, mode="CMYK", quality=95, icc_profile=profiles.cmyk()),
    "cmyk-progressive.jpg": encode(INKS, mode="CMYK", quality=95, progressive=True,
                                   icc_profile=profiles.cmyk()),
    "wide.png": encode(PIXELS, "PNG", icc_profile=WIDE),
    "large.png": encode(PIXELS, "PNG", icc_profile=WIDE_LARGE),
    "gray.png": encode(GRAY, "PNG", icc_profile=profiles.gray(1.4)),
    "alpha.png": encode(np.dstack([PIXELS, ALPHA]), "PNG", icc_profile=WIDE),
}
PALETTE = io.BytesIO()
Image.fromarray(PIXELS).quantize(30).save(PALETTE, "PNG", icc_profile=WIDE)
FILES["palette.png"] = PALETTE.getvalue()
UNUSABLE = {
    "garbage.jpg": encode(PIXELS, quality=95, icc_profile=bytes(range(200))),
    "short.jpg": encode(PIXELS, quality=95, icc_profile=b"abc"),
    "cut.jpg": encode(PIXELS, quality=95, icc_profile=WIDE[:250]),
    "for-colour.jpg": encode(GRAY, quality=95, icc_profile=WIDE),
    "for-gray.jpg": encode(PIXELS, quality=95, icc_profile=profiles.gray(1.4)),
    "for-inks.jpg": encode(PIXELS, quality=95, icc_profile=profiles.cmyk()),
    "part.jpg": FILES["segments.jpg"].replace(b"ICC_PROFILE\0\2", b"ICC_PROFILE\0\7"),
    "garbage.png": encode(PIXELS, "PNG", icc_profile=bytes(range(200))),
    "for-gray.png": encode(PIXELS, "PNG", icc_profile=profiles.gray(1.4)),
}


@pytest.mark.parametrize("name", FILES)
def test_converts_as_pillow(name):
    wanted = by_pillow(FILES[name])[..., :3]
    for decoder in ("auto", "turbo"):
        found = pcr.decode(FILES[name], icc="srgb", decoder=decoder)
        assert off(found, wanted) <= 1
    assert off(found, pcr.decode(FILES[name])) > 8
    luma = np.asarray(Image.fromarray(found).convert("L"))
    assert off(pcr.decode(FILES[name], icc="srgb", gray=True), luma) <= 1
    planar = pcr.decode(FILES[name], icc="srgb", planar=True, crop=(3, 5, 50, 40))
    np.testing.assert_array_equal(planar.transpose(1, 2, 0),
                                  pcr.decode(FILES[name], icc="srgb")[5:40, 3:50])


def test_srgb_stays_as_it_is():
    for kind, pixels in (("JPEG", PIXELS), ("PNG", PIXELS)):
        data = encode(pixels, kind, icc_profile=SRGB)
        np.testing.assert_array_equal(pcr.decode(data, icc="srgb"), pcr.decode(data))
        assert off(pcr.decode(data), by_pillow(data)) <= 1


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_profiles_are_told(name):
    with pytest.warns(pcr.ProfileWarning):
        found = pcr.decode(UNUSABLE[name], icc="srgb")
    np.testing.assert_array_equal(found, pcr.decode(UNUSABLE[name]))


def test_strays_before_a_profile():
    """What the decoder passes over, the search for profiles does too."""
    for data in (FILES["wide.jpg"], FILES["segments.jpg"]):
        at = data.index(b"\xff\xe2")
        for stray in (b"\xff\xff", b"\0\1\2", b"\xff\0", b"\xff\xfe\0\0"):
            found = pcr.decode(data[:at] + stray + data[at:], icc="srgb")
            np.testing.assert_array_equal(found, pcr.decode(data, icc="srgb"), str(stray))


def test_orientation_and_scale():
    data = encode(PIXELS, quality=95, icc_profile=WIDE, exif=orientation_exif(6))
    turned = pcr.decode(data, icc="srgb")
    assert turned.shape == (60, 44, 3)
    np.testing.assert_array_equal(turned, np.rot90(pcr.decode(data, icc="srgb", orient=False),
                                                   -1))
    small = pcr.decode(data, icc="srgb", scale=4)
    plain = pcr.decode(data, scale=4)
    assert off(small, to_srgb(Image.fromarray(plain), data)) <= 1


@pytest.fixture(scope="module")
def colorful(tmp_path_factory):
    """All of these files, with others whose profiles no two share."""
    where = tmp_path_factory.mktemp("colorful") / "dataset"
    files = {**FILES, **UNUSABLE, "srgb.jpg": encode(PIXELS, icc_profile=SRGB),
             "none.jpg": encode(PIXELS)}
    for i in range(8):
        data = encode(PIXELS, quality=90, icc_profile=profiles.rgb(1.2 + i / 10, more=99, seed=i))
        files[f"own-{i}.jpg"] = data
    pcr.write(where, [pcr.NewSample(name, data) for name, data in files.items()],
              shuffle=False)
    return where, files


def test_every_fidelity_has_the_profile(colorful):
    where, files = colorful
    with pcr.open(where) as ds:
        for sample in ds:
            if sample.coding == "opaque" or sample.key in UNUSABLE:
                continue
            for fidelity in (1, 2, None):
                plain = sample.read(fidelity)
                assert b"ICC_PROFILE" in plain or sample.key == "none.jpg"
                if sample.key[:4] in ("none", "srgb"):
                    continue
                found = sample.decode(fidelity, icc="srgb")
                before = sample.decode(fidelity)
                assert off(found, before) > 8, sample.key
                if sample.component_count == 3:
                    assert off(found, to_srgb(Image.fromarray(before), plain)) <= 1
                elif fidelity is None:
                    assert off(found, by_pillow(plain)) <= 1
        assert ds[ds.find("wide.jpg")].read() != ds[ds.find("none.jpg")].read()


def test_loader_counts(colorful):
    where, files = colorful
    how = {"batch_size": len(files), "size": (44, 60), "transform": "stretch",
           "shuffle": "none", "threads": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for fidelity in (1, None):
            with pcr.Loader(where, icc="srgb", fidelity=fidelity, **how) as loader, \
                    pcr.open(where) as ds:
                (batch,) = loader
                stats = loader.stats()
                for sample, found in zip(ds, batch.pixels):
                    np.testing.assert_array_equal(
                        found, sample.decode(fidelity, icc="srgb"), sample.key)
                assert stats.profile_converted_count == len(FILES) + 8
                assert stats.profile_unusable_count == len(UNUSABLE)
                assert f"{len(FILES) + 8} samples converted" in str(stats)
    with pcr.Loader(where, **how) as loader:
        (batch,) = loader
        assert loader.stats().profile_converted_count == 0
        assert "profiles" not in str(loader.stats())


@pytest.mark.parametrize("progressive", [False, True])
def test_inks_without_a_marker(progressive):
    """Pillow takes all CMYK for Adobe's, which is 255 less the ink, whoever wrote it."""
    data = encode(INKS, mode="CMYK", quality=95, progressive=progressive)
    start = data.index(b"\xff\xee")
    bare = data[:start] + data[start + 16:]
    assert b"Adobe" in data and b"Adobe" not in bare
    for file in (data, bare):
        with Image.open(io.BytesIO(file)) as image:
            wanted = np.asarray(image.convert("RGB"))
        for decoder in ("auto", "turbo"):
            assert off(pcr.decode(file, decoder=decoder), wanted) <= 1


# --- backgrounds ---

def raw_png(pixels, color_type, depth, more=b""):
    """A PNG of pixels as they are given, of any depth, with chunks before the data."""
    def chunk(name, data):
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))
    height, width = pixels.shape[:2]
    rows = pixels.astype(">u2" if depth == 16 else "u1").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))
            + more + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def trns(*values):
    data = struct.pack(f">{len(values)}H", *values)
    return (struct.pack(">I", len(data)) + b"tRNS" + data
            + struct.pack(">I", zlib.crc32(b"tRNS" + data)))


def transparent():
    few = (PIXELS // 64) * 64
    palette = Image.fromarray(np.dstack([few, ALPHA // 100 * 100])).quantize(
        40, method=Image.Quantize.FASTOCTREE)
    out = io.BytesIO()
    palette.save(out, "PNG")
    rgba = np.dstack([PIXELS, ALPHA])
    corner = tuple(int(x) for x in few[0, 0])
    gray = GRAY // 64 * 64
    return {
        "rgba": encode(rgba, "PNG"),
        "la": encode(np.dstack([GRAY, ALPHA]), "PNG", "LA"),
        "palette": out.getvalue(),
        "rgb-trns": raw_png(few, 2, 8, trns(*corner)),
        "gray-trns": raw_png(gray, 0, 8, trns(int(gray[0, 0]))),
        "rgba-16": raw_png(rgba.astype(int) * 257, 6, 16),
        "la-16": raw_png(np.dstack([GRAY, ALPHA]).astype(int) * 257, 4, 16),
        "opaque": encode(PIXELS, "PNG"),
        "jpeg": encode(PIXELS, quality=90),
    }


def composed(data, background):
    with Image.open(io.BytesIO(data)) as image:
        image = image.convert("RGBA")
        under = Image.new("RGBA", image.size, (*background, 255))
        return np.asarray(Image.alpha_composite(under, image))[..., :3]


TRANSPARENT = transparent()


@pytest.mark.parametrize("name", TRANSPARENT)
def test_background(name):
    data = TRANSPARENT[name]
    for background in ((255, 255, 255), (10, 200, 90), (0, 0, 0)):
        wanted = composed(data, background)
        found = pcr.decode(data, background=background)
        assert off(found, wanted) <= 1
        luma = np.asarray(Image.fromarray(found).convert("L"))
        if name != "jpeg":  # whose luma is stored
            assert off(pcr.decode(data, background=background, gray=True), luma) <= 1
        part = pcr.decode(data, background=background, crop=(7, 2, 31, 40))
        np.testing.assert_array_equal(part, found[2:40, 7:31])
    np.testing.assert_array_equal(pcr.decode(data, background=0),
                                  pcr.decode(data, background=(0, 0, 0)))
    plain = pcr.decode(data)
    assert name in ("opaque", "jpeg") or off(plain, found) > 20
    np.testing.assert_array_equal(
        plain, pixels_of(data) if name not in ("rgba", "la", "palette", "rgba-16", "la-16")
        else np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., :3])


def test_background_in_srgb():
    """Colours are converted before they meet the background."""
    data = FILES["alpha.png"]
    image = Image.fromarray(by_pillow(data), "RGBA")
    image.putalpha(Image.fromarray(ALPHA))
    under = Image.new("RGBA", image.size, (90, 10, 200, 255))
    wanted = np.asarray(Image.alpha_composite(under, image))[..., :3]
    assert off(pcr.decode(data, icc="srgb", background=(90, 10, 200)), wanted) <= 1


def test_background_in_loaders(tmp_path):
    pcr.write(tmp_path / "ds", [pcr.NewSample(name, data)
                                for name, data in TRANSPARENT.items()], shuffle=False)
    with pcr.Loader(tmp_path / "ds", size=(44, 60), transform="stretch", shuffle="none",
                    background=(1, 99, 255), fidelity=2) as loader, \
            pcr.open(tmp_path / "ds") as ds:
        (batch,) = loader
        for sample, found in zip(ds, batch.pixels):
            np.testing.assert_array_equal(found, sample.decode(2, background=(1, 99, 255)))
            if sample.coding == "opaque":
                assert off(found, composed(TRANSPARENT[sample.key], (1, 99, 255))) <= 1


@pytest.mark.parametrize("how", [{"background": (1, 2)}, {"background": 256}, {"icc": "p3"},
                                 {"background": (1, 2, -3)}, {"icc": True}])
def test_refuses(how, path):
    with pytest.raises(pcr.InvalidError, match=next(iter(how))):
        pcr.decode(encode(PIXELS), **how)
    with pytest.raises(pcr.InvalidError, match=next(iter(how))):
        pcr.Loader(path, **how)
