# SPDX-License-Identifier: BSD-2-Clause
"""The work that all loaders do: the images, the crop of each, and what Pillow makes of it."""
import io
import json
import math
import os
import random

SIZE = 224
BATCH = 64
AREA = (0.08, 1.0)
RATIO = (3 / 4, 4 / 3)


def number_of(path):
    """Images are stored as CLASS/NUMBER.jpg; the number is their label everywhere."""
    return int(os.path.basename(os.fsdecode(path)).split(".")[0])


def paths_below(folder):
    """All images of a source folder, by number."""
    found = [os.path.join(where, name) for where, _, names in os.walk(folder)
             for name in names if name.endswith(".jpg")]
    return sorted(found, key=number_of)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def random_crop(width, height, rng):
    """(left, top, width, height, mirrored): torchvision's RandomResizedCrop and a flip."""
    for _ in range(10):
        area = width * height * rng.uniform(*AREA)
        ratio = math.exp(rng.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        w = round(math.sqrt(area * ratio))
        h = round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            break
    else:
        w = min(width, round(height * RATIO[1]))
        h = min(height, round(width / RATIO[0]))
    return (rng.randint(0, width - w), rng.randint(0, height - h), w, h,
            rng.random() < 0.5)


def write_tables(sizes, crops, whole, seed=1):
    """Writes a random crop for each image, and in another file one that takes all of it."""
    rng = random.Random(seed)
    with open(crops, "w", encoding="ascii") as file:
        json.dump([random_crop(width, height, rng) for width, height in sizes], file)
    with open(whole, "w", encoding="ascii") as file:
        json.dump([(0, 0, width, height, False) for width, height in sizes], file)


def read_table(path):
    with open(path, encoding="ascii") as file:
        return json.load(file)


def with_pillow(data, crop):
    """Crop, resize (antialiased bilinear), mirror; as an array."""
    import numpy
    from PIL import Image

    left, top, width, height, mirrored = crop
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image = image.crop((left, top, left + width, top + height))
    pixels = numpy.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    return pixels[:, ::-1] if mirrored else pixels


def with_opencv(data, crop, antialiased):
    """The same by simplejpeg and OpenCV, the fastest that can be put together by hand."""
    import cv2
    import simplejpeg

    left, top, width, height, mirrored = crop
    pixels = simplejpeg.decode_jpeg(data, colorspace="RGB")
    pixels = pixels[top:top + height, left:left + width]
    shrinks = antialiased and width * height > SIZE * SIZE
    pixels = cv2.resize(pixels, (SIZE, SIZE),
                        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return pixels[:, ::-1] if mirrored else pixels


def collate(pairs):
    """A batch of (pixels, number) pairs, as arrays."""
    import numpy
    return (numpy.stack([pixels for pixels, _ in pairs]),
            numpy.array([number for _, number in pairs]))
