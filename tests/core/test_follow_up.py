"""Follow-ups in the watch period: when they come, what they find, and what undoes a success."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core.case import CaseStatus, FollowUp, Reason, RobotState, StaffTrackState
from dialer.core.events import (
    AlarmCode,
    AssignmentReported,
    CaseFiled,
    ExpediteAssignment,
    HandOverRequested,
    OpenAssignment,
    OpenStopPayment,
    OptedOut,
    PersonCalledIn,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    ReverseOutcome,
    TimePassed,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.policy import Policy, from_plain, to_plain
from dialer.core.values import Answer, Contact, Grade, OutcomeKind, Tag, TelephonyResult, Track
from tests.core.samples import GRADES, MORNING, NIGHT, POLICY, Story, answered, ended, started

DAY = 86_400
HOUR = 3_600
WAYS = {
    Grade.EXTRA_HIGH: (Track.ROBOT, Track.HUMAN),
    Grade.HIGH: (Track.ROBOT, None),
    Grade.MEDIUM: (Track.HUMAN, Track.ROBOT),
    Grade.LOW: (Track.VISIT, None),
}


def policy(**fields: object) -> Policy:
    grades = {
        grade: replace(rules, follow_up_by=WAYS[grade][0], follow_up_then=WAYS[grade][1], **fields)
        for grade, rules in GRADES.items()
    }
    return replace(POLICY, grades=grades)


RULES = policy()


def succeeded(grade: Grade, rules: Policy = RULES, **fields: object) -> Story:
    return started(grade, policy=rules, **fields).tell(answered(1, Answer.ACKNOWLEDGED))


def followed_up(grade: Grade = Grade.HIGH, rules: Policy = RULES, **fields: object) -> Story:
    """The follow-up has just begun."""
    return succeeded(grade, rules, **fields).tell(TimePassed(), after=DAY)


def reported(outcome: OutcomeKind, track: Track = Track.HUMAN) -> AssignmentReported:
    return AssignmentReported(track=track, outcome=outcome, contact=Contact.VERIFIED)


class TestPlanning:
    def test_is_a_call_of_its_own_a_day_later_in_the_window(self):
        story = succeeded(Grade.HIGH)
        assert story.case.follow_up == FollowUp(by=Track.ROBOT, at=MORNING + timedelta(days=1))
        assert story.case.due_at == MORNING + timedelta(days=1)
        assert not story.of(PlanAttempt)
        assert story.tell(TimePassed(), after=DAY - 1).last == ()
        plan = story.tell(TimePassed(), after=1).only(PlanAttempt)
        assert (plan.n, plan.reason, plan.windowed) == (2, Reason.FOLLOW_UP, True)
        assert plan.urgency_at == story.now, "a follow-up goes before no warning"
        assert (story.case.status, story.case.robot.tries) == (CaseStatus.WATCHING, 1)

    def test_at_night_waits_for_the_opening(self):
        late = succeeded(Grade.HIGH, policy(follow_up_after_seconds=12 * HOUR))
        assert late.case.follow_up.at == RULES.window.next_open(NIGHT)
        slow = succeeded(Grade.HIGH).tell(TimePassed(), after=DAY + 12 * HOUR)
        assert (slow.of(PlanAttempt), slow.case.follow_up.at) == ([], RULES.window.next_open(slow.now))

    def test_is_none_without_a_policy_and_of_none_that_is_stored_without_one(self):
        assert started().tell(answered(1, Answer.ACKNOWLEDGED)).case.follow_up == FollowUp()
        plain = to_plain(RULES)
        assert from_plain(plain, version=1) == RULES
        for rules in plain["grades"].values():
            for name in [name for name in rules if name.startswith("follow_up")]:
                del rules[name]
        assert from_plain(plain, version=1) == POLICY

    def test_that_would_come_after_the_watch_does_not_come(self):
        story = succeeded(Grade.HIGH, policy(follow_up_after_seconds=POLICY.watch_seconds))
        assert story.case.follow_up == FollowUp()
        assert story.case.due_at == story.case.watch_until

    @pytest.mark.parametrize("grade", [Grade.MEDIUM, Grade.LOW])
    def test_by_people_is_an_assignment_with_its_clocks(self, grade: Grade):
        work = followed_up(grade).only(OpenAssignment)
        assert (work.track, work.reason) == (WAYS[grade][0], Reason.FOLLOW_UP)
        assert work.urgency_at == work.sign_by - timedelta(seconds=GRADES[grade].sign_seconds)

    def test_of_a_minor_is_never_a_robots(self):
        story = started(Grade.EXTRA_HIGH, policy=RULES, tags=frozenset({Tag.MINOR}))
        story.tell(reported(OutcomeKind.DISSUADED_BY_PHONE))
        assert story.case.follow_up.by is Track.HUMAN


class TestThatFindsNothing:
    @pytest.mark.parametrize("answer", [Answer.ACKNOWLEDGED, Answer.SAW_THROUGH])
    def test_leaves_the_success_provisional_until_the_watch_ends(self, answer: Answer):
        story = followed_up().tell(answered(2, answer))
        assert story.last == (), "one success, one line of the ledger"
        assert (story.case.status, story.case.follow_up) == (CaseStatus.WATCHING, FollowUp())
        assert story.case.due_at == story.case.watch_until
        assert story.tell(TimePassed(), after=6 * DAY).case.status is CaseStatus.PROVEN

    def test_by_a_caller_is_on_record_as_a_follow_up(self):
        story = followed_up(Grade.MEDIUM).tell(reported(OutcomeKind.DISSUADED_BY_PHONE))
        assert story.only(RecordOutcome).reason is Reason.FOLLOW_UP
        assert (story.case.status, story.case.follow_up) == (CaseStatus.WATCHING, FollowUp())

    def test_since_the_person_wants_none_comes_no_more(self):
        story = followed_up(Grade.EXTRA_HIGH).tell(answered(2, Answer.OPT_OUT))
        assert story.case.opted_out
        assert (story.case.status, story.case.follow_up) == (CaseStatus.WATCHING, FollowUp())


class TestAtTheEndOfTheWatch:
    def test_a_call_is_heard_to_its_end_and_what_is_overdue_raises_its_alarm_now(self):
        before_the_end = policy(
            follow_up_after_seconds=POLICY.watch_seconds - GRADES[Grade.HIGH].human_due_seconds
        )
        story = succeeded(Grade.HIGH, before_the_end)
        end = story.case.watch_until
        wait = (story.case.follow_up.at - story.now).total_seconds()
        story.tell(TimePassed(), after=wait).tell(PersonCalledIn(from_own_number=False))
        assert story.case.human.at == end
        story.tell(TimePassed(is_at_carrier=True), after=(end - story.now).total_seconds())
        assert story.case.status is CaseStatus.WATCHING, "the call goes on"
        assert story.case.watch_until == end + timedelta(minutes=15)
        assert story.last == (RaiseAlarm(code=AlarmCode.HUMAN_OVERDUE),)
        assert story.tell(TimePassed(is_at_carrier=True)).last == (), "all that was due has been done"


class TestThatFindsDanger:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer.ALREADY_PAID, Reason.ALREADY_PAID),
            (Answer.IN_CONTACT, Reason.IN_CONTACT),
            (Answer.WANTS_OFFICER, Reason.WANTS_OFFICER),
            (Answer.REFUSES, Reason.REFUSED),
        ],
    )
    def test_opens_the_case_again_for_people_and_undoes_the_success(self, answer: Answer, reason: Reason):
        story = followed_up().tell(answered(2, answer))
        assert story.only(ReverseOutcome).reason is Reason.FOLLOW_UP
        assert (story.case.status, story.case.reopened) == (CaseStatus.OPEN, True)
        work = next(effect for effect in story.of(OpenAssignment) if effect.track is Track.HUMAN)
        assert work.reason is reason
        assert work.urgency_at < story.now - timedelta(days=29), "before everything else"
        assert bool(story.of(OpenStopPayment)) is (answer is Answer.ALREADY_PAID)
        assert story.case.robot.state is RobotState.DONE
        story.tell(reported(OutcomeKind.DISSUADED_BY_PHONE))
        assert story.case.status is CaseStatus.WATCHING, "a new success, a new watch"
        assert story.case.follow_up.by is Track.ROBOT

    def test_while_the_call_goes_on_opens_it_at_once(self):
        story = followed_up().tell(HandOverRequested(n=2, answer=Answer.ALREADY_PAID))
        assert story.only(ReverseOutcome)
        assert story.only(OpenStopPayment)
        assert story.only(OpenAssignment).reason is Reason.ALREADY_PAID
        assert story.tell(ended(2, TelephonyResult.ANSWERED)).of(ReverseOutcome) == []
        assert story.case.status is CaseStatus.OPEN

    def test_by_a_caller_is_followed_by_what_follows_any_report(self):
        story = followed_up(Grade.MEDIUM).tell(reported(OutcomeKind.REFUSES))
        assert story.only(ReverseOutcome)
        assert story.only(OpenAssignment).track is Track.VISIT
        paid = followed_up(Grade.MEDIUM).tell(reported(OutcomeKind.ALREADY_DEFRAUDED))
        assert paid.only(RaiseAlarm).code is AlarmCode.ALREADY_PAID
        assert (paid.case.status, paid.case.outcome) == (CaseStatus.CLOSED, OutcomeKind.ALREADY_DEFRAUDED)


class TestAnAnswerStandsHoweverTheCallEnded:
    @pytest.mark.parametrize(
        "result",
        [TelephonyResult.FAILED, TelephonyResult.UNKNOWN, TelephonyResult.BLOCKED, TelephonyResult.CANCELED],
    )
    def test_who_wants_no_more_calls_gets_none(self, result: TelephonyResult):
        story = followed_up(Grade.EXTRA_HIGH).tell(ended(2, result, Contact.VERIFIED, Answer.OPT_OUT))
        assert (story.case.status, story.case.opted_out) == (CaseStatus.WATCHING, True)
        assert story.case.follow_up == FollowUp()

    @pytest.mark.parametrize(
        "result", [TelephonyResult.FAILED, TelephonyResult.UNKNOWN, TelephonyResult.FORWARDED]
    )
    @pytest.mark.parametrize("answer", [Answer.IN_CONTACT, Answer.ALREADY_PAID, Answer.REFUSES])
    def test_who_is_in_danger_is_looked_after(self, answer: Answer, result: TelephonyResult):
        story = followed_up().tell(ended(2, result, Contact.NONE, answer))
        assert story.only(ReverseOutcome)
        assert (story.case.status, story.case.human.state) == (CaseStatus.OPEN, StaffTrackState.OPEN)

    def test_but_no_opt_out_of_a_forwarded_call(self):
        story = followed_up().tell(ended(2, TelephonyResult.FORWARDED, Contact.NONE, Answer.OPT_OUT))
        assert not story.case.opted_out
        assert (story.case.follow_up.by, story.case.follow_up.tries) == (Track.ROBOT, 1)


class TestThatFindsDangerWhileAnAssignmentIsOpen:
    """The person has called us meanwhile: the human call stays the one that it was. `Story` counts the rows."""

    @pytest.mark.parametrize("answer", [Answer.ALREADY_PAID, Answer.WANTS_OFFICER])
    def test_during_the_call_moves_it_up_for_the_wish(self, answer: Answer):
        story = followed_up().tell(PersonCalledIn(from_own_number=False))
        story.tell(HandOverRequested(n=2, answer=answer))
        assert story.of(OpenAssignment) == []
        assert story.only(ExpediteAssignment).reason.value == answer.value
        assert story.case.status is CaseStatus.OPEN

    def test_at_the_end_of_the_call_leaves_it_before_everything_else(self):
        story = followed_up().tell(PersonCalledIn(from_own_number=False)).tell(answered(2, Answer.IN_CONTACT))
        assert story.of(OpenAssignment) == []
        assert (story.case.status, story.case.human.reason) == (CaseStatus.OPEN, Reason.CALLED_IN)

    def test_by_an_officer_that_ends_the_case_withdraws_it(self):
        story = followed_up(Grade.LOW).tell(PersonCalledIn(from_own_number=False))
        story.tell(reported(OutcomeKind.REFUSES, Track.VISIT))
        assert story.case.status is CaseStatus.CLOSED
        assert story.only(WithdrawAssignment).track is Track.HUMAN

    def test_by_the_caller_makes_the_visit_of_the_follow_up_the_cases_own(self):
        story = followed_up(Grade.LOW).tell(PersonCalledIn(from_own_number=False))
        story.tell(reported(OutcomeKind.HALF_BELIEVES))
        assert (story.case.status, story.case.visit.reason) == (CaseStatus.OPEN, Reason.HUMAN_FAILED)
        assert story.only(ExpediteAssignment).urgency_at < story.now - timedelta(days=29)
        assert story.of(OpenAssignment) == []


class TestThatReachesNobody:
    def test_is_tried_again_after_the_gap_then_by_the_next_way(self):
        story = followed_up(Grade.EXTRA_HIGH).tell(ended(2, TelephonyResult.NO_ANSWER))
        assert story.case.follow_up == FollowUp(by=Track.ROBOT, at=story.now + timedelta(hours=4), tries=1)
        assert story.tell(TimePassed(), after=4 * HOUR).only(PlanAttempt).n == 3
        story.tell(answered(3, Answer.DOUBTFUL))
        assert story.case.follow_up == FollowUp(by=Track.HUMAN, at=story.now)
        assert story.tell(TimePassed()).only(OpenAssignment).track is Track.HUMAN
        story.tell(reported(OutcomeKind.CANNOT_FIND_YET))
        assert (story.case.status, story.case.follow_up) == (CaseStatus.WATCHING, FollowUp())

    def test_ends_with_the_tries_where_there_is_no_next_way(self):
        story = followed_up(rules=policy(follow_up_tries=1)).tell(ended(2, TelephonyResult.BUSY))
        assert (story.case.status, story.case.follow_up) == (CaseStatus.WATCHING, FollowUp())

    def test_through_a_fault_of_ours_uses_no_try_up(self):
        story = followed_up().tell(ended(2, TelephonyResult.BLOCKED))
        assert story.case.follow_up == FollowUp(
            by=Track.ROBOT, at=story.now + timedelta(seconds=POLICY.requeue_seconds)
        )

    def test_at_a_dead_number_calls_the_next_one_at_once(self):
        story = followed_up(numbers=2).tell(ended(2, TelephonyResult.INVALID_NUMBER)).tell(TimePassed())
        assert story.only(PlanAttempt).number == 1
        story.tell(answered(3, Answer.WRONG_PERSON))
        assert (story.case.status, story.case.follow_up) == (CaseStatus.WATCHING, FollowUp())

    def test_and_may_have_rung_is_never_dialled_again(self):
        story = followed_up().tell(ended(2, TelephonyResult.UNKNOWN))
        assert story.only(RaiseAlarm).code is AlarmCode.UNKNOWN_SUBMISSION
        assert story.case.follow_up == FollowUp()

    def test_by_a_caller_in_time_raises_an_alarm_and_goes_on(self):
        story = followed_up(Grade.MEDIUM).tell(TimePassed(), after=GRADES[Grade.MEDIUM].human_due_seconds)
        assert [alarm.code for alarm in story.of(RaiseAlarm)] == [AlarmCode.HUMAN_OVERDUE]
        assert story.of(OpenAssignment) == []
        assert story.case.human.state is StaffTrackState.OPEN


class TestTheEndOfTheWatch:
    def test_withdraws_what_is_left_of_the_follow_up(self):
        called = followed_up().tell(TimePassed(), after=6 * DAY)
        assert called.only(WithdrawAttempt).reason is Reason.WATCH_ENDED
        visited = followed_up(Grade.LOW).tell(TimePassed(), after=6 * DAY)
        assert visited.only(WithdrawAssignment).reason is Reason.WATCH_ENDED
        for story in (called, visited):
            assert (story.case.status, story.case.due_at) == (CaseStatus.PROVEN, None)
            assert story.case.follow_up == FollowUp()

    def test_waits_for_a_call_that_is_under_way(self):
        story = followed_up().tell(TimePassed(is_at_carrier=True), after=6 * DAY)
        assert (story.last, story.case.status) == ((), CaseStatus.WATCHING)
        assert story.tell(answered(2, Answer.ALREADY_PAID)).only(ReverseOutcome)

    def test_by_a_filed_case_withdraws_it_too(self):
        story = followed_up().tell(CaseFiled())
        assert story.only(WithdrawAttempt).reason is Reason.CASE_FILED
        assert (story.case.status, story.case.follow_up) == (CaseStatus.REVERSED, FollowUp())
        again = followed_up().tell(answered(2, Answer.ALREADY_PAID)).tell(CaseFiled())
        assert again.of(ReverseOutcome) == [], "what the follow-up has undone is not undone twice"
        assert again.case.status is CaseStatus.CLOSED


class TestAPersonWhoWantsNoFollowUp:
    def test_is_called_no_more_and_the_success_stays(self):
        story = followed_up().tell(OptedOut())
        assert story.only(WithdrawAttempt).reason is Reason.OPTED_OUT
        assert story.last == tuple(story.of(WithdrawAttempt)), "no caller takes over, and nothing is reversed"
        assert (story.case.status, story.case.opted_out) == (CaseStatus.WATCHING, True)
        assert story.case.follow_up == FollowUp()

    def test_also_where_the_call_ends_as_cancelled_afterwards(self):
        story = followed_up().tell(OptedOut()).tell(ended(2, TelephonyResult.CANCELED))
        assert (story.last, story.case.follow_up) == ((), FollowUp())

    def test_also_before_the_follow_up_was_due_and_to_the_end_of_the_watch(self):
        story = succeeded(Grade.HIGH).tell(OptedOut())
        assert story.case.follow_up == FollowUp()
        later = story.tell(TimePassed(), after=2 * DAY)
        assert later.of(PlanAttempt) == [] == later.of(OpenAssignment)
        assert story.tell(TimePassed(), after=10 * DAY).case.status is CaseStatus.PROVEN


def test_a_case_opened_again_takes_acts_of_people_as_any_other():
    story = followed_up().tell(answered(2, Answer.IN_CONTACT)).tell(OptedOut())
    assert story.case.human.state is StaffTrackState.OPEN
