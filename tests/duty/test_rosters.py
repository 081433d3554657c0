"""A month is loaded whole or not at all, somebody takes a shift, a gap raises an alarm, and work never waits where
nobody is on duty.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound, NotPermitted
from dialer.core.rota import DutyKind
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.duty.actions import (
    LoadedMonth,
    UnusableRoster,
    load_month,
    month_of,
    on_duty,
    take_shift,
    usual_in_gap,
    watch_gaps,
)
from dialer.org.queries import escalated_work
from dialer.work.transfers import escalate_unsigned
from tests.duty.conftest import Account
from tests.duty.grids import grid
from tests.work.bureau import Bureau

CHIEF = unrestricted("chief")
STATION = "城关派出所"


def load(bureau: Bureau, people: dict[str, str | dict[int, str]], **given: object) -> LoadedMonth:
    asked = {"unit": STATION, "kind": DutyKind.OFFICER, "month": "2026-11"} | given
    return load_month(
        bureau.services,
        CHIEF,
        grid(str(asked["month"]), people),
        unit_id=bureau.unit[str(asked["unit"])],
        kind=DutyKind(asked["kind"]),
    )


def names_on(bureau: Bureau, unit: str = STATION) -> list[str]:
    [found] = on_duty(bureau.services, visible_to=None, unit_id=bureau.unit[unit])
    return [person.login for person in found.people]


def days_of(bureau: Bureau) -> list[tuple[date, str, int]]:
    rows = bureau.rows(sa.select(t.duty_entry).order_by(t.duty_entry.c.day, t.duty_entry.c.place))
    return [(row["day"], row["mark"], row["place"]) for row in rows]


def test_from_the_month_on_a_person_is_on_duty_until_the_next_turn(bureau: Bureau, account: Account):
    account("ann")
    account("ben")
    done = load(bureau, {"Ben": {25: "白"}, "Ann": {25: "夜", 26: "休"}})
    assert done == LoadedMonth(month=date(2026, 11, 1), people=2, entries=2, kept_days=24)
    [found] = on_duty(bureau.services, visible_to=None)
    assert (found.unit, [person.name for person in found.people]) == (STATION, ["Ben"])
    assert found.until == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    assert found.gap is not None
    assert found.gap.start == datetime(2026, 11, 26, 0, 30, tzinfo=UTC)
    assert found.plain()["people"] == [{"login": "ben", "name": "Ben"}]
    bureau.later(hours=8)
    assert names_on(bureau) == ["ann"]
    assert bureau.audited() == ["load_roster"]


def test_the_same_month_again_replaces_what_is_to_come_and_keeps_what_is_over(
    bureau: Bureau, account: Account
):
    account("ann")
    account("ben")
    load(bureau, {"Ann": "值"})
    assert [day.day for day, _, _ in days_of(bureau)] == [25, 26, 27, 28, 29, 30]
    bureau.later(days=2)
    load(bureau, {"Ben": {26: "白", 27: "白", 28: "夜"}})
    assert [(day.day, mark) for day, mark, _ in days_of(bureau)] == [
        (25, "值"),
        (26, "值"),
        (27, "白"),
        (28, "夜"),
    ]


def test_a_month_that_is_over_is_refused(bureau: Bureau, account: Account):
    account("ann")
    with pytest.raises(Conflict, match="2026-10 is over"):
        load(bureau, {"Ann": "值"}, month="2026-10")
    assert bureau.rows(sa.select(t.duty_roster)) == []


def test_one_fault_keeps_the_month_before(bureau: Bureau, account: Account):
    account("ann")
    load(bureau, {"Ann": "值"})
    before = days_of(bureau)
    with pytest.raises(UnusableRoster) as refused:
        load(bureau, {"Ann": "夜", "Nobody": "白", "ann": "白"})
    assert str(refused.value).startswith("nothing of the roster was taken. line 4, column 姓名: nobody with")
    assert str(refused.value).endswith("; and 1 more")
    assert days_of(bureau) == before


def test_people_of_another_unit_or_another_job_have_no_turn(bureau: Bureau, account: Account):
    account("far", unit="五原分局")
    account("clerk", role=Role.CLERK)
    account("above", unit="市局")
    account("centre", unit="", role=Role.SUPERVISOR)
    with pytest.raises(UnusableRoster) as refused:
        load(bureau, {"Far": "值", "Clerk": "值", "Above": "值", "Centre": "值"})
    assert [fault.line for fault in refused.value.faults] == [3, 4]


def test_only_a_supervisor_who_sees_the_unit_loads_its_month(bureau: Bureau, account: Account):
    officer = account("ann")
    other = account("far", role=Role.SUPERVISOR, unit="五原分局")
    for member, refusal in ((officer, NotPermitted), (other, NotFound)):
        with pytest.raises(refusal):
            load_month(
                bureau.services,
                member.actor,
                grid("2026-11", {"Ann": "值"}),
                unit_id=bureau.unit[STATION],
                kind=DutyKind.OFFICER,
            )
    load(bureau, {"Ann": "值"})
    assert [found.unit for found in on_duty(bureau.services, visible_to=bureau.unit["临河分局"])] == [STATION]
    assert on_duty(bureau.services, visible_to=bureau.unit["五原分局"]) == []
    with pytest.raises(NotFound):
        month_of(
            bureau.services,
            (bureau.unit[STATION], DutyKind.OFFICER),
            date(2026, 11, 1),
            visible_to=bureau.unit["五原分局"],
        )


def test_somebody_takes_the_shift_until_its_end(bureau: Bureau, account: Account):
    account("ann")
    ben = account("ben")
    load(bureau, {"Ann": {25: "白"}})
    where = {"unit_id": bureau.unit[STATION], "kind": DutyKind.OFFICER}
    assert take_shift(bureau.services, ben.actor, **where) == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    assert names_on(bureau) == ["ben"]
    with pytest.raises(Conflict, match="you are on duty already"):
        take_shift(bureau.services, ben.actor, **where)
    bureau.later(hours=8)
    assert names_on(bureau) == []
    until = take_shift(bureau.services, ben.actor, **where)
    assert until == bureau.clock.now().replace(hour=22)
    assert [row["off_id"] for row in bureau.rows(sa.select(t.duty_change).order_by(t.duty_change.c.id))][
        1
    ] is None
    assert bureau.audited() == ["load_roster", "take_shift", "take_shift"]


def test_a_shift_is_taken_by_those_who_may_do_its_work_alone(bureau: Bureau, account: Account):
    account("ann")
    caller, far, top = (
        account("cat", role=Role.CALLER),
        account("far", unit="五原分局"),
        account("top", unit="市局"),
    )
    load(bureau, {"Ann": "值"})
    where = {"unit_id": bureau.unit[STATION], "kind": DutyKind.OFFICER}
    with pytest.raises(NotPermitted):
        take_shift(bureau.services, caller.actor, **where)
    with pytest.raises(Invalid, match="cannot take this shift"):
        take_shift(bureau.services, far.actor, **where)
    with pytest.raises(Conflict, match="no roster"):
        take_shift(bureau.services, top.actor, unit_id=bureau.unit["临河分局"], kind=DutyKind.OFFICER)
    ben = account("ben")
    with pytest.raises(Conflict, match="not on duty any more"):
        take_shift(bureau.services, ben.actor, **where, instead_of=ben.id)
    assert bureau.rows(sa.select(t.duty_change)) == []


def test_a_roster_of_long_ago_is_not_used_any_more(bureau: Bureau, account: Account):
    account("ann")
    load(bureau, {"Ann": "值"})
    bureau.later(days=36)
    assert names_on(bureau) == []
    bureau.later(days=1)
    assert on_duty(bureau.services, visible_to=None) == []


def test_a_gap_within_a_day_raises_one_alarm_that_names_the_units(bureau: Bureau, account: Account):
    account("ann")
    account("top", unit="市局")
    load(bureau, {"Ann": dict.fromkeys(range(25, 28), "值")})
    assert watch_gaps(bureau.services) == 0
    bureau.later(days=2)
    load(bureau, {"Top": {30: "白"}}, unit="临河分局")
    assert [watch_gaps(bureau.services) for _ in range(2)] == [2, 2]
    alarms = bureau.rows(sa.select(t.alarm).where(t.alarm.c.code == "duty_gap"))
    assert [(alarm["facts"]["names"], alarm["times"]) for alarm in alarms] == [
        (sorted([STATION, "临河分局"]), 1)
    ]


def test_a_gap_says_how_many_high_cases_usually_come_in_its_hours(bureau: Bureau):
    """The mean of the same hours of four weeks, of the unit and those below it."""
    began = bureau.clock.now()
    for week in range(4):
        bureau.clock.set(began + timedelta(weeks=week, hours=1))
        bureau.case_with_unit("城关派出所", grade=Grade.HIGH)
        bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
        bureau.case_with_unit("城关派出所", grade=Grade.LOW)
        bureau.case_with_unit("五原分局", grade=Grade.HIGH)
        bureau.clock.set(began + timedelta(weeks=week, hours=3))
        bureau.case_with_unit("城关派出所", grade=Grade.HIGH)
    bureau.clock.set(began + timedelta(weeks=4) - timedelta(hours=1))
    start = began + timedelta(weeks=4)
    hours = timedelta(hours=2)
    assert usual_in_gap(bureau.services, (bureau.unit["城关派出所"], start, start + hours)) == 2.0
    assert usual_in_gap(bureau.services, (bureau.unit["临河分局"], start, start + 2 * hours)) == 3.0
    assert usual_in_gap(bureau.services, (bureau.unit["五原分局"], start, start + hours)) == 1.0
    # One that came just when the hours end is of the hours after them.
    later = timedelta(hours=1)
    assert usual_in_gap(bureau.services, (bureau.unit["五原分局"], start, start + later)) == 0.0
    assert usual_in_gap(bureau.services, (bureau.unit["五原分局"], start + later, start + hours)) == 1.0
    # A gap that is further ahead than a week is compared with the last weeks too.
    ahead = start + timedelta(weeks=1)
    assert usual_in_gap(bureau.services, (bureau.unit["城关派出所"], ahead, ahead + hours)) == 2.0


def test_a_gap_that_somebody_has_acknowledged_is_told_again_after_six_hours(bureau: Bureau, account: Account):
    account("ann")
    load(bureau, {"Ann": {25: "白"}})
    told = sa.select(sa.func.count().label("n")).where(t.alarm.c.code == "duty_gap")
    watch_gaps(bureau.services)
    bureau.do(sa.update(t.alarm).values(seen_at=bureau.clock.now(), seen_by="chief"))
    bureau.later(hours=5, minutes=59)
    watch_gaps(bureau.services)
    assert bureau.rows(told)[0]["n"] == 1
    bureau.later(minutes=1)
    watch_gaps(bureau.services)
    assert bureau.rows(told)[0]["n"] == 2


def test_who_stays_on_duty_beyond_the_hours_of_the_alarm_has_no_end_here(bureau: Bureau, account: Account):
    account("ann")
    load(bureau, {"Ann": "值"})
    [found] = on_duty(bureau.services, visible_to=None)
    assert (found.until, found.plain()["until"]) == (None, None)


def test_a_turn_of_a_disabled_account_is_nobodys(bureau: Bureau, account: Account):
    ann = account("ann")
    load(bureau, {"Ann": "值"})
    bureau.do(sa.update(t.staff).where(t.staff.c.id == ann.id).values(disabled_at=bureau.clock.now()))
    assert names_on(bureau) == []
    assert watch_gaps(bureau.services) == 1


def moved(bureau: Bureau, case_id: int) -> tuple[str, str]:
    return bureau.assignment_of(case_id, Track.HUMAN)["unit"], bureau.assignment_of(case_id, Track.VISIT)[
        "unit"
    ]


def test_a_visit_leaves_a_station_without_duty_at_once(bureau: Bureau, account: Account):
    account("ann")
    account("lin", unit="临河分局")
    load(bureau, {"Ann": {26: "白"}})
    load(bureau, {"Lin": "值"}, unit="临河分局")
    case_id = bureau.case_with_unit(STATION, grade=Grade.EXTRA_HIGH)
    assert escalate_unsigned(bureau.services) == 1
    assert moved(bureau, case_id) == (STATION, "临河分局")
    assert bureau.acts_of(case_id)[-1] == "unit_raised"
    with bureau.tx() as tx:
        [told] = escalated_work(tx, [bureau.unit[STATION]], since=bureau.clock.now())
    assert (told.without_duty, told.to_id) == (True, bureau.unit["临河分局"])
    assert escalate_unsigned(bureau.services) == 0


def test_a_unit_above_without_duty_is_skipped(bureau: Bureau, account: Account):
    account("ann")
    account("lin", unit="临河分局")
    load(bureau, {"Ann": {26: "白"}})
    load(bureau, {"Lin": {26: "白"}}, unit="临河分局")
    case_id = bureau.case_with_unit(STATION, grade=Grade.EXTRA_HIGH)
    escalate_unsigned(bureau.services)
    assert moved(bureau, case_id) == (STATION, "市局")


def test_where_nobody_at_all_is_on_duty_an_alarm_tells_it(bureau: Bureau, account: Account):
    for unit in ("市局", "临河分局", STATION):
        account(f"o{bureau.unit[unit]}", unit=unit)
        load(bureau, {f"O{bureau.unit[unit]}": {26: "白"}}, unit=unit)
    case_id = bureau.case_with_unit(STATION, grade=Grade.EXTRA_HIGH)
    assert escalate_unsigned(bureau.services) == 1
    assert moved(bureau, case_id) == (STATION, STATION)
    assert bureau.alarms_of(case_id)["unsigned"] == 1
    assert escalate_unsigned(bureau.services) == 0


def test_with_somebody_on_duty_work_waits_for_its_signature(bureau: Bureau, account: Account):
    account("ann")
    load(bureau, {"Ann": "值"})
    case_id = bureau.case_with_unit(STATION, grade=Grade.EXTRA_HIGH)
    assert escalate_unsigned(bureau.services) == 0
    bureau.clock.set(bureau.assignment_of(case_id)["sign_by"])
    escalate_unsigned(bureau.services)
    assert bureau.acts_of(case_id)[-2:] == ["unit_raised", "unit_raised"]


def test_a_shift_of_the_settings_counts_by_its_hours(bureau: Bureau, account: Account):
    account("ann")
    duty = bureau.services.duty.model_copy(update={"shifts": {"早": "09:45-10:05"}})
    bureau.services = replace(bureau.services, duty=duty)
    load(bureau, {"Ann": "早"})
    assert names_on(bureau) == ["ann"]
    bureau.later(minutes=5)
    assert names_on(bureau) == []
