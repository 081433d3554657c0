"""When people would pay: drawn as the hazard says, fitted from those who did, and averted by whoever spoke in time."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core.values import FraudType, Grade
from dialer.whatif.engine import replay
from dialer.whatif.figures import Averted, averted
from dialer.whatif.hazard import BANDS, DEFAULT, LEAST_FILED, Exposed, Hazard, fitted
from dialer.whatif.model import LEAST_OF_GRADE, Seen
from tests.core.samples import MORNING
from tests.whatif.samples import ACKNOWLEDGED, ZONE, centre, people, warned

_MINUTES = BANDS[-1]
_PEOPLE = 20_000


def minutes(hazard: Hazard, grade: Grade, kind: FraudType = FraudType.SHOPPING) -> list[float | None]:
    case = warned(grade=grade, fraud_type=kind)
    found = [hazard.pays_at(1, n, case) for n in range(_PEOPLE)]
    return [None if at is None else (at - MORNING).total_seconds() / 60 for at in found]


def test_people_pay_as_often_as_the_default_says():
    paid = minutes(DEFAULT, Grade.MEDIUM)
    early = [at for at in paid if at is not None and at < 10]
    assert len(early) / _PEOPLE == pytest.approx(0.03, abs=0.004)
    assert all(at is None or 0 <= at < _MINUTES for at in paid)
    left = _PEOPLE - len(early)
    assert sum(at is not None and 10 <= at < 30 for at in paid) / left == pytest.approx(0.05, abs=0.005)


def test_a_higher_grade_pays_sooner_with_the_same_draws():
    low, high = minutes(DEFAULT, Grade.LOW), minutes(DEFAULT, Grade.EXTRA_HIGH)
    assert all(a is None or (b is not None and b <= a) for a, b in zip(low, high, strict=True))
    assert minutes(DEFAULT, Grade.LOW) == low


def test_the_hazard_is_found_again_in_what_happened():
    """Half of the people are spoken to after some time, and do not pay any more."""
    chance = random.Random(1)
    slow = replace(DEFAULT, rates={**DEFAULT.rates, FraudType.SHOPPING: DEFAULT.rates[FraudType.LOAN]})
    cases = []
    for grade in (Grade.MEDIUM, Grade.HIGH):
        for at in minutes(slow, grade):
            spoken = chance.uniform(0, 2 * _MINUTES)
            ends = min(at if at is not None else _MINUTES, spoken, _MINUTES)
            cases.append(
                Exposed(
                    fraud_type=FraudType.SHOPPING,
                    grade=grade,
                    seconds=60 * ends,
                    has_paid=at is not None and at <= spoken,
                )
            )
    found = fitted(cases)
    assert found.fitted == {FraudType.SHOPPING}
    assert found.rates[FraudType.SHOPPING] == pytest.approx(slow.rates[FraudType.SHOPPING], rel=0.15)
    assert found.rates[FraudType.LOAN] == DEFAULT.rates[FraudType.LOAN]


def test_too_few_filed_cases_leave_the_default():
    paid = Exposed(fraud_type=FraudType.LOAN, grade=Grade.LOW, seconds=90, has_paid=True)
    assert fitted([paid] * (LEAST_FILED - 1)) == DEFAULT
    assert fitted([paid] * LEAST_FILED).fitted == {FraudType.LOAN}


def test_money_is_averted_by_whoever_spoke_first_and_in_time():
    cases = [warned(n, amount_fen=10**n) for n in range(4)]
    pays = [timedelta(hours=1), timedelta(seconds=30), None, timedelta(hours=1)]
    lives = replay(
        cases,
        people(),
        centre(callers=4),
        zone=ZONE,
        until=MORNING + timedelta(days=1),
        seed=1,
        pays_at=lambda n, _: None if (after := pays[n]) is None else MORNING + after,
    ).lives
    assert averted(lives) == Averted(at_risk_fen=1_011, by_robot_fen=0, by_staff_fen=1_001)
    lives = replay(
        cases[:1],
        people(robot=[ACKNOWLEDGED]),
        centre(callers=0),
        zone=ZONE,
        until=MORNING + timedelta(days=1),
        seed=1,
        pays_at=lambda _n, _case: MORNING + timedelta(hours=1),
    ).lives
    assert averted(lives) == Averted(at_risk_fen=1, by_robot_fen=1, by_staff_fen=0)


def test_a_few_of_the_same_grade_tell_more_than_many_of_another():
    low, medium = [(Grade.LOW, 9, "low")] * 40, [(Grade.MEDIUM, 9, "medium")]
    for count, drawn in ((LEAST_OF_GRADE, {"medium"}), (LEAST_OF_GRADE - 1, {"low", "medium"})):
        seen = Seen([*low, *(medium * count)])
        assert {seen.draw(part / 100, Grade.MEDIUM, 9) for part in range(100)} == drawn
