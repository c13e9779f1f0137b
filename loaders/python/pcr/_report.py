# SPDX-License-Identifier: BSD-2-Clause
"""A page that says what is in a dataset: one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
from html import escape
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _chart as chart
from ._dataset import Dataset
from ._dataset import open as open_dataset
from ._image import encode, resize
from ._sample import Sample
from ._text import shown, size_text
from .errors import PcrError

MAX_NBYTES = 4_900_000  # of a report
SIZES = (112, 160, 224, 320, 448)  # output sizes whose curves are drawn
GOOD = 0.95  # predicted quality, from which on a fidelity counts as good
ROWS = 1000  # of a table
JPEG_QUALITY = 88  # of the gallery's pictures
COLUMNS = 8  # splits in the table of classes
SHORT = 120  # characters that are shown of a name


class Options(NamedTuple):
    """What a report shows."""

    split: Optional[str] = None  #: None: all
    size: int = 224  #: output size: pixels of a short side
    samples: int = 2000  #: how many are looked at, at most
    gallery: int = 24  #: how many are pictured, as far as there is room for them
    worst: bool = False  #: picture those with the lowest predicted quality


class Looked:
    """What the heads of records say of some samples, spread over the dataset."""

    def __init__(self, ds: Dataset, options: Options) -> None:
        self.groups = ds.group_count
        self.output_sizes = sorted({*SIZES, options.size})
        self.indices: List[int] = []
        self.unreadable = 0
        nbytes: List[List[int]] = []
        quality: List[List[List[float]]] = []  # by sample, output size (the last: its own), group
        self.short_sides: List[int] = []
        self.source_nbytes: List[int] = []
        count = min(len(ds), options.samples)
        for index in np.unique(np.linspace(0, max(len(ds) - 1, 0), count).astype(int)):
            try:
                sample = ds[int(index)]
            except PcrError:
                self.unreadable += 1
                continue
            self.indices.append(int(index))
            nbytes.append([sample.nbytes(g + 1) for g in range(self.groups)])
            quality.append([self._qualities(sample, size) for size in self.output_sizes]
                           + [self._qualities(sample, None)])
            self.source_nbytes.append(sample.source_nbytes)
            if sample.size:
                self.short_sides.append(min(sample.size))
        self.nbytes = np.array(nbytes, np.int64).reshape(-1, self.groups)
        #: NaN where it is not known
        self.quality = np.array(quality).reshape(len(nbytes), -1, self.groups)
        self.here = self.output_sizes.index(options.size)  # of quality's middle axis
        self.known = ~np.isnan(self.quality).any((1, 2))

    def _qualities(self, sample: Sample, size: Optional[int]) -> List[float]:
        return [math.nan if (found := quality_at(sample, g + 1, size)) is None else found
                for g in range(self.groups)]

    def start(self) -> int:
        """The least fidelity that is good for half of the samples."""
        if not self.known.any():
            return self.groups
        middle = np.median(self.quality[self.known, self.here], 0)
        return int(np.argmax(middle >= GOOD)) + 1


def quality_at(sample: Sample, fidelity: int, size: Optional[int]) -> Optional[float]:
    """Predicted quality with a short side of `size` pixels; None: of its own."""
    if not sample.size:
        return None
    side = min(sample.size)
    return sample.quality(fidelity, side / min(side, size or side))


# --- Parts of the page: each returns markup ---

def number(count: int) -> str:
    """A whole number with blanks between thousands."""
    return f"{count:,}".replace(",", "\u202f")


def percent(part: float, whole: float) -> str:
    """A share."""
    return f"{100 * part / whole:.1f}%" if whole else "0%"


def tiles(ds: Dataset, found: Dict[str, Any]) -> str:
    """The most important numbers."""
    sides = found["max_side"]
    values = [
        ("Samples", number(len(ds)), f"{number(found['record_count'])} records"),
        ("Size", size_text(found["total_nbytes"]),
         f"{percent(found['total_nbytes'], found['source_nbytes'])} of the source files"),
        ("Fidelities", str(ds.group_count),
         f"{percent(ds.prefix_nbytes(1), found['total_nbytes'])} of the bytes at the lowest"),
        ("Coding", found["coding"] or "not known",
         f"format {found['format_version'][0]}.{found['format_version'][1]}"
         + (f", reduced to {sides} px" if sides else ""))]
    return "<dl class=tiles>" + "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}<small>{escape(more)}</small></dd></div>"
        for name, value, more in values) + "</dl>"


def oddities(found: Dict[str, Any], looked: Looked) -> str:
    """What people should know of: only what there is."""
    kinds = [("opaque_count", "kept as whole files"),
             ("undecodable_count", "of these that no decoder here can show"),
             ("salvaged_count", "of damaged files"),
             ("unrestorable_count", "of these that could not be restored otherwise"),
             ("encoded_count", "of other formats, which became JPEGs"),
             ("exact_count", "of other formats, with their exact pixels at full fidelity"),
             ("dropped_count", "whose files had bytes after the image"),
             ("skipped_count", "bad inputs, which were left out")]
    parts = [f"{number(found[name])} {text}" for name, text in kinds if found[name]]
    if looked.unreadable:
        parts.append(f"{looked.unreadable} of those looked at could not be read: pcrtool "
                     "verify says why")
    return f"<p class=soft>Samples: {escape('; '.join(parts))}.</p>" if parts else ""


def share_bar(share: float) -> str:
    """A cell with a bar, 0 to 1."""
    return (f'<td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" '
            f'aria-hidden="true"><rect width="{100 * share:.1f}" height="10" rx="2"/></svg></td>')


def table(about: str, head: Sequence[str], rows: Sequence[Sequence[str]],
          bars: Sequence[float], extra: Sequence[int] = ()) -> str:
    """A table. The first cell of each row is its name; a bar follows the last one. Columns that
    are `extra` are not shown where there is little room."""
    kinds = [' class="extra"' if i in extra else "" for i in range(len(head))]
    columns = "".join(f'<th scope="col"{kind}>{escape(name)}</th>'
                      for name, kind in zip(head, kinds))
    lines = "".join(
        f'<tr><th scope="row" class="name"><bdi>{escape(row[0])}</bdi></th>'
        + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row[1:], kinds[1:]))
        + share_bar(bar) + "</tr>" for row, bar in zip(rows, bars))
    return (f"<p class=soft>{escape(about)}</p>"
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(head[0])}">'
            f"<table><thead><tr>{columns}<td></td></tr></thead><tbody>{lines}</tbody></table>"
            "</div>")


def brief(text: Union[str, bytes]) -> str:
    """A name of the dataset's, as far as there is room: its end tells most."""
    text = shown(text)
    return text if len(text) <= SHORT else "…" + text[-SHORT:]


