"""How a case ends: expiry, the watch period, a person's hand, a filed case. Settled is final but for the last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.case import BeforeFiling, CaseStatus, FollowUp, Reason, RobotState, StaffTrackState
from dialer.core.decide import decide
from dialer.core.errors import Conflict
from dialer.core.events import (
    AlarmCode,
    AttemptEnded,
    CaseClosed,
    CaseFiled,
    Event,
    FilingUndone,
    HandOverRequested,
    OpenAssignment,
    PersonCalledIn,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    ReverseOutcome,
    TimePassed,
    WindowClosed,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.values import SUCCESSES, Answer, Contact, Grade, OutcomeKind, TelephonyResult, Track
from tests.core.samples import (
    IN_SAMPLE,
    MORNING,
    NOT_IN_SAMPLE,
    POLICY,
    Story,
    answered,
    ended,
    has_next_step,
    joined,
    started,
)

HOUR = 3_600


def expiring(grade: Grade, **fields: object) -> Story:
    return started(grade, expires_at=MORNING + timedelta(hours=1), **fields)


def succeeded(grade: Grade = Grade.MEDIUM) -> Story:
    return started(grade).tell(answered(1, Answer.ACKNOWLEDGED))


def proven() -> Story:
    return succeeded().tell(TimePassed(), after=POLICY.watch_seconds)


class TestExpiry:
    @pytest.mark.parametrize("grade", [Grade.EXTRA_HIGH, Grade.HIGH])
    def test_of_a_high_grade_is_missed_and_alarmed_and_a_person_must_explain(self, grade: Grade):
        story = expiring(grade).tell(TimePassed(), after=HOUR)
        assert story.case.missed
        assert AlarmCode.MISSED_WARNING in {effect.code for effect in story.of(RaiseAlarm)}
        assert story.only(WithdrawAttempt).reason is Reason.EXPIRED
        assert story.case.human.state is StaffTrackState.OPEN

    def test_of_a_medium_grade_goes_to_a_person(self):
        story = expiring(Grade.MEDIUM).tell(TimePassed(), after=HOUR)
        assert story.only(OpenAssignment).reason is Reason.EXPIRED
        assert story.case.missed

    def test_of_a_low_grade_goes_to_the_sample_and_else_ends_as_missed(self):
        assert expiring(Grade.LOW, id=IN_SAMPLE).tell(TimePassed(), after=HOUR).only(OpenAssignment)
        story = expiring(Grade.LOW, id=NOT_IN_SAMPLE).tell(TimePassed(), after=HOUR)
        record = story.only(RecordOutcome)
        assert (record.outcome, record.track, record.reason) == (OutcomeKind.MISSED, None, Reason.EXPIRED)
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.MISSED)

    def test_comes_at_its_time_and_not_before(self):
        story = expiring(Grade.LOW)
        assert story.case.due_at == MORNING + timedelta(hours=1)
        assert story.tell(TimePassed(), after=HOUR - 1).last == ()

    def test_is_no_miss_where_the_person_was_reached(self):
        story = expiring(Grade.MEDIUM).tell(answered(1, Answer.DOUBTFUL)).tell(TimePassed(), after=HOUR)
        assert not story.case.missed
        assert story.case.due_at is not None
        assert story.case.due_at > story.now

    @pytest.mark.parametrize(
        "result",
        [
            TelephonyResult.BUSY,
            TelephonyResult.DEAD_AIR,
            TelephonyResult.BLOCKED,
            TelephonyResult.INVALID_NUMBER,
        ],
    )
    @pytest.mark.parametrize("grade", list(Grade))
    def test_during_a_call_plans_no_other_call(self, grade: Grade, result: TelephonyResult):
        story = expiring(grade, numbers=2, id=IN_SAMPLE).tell(TimePassed(is_at_carrier=True), after=HOUR)
        assert (story.case.missed, story.case.robot.state) == (True, RobotState.PENDING)
        story.tell(ended(1, result))
        assert story.of(PlanAttempt) == []
        assert story.case.human.state is StaffTrackState.OPEN

    def test_during_a_call_ends_a_case_outside_the_sample_as_missed(self):
        story = expiring(Grade.LOW, numbers=2).tell(TimePassed(is_at_carrier=True), after=HOUR)
        story.tell(ended(1, TelephonyResult.INVALID_NUMBER))
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.MISSED)

    @pytest.mark.parametrize("missed", [True, False])
    def test_is_over_when_a_warning_joins_that_has_not_expired(self, missed: bool):
        """The case opened expired, or expired later: the robot calls up to the new expiry, which is missed too."""
        story = started(Grade.HIGH, missed=True) if missed else expiring(Grade.HIGH)
        story.tell(TimePassed(), after=HOUR)
        assert story.case.missed
        story.tell(joined(Grade.EXTRA_HIGH, expires_at=MORNING + timedelta(hours=8)))
        assert (story.case.missed, story.case.expires_at) == (False, MORNING + timedelta(hours=8))
        assert story.case.robot.state is RobotState.PENDING
        story.tell(ended(story.case.robot.attempts, TelephonyResult.NO_ANSWER))
        assert story.only(PlanAttempt).reason is Reason.RETRY
        story.tell(TimePassed(), after=7 * HOUR)
        assert story.case.missed
        assert AlarmCode.MISSED_WARNING in {effect.code for effect in story.of(RaiseAlarm)}

    def test_goes_on_when_another_expired_warning_joins(self):
        story = started(Grade.HIGH, missed=True).tell(joined(Grade.HIGH, missed=True, expires_at=MORNING))
        assert (story.case.missed, story.case.robot.state) == (True, RobotState.OFF)

    def test_that_a_later_warning_moved_waits_with_it(self):
        story = expiring(Grade.LOW).tell(joined(Grade.LOW, expires_at=MORNING + timedelta(hours=2)))
        assert not story.tell(TimePassed(), after=HOUR).case.missed


class TestTheWatchPeriod:
    def test_that_passes_with_no_case_filed_proves_the_success(self):
        story = succeeded()
        assert story.case.due_at == story.case.watch_until
        assert story.tell(TimePassed(), after=POLICY.watch_seconds - 1).case.status is CaseStatus.WATCHING
        story.tell(TimePassed(), after=1)
        assert story.case.status is CaseStatus.PROVEN
        assert story.case.due_at is None

    @pytest.mark.parametrize("before", [succeeded, proven])
    def test_with_a_case_filed_in_or_after_it_was_no_success(self, before: object):
        story = before().tell(CaseFiled())
        assert story.case.status is CaseStatus.REVERSED
        assert story.only(ReverseOutcome).reason is Reason.CASE_FILED
        assert story.only(RaiseAlarm).code is AlarmCode.DEFRAUDED_AFTER_SUCCESS
        assert story.only(RecordOutcome).outcome is OutcomeKind.ALREADY_DEFRAUDED


class TestAFiledCase:
    def test_of_an_open_case_stands_everything_down(self):
        story = started(Grade.EXTRA_HIGH).tell(CaseFiled())
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.ALREADY_DEFRAUDED)
        assert story.only(WithdrawAttempt).n == 1
        assert {effect.track for effect in story.of(WithdrawAssignment)} == {Track.HUMAN, Track.VISIT}
        assert not story.of(ReverseOutcome)

    def test_of_one_that_ended_otherwise_is_recorded_without_a_success_to_undo(self):
        story = started().tell(CaseClosed(outcome=OutcomeKind.CANNOT_FIND)).tell(CaseFiled())
        assert story.only(RecordOutcome).outcome is OutcomeKind.ALREADY_DEFRAUDED
        assert not story.of(ReverseOutcome)
        assert story.case.status is CaseStatus.CLOSED

    @pytest.mark.parametrize("before", [succeeded, proven, started])
    def test_twice_needs_no_record(self, before: object):
        story = before().tell(CaseFiled())
        once = story.case
        assert story.tell(CaseFiled()).last == ()
        assert story.case == once


class TestAFilingThatIsUndone:
    def test_brings_back_the_call_back_to_a_person_who_called_us_in_the_watch_period(self):
        story = succeeded().tell(PersonCalledIn(from_own_number=True), after=HOUR)
        before = BeforeFiling.of(story.case)
        story.tell(CaseFiled()).tell(FilingUndone(before=before))
        assert story.case.status is CaseStatus.WATCHING
        assert story.only(OpenAssignment).reason is Reason.CALLED_IN

    def test_brings_back_no_assignment_of_a_follow_up_which_begins_again(self):
        story = succeeded()
        watched = replace(
            story.case,
            human=replace(
                story.case.human, state=StaffTrackState.OPEN, at=story.now, reason=Reason.FOLLOW_UP
            ),
            follow_up=FollowUp(by=Track.HUMAN),
        )
        story = Story(watched).tell(CaseFiled()).tell(FilingUndone(before=BeforeFiling.of(watched)))
        assert (story.of(OpenAssignment), story.case.follow_up.at) == ([], story.now)

    def test_plans_no_call_of_a_warning_that_expired_during_the_last_one(self):
        story = expiring(Grade.HIGH).tell(TimePassed(is_at_carrier=True), after=HOUR)
        before = BeforeFiling.of(story.case)
        story.tell(CaseFiled()).tell(FilingUndone(before=before))
        assert story.of(PlanAttempt) == []
        assert story.case.human.state is StaffTrackState.OPEN


class TestClosingByHand:
    @pytest.mark.parametrize("outcome", sorted(set(OutcomeKind) - SUCCESSES))
    def test_ends_everything_and_is_on_record(self, outcome: OutcomeKind):
        story = started(Grade.EXTRA_HIGH).tell(CaseClosed(outcome=outcome))
        assert (story.case.status, story.case.outcome) == (CaseStatus.CLOSED, outcome)
        assert story.only(RecordOutcome).outcome is outcome
        assert story.only(WithdrawAttempt).n == 1
        assert len(story.of(WithdrawAssignment)) == 2

    @pytest.mark.parametrize("outcome", sorted(SUCCESSES))
    def test_as_a_success_conflicts_also_after_verified_contact(self, outcome: OutcomeKind):
        story = started().tell(answered(1, Answer.DOUBTFUL))
        assert story.case.contact is Contact.VERIFIED
        with pytest.raises(Conflict, match="comes from a call or a visit"):
            story.tell(CaseClosed(outcome=outcome))

    def test_twice_conflicts_and_shows_the_first(self):
        story = started().tell(CaseClosed(outcome=OutcomeKind.TRANSFERRED))
        with pytest.raises(Conflict) as refusal:
            story.tell(CaseClosed(outcome=OutcomeKind.REFUSES))
        assert refusal.value.current == "closed/transferred"


LATE = (
    answered(1, Answer.ACKNOWLEDGED),
    ended(1, TelephonyResult.BUSY),
    HandOverRequested(n=1, answer=Answer.ALREADY_PAID),
    WindowClosed(n=1),
    TimePassed(),
    joined(Grade.EXTRA_HIGH),
)


@pytest.mark.parametrize("late", LATE)
def test_late_news_of_a_settled_case_needs_no_record(late: Event):
    story = started().tell(CaseClosed(outcome=OutcomeKind.TRANSFERRED))
    before = story.case
    assert story.tell(late, after=40 * HOUR).last == ()
    assert story.case == before


def test_a_settled_case_waits_for_nothing_and_has_no_robot():
    case = started(Grade.HIGH).tell(CaseClosed(outcome=OutcomeKind.DUPLICATE)).case
    assert has_next_step(case)
    assert case.due_at is None
    assert case.robot.state is RobotState.DONE


_ends = st.builds(
    AttemptEnded,
    n=st.just(0),
    result=st.sampled_from(TelephonyResult),
    contact=st.sampled_from(Contact),
    answer=st.sampled_from(Answer),
)


@given(
    data=st.data(),
    grade=st.sampled_from(Grade),
    called_before=st.integers(0, 2),
    right=_ends,
    others=st.lists(_ends, max_size=5),
)
def test_whatever_the_order_and_number_of_repeats_one_call_ends_once(
    data: st.DataObject, grade: Grade, called_before: int, right: AttemptEnded, others: list[AttemptEnded]
):
    """Ends of other attempts, earlier or never made, arrive around the right one, and it arrives several times."""
    story = started(grade, numbers=2)
    for n in range(1, called_before + 1):
        story.tell(ended(n, TelephonyResult.BLOCKED))
    newest = story.case.robot.attempts
    the_end = AttemptEnded(n=newest, result=right.result, contact=right.contact, answer=right.answer)
    wrong = st.sampled_from([*range(-1, newest), newest + 2])
    stray = [
        AttemptEnded(n=data.draw(wrong), result=other.result, contact=other.contact, answer=other.answer)
        for other in others
    ]
    expected = decide(story.case, the_end, story.now, POLICY)
    case, effects = story.case, []
    for event in data.draw(st.permutations([the_end, the_end, *stray])):
        decision = decide(case, event, story.now, POLICY)
        case = decision.case
        effects.extend(decision.effects)
    assert case == expected.case
    assert tuple(effects) == expected.effects
