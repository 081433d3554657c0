"""How events change a case: its start, warnings that join it, the end of a call, the passing of time, and reports of
staff.

`decide` calls these; each changes the draft of one decision. Answered is not reached, reached is not dissuaded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from dialer.core.case import (
    WISHES,
    CaseStatus,
    FamilyContact,
    FollowUp,
    Reason,
    RobotState,
    StaffTrackState,
)
from dialer.core.case_draft import CaseDraft
from dialer.core.errors import Conflict
from dialer.core.events import (
    AlarmCode,
    AssignmentReported,
    AssignToDutyDesk,
    AttemptEnded,
    HandOverRequested,
    PersonCalledIn,
    WarningJoined,
)
from dialer.core.family import ask_family, family_reported
from dialer.core.follow_up import (
    UNDOING_ANSWERS,
    UNDOING_OUTCOMES,
    follow_up_call_ended,
    follow_up_reported,
    watch_passed,
)
from dialer.core.reach import NO_CONTACT, Reach
from dialer.core.text import Text
from dialer.core.values import (
    SUCCESSES,
    Answer,
    Contact,
    FraudType,
    Grade,
    MessagePurpose,
    OutcomeKind,
    Tag,
    TelephonyResult,
    Track,
)


def same_incident(open_type: FraudType, arriving: FraudType) -> bool:
    """Whether a warning joins an open case of its person: the types are the same, or one of them is unknown. A
    different fraud type makes a case of its own.
    """
    return open_type == arriving or FraudType.UNKNOWN in {open_type, arriving}


def known_type(open_type: FraudType, arriving: FraudType) -> FraudType:
    """The fraud type of the case after the warning has joined it."""
    return arriving if open_type is FraudType.UNKNOWN else open_type


def start_tracks(draft: CaseDraft) -> None:
    """Starts every track that the grade's policy has, once. A case that had expired when it arrived gets a human call
    and no robot call. For a minor a person also calls the guardian.
    """
    case = draft.case
    is_with_people = {case.human.state, case.visit.state} != {StaffTrackState.NONE}
    if case.status is not CaseStatus.OPEN or case.robot.attempts or is_with_people:
        return
    if case.missed:
        draft.alarm(AlarmCode.MISSED_WARNING)
        draft.open_assignment(Track.HUMAN, Reason.EXPIRED)
        return
    draft.plan_attempt(after_seconds=0, reason=Reason.NEW_WARNING, number=0)
    _people_by_grade(draft, Reason.PARALLEL_TRACKS)
    if Tag.MINOR in case.tags:
        draft.open_assignment(Track.HUMAN, Reason.MINOR)


def _staff_clocks(draft: CaseDraft) -> tuple[tuple[Track, int | None], ...]:
    """The staff tracks, each with the seconds without contact after which this grade opens it; None: never."""
    rules = draft.grade_policy
    return ((Track.HUMAN, rules.human_after_seconds), (Track.VISIT, rules.visit_after_seconds))


def _people_by_grade(draft: CaseDraft, reason: Reason) -> None:
    for track, after_seconds in _staff_clocks(draft):
        if after_seconds is not None:
            later = reason if after_seconds == 0 else Reason.NO_CONTACT_IN_TIME
            draft.schedule(track, after_seconds=after_seconds, reason=later)


def warning_joined(draft: CaseDraft, event: WarningJoined) -> None:
    """The case gets the highest grade, the known fraud type, the latest expiry, the largest amount and all numbers. A
    missed case is no longer missed when a warning joins that has not expired. In the watch period the warning is only
    counted: the calling code joins only what is older than the success, and opens a new case for anything else.
    """
    case = draft.case
    if case.status.is_settled:
        return
    amounts = [fen for fen in (case.amount_at_risk_fen, event.amount_at_risk_fen) if fen is not None]
    draft.change(
        warnings=case.warnings + 1,
        fraud_type=known_type(case.fraud_type, event.fraud_type),
        tags=case.tags | event.tags,
        numbers=max(case.numbers, event.numbers),
        amount_at_risk_fen=max(amounts, default=None),
    )
    if event.has_family and case.family is FamilyContact.NONE:
        draft.change(family=FamilyContact.KNOWN)
    if case.status is not CaseStatus.OPEN:
        return
    if event.missed and event.grade.is_high:
        draft.alarm(AlarmCode.MISSED_WARNING)
    if not event.missed:
        # The missed expiry is past, and a case that had expired when it was opened has none: only the new one counts.
        expires_at = event.expires_at if case.missed else _later_expiry(case.expires_at, event.expires_at)
        draft.change(expires_at=expires_at, missed=False)
    rises = event.grade.rank > case.grade.rank
    if rises:
        draft.change(grade=event.grade)
    if not event.missed and (rises or _robot_has_news(draft, numbers_before=case.numbers)):
        _start_robot(draft, Reason.GRADE_RAISED if rises else Reason.NEW_WARNING)
    if rises:
        _start_people(draft)
    if Tag.MINOR in event.tags - case.tags:
        draft.open_assignment(Track.HUMAN, Reason.MINOR)


def _robot_has_news(draft: CaseDraft, *, numbers_before: int) -> bool:
    """True before the first attempt, and when a person who had no usable number left gets a new one."""
    robot = draft.case.robot
    none_left = len(robot.dead_numbers) >= numbers_before and draft.next_number() is not None
    return robot.state is RobotState.OFF or (robot.state is RobotState.DONE and none_left)


def grade_changed(draft: CaseDraft, grade: Grade) -> None:
    """On a rise every track of the new grade starts now and a pending attempt moves forward; the robot of an expired
    warning does not start. A fall only cancels staff tracks that are scheduled by a clock that the lower grade lacks.
    """
    rises = grade.rank > draft.case.grade.rank
    falls = grade.rank < draft.case.grade.rank
    draft.change(grade=grade)
    if rises:
        if not draft.case.missed:
            _start_robot(draft, Reason.GRADE_RAISED)
        _start_people(draft)
    elif falls:
        _unschedule_people(draft)


def _start_robot(draft: CaseDraft, reason: Reason) -> None:
    case = draft.case
    robot = case.robot
    if robot.state is RobotState.PENDING:
        draft.expedite_attempt(reason=reason)
        if not draft.grade_policy.windowed and not draft.policy.window.is_open(draft.now):
            draft.ensure_person(Reason.OUTSIDE_WINDOW)
    elif not case.opted_out and case.contact is not Contact.VERIFIED:
        number = robot.number if robot.number not in robot.dead_numbers else draft.next_number()
        if number is not None and robot.tries < draft.grade_policy.robot_tries:
            draft.plan_attempt(after_seconds=0, reason=reason, number=number)


def _start_people(draft: CaseDraft) -> None:
    """Opens the staff tracks of the new grade, including those that were done for a lower grade; if no robot call is
    pending, a person acts at once.
    """
    for track in (Track.HUMAN, Track.VISIT):
        if draft.staff_track(track).state is StaffTrackState.DONE:
            draft.change_staff_track(track, state=StaffTrackState.NONE)
    _people_by_grade(draft, Reason.GRADE_RAISED)
    if draft.case.grade.is_high and draft.case.robot.state is not RobotState.PENDING:
        draft.ensure_person(Reason.GRADE_RAISED)


def _unschedule_people(draft: CaseDraft) -> None:
    for track, after_seconds in _staff_clocks(draft):
        assignment = draft.staff_track(track)
        other = draft.staff_track(Track.VISIT if track is Track.HUMAN else Track.HUMAN)
        by_clock = (
            assignment.state is StaffTrackState.SCHEDULED and assignment.reason is Reason.NO_CONTACT_IN_TIME
        )
        goes_on = draft.case.robot.state is RobotState.PENDING or other.state is StaffTrackState.OPEN
        if by_clock and after_seconds is None and goes_on:
            draft.change_staff_track(track, state=StaffTrackState.NONE, at=None, reason=Reason.NONE)


def _later_expiry(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two expiries. None means that a warning never expires, so it wins."""
    return None if one is None or other is None else max(one, other)