def splits_and_classes(ds: Dataset) -> str:
    """Their numbers of samples."""
    splits = {name: count for name, count in ds.splits.items() if ds.split in (None, name, "all")}
    found = ""
    if not ds.classes or len(splits) > COLUMNS:
        found = counts("Split", {name: [count] for name, count in splits.items()}, {})
    if not ds.classes:
        return found
    columns = splits if 1 < len(splits) <= COLUMNS else {}
    parts = []
    for name in columns:
        with open_dataset(ds.path, split=name) as part:
            parts.append(part.class_counts)
    parts.append(ds.class_counts)
    return found + counts("Class", {name: [part[i] for part in parts]
                                    for i, name in enumerate(ds.classes)}, columns)


def counts(what: str, found: Dict[str, List[int]], columns: Dict[str, int]) -> str:
    """A table of numbers of samples by name: for each column, and of all."""
    kept = list(found.items())[:ROWS]
    about = f"Samples by {what.lower()}" + (" and split" if columns else "")
    if len(found) > len(kept):
        about += f"; {number(len(found) - len(kept))} more are left out"
    most = max([row[-1] for _, row in kept], default=1) or 1
    rows = [[brief(name), *map(number, row)] for name, row in kept]
    bars = [row[-1] / most for _, row in kept]
    if columns:
        rows.insert(0, ["all", *map(number, columns.values()), number(sum(columns.values()))])
        bars.insert(0, 0)
    return table(about + ".", [what, *map(brief, columns), "Samples"], rows, bars)


