# SPDX-License-Identifier: BSD-2-Clause
"""Tuners: they choose a loader's fidelity or quality while training runs."""

from __future__ import annotations

import logging
import math
import numbers
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from ._library import fidelity_number, quality_number, whole
from ._stats import LoaderStats
from ._world import over_ranks
from .errors import InvalidError

#: A fidelity, a quality, or None: full fidelity.
Candidate = Union[None, int, float]

_log = logging.getLogger("pcr")


class Decision(NamedTuple):
    """What a tuner has decided.

    step: when: the number that its step() counts, as the tuner's class says.
    before, chosen: the candidates that held and hold; None is full fidelity.
    reason: in words.
    figures: what it was decided by, by name.
    """

    step: int
    before: Candidate
    chosen: Candidate
    reason: str
    figures: Dict[str, float]


def _rising(candidates: Sequence[Candidate]) -> bool:
    given = [math.inf if c is None else c for c in candidates]
    return bool(given) and all(a < b for a, b in zip(given, given[1:]))


def checked(candidates: Optional[Sequence[Candidate]], group_count: Optional[int]
             ) -> Tuple[Candidate, ...]:
    """Rising candidates of one kind; by default all fidelities."""
    if candidates is None:
        if group_count is None:
            raise InvalidError("without a pcr loader a tuner needs candidates")
        return tuple(range(1, group_count + 1))
    given = tuple(candidates)
    known = [c for c in given if c is not None]
    kind: Any = fidelity_number if isinstance(next(iter(known), 0), numbers.Integral) else (
        quality_number)
    numbered: Tuple[Candidate, ...] = tuple(None if c is None else kind(c) for c in given)
    if not _rising(numbered):
        raise InvalidError(f"candidates is {candidates!r}, expected fidelities (whole numbers) "
                           "or qualities (above 0 and below 1) that rise; None, full fidelity, "
                           "may be the last")
    if group_count and kind is fidelity_number and known and max(known) > group_count:
        raise InvalidError(f"candidates is {candidates!r}, the dataset has 1 to {group_count}")
    return numbered


def named(candidate: Candidate) -> str:
    """A candidate in words."""
    if candidate is None:
        return "full fidelity"
    return f"{'fidelity' if isinstance(candidate, int) else 'quality'} {candidate}"


