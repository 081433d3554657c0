"""The breaker's rules, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialer.core.breaker import BatchFailures, Breaker, BreakerRules
from tests.core.samples import MORNING

RULES = BreakerRules(
    opens_after=3, open_seconds=10, most_seconds=60, trial_seconds=30, breath_seconds=1, believed_seconds=900
)


def at(seconds: float):
    return MORNING + timedelta(seconds=seconds)


def after(breaker: Breaker, seconds: float, **trouble: object) -> Breaker:
    return breaker.after(BatchFailures(**{"answers": 1, **trouble}), real_now=at(seconds), rules=RULES)


def opened() -> Breaker:
    return after(Breaker(), 0, answers=3)


def test_untroubled_lets_everything_leave():
    assert Breaker().may_leave(MORNING) is None


def test_fewer_troubles_than_the_limit_stop_nothing():
    breaker = after(after(Breaker(), 0), 1)
    assert not breaker.is_open
    assert breaker.may_leave(at(1)) is None


def test_the_last_trouble_in_a_row_opens_it():
    breaker = after(after(after(Breaker(), 0), 1), 2)
    assert breaker.is_open
    assert [breaker.may_leave(at(second)) for second in (2, 11.9, 12)] == [0, 0, 1]


def test_while_a_trial_is_under_way_no_second_one_leaves():
    breaker = opened().trial_left(at(10), RULES)
    assert [breaker.may_leave(at(second)) for second in (10, 39, 40)] == [0, 0, 1]


def test_every_failed_trial_doubles_the_wait_up_to_a_limit():
    breaker = opened()
    waits = []
    for _ in range(5):
        assert breaker.wait_until is not None
        left = (breaker.wait_until - MORNING).total_seconds()
        breaker = after(breaker.trial_left(at(left), RULES), left, was_trial=True)
        assert breaker.wait_until is not None
        waits.append((breaker.wait_until - at(left)).total_seconds())
    assert waits == [20, 40, 60, 60, 60]
    assert breaker.opened_at == MORNING


def test_a_long_outage_opens_it_thousands_of_times():
    breaker = Breaker(troubles=5_000, openings=5_000, opened_at=MORNING)
    breaker = after(breaker, 0, answers=1, was_trial=True)
    assert breaker.openings == 5_001
    assert breaker.may_leave(at(RULES.most_seconds)) == 1


def test_answers_of_calls_that_left_before_it_opened_change_nothing():
    breaker = opened()
    late = after(breaker, 1, answers=20)
    assert (late.wait_until, late.openings) == (breaker.wait_until, breaker.openings)


@pytest.mark.parametrize(("asked", "waits"), [(None, 1), (0, 1), (7, 7), (100_000, 900)])
def test_who_asks_for_fewer_calls_gets_a_rest_as_long_as_asked(asked: float | None, waits: float):
    breaker = after(Breaker(), 0, asks_to_slow=True, retry_after_seconds=asked)
    assert not breaker.is_open
    assert breaker.may_leave(at(waits - 0.1)) == 0
    assert breaker.may_leave(at(waits)) is None


def test_an_opening_lasts_at_least_as_long_as_the_carrier_asked():
    breaker = after(Breaker(), 0, answers=3, retry_after_seconds=45)
    assert breaker.may_leave(at(44)) == 0
    assert breaker.may_leave(at(45)) == 1


def test_a_shorter_wish_never_shortens_a_longer_one():
    breaker = after(Breaker(), 0, retry_after_seconds=50)
    breaker = after(breaker, 1, retry_after_seconds=5)
    assert breaker.wait_until == at(50)


def test_only_a_breaker_without_any_trace_is_untroubled():
    assert Breaker().is_untroubled
    assert not Breaker(troubles=1).is_untroubled
    assert not opened().is_untroubled
