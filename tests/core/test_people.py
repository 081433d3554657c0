"""Reports of callers and officers, and what silence does while they are out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialer.core.case import CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.errors import Conflict
from dialer.core.events import (
    AlarmCode,
    AssignmentReported,
    AssignmentRequested,
    Event,
    OpenAssignment,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    TimePassed,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.values import SUCCESSES, Answer, Contact, Grade, OutcomeKind, Tag, TelephonyResult, Track
from tests.core.samples import IN_SAMPLE, MORNING, POLICY, Story, answered, ended, started

NONE, SCHEDULED, OPEN, DONE = (
    StaffTrackState.NONE,
    StaffTrackState.SCHEDULED,
    StaffTrackState.OPEN,
    StaffTrackState.DONE,
)


def report(track: Track, outcome: OutcomeKind, contact: Contact = Contact.NONE) -> Event:
    return AssignmentReported(track=track, outcome=outcome, contact=contact)


def called(outcome: OutcomeKind, contact: Contact = Contact.NONE) -> Event:
    return report(Track.HUMAN, outcome, contact)


def visited(outcome: OutcomeKind, contact: Contact = Contact.NONE) -> Event:
    return report(Track.VISIT, outcome, contact)


def alarms(story: Story) -> list[AlarmCode]:
    return [effect.code for effect in story.of(RaiseAlarm)]


def with_person(grade: Grade) -> Story:
    """The robot is done, a caller has it."""
    return started(grade, id=IN_SAMPLE).tell(ended(1, TelephonyResult.FORWARDED))


class TestASuccess:
    @pytest.mark.parametrize("outcome", sorted(SUCCESSES))
    @pytest.mark.parametrize("track", [Track.HUMAN, Track.VISIT])
    def test_stands_every_other_track_down(self, track: Track, outcome: OutcomeKind):
        story = started(Grade.EXTRA_HIGH).tell(report(track, outcome, Contact.VERIFIED))
        other = Track.VISIT if track is Track.HUMAN else Track.HUMAN
        assert story.only(WithdrawAssignment).track is other
        assert story.only(WithdrawAttempt).n == 1
        record = story.only(RecordOutcome)
        assert (record.outcome, record.contact, record.track) == (outcome, Contact.VERIFIED, track)
        assert (story.case.status, story.case.contact) == (CaseStatus.WATCHING, Contact.VERIFIED)

    @pytest.mark.parametrize("outcome", sorted(SUCCESSES))
    @pytest.mark.parametrize("contact", [Contact.NONE, Contact.UNVERIFIED])
    def test_without_verified_contact_conflicts(self, outcome: OutcomeKind, contact: Contact):
        with pytest.raises(Conflict, match="verified contact"):
            started(Grade.EXTRA_HIGH).tell(visited(outcome, contact))


class TestACallThatDidNotSucceed:
    @pytest.mark.parametrize(
        "outcome",
        [
            OutcomeKind.CANNOT_FIND_YET,
            OutcomeKind.CANNOT_FIND,
            OutcomeKind.REFUSES,
            OutcomeKind.HALF_BELIEVES,
            OutcomeKind.NOT_THE_PERSON,
            OutcomeKind.LANGUAGE_OR_HEARING,
        ],
    )
    @pytest.mark.parametrize("grade", [Grade.EXTRA_HIGH, Grade.HIGH, Grade.MEDIUM])
    def test_sends_an_officer(self, grade: Grade, outcome: OutcomeKind):
        story = with_person(grade).tell(called(outcome))
        assert story.case.status is CaseStatus.OPEN
        assert story.case.visit.state is OPEN

    def test_of_a_low_grade_ends_there(self):
        story = with_person(Grade.LOW).tell(called(OutcomeKind.REFUSES))
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.REFUSES)
        assert not story.of(OpenAssignment)

    def test_but_found_nobody_leaves_the_robot_its_tries(self):
        story = started(Grade.EXTRA_HIGH).tell(called(OutcomeKind.CANNOT_FIND_YET))
        assert story.case.robot.state is RobotState.PENDING
        assert not story.of(WithdrawAttempt)

    def test_and_found_nobody_at_night_does_not_end_a_low_case_that_no_robot_has_rung_yet(self):
        story = started(Grade.LOW, tags=frozenset({Tag.MINOR})).tell(called(OutcomeKind.CANNOT_FIND_YET))
        assert story.case.status is CaseStatus.OPEN
        story.tell(ended(1, TelephonyResult.NO_ANSWER)).tell(ended(2, TelephonyResult.NO_ANSWER))
        assert story.only(RecordOutcome).reason is Reason.ROBOT_TRIES_USED
        assert story.case.visit.state is NONE

    def test_and_was_refused_ends_the_robot(self):
        story = started(Grade.EXTRA_HIGH).tell(called(OutcomeKind.REFUSES, Contact.VERIFIED))
        assert story.only(WithdrawAttempt).reason is Reason.HUMAN_FAILED

    def test_is_on_record_with_what_this_call_reached(self):
        story = (
            started(Grade.MEDIUM).tell(answered(1, Answer.DOUBTFUL)).tell(called(OutcomeKind.CANNOT_FIND_YET))
        )
        assert story.only(RecordOutcome).contact is Contact.NONE
        assert story.case.contact is Contact.VERIFIED


class TestAVisit:
    def test_that_finds_nobody_is_made_again_so_often_and_then_ends_loudly(self):
        story = with_person(Grade.MEDIUM).tell(called(OutcomeKind.REFUSES))
        for _ in range(POLICY.visit_tries - 1):
            story.tell(visited(OutcomeKind.CANNOT_FIND_YET))
            assert (story.case.visit.state, story.case.visit.reason) == (SCHEDULED, Reason.VISIT_AGAIN)
            assert (
                story.tell(TimePassed(), after=POLICY.visit_retry_seconds).only(OpenAssignment).track
                is Track.VISIT
            )
        story.tell(visited(OutcomeKind.CANNOT_FIND_YET))
        assert alarms(story) == [AlarmCode.CANNOT_FIND]
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.CANNOT_FIND)
        assert story.case.visit.tries == POLICY.visit_tries

    @pytest.mark.parametrize("outcome", [OutcomeKind.REFUSES, OutcomeKind.HALF_BELIEVES])
    def test_that_does_not_convince_ends_loudly(self, outcome: OutcomeKind):
        story = started(Grade.EXTRA_HIGH).tell(visited(outcome, Contact.VERIFIED))
        assert alarms(story) == [AlarmCode.REFUSED_IN_PERSON]
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, outcome)

    def test_that_finds_for_good_that_nobody_can_be_found_ends_loudly(self):
        story = started(Grade.EXTRA_HIGH).tell(visited(OutcomeKind.CANNOT_FIND))
        assert alarms(story) == [AlarmCode.CANNOT_FIND]
        assert story.case.outcome is OutcomeKind.CANNOT_FIND

    @pytest.mark.parametrize("outcome", [OutcomeKind.NOT_THE_PERSON, OutcomeKind.MISMATCH])
    def test_at_a_wrong_door_does_not_call_back_who_is_on_the_phone(self, outcome: OutcomeKind):
        story = started(Grade.EXTRA_HIGH).tell(visited(outcome))
        assert story.case.status is CaseStatus.OPEN
        assert story.case.human.state is OPEN
        assert not story.of(WithdrawAssignment)

    def test_at_a_wrong_door_ends_the_case_with_the_last_call_and_loudly(self):
        story = started(Grade.EXTRA_HIGH).tell(visited(OutcomeKind.MISMATCH))
        story.tell(called(OutcomeKind.CANNOT_FIND_YET))
        for n in range(1, 4):
            story.tell(ended(n, TelephonyResult.NO_ANSWER))
        assert alarms(story) == [AlarmCode.CANNOT_FIND]
        assert story.case.status is CaseStatus.CLOSED
        assert story.case.visit.tries == 1


class TestAnEnd:
    @pytest.mark.parametrize(
        ("outcome", "alarm"),
        [
            (OutcomeKind.ALREADY_DEFRAUDED, [AlarmCode.ALREADY_PAID]),
            (OutcomeKind.DUPLICATE, []),
            (OutcomeKind.TRANSFERRED, []),
            (OutcomeKind.MISSED, []),
        ],
    )
    @pytest.mark.parametrize("track", [Track.HUMAN, Track.VISIT])
    def test_is_one_whoever_reports_it(self, track: Track, outcome: OutcomeKind, alarm: list[AlarmCode]):
        story = started(Grade.EXTRA_HIGH).tell(report(track, outcome))
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, outcome)
        assert alarms(story) == alarm
        assert len(story.of(RecordOutcome)) == 1


class TestAReportThatDoesNotFit:
    def test_of_an_assignment_that_is_not_open_conflicts(self):
        with pytest.raises(Conflict, match="no open human assignment"):
            started(Grade.MEDIUM).tell(called(OutcomeKind.REFUSES))

    def test_of_one_reported_already_conflicts_and_shows_what_became_of_it(self):
        story = with_person(Grade.LOW).tell(called(OutcomeKind.REFUSES))
        with pytest.raises(Conflict) as refusal:
            story.tell(called(OutcomeKind.DISSUADED_BY_PHONE, Contact.VERIFIED))
        assert refusal.value.current == "closed/refuses"

    def test_of_the_robot_conflicts_although_a_visit_is_open(self):
        with pytest.raises(Conflict):
            started(Grade.EXTRA_HIGH).tell(report(Track.ROBOT, OutcomeKind.REFUSES))


class TestOverdue:
    def test_a_call_is_alarmed_again_and_again_and_brings_an_officer(self):
        story = with_person(Grade.MEDIUM)
        due = POLICY.of(Grade.MEDIUM).human_due_seconds
        story.tell(TimePassed(), after=due)
        assert alarms(story) == [AlarmCode.HUMAN_OVERDUE]
        assert story.only(OpenAssignment).reason is Reason.HUMAN_OVERDUE
        story.tell(TimePassed(), after=due)
        assert alarms(story) == [AlarmCode.HUMAN_OVERDUE]
        assert not story.of(OpenAssignment)

    def test_a_call_of_a_low_grade_is_alarmed_without_an_officer(self):
        story = with_person(Grade.LOW).tell(TimePassed(), after=POLICY.of(Grade.LOW).human_due_seconds)
        assert alarms(story) == [AlarmCode.HUMAN_OVERDUE]
        assert story.case.visit.state is NONE

    def test_a_visit_is_alarmed_again_and_again(self):
        story = started(Grade.LOW).tell(AssignmentRequested(track=Track.VISIT))
        due = POLICY.of(Grade.LOW).visit_due_seconds
        for _ in range(3):
            assert AlarmCode.VISIT_OVERDUE in alarms(story.tell(TimePassed(), after=due))
        assert story.case.visit.at == story.now + timedelta(seconds=due)

    def test_nothing_is_before_its_time(self):
        story = with_person(Grade.MEDIUM)
        assert story.tell(TimePassed(), after=POLICY.of(Grade.MEDIUM).human_due_seconds - 1).last == ()


class TestPatience:
    def test_a_ring_that_finds_no_line_in_time_brings_a_person_and_stays_wanted(self):
        story = started(Grade.MEDIUM).tell(TimePassed(), after=POLICY.of(Grade.MEDIUM).robot_patience_seconds)
        assert alarms(story) == [AlarmCode.WAITED_TOO_LONG]
        assert story.only(OpenAssignment).reason is Reason.WAITED_TOO_LONG
        assert story.case.robot.state is RobotState.PENDING

    def test_a_long_call_is_no_wait(self):
        story = started(Grade.MEDIUM).tell(
            TimePassed(is_at_carrier=True), after=POLICY.of(Grade.MEDIUM).robot_patience_seconds
        )
        assert story.last == ()
        assert story.case.due_at is not None
        assert story.case.due_at > story.now

    def test_a_call_is_not_cut_off_by_an_expiry_and_a_failed_one_is_not_rung_again(self):
        story = started(Grade.HIGH, expires_at=MORNING + timedelta(seconds=60))
        story.tell(TimePassed(is_at_carrier=True), after=60)
        assert story.case.missed
        assert not [effect for effect in story.last if isinstance(effect, WithdrawAttempt)]
        story.tell(ended(1, TelephonyResult.NO_ANSWER), after=30)
        assert not [effect for effect in story.last if isinstance(effect, PlanAttempt)]
        assert story.case.human.state is OPEN

    def test_a_scheduled_caller_is_not_waited_for(self):
        story = started(Grade.HIGH).tell(TimePassed(), after=POLICY.of(Grade.HIGH).robot_patience_seconds)
        assert story.case.human.state is OPEN

    def test_it_is_alarmed_again_in_the_window(self):
        story = started(Grade.MEDIUM).tell(TimePassed(), after=3_600).tell(TimePassed(), after=3_600)
        assert alarms(story) == [AlarmCode.WAITED_TOO_LONG]
        assert not [plan for plan in story.last if isinstance(plan, PlanAttempt)]

    def test_after_a_caller_who_found_nobody_a_low_grade_gets_no_officer_for_it(self):
        story = started(Grade.LOW, tags=frozenset({Tag.MINOR})).tell(called(OutcomeKind.CANNOT_FIND_YET))
        story.tell(TimePassed(), after=POLICY.of(Grade.LOW).robot_patience_seconds)
        assert alarms(story) == [AlarmCode.WAITED_TOO_LONG]
        assert story.case.visit.state is NONE
