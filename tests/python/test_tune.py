# SPDX-License-Identifier: BSD-2-Clause
"""Tuners that need no framework."""

import json
import logging

import pytest

import pcr
from pcr._stats import _restore


class Fake:
    """A loader whose counts are said by the test."""

    group_count = 6

    def __init__(self):
        self.holds, self.elapsed, self.waited = "nothing", 0, 0

    def set_fidelity(self, fidelity):
        self.holds = "fidelity", fidelity

    def set_quality(self, quality):
        self.holds = "quality", quality

    def stats(self):
        return _restore({"elapsed_ns": self.elapsed, "consumer_wait_ns": self.waited}, [])


def run(tuner, losses):
    return [tuner.step(loss) for loss in losses]


def test_a_fall_is_counted_from_the_least_loss():
    tuner = pcr.PlateauTuner(Fake(), patience=2, min_delta=.1)
    assert tuner.candidates == (1, 2, 3, 4, 5, 6)
    assert run(tuner, (3, 2.95, 2.85, 2.84, 2.7, 2.65)) == [1] * 6
    assert run(tuner, (2.61, 9, 8.95, float("nan"), 9)) == [2] * 3 + [3] * 2
    first, second = tuner.history
    assert first[:3] == (6, 1, 2) and first.figures == {"loss": 2.61, "least": 2.7}
    assert "2 steps without a loss below 2.7 by 0.1" in first.reason
    assert second[:3] == (9, 2, 3) and second.figures["least"] == 9


def test_the_last_candidate_stays(caplog):
    loader = Fake()
    tuner = pcr.PlateauTuner(loader, [.8, None], patience=1)
    assert loader.holds == ("quality", .8) and tuner.chosen == .8 and not tuner.history
    with caplog.at_level(logging.INFO, "pcr"):
        assert run(tuner, [1] * 5) == [.8] + [None] * 4
    assert loader.holds == ("fidelity", None) and len(tuner.history) == 1
    assert [r.getMessage() for r in caplog.records] == [
        "PlateauTuner: step 1: full fidelity: a step without a loss below 1 by 0.01"]


