"""Which of a person's cases a filed one speaks of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from dialer.core.case import Case, CaseStatus
from dialer.core.values import FraudType
from dialer.outcomes.filing import CONCERNED_WITHIN, concerned_cases
from tests.core.samples import MORNING, fresh

NOW = MORNING + timedelta(days=30)


def case(
    id_: int, status: CaseStatus, fraud_type: FraudType = FraudType.LOAN, opened_at: datetime = MORNING
) -> Case:
    return replace(fresh(), id=id_, status=status, fraud_type=fraud_type, opened_at=opened_at)


def chosen(*cases: Case, fraud_type: FraudType = FraudType.UNKNOWN) -> list[int]:
    return [
        concerned_case.id for concerned_case in concerned_cases(cases, fraud_type=fraud_type, happened_at=NOW)
    ]


def test_nothing_of_nobody():
    assert chosen() == []


def test_everything_that_runs_and_nothing_that_is_over():
    assert chosen(
        case(1, CaseStatus.PROVEN),
        case(2, CaseStatus.WATCHING),
        case(3, CaseStatus.OPEN),
        case(4, CaseStatus.CLOSED),
    ) == [2, 3]


def test_without_a_running_one_the_newest():
    older, newer = MORNING, MORNING + timedelta(days=1)
    assert chosen(
        case(2, CaseStatus.PROVEN, opened_at=newer), case(1, CaseStatus.CLOSED, opened_at=older)
    ) == [2]


def test_long_ago_is_no_cause_unless_it_runs():
    long_ago = NOW - CONCERNED_WITHIN
    assert chosen(case(1, CaseStatus.PROVEN, opened_at=long_ago)) == []
    assert chosen(case(1, CaseStatus.OPEN, opened_at=long_ago)) == [1]
    assert chosen(case(1, CaseStatus.PROVEN, opened_at=long_ago + timedelta(seconds=1))) == [1]


def test_a_known_type_leaves_out_another_known_one():
    loan = case(1, CaseStatus.WATCHING, FraudType.LOAN)
    romance = case(2, CaseStatus.WATCHING, FraudType.ROMANCE)
    unknown = case(3, CaseStatus.WATCHING, FraudType.UNKNOWN)
    assert chosen(loan, romance, unknown, fraud_type=FraudType.ROMANCE) == [2, 3]
    assert chosen(loan, romance, unknown) == [1, 2, 3]