_RETRY_REASONS = {Reach.SILENT: Reason.SILENT, Reach.VERIFIED: Reason.LEFT_UNANSWERED}
"""The reason for the next call after one without an answer, by reach; for any other reach it is `NOT_VERIFIED`."""
_EVERYBODY_PERCENT = 100


def attempt_ended(draft: CaseDraft, event: AttemptEnded) -> None:
    """Applies the end of the newest attempt, once; the end of any other attempt comes late and changes nothing."""
    robot = draft.case.robot
    if draft.case.status.is_settled or robot.state is not RobotState.PENDING or event.n != robot.attempts:
        return
    was_forwarded = event.result is TelephonyResult.FORWARDED
    event = _with_wish(event, robot.reason, is_follow_up=draft.case.status is CaseStatus.WATCHING)
    draft.finish_robot(Reason.NONE)
    if draft.case.status is CaseStatus.WATCHING:
        if event.result is not TelephonyResult.ANSWERED or event.answer not in UNDOING_ANSWERS:
            follow_up_call_ended(draft, event)
            return
        draft.reopen()
    match event.result:
        case TelephonyResult.ANSWERED:
            _apply_answered(draft, event, asked=robot.reason)
            if was_forwarded and draft.case.grade.is_high:
                # A caller would reach the same telephone.
                draft.open_assignment(Track.VISIT, Reason.FORWARDED_OR_MACHINE)
        case TelephonyResult.BUSY:
            _apply_busy(draft)
        case TelephonyResult.FORWARDED | TelephonyResult.MACHINE:
            _apply_forwarded_or_machine(draft)
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
            _apply_dead_number(draft, Reason.NO_USABLE_NUMBER)
        case TelephonyResult.BLOCKED | TelephonyResult.CANCELED | TelephonyResult.DEAD_AIR:
            _apply_own_fault(draft)
        case TelephonyResult.UNKNOWN:
            draft.finish_robot(Reason.UNKNOWN_SUBMISSION)
            draft.alarm(AlarmCode.UNKNOWN_SUBMISSION)
            draft.ask_person(Reason.UNKNOWN_SUBMISSION)
        case _ as never:
            assert_never(never)
    ask_family(draft)


