"""What the end of a robot call does to its case, by telephony result and answer. Answered is not reached."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from dialer.core.case import WISHES, CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.case_draft import Draft
from dialer.core.effects import AlarmCode, AssignToDutyDesk
from dialer.core.events import NO_CONTACT, AttemptEnded, HandOverRequested, Reach
from dialer.core.values import Answer, Contact, MessagePurpose, OutcomeKind, Tag, TelephonyResult, Track

_RETRY_REASONS = {Reach.SILENT: Reason.SILENT, Reach.VERIFIED: Reason.LEFT_UNANSWERED}
"""Why a call without an answer is followed by another; any other reach is `NOT_VERIFIED`."""
_EVERYBODY_PERCENT = 100


def attempt_ended(draft: Draft, event: AttemptEnded) -> None:
    """Applies the end of the newest attempt, once; the end of any other attempt comes late and changes nothing."""
    case = draft.case
    robot = case.robot
    if (
        case.status is not CaseStatus.OPEN
        or robot.state is not RobotState.PENDING
        or event.n != robot.attempts
    ):
        return
    event = _with_wish(event, robot.reason)
    draft.finish_robot(Reason.NONE)
    match event.result:
        case TelephonyResult.ANSWERED:
            _answered(draft, event, asked=robot.reason)
        case TelephonyResult.BUSY:
            _busy(draft)
        case TelephonyResult.FORWARDED | TelephonyResult.MACHINE:
            _forwarded_or_machine(draft)
        case (
            TelephonyResult.NO_ANSWER
            | TelephonyResult.REJECTED
            | TelephonyResult.POWERED_OFF
            | TelephonyResult.FAILED
        ):
            _count_try(draft)
            draft.send_message(MessagePurpose.UNREACHABLE)
            _again_or_person(draft, Reason.RETRY)
        case TelephonyResult.INVALID_NUMBER:
            _dead_number(draft, Reason.NO_USABLE_NUMBER)
        case TelephonyResult.BLOCKED | TelephonyResult.CANCELED:
            _own_fault(draft)
        case TelephonyResult.UNKNOWN:
            draft.finish_robot(Reason.UNKNOWN_SUBMISSION)
            draft.alarm(AlarmCode.UNKNOWN_SUBMISSION)
            draft.ask_person(Reason.UNKNOWN_SUBMISSION)
        case _ as never:
            assert_never(never)


def hand_over_requested(draft: Draft, event: HandOverRequested) -> None:
    """Asks for a person while the call goes on; the attempt's reason keeps the wish until the call ends."""
    case = draft.case
    if case.status is not CaseStatus.OPEN or case.robot.state is not RobotState.PENDING:
        return
    wish = Reason.ALREADY_PAID if event.answer is Answer.ALREADY_PAID else Reason.WANTS_OFFICER
    if event.n != case.robot.attempts or case.robot.reason in {wish, Reason.ALREADY_PAID}:
        return
    draft.robot(reason=wish)
    if wish is Reason.ALREADY_PAID:
        draft.open_stop_payment()
    draft.ask_person(wish)


def hand_over_answered(draft: Draft) -> None:
    """The duty desk, which spoke with the person, gets the assignment that the wish opened, and has to report it."""
    if draft.case.status is not CaseStatus.OPEN:
        return
    for track in (Track.HUMAN, Track.VISIT):
        assignment = draft.assignment(track)
        if assignment.state is StaffTrackState.OPEN and assignment.reason in WISHES:
            draft.effects.append(AssignToDutyDesk(track=track))
            return


def _with_wish(event: AttemptEnded, reason: Reason) -> AttemptEnded:
    """A person who asked for an officer or has paid is not called again and is no success, however the call ended."""
    if event.answer in {Answer.ALREADY_PAID, Answer.OPT_OUT}:
        return event
    if reason is Reason.ALREADY_PAID:
        return replace(event, result=TelephonyResult.ANSWERED, answer=Answer.ALREADY_PAID)
    if reason is Reason.WANTS_OFFICER:
        return replace(event, result=TelephonyResult.ANSWERED, answer=Answer.WANTS_OFFICER)
    return event


def _count_try(draft: Draft) -> None:
    draft.robot(tries=draft.case.robot.tries + 1, own_faults=0)


