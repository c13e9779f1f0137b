# SPDX-License-Identifier: BSD-2-Clause
"""Makes a folder of 24 JPEG files in two classes: smooth colours with noise on them."""
import random
import sys
from pathlib import Path

from PIL import Image

random.seed(1)
for number in range(24):
    width, height = random.randint(90, 300), random.randint(90, 300)
    noise = Image.effect_noise((width, height), 40)
    ramp = Image.linear_gradient("L").resize((width, height))
    image = Image.merge("RGB", (ramp, noise, ramp.rotate(180)))
    folder = Path(sys.argv[1], ("even", "odd")[number % 2])
    folder.mkdir(parents=True, exist_ok=True)
    image.save(folder / f"{number}.jpg", quality=random.randint(60, 95),
               progressive=number % 3 == 0)