def hand_over_requested(draft: CaseDraft, event: HandOverRequested) -> None:
    """Assigns a person while the call goes on; the attempt's reason keeps the request until the call ends. In a
    follow-up this opens the case again.
    """
    case = draft.case
    if case.status.is_settled or case.robot.state is not RobotState.PENDING:
        return
    wish = Reason.ALREADY_PAID if event.answer is Answer.ALREADY_PAID else Reason.WANTS_OFFICER
    if event.n != case.robot.attempts or case.robot.reason in {wish, Reason.ALREADY_PAID}:
        return
    if case.status is CaseStatus.WATCHING:
        draft.reopen()
    draft.change_robot(reason=wish)
    if wish is Reason.ALREADY_PAID:
        draft.open_stop_payment()
    draft.ask_person(wish)


def hand_over_answered(draft: CaseDraft) -> None:
    """Gives the duty desk, which spoke with the person, the assignment that the request or the inbound call opened; the
    desk has to report it.
    """
    if draft.case.status.is_settled:
        return
    for track in (Track.HUMAN, Track.VISIT):
        assignment = draft.staff_track(track)
        asked = assignment.reason in WISHES or assignment.reason is Reason.CALLED_IN
        if assignment.state is StaffTrackState.OPEN and asked:
            draft.effects.append(AssignToDutyDesk(track=track))
            return


def person_called_in(draft: CaseDraft, event: PersonCalledIn) -> None:
    """Puts a human call at the top of the queue: for the desk that takes the inbound call, or else as the call-back. An
    inbound call is not a contact. A call from one of the person's own numbers stops the robot; a typed number, which
    anybody can type, does not. A follow-up by a caller stays a follow-up in the records, as does its report.
    """
    case = draft.case
    if case.status.is_settled:
        return
    if event.from_own_number and case.robot.state is RobotState.PENDING:
        draft.stop_robot(Reason.CALLED_IN)
        if case.status is CaseStatus.WATCHING:
            # The caller asks what the robot would have asked.
            draft.change(follow_up=FollowUp(by=Track.HUMAN))
    record_as = Reason.FOLLOW_UP if draft.is_followed_up_by_caller else Reason.CALLED_IN
    if draft.case.human.state is not StaffTrackState.OPEN:
        draft.open_assignment(Track.HUMAN, Reason.CALLED_IN, record_as=record_as)
    elif draft.case.human.reason not in WISHES:
        draft.expedite_assignment(Track.HUMAN, Reason.CALLED_IN, record_as=record_as)