def fidelities(ds: Dataset, found: Dict[str, Any], looked: Looked, size: int) -> str:
    """Bytes and qualities by fidelity."""
    total = found["total_nbytes"]
    rows, bars = [], []
    for g in range(ds.group_count):
        nbytes = ds.prefix_nbytes(g + 1)
        row = [str(g + 1), size_text(nbytes), size_text(nbytes / max(len(ds), 1)),
               percent(nbytes, total), percent(nbytes, found["source_nbytes"])]
        if looked.known.any():
            quality = looked.quality[looked.known, looked.here, g]
            exact = g + 1 == ds.group_count
            row += ["exact"] * 2 if exact else [f"{quality.mean():.3f}",
                                               f"{np.quantile(quality, 0.05):.3f}"]
        rows.append(row)
        bars.append(nbytes / max(total, 1))
    head = ["Fidelity", "Bytes", "a sample", "of all", "of source"]
    about = "What is read at each fidelity"
    if looked.known.any():
        head += ["SSIM", "5%"]
        about += (f"; predicted SSIM at a short side of {size} px: the mean, and what 5% of the "
                  "samples are below")
    return table(about + ".", head, rows, bars, extra=(2, 4))


def quality_curves(looked: Looked) -> str:
    """Mean predicted quality over bytes, a curve for each output size."""
    known = looked.known
    shares = looked.nbytes[known].sum(0) / max(looked.nbytes[known].sum(0)[-1], 1)
    lines = []
    for place, size in enumerate([*looked.output_sizes, None]):
        name = "full size" if size is None else f"{size} px"
        means = looked.quality[known, place].mean(0)
        lines.append(chart.Line(name, list(zip(shares, means)), [
            f"{name}, fidelity {g + 1}: {percent(share, 1)} of the bytes, SSIM {mean:.4f}"
            for g, (share, mean) in enumerate(zip(shares, means))]))
    return chart.curves(lines, "Mean predicted SSIM over the share of bytes, by output size",
                        "share of the bytes")


def quality_spread(looked: Looked) -> str:
    """How predicted quality differs from sample to sample."""
    found = []
    for g in range(looked.groups - 1):
        quality = looked.quality[looked.known, looked.here, g]
        found.append(chart.Box(str(g + 1), *map(float, np.quantile(
            quality, [0, 0.05, 0.25, 0.5, 0.75, 0.95]))))
    return chart.boxes(found, "Spread of predicted SSIM by fidelity",
                       "fidelity") if found else ""


def spread(values: Sequence[int]) -> List[Tuple[str, int]]:
    """Counts of values in ranges, each half again as large as the one before."""
    low, high = max(min(values), 1), max(values)
    ratio = max((high / low) ** (1 / 8), 1.1)
    edges = [low * ratio ** i for i in range(int(math.log(high / low, ratio)) + 2)]
    counts = np.histogram(values, [0, *edges[1:-1], math.inf])[0]
    return [(chart_number(edge), int(count)) for edge, count in zip(edges, counts)]


def chart_number(value: float) -> str:
    """A number with two digits that count: 1.2k."""
    for unit in ("", "k", "M", "G"):
        if value < 999.5:
            break
        value /= 1000
    return f"{value:.3g}{unit}" if value >= 100 or not unit else f"{value:.2g}{unit}"


def sizes(looked: Looked) -> str:
    """Histograms of sizes in pixels and bytes."""
    found = ""
    for title, values, what in [
            ("Pictures", looked.short_sides, "pixels of the short side"),
            ("Source files", looked.source_nbytes, "bytes of the file")]:
        if values:
            found += f"<section><h2>{title}</h2>" + (
                f"<p>The same in all: {number(values[0])} {what}.</p>"
                if min(values) == max(values) else
                chart.histogram(spread(values), f"Samples by {what}", f"{what}, from")
            ) + "</section>"
    return f"<div class=two>{found}</div>"


