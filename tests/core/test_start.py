"""How each grade begins, what the night changes, and what a further warning or a changed grade adds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dialer.core.case import CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.errors import Conflict
from dialer.core.events import (
    AlarmCode,
    AssignmentReported,
    AssignmentRequested,
    CallRequested,
    CaseOpened,
    ExpediteAttempt,
    GradeChanged,
    OpenAssignment,
    OptedOut,
    PlanAttempt,
    RaiseAlarm,
    TimePassed,
    WindowClosed,
    WithdrawAssignment,
)
from dialer.core.values import Answer, Contact, FraudType, Grade, OutcomeKind, Tag, TelephonyResult, Track
from tests.core.samples import (
    MORNING,
    NEXT_OPENING,
    NIGHT,
    NOT_IN_SAMPLE,
    POLICY,
    Story,
    answered,
    ended,
    joined,
    started,
)

NONE, SCHEDULED, OPEN = StaffTrackState.NONE, StaffTrackState.SCHEDULED, StaffTrackState.OPEN


def in_seconds(story: Story, at: datetime | None) -> float | None:
    return None if at is None else (at - story.now).total_seconds()


class TestByGrade:
    @pytest.mark.parametrize(
        ("grade", "human", "human_after", "visit", "visit_after"),
        [
            (Grade.EXTRA_HIGH, OPEN, 600, OPEN, 3_600),
            (Grade.HIGH, SCHEDULED, 600, SCHEDULED, 1_800),
            (Grade.MEDIUM, NONE, None, NONE, None),
            (Grade.LOW, NONE, None, NONE, None),
        ],
    )
    def test_every_track_that_the_grade_wants_is_on_its_way(
        self,
        grade: Grade,
        human: StaffTrackState,
        human_after: int | None,
        visit: StaffTrackState,
        visit_after: int | None,
    ):
        story = started(grade)
        case = story.case
        assert case.robot.state is RobotState.PENDING
        assert (case.human.state, in_seconds(story, case.human.at)) == (human, human_after)
        assert (case.visit.state, in_seconds(story, case.visit.at)) == (visit, visit_after)

    def test_an_assignment_carries_its_three_clocks(self):
        story = started(Grade.EXTRA_HIGH)
        human = story.of(OpenAssignment)[0]
        clocks = [in_seconds(story, at) for at in (human.sign_by, human.due_at, human.feedback_by)]
        assert (human.track, clocks) == (Track.HUMAN, [180, 600, 7_200])

    def test_high_without_contact_gets_a_caller_and_then_an_officer(self):
        story = started(Grade.HIGH).tell(TimePassed(), after=600)
        assert story.only(OpenAssignment).track is Track.HUMAN
        story.tell(TimePassed(), after=1_200)
        assert story.only(OpenAssignment).track is Track.VISIT

    def test_a_case_starts_once(self):
        story = started(Grade.EXTRA_HIGH)
        before = story.case
        assert story.tell(CaseOpened()).last == ()
        assert story.case == before

    def test_a_case_that_came_expired_gets_a_person_who_must_explain_and_no_robot(self):
        story = started(Grade.HIGH, missed=True, expires_at=MORNING - timedelta(hours=1))
        assert story.only(RaiseAlarm).code is AlarmCode.MISSED_WARNING
        assert story.only(OpenAssignment).reason is Reason.EXPIRED
        assert not story.of(PlanAttempt)


class TestAtNight:
    @pytest.mark.parametrize("grade", [Grade.MEDIUM, Grade.LOW])
    def test_a_lower_grade_waits_for_the_window(self, grade: Grade):
        story = started(grade, at=NIGHT)
        plan = story.only(PlanAttempt)
        assert (plan.not_before, plan.windowed) == (NEXT_OPENING, True)
        assert not story.of(OpenAssignment)
        assert story.case.due_at == NEXT_OPENING + timedelta(seconds=POLICY.of(grade).robot_patience_seconds)

    def test_high_goes_to_a_person_and_says_why(self):
        story = started(Grade.HIGH, at=NIGHT)
        assert story.only(PlanAttempt).not_before == NEXT_OPENING
        assignment = story.only(OpenAssignment)
        assert (assignment.track, assignment.reason) == (Track.HUMAN, Reason.OUTSIDE_WINDOW)

    def test_a_retry_that_would_come_after_closing_waits_too(self):
        just_before = NIGHT - timedelta(hours=1, minutes=1)
        story = started(Grade.HIGH, at=just_before).tell(ended(1, TelephonyResult.NO_ANSWER))
        assert story.only(PlanAttempt).not_before == NEXT_OPENING
        assert story.only(OpenAssignment).reason is Reason.OUTSIDE_WINDOW

    def test_a_turn_that_comes_after_closing_moves_to_the_opening_once(self):
        story = started(Grade.MEDIUM).tell(WindowClosed(n=1), after=12 * 3_600)
        assert story.only(ExpediteAttempt).not_before == NEXT_OPENING
        assert story.case.robot.attempts == 1
        assert story.case.robot.patience_at == NEXT_OPENING + timedelta(hours=1)
        assert story.tell(WindowClosed(n=1)).last == ()

    def test_the_same_turn_of_a_high_grade_also_gets_a_person(self):
        story = started(Grade.HIGH).tell(WindowClosed(n=1), after=12 * 3_600)
        assert story.only(OpenAssignment).reason is Reason.OUTSIDE_WINDOW

    @pytest.mark.parametrize(("n", "after"), [(1, 0), (2, 12 * 3_600)])
    def test_in_the_open_window_or_of_another_attempt_it_is_no_news(self, n: int, after: int):
        assert started().tell(WindowClosed(n=n), after=after).last == ()

    def test_a_rise_at_night_brings_a_person_although_the_ring_must_wait(self):
        story = started(Grade.LOW, at=NIGHT).tell(GradeChanged(grade=Grade.HIGH))
        assert story.only(ExpediteAttempt).not_before == NEXT_OPENING
        assert not story.only(ExpediteAttempt).windowed
        assert story.only(OpenAssignment).reason is Reason.OUTSIDE_WINDOW


class TestAFurtherWarning:
    def test_the_highest_grade_wins_and_its_tracks_start_at_once(self):
        story = started(Grade.LOW).tell(joined(Grade.EXTRA_HIGH), after=60)
        assert story.case.grade is Grade.EXTRA_HIGH
        assert {effect.track for effect in story.of(OpenAssignment)} == {Track.HUMAN, Track.VISIT}
        expedited_attempts = story.only(ExpediteAttempt)
        assert (expedited_attempts.n, expedited_attempts.windowed, expedited_attempts.not_before) == (
            1,
            False,
            MORNING,
        )
        assert story.case.robot.attempts == 1

    def test_a_lower_grade_needs_no_record_but_the_count(self):
        story = started(Grade.HIGH)
        before = story.case
        story.tell(joined(Grade.LOW))
        assert story.last == ()
        assert story.case == replace(before, warnings=2)

    def test_a_hundred_warnings_make_one_ring(self):
        story = started(Grade.HIGH)
        for _ in range(100):
            story.tell(joined(Grade.HIGH))
        assert story.case.warnings == 101
        assert story.case.robot.attempts == 1

    @pytest.mark.parametrize(
        ("here", "there", "carried"),
        [(5, 3, 5), (3, 5, 5), (None, 5, None), (5, None, None), (None, None, None)],
    )
    def test_the_latest_expiry_wins_and_a_blank_one_never_expires(
        self, here: int | None, there: int | None, carried: int | None
    ):
        def at(hours: int | None) -> datetime | None:
            return None if hours is None else MORNING + timedelta(hours=hours)

        story = started(expires_at=at(here)).tell(joined(Grade.MEDIUM, expires_at=at(there)))
        assert story.case.expires_at == at(carried)

    @pytest.mark.parametrize(
        ("here", "there", "carried"), [(None, 7, 7), (7, None, 7), (7, 9, 9), (9, 7, 9), (None, None, None)]
    )
    def test_the_largest_amount_is_carried_and_never_the_sum(
        self, here: int | None, there: int | None, carried: int | None
    ):
        story = started(amount_at_risk_fen=here).tell(joined(Grade.MEDIUM, amount_at_risk_fen=there))
        assert story.case.amount_at_risk_fen == carried

    def test_a_known_type_replaces_an_unknown_one(self):
        story = started(fraud_type=FraudType.UNKNOWN).tell(joined(Grade.MEDIUM, FraudType.ROMANCE))
        assert story.case.fraud_type is FraudType.ROMANCE

    def test_a_person_found_to_be_under_age_gets_the_guardian_rung(self):
        story = started(Grade.LOW).tell(joined(Grade.LOW, tags=frozenset({Tag.MINOR})))
        assert story.only(OpenAssignment).reason is Reason.MINOR

    def test_a_first_good_number_is_rung_at_once(self):
        story = started(Grade.MEDIUM).tell(ended(1, TelephonyResult.INVALID_NUMBER))
        story.tell(joined(Grade.MEDIUM, numbers=2), after=60)
        plan = story.only(PlanAttempt)
        assert (plan.n, plan.number, plan.not_before) == (2, 1, story.now)

    def test_a_live_one_wakes_the_robot_of_a_case_that_came_expired(self):
        story = started(Grade.HIGH, missed=True).tell(joined(Grade.HIGH))
        assert story.only(PlanAttempt).reason is Reason.NEW_WARNING

    @pytest.mark.parametrize("grade", [Grade.HIGH, Grade.EXTRA_HIGH])
    def test_an_expired_one_rings_nobody_but_must_be_explained(self, grade: Grade):
        story = started(Grade.HIGH, missed=True).tell(joined(grade, missed=True))
        assert story.only(RaiseAlarm).code is AlarmCode.MISSED_WARNING
        assert not story.of(PlanAttempt)

    def test_in_the_watch_period_it_is_counted(self):
        story = started().tell(answered(1, Answer.ACKNOWLEDGED)).tell(joined(Grade.HIGH))
        assert (story.case.warnings, story.case.status, story.last) == (2, CaseStatus.WATCHING, ())


class TestAnOptOut:
    @pytest.mark.parametrize("grade", [Grade.MEDIUM, Grade.HIGH])
    def test_cannot_silence_a_new_high_risk_warning(self, grade: Grade):
        story = started(grade).tell(OptedOut()).tell(joined(Grade.EXTRA_HIGH))
        assert not story.of(PlanAttempt)
        assert story.case.human.state is OPEN
        assert story.case.visit.state is OPEN

    def test_of_a_low_grade_outside_the_sample_ends_the_case_on_record(self):
        story = started(Grade.LOW, id=NOT_IN_SAMPLE).tell(OptedOut())
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.REFUSES)

    @pytest.mark.parametrize("grade", [Grade.EXTRA_HIGH, Grade.HIGH, Grade.MEDIUM])
    def test_of_a_higher_grade_leaves_a_person_on_it_at_once(self, grade: Grade):
        story = started(grade).tell(OptedOut())
        assert story.case.robot.state is RobotState.DONE
        assert story.case.human.state is OPEN

    def test_holds_against_a_requested_ring(self):
        story = started(Grade.HIGH).tell(OptedOut())
        with pytest.raises(Conflict, match="asked not to be called"):
            story.tell(CallRequested())

    def test_twice_needs_no_record(self):
        story = started(Grade.HIGH).tell(OptedOut())
        before = story.case
        assert story.tell(OptedOut()).last == ()
        assert story.case == before


class TestAGrade:
    def test_that_rises_after_the_robot_rings_again_while_tries_are_left(self):
        story = (
            started(Grade.MEDIUM)
            .tell(ended(1, TelephonyResult.FORWARDED))
            .tell(GradeChanged(grade=Grade.HIGH))
        )
        assert story.only(PlanAttempt).reason is Reason.GRADE_RAISED

    def test_that_rises_and_falls_for_ever_does_not_ring_for_ever(self):
        story = started(Grade.MEDIUM)
        for n in range(1, 20):
            story.tell(ended(n, TelephonyResult.NO_ANSWER))
            story.tell(GradeChanged(grade=Grade.LOW)).tell(GradeChanged(grade=Grade.HIGH))
        assert story.case.robot.attempts <= 3

    def test_that_rises_after_faults_of_ours_still_has_all_its_tries(self):
        story = started(Grade.MEDIUM)
        for n in range(1, POLICY.max_own_faults + 2):
            story.tell(ended(n, TelephonyResult.BLOCKED))
        assert story.tell(GradeChanged(grade=Grade.HIGH)).of(PlanAttempt)

    def test_that_rises_where_no_robot_may_ring_gets_a_person_at_once(self):
        story = started(Grade.MEDIUM).tell(ended(1, TelephonyResult.INVALID_NUMBER))
        story.tell(
            AssignmentReported(track=Track.HUMAN, outcome=OutcomeKind.CANNOT_FIND_YET, contact=Contact.NONE)
        )
        story.tell(GradeChanged(grade=Grade.EXTRA_HIGH))
        assert story.only(OpenAssignment).track is Track.HUMAN
        assert not story.of(PlanAttempt)

    def test_that_falls_takes_back_whom_only_its_clock_would_have_sent(self):
        story = started(Grade.HIGH).tell(GradeChanged(grade=Grade.LOW))
        assert (story.case.human.state, story.case.visit.state) == (NONE, NONE)
        story.tell(TimePassed(), after=1_800)
        assert story.case.visit.state is NONE

    def test_that_falls_leaves_whoever_is_on_the_way(self):
        story = started(Grade.EXTRA_HIGH).tell(GradeChanged(grade=Grade.LOW))
        assert (story.case.human.state, story.case.visit.state) == (OPEN, OPEN)
        assert not story.of(WithdrawAssignment)

    def test_that_falls_leaves_the_only_person_who_would_still_come(self):
        story = started(Grade.HIGH).tell(AssignmentRequested(track=Track.VISIT))
        story.tell(ended(1, TelephonyResult.NO_ANSWER)).tell(ended(2, TelephonyResult.NO_ANSWER))
        story.tell(AssignmentReported(track=Track.VISIT, outcome=OutcomeKind.MISMATCH, contact=Contact.NONE))
        assert story.tell(GradeChanged(grade=Grade.LOW)).case.human.state is SCHEDULED

    def test_that_rises_does_not_put_off_a_caller_who_comes_earlier(self):
        later = replace(POLICY.of(Grade.EXTRA_HIGH), human_after_seconds=900)
        policy = replace(POLICY, grades={**POLICY.grades, Grade.EXTRA_HIGH: later})
        story = started(Grade.HIGH, policy=policy).tell(GradeChanged(grade=Grade.EXTRA_HIGH), after=300)
        assert story.case.human.at == MORNING + timedelta(seconds=600)

    def test_that_rises_while_an_officer_waits_to_come_again_gets_a_caller_at_once(self):
        story = started(Grade.MEDIUM).tell(ended(1, TelephonyResult.INVALID_NUMBER))
        story.tell(AssignmentReported(track=Track.HUMAN, outcome=OutcomeKind.REFUSES, contact=Contact.NONE))
        story.tell(
            AssignmentReported(track=Track.VISIT, outcome=OutcomeKind.CANNOT_FIND_YET, contact=Contact.NONE)
        )
        assert story.tell(GradeChanged(grade=Grade.HIGH)).case.human.state is OPEN

    def test_that_a_person_raises_does_not_ring_for_an_expired_warning(self):
        story = started(Grade.HIGH, missed=True).tell(GradeChanged(grade=Grade.EXTRA_HIGH))
        assert not story.of(PlanAttempt)

    def test_that_rises_does_not_let_the_robot_ring_whom_it_reached(self):
        story = started(Grade.MEDIUM).tell(answered(1, Answer.DOUBTFUL)).tell(GradeChanged(grade=Grade.HIGH))
        assert not story.of(PlanAttempt)
        assert story.case.human.state is OPEN

    def test_that_stays_is_no_news(self):
        assert started(Grade.HIGH).tell(GradeChanged(grade=Grade.HIGH)).last == ()


class TestARequest:
    def test_for_a_ring_moves_the_pending_one_forward(self):
        story = started().tell(ended(1, TelephonyResult.NO_ANSWER)).tell(CallRequested(), after=10)
        assert story.only(ExpediteAttempt).not_before == story.now
        assert story.case.robot.attempts == 2

    def test_for_a_ring_again_and_again_does_not_put_off_the_alarm(self):
        story = started(Grade.MEDIUM).tell(CallRequested(), after=3_000)
        assert story.case.robot.patience_at == MORNING + timedelta(seconds=3_600)

    def test_for_a_ring_after_the_robot_ended_makes_one_more(self):
        story = started().tell(ended(1, TelephonyResult.FORWARDED)).tell(CallRequested())
        assert story.only(PlanAttempt).reason is Reason.ON_REQUEST

    def test_for_a_ring_without_a_number_left_conflicts(self):
        story = started().tell(ended(1, TelephonyResult.INVALID_NUMBER))
        with pytest.raises(Conflict, match="no number left"):
            story.tell(CallRequested())

    @pytest.mark.parametrize("track", [Track.HUMAN, Track.VISIT])
    def test_for_a_person_opens_that_errand(self, track: Track):
        assignment = started(Grade.LOW).tell(AssignmentRequested(track=track)).only(OpenAssignment)
        assert (assignment.track, assignment.reason) == (track, Reason.ON_REQUEST)

    def test_for_a_robot_as_a_person_conflicts(self):
        with pytest.raises(Conflict, match="the robot is not staff"):
            started().tell(AssignmentRequested(track=Track.ROBOT))

    def test_a_requested_visit_is_not_undone_by_a_number_that_is_dead(self):
        story = started(Grade.LOW).tell(AssignmentRequested(track=Track.VISIT))
        story.tell(ended(1, TelephonyResult.INVALID_NUMBER))
        assert (story.case.status, story.case.visit.state) == (CaseStatus.OPEN, OPEN)

    @pytest.mark.parametrize(
        "event",
        [CallRequested(), AssignmentRequested(track=Track.HUMAN), GradeChanged(grade=Grade.HIGH)],
    )
    def test_of_a_case_that_is_over_conflicts_and_says_what_it_is_now(self, event: object):
        story = started().tell(answered(1, Answer.ACKNOWLEDGED))
        with pytest.raises(Conflict) as refusal:
            story.tell(event)
        assert refusal.value.current == "watching/dissuaded_by_phone"
