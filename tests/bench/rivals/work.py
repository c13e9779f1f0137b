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


def with_pillow(data, crop, scaled=False):
    """Crop, resize (antialiased bilinear), mirror; as an array. With `scaled` the JPEG is first
    decoded to the least eighth of its size that is larger than the result."""
    import numpy
    from PIL import Image

    left, top, width, height, mirrored = crop
    image = Image.open(io.BytesIO(data))
    box, full = (left, top, left + width, top + height), image.size
    if scaled:
        least = max(SIZE / width, SIZE / height)
        image.draft("RGB", (math.ceil(full[0] * least), math.ceil(full[1] * least)))
        box = tuple(x * image.size[i % 2] / full[i % 2] for i, x in enumerate(box))
    image = image.convert("RGB")
    if not scaled:  # crop first, as is usual: what is beyond the crop does not count
        image, box = image.crop(box), None
    pixels = numpy.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box))
    return pixels[:, ::-1] if mirrored else pixels


def with_opencv(data, crop, antialiased, scaled=False):
    """The same by simplejpeg and OpenCV, the fastest that can be put together by hand."""
    import cv2
    import simplejpeg

    left, top, width, height, mirrored = crop
    how = {}
    if scaled:
        rows, columns = simplejpeg.decode_jpeg_header(data)[:2]
        least = max(SIZE / width, SIZE / height)
        how = {"min_height": math.ceil(rows * least), "min_width": math.ceil(columns * least)}
    pixels = simplejpeg.decode_jpeg(data, colorspace="RGB", **how)
    if scaled:
        factor = pixels.shape[0] / rows
        left, top, width, height = (round(x * factor) for x in (left, top, width, height))
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