@pytest.mark.parametrize("kind, feed", [
    (pcr.PlateauTuner, lambda tuner, i: tuner.step(1 / (1 + i // 4))),
    (pcr.BandwidthTuner, lambda tuner, i: work(tuner, .2 * (i % 3)))])
def test_state(kind, feed):
    """What follows a state is what would have followed, and the loader is told at once."""
    def tuner():
        return kind(Fake(), [1, 3, 5, None], **(
            {"every": 1} if kind is pcr.BandwidthTuner else {"min_delta": .001}))
    whole = tuner()
    for i in range(18):
        if i == 9:
            half = tuner()
            half.load_state_dict(json.loads(json.dumps(whole.state_dict())))
            assert half.chosen == whole.chosen and half._loader.holds == whole._loader.holds
            assert half.history == whole.history and whole.history
        feed(whole, i)
        if i >= 9:
            feed(half, i)
    if kind is pcr.PlateauTuner:
        assert half.state_dict() == whole.state_dict()
    with pytest.raises(pcr.InvalidError, match="none of the candidates"):
        kind(Fake(), [.5, .6]).load_state_dict(whole.state_dict())


def work(tuner, waited):
    """An interval, of which a part was waited."""
    tuner._loader.elapsed += 1000
    tuner._loader.waited += round(1000 * waited)
    return tuner.step()


def consume(tuner, storage, intervals):
    """Intervals of a consumer that could take a batch in the time that storage takes for
    `storage` bytes, of which candidate c has c."""
    return [work(tuner, max(0, 1 - storage / tuner.chosen)) for _ in range(intervals)]


def test_bandwidth_finds_the_highest_that_keeps_up():
    tuner = pcr.BandwidthTuner(Fake(), every=1, patience=2)
    assert tuner.chosen == 6 and tuner._loader.holds == ("fidelity", 6)
    for storage in (3.5, 1.5, 5.2, 100):
        best = max(c for c in range(1, 7) if c <= storage)
        found = consume(tuner, storage, 400)
        assert max(found[200:]) <= best + 1
        assert found[200:].count(best) > (198 if best == 6 else 180)
        assert found[200:].count(min(best + 1, 6)) < 12 or best == 6
    first = tuner.history[0]
    assert first.before == 6 and first.chosen < 5 and first.figures == {
        "waited": pytest.approx(1 - 3.5 / 6, abs=.001)}
    assert "waited 42% of the time over 2 batches, above 10%" in first.reason


def test_bandwidth_has_patience_and_a_band_where_nothing_changes():
    tuner = pcr.BandwidthTuner(Fake(), [1, 2, 3], every=1, patience=2)
    assert [work(tuner, w) for w in (1, 1, 0, 1, 0, .3, .3)] == [3] * 6 + [2]
    assert [work(tuner, w) for w in (0, *[.05] * 20, 0, .05, 0)] == [2] * 24
    assert [work(tuner, w) for w in (0, 0, 0)] == [3] * 3
    assert len(tuner.history) == 2


def test_bandwidth_looks_at_intervals_only():
    tuner = pcr.BandwidthTuner(Fake(), [.8, .9], every=10, patience=1)
    for i in range(25):
        work(tuner, .5)
    assert [d.step for d in tuner.history] == [20] and tuner.chosen == .8
    tuner = pcr.BandwidthTuner(Fake(), [.8], every=1)
    assert [work(tuner, .9) for _ in range(9)] == [.8] * 9 and not tuner.history


@pytest.mark.parametrize("candidates", [
    [], [2, 1], [1, 1], [None, 1], [1, None, None], [1, .5], [.5, 2], [0, 1], [.5, 1.0],
    [1, 7], ["a"], [True, 2]])
@pytest.mark.parametrize("kind", [pcr.PlateauTuner, pcr.BandwidthTuner])
def test_candidates_refused(kind, candidates):
    with pytest.raises(pcr.InvalidError):
        kind(Fake(), candidates)


def test_options_refused():
    class Bare:
        def set_fidelity(self, fidelity):
            """As the others."""
    for wrong in ({"patience": 0}, {"min_delta": -1}, {"min_delta": float("nan")}):
        with pytest.raises(pcr.InvalidError):
            pcr.PlateauTuner(Fake(), **wrong)
    for wrong in ({"every": 0}, {"raise_below": .2}, {"lower_above": 2}, {"patience": 0}):
        with pytest.raises(pcr.InvalidError):
            pcr.BandwidthTuner(Fake(), **wrong)
    with pytest.raises(pcr.InvalidError, match="needs candidates"):
        pcr.PlateauTuner(Bare())
    assert pcr.PlateauTuner(Bare(), [1, 2]).chosen == 1
    with pytest.raises(pcr.InvalidError, match="stats"):
        pcr.BandwidthTuner(Bare(), [1, 2])


def test_with_a_loader(path):
    how = {"size": 16, "batch_size": 4, "batches_ahead": 1}
    with pcr.Loader(path, split="train", **how) as loader:
        tuner = pcr.PlateauTuner(loader, [1, 3, None], patience=1)
        seen = []
        for _ in range(4):
            seen += [set(batch.fidelities.tolist()) for batch in loader]
            tuner.step(1.0)
        groups = loader.group_count
        assert [s for s in seen if len(s) > 1] == []
        assert sorted({min(s) for s in seen}) == [1, 3]
        assert [set(batch.fidelities.tolist()) for batch in loader] == [{groups}] * 6
        tuner = pcr.BandwidthTuner(loader, [.5, .6], every=2)
        for _ in loader:
            assert tuner.step() in (.5, .6)
        assert tuner._seen["batch_count"] == 4 * 6 + 6 + 6
    for more, every in (({}, 120), ({"shuffle": "full"}, 50), ({"window_samples": 80}, 80)):
        with pcr.Loader(path, split="train", size=16, batch_size=1, epoch_samples=120,
                        **more) as loader:
            assert pcr.BandwidthTuner(loader).every == every