_BINDING_ANSWERS = frozenset({Answer.ALREADY_PAID, Answer.OPT_OUT, Answer.WANTS_OFFICER, Answer.IN_CONTACT})
"""Answers that count however the call ended. If one were lost, the robot would call a person who asked for no more
calls, or nobody would help a person in danger.
"""


def _with_wish(event: AttemptEnded, reason: Reason, *, is_follow_up: bool) -> AttemptEnded:
    """The event with the answer that the person gave during the call. A person who asked for an officer, has paid or
    wants no more calls is not called again and is not a success, however the call ended: lost, cut off, or without any
    further news. In a follow-up this applies to every answer that opens the case again. In a forwarded call an opt-out
    does not count: it would help the scammer who set up the forwarding, and people take over anyway. The other answers
    do count: acting on one costs no more than a look at the person's case.
    """
    wishes = {Reason.ALREADY_PAID: Answer.ALREADY_PAID, Reason.WANTS_OFFICER: Answer.WANTS_OFFICER}
    answer = event.answer
    if answer not in {Answer.ALREADY_PAID, Answer.OPT_OUT}:
        answer = wishes.get(reason, answer)
    forwarded = event.result is TelephonyResult.FORWARDED
    is_binding = answer in _BINDING_ANSWERS or (is_follow_up and answer in UNDOING_ANSWERS)
    if not is_binding or (forwarded and answer is Answer.OPT_OUT):
        return event
    return replace(event, result=TelephonyResult.ANSWERED, answer=answer)


def _count_try(draft: CaseDraft) -> None:
    draft.change_robot(tries=draft.case.robot.tries + 1, own_faults=0)


def _apply_answered(draft: CaseDraft, event: AttemptEnded, *, asked: Reason) -> None:  # noqa: C901, PLR0912  # one arm an answer
    if event.was_cut_off:
        _apply_own_fault(draft)
        return
    _count_try(draft)
    reached = event.reach is None or event.reach not in NO_CONTACT
    verified = reached and event.contact is Contact.VERIFIED
    if reached and (verified or draft.case.contact is Contact.NONE):
        draft.change(contact=event.contact if event.contact is not Contact.NONE else Contact.UNVERIFIED)
    match event.answer:
        case Answer.ACKNOWLEDGED if verified:
            _apply_success(draft, OutcomeKind.DISSUADED_BY_PHONE)
        case Answer.SAW_THROUGH if verified:
            _apply_success(draft, OutcomeKind.SAW_THROUGH_IT)
        case Answer.ALREADY_PAID:
            if asked is not Reason.ALREADY_PAID:
                draft.open_stop_payment()
            _finish_robot_and_ask_person(draft, Reason.ALREADY_PAID)
        case Answer.WANTS_OFFICER:
            _finish_robot_and_ask_person(draft, Reason.WANTS_OFFICER)
        case Answer.IN_CONTACT:
            _finish_robot_and_ask_person(draft, Reason.IN_CONTACT)
        case Answer.DOUBTFUL if verified:
            draft.send_message(MessagePurpose.AFTER_WARNING)
            _record_and_ask_person(draft, OutcomeKind.HALF_BELIEVES, Reason.DOUBTFUL)
        case Answer.REFUSES:
            _record_and_ask_person(draft, OutcomeKind.REFUSES, Reason.REFUSED)
            if draft.case.grade.is_high:
                draft.open_assignment(Track.VISIT, Reason.REFUSED)
        case Answer.WRONG_PERSON:
            _apply_dead_number(draft, Reason.WRONG_PERSON)
        case Answer.LANGUAGE_OR_HEARING:
            draft.send_message(MessagePurpose.UNREACHABLE)
            _finish_robot_and_ask_person(draft, Reason.LANGUAGE_OR_HEARING)
        case Answer.OPT_OUT:
            draft.change(opted_out=True)
            hand_over(draft, Reason.OPTED_OUT, OutcomeKind.REFUSES)
        case Answer.NONE | Answer.ACKNOWLEDGED | Answer.SAW_THROUGH | Answer.DOUBTFUL:
            _apply_no_answer(draft, event.reach)
        case _ as never:
            assert_never(never)


