"""The family of a person whom neither the robot nor a caller has reached is called by a caller, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core.case import (
    ActRefusal,
    CaseAct,
    CaseStatus,
    FamilyContact,
    FamilyResult,
    Reason,
    acts_allowed,
)
from dialer.core.case import StaffTrackState as State
from dialer.core.errors import Conflict
from dialer.core.events import (
    AlarmCode,
    AssignmentReported,
    AssignmentRequested,
    CallRequested,
    Event,
    ExpediteAssignment,
    OpenAssignment,
    PersonCalledIn,
    RaiseAlarm,
    TimePassed,
    WithdrawAssignment,
)
from dialer.core.policy import Policy, from_plain, to_plain
from dialer.core.values import Answer, Contact, Grade, OutcomeKind, TelephonyResult, Track
from tests.core.samples import POLICY, Story, answered, ended, joined, started

LATER = 600


def policy_with(after_seconds: int | None, **limits: int | bool | None) -> Policy:
    extra_high = replace(POLICY.grades[Grade.EXTRA_HIGH], family_after_seconds=after_seconds, **limits)
    return replace(POLICY, grades={**POLICY.grades, Grade.EXTRA_HIGH: extra_high})


AT_ONCE = policy_with(0)


def called(outcome: OutcomeKind, family: FamilyResult | None = None) -> AssignmentReported:
    return AssignmentReported(track=Track.HUMAN, outcome=outcome, contact=Contact.NONE, family=family)


def family_said(result: FamilyResult) -> AssignmentReported:
    return called(OutcomeKind.CANNOT_FIND_YET, result)


def case_with_family(
    *, policy: Policy = AT_ONCE, family: FamilyContact = FamilyContact.KNOWN, **fields: object
) -> Story:
    return started(Grade.EXTRA_HIGH, policy=policy, family=family, **fields)


def unanswered(story: Story, *, first: int = 1) -> Story:
    """The robot's three calls without an answer."""
    for n in range(first, 4):
        story.tell(ended(n, TelephonyResult.NO_ANSWER))
    return story


def unreachable(**given: object) -> Story:
    """Neither the robot nor a caller has reached the person; an officer is on the way."""
    return unanswered(case_with_family(**given)).tell(called(OutcomeKind.CANNOT_FIND_YET))


def test_the_family_is_called_when_the_caller_reports_after_the_robots_last_call():
    opened = unreachable().only(OpenAssignment)
    assert (opened.track, opened.reason) == (Track.HUMAN, Reason.FAMILY_CALL)


def test_the_family_is_called_when_the_robots_last_call_ends_after_the_report():
    story = case_with_family().tell(called(OutcomeKind.CANNOT_FIND_YET))
    assert story.case.human.state is State.DONE
    story.tell(ended(1, TelephonyResult.NO_ANSWER)).tell(ended(2, TelephonyResult.NO_ANSWER))
    assert story.case.human.state is State.DONE
    assert story.tell(ended(3, TelephonyResult.NO_ANSWER)).case.is_family_called


def test_a_last_call_that_meets_a_machine_leads_to_the_family_too():
    story = case_with_family().tell(called(OutcomeKind.CANNOT_FIND_YET))
    assert story.tell(ended(1, TelephonyResult.MACHINE)).case.is_family_called


def test_a_family_call_may_wait():
    story = unreachable(policy=policy_with(LATER))
    assert (story.case.human.state, story.case.human.reason) == (State.SCHEDULED, Reason.FAMILY_CALL)
    assert not story.tell(TimePassed(), after=LATER - 1).case.is_family_called
    assert story.tell(TimePassed(), after=1).only(OpenAssignment).reason is Reason.FAMILY_CALL


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"policy": policy_with(None)}, OutcomeKind.CANNOT_FIND_YET),
        ({"family": FamilyContact.NONE}, OutcomeKind.CANNOT_FIND_YET),
        ({"family": FamilyContact.CALLED}, OutcomeKind.CANNOT_FIND_YET),
        ({"contact": Contact.VERIFIED}, OutcomeKind.CANNOT_FIND_YET),
        ({"opted_out": True}, OutcomeKind.CANNOT_FIND_YET),
        ({}, OutcomeKind.REFUSES),
        ({}, OutcomeKind.MISMATCH),
    ],
)
def test_nobody_calls_the_family(given: dict[str, object], outcome: OutcomeKind):
    story = unanswered(case_with_family(**given)).tell(called(outcome))
    assert story.case.human.state is State.DONE


@pytest.mark.parametrize("outcome", [OutcomeKind.CANNOT_FIND, OutcomeKind.NOT_THE_PERSON])
def test_other_results_without_the_person_lead_to_the_family(outcome: OutcomeKind):
    assert unanswered(case_with_family()).tell(called(outcome)).case.is_family_called


