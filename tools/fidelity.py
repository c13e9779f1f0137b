#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes README.md's pictures: docs/fidelity.png and docs/curves.svg.

usage: tools/fidelity.py [--build DIR] [--pictures FOLDER] [--photos DATASET]
                         [--rounds N]

fidelity.png shows a generated still life at several fidelities, whole and in enlarged details;
curves.svg quality and decoding speed over bytes: of such pictures, and of the photographs in
DATASET. Generating takes half a minute; --pictures names a FOLDER where pcr-gen has made them.
Bytes are those of record prefixes, headers included, over the source's; SSIM is of luma at full
size, as the records state it; both are means. Speed is images per second of CPU time, so that
other work disturbs it little, over that at full fidelity: medians of N rounds (5) of `pcrtool
bench`, one thread. Needs Pillow and a build (default: build).
"""
import argparse
import io
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
COUNT, SIZE, QUALITY = 3, "720x480", 92
SHOWN = (1, 2, 3, 5)  # and full fidelity
WHOLE, DETAIL, ZOOM, GAP = (216, 144), (72, 40), 3, 8
DETAILS = ((388, 124), (498, 268))  # print; skin and highlights: left and top in the picture
GROUND, TEXT, DIM = (28, 33, 40), (240, 243, 246), (159, 170, 182)
WIDTH, HEIGHT, LEFT, TOP, ACROSS, DOWN = 860, 300, 62, 34, 322, 210
STYLE = """.ground{fill:#fff}.grid{stroke:#d8dee4}text{fill:#57606a}.title{fill:#1f2328}
.line0{stroke:#0969da;fill:#0969da}.line1{stroke:#bc4c00;fill:#bc4c00}
.line2{stroke:#1a7f37;fill:#1a7f37}
@media(prefers-color-scheme:dark){.ground{fill:#0d1117}.grid{stroke:#30363d}text{fill:#9198a1}
.title{fill:#f0f6fc}.line0{stroke:#58a6ff;fill:#58a6ff}.line1{stroke:#f0883e;fill:#f0883e}
.line2{stroke:#3fb950;fill:#3fb950}}polyline{fill:none;stroke-width:2}circle{stroke:none}
g text{stroke:none;fill:inherit}"""


def measure(pcr, tool, path, rounds):
    """By fidelity, of a dataset: the share of the source's bytes, SSIM at full and at half size,
    relative speed."""
    with pcr.open(path, split="all") as dataset:
        source = sum(sample.source_nbytes for sample in dataset)
        fidelities = range(1, dataset.group_count + 1)
        shares = [dataset.prefix_nbytes(f) / source for f in fidelities]
        full, half = ([statistics.fmean(s.quality(f, scale) for s in dataset)
                       for f in fidelities] for scale in (1, 2))
    times = [[] for _ in fidelities]
    for _ in range(rounds):
        found = json.loads(subprocess.run(
            [tool, "bench", "--json", "--threads", "1", "--seconds", "1", path],
            check=True, capture_output=True).stdout)
        for row in found["rates"]:
            times[row["fidelity"] - 1].append(row["cpu_ms_per_image"])
    medians = [statistics.median(t) for t in times]
    return list(zip(shares, full, half, (medians[-1] / t for t in medians)))


def draw_strip(pcr, path, points):
    """The first picture of a dataset at some fidelities, one beside the other."""
    try:
        fonts = [ImageFont.truetype(f"DejaVuSans{kind}.ttf", 14) for kind in ("-Bold", "")]
    except OSError:
        sys.exit("fidelity.py: no font DejaVu Sans (package fonts-dejavu-core)")
    shown = [*SHOWN, len(points)]
    high = WHOLE[1] + len(DETAILS) * (DETAIL[1] * ZOOM + GAP) + 46
    strip = Image.new("RGB", (len(shown) * (WHOLE[0] + GAP) + GAP, high + GAP), GROUND)
    draw = ImageDraw.Draw(strip)
    with pcr.open(path, split="all") as dataset:
        nbytes = sum(s.source_nbytes for s in dataset) / len(dataset)
        for column, fidelity in enumerate(shown):
            picture = Image.open(io.BytesIO(dataset[0].jpeg(fidelity))).convert("RGB")
            x, y = GAP + column * (WHOLE[0] + GAP), GAP
            strip.paste(picture.resize(WHOLE, Image.LANCZOS), (x, y))
            y += WHOLE[1] + GAP
            for left, top in DETAILS:
                part = picture.crop((left, top, left + DETAIL[0], top + DETAIL[1]))
                strip.paste(part.resize((DETAIL[0] * ZOOM, DETAIL[1] * ZOOM), Image.NEAREST),
                            (x, y))
                y += DETAIL[1] * ZOOM + GAP
            share, quality, *_ = points[fidelity - 1]
            name = "full fidelity" if fidelity == len(points) else f"fidelity {fidelity}"
            draw.text((x, y), name, TEXT, fonts[0])
            draw.text((x, y + 19), f"{share * nbytes / 1000:.0f} kB, {share:.0%}   "
                      + ("lossless" if quality == 1 else f"SSIM {quality:.3f}"), DIM, fonts[1])
    strip.save(ROOT / "docs" / "fidelity.png", optimize=True)


def draw_panel(left, title, ticks, place, curves):
    """One chart. ticks: (value, text) of the vertical axis; place: a value's place, 0 to 1."""
    def across(share):
        return left + share * ACROSS

    def down(value):
        return TOP + (1 - place(value)) * DOWN

    parts = [f'<text class="title" x="{left}" y="20">{title}</text>']
    for value, text in ticks:
        parts.append(f'<path class="grid" d="M{left} {down(value):.1f}h{ACROSS}"/><text '
                     f'x="{left - 7}" y="{down(value) + 4:.1f}" text-anchor="end">{text}</text>')
    for tick in range(0, 101, 20):
        parts.append(f'<text x="{across(tick / 100):.1f}" y="{TOP + DOWN + 18}" '
                     f'text-anchor="middle">{tick}%</text>')
    for number, points in enumerate(curves):
        places = [(across(x), down(y)) for x, y in points]
        parts.append(f'<g class="line{number}"><polyline points="'
                     + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>'
                     + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
                     + "</g>")
    return "".join(parts) + "\n"


def draw_curves(named):
    """Quality and speed over bytes of the datasets `named`: a name and points each."""
    least = math.floor(10 * min(point[1] for _, points in named for point in points))
    most = math.ceil(max(point[3] for _, points in named for point in points))
    quality = [(name, [point[:2] for point in points]) for name, points in named]
    quality.append((f"{named[-1][0]} shown at half size",
                    [(share, half) for share, _, half, _ in named[-1][1]]))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" font-family="system-ui, sans-serif" '
             f'font-size="13">\n<style>{STYLE}</style>\n<rect class="ground" width="{WIDTH}" '
             f'height="{HEIGHT}" rx="6"/>\n',
             draw_panel(LEFT, "SSIM over the share of the source’s bytes",
                        [(t / 10, f"{t / 10:g}") for t in range(least, 11)],
                        lambda q: (10 * q - least) / (10 - least),
                        [points for _, points in quality]),
             draw_panel(LEFT + ACROSS + 100, "Images per CPU second, full fidelity = 1",
                        [(t, f"{t}×") for t in range(0, most + 1)], lambda v: v / most,
                        [[(point[0], point[3]) for point in points] for _, points in named])]
    x = LEFT
    for number, (name, _) in enumerate(quality):
        parts.append(f'<g class="line{number}"><circle cx="{x + 5}" cy="{HEIGHT - 16}" r="4"/>'
                     f'<text x="{x + 15}" y="{HEIGHT - 12}">{name}</text></g>\n')
        x += 8 * len(name) + 50
    (ROOT / "docs" / "curves.svg").write_text("".join(parts) + "</svg>\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT / "loaders" / "python"))
    os.environ["PCR_LIBRARY"] = str(args.build.resolve() / "libpcr.so")
    import pcr

    tool = args.build / "pcrtool" / "pcrtool"
    with tempfile.TemporaryDirectory() as folder:
        pictures, dataset = args.pictures or Path(folder, "made"), Path(folder, "made.pcr")
        if not args.pictures:
            subprocess.run([args.build / "tests" / "generator" / "pcr-gen", "photos", pictures,
                            "--still-life", "--classes", "1", "--count", str(COUNT),
                            "--size", SIZE, "--quality", str(QUALITY)], check=True)
        subprocess.run([tool, "convert", pictures, dataset], check=True, capture_output=True)
        points = measure(pcr, tool, dataset, args.rounds)
        draw_strip(pcr, dataset, points)
    named = [("still lifes", points)]
    if args.photos:
        named.append(("photographs", measure(pcr, tool, args.photos, args.rounds)))
    draw_curves(named)
    for name, points in named:
        for fidelity, (share, full, half, speed) in enumerate(points, 1):
            print(f"{name}, fidelity {fidelity}: {share:.1%} of the bytes, SSIM {full:.3f}, "
                  f"{half:.3f} at half size, {speed:.2f} times as fast")


if __name__ == "__main__":
    main()
