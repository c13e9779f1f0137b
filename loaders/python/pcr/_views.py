# SPDX-License-Identifier: BSD-2-Clause
"""How a picture becomes the pixels of a loader's output."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, SupportsIndex, Tuple, Union

from . import _structs as st
from ._image import color_bytes
from ._keywords import keywords
from ._library import Size, choice, height_width, real, whole
from .errors import InvalidError

PPM = 1_000_000

Jitter = Optional[Tuple[float, float, float, float]]


#: (operations, magnitude) or (operations, magnitude, bins).
RandAugment = Optional[Sequence[int]]
BINS, MOST_BINS = 31, 1000  # strengths that there are: torchvision's, and at most

#: Arguments of torchvision's transforms, and what to write instead.
ELSEWHERE = {
    "num_ops": "write randaugment=(operations, magnitude)",
    "magnitude": "write randaugment=(operations, magnitude)",
    "num_magnitude_bins": "write randaugment=(operations, magnitude, bins)",
    "trivial_augment": "write trivialaugment=",
    "min_size": "write transform=\"resize\", resize_px=",
    "shortest_edge": "write transform=\"resize\", resize_px=",
    "max_size": "write transform=\"resize\", longest_px=",
    "longest_edge": "write transform=\"resize\", longest_px=",
    "size_divisor": "write multiple=",
    "size_divisibility": "write multiple=",
    "pad_size_divisor": "write multiple=",
}

#: Chances, and what the library calls them.
_CHANCES = {"flip": "flip", "flip_down": "flip_down", "turn": "turn", "jitter_chance": "color",
            "grayscale": "gray", "blur": "blur", "solarize": "solarize", "erase": "erase"}


class View:
    """One of several pictures that a loader makes of each sample: see Loader's `views`.

    The arguments are Loader's of the same names, with the same defaults. `size` is then (height,
    width), or None where pictures have sizes of their own. And

    crop_of: the number, from 0, of an earlier view as whose crop and flip this one's are drawn:
        with the same `transform`, `area`, `ratio` and `flip` it shows the same part, at its own
        size and in its own colours.

    Raises InvalidError for arguments that cannot be right.
    """

    __slots__ = ("_options", "size")

    @keywords(**ELSEWHERE)
    def __init__(self, size: Optional[Size] = None, *, transform: str = "random_crop",
                 area: Tuple[float, float] = (0.08, 1.0),
                 ratio: Tuple[float, float] = (3 / 4, 4 / 3), resize_px: Optional[int] = None,
                 filter: str = "bilinear", flip: float = 0.0, jitter: Jitter = None,
                 rotate: float = 0.0, fill: Union[int, Sequence[int]] = 0,
                 flip_down: float = 0.0, turn: float = 0.0, jitter_chance: float = 1.0,
                 grayscale: float = 0.0, blur: float = 0.0,
                 blur_sigma: Tuple[float, float] = (0.1, 2.0), solarize: float = 0.0,
                 erase: float = 0.0, erase_area: Tuple[float, float] = (0.02, 1 / 3),
                 erase_ratio: Tuple[float, float] = (0.3, 3.3),
                 crop_of: Optional[int] = None, longest_px: Optional[int] = None,
                 multiple: Optional[int] = None, randaugment: RandAugment = None,
                 trivialaugment: Union[bool, int] = False,
                 geometric_only: bool = False) -> None:
        whole_ones = transform in ("resize", "none")
        if whole_ones and size is not None:
            raise InvalidError(f"size is {size!r}, but transform={transform!r} gives each picture "
                               "a size of its own: resize_px and longest_px bound its sides")
        #: (height, width) in pixels, or None
        self.size = None if whole_ones else height_width(224 if size is None else size)
        self._options: Dict[str, Any] = {
            "transform": transform, "area": area, "ratio": ratio, "resize_px": resize_px,
            "filter": filter, "flip": flip, "jitter": jitter, "rotate": rotate, "fill": fill,
            "flip_down": flip_down, "turn": turn, "jitter_chance": jitter_chance,
            "grayscale": grayscale, "blur": blur, "blur_sigma": blur_sigma,
            "solarize": solarize, "erase": erase, "erase_area": erase_area,
            "erase_ratio": erase_ratio, "crop_of": crop_of, "longest_px": longest_px,
            "multiple": multiple, "randaugment": randaugment,
            "trivialaugment": trivialaugment, "geometric_only": geometric_only}
        self._struct(gray=len(_tuple(fill)) == 1)  # refuses what cannot be right

    @property
    def sizes_differ(self) -> bool:
        """Whether each picture has a size of its own."""
        return self.size is None or self._options["multiple"] is not None

    def _struct(self, gray: bool) -> st.LoaderView:
        """For the library."""
        o = self._options
        t = st.LoaderTransform(
            kind=choice(st.Transform, o["transform"], "transform"),
            filter=choice(st.Filter, o["filter"], "filter"),
            **{name: 0 if o[name] is None else whole(o[name], name)
               for name in ("resize_px", "longest_px", "multiple")},
            **{f"{member}_ppm": ppm(o[name], name, 0, 1) for name, member in _CHANCES.items()})
        t.erase_area_min_ppm, t.erase_area_max_ppm = _range(o["erase_area"], "erase_area", 1)
        t.erase_ratio_min_ppm, t.erase_ratio_max_ppm = _range(o["erase_ratio"], "erase_ratio",
                                                              4000)
        t.blur_min, t.blur_max = (
            value // 1000 for value in _range(o["blur_sigma"], "blur_sigma", 16))
        t.area_min_ppm, t.area_max_ppm = _range(o["area"], "area", 1)
        t.ratio_min_ppm, t.ratio_max_ppm = _range(o["ratio"], "ratio", 4000)
        _set_operations(t, o["randaugment"], o["trivialaugment"], o["geometric_only"])
        _set_changes(t, o["jitter"] if t.color_ppm else None, o["rotate"], o["fill"], gray)
        height, width = self.size or (0, 0)
        return st.LoaderView(
            height=height, width=width, transform=t,
            crop_of=0 if o["crop_of"] is None else whole(o["crop_of"], "crop_of", 0, 8) + 1)

    def __repr__(self) -> str:
        given = {name: value for name, value in self._options.items()
                 if value != DEFAULT._options[name]}
        size = [] if self.size is None else [str(self.size)]
        return f"pcr.View({', '.join(size + [f'{k}={v!r}' for k, v in given.items()])})"


def _set_operations(t: st.LoaderTransform, randaugment: RandAugment,
                    trivialaugment: Union[bool, int], geometric_only: bool) -> None:
    if trivialaugment is True:
        trivialaugment = BINS
    if not isinstance(trivialaugment, SupportsIndex) or trivialaugment and not (
            2 <= trivialaugment <= MOST_BINS):
        raise InvalidError(f"trivialaugment is {trivialaugment!r}, expected True, or how many "
                           f"strengths there are, 2 to {MOST_BINS}")
    if not (randaugment or trivialaugment):
        if geometric_only:
            raise InvalidError("geometric_only is for randaugment and trivialaugment, of which "
                               "neither is given")
        return
    t.trivialaugment_bins, t.geometric_only = int(trivialaugment), bool(geometric_only)
    if not randaugment:
        return
    if trivialaugment:
        raise InvalidError("randaugment and trivialaugment exclude each other")
    if not isinstance(randaugment, (tuple, list)) or len(randaugment) not in (2, 3):
        raise InvalidError(f"randaugment is {randaugment!r}, expected (operations, magnitude) or "
                           "(operations, magnitude, bins)")
    operations, magnitude, bins = (*randaugment, BINS)[:3]
    for number, what, least, most in ((operations, "operations", 1, 16),
                                      (bins, "bins", 2, MOST_BINS),
                                      (magnitude, "magnitude", 0, None)):
        most = bins - 1 if most is None else most
        if not least <= whole(number, f"randaugment's {what}", 0) <= most:
            raise InvalidError(f"randaugment's {what} is {number}, expected {least} to {most}")
    t.randaugment_ops, t.randaugment_magnitude, t.randaugment_bins = operations, magnitude, bins


def _set_changes(options: st.LoaderTransform,
                 jitter: Jitter, rotate: float, fill: Union[int, Sequence[int]],
                 gray: bool) -> None:
    try:
        given = (0.0,) * 4 if jitter is None else tuple(jitter)
    except TypeError:
        given = ()
    if len(given) != 4:
        raise InvalidError(f"jitter is {jitter!r}, expected (brightness, contrast, "
                           "saturation, hue)")
    options.brightness_ppm, options.contrast_ppm, options.saturation_ppm = (
        ppm(value, f"jitter's {name}", 0, 2.9)
        for value, name in zip(given, ("brightness", "contrast", "saturation")))
    options.hue_ppm = ppm(given[3], "jitter's hue", 0, 0.5)
    if not 0 <= real(rotate, "rotate") <= 180:
        raise InvalidError(f"rotate is {rotate}, expected 0 to 180 degrees")
    options.rotate_mdeg = round(rotate * 1000)
    count = 1 if gray else 3
    options.fill[:count] = color_bytes(fill, count, "fill")


def ppm(value: float, what: str, least: float, most: float) -> int:
    """A number in millionths. Raises TypeError, or InvalidError outside of least .. most."""
    if not least <= real(value, what) <= most:
        raise InvalidError(f"{what} is {value}, expected {least} to {most}")
    return round(value * PPM)


def _range(pair: Tuple[float, float], what: str, most: float) -> Tuple[int, int]:
    try:
        first, second = pair
    except (TypeError, ValueError):
        raise InvalidError(f"{what} is {pair!r}, expected (least, most)") from None
    low, high = (ppm(value, what, 1 / PPM, most) for value in (first, second))
    if low > high:
        raise InvalidError(f"{what} is {tuple(pair)}, but the first is the larger")
    return low, high


def set_views(options: st.LoaderOptions, own: View, views: Optional[Sequence[View]],
              gray: bool) -> Any:
    """Puts a loader's own view, or several, into its options; returns what must live until
    the loader is made."""
    if views is None:
        struct = own._struct(gray)
        options.output.height, options.output.width = struct.height, struct.width
        options.transform = struct.transform
        return None
    if not views or not all(isinstance(view, View) for view in views):
        raise InvalidError(f"views is {views!r}, expected a list of pcr.View")
    if repr(own) != repr(DEFAULT):
        raise InvalidError(f"a loader with views and a view of its own, {own!r}: give size and "
                           "transform to each View")
    structs = (st.LoaderView * len(views))(*(view._struct(gray) for view in views))
    options.views, options.view_count = structs, len(views)
    return structs


def _tuple(fill: Union[int, Sequence[int]]) -> Sequence[int]:
    return fill if isinstance(fill, (list, tuple)) else (0, 0, 0)


#: What holds where nothing is given.
DEFAULT = View()
