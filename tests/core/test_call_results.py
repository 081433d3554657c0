"""Every telephony result and every answer against every grade."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core.case import CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.events import (
    AlarmCode,
    CallRequested,
    Event,
    GradeChanged,
    HandOverRequested,
    OpenAssignment,
    OpenStopPayment,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    WithdrawAssignment,
)
from dialer.core.values import Answer, Contact, Grade, OutcomeKind, Tag, TelephonyResult, Track
from tests.core.samples import IN_SAMPLE, MORNING, POLICY, Story, answered, ended, started

T = TelephonyResult
UNREACHED = (T.NO_ANSWER, T.REJECTED, T.POWERED_OFF, T.FAILED)


def tracks(story: Story) -> set[Track]:
    return {effect.track for effect in story.of(OpenAssignment)}


def alarms(story: Story) -> list[AlarmCode]:
    return [effect.code for effect in story.of(RaiseAlarm)]


@pytest.mark.parametrize("result", UNREACHED)
@pytest.mark.parametrize("grade", Grade)
def test_not_reached_rings_again_after_the_grade_s_gap_and_counts_a_try(
    grade: Grade, result: TelephonyResult
):
    story = started(grade).tell(ended(1, result), after=30)
    plan = story.only(PlanAttempt)
    assert (plan.n, plan.reason) == (2, Reason.RETRY)
    assert plan.not_before == story.now + timedelta(seconds=POLICY.of(grade).robot_gap_seconds)
    assert story.case.robot.tries == 1
    assert story.case.contact is Contact.NONE


@pytest.mark.parametrize("result", UNREACHED)
@pytest.mark.parametrize("grade", [Grade.EXTRA_HIGH, Grade.HIGH, Grade.MEDIUM])
def test_after_the_grade_s_tries_a_person_has_it_at_once(grade: Grade, result: TelephonyResult):
    story = started(grade)
    for n in range(1, POLICY.of(grade).robot_tries + 1):
        story.tell(ended(n, result), after=30)
    assert not story.of(PlanAttempt)
    assert story.case.robot.state is RobotState.DONE
    assert story.case.human.state is StaffTrackState.OPEN


def test_low_outside_the_sample_ends_as_not_found_yet_which_is_on_record():
    story = started(Grade.LOW).tell(ended(1, T.NO_ANSWER)).tell(ended(2, T.NO_ANSWER))
    record = story.only(RecordOutcome)
    assert (record.outcome, record.contact, record.reason) == (
        OutcomeKind.CANNOT_FIND_YET,
        Contact.NONE,
        Reason.NOT_IN_SAMPLE,
    )
    assert story.case.status is CaseStatus.CLOSED


def test_a_high_grade_is_never_left_to_a_sample():
    nobody = replace(
        POLICY.of(Grade.HIGH), human_sample_percent=0, human_after_seconds=None, visit_after_seconds=None
    )
    policy = replace(POLICY, grades={**POLICY.grades, Grade.HIGH: nobody})
    story = started(Grade.HIGH, policy=policy).tell(ended(1, T.NO_ANSWER)).tell(ended(2, T.NO_ANSWER))
    assert story.only(OpenAssignment).reason is Reason.ROBOT_TRIES_USED


def test_low_in_the_sample_is_rung_by_a_person():
    story = started(Grade.LOW, id=IN_SAMPLE).tell(ended(1, T.NO_ANSWER)).tell(ended(2, T.NO_ANSWER))
    assert story.only(OpenAssignment).reason is Reason.SAMPLE
    assert story.case.status is CaseStatus.OPEN


@pytest.mark.parametrize("grade", [Grade.MEDIUM, Grade.LOW])
def test_busy_on_a_lower_grade_is_an_ordinary_retry(grade: Grade):
    story = started(grade).tell(ended(1, T.BUSY))
    assert story.only(PlanAttempt).reason is Reason.RETRY
    assert not tracks(story)


def test_busy_on_high_rings_on_and_sends_people_at_once():
    story = started(Grade.HIGH).tell(ended(1, T.BUSY), after=20)
    plan = story.only(PlanAttempt)
    assert plan.reason is Reason.BUSY_ON_HIGH
    assert plan.not_before == story.now + timedelta(seconds=POLICY.busy_retry_seconds)
    assert tracks(story) == {Track.HUMAN, Track.VISIT}


def test_busy_on_high_does_not_ring_for_ever():
    story = started(Grade.HIGH).tell(ended(1, T.BUSY)).tell(ended(2, T.BUSY))
    assert not story.of(PlanAttempt)
    assert story.case.human.state is story.case.visit.state is StaffTrackState.OPEN


@pytest.mark.parametrize("result", [T.FORWARDED, T.MACHINE])
@pytest.mark.parametrize(
    ("grade", "sent"),
    [
        (Grade.EXTRA_HIGH, set()),
        (Grade.HIGH, {Track.HUMAN, Track.VISIT}),
        (Grade.MEDIUM, {Track.HUMAN}),
        (Grade.LOW, {Track.HUMAN}),
    ],
)
def test_forwarded_and_machine_are_no_contact_and_go_to_people(
    grade: Grade, sent: set[Track], result: TelephonyResult
):
    story = started(grade).tell(ended(1, result, Contact.VERIFIED, Answer.ACKNOWLEDGED))
    assert story.case.status is CaseStatus.OPEN
    assert story.case.contact is Contact.NONE
    assert not story.of(PlanAttempt)
    assert tracks(story) == sent
    assert story.case.human.state is StaffTrackState.OPEN


@pytest.mark.parametrize("result", [T.BLOCKED, T.CANCELED])
@pytest.mark.parametrize("grade", Grade)
def test_a_fault_of_ours_costs_no_try_and_is_tried_again(grade: Grade, result: TelephonyResult):
    story = started(grade).tell(ended(1, result), after=5)
    plan = story.only(PlanAttempt)
    assert (plan.n, plan.reason) == (2, Reason.OWN_FAULT)
    assert plan.not_before == story.now + timedelta(seconds=POLICY.requeue_seconds)
    assert story.case.robot.tries == 0


def test_faults_of_ours_are_bounded_and_end_with_an_alarm_and_a_person():
    story = started(Grade.LOW)
    for n in range(1, POLICY.max_own_faults + 2):
        story.tell(ended(n, T.BLOCKED))
    assert alarms(story) == [AlarmCode.OWN_FAULTS]
    assert tracks(story) == {Track.HUMAN}
    assert story.case.robot.tries == 0
    assert story.case.robot.attempts == POLICY.max_own_faults + 1


def test_a_call_that_counted_ends_the_row_of_faults():
    story = started(Grade.MEDIUM).tell(ended(1, T.BLOCKED)).tell(ended(2, T.NO_ANSWER))
    assert story.case.robot.own_faults == 0


@pytest.mark.parametrize("grade", Grade)
def test_an_unknown_submission_is_never_rung_again_but_a_person_goes(grade: Grade):
    story = started(grade).tell(ended(1, T.UNKNOWN))
    assert not story.of(PlanAttempt)
    assert alarms(story) == [AlarmCode.UNKNOWN_SUBMISSION]
    assert story.case.human.state is StaffTrackState.OPEN
    assert story.case.robot.tries == 0


@pytest.mark.parametrize(
    "event", [ended(1, T.INVALID_NUMBER), answered(1, Answer.WRONG_PERSON, Contact.UNVERIFIED)]
)
@pytest.mark.parametrize("grade", Grade)
def test_a_wrong_number_is_left_for_the_next_one_at_once(grade: Grade, event: object):
    story = started(grade, numbers=2).tell(event, after=5)
    plan = story.only(PlanAttempt)
    assert (plan.number, plan.not_before, plan.reason) == (1, story.now, Reason.NEXT_NUMBER)
    assert story.case.robot.dead_numbers == {0}


@pytest.mark.parametrize(
    ("grade", "waiting"),
    [
        (Grade.EXTRA_HIGH, {Track.HUMAN, Track.VISIT}),
        (Grade.HIGH, {Track.HUMAN, Track.VISIT}),
        (Grade.MEDIUM, {Track.HUMAN}),
    ],
)
def test_no_number_left_goes_to_people(grade: Grade, waiting: set[Track]):
    story = started(grade).tell(ended(1, T.INVALID_NUMBER))
    assert {
        t for t in (Track.HUMAN, Track.VISIT) if assignment_of(story, t) is StaffTrackState.OPEN
    } == waiting
    assert story.case.status is CaseStatus.OPEN


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (ended(1, T.INVALID_NUMBER), OutcomeKind.CANNOT_FIND),
        (ended(1, T.ANSWERED, answer=Answer.WRONG_PERSON), OutcomeKind.MISMATCH),
    ],
)
def test_a_number_that_does_not_exist_is_no_finding_about_the_warning(event: Event, outcome: OutcomeKind):
    story = started(Grade.LOW, id=IN_SAMPLE).tell(event)
    assert story.only(RecordOutcome).outcome is outcome
    assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, outcome)


def assignment_of(story: Story, track: Track) -> StaffTrackState:
    return (story.case.human if track is Track.HUMAN else story.case.visit).state


def test_retries_go_round_the_numbers_and_pass_over_dead_ones():
    story = started(Grade.MEDIUM, numbers=3)
    results = (ended(1, T.NO_ANSWER), ended(2, T.INVALID_NUMBER), ended(3, T.NO_ANSWER))
    rung = [0, *(story.tell(event).only(PlanAttempt).number for event in results)]
    assert rung == [0, 1, 2, 0]


@pytest.mark.parametrize("grade", Grade)
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(Answer.ACKNOWLEDGED, OutcomeKind.DISSUADED_BY_PHONE), (Answer.SAW_THROUGH, OutcomeKind.SAW_THROUGH_IT)],
)
def test_verified_and_convinced_is_a_provisional_success_and_stands_all_down(
    grade: Grade, answer: Answer, outcome: OutcomeKind
):
    story = started(grade)
    open_before = {t for t in (Track.HUMAN, Track.VISIT) if assignment_of(story, t) is StaffTrackState.OPEN}
    story.tell(answered(1, answer), after=40)
    record = story.only(RecordOutcome)
    assert (record.outcome, record.contact, record.track) == (outcome, Contact.VERIFIED, Track.ROBOT)
    assert story.case.status is CaseStatus.WATCHING
    assert story.case.watch_until == story.now + timedelta(seconds=POLICY.watch_seconds)
    assert {w.track for w in story.of(WithdrawAssignment)} == open_before
    assert not story.case.human.is_pending
    assert not story.case.visit.is_pending


@pytest.mark.parametrize("grade", Grade)
@pytest.mark.parametrize("contact", [Contact.NONE, Contact.UNVERIFIED])
@pytest.mark.parametrize("answer", [Answer.ACKNOWLEDGED, Answer.SAW_THROUGH, Answer.DOUBTFUL, Answer.NONE])
def test_without_verified_identity_nothing_is_a_success_and_it_is_rung_again(
    grade: Grade, contact: Contact, answer: Answer
):
    story = started(grade).tell(answered(1, answer, contact))
    assert story.only(PlanAttempt).reason is Reason.NOT_VERIFIED
    assert not story.of(RecordOutcome)
    assert story.case.contact is Contact.UNVERIFIED


@pytest.mark.parametrize("grade", Grade)
@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (Answer.DOUBTFUL, OutcomeKind.HALF_BELIEVES, Reason.DOUBTFUL),
        (Answer.REFUSES, OutcomeKind.REFUSES, Reason.REFUSED),
        (Answer.WANTS_OFFICER, None, Reason.WANTS_OFFICER),
        (Answer.ALREADY_PAID, None, Reason.ALREADY_PAID),
        (Answer.LANGUAGE_OR_HEARING, None, Reason.LANGUAGE_OR_HEARING),
    ],
)
def test_reached_but_not_dissuaded_goes_to_a_person_of_any_grade(
    grade: Grade, answer: Answer, outcome: OutcomeKind | None, reason: Reason
):
    story = started(grade).tell(answered(1, answer))
    assert [r.outcome for r in story.of(RecordOutcome)] == ([outcome] if outcome else [])
    assert not story.of(PlanAttempt)
    assert story.case.robot.reason is reason
    assert story.case.human.state is StaffTrackState.OPEN
    assert story.case.status is CaseStatus.OPEN


@pytest.mark.parametrize(
    ("grade", "state"), [(Grade.HIGH, StaffTrackState.OPEN), (Grade.MEDIUM, StaffTrackState.NONE)]
)
def test_a_refusal_on_high_sends_an_officer_too(grade: Grade, state: StaffTrackState):
    assert started(grade).tell(answered(1, Answer.REFUSES)).case.visit.state is state


def test_already_paid_is_loud():
    assert alarms(started().tell(answered(1, Answer.ALREADY_PAID))) == [AlarmCode.ALREADY_PAID]


@pytest.mark.parametrize(
    ("grade", "case_id", "status"),
    [
        (Grade.EXTRA_HIGH, 242, CaseStatus.OPEN),
        (Grade.HIGH, 242, CaseStatus.OPEN),
        (Grade.MEDIUM, 242, CaseStatus.OPEN),
        (Grade.LOW, IN_SAMPLE, CaseStatus.OPEN),
        (Grade.LOW, 242, CaseStatus.CLOSED),
    ],
)
def test_an_opt_out_during_the_call_ends_the_robot_and_people_by_the_grade(
    grade: Grade, case_id: int, status: CaseStatus
):
    story = started(grade, id=case_id).tell(answered(1, Answer.OPT_OUT, Contact.UNVERIFIED))
    assert story.case.opted_out
    assert story.case.status is status
    assert story.case.human.is_pending is (status is CaseStatus.OPEN)


class TestAnOfficerWantedDuringTheCall:
    def test_is_looked_for_while_the_call_goes_on(self):
        story = started().tell(HandOverRequested(n=1, answer=Answer.WANTS_OFFICER))
        assert story.only(OpenAssignment).reason is Reason.WANTS_OFFICER
        assert story.case.robot.state is RobotState.PENDING

    @pytest.mark.parametrize(
        "end",
        [
            answered(1, Answer.NONE, Contact.UNVERIFIED),
            answered(1, Answer.ACKNOWLEDGED),
            ended(1, T.FAILED),
            answered(1, Answer.WRONG_PERSON),
        ],
    )
    @pytest.mark.parametrize("answer", [Answer.WANTS_OFFICER, Answer.ALREADY_PAID])
    def test_still_comes_however_the_call_ended_and_the_robot_does_not_ring_again(
        self, end: object, answer: Answer
    ):
        story = started().tell(HandOverRequested(n=1, answer=answer)).tell(end)
        assert story.case.status is CaseStatus.OPEN
        assert story.case.human.state is StaffTrackState.OPEN
        assert story.case.robot.state is RobotState.DONE
        assert not story.of(RecordOutcome)

    @pytest.mark.parametrize("result", [T.FAILED, T.UNKNOWN, T.NO_ANSWER, T.DEAD_AIR, T.FORWARDED])
    @pytest.mark.parametrize("grade", list(Grade))
    def test_that_is_known_only_from_the_end_of_the_call_stands_too(self, grade: Grade, result: T):
        story = started(grade).tell(ended(1, result, Contact.NONE, Answer.ALREADY_PAID))
        assert story.only(OpenStopPayment)
        assert (story.case.human.state, story.case.human.reason) == (
            StaffTrackState.OPEN,
            Reason.ALREADY_PAID,
        )
        assert story.case.robot.state is RobotState.DONE
        if grade.is_high and result is T.FORWARDED:
            assert story.case.visit.is_pending, "a caller reaches the same telephone"

    def test_who_has_paid_is_alarmed_at_once_and_only_once(self):
        story = started().tell(HandOverRequested(n=1, answer=Answer.ALREADY_PAID))
        assert alarms(story) == [AlarmCode.ALREADY_PAID]
        assert alarms(story.tell(answered(1, Answer.ALREADY_PAID))) == []

    def test_a_repeated_wish_needs_no_record(self):
        wish = HandOverRequested(n=1, answer=Answer.WANTS_OFFICER)
        story = started().tell(wish)
        before = story.case
        assert story.tell(wish).last == ()
        assert story.case == before

    def test_paid_outweighs_the_wish_for_an_officer_and_not_the_other_way(self):
        story = started().tell(HandOverRequested(n=1, answer=Answer.WANTS_OFFICER))
        story.tell(HandOverRequested(n=1, answer=Answer.ALREADY_PAID))
        assert alarms(story) == [AlarmCode.ALREADY_PAID]
        story.tell(HandOverRequested(n=1, answer=Answer.WANTS_OFFICER))
        assert story.case.robot.reason is Reason.ALREADY_PAID

    @pytest.mark.parametrize("meanwhile", [CallRequested(), GradeChanged(grade=Grade.HIGH)])
    def test_is_not_forgotten_for_what_happens_meanwhile(self, meanwhile: object):
        story = started().tell(HandOverRequested(n=1, answer=Answer.WANTS_OFFICER)).tell(meanwhile)
        story.tell(answered(1, Answer.ACKNOWLEDGED))
        assert story.case.status is CaseStatus.OPEN
        assert story.case.human.state is StaffTrackState.OPEN

    def test_of_another_call_is_no_news(self):
        assert started().tell(HandOverRequested(n=2, answer=Answer.WANTS_OFFICER)).last == ()


class TestUnderAge:
    def test_a_person_rings_the_guardian_whatever_the_grade(self):
        story = started(Grade.LOW, tags=frozenset({Tag.MINOR}))
        assert story.only(OpenAssignment).reason is Reason.MINOR
        assert story.of(PlanAttempt)

    def test_a_child_that_acknowledges_does_not_stand_the_guardian_s_call_down(self):
        story = started(Grade.LOW, tags=frozenset({Tag.MINOR})).tell(answered(1, Answer.ACKNOWLEDGED))
        assert story.case.status is CaseStatus.OPEN
        assert story.case.human.state is StaffTrackState.OPEN
        assert not story.of(RecordOutcome)
        assert not story.of(WithdrawAssignment)


def test_the_end_of_a_call_says_nothing_after_it_was_said_once():
    story = started().tell(ended(1, T.NO_ANSWER))
    before = story.case
    for late in (ended(1, T.NO_ANSWER), answered(1, Answer.ACKNOWLEDGED), ended(3, T.BUSY), ended(0, T.BUSY)):
        assert story.tell(late).last == ()
    assert story.case == before


def test_the_first_ring_is_planned_at_once_in_the_morning():
    plan = started(Grade.LOW).only(PlanAttempt)
    assert (plan.n, plan.number, plan.not_before, plan.reason) == (1, 0, MORNING, Reason.NEW_WARNING)


@pytest.mark.parametrize("result", [T.FAILED, T.UNKNOWN, T.NO_ANSWER, T.CANCELED, T.MACHINE])
def test_an_opt_out_stands_however_the_call_ended(result: T):
    story = started(Grade.HIGH).tell(ended(1, result, Contact.NONE, Answer.OPT_OUT))
    assert story.case.opted_out
    assert (story.case.robot.state, story.case.human.state) == (RobotState.DONE, StaffTrackState.OPEN)


def test_an_opt_out_of_a_forwarded_call_may_be_the_scammers_and_goes_to_people():
    story = started(Grade.HIGH).tell(ended(1, T.FORWARDED, Contact.NONE, Answer.OPT_OUT))
    assert not story.case.opted_out
    assert story.case.robot.state is RobotState.DONE
    assert tracks(story) == {Track.HUMAN, Track.VISIT}
