"""Intervals that hold however often somebody looks, and verdicts that say plainly what is known."""

from __future__ import annotations

import random

import pytest

from dialer.core.intervals import (
    ERROR,
    LEAST_PEOPLE,
    MARGIN,
    HitCount,
    ShareComparison,
    compare_shares,
    share_interval,
)

LOOK_EVERY = 25


def trial(seed: int, live_share: float, other_share: float, people: int) -> list[ShareComparison]:
    """What is found at each look while two versions are heard by more and more people."""
    rng = random.Random(seed)
    live = other = 0
    found = []
    for n in range(1, people + 1):
        live += rng.random() < live_share
        other += rng.random() < other_share
        if n % LOOK_EVERY == 0:
            verdict = compare_shares(
                HitCount(people=n, hits=live), HitCount(people=n, hits=other), more_is_better=True
            )
            found.append(verdict.finding)
    return found


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_looking_all_the_time_finds_no_difference_where_there_is_none(share: float):
    trials = 300
    wrong = sum(
        bool({ShareComparison.BETTER, ShareComparison.WORSE} & set(trial(seed, share, share, 1500)))
        for seed in range(trials)
    )
    # A usual interval, looked at this often, is wrong in more than a quarter of such trials.
    assert wrong / trials <= ERROR


def test_a_real_difference_is_found_and_the_right_way_round():
    found = [trial(seed, 0.40, 0.55, 2000)[-1] for seed in range(40)]
    assert found.count(ShareComparison.BETTER) >= 38
    assert ShareComparison.WORSE not in found


def test_fewer_hung_up_is_better():
    verdict = compare_shares(
        HitCount(people=3000, hits=900), HitCount(people=3000, hits=600), more_is_better=False
    )
    assert verdict.finding is ShareComparison.BETTER
    assert verdict.difference == pytest.approx(-0.1)


@pytest.mark.parametrize(("live", "other"), [((0, 0), (0, 0)), ((10, 1), (10, 9)), ((29, 0), (29, 29))])
def test_a_handful_says_nothing(live: tuple[int, int], other: tuple[int, int]):
    verdict = compare_shares(
        HitCount(people=live[0], hits=live[1]), HitCount(people=other[0], hits=other[1]), more_is_better=True
    )
    assert verdict.finding is ShareComparison.TOO_FEW
    assert verdict.more_each > 0


def test_what_is_asked_for_is_about_what_it_takes():
    """With that many more, and the same shares, it can be told."""
    live, other = HitCount(people=400, hits=160), HitCount(people=400, hits=190)
    verdict = compare_shares(live, other, more_is_better=True)
    assert verdict.finding is ShareComparison.TOO_FEW
    people = 400 + verdict.more_each
    enough = compare_shares(
        HitCount(people=people, hits=round(people * 0.4)),
        HitCount(people=people, hits=round(people * 0.475)),
        more_is_better=True,
    )
    assert enough.finding is ShareComparison.BETTER
    half = 400 + verdict.more_each // 2
    assert (
        compare_shares(
            HitCount(people=half, hits=round(half * 0.4)),
            HitCount(people=half, hits=round(half * 0.475)),
            more_is_better=True,
        ).finding
        is ShareComparison.TOO_FEW
    )


def test_two_that_are_alike_are_called_so_at_last():
    tally = HitCount(people=60_000, hits=24_000)
    verdict = compare_shares(tally, tally, more_is_better=True)
    assert verdict.finding is ShareComparison.ALIKE
    assert verdict.interval is not None
    assert max(-verdict.interval.low, verdict.interval.high) < MARGIN


def test_several_versions_make_each_interval_wider():
    live, other = HitCount(people=500, hits=200), HitCount(people=500, hits=240)
    alone = compare_shares(live, other, more_is_better=True).interval
    among = compare_shares(live, other, more_is_better=True, error=ERROR / 3).interval
    assert alone is not None
    assert among is not None
    assert among.high - among.low > alone.high - alone.low


@pytest.mark.parametrize(("people", "hits"), [(LEAST_PEOPLE, 0), (100, 100), (5000, 2500)])
def test_a_share_lies_in_its_interval(people: int, hits: int):
    interval = share_interval(HitCount(people=people, hits=hits))
    assert interval is not None
    assert 0 <= interval.low <= hits / people <= interval.high <= 1
    assert share_interval(HitCount(people=LEAST_PEOPLE - 1, hits=1)) is None


@pytest.mark.parametrize(
    ("people", "hits", "low", "high"),
    [(30, 0, 0.0, 0.096584), (100, 40, 0.244742, 0.555258), (1000, 999, 0.993706, 1.0)],
)
def test_the_interval_is_that_of_the_formula(people: int, hits: int, low: float, high: float):
    """Figures of section 4 of the paper that dialer/core/intervals.py names, with tau 0.08 and error 0.05."""
    interval = share_interval(HitCount(people=people, hits=hits))
    assert interval is not None
    assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


@pytest.mark.parametrize(
    ("live", "other", "low", "high", "more"),
    [
        ((400, 160), (400, 190), -0.031772, 0.181772, 410),
        ((50, 20), (40, 25), -0.205100, 0.655100, 70),
        ((5000, 2000), (5000, 2010), -0.029548, 0.033548, 580),
    ],
)
def test_the_interval_of_a_difference_and_how_many_more_people_it_takes(
    live: tuple[int, int], other: tuple[int, int], low: float, high: float, more: int
):
    of = [HitCount(people=people, hits=hits) for people, hits in (live, other)]
    verdict = compare_shares(*of, more_is_better=True)
    assert verdict.interval is not None
    assert (verdict.interval.low, verdict.interval.high) == (
        pytest.approx(low, abs=1e-6),
        pytest.approx(high, abs=1e-6),
    )
    assert verdict.more_each == more