def square(sample: Sample, fidelity: int, size: int) -> bytes:
    """A JPEG of the middle of a sample, with sides of at most `size` pixels."""
    image = sample.decode(fidelity)
    height, width = image.shape[:2]
    side = min(height, width)
    x, y = (width - side) // 2, (height - side) // 2
    if side > size:
        image = resize(image, size, size, box=(x, y, x + side, y + side))
    else:
        image = image[y:y + side, x:x + side]
    return encode(image, JPEG_QUALITY)


def told(sample: Sample, fidelity: int, groups: int, size: int) -> str:
    """Bytes and quality of a sample, below its picture."""
    nbytes, full = sample.nbytes(fidelity), sample.nbytes()
    quality = quality_at(sample, fidelity, size)
    end = ("exact" if fidelity == groups or sample.coding == "opaque"
           else "SSIM not known" if quality is None else f"SSIM {quality:.3f}")
    return f"{size_text(nbytes)} ({percent(nbytes, full)}), {end}"


class Gallery:
    """Some samples at all fidelities, as many as there is room for."""

    def __init__(self, ds: Dataset, looked: Looked, options: Options, room: int) -> None:
        groups, start = ds.group_count, looked.start()
        self._pictures: List[List[Optional[str]]] = []
        self._texts: List[List[str]] = []
        self._cards: List[str] = []
        self.full = False
        self.unreadable = 0
        for index in order(looked, options, start):
            if len(self._cards) == options.gallery:
                break
            sample = ds[index]
            try:
                files = [uri(square(sample, g + 1, options.size)) for g in range(groups)]
            except PcrError:
                self.unreadable += 1
                continue
            key = brief(sample.key_bytes)
            texts = [told(sample, g + 1, groups, options.size) for g in range(groups)]
            card = (f'<li><img src="{files[start - 1]}" alt=""><bdi title="{escape(key)}">'
                    f"{escape(key.split('/')[-1])}</bdi>{escape(name_of(ds, sample))}"
                    f"<small>{escape(texts[start - 1])}</small></li>")
            room -= len(card.encode()) + sum(map(len, files)) + len(json.dumps(texts)) + 99
            if room < 0:
                self.full = True
                break
            self._cards.append(card)
            self._texts.append(texts)
            self._pictures.append([None if g == start - 1 else file
                                   for g, file in enumerate(files)])
        self._start, self._groups = start, groups
        self._all = [self._told_of_all(looked, g) for g in range(groups)]

    def _told_of_all(self, looked: Looked, g: int) -> str:
        share = percent(looked.nbytes[:, g].sum(), looked.nbytes[:, -1].sum())
        quality = looked.quality[looked.known, looked.here, g]
        return f"{g + 1}: {share} of all bytes" + (
            "" if not len(quality) else ", exact" if g + 1 == self._groups
            else f", mean SSIM {quality.mean():.3f}")

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._cards)

    def markup(self, options: Options) -> str:
        """The section."""
        if not self._cards:
            return ""
        which = (f"The {self.count} samples with the lowest predicted SSIM at fidelity "
                 f"{self._start}, worst first" if options.worst
                 else f"{self.count} samples, spread over the dataset")
        more = "; no more fit into a report" if self.full else ""
        if self.unreadable:
            more += f"; {self.unreadable} could not be decoded"
        data = json.dumps({"pictures": self._pictures, "texts": self._texts, "all": self._all})
        return (
            "<section><h2>Samples</h2>"
            f"<p class=soft>{which}{more}. Their middle, with sides of "
            f"{options.size} px, as training at this size sees it.</p>"
            '<div id="dial"><label><span>Fidelity <output id="fidelity-out">'
            f"{escape(self._all[self._start - 1])}</output></span>"
            f'<input id="fidelity" type="range" min="1" max="{self._groups}" '
            f'value="{self._start}"></label></div>'
            f'<ul id="gallery">{"".join(self._cards)}</ul></section>'
            f'<script id="samples" type="application/json">{as_script(data)}</script>')


