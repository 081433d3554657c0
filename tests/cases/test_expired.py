"""A case that was missed, and a warning that joins it and has not expired."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dialer.calls.reconcile import sweep_cases
from dialer.core.case import RobotState
from dialer.db import tables as t
from dialer.figures.report import make_report
from tests.work.bureau import Bureau


def in_hours(bureau: Bureau, hours: int) -> str:
    """As a list of the centre writes it."""
    moment = (bureau.clock.now() + timedelta(hours=hours)).astimezone(ZoneInfo("Asia/Shanghai"))
    return f"{moment:%Y-%m-%d %H:%M}"


def missed_warnings(bureau: Bureau, case_id: int) -> list[bool]:
    of_case = sa.select(t.warning.c.missed).where(t.warning.c.case_id == case_id).order_by(t.warning.c.id)
    return [row["missed"] for row in bureau.rows(of_case)]


def test_a_case_that_opened_expired_is_called_and_stays_counted(bureau: Bureau):
    [case_id] = bureau.arrive("临河", name="李四", expires="2026-11-01 08:00")
    assert bureau.case_of(case_id).missed
    assert bureau.arrive("临河", name="李四", expires="2027-11-01 08:00") == [case_id]
    case = bureau.case_of(case_id)
    assert (case.missed, case.robot.state) == (False, RobotState.PENDING)
    assert case.expires_at is not None
    assert missed_warnings(bureau, case_id) == [True, False]
    assert make_report(bureau.services).figures.total.counts.cases_missed == 1


def test_a_case_that_expired_later_stays_counted_too(bureau: Bureau):
    [case_id] = bureau.arrive("临河", name="李四", expires=in_hours(bureau, 1))
    bureau.later(hours=2)
    sweep_cases(bureau.services)
    assert (bureau.case_of(case_id).missed, missed_warnings(bureau, case_id)) == (True, [False])
    assert bureau.arrive("临河", name="李四", expires=in_hours(bureau, 9)) == [case_id]
    assert not bureau.case_of(case_id).missed
    assert missed_warnings(bureau, case_id) == [True, False]
    assert make_report(bureau.services).figures.total.counts.cases_missed == 1
