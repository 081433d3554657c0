"""A replay is the same for the same seed, keeps to rota, window, lines and order, and more callers do not harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core.case import CaseStatus
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.runtime.settings import load_settings
from dialer.whatif.engine import Replayed, replay, turns
from dialer.whatif.figures import figures_of_replay
from dialer.whatif.generated import City, city
from dialer.whatif.model import Centre, Draws, Order, People, StaffReport, WarnedCase, uniform, with_more
from tests.core.samples import MORNING, POLICY
from tests.whatif.samples import (
    ACKNOWLEDGED,
    ALWAYS_OPEN,
    DISSUADED,
    UNANSWERED,
    ZONE,
    centre,
    on_duty,
    people,
    warned,
)

_DAY = timedelta(days=1)


def lived(
    cases: Sequence[WarnedCase],
    who: People | None = None,
    where: Centre | None = None,
    *,
    until: datetime = MORNING + _DAY,
    seed: int = 1,
) -> Replayed:
    return replay(cases, who or people(), where or centre(), zone=ZONE, until=until, seed=seed)


def small_city(*, load: float = 0.2, staff: int = 3) -> City:
    policy = load_settings({}).policy.policy(zone="Asia/Shanghai")
    shifts = (staff, staff, 1)
    return city(
        policy,
        start=datetime(2026, 11, 1, 16, tzinfo=UTC),
        days=1,
        seed=3,
        load=load,
        staff={Track.HUMAN: shifts, Track.VISIT: shifts},
    )


def test_a_caller_takes_what_the_robot_cannot_reach():
    (life,) = lived([warned()]).lives
    (task, visit) = sorted(life.tasks, key=lambda one: one.track is Track.VISIT)
    assert task.taken_at == MORNING
    assert task.done_at == MORNING + timedelta(seconds=120)
    assert life.case.outcome is OutcomeKind.DISSUADED_BY_PHONE
    assert life.spoken_at == task.done_at
    assert visit.withdrawn
    assert visit.taken_at is None


def test_the_robots_success_withdraws_what_waits():
    (life,) = lived([warned()], people(robot=[ACKNOWLEDGED]), centre(callers=0)).lives
    assert life.spoken_at == MORNING + timedelta(seconds=60)
    assert life.case.status is CaseStatus.WATCHING
    assert all(task.withdrawn and task.taken_at is None for task in life.tasks)
    assert (life.robot_calls, life.answered) == (1, 1)


def test_one_caller_takes_the_most_urgent_first_and_one_after_the_other():
    cases = [warned(0), warned(1, Grade.HIGH, missed=True), warned(2)]
    lives = lived(cases).lives
    taken = [next(task.taken_at for task in life.tasks if task.track is Track.HUMAN) for life in lives]
    assert taken == [MORNING, MORNING + timedelta(seconds=240), MORNING + timedelta(seconds=120)]


@pytest.mark.parametrize(
    ("order", "first"), [(Order.FIRST_COME, 1), (Order.OURS, 2), (Order.GRADE, 2), (Order.DEADLINE, 2)]
)
def test_the_order_decides_who_is_taken_next(order: Order, first: int):
    cases = [warned(0), warned(1, Grade.LOW, missed=True), warned(2)]
    lives = lived(cases, where=centre(order=order)).lives
    next_at = MORNING + timedelta(seconds=120)
    taken = [n for n, life in enumerate(lives) if any(task.taken_at == next_at for task in life.tasks)]
    assert taken == [first]


def test_the_oracle_takes_the_largest_amount_that_is_not_lost():
    cases = [warned(n, amount_fen=fen) for n, fen in enumerate([1, 100, 1_000, 500])]
    pays = [None, _DAY, timedelta(seconds=60), _DAY]
    replayed = replay(
        cases,
        people(),
        centre(order=Order.ORACLE),
        zone=ZONE,
        until=MORNING + _DAY,
        seed=1,
        pays_at=lambda n, _: None if (after := pays[n]) is None else MORNING + after,
    )
    taken = [(task.taken_at, life.case.id) for life in replayed.lives for task in life.tasks if task.taken_at]
    assert [number for _, number in sorted(taken)] == [0, 3, 1, 2]


def test_outside_the_rota_nobody_takes_anything_and_who_has_a_task_ends_it():
    later = MORNING + timedelta(hours=1)
    where = centre(
        rosters={
            Track.HUMAN: (
                on_duty(1, MORNING, MORNING + timedelta(seconds=60)),
                on_duty(1, later, MORNING + _DAY),
            )
        }
    )
    replayed = lived([warned(0), warned(1)], where=where)
    done = [task for life in replayed.lives for task in life.tasks if task.done_at]
    assert [task.taken_at for task in done] == [MORNING, later]
    assert replayed.busy_seconds[Track.HUMAN] == 240
    assert replayed.duty_seconds[Track.HUMAN] == 60 + 23 * 3_600


def test_lines_and_pace_hold_calls_back():
    where = replace(centre(callers=0), lines=1, calls_per_second=2)
    lives = lived([warned(grade=Grade.LOW) for _ in range(3)], where=where).lives
    first = sorted(life.first_call_at for life in lives if life.first_call_at)
    assert [(at - MORNING).total_seconds() for at in first] == [0, 30, 60]
    where = replace(where, lines=50)
    lives = lived([warned(grade=Grade.LOW) for _ in range(5)], where=where).lives
    first = sorted(life.first_call_at for life in lives if life.first_call_at)
    gaps = [(b - a).total_seconds() for a, b in pairwise(first)]
    assert gaps == pytest.approx([1 / (2 * 0.97)] * 4, abs=1e-5)


def test_in_an_outage_no_call_leaves():
    hour = timedelta(hours=1)
    where = replace(centre(callers=0), outages=((MORNING, MORNING + hour),))
    (life,) = lived([warned(grade=Grade.LOW)], where=where).lives
    assert life.first_call_at == MORNING + hour


def test_at_night_low_waits_for_the_window_and_high_goes_to_a_caller():
    night = timedelta(hours=12)
    cases = [warned(night.total_seconds(), Grade.LOW), warned(night.total_seconds() + 1, Grade.HIGH)]
    low, high = lived(cases, where=centre(policy=POLICY)).lives
    assert low.first_call_at == MORNING + timedelta(hours=23)
    assert high.tasks[0].taken_at == MORNING + night + timedelta(seconds=1)


def test_the_same_seed_gives_the_same_lives_and_another_one_others():
    made = small_city()

    def told(seed: int) -> list[object]:
        replayed = replay(made.cases, made.people, made.centre, zone=made.zone, until=made.end, seed=seed)
        return [(life.case, life.spoken_at, life.robot_calls) for life in replayed.lives]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_more_callers_change_no_draw():
    """Whom the robot reaches at the first call does not depend on the staff: the numbers are common."""
    made = small_city()
    more = made.centre.with_staff(Track.HUMAN, 5)
    lives = [
        replay(made.cases, made.people, one, zone=made.zone, until=made.end, seed=4).lives
        for one in (made.centre, more)
    ]
    first = [[life.first_call_at for life in found if life.robot_calls == 1] for found in lives]
    assert len(first[0]) > 100
    assert {at for at in first[0] if at} & {at for at in first[1] if at}
    assert uniform(1, 2, Draws.ROBOT, 3) == uniform(1, 2, Draws.ROBOT, 3)
    assert 0 <= uniform(1, 2, Draws.ROBOT, 3) < 1


@settings(deadline=None, max_examples=60)
@given(
    gaps=st.lists(st.integers(0, 300), min_size=1, max_size=25),
    seconds=st.lists(st.integers(1, 900), min_size=1, max_size=5),
    callers=st.integers(1, 3),
)
def test_where_the_first_comes_first_nobody_waits_longer_for_one_more_caller(
    gaps: list[int], seconds: list[int], callers: int
):
    """For every single task. With priorities this is false of single tasks: a free caller may take a long, less urgent
    one, and the urgent one that comes next waits (`test_on_average_more_callers_are_not_worse` is about all of them).
    """
    at, cases = 0, []
    for gap in gaps:
        at += gap
        cases.append(warned(at))
    who = people(call=[replace(DISSUADED, seconds=one) for one in seconds])
    waits = []
    for count in (callers, callers + 1):
        lives = lived(
            cases, who, centre(callers=count, order=Order.FIRST_COME), until=MORNING + 2 * _DAY
        ).lives
        tasks = [next(task for task in life.tasks if task.track is Track.HUMAN) for life in lives]
        waits.append([task.taken_at - task.opened_at for task in tasks if task.taken_at])
    assert len(waits[0]) == len(waits[1]) == len(cases)
    assert all(after <= before for before, after in zip(*waits, strict=True))


def test_on_average_more_callers_are_not_worse():
    made = small_city(load=0.3, staff=1)
    shares = []
    for more in (0, 1, 2):
        where = made.centre.with_staff(Track.HUMAN, more)
        found = [
            figures_of_replay(
                replay(made.cases, made.people, where, zone=made.zone, until=made.end, seed=seed),
                start=made.start,
                end=made.end,
                promise_seconds=120,
            )
            for seed in range(4)
        ]
        shares.append(fmean(one["human_wait_p90_seconds"] for one in found))
    assert shares[0] > shares[1] > shares[2]


def test_more_and_fewer_on_a_shift():
    made = small_city(staff=2)
    (roster,) = made.centre.rosters[Track.HUMAN]
    noon = made.start + timedelta(hours=12)

    def on(more: int) -> int:
        found = [staff for at, staff in turns((with_more(roster, more),), made.start, made.end) if at <= noon]
        return len(found[-1])

    assert [on(more) for more in (-5, -1, 0, 3)] == [0, 1, 2, 5]
    spans = on_duty(3, MORNING, MORNING + _DAY)
    assert [len(with_more(spans, more).changes) for more in (-1, 0, 2)] == [2, 3, 5]


def test_no_more_robot_calls_than_the_plan_allows():
    (life,) = lived([warned(grade=Grade.LOW)], people(robot=[UNANSWERED]), centre(callers=0)).lives
    assert life.robot_calls == ALWAYS_OPEN.grades[Grade.LOW].robot_tries


def test_a_report_that_finds_nobody_sends_an_officer():
    nobody = StaffReport(outcome=OutcomeKind.CANNOT_FIND_YET, contact=DISSUADED.contact.NONE, seconds=30)
    met = replace(DISSUADED, outcome=OutcomeKind.DISSUADED_IN_PERSON, seconds=1_800)
    (life,) = lived([warned()], people(call=[nobody], visit=[met]), centre(officers=1)).lives
    assert life.case.outcome is OutcomeKind.DISSUADED_IN_PERSON
    assert life.spoken_at == MORNING + timedelta(seconds=1_800)