def as_script(text: str) -> str:
    """JSON between script tags: nothing in it may end the element."""
    return text.replace("<", "\\u003c")


def uri(jpeg: bytes) -> str:
    """A file as an address."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def name_of(ds: Dataset, sample: Sample) -> str:
    """The class or label of a sample."""
    if sample.label is None:
        return ""
    return brief(ds.classes[int(sample.label)]) if ds.classes else str(sample.label)


def order(looked: Looked, options: Options, fidelity: int) -> List[int]:
    """The samples to picture, the first ones first."""
    if options.worst:
        quality = looked.quality[:, looked.here, fidelity - 1]
        places = [i for i in np.argsort(quality, kind="stable") if looked.known[i]]
    else:
        count = min(len(looked.indices), options.gallery)
        spaced = np.linspace(0, max(len(looked.indices) - 1, 0), count).astype(int)
        rest = np.setdiff1d(np.arange(len(looked.indices)), spaced)  # where some do not decode
        places = [*spaced, *rest]
    return [looked.indices[i] for i in places]


# --- The whole ---

def style_or_script(name: str) -> str:
    """The text of a file of the page."""
    with open(os.path.join(os.path.dirname(__file__), "pages", name), encoding="utf-8") as file:
        return file.read()


def allowed(text: str) -> str:
    """How a page's policy names a style or script that it has itself."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def report(path: str, options: Options) -> Tuple[str, int]:
    """The page, and how many samples it pictures. Raises what pcr.open() raises."""
    with open_dataset(path, split=options.split) as ds:
        return _report(ds, options)


def _report(ds: Dataset, options: Options) -> Tuple[str, int]:
    found, looked = ds.describe(), Looked(ds, options)
    style = style_or_script("base.css") + style_or_script("report.css")
    script = style_or_script("report.js")
    name = shown(os.path.basename(os.path.abspath(ds.path)))
    which = "" if options.split is None else f", split {shown(options.split)}"
    policy = (f"default-src 'none'; img-src data:; style-src {allowed(style)}; "
              f"script-src {allowed(script)}; base-uri 'none'; form-action 'none'")
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(name)} – report</title><style>{style}</style></head><body>"
        f"<header><h1>{escape(name + which)}</h1><p>A report by libpcr. Bytes are those of the "
        f"record files; SSIM is what records predict, from {number(len(looked.indices))} "
        "samples.</p></header><main>")
    parts = [tiles(ds, found), oddities(found, looked)]
    if looked.known.any() and ds.group_count > 1:
        parts.append(
            "<div class=two><section><h2>Quality and bytes</h2>" + quality_curves(looked)
            + "<p class=soft>Each dot is a fidelity; each curve a size that training delivers "
            "(short side).</p></section><section><h2>Spread at "
            f"{options.size} px</h2>" + quality_spread(looked)
            + "<p class=soft>Boxes hold half of the samples, lines reach from the 5th to the 95th "
            "percentile, the dot is the lowest.</p></section></div>")
    parts += [
        "<div class=two><section><h2>Fidelities</h2>" + fidelities(ds, found, looked, options.size)
        + "</section><section><h2>Splits and classes</h2>" + splits_and_classes(ds)
        + "</section></div>", sizes(looked)]
    before, after = head + "".join(parts), "</main></body></html>\n"
    room = MAX_NBYTES - len((before + script + after).encode()) - 5000
    gallery = Gallery(ds, looked, options, room)
    if gallery.count:
        after = f"</main><script>{script}</script></body></html>\n"
    return before + gallery.markup(options) + after, gallery.count


def write_whole(path: str, text: str) -> None:
    """Writes a file, or leaves what was there. Raises OSError."""
    path = os.path.realpath(path)
    if os.path.lexists(path) and not os.path.isfile(path):
        raise OSError(f"{path} is there, and not a file")
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise
