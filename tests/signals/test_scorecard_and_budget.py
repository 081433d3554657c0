"""Scores, calibration and what is learned; budget, random draw, estimate and the checks of rules and sources."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.values import Grade
from dialer.signals.budget import (
    BudgetPolicy,
    Candidate,
    Capacity,
    choose_released,
    draw,
    has_fallen,
    hourly_budget,
    is_runaway,
    is_silent,
    is_worth_listing,
    missed_fraud,
    psi,
    silent_after,
    turn,
)
from dialer.signals.fitting import (
    LabelledVerdict,
    TooFewLabels,
    calibration,
    calibration_error,
    fit_scorecard,
)
from dialer.signals.rules import Effect, shipped_rules
from dialer.signals.scorecard import Scorecard, ScorecardUnreadable

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 1)), min_size=2, max_size=8),
    st.floats(0, 300),
    st.floats(0, 300),
)
def test_the_probability_never_falls_with_the_score_and_survives_its_json(
    steps: list[tuple[float, float]], one: float, two: float
):
    xs, ys = sorted(x for x, _ in steps), sorted(y for _, y in steps)
    for card in (Scorecard(), Scorecard(steps=tuple(zip(xs, ys, strict=True)))):
        low, high = card.probability(min(one, two)), card.probability(max(one, two))
        assert 0 <= low <= high + 1e-12 <= 1 + 1e-9
        assert Scorecard.from_json(card.to_json()) == card


@pytest.mark.parametrize("text", ["", "[]", '{"points": {"a": -1}, "slope": 1, "intercept": 0, "steps": []}'])
def test_other_text_is_no_scorecard(text: str):
    with pytest.raises(ScorecardUnreadable):
        Scorecard.from_json(text)


def test_a_score_is_the_probability_of_its_curve_or_lies_between_its_steps():
    assert Scorecard().probability(0) == pytest.approx(1 / (1 + math.exp(4.6)))
    assert Scorecard().probability(100) == pytest.approx(1 / (1 + math.exp(-1.2)))
    assert Scorecard(slope=1.0, intercept=0.0).probability(-800) == 0.0
    stepped = Scorecard(steps=((0.0, 0.1), (10.0, 0.5), (10.0, 0.6), (20.0, 0.9)))
    found = [stepped.probability(score) for score in (-5, 0, 5, 10, 15, 20, 30)]
    assert found == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.75, 0.9, 0.9])


def test_with_few_labels_the_calibration_is_their_curve_and_with_many_their_shares():
    np = pytest.importorskip("numpy", reason="the extra learning is not installed")

    def calibrated(count: int) -> tuple[Scorecard, float]:
        scores = np.repeat([10.0, 30.0, 50.0, 70.0], count)
        shares = (0.1, 0.2, 0.8, 0.85)
        labels = np.concatenate([np.arange(count) < round(share * count) for share in shares]).astype(float)
        slope, intercept, steps = calibration(scores, labels, np.ones(4 * count))
        card = Scorecard(slope=slope, intercept=intercept, steps=steps)
        curve = Scorecard(slope=slope, intercept=intercept)
        assert slope > 0
        assert (
            calibration_error([curve.probability(score) for score in scores], labels, [1.0] * len(labels))
            < 0.15
        )
        return card, max(abs(card.probability(one) - curve.probability(one)) for one in (10, 30, 50, 70))

    few, apart = calibrated(20)
    assert apart < 0.1
    assert few.probability(0) < few.probability(30) < few.probability(50) < few.probability(90)
    many, _ = calibrated(4000)
    assert [many.probability(one) for one in (10, 30, 50, 70)] == pytest.approx(
        [0.1, 0.2, 0.8, 0.85], abs=0.02
    )


def test_too_few_labels_are_refused():
    with pytest.raises(TooFewLabels):
        fit_scorecard(shipped_rules(), Scorecard(), [LabelledVerdict(fired=frozenset(), is_fraud=True)] * 40)


def test_a_fit_finds_which_rules_tell_and_is_calibrated():
    pytest.importorskip("sklearn", reason="the extra learning is not installed")
    chance = random.Random(5)
    ids = [one.id for one in shipped_rules().rules if one.effect is Effect.POINTS]
    strong, weak, calm = ids[0], ids[1], "calm_known_payees"
    cases = []
    for _ in range(3000):
        fired = frozenset(one for one in (strong, weak, calm) if chance.random() < 0.4)
        odds = -2 + 2.5 * (strong in fired) - 1.5 * (calm in fired)
        cases.append(LabelledVerdict(fired=fired, is_fraud=chance.random() < 1 / (1 + math.exp(-odds))))
    fitted = fit_scorecard(shipped_rules(), Scorecard(), cases)
    points = fitted.scorecard.points
    assert points[strong] > 30
    assert points[weak] < 8
    assert points[calm] > 15
    assert fitted.error_after < 0.03 < fitted.error_before
    untouched = ids[5]
    assert points[untouched] == shipped_rules()[untouched].points
    assert all(rule in {strong, weak, calm} for rule, _, _ in fitted.changes)
    assert fit_scorecard(shipped_rules(), Scorecard(), cases) == fitted


def test_calibration_error_is_the_gap_between_said_and_seen():
    assert calibration_error([0.5] * 10, [1, 0] * 5, [1] * 10) == pytest.approx(0.0)
    assert calibration_error([0.1] * 5 + [0.9] * 5, [1] * 5 + [0] * 5, [1] * 10) == pytest.approx(0.9)
    assert calibration_error([0.2] * 5, [0] * 5, [1] * 5) == pytest.approx(0.2)


candidates = st.lists(
    st.builds(
        lambda key, grade, p, hours: Candidate(
            key=str(key), grade=grade, score=1, probability=p, at=NOW - timedelta(hours=hours)
        ),
        st.integers(0, 10**6), st.sampled_from(Grade), st.floats(0, 1), st.integers(0, 200),
    ),
    max_size=40, unique_by=lambda one: one.key,
)  # fmt: skip


@given(candidates, st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_nothing_is_dropped_and_the_budget_holds(waiting: list[Candidate], high: int, medium: int, low: int):
    budget = {Grade.HIGH: high, Grade.MEDIUM: medium, Grade.LOW: low}
    chosen = choose_released(waiting, budget, {})
    assert {*chosen.released, *chosen.held} == set(waiting)
    assert len(chosen.released) + len(chosen.held) == len(waiting)
    assert all(one.grade is not Grade.EXTRA_HIGH for one in chosen.held)
    limited = [one for one in chosen.released if one.grade is not Grade.EXTRA_HIGH]
    assert len(limited) <= high + medium + low
    for grade in (Grade.HIGH, Grade.MEDIUM, Grade.LOW):
        gone = [turn(one.probability, one.at) for one in limited if one.grade is grade]
        kept = [turn(one.probability, one.at) for one in chosen.held if one.grade is grade]
        assert not gone or not kept or min(gone) >= max(kept)


def test_a_grade_that_lent_its_places_has_them_when_it_needs_them_and_the_lower_one_waits():
    budget = {Grade.HIGH: 50, Grade.MEDIUM: 5, Grade.LOW: 0}
    waiting = [
        Candidate(
            key=f"{grade}{n}", grade=grade, score=1, probability=0.1, at=datetime(2026, 11, 25, tzinfo=UTC)
        )
        for grade in (Grade.HIGH, Grade.MEDIUM)
        for n in range(10)
    ]
    chosen = choose_released(waiting, budget, {Grade.MEDIUM: 55})
    assert [one.grade for one in chosen.released] == [Grade.HIGH] * 10


@given(st.integers(0, 200), st.integers(0, 50))
def test_a_budget_never_takes_more_than_is_free(lines: int, desks: int):
    policy = BudgetPolicy()
    budget = hourly_budget(Capacity(lines=lines, desks=desks), policy)
    needs = policy.needs
    assert sum(n * needs[grade].line_seconds for grade, n in budget.items()) <= lines * 3600
    assert sum(n * needs[grade].desk_seconds for grade, n in budget.items()) <= desks * 3600
    assert all(n >= 0 for n in budget.values())


def test_the_draw_is_even_repeats_itself_and_estimates_what_is_missed():
    keys = [str(n) for n in range(2000)]
    frauds = set(keys[:60])
    estimates = []
    for hour in range(200):
        seed = b"secret %d" % hour
        drawn = draw(keys, 100, seed=seed)
        assert drawn == draw(reversed(keys), 100, seed=seed)
        assert {one.probability for one in drawn} == {0.05}
        estimates.append(missed_fraud((one.probability, one.key in frauds) for one in drawn).value)
    assert sum(estimates) / len(estimates) == pytest.approx(60, rel=0.1)
    assert draw(keys, 10**6, seed=b"x")[0].probability == 1.0
    none = missed_fraud([(0.1, False)] * 20)
    assert (none.value, none.high, none.labelled) == (0, 30, 20)


def test_what_few_others_touched_is_worth_listing():
    assert is_worth_listing(1, 0, 1)
    assert is_worth_listing(1, 1, 10)
    assert not is_worth_listing(1, 0, 11)
    assert is_worth_listing(2, 0, 20)
    assert is_worth_listing(1, 0, 0), "the confirmed one touched it longer ago"
    assert not is_worth_listing(0, 0, 0)
    assert not is_worth_listing(1, 2, 5)


def test_a_rule_that_fires_far_more_than_usual_is_a_runaway_and_a_busy_one_is_not():
    assert not is_runaway(20, [])
    assert is_runaway(21, [])
    assert not is_runaway(500, [100] * 24)
    assert is_runaway(600, [100] * 24)


def test_drift_silence_and_falling_precision():
    assert psi([10, 20, 30], [100, 200, 300]) == pytest.approx(0)
    assert psi([90, 10], [50, 50]) > 0.25
    assert psi([], []) == 0
    with pytest.raises(ValueError, match="bins"):
        psi([1], [1, 2])
    assert silent_after(3600) == timedelta(minutes=5)
    assert timedelta(hours=1) < silent_after(10) < timedelta(hours=2)
    assert silent_after(0) == timedelta(hours=24)
    assert not is_silent(3600, NOW, now=NOW + timedelta(minutes=6))
    assert is_silent(3600, NOW, now=NOW + timedelta(minutes=6, seconds=1))
    assert has_fallen((90, 100), (60, 100))
    assert not has_fallen((90, 100), (85, 100))
    assert not has_fallen((19, 19), (0, 19))
    assert has_fallen((20, 20), (0, 20))
    assert has_fallen((90, 100), (20, 50))