class Tuner:
    """What all tuners have.

    history: the decisions so far, the latest last. Each is logged too, by the logger "pcr"
        at level INFO.
    """

    def __init__(self, loader: Any, candidates: Sequence[Candidate]) -> None:
        self._loader = loader
        self._candidates = tuple(candidates)
        self._at: Optional[int] = None  # which holds; None: what the loader was made with
        self.history: List[Decision] = []

    @property
    def candidates(self) -> Tuple[Candidate, ...]:
        """What it chooses among, the lowest first; None is full fidelity."""
        return self._candidates

    @property
    def chosen(self) -> Candidate:
        """The candidate that holds; None is full fidelity, or, as long as a tuner has decided
        nothing, what the loader was made with."""
        return None if self._at is None else self._candidates[self._at]

    def _set(self, at: int) -> None:
        self._at = at
        candidate = self._candidates[at]
        if isinstance(candidate, float):
            self._loader.set_quality(candidate)
        else:
            self._loader.set_fidelity(candidate)

    def _decide(self, at: int, step: int, reason: str, **figures: float) -> None:
        """Has a candidate hold, which may be the one that does."""
        before = self.chosen
        self._set(at)
        decision = Decision(step, before, self.chosen, reason, figures)
        self.history.append(decision)
        _log.info("%s: step %d: %s: %s", type(self).__name__, step, named(self.chosen), reason)

    def state_dict(self) -> Dict[str, Any]:
        """What it needs to go on: a dict that JSON can hold."""
        return {"chosen": self.chosen, "decided": self._at is not None,
                "history": [list(decision) for decision in self.history]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state, and sets the loader's fidelity or quality to what it says.

        Raises InvalidError for the state of a tuner with other candidates.
        """
        if state["decided"] and state["chosen"] not in self._candidates:
            raise InvalidError(f"the state has {named(state['chosen'])}, which is none of the "
                               f"candidates {self._candidates}")
        self.history = [Decision(*entry) for entry in state["history"]]
        if state["decided"]:
            self._set(self._candidates.index(state["chosen"]))


class PlateauTuner(Tuner):
    """Raises a loader's fidelity or quality when the loss stops falling.

    ::

        tuner = pcr.PlateauTuner(loader, [0.8, 0.9, 0.95, None])
        for epoch in range(90):
            loss = train(loader)
            tuner.step(loss)

    loader: a Loader, pcr.torch.Loader or pcr.torch.IterableDataset, or what has their
        set_fidelity() and set_quality(). It gets the first candidate at once.
    candidates: fidelities (whole numbers) or qualities (above 0 and below 1), rising; None,
        full fidelity, may be the last. Without them, all fidelities.
    patience: so many steps in a row without a fall raise it to the next candidate.
    min_delta: how much below the least loss so far, of this candidate, a loss must be to
        count as a fall.

    A decision's step is the number of the call of step(), from 0; its figures are the loss and
    the least one.
    """

    def __init__(self, loader: Any, candidates: Optional[Sequence[Candidate]] = None, *,
                 patience: int = 3, min_delta: float = 0.01) -> None:
        super().__init__(loader, checked(candidates, getattr(loader, "group_count", None)))
        if not min_delta >= 0:
            raise InvalidError(f"min_delta is {min_delta!r}, expected 0 or more")
        self.patience, self.min_delta = whole(patience, "patience"), float(min_delta)
        self._steps = self._flat = 0
        self._best = math.inf
        self._set(0)

    def step(self, loss: float) -> Candidate:
        """Takes the loss of an epoch, or of any number of batches; returns what then holds.

        Where torch.distributed is in use, all processes call it, and the mean of their losses
        counts. A loss that is not a number is no fall.
        """
        loss = over_ranks(float(loss))
        step, self._steps = self._steps, self._steps + 1
        if loss < self._best - self.min_delta:
            self._best, self._flat = loss, 0
            return self.chosen
        self._flat += 1
        at = self._at or 0
        if self._flat >= self.patience and at + 1 < len(self._candidates):
            steps = "a step" if self._flat == 1 else f"{self._flat} steps"
            reason = f"{steps} without a loss below {self._best:.4g} by {self.min_delta:g}"
            self._decide(at + 1, step, reason, loss=loss, least=self._best)
            self._best, self._flat = math.inf, 0
        return self.chosen

    def state_dict(self) -> Dict[str, Any]:
        """What it needs to go on: a dict that JSON can hold."""
        best = None if math.isinf(self._best) else self._best
        return {**super().state_dict(), "steps": self._steps, "flat": self._flat, "best": best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state, and sets the loader's fidelity or quality to what it says.

        Raises InvalidError for the state of a tuner with other candidates.
        """
        super().load_state_dict(state)
        self._steps, self._flat = int(state["steps"]), int(state["flat"])
        self._best = math.inf if state["best"] is None else float(state["best"])


def _window_batches(loader: Any) -> int:
    samples: int = getattr(loader, "_window_samples", 0)
    batches: int = min(-(-samples // loader.batch_size), len(loader)) if samples else 0
    return max(50, batches)


class BandwidthTuner(Tuner):
    """Keeps a loader at the highest fidelity or quality that leaves nobody waiting for it.

    ::

        tuner = pcr.BandwidthTuner(loader, [0.8, 0.9, 0.95, 0.98])
        for images, labels in loader:
            train(images, labels)
            tuner.step()

    It goes by the part of the time that the consumer has waited for batches, as stats() count
    it. Where that is too much, the candidate becomes lower, by the more the longer the waits;
    where there is next to none, the next higher one is tried. One that was tried in vain is
    tried again after twice as long.

    loader: a Loader or pcr.torch.Loader, or what has their set_fidelity(), set_quality() and
        stats(). It gets the last candidate at once.
    candidates: fidelities (whole numbers) or qualities (above 0 and below 1), rising; None,
        full fidelity, may be the last. Without them, all fidelities.
    every: how many steps are looked at together; None: as many as a window of the loader has
        batches (its window_samples), or an epoch if that is less, 50 at least. Reads come in
        windows, and so do waits. The first such interval after a change does not count.
    lower_above, raise_below: parts of the time, 0 to 1: in between, nothing changes.
    patience: so many intervals in a row must agree.

    A decision's step is the number of calls of step() before; its figure is the part waited.
    """

    def __init__(self, loader: Any, candidates: Optional[Sequence[Candidate]] = None, *,
                 every: Optional[int] = None, lower_above: float = 0.1,
                 raise_below: float = 0.02, patience: int = 1) -> None:
        super().__init__(loader, checked(candidates, getattr(loader, "group_count", None)))
        if not hasattr(loader, "stats"):
            raise InvalidError("BandwidthTuner goes by stats(), which this loader does not "
                               "have: worker processes keep theirs to themselves. Use a "
                               "pcr.Loader or pcr.torch.Loader")
        if not 0 <= raise_below < lower_above <= 1:
            raise InvalidError(f"raise_below is {raise_below!r} and lower_above {lower_above!r}, "
                               "expected 0 <= raise_below < lower_above <= 1")
        self.patience = whole(patience, "patience")
        self.every = _window_batches(loader) if every is None else whole(every, "every")
        self.lower_above, self.raise_below = float(lower_above), float(raise_below)
        self._steps = self._starved = self._calm = 0
        self._needed = self.patience  # calm intervals before the next is tried
        self._tried = False  # what holds was tried, and is not yet proven
        self._settling = True
        self._seen: LoaderStats = loader.stats()
        self._set(len(self._candidates) - 1)

    def step(self) -> Candidate:
        """Counts a batch that was taken; returns what then holds.

        Where torch.distributed is in use, all processes call it after as many batches, and
        the one that waits longest counts.
        """
        self._steps += 1
        if self._steps % self.every == 0:
            now = self._loader.stats()
            spent, self._seen = now - self._seen, now
            waited = spent["consumer_wait_ns"] / max(spent["elapsed_ns"], 1)
            waited = over_ranks(waited, largest=True)
            if not self._settling:
                self._look(waited)
            else:
                self._settling = False
        return self.chosen

    def _look(self, waited: float) -> None:
        """Takes in an interval."""
        self._starved = self._starved + 1 if waited > self.lower_above else 0
        self._calm = self._calm + 1 if waited < self.raise_below else 0
        at, after = self._at or 0, f"{self.every * self.patience} batches"
        if self._starved >= self.patience and at:
            if self._tried:
                self._needed = min(self._needed * 2, 64 * self.patience)
            fall = max(1, round(at * (waited - self.lower_above)))
            self._change(at - fall, False, waited, f"waited {waited:.0%} of the time over "
                         f"{after}, above {self.lower_above:.0%}")
        elif self._calm >= self._needed and at + 1 < len(self._candidates):
            if self._tried:
                self._needed = self.patience
            self._change(at + 1, True, waited, f"waited {waited:.1%} of the time over "
                         f"{self.every * self._calm} batches, below {self.raise_below:.0%}")

    def _change(self, at: int, tried: bool, waited: float, reason: str) -> None:
        self._decide(at, self._steps, reason, waited=waited)
        self._tried, self._settling = tried, True
        self._starved = self._calm = 0

    def state_dict(self) -> Dict[str, Any]:
        """What it needs to go on: a dict that JSON can hold."""
        return {**super().state_dict(), "steps": self._steps, "needed": self._needed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state, and sets the loader's fidelity or quality to what it says.

        Raises InvalidError for the state of a tuner with other candidates.
        """
        super().load_state_dict(state)
        self._steps, self._needed = int(state["steps"]), int(state["needed"])
        self._tried, self._settling = False, True
        self._starved = self._calm = 0
        self._seen = self._loader.stats()
