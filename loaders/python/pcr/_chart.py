# SPDX-License-Identifier: BSD-2-Clause
"""Charts as inline SVG. Colours and fonts are the page's: its style sheet knows the classes."""

from __future__ import annotations

import math
from html import escape
from typing import List, NamedTuple, Sequence, Tuple

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 96, 12, 48  # room for what stands around the plot
BEST = 1 - 1e-4  # quality at the top of an axis: what is better is shown there
TICKS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)


class Line(NamedTuple):
    """A curve of a chart."""

    name: str
    points: Sequence[Tuple[float, float]]  #: x 0 to 1, quality 0 to 1
    titles: Sequence[str]  #: of the points


class Box(NamedTuple):
    """A distribution of qualities: percentiles, ascending."""

    name: str
    low: float  #: the least
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


def decibels(quality: float) -> float:
    """The scale of the axis: what lacks of 1 shrinks tenfold every 10 dB."""
    return -10 * math.log10(1 - min(max(quality, 0.0), BEST))


class QualityAxis:
    """The vertical axis of a chart."""

    def __init__(self, least: float) -> None:
        below = [tick for tick in TICKS if tick <= least]
        self._ticks = TICKS[TICKS.index(below[-1]) if below else 0:]
        self._low = min(decibels(self._ticks[0]), decibels(least))
        self._high = decibels(BEST)

    def place(self, quality: float) -> float:
        """Where a quality stands, from the top in units of the picture."""
        part = (decibels(quality) - self._low) / (self._high - self._low)
        return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP)

    def lines(self) -> str:
        """Its ticks."""
        parts, last = [], math.inf
        for tick in self._ticks:
            y = self.place(tick)
            if last - y < 18:
                continue
            last = y
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                         f'y2="{y:.1f}"/><text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" '
                         f'text-anchor="end">{tick:g}</text>')
        return "".join(parts)


def picture(about: str, below: str, body: str) -> str:
    """An SVG element. about: what it shows, for who cannot see it; below: the axis' title."""
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(about)}">{body}'
            f'<text class="axis" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">'
            f'{escape(below)}</text></svg>')


def curves(lines: Sequence[Line], about: str, below: str) -> str:
    """Quality over shares of bytes."""
    axis = QualityAxis(min(quality for line in lines for _, quality in line.points))
    parts = [axis.lines()]

    def across(share: float) -> float:
        return LEFT + share * (WIDTH - RIGHT - LEFT)
    for tick in range(0, 101, 20):
        x = across(tick / 100)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" '
                     f'text-anchor="middle">{tick}%</text>')
    names = _apart([axis.place(line.points[-1][1]) for line in lines], 19)
    for number, (line, y) in enumerate(zip(lines, names)):
        path = " ".join(f"{across(x):.1f},{axis.place(q):.1f}" for x, q in line.points)
        parts.append(f'<g class="line{number % 6}"><polyline points="{path}"/>')
        for (x, quality), title in zip(line.points, line.titles):
            parts.append(f'<circle cx="{across(x):.1f}" cy="{axis.place(quality):.1f}" r="3.5">'
                         f'<title>{escape(title)}</title></circle>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}">{escape(line.name)}'
                     "</text></g>")
    return picture(about, below, "".join(parts))


def _apart(places: Sequence[float], distance: float) -> List[float]:
    """Moves labels down so that each has room. The order is kept: upper ones first."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved, last = list(places), -math.inf
    for i in order:
        last = moved[i] = max(places[i], last + distance)
    return moved


def boxes(found: Sequence[Box], about: str, below: str) -> str:
    """Distributions of quality, one beside the other."""
    axis = QualityAxis(min(box.low for box in found))
    parts = [axis.lines()]
    step = (WIDTH - RIGHT - LEFT) / len(found)
    half = min(step * 0.3, 22)
    for number, box in enumerate(found):
        x = LEFT + (number + 0.5) * step
        low, p5, p25, p50, p75, p95 = map(axis.place, box[1:])
        title = (f"fidelity {box.name}: least {box.low:.3f}; of all samples 5% below "
                 f"{box.p5:.3f}, half below {box.p50:.3f}, 95% below {box.p95:.3f}")
        parts.append(
            f'<g class="box"><title>{escape(title)}</title>'
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{p5:.1f}" y2="{p95:.1f}"/>'
            f'<rect x="{x - half:.1f}" y="{p75:.1f}" width="{2 * half:.1f}" '
            f'height="{max(p25 - p75, 1):.1f}" rx="2"/>'
            f'<line class="median" x1="{x - half:.1f}" x2="{x + half:.1f}" y1="{p50:.1f}" '
            f'y2="{p50:.1f}"/><circle cx="{x:.1f}" cy="{low:.1f}" r="2.5"/></g>'
            f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
            f"{escape(box.name)}</text>")
    return picture(about, below, "".join(parts))


def histogram(bins: Sequence[Tuple[str, int]], about: str, below: str) -> str:
    """How many samples are in each of some ranges."""
    most = max(count for _, count in bins)
    step = (WIDTH - 2 * 16) / len(bins)
    half = min(step * 0.42, 30)
    bottom = HEIGHT - BOTTOM
    parts = [f'<line class="grid" x1="16" x2="{WIDTH - 16}" y1="{bottom}" y2="{bottom}"/>']
    for number, (name, count) in enumerate(bins):
        height = count / most * (bottom - TOP - 18)
        x = 16 + (number + 0.5) * step
        parts.append(
            f'<g class="bar"><title>{escape(name)}: {count}</title>'
            f'<rect x="{x - half:.1f}" y="{bottom - height:.1f}" '
            f'width="{2 * half:.1f}" height="{height:.1f}" rx="2"/></g>'
            f'<text class="tick" x="{x:.1f}" y="{bottom - height - 5:.1f}" '
            f'text-anchor="middle">{count or ""}</text>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">'
            f"{escape(name)}</text>")
    return picture(about, below, "".join(parts))