def _answered(draft: Draft, event: AttemptEnded, *, asked: Reason) -> None:  # noqa: C901, PLR0912  # one arm an answer
    _count_try(draft)
    reached = event.reach is None or event.reach not in NO_CONTACT
    verified = reached and event.contact is Contact.VERIFIED
    if reached and (verified or draft.case.contact is Contact.NONE):
        draft.change(contact=event.contact if event.contact is not Contact.NONE else Contact.UNVERIFIED)
    match event.answer:
        case Answer.ACKNOWLEDGED if verified:
            _success(draft, OutcomeKind.DISSUADED_BY_PHONE)
        case Answer.SAW_THROUGH if verified:
            _success(draft, OutcomeKind.SAW_THROUGH_IT)
        case Answer.ALREADY_PAID:
            if asked is not Reason.ALREADY_PAID:
                draft.open_stop_payment()
            _person(draft, Reason.ALREADY_PAID)
        case Answer.WANTS_OFFICER:
            _person(draft, Reason.WANTS_OFFICER)
        case Answer.DOUBTFUL if verified:
            draft.send_message(MessagePurpose.AFTER_WARNING)
            _record_and_person(draft, OutcomeKind.HALF_BELIEVES, Reason.DOUBTFUL)
        case Answer.REFUSES:
            _record_and_person(draft, OutcomeKind.REFUSES, Reason.REFUSED)
            if draft.case.grade.is_high:
                draft.open_assignment(Track.VISIT, Reason.REFUSED)
        case Answer.WRONG_PERSON:
            _dead_number(draft, Reason.WRONG_PERSON)
        case Answer.LANGUAGE_OR_HEARING:
            draft.send_message(MessagePurpose.UNREACHABLE)
            _person(draft, Reason.LANGUAGE_OR_HEARING)
        case Answer.OPT_OUT:
            draft.change(opted_out=True)
            hand_over(draft, Reason.OPTED_OUT, OutcomeKind.REFUSES)
        case Answer.NONE | Answer.ACKNOWLEDGED | Answer.SAW_THROUGH | Answer.DOUBTFUL:
            _nothing_said(draft, event.reach)
        case _ as never:
            assert_never(never)


def _nothing_said(draft: Draft, reach: Reach | None) -> None:
    """Answered, but without an answer that counts. Hung up before the warning: the robot calls again, and on a high
    grade a person calls at once too, since a scammer may be telling them to hang up. Silent to the end: our last words
    promise an officer and a robot would meet silence again, so a person calls now wherever the sample is everybody.
    """
    if reach is Reach.HUNG_UP_EARLY:
        _again_or_person(draft, Reason.HUNG_UP_EARLY)
        if draft.case.grade.is_high and draft.case.status is CaseStatus.OPEN:
            draft.ensure_person(Reason.HUNG_UP_EARLY)
        return
    if reach is Reach.SILENT:
        draft.send_message(MessagePurpose.UNREACHABLE)
    if reach is Reach.SILENT and (
        draft.case.grade.is_high or draft.grade_policy.human_sample_percent >= _EVERYBODY_PERCENT
    ):
        hand_over(draft, Reason.SILENT, OutcomeKind.CANNOT_FIND_YET)
    else:
        _again_or_person(
            draft, _RETRY_REASONS.get(reach, Reason.NOT_VERIFIED) if reach else Reason.NOT_VERIFIED
        )


def _success(draft: Draft, outcome: OutcomeKind) -> None:
    """Settles the case as dissuaded, except for a minor: a person still has to inform the guardian."""
    if Tag.MINOR in draft.case.tags:
        _person(draft, Reason.MINOR)
        return
    draft.send_message(MessagePurpose.AFTER_WARNING)
    draft.record(outcome, track=Track.ROBOT, reason=Reason.VERIFIED_SUCCESS)
    draft.succeed(outcome, Reason.VERIFIED_SUCCESS)


def _person(draft: Draft, reason: Reason) -> None:
    draft.finish_robot(reason)
    draft.ask_person(reason)


def _record_and_person(draft: Draft, outcome: OutcomeKind, reason: Reason) -> None:
    draft.record(outcome, track=Track.ROBOT, reason=reason)
    draft.change(outcome=outcome)
    _person(draft, reason)


