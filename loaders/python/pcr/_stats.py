# SPDX-License-Identifier: BSD-2-Clause
"""A loader's counters: numbers, a table for people, JSON, and Prometheus's text."""

from __future__ import annotations

import ctypes
from ctypes import byref
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple

from . import _structs as st
from ._library import call, lib
from .errors import InvalidError


class BadSample(NamedTuple):
    """A sample that could not be made as it was wanted.

    epoch: in which epoch.
    dataset: which of the loader's datasets, from 0.
    sample: its position there.
    fidelity: that was wanted.
    delivered: the fidelity that it was delivered at; None: another sample was in its place.
    replacement: that one, as (dataset, position); None where there is none.
    message: what is wrong, with the record and the sample's key.
    """

    epoch: int
    dataset: int
    sample: int
    fidelity: int
    delivered: Optional[int]
    replacement: Optional[Tuple[int, int]]
    message: str


class LoaderStats(Mapping[str, int]):
    """What a loader has done since it was made; made by Loader.stats().

    A mapping of names to numbers, whose members are attributes too: stats["read_nbytes"] is
    stats.read_nbytes. str() is a table with rates, shares of time, and what limits.
    ``later - earlier`` is what happened between two calls; "now" is the later one's.

    thread_count, reader_count; sample_count (delivered), batch_count (handed out),
    replaced_count (bad samples, another in the place of each), degraded_count, read_nbytes
    (image bytes, for the epochs that have begun), read_count (slices and single samples).

    Times in nanoseconds, those of threads summed: read_ns, decode_ns (with crop, resize and
    normalisation), idle_ns (waiting), of which room_wait_ns (for the consumer to take a
    batch) and bytes_wait_ns (for what other threads were reading); consumer_wait_ns (the
    consumer waited for a batch, or for an epoch to begin), elapsed_ns (since the loader was made).

    Now: held_nbytes (encoded bytes in memory, about), reading_count and decoding_count
    (threads), batches_open (begun, not handed out), batches_ready (of those, complete),
    batches_held (that the consumer has not let go), ahead_nbytes (image bytes read besides
    read_nbytes: for the next epoch, to which they count once it begins, or for one that never
    came).

    delivered_nbytes (stored bytes of the samples delivered), full_nbytes (the same at full
    fidelity); quality_count, quality_sum_ppm and quality_least_ppm (samples whose quality is known,
    the sum of their predicted qualities and the least, in millionths). The properties
    fidelity_counts and quality sum up what was delivered.

    With icc="srgb": profile_converted_count and profile_unusable_count, samples.
    """

    def __init__(self, raw: st.LoaderStats) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> int:
        if name not in _NAMES:
            raise KeyError(name)
        return int(getattr(self._raw, name))

    def __getattr__(self, name: str) -> int:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"LoaderStats has no {name!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)

    @property
    def fidelity_counts(self) -> Tuple[int, ...]:
        """How many samples were delivered at fidelity 1, 2 and so on, to the highest there was."""
        counts = list(self._raw.fidelity_counts)
        while counts and not counts[-1]:
            counts.pop()
        return tuple(counts)

    @property
    def quality(self) -> Optional[float]:
        """Mean predicted quality of the samples delivered; None if no sample's is known."""
        count = self["quality_count"]
        return self["quality_sum_ppm"] / count / 1e6 if count else None

    def __sub__(self, before: LoaderStats) -> LoaderStats:
        """Raises InvalidError where `before` is not earlier, or of another loader."""
        if not isinstance(before, LoaderStats):
            return NotImplemented
        out = st.sized(st.LoaderStats)
        call(lib.pcr_loader_stats_since, byref(self._raw), byref(before._raw), byref(out))
        return LoaderStats(out)

    def to_json(self) -> str:
        """One JSON object in one line; the same members as the mapping."""
        return self._text(st.StatsForm.JSON, None).rstrip()

    def to_prometheus(self, **labels: str) -> str:
        """Prometheus's text exposition format; `labels` tell this loader from others."""
        pairs = ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())
        return self._text(st.StatsForm.PROMETHEUS, pairs)

    def __str__(self) -> str:
        return self._text(st.StatsForm.TABLE, None).rstrip()

    def __repr__(self) -> str:
        return f"<pcr.LoaderStats {dict(self)}>"

    def __reduce__(self) -> Any:
        return _restore, (dict(self), self.fidelity_counts)

    def _text(self, form: st.StatsForm, labels: Any) -> str:
        buffer = st.Buffer()
        try:
            call(lib.pcr_loader_stats_text, byref(self._raw), int(form),
                 None if labels is None else labels.encode(), byref(buffer))
            return ctypes.string_at(buffer.data, buffer.nbytes).decode()
        finally:
            lib.pcr_buffer_free(byref(buffer))


_NAMES = tuple(field[0] for field in st.LoaderStats._fields_
               if field[0] not in ("size", "fidelity_counts"))


def _restore(values: Dict[str, int], fidelity_counts: Sequence[int]) -> LoaderStats:
    raw = st.sized(st.LoaderStats, **values)
    for i, count in enumerate(fidelity_counts):
        raw.fidelity_counts[i] = count
    return LoaderStats(raw)


def _escape(value: str) -> str:
    if not isinstance(value, str):
        raise InvalidError(f"a label's value is {value!r}, expected a string")
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
