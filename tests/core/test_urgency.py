from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.case import Case
from dialer.core.policy import Urgency, urgency
from dialer.core.values import FraudType, Grade
from tests.core.samples import MORNING, POLICY


def of(
    grade: Grade = Grade.MEDIUM,
    *,
    opened_at: datetime = MORNING,
    expires_in: float | None = None,
    amount_fen: int | None = None,
) -> Urgency:
    expires_at = None if expires_in is None else opened_at + timedelta(seconds=expires_in)
    case = Case(
        id=1,
        grade=grade,
        fraud_type=FraudType.LOAN,
        opened_at=opened_at,
        policy_version=1,
        numbers=1,
        expires_at=expires_at,
        amount_at_risk_fen=amount_fen,
    )
    return urgency(case, POLICY.urgency)


def test_the_higher_grade_goes_first():
    by_urgency = sorted(Grade, key=lambda grade: of(grade).at)
    assert by_urgency == [Grade.EXTRA_HIGH, Grade.HIGH, Grade.MEDIUM, Grade.LOW]


def test_of_one_grade_the_older_goes_first():
    assert of(opened_at=MORNING).at < of(opened_at=MORNING + timedelta(seconds=1)).at


def test_nobody_starves_since_an_old_low_case_precedes_a_new_extra_high_one_at_last():
    low = of(Grade.LOW)
    lead = POLICY.urgency.grade_seconds[Grade.EXTRA_HIGH]
    assert of(Grade.EXTRA_HIGH, opened_at=MORNING + timedelta(seconds=lead - 1)).at < low.at
    assert of(Grade.EXTRA_HIGH, opened_at=MORNING + timedelta(seconds=lead + 1)).at > low.at


@pytest.mark.parametrize(
    ("amount_fen", "seconds"),
    [(None, 0), (0, 0), (100_000, 0), (1_000_000, 1_800), (10_000_000, 3_600), (3_162_278, 2_700)],
)
def test_every_tenfold_of_money_at_risk_is_worth_the_same_wait(amount_fen: int | None, seconds: int):
    assert of(amount_fen=amount_fen).amount_seconds == seconds


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(None, 0), (20_000, 0), (14_400, 0), (3_600, 10_800), (0, 14_400), (-50, 14_400)],
)
def test_what_is_missing_to_the_horizon_is_gained(expires_in: float | None, seconds: int):
    assert of(expires_in=expires_in).expiry_seconds == seconds


@given(
    grade=st.sampled_from(Grade),
    amount_fen=st.none() | st.integers(0, 10**13),
    expires_in=st.none() | st.integers(-(10**6), 10**6),
)
def test_the_parts_add_up_to_the_place_and_none_moves_backwards(
    grade: Grade, amount_fen: int | None, expires_in: int | None
):
    place = of(grade, amount_fen=amount_fen, expires_in=expires_in)
    parts = (place.grade_seconds, place.amount_seconds, place.expiry_seconds)
    assert min(parts) >= 0
    assert place.at == MORNING - timedelta(seconds=sum(parts))
