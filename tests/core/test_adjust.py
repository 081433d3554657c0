"""A part is compared with the rest for the same mix of cases, and a difference that chance explains is called noise."""

from __future__ import annotations

from random import Random

import pytest

from dialer.core.intervals import HitCount, Standing, Stratum, adjust_shares


def stratum(part: tuple[int, int], rest: tuple[int, int]) -> Stratum:
    """Each as hits and people."""
    return Stratum(part=HitCount(hits=part[0], people=part[1]), rest=HitCount(hits=rest[0], people=rest[1]))


def test_the_mix_of_cases_is_no_merit():
    """Better in each kind and with more of the hard kind: worse in sum, above when adjusted."""
    easy, hard = stratum((90, 100), (720, 900)), stratum((360, 900), (20, 100))
    assert (90 + 360) / 1000 < (720 + 20) / 1000
    found = adjust_shares([easy, hard])
    assert found.share == pytest.approx(0.5 * 0.9 + 0.5 * 0.4)
    assert found.rest == pytest.approx(0.5 * 0.8 + 0.5 * 0.2)
    assert found.standing is Standing.ABOVE
    assert found.compared == 1000
    assert (
        adjust_shares([Stratum(part=one.rest, rest=one.part) for one in (easy, hard)]).standing
        is Standing.BELOW
    )


def test_kinds_that_only_one_side_has_are_left_out():
    found = adjust_shares([stratum((10, 40), (10, 40)), stratum((5, 5), (0, 0)), stratum((0, 0), (900, 900))])
    assert (found.share, found.rest, found.compared) == (0.25, 0.25, 40)
    assert found.standing is Standing.NOISE
    assert adjust_shares([stratum((5, 5), (0, 0))]).share is None


def test_few_cases_are_not_judged():
    found = adjust_shares([stratum((29, 29), (0, 1000))])
    assert (found.standing, found.interval) == (Standing.TOO_FEW, None)
    assert adjust_shares([stratum((30, 30), (0, 1000))]).standing is Standing.ABOVE


def test_equal_parts_are_called_different_at_most_as_often_as_said():
    chance = Random(5)
    shares = (0.1, 0.4, 0.7)

    def hits(share: float, people: int) -> int:
        return sum(chance.random() < share for _ in range(people))

    different = 0
    for _ in range(400):
        found = adjust_shares(
            [
                stratum((hits(share, people), people), (hits(share, 120), 120))
                for share, people in zip(shares, (80, 40, 20), strict=True)
            ]
        )
        different += found.standing is not Standing.NOISE
    assert different <= 0.05 * 400 + 13  # three standard deviations
