"""Every case says what comes next, when and why, or that nothing does any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dialer.domain.attempt import AttemptState
from dialer.domain.case import Case, CaseStatus, Errand, ErrandState, Reason, Robot, RobotState
from dialer.domain.values import Track
from dialer.outcomes.next_steps import PendingRing, Step, StepKind, Wait, next_steps
from tests.core.domain.samples import MORNING, NEXT_OPENING, NIGHT, SHANGHAI, fresh

MINUTE = timedelta(minutes=1)
RING = PendingRing(
    n=1,
    state=AttemptState.READY,
    not_before=MORNING,
    urgency_at=MORNING,
    windowed=True,
    held=False,
    reason=Reason.NEW_WARNING,
    number_free_at=None,
    number_busy=False,
    paused_until=None,
    line_trouble=False,
    ahead=0,
)
PENDING = replace(
    fresh(), robot=Robot(state=RobotState.PENDING, attempts=1, reason=Reason.NEW_WARNING, at=MORNING)
)


def steps(
    case: Case = PENDING, ring: PendingRing | None = RING, *, now: datetime = MORNING
) -> tuple[Step, ...]:
    return next_steps(case, ring, window=SHANGHAI, now=now)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (CaseStatus.PROVEN, Reason.WATCH_ENDED),
        (CaseStatus.REVERSED, Reason.CASE_FILED),
        (CaseStatus.CLOSED, Reason.CASE_CLOSED),
    ],
)
def test_a_settled_case_waits_for_nothing(status: CaseStatus, reason: Reason):
    (step,) = steps(replace(fresh(), status=status), None)
    assert (step.kind, step.reason, step.at) == (StepKind.SETTLED, reason, None)


def test_a_success_waits_for_the_end_of_its_watch():
    until = MORNING + timedelta(days=7)
    (step,) = steps(replace(fresh(), status=CaseStatus.WATCHING, watch_until=until), None)
    assert (step.kind, step.at) == (StepKind.WATCH_ENDS, until)


def test_a_ready_ring_with_nothing_in_its_way_may_leave_any_moment():
    (step,) = steps()
    assert (step.kind, step.at, step.waits) == (StepKind.RING, None, ())


def test_at_night_it_waits_for_the_opening():
    (step,) = steps(now=NIGHT)
    assert (step.at, step.waits) == (NEXT_OPENING, (Wait.WINDOW,))


def test_a_retry_waits_for_its_time():
    later = MORNING + 5 * MINUTE
    (step,) = steps(ring=replace(RING, state=AttemptState.PLANNED, not_before=later))
    assert (step.at, step.waits) == (later, (Wait.NOT_BEFORE,))


def test_a_retry_whose_time_falls_into_the_night_waits_for_the_opening():
    (step,) = steps(ring=replace(RING, state=AttemptState.PLANNED, not_before=NIGHT))
    assert step.at == NEXT_OPENING
    assert set(step.waits) == {Wait.WINDOW, Wait.NOT_BEFORE}


@pytest.mark.parametrize(
    ("fields", "wait"),
    [
        ({"held": True}, Wait.HELD),
        ({"paused_until": MORNING + MINUTE}, Wait.PAUSED),
        ({"line_trouble": True}, Wait.LINE_TROUBLE),
        ({"number_busy": True}, Wait.NUMBER_BUSY),
        ({"ahead": 3}, Wait.QUEUE),
    ],
)
def test_everything_in_its_way_is_said(fields: dict[str, object], wait: Wait):
    (step,) = steps(ring=replace(RING, **fields))
    assert step.waits == (wait,)


def test_a_pause_that_is_over_is_not_said():
    (step,) = steps(ring=replace(RING, paused_until=MORNING))
    assert step.waits == ()


@pytest.mark.parametrize(
    "state", [s for s in AttemptState if s not in {AttemptState.PLANNED, AttemptState.READY}]
)
def test_a_ring_that_has_left_is_a_call_under_way(state: AttemptState):
    (step,) = steps(ring=replace(RING, state=state))
    assert (step.kind, step.waits) == (StepKind.CALL, ())


def test_tracks_side_by_side_soonest_first():
    case = replace(
        PENDING,
        human=Errand(state=ErrandState.OPEN, at=MORNING + 20 * MINUTE, reason=Reason.PARALLEL_TRACKS),
        visit=Errand(state=ErrandState.SCHEDULED, at=MORNING + 10 * MINUTE, reason=Reason.NO_CONTACT_IN_TIME),
        expires_at=MORNING + 15 * MINUTE,
    )
    told = [(step.kind, step.track) for step in steps(case)]
    assert told == [
        (StepKind.RING, Track.ROBOT),
        (StepKind.ERRAND_OPENS, Track.VISIT),
        (StepKind.EXPIRES, None),
        (StepKind.ERRAND_DUE, Track.HUMAN),
    ]


def test_a_withdrawn_ring_of_a_case_whose_robot_is_done_is_no_step():
    assert steps(replace(PENDING, robot=Robot(state=RobotState.DONE))) == ()
