"""Every case says what comes next, when and why, or that nothing does any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dialer.core.attempt import AttemptState
from dialer.core.case import (
    Case,
    CaseStatus,
    FollowUp,
    Reason,
    Robot,
    RobotState,
    StaffTrack,
    StaffTrackState,
)
from dialer.core.timeline import (
    LinesNow,
    NextStep,
    Obstacle,
    PendingAttempt,
    StepKind,
    Wait,
    WaitReason,
    next_steps,
    obstacles_of,
)
from dialer.core.values import Pause, PauseScope, Track
from tests.core.samples import MORNING, NEXT_OPENING, NIGHT, SHANGHAI, fresh

MINUTE = timedelta(minutes=1)
RING = PendingAttempt(
    state=AttemptState.READY,
    reason=Reason.NEW_WARNING,
    held=False,
    planned_at=MORNING,
    not_before=MORNING,
    grade="high",
    unit="临河",
    unit_id=None,
    load_id=7,
    is_number_in_call=False,
    number_free_at=None,
    ahead=0,
)
LINES = LinesNow(in_use=1, lines=10, calls_per_second=2.0)
PENDING = replace(
    fresh(), robot=Robot(state=RobotState.PENDING, attempts=1, reason=Reason.NEW_WARNING, at=MORNING)
)


def paused(scope: PauseScope, subject: str, *, minutes: int = 30) -> Pause:
    return Pause(
        id=1,
        scope=scope,
        subject=subject,
        until=MORNING + minutes * MINUTE,
        why="检修",
        by="zhao",
        placed_at=MORNING,
    )


def waits(
    ring: PendingAttempt = RING,
    *,
    pauses: Sequence[Pause] = (),
    lines: LinesNow | None = LINES,
    now: datetime = MORNING,
) -> tuple[Obstacle, ...]:
    return obstacles_of(ring, pauses=pauses, lines=lines, window=SHANGHAI, now=now)


def steps(
    case: Case = PENDING,
    ring: PendingAttempt | None = RING,
    *,
    pauses: Sequence[Pause] = (),
    lines: LinesNow | None = LINES,
    now: datetime = MORNING,
) -> tuple[NextStep, ...]:
    found = () if ring is None else waits(ring, pauses=pauses, lines=lines, now=now)
    return next_steps(case, ring, found, now=now)


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


def test_a_follow_up_is_a_step_before_the_end_of_the_watch_and_then_a_call():
    until = MORNING + timedelta(days=7)
    watched = replace(fresh(), status=CaseStatus.WATCHING, watch_until=until, expires_at=until)
    planned = replace(watched, follow_up=FollowUp(by=Track.ROBOT, at=MORNING + timedelta(days=1)))
    first, _ = steps(planned, None)
    assert (first.kind, first.track, first.reason) == (StepKind.FOLLOW_UP, Track.ROBOT, Reason.FOLLOW_UP)
    calls = replace(watched, robot=PENDING.robot, follow_up=FollowUp(by=Track.ROBOT))
    assert [step.kind for step in steps(calls)] == [StepKind.ATTEMPT, StepKind.WATCH_ENDS]


def test_a_ready_ring_with_nothing_in_its_way_may_leave_any_moment():
    (step,) = steps()
    assert (step.kind, step.at, step.waits) == (StepKind.ATTEMPT, None, ())


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
    ("facts", "wait"),
    [
        ({"ring": replace(RING, held=True)}, Wait.HELD),
        ({"pauses": [paused(PauseScope.GRADE, "high")]}, Wait.PAUSED),
        ({"lines": replace(LINES, troubles=7)}, Wait.LINE_TROUBLE),
        ({"lines": replace(LINES, in_use=10)}, Wait.QUEUE),
        ({"lines": None}, Wait.QUEUE),
        ({"ring": replace(RING, is_number_in_call=True)}, Wait.NUMBER_BUSY),
        ({"ring": replace(RING, number_free_at=MORNING + MINUTE)}, Wait.NUMBER_BUSY),
        ({"ring": replace(RING, ahead=3)}, Wait.QUEUE),
    ],
)
def test_everything_in_its_way_is_said(facts: dict[str, Any], wait: Wait):
    (step,) = steps(**facts)
    assert step.waits == (wait,)


@pytest.mark.parametrize(
    "facts", [{"pauses": [paused(PauseScope.GRADE, "low")]}, {"ring": replace(RING, number_free_at=MORNING)}]
)
def test_what_is_over_or_concerns_others_is_not_said(facts: dict[str, Any]):
    (step,) = steps(**facts)
    assert (step.waits, step.at) == ((), None)


def test_the_answers_agree_and_the_first_one_is_the_first_in_its_way():
    ring = replace(RING, held=True, is_number_in_call=True, not_before=MORNING + MINUTE, ahead=3)
    lines = replace(LINES, troubles=0, trouble_until=MORNING + 2 * MINUTE)
    pauses = [paused(PauseScope.UNIT, "临河")]
    found = waits(ring, pauses=pauses, lines=lines)
    assert [one.reason for one in found] == [
        WaitReason.PAUSED,
        WaitReason.NUMBER_BUSY,
        WaitReason.PLANNED_FOR_LATER,
        WaitReason.CARRIER_TROUBLE,
        WaitReason.QUEUE,
    ]
    (step,) = steps(ring=ring, pauses=pauses, lines=lines)
    assert step.at == MORNING + 30 * MINUTE
    assert set(step.waits) == set(Wait) - {Wait.HELD, Wait.WINDOW}
    assert step.waiting == found[0]


def _said(why: WaitReason, until: datetime | None = None, /, **facts: object) -> tuple[object, ...]:
    return (why, MORNING, until, facts)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"ring": replace(RING, state=AttemptState.RINGING)},
            _said(WaitReason.UNDER_WAY, state="ringing"),
        ),
        ({"ring": replace(RING, held=True)}, _said(WaitReason.HELD)),
        (
            {"pauses": [paused(PauseScope.GRADE, "high"), paused(PauseScope.UNIT, "临河", minutes=40)]},
            _said(
                WaitReason.PAUSED,
                MORNING + 40 * MINUTE,
                scope="grade",
                subject="high",
                by="zhao",
                why="检修",
            ),
        ),
        (
            {"ring": replace(RING, is_number_in_call=True)},
            _said(WaitReason.NUMBER_BUSY),
        ),
        (
            {"ring": replace(RING, number_free_at=MORNING + MINUTE)},
            _said(WaitReason.NUMBER_BUSY, MORNING + MINUTE, rests=1),
        ),
        (
            {"ring": replace(RING, not_before=MORNING + MINUTE, reason=Reason.RETRY)},
            _said(WaitReason.PLANNED_FOR_LATER, MORNING + MINUTE, reason="retry"),
        ),
        ({"lines": None}, _said(WaitReason.LINES_FULL)),
        (
            {"lines": replace(LINES, troubles=7, trouble_until=MORNING + MINUTE)},
            _said(WaitReason.CARRIER_TROUBLE, MORNING + MINUTE, troubles=7),
        ),
        (
            {"ring": replace(RING, ahead=3), "lines": replace(LINES, in_use=10)},
            _said(WaitReason.LINES_FULL, in_use=10, lines=10, ahead=3),
        ),
        ({"ring": replace(RING, ahead=3)}, _said(WaitReason.QUEUE, ahead=3)),
        ({}, _said(WaitReason.PACING, pace="2")),
    ],
)
def test_each_wait_names_its_reason_its_end_and_the_values_of_its_sentence(
    facts: dict[str, Any], said: tuple[object, ...]
):
    ring = facts.pop("ring", RING)
    (one,) = waits(ring, **facts)
    assert (one.reason, one.since, one.until, one.facts) == said


def test_the_closed_window_is_named_with_its_hours():
    (one,) = waits(RING, now=NIGHT)
    assert (one.reason, one.until) == (WaitReason.WINDOW_CLOSED, NEXT_OPENING)
    hours = (f"{SHANGHAI.opens:%H:%M}", f"{SHANGHAI.closes:%H:%M}")
    assert one.facts == {"opens": hours[0], "closes": hours[1]}


def test_with_nothing_in_its_way_it_waits_for_the_pace():
    assert [(wait.reason, wait.facts) for wait in waits()] == [(WaitReason.PACING, {"pace": "2"})]


@pytest.mark.parametrize(
    "state", [s for s in AttemptState if s not in {AttemptState.PLANNED, AttemptState.READY}]
)
def test_a_ring_that_has_left_is_a_call_under_way(state: AttemptState):
    (step,) = steps(ring=replace(RING, state=state))
    assert (step.kind, step.waits) == (StepKind.CALL, ())


def test_tracks_side_by_side_soonest_first():
    case = replace(
        PENDING,
        human=StaffTrack(state=StaffTrackState.OPEN, at=MORNING + 20 * MINUTE, reason=Reason.PARALLEL_TRACKS),
        visit=StaffTrack(
            state=StaffTrackState.SCHEDULED, at=MORNING + 10 * MINUTE, reason=Reason.NO_CONTACT_IN_TIME
        ),
        expires_at=MORNING + 15 * MINUTE,
    )
    told = [(step.kind, step.track) for step in steps(case)]
    assert told == [
        (StepKind.ATTEMPT, Track.ROBOT),
        (StepKind.ASSIGNMENT_OPENS, Track.VISIT),
        (StepKind.EXPIRES, None),
        (StepKind.ASSIGNMENT_DUE, Track.HUMAN),
    ]


def test_a_withdrawn_ring_of_a_case_whose_robot_is_done_is_no_step():
    assert steps(replace(PENDING, robot=Robot(state=RobotState.DONE))) == ()