@pytest.mark.parametrize(
    ("result", "seconds"), [(FamilyResult.PASSES_ON, 120), (FamilyResult.WITH_PERSON, 0)]
)
def test_a_reached_family_leads_to_another_call_to_the_person(result: FamilyResult, seconds: int):
    story = unreachable().tell(family_said(result))
    if seconds:
        assert story.case.human.state is State.SCHEDULED
        assert story.case.human.at == story.now + timedelta(seconds=seconds)
        story.tell(TimePassed(), after=seconds)
    assert story.only(OpenAssignment).reason is Reason.FAMILY_REACHED
    assert story.case.contact is Contact.NONE
    assert story.tell(called(OutcomeKind.CANNOT_FIND_YET)).case.human.state is State.DONE


@pytest.mark.parametrize("result", [FamilyResult.NOT_REACHED, FamilyResult.WRONG_PERSON])
def test_without_the_family_the_visit_goes_on(result: FamilyResult):
    story = unreachable().tell(family_said(result))
    assert (story.case.family, story.case.human.state) == (FamilyContact.CALLED, State.DONE)
    assert (story.case.status, story.case.visit.state) == (CaseStatus.OPEN, State.OPEN)


def test_without_family_and_visit_the_case_ends_with_an_alarm():
    story = unreachable(policy=policy_with(0, visit_after_seconds=None, visit_when_human_fails=False))
    assert story.case.is_family_called
    story.tell(family_said(FamilyResult.NOT_REACHED))
    assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.CANNOT_FIND)
    assert story.only(RaiseAlarm).code is AlarmCode.CANNOT_FIND


def test_the_robots_call_still_to_come_keeps_the_case_open_after_the_family():
    without_visit = policy_with(0, visit_after_seconds=None, visit_when_human_fails=False)
    story = unreachable(policy=without_visit).tell(CallRequested())
    story.tell(family_said(FamilyResult.NOT_REACHED))
    assert story.case.status is CaseStatus.OPEN


def test_a_success_withdraws_the_family_call():
    success = AssignmentReported(
        track=Track.VISIT, outcome=OutcomeKind.DISSUADED_IN_PERSON, contact=Contact.VERIFIED
    )
    assert unreachable().tell(success).only(WithdrawAssignment).track is Track.HUMAN


@pytest.mark.parametrize(
    "event", [AssignmentRequested(track=Track.HUMAN), PersonCalledIn(from_own_number=True)]
)
def test_a_call_to_the_person_takes_the_place_of_the_family_call(event: Event):
    story = unreachable()
    assert acts_allowed(story.case)[CaseAct.ASK_CALLER] is None
    story.tell(event)
    assert story.only(ExpediteAssignment).track is Track.HUMAN
    assert not story.case.is_family_called
    assert acts_allowed(story.case)[CaseAct.ASK_CALLER] is ActRefusal.UNDER_WAY
    assert story.tell(called(OutcomeKind.CANNOT_FIND_YET)).case.is_family_called


@pytest.mark.parametrize(
    ("story", "event"),
    [
        (unreachable(), called(OutcomeKind.CANNOT_FIND_YET)),
        (case_with_family(), family_said(FamilyResult.PASSES_ON)),
        (unreachable(), called(OutcomeKind.DUPLICATE, FamilyResult.PASSES_ON)),
        (
            unreachable(),
            AssignmentReported(
                track=Track.VISIT,
                outcome=OutcomeKind.CANNOT_FIND_YET,
                contact=Contact.NONE,
                family=FamilyResult.PASSES_ON,
            ),
        ),
    ],
)
def test_only_a_call_to_the_family_is_reported_as_one(story: Story, event: AssignmentReported):
    with pytest.raises(Conflict, match="call to the family"):
        story.tell(event)


def test_an_overdue_family_call_raises_the_alarm_of_overdue_calls():
    story = unreachable()
    story.tell(TimePassed(), after=POLICY.grades[Grade.EXTRA_HIGH].human_due_seconds)
    assert AlarmCode.HUMAN_OVERDUE in [alarm.code for alarm in story.of(RaiseAlarm)]


def test_a_warning_brings_the_family_contact_and_takes_none_away():
    story = case_with_family(family=FamilyContact.NONE).tell(joined(Grade.LOW, has_family=True))
    assert story.case.family is FamilyContact.KNOWN
    assert story.tell(joined(Grade.LOW)).case.family is FamilyContact.KNOWN
    after = unreachable().tell(family_said(FamilyResult.WITH_PERSON)).tell(joined(Grade.LOW, has_family=True))
    assert after.case.family is FamilyContact.CALLED


def test_the_family_of_a_person_who_doubts_is_not_called():
    story = case_with_family().tell(called(OutcomeKind.CANNOT_FIND_YET)).tell(answered(1, Answer.DOUBTFUL))
    assert story.case.human.state is State.DONE


def test_the_delay_is_stored_with_the_policy():
    assert from_plain(to_plain(AT_ONCE), version=1).of(Grade.EXTRA_HIGH).family_after_seconds == 0
    before = to_plain(AT_ONCE)
    del before["grades"]["extra_high"]["family_after_seconds"]
    assert from_plain(before, version=1).of(Grade.EXTRA_HIGH).family_after_seconds is None