def _apply_no_answer(draft: CaseDraft, reach: Reach | None) -> None:
    """Answered, but without an answer that counts. Hung up before the warning: the robot calls again, and on a high
    grade a person calls at once too, since a scammer may be telling them to hang up. Silent to the end: the script's
    last words promise an officer, and another robot call would meet silence again. A person calls now if the grade is
    high or if people call every case.
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


def _apply_success(draft: CaseDraft, outcome: OutcomeKind) -> None:
    """Settles the case as dissuaded, except for a minor: a person still has to inform the guardian."""
    if Tag.MINOR in draft.case.tags:
        _finish_robot_and_ask_person(draft, Reason.MINOR)
        return
    draft.send_message(MessagePurpose.AFTER_WARNING)
    draft.record(outcome, track=Track.ROBOT, reason=Reason.VERIFIED_SUCCESS)
    draft.succeed(outcome, Reason.VERIFIED_SUCCESS)


def _finish_robot_and_ask_person(draft: CaseDraft, reason: Reason) -> None:
    draft.finish_robot(reason)
    draft.ask_person(reason)


def _record_and_ask_person(draft: CaseDraft, outcome: OutcomeKind, reason: Reason) -> None:
    draft.record(outcome, track=Track.ROBOT, reason=reason)
    draft.change(outcome=outcome)
    _finish_robot_and_ask_person(draft, reason)


def _apply_busy(draft: CaseDraft) -> None:
    """On a high grade the person is probably talking to the scammer: people act at once, and the robot goes on calling
    until the expiry.
    """
    _count_try(draft)
    if not draft.case.grade.is_high:
        _again_or_person(draft, Reason.RETRY)
        return
    draft.send_message(MessagePurpose.UNREACHABLE)
    draft.ask_person(Reason.BUSY_ON_HIGH)
    draft.open_assignment(Track.VISIT, Reason.BUSY_ON_HIGH)
    if draft.case.robot.tries < draft.grade_policy.robot_tries and not draft.case.missed:
        draft.plan_attempt(after_seconds=draft.policy.busy_retry_seconds, reason=Reason.BUSY_ON_HIGH)


def _apply_forwarded_or_machine(draft: CaseDraft) -> None:
    """No contact, and scammers set up forwarding: people take over."""
    _count_try(draft)
    draft.send_message(MessagePurpose.UNREACHABLE)
    _finish_robot_and_ask_person(draft, Reason.FORWARDED_OR_MACHINE)
    if draft.case.grade.is_high:
        draft.open_assignment(Track.VISIT, Reason.FORWARDED_OR_MACHINE)


def _again_or_person(draft: CaseDraft, reason: Reason) -> None:
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


def hand_over(draft: CaseDraft, reason: Reason, outcome: OutcomeKind) -> None:
    """Ends the robot track without success: a person calls now. In a grade of which people call only a sample, the
    other cases end with `outcome`, which no rate counts as reached. Cases of a high grade are never sampled.
    """
    draft.finish_robot(reason)
    percent = draft.grade_policy.human_sample_percent
    if draft.case.grade.is_high or percent >= _EVERYBODY_PERCENT:
        draft.ensure_person(reason)
    elif draft.case.id % _EVERYBODY_PERCENT < percent:
        draft.ensure_person(Reason.SAMPLE)
    ask_family(draft)
    if draft.case.human.is_pending or draft.case.visit.is_pending:
        return
    if draft.case.grade.is_high:
        draft.alarm(AlarmCode.CANNOT_FIND)
    no_person_yet = draft.case.human.state is StaffTrackState.NONE
    why = Reason.NOT_IN_SAMPLE if no_person_yet and reason is Reason.ROBOT_TRIES_USED else reason
    track = None if outcome is OutcomeKind.MISSED else Track.ROBOT
    draft.record(outcome, track=track, reason=why)
    draft.close(outcome, why)


def _apply_dead_number(draft: CaseDraft, reason: Reason) -> None:
    """Not the person's number: the next one is called at once, but not after the expiry; without a next one people take
    over or the case ends.
    """
    robot = draft.case.robot
    draft.change_robot(dead_numbers=robot.dead_numbers | {robot.number})
    number = draft.next_number()
    if number is not None and draft.case.missed:
        hand_over(draft, Reason.EXPIRED, OutcomeKind.MISSED)
        return
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
        # A number that does not exist says nothing about the warning; a number that is somebody else's does.
        outcome = OutcomeKind.MISMATCH if reason is Reason.WRONG_PERSON else OutcomeKind.CANNOT_FIND
        draft.record(outcome, track=Track.ROBOT, reason=reason)
        draft.close(outcome, reason)


def _apply_own_fault(draft: CaseDraft) -> None:
    """A fault of ours does not count as a try. After too many in a row, or after the expiry, a person calls instead of
    the robot.
    """
    faults = draft.case.robot.own_faults + 1
    draft.change_robot(own_faults=faults)
    if faults > draft.policy.max_own_faults:
        draft.alarm(AlarmCode.OWN_FAULTS)
        _finish_robot_and_ask_person(draft, Reason.OWN_FAULT)
        return
    if draft.case.missed:
        hand_over(draft, Reason.EXPIRED, OutcomeKind.MISSED)
        return
    draft.plan_attempt(after_seconds=draft.policy.requeue_seconds, reason=Reason.OWN_FAULT)


_ENDS = frozenset(
    {OutcomeKind.ALREADY_DEFRAUDED, OutcomeKind.DUPLICATE, OutcomeKind.TRANSFERRED, OutcomeKind.MISSED}
)
"""Outcomes that end a case on any track."""


def time_passed(draft: CaseDraft, *, is_at_carrier: bool) -> None:
    """Applies everything that is due by now; called early, it changes nothing."""
    case = draft.case
    if case.status is CaseStatus.WATCHING:
        watch_passed(draft, is_at_carrier=is_at_carrier)
        return
    if case.status is not CaseStatus.OPEN:
        return
    _check_expiry(draft, is_at_carrier=is_at_carrier)
    _check_patience(draft, is_at_carrier=is_at_carrier)
    _check_assignment(draft, Track.HUMAN)
    _check_assignment(draft, Track.VISIT)


def _check_expiry(draft: CaseDraft, *, is_at_carrier: bool) -> None:
    """A warning that expired before verified contact is missed: it goes to people, as after unsuccessful robot calls. A
    call that is under way is not cut off: its end decides.
    """
    case = draft.case
    if case.missed or case.expires_at is None or case.expires_at > draft.now:
        return
    if case.contact is Contact.VERIFIED:
        return
    draft.change(missed=True)
    if case.grade.is_high:
        draft.alarm(AlarmCode.MISSED_WARNING)
    if is_at_carrier and draft.case.robot.state is RobotState.PENDING:
        return
    draft.stop_robot(Reason.EXPIRED)
    hand_over(draft, Reason.EXPIRED, OutcomeKind.MISSED)


def _check_patience(draft: CaseDraft, *, is_at_carrier: bool) -> None:
    robot = draft.case.robot
    if robot.state is not RobotState.PENDING or robot.patience_at is None or robot.patience_at > draft.now:
        return
    again = timedelta(seconds=draft.grade_policy.robot_patience_seconds)
    draft.change_robot(patience_at=draft.policy.window.next_open(draft.now) + again)
    if is_at_carrier:
        return
    draft.alarm(AlarmCode.WAITED_TOO_LONG)
    draft.ensure_person(Reason.WAITED_TOO_LONG)


def _check_assignment(draft: CaseDraft, track: Track) -> None:
    assignment = draft.staff_track(track)
    if not assignment.is_pending or assignment.at is None or assignment.at > draft.now:
        return
    if assignment.state is StaffTrackState.SCHEDULED:
        draft.open_assignment(track, assignment.reason)
        return
    draft.alarm(AlarmCode.HUMAN_OVERDUE if track is Track.HUMAN else AlarmCode.VISIT_OVERDUE)
    rules = draft.grade_policy
    draft.change_staff_track(track, at=draft.now + timedelta(seconds=rules.due_seconds(track)))
    if track is Track.HUMAN and rules.visit_when_human_fails:
        draft.open_assignment(Track.VISIT, Reason.HUMAN_OVERDUE)


def assignment_reported(draft: CaseDraft, event: AssignmentReported) -> None:
    """Records the report and moves the case on. Raises `Conflict` when the assignment is not open, and for a success
    without the verified contact of the right person.
    """
    case = draft.case
    assignment = draft.staff_track(event.track)
    is_open = not case.status.is_settled and assignment.state is StaffTrackState.OPEN
    if event.track is Track.ROBOT or not is_open:
        raise Conflict(
            Text("case %(case)s has no open %(track)s assignment", case=case.id, track=event.track),
            current=f"{case.status}/{case.outcome}",
        )
    if event.outcome in SUCCESSES and event.contact is not Contact.VERIFIED:
        raise Conflict("a success needs the verified contact of the right person")
    is_to_family = event.track is Track.HUMAN and case.is_family_called
    is_of_family = event.family is not None and event.outcome is OutcomeKind.CANNOT_FIND_YET
    if is_to_family != is_of_family or is_of_family != (event.family is not None):
        raise Conflict(
            "a call to the family is reported with what the family said, any other call without",
            current=f"{case.human.reason}",
        )
    draft.change_staff_track(event.track, state=StaffTrackState.DONE, at=None, reason=Reason.NONE)
    if event.contact is Contact.VERIFIED or case.contact is Contact.NONE:
        draft.change(contact=event.contact)
    if case.status is CaseStatus.WATCHING:
        if event.outcome not in UNDOING_OUTCOMES:
            follow_up_reported(draft, event)
            return
        draft.reopen(reported=event.track)
    draft.record(event.outcome, track=event.track, reason=Reason.NONE, contact=event.contact)
    if event.outcome in SUCCESSES:
        draft.succeed(event.outcome, Reason.VERIFIED_SUCCESS)
    elif event.outcome in _ENDS:
        if event.outcome is OutcomeKind.ALREADY_DEFRAUDED:
            draft.open_stop_payment(unless_known=True)
        draft.close(event.outcome, Reason.CASE_CLOSED)
    elif event.family is not None:
        family_reported(draft, event.family)
    elif event.track is Track.HUMAN:
        _apply_failed_call(draft, event.outcome)
    else:
        _apply_failed_visit(draft, event.outcome)


def _apply_failed_call(draft: CaseDraft, outcome: OutcomeKind) -> None:
    """After an unsuccessful human call an officer goes, if the grade's policy wants it or a visit is scheduled anyway.
    If nobody answered the caller, the robot's tries also go on.
    """
    draft.change(outcome=outcome)
    visit = draft.case.visit
    sends_officer = draft.grade_policy.visit_when_human_fails and visit.state is StaffTrackState.NONE
    if sends_officer or visit.is_pending:
        draft.open_assignment(Track.VISIT, Reason.HUMAN_FAILED)
    if outcome is OutcomeKind.CANNOT_FIND_YET:
        if draft.case.robot.state is RobotState.DONE and draft.case.robot.reason is Reason.CALLED_IN:
            # The robot was stopped for a call-back, which did not reach the person.
            draft.finish_robot(Reason.NONE)
            _again_or_person(draft, Reason.RETRY)
            return
        if draft.case.robot.state is RobotState.PENDING:
            return
    draft.stop_robot(Reason.HUMAN_FAILED)
    ask_family(draft)
    if not draft.case.visit.is_pending and not draft.case.human.is_pending:
        if outcome is OutcomeKind.CANNOT_FIND:
            draft.alarm(AlarmCode.CANNOT_FIND)
        draft.close(outcome, Reason.HUMAN_FAILED)


def _apply_failed_visit(draft: CaseDraft, outcome: OutcomeKind) -> None:
    """Not found yet: another visit later, up to the policy's number. If the officer met the wrong person, calls that
    are under way go on. Anything else closes the case, with an alarm when the person refused or cannot be found.
    """
    draft.change(outcome=outcome)
    assignment = draft.case.visit
    if outcome is OutcomeKind.CANNOT_FIND_YET and assignment.tries < draft.policy.visit_tries:
        draft.schedule(Track.VISIT, after_seconds=draft.policy.visit_retry_seconds, reason=Reason.VISIT_AGAIN)
        return
    on_the_phone = draft.case.human.is_pending or draft.case.robot.state is RobotState.PENDING
    if outcome in {OutcomeKind.NOT_THE_PERSON, OutcomeKind.MISMATCH} and on_the_phone:
        return
    if outcome in {OutcomeKind.CANNOT_FIND_YET, OutcomeKind.CANNOT_FIND}:
        draft.alarm(AlarmCode.CANNOT_FIND)
        draft.close(OutcomeKind.CANNOT_FIND, Reason.CASE_CLOSED)
        return
    if outcome in {OutcomeKind.REFUSES, OutcomeKind.HALF_BELIEVES}:
        draft.alarm(AlarmCode.REFUSED_IN_PERSON)
    draft.close(outcome, Reason.CASE_CLOSED)
