"""What a page says may be done is what the machine lets be done: told for every act in every state of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dialer.core.case import (
    ActRefusal,
    Case,
    CaseAct,
    CaseStatus,
    Robot,
    RobotState,
    StaffTrack,
    StaffTrackState,
    acts_allowed,
)
from dialer.core.decide import decide
from dialer.core.errors import Conflict
from dialer.core.events import (
    AssignmentRequested,
    CallRequested,
    CallsAllowed,
    CaseClosed,
    Event,
    GradeChanged,
    OptedOut,
)
from dialer.core.values import FraudType, Grade, OutcomeKind, Track
from tests.core.samples import POLICY

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
OPEN = Case(
    id=1,
    grade=Grade.MEDIUM,
    fraud_type=FraudType.LOAN,
    opened_at=NOW,
    policy_version=1,
    numbers=2,
    robot=Robot(state=RobotState.DONE, attempts=2),
    human=StaffTrack(state=StaffTrackState.OPEN, at=NOW),
)
STATES = {
    "open": OPEN,
    "pending": replace(OPEN, robot=Robot(state=RobotState.PENDING, attempts=1)),
    "opted out": replace(OPEN, opted_out=True),
    "no number": replace(OPEN, robot=Robot(state=RobotState.DONE, dead_numbers=frozenset({0, 1}))),
    "one number left": replace(OPEN, robot=Robot(state=RobotState.DONE, dead_numbers=frozenset({0}))),
    "extra high": replace(OPEN, grade=Grade.EXTRA_HIGH),
    "low": replace(OPEN, grade=Grade.LOW),
    "visited": replace(OPEN, visit=StaffTrack(state=StaffTrackState.OPEN, at=NOW)),
    "watching": replace(OPEN, status=CaseStatus.WATCHING),
    "watching, solved": replace(OPEN, status=CaseStatus.WATCHING, opted_out=True),
    "closed": replace(OPEN, status=CaseStatus.CLOSED),
}
EVENTS: dict[CaseAct, Event] = {
    CaseAct.CALL_NOW: CallRequested(),
    CaseAct.ASK_CALLER: AssignmentRequested(track=Track.HUMAN),
    CaseAct.ASK_OFFICER: AssignmentRequested(track=Track.VISIT),
    CaseAct.CLOSE: CaseClosed(outcome=OutcomeKind.MISMATCH),
    CaseAct.MARK_DUPLICATE: CaseClosed(outcome=OutcomeKind.DUPLICATE),
    CaseAct.OPT_OUT: OptedOut(),
    CaseAct.ALLOW_CALLS: CallsAllowed(),
    CaseAct.RAISE: GradeChanged(grade=Grade.EXTRA_HIGH),
    CaseAct.LOWER: GradeChanged(grade=Grade.LOW),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", EVENTS)
def test_what_is_allowed_is_done_and_what_the_machine_refuses_is_barred(state: str, act: CaseAct):
    case = STATES[state]
    bar = acts_allowed(case)[act]
    try:
        decide(case, EVENTS[act], NOW, POLICY)
    except Conflict:
        assert bar is not None
    else:
        assert bar is not ActRefusal.NOT_OPEN
        assert bar is not ActRefusal.NO_NUMBER


@pytest.mark.parametrize(
    ("state", "act", "bar"),
    [
        ("open", CaseAct.CALL_NOW, None),
        ("pending", CaseAct.CALL_NOW, None),
        ("one number left", CaseAct.CALL_NOW, None),
        ("no number", CaseAct.CALL_NOW, ActRefusal.NO_NUMBER),
        ("opted out", CaseAct.CALL_NOW, ActRefusal.OPTED_OUT),
        ("opted out", CaseAct.OPT_OUT, ActRefusal.OPTED_OUT),
        ("opted out", CaseAct.ASK_OFFICER, None),
        ("watching", CaseAct.OPT_OUT, None),
        ("closed", CaseAct.OPT_OUT, ActRefusal.NOT_OPEN),
        ("open", CaseAct.ALLOW_CALLS, ActRefusal.NOT_OPTED_OUT),
        ("opted out", CaseAct.ALLOW_CALLS, None),
        ("watching, solved", CaseAct.ALLOW_CALLS, None),
        ("closed", CaseAct.ALLOW_CALLS, ActRefusal.NOT_OPEN),
        ("extra high", CaseAct.RAISE, ActRefusal.HIGHEST_GRADE),
        ("extra high", CaseAct.LOWER, None),
        ("low", CaseAct.LOWER, ActRefusal.LOWEST_GRADE),
        ("open", CaseAct.ASK_CALLER, ActRefusal.UNDER_WAY),
        ("visited", CaseAct.ASK_OFFICER, ActRefusal.UNDER_WAY),
        ("watching", CaseAct.CLOSE, ActRefusal.NOT_OPEN),
        ("closed", CaseAct.HAND_OVER, ActRefusal.NOT_OPEN),
        ("closed", CaseAct.NOTE, None),
    ],
)
def test_why_not(state: str, act: CaseAct, bar: ActRefusal | None):
    assert acts_allowed(STATES[state])[act] is bar


def test_every_act_is_told():
    assert set(acts_allowed(OPEN)) == set(CaseAct)


@pytest.mark.parametrize(("state", "number"), [("open", 0), ("one number left", 1)])
def test_a_call_that_is_asked_for_is_made_at_once(state: str, number: int):
    robot = decide(STATES[state], CallRequested(), NOW, POLICY).case.robot
    assert (robot.state, robot.at, robot.number) == (RobotState.PENDING, NOW, number)