def _busy(draft: Draft) -> None:
    """On a high grade the person is probably talking to the scammer: people at once, and the robot goes on calling."""
    _count_try(draft)
    if not draft.case.grade.is_high:
        _again_or_person(draft, Reason.RETRY)
        return
    draft.send_message(MessagePurpose.UNREACHABLE)
    draft.ask_person(Reason.BUSY_ON_HIGH)
    draft.open_assignment(Track.VISIT, Reason.BUSY_ON_HIGH)
    if draft.case.robot.tries < draft.grade_policy.robot_tries:
        draft.plan_attempt(after_seconds=draft.policy.busy_retry_seconds, reason=Reason.BUSY_ON_HIGH)


def _forwarded_or_machine(draft: Draft) -> None:
    """No contact, and scammers set forwarding: people take over."""
    _count_try(draft)
    draft.send_message(MessagePurpose.UNREACHABLE)
    _person(draft, Reason.FORWARDED_OR_MACHINE)
    if draft.case.grade.is_high:
        draft.open_assignment(Track.VISIT, Reason.FORWARDED_OR_MACHINE)


def _again_or_person(draft: Draft, reason: Reason) -> None:
    if draft.case.missed:
        hand_over(draft, Reason.EXPIRED, OutcomeKind.MISSED)
        return
    robot = draft.case.robot
    if robot.tries < draft.grade_policy.robot_tries:
        number = draft.next_number()
        if number is not None:
            draft.plan_attempt(
                after_seconds=draft.grade_policy.robot_gap_seconds, reason=reason, number=number
            )
            return
    hand_over(draft, Reason.ROBOT_TRIES_USED, OutcomeKind.CANNOT_FIND_YET)


def hand_over(draft: Draft, reason: Reason, outcome: OutcomeKind) -> None:
    """The robot is done without success: a person calls now. Of a grade where people call only a sample, the rest of
    the cases end with `outcome`, which no rate counts as reached. A high grade is never left to the sample.
    """
    draft.finish_robot(reason)
    percent = draft.grade_policy.human_sample_percent
    if draft.case.grade.is_high or percent >= _EVERYBODY_PERCENT:
        draft.ensure_person(reason)
    elif draft.case.id % _EVERYBODY_PERCENT < percent:
        draft.ensure_person(Reason.SAMPLE)
    if draft.case.human.is_pending or draft.case.visit.is_pending:
        return
    if draft.case.grade.is_high:
        draft.alarm(AlarmCode.CANNOT_FIND)
    no_person_yet = draft.case.human.state is StaffTrackState.NONE
    why = Reason.NOT_IN_SAMPLE if no_person_yet and reason is Reason.ROBOT_TRIES_USED else reason
    track = None if outcome is OutcomeKind.MISSED else Track.ROBOT
    draft.record(outcome, track=track, reason=why)
    draft.close(outcome, why)


def _dead_number(draft: Draft, reason: Reason) -> None:
    """Not the person's number: the next one is called at once; without a next one people take over or the case ends."""
    robot = draft.case.robot
    draft.robot(dead_numbers=robot.dead_numbers | {robot.number})
    number = draft.next_number()
    if number is not None:
        draft.plan_attempt(after_seconds=0, reason=Reason.NEXT_NUMBER, number=number)
        return
    draft.finish_robot(reason)
    if draft.case.grade.is_high:
        draft.ask_person(reason)
        draft.open_assignment(Track.VISIT, reason)
        return
    if draft.grade_policy.visit_when_human_fails:
        draft.ensure_person(reason)
    if not draft.case.human.is_pending and not draft.case.visit.is_pending:
        draft.record(OutcomeKind.MISMATCH, track=Track.ROBOT, reason=reason)
        draft.close(OutcomeKind.MISMATCH, reason)


def _own_fault(draft: Draft) -> None:
    """Does not count as a try; too many in a row, and a person calls instead of the robot."""
    faults = draft.case.robot.own_faults + 1
    draft.robot(own_faults=faults)
    if faults > draft.policy.max_own_faults:
        draft.alarm(AlarmCode.OWN_FAULTS)
        _person(draft, Reason.OWN_FAULT)
        return
    draft.plan_attempt(after_seconds=draft.policy.requeue_seconds, reason=Reason.OWN_FAULT)
