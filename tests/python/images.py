# SPDX-License-Identifier: BSD-2-Clause
"""Makes images and folders of images for the tests."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

import pcr


def picture(seed, width, height, channels=3):
    """A picture with slopes, edges and some noise: uint8, (height, width[, channels])."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        a, b, c, d = random.uniform(0.5, 4, 4)
        plane = np.sin(a * x / width * 6 + b) + np.cos(c * y / height * 6 + d)
        plane = plane + (np.hypot(x - width * a / 4, y - height * c / 4) < width / 5)
        plane = plane * 60 + 110 + random.normal(0, 4, plane.shape)
        planes.append(plane.clip(0, 255).astype(np.uint8))
    return planes[0] if channels == 1 else np.dstack(planes)


def noise(where, sizes):
    """Writes a dataset of PNG files, whose pixels are exact, of these (width, height), in order;
    returns the pixels."""
    random = np.random.default_rng(5)
    pictures = [random.integers(0, 256, (height, width, 3), np.uint8) for width, height in sizes]
    pcr.write(where, [(f"{i}.png", encode(pixels, "PNG")) for i, pixels in enumerate(pictures)],
              shuffle=False)
    return pictures


def encode(pixels, kind="JPEG", mode=None, **options):
    """The bytes of an image file."""
    image = Image.fromarray(pixels, mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def damaged_copy(path, where, damage):
    """Copies a dataset to the new folder `where`; its second record is missing there, and
    damage(bytes, record) has changed the first one's bytes."""
    where.mkdir()
    with pcr.open(path) as ds:
        first, second, *others = ds.records
    for name in ("manifest.json", *(record.path for record in others)):
        (where / name).write_bytes((Path(path) / name).read_bytes())
    data = bytearray((Path(path) / first.path).read_bytes())
    damage(data, first)
    (where / first.path).write_bytes(data)
    assert not (where / second.path).exists()
    return where


def orientation_exif(value):
    """An EXIF block that says nothing but the orientation."""
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def pixels_of(data, mode="RGB"):
    """What Pillow decodes."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert(mode) if image.mode != mode else image)


def variety():
    """Name and bytes of JPEG files of several kinds."""
    return [
        ("plain.jpg", encode(picture(1, 160, 120), quality=90)),
        ("full-chroma.jpg", encode(picture(2, 123, 77), quality=85, subsampling=0)),
        ("half-chroma.jpg", encode(picture(3, 99, 130), quality=75, subsampling=1)),
        ("gray.jpg", encode(picture(4, 140, 100, 1), quality=90)),
        ("progressive.jpg", encode(picture(5, 150, 110), quality=92, progressive=True)),
        ("small.jpg", encode(picture(6, 17, 9), quality=80)),
        ("rotated.jpg", encode(picture(7, 120, 90), quality=90,
                               exif=orientation_exif(6))),
        ("coarse.jpg", encode(picture(8, 200, 150), quality=30)),
    ]


def folder(root, splits=("train", "val"), classes=("ant", "bee", "crab"), count=8):
    """A folder tree of small photographs: split/class/N.jpg."""
    seed = 0
    for split in splits:
        for label, name in enumerate(classes):
            below = root / split / name
            below.mkdir(parents=True)
            for i in range(count):
                seed += 1
                data = encode(picture(seed, 60 + 3 * i, 80 - 2 * label), quality=88)
                (below / f"{i}.jpg").write_bytes(data)
    return root
