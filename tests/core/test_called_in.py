"""A person calls us: the human call at the top of the queue, the robot that stands down, and what it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core.case import Case, CaseStatus, FollowUp, Reason, RobotState, StaffTrackState
from dialer.core.decide import Decision, decide
from dialer.core.events import (
    AssignmentReported,
    AssignToDutyDesk,
    CaseOpened,
    ExpediteAssignment,
    HandOverAnswered,
    OpenAssignment,
    PersonCalledIn,
    PlanAttempt,
    WithdrawAttempt,
)
from dialer.core.inbound import InboundSituation, InboundStep, next_inbound_step
from dialer.core.values import Contact, Grade, OutcomeKind, Track
from tests.core.samples import MORNING, POLICY, fresh


def opened(grade: Grade = Grade.MEDIUM) -> Case:
    return decide(fresh(grade=grade), CaseOpened(), MORNING, POLICY).case


def called_in(case: Case, *, own: bool = True) -> Decision:
    return decide(case, PersonCalledIn(from_own_number=own), MORNING + timedelta(minutes=5), POLICY)


def test_a_human_call_opens_before_everything_else_and_the_robot_stands_down():
    decision = called_in(opened())
    assert decision.case.robot.state is RobotState.DONE
    assert decision.case.contact is Contact.NONE
    withdrawn, task = decision.effects
    assert isinstance(withdrawn, WithdrawAttempt)
    assert isinstance(task, OpenAssignment)
    assert (task.track, task.reason) == (Track.HUMAN, Reason.CALLED_IN)
    assert task.urgency_at < MORNING - timedelta(days=20)


def test_a_typed_number_stands_nobody_down():
    decision = called_in(opened(), own=False)
    assert decision.case.robot.state is RobotState.PENDING
    assert [type(effect) for effect in decision.effects] == [OpenAssignment]


def test_an_open_human_call_moves_up_and_a_repeat_needs_no_record():
    case = opened(Grade.EXTRA_HIGH)
    assert case.human.state is StaffTrackState.OPEN
    first = called_in(case)
    assert any(isinstance(effect, ExpediteAssignment) for effect in first.effects)
    again = called_in(first.case)
    assert (again.case, again.effects) == (first.case, ())


def test_the_duty_line_gets_the_task_that_the_call_opened():
    case = called_in(opened()).case
    decision = decide(case, HandOverAnswered(), MORNING, POLICY)
    assert decision.effects == (AssignToDutyDesk(track=Track.HUMAN),)


@pytest.mark.parametrize("status", [CaseStatus.PROVEN, CaseStatus.REVERSED, CaseStatus.CLOSED])
def test_a_settled_case_stays_as_it_is(status: CaseStatus):
    case = replace(opened(), status=status)
    assert called_in(case) == Decision(case=case, effects=())


def test_a_call_back_that_does_not_reach_the_person_gives_the_case_back_to_the_robot():
    case = called_in(opened()).case
    event = AssignmentReported(track=Track.HUMAN, outcome=OutcomeKind.CANNOT_FIND_YET, contact=Contact.NONE)
    decision = decide(case, event, MORNING + timedelta(hours=1), POLICY)
    assert decision.case.robot.state is RobotState.PENDING
    assert any(isinstance(effect, PlanAttempt) for effect in decision.effects)


def watched(follow_up: FollowUp) -> Case:
    until = MORNING + timedelta(days=7)
    return replace(opened(), status=CaseStatus.WATCHING, watch_until=until, follow_up=follow_up)


def test_in_the_watch_period_the_caller_asks_what_the_robot_would_have_asked():
    decision = called_in(watched(FollowUp(by=Track.ROBOT)))
    assert decision.case.follow_up == FollowUp(by=Track.HUMAN)
    assert decision.case.human.state is StaffTrackState.OPEN


def test_a_caller_s_follow_up_stays_one_in_the_records_and_moves_up():
    call = replace(opened().human, state=StaffTrackState.OPEN, at=MORNING, reason=Reason.FOLLOW_UP, tries=1)
    case = replace(watched(FollowUp(by=Track.HUMAN)), human=call)
    decision = called_in(case, own=False)
    [moved] = decision.effects
    assert isinstance(moved, ExpediteAssignment)
    assert (moved.track, moved.reason) == (Track.HUMAN, Reason.FOLLOW_UP)
    assert moved.urgency_at < MORNING - timedelta(days=20)
    assert called_in(decision.case, own=False).effects == ()
    taken = decide(decision.case, HandOverAnswered(), MORNING, POLICY)
    assert taken.effects == (AssignToDutyDesk(track=Track.HUMAN),)
    # A follow-up by an officer finds danger: the call is the case's own from now on.
    visit = replace(opened().visit, state=StaffTrackState.OPEN, at=MORNING, reason=Reason.FOLLOW_UP, tries=1)
    found = AssignmentReported(track=Track.VISIT, outcome=OutcomeKind.HALF_BELIEVES, contact=Contact.VERIFIED)
    undone = decide(replace(decision.case, visit=visit), found, MORNING, POLICY)
    own = [effect for effect in undone.effects if isinstance(effect, ExpediteAssignment)]
    assert [(effect.track, effect.reason) for effect in own] == [(Track.HUMAN, Reason.CALLED_IN)]


def test_the_call_that_takes_the_place_of_the_robot_s_follow_up_is_recorded_as_one():
    task = called_in(watched(FollowUp(by=Track.ROBOT))).effects[-1]
    assert isinstance(task, OpenAssignment)
    assert task.reason is Reason.FOLLOW_UP
    assert task.urgency_at < MORNING - timedelta(days=20)


def test_a_call_beside_a_follow_up_that_is_still_planned_is_none():
    planned = FollowUp(by=Track.HUMAN, at=MORNING + timedelta(days=1))
    task = called_in(watched(planned), own=False).effects[-1]
    assert isinstance(task, OpenAssignment)
    assert task.reason is Reason.CALLED_IN


def test_a_planned_follow_up_survives_a_report_that_is_no_success():
    planned = FollowUp(by=Track.ROBOT, at=MORNING + timedelta(days=1))
    case = replace(watched(planned), robot=replace(opened().robot, state=RobotState.DONE))
    called = called_in(case).case
    event = AssignmentReported(track=Track.HUMAN, outcome=OutcomeKind.CANNOT_FIND_YET, contact=Contact.NONE)
    assert decide(called, event, MORNING, POLICY).case.follow_up == planned


@pytest.mark.parametrize(
    ("has_number", "asked", "is_free", "waited", "step"),
    [
        (False, 0, False, 0, InboundStep.ASK),
        (False, 1, True, 0, InboundStep.ASK),
        (False, 2, True, 0, InboundStep.RING),
        (False, 2, False, 0, InboundStep.NO_OFFICER),
        (True, 0, True, 0, InboundStep.RING),
        (True, 0, False, 119.9, InboundStep.WAIT),
        (True, 0, False, 120, InboundStep.CALL_BACK),
        (True, 2, True, 500, InboundStep.RING),
    ],
)
def test_the_next_step_of_a_call_in(
    *, has_number: bool, asked: int, is_free: bool, waited: float, step: InboundStep
):
    now = InboundSituation(has_number=has_number, asked=asked, is_desk_free=is_free, waited_seconds=waited)
    assert next_inbound_step(now, wait_seconds=120) is step
