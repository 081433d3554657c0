"""A period that has passed is read as it was, and a replay gives it back; where it cannot, it predicts nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.core.errors import Invalid
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.runtime.settings import load_settings
from dialer.whatif.actions import past_period
from dialer.whatif.engine import Replayed, replay, turns
from dialer.whatif.generated import City, city
from dialer.whatif.model import People, Seen
from dialer.whatif.past import SLOT, PastCall, Records, counted_roster, joined
from dialer.whatif.questions import HoursFrom, Period, Question, answered
from tests.core.samples import MORNING
from tests.outcomes.town import Scenario
from tests.whatif.samples import UNANSWERED, ZONE
from tests.whatif.town import write_past

START = datetime(2026, 10, 31, 16, tzinfo=UTC)
DAYS = 4
DAY = timedelta(days=1)
POLICY = load_settings({}).policy.policy(zone="Asia/Shanghai")


def town_city(**fields: object) -> City:
    staff = {Track.HUMAN: (3, 3, 1), Track.VISIT: (2, 2, 1)}
    made = city(POLICY, start=START, days=DAYS, seed=5, load=0.15, staff=staff)
    return replace(made, **fields)  # type: ignore[arg-type]  # fields of the city


def lived(made: City, who: People | None = None, *, seed: int = 77) -> Replayed:
    return replay(made.cases, who or made.people, made.centre, zone=made.zone, until=made.end, seed=seed)


def read_back(scenario: Scenario, replayed: Replayed, made: City) -> Period:
    write_past(scenario, replayed, POLICY, end=made.end)
    return past_period(scenario.services, start=made.start, end=made.end, promise_seconds=600)


def test_a_faithful_period_is_given_back(scenario: Scenario):
    made = town_city()
    period = read_back(scenario, lived(made), made)
    answer = answered(period, Question(callers=1), seeds=6)
    assert [check for check in answer.checks if not check.holds] == []
    assert answer.is_honest
    assert len(answer.checks) > 30
    assert {check.part for check in answer.checks} == {0, 1, 2, 3, 4}
    assert answer.changes
    assert period.hours_from is HoursFrom.WORK
    assert period.left_out == 0
    assert answer.cases == len(made.cases)


def test_a_period_in_which_people_changed_is_refused(scenario: Scenario):
    """From the middle on nobody answers the robot: the whole period has one mix, and no quarter has it."""
    made = town_city()
    half = START + timedelta(days=DAYS / 2)
    silent = replace(
        made.people,
        robot=Seen((grade, hour, UNANSWERED) for grade in Grade for hour in range(24) for _ in range(40)),
    )
    first, second = lived(made), lived(made, silent)
    lives = [
        one if one.warned.opened_at < half else other
        for one, other in zip(first.lives, second.lives, strict=True)
    ]
    period = read_back(scenario, replace(first, lives=lives), made)
    answer = answered(period, Question(callers=1), seeds=6)
    assert not answer.is_honest
    assert answer.changes == ()
    wrong = {(check.name, check.part) for check in answer.checks if not check.holds}
    assert {("robot_calls_answered", 1), ("robot_calls_answered", 4)} <= wrong


def test_cases_that_people_changed_by_hand_are_left_out(scenario: Scenario):
    made = town_city()
    replayed = lived(made)
    write_past(scenario, replayed, POLICY, end=made.end)

    def read() -> Period:
        return past_period(scenario.services, start=made.start, end=made.end, promise_seconds=600)

    whole = read()
    with scenario.tx() as tx:
        ids = [row["id"] for row in tx.rows(sa.select(t.case.c.id).order_by(t.case.c.opened_at, t.case.c.id))]
    scenario.put(t.event, case_id=ids[0], step="act", kind="closed", at=made.start + DAY, facts={})
    scenario.put(t.event, case_id=ids[1], step="act", kind="note", at=made.start + DAY, facts={})
    scenario.put(t.event, case_id=ids[2], step="act", kind="closed", at=made.end + DAY, facts={})
    scenario.warning(ids[3], person_id=ids[3], grade="extra_high", loaded_at=made.start + DAY)
    period = read()
    assert period.left_out == 2
    assert list(period.cases) == [case for n, case in enumerate(whole.cases) if n not in {0, 3}]
    assert period.seen[0]["robot_calls"] == sum(
        life.robot_calls for n, life in enumerate(replayed.lives) if n not in {0, 3}
    )
    few = replace(period, left_out=len(ids) // 8)
    assert not answered(few, Question(), seeds=6).is_honest


def test_the_rota_of_the_period_counts_where_one_was_loaded(scenario: Scenario):
    made = town_city()
    write_past(scenario, lived(made), POLICY, end=made.end)
    unit = scenario.put(t.unit, id=1, name="中心", path=[1])
    staff = scenario.put(
        t.staff, login="li", display_name="李", password_hash="-", role="caller", must_change=False, created_at=MORNING,
        created_by="x", password_at=MORNING,
    )  # fmt: skip
    with scenario.tx() as tx:
        roster = {"unit_id": unit, "kind": "caller"}
        tx.execute(sa.insert(t.duty_roster).values(roster | {"last_day": made.start.date() + 8 * DAY}))
        entry = {"day": made.start.date() + 2 * DAY, "mark": "白", "staff_id": staff, "place": 0}
        tx.execute(sa.insert(t.duty_entry).values(roster | entry))
    period = past_period(scenario.services, start=made.start, end=made.end, promise_seconds=600)
    assert period.hours_from is HoursFrom.ROTA
    ((entry_there,),) = [roster.entries for roster in period.centre.rosters[Track.HUMAN]]
    assert (entry_there.mark, entry_there.staff_id) == ("白", staff)
    assert len(turns(period.centre.rosters[Track.VISIT], made.start, made.end)) > 5, (
        "officers: their own hours"
    )
    answer = answered(period, Question(), seeds=6)
    assert not answer.is_honest
    assert "human_calls" in {check.name for check in answer.checks if not check.holds}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, START),
        (START, START + 400 * DAY),
        (START - 400 * DAY, START + DAY),
        (START - 20 * DAY, START - 10 * DAY),
    ],
)
def test_a_period_that_cannot_be_replayed(scenario: Scenario, start: datetime, end: datetime):
    with pytest.raises(Invalid):
        past_period(scenario.services, start=start, end=end, promise_seconds=600)


def call(ready: float, sent: float, *, case: int = 1) -> PastCall:
    """A call that might have left, and left, so many minutes after the morning."""
    minutes = [MORNING + timedelta(minutes=at) for at in (ready, sent)]
    return PastCall(case_id=case, ready_at=minutes[0], sent_at=minutes[1], ended_at=None, brought=None)


def test_calls_that_were_held_back_are_an_outage():
    calls = [
        call(0, 0),
        *[call(2 + n, 40) for n in range(5)],
        call(41, 41),
        call(60, 60),
        call(61, 90),
        call(91, 91),
    ]
    records = Records(cases=(), calls=calls, tasks=(), end=MORNING + timedelta(minutes=120))
    ((start, end),) = records.outages(MORNING, POLICY.window)
    assert start == MORNING + timedelta(minutes=4), "the third that waits: one alone may wait for its number"
    assert end == MORNING + timedelta(minutes=40)


def test_hours_are_counted_without_names():
    spans = [
        (MORNING, MORNING + timedelta(hours=2)),
        (MORNING + timedelta(hours=1), MORNING + timedelta(hours=3)),
    ]
    roster = counted_roster(spans, ZONE, slot=SLOT)
    found = turns((roster,), MORNING - timedelta(hours=1), MORNING + timedelta(hours=4))
    assert [(at - MORNING, len(on)) for at, on in found] == [
        (timedelta(hours=-1), 0),
        (timedelta(), 1),
        (timedelta(hours=1), 2),
        (timedelta(hours=2), 1),
        (timedelta(hours=3), 0),
    ]
    assert joined([(MORNING, MORNING + DAY), (MORNING + 3 * DAY, MORNING + 4 * DAY)]) == [
        (MORNING, MORNING + DAY),
        (MORNING + 3 * DAY, MORNING + 4 * DAY),
    ]
    assert joined(spans, bridged=DAY) == [(MORNING, MORNING + timedelta(hours=3))]
