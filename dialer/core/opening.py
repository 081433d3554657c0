"""How a case begins, which warnings join it, and what a joining warning or a changed grade does to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dialer.core.case import CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.case_draft import Draft
from dialer.core.effects import AlarmCode
from dialer.core.events import WarningJoined
from dialer.core.values import Contact, FraudType, Grade, Tag, Track


def same_incident(open_type: FraudType, arriving: FraudType) -> bool:
    """True where a warning joins a person's open case: same type, or either unknown. A different scam is its own."""
    return open_type == arriving or FraudType.UNKNOWN in {open_type, arriving}


def known_type(open_type: FraudType, arriving: FraudType) -> FraudType:
    """The type a case carries after the warning joined it."""
    return arriving if open_type is FraudType.UNKNOWN else open_type


def start(draft: Draft) -> None:
    """Starts every track that the grade's policy has, once. A case that arrived expired gets a human call and no robot.
    For a minor a person also calls the guardian.
    """
    case = draft.case
    if case.status is not CaseStatus.OPEN or case.robot.attempts or _is_with_people(draft):
        return
    if case.missed:
        draft.alarm(AlarmCode.MISSED_WARNING)
        draft.open_assignment(Track.HUMAN, Reason.EXPIRED)
        return
    draft.plan_attempt(after_seconds=0, reason=Reason.NEW_WARNING, number=0)
    _people_by_grade(draft, Reason.PARALLEL_TRACKS)
    if Tag.MINOR in case.tags:
        draft.open_assignment(Track.HUMAN, Reason.MINOR)


def _is_with_people(draft: Draft) -> bool:
    return (
        draft.case.human.state is not StaffTrackState.NONE
        or draft.case.visit.state is not StaffTrackState.NONE
    )


def _clocks(draft: Draft) -> tuple[tuple[Track, int | None], ...]:
    """The staff tracks that this grade opens without contact, and after how many seconds; None: never."""
    rules = draft.grade_policy
    return ((Track.HUMAN, rules.human_after_seconds), (Track.VISIT, rules.visit_after_seconds))


def _people_by_grade(draft: Draft, reason: Reason) -> None:
    for track, after_seconds in _clocks(draft):
        if after_seconds is not None:
            later = reason if after_seconds == 0 else Reason.NO_CONTACT_IN_TIME
            draft.schedule(track, after_seconds=after_seconds, reason=later)


def warning_joined(draft: Draft, event: WarningJoined) -> None:
    """The case carries the highest grade, the known type, the latest expiry, the largest amount and all numbers. In
    the watch period it is only counted: the caller joins what is older than the success, and opens a case for the rest.
    """
    case = draft.case
    if case.status.is_settled:
        return
    draft.change(
        warnings=case.warnings + 1,
        fraud_type=known_type(case.fraud_type, event.fraud_type),
        tags=case.tags | event.tags,
        numbers=max(case.numbers, event.numbers),
        amount_at_risk_fen=_larger(case.amount_at_risk_fen, event.amount_at_risk_fen),
    )
    if case.status is not CaseStatus.OPEN:
        return
    if event.missed and event.grade.is_high:
        draft.alarm(AlarmCode.MISSED_WARNING)
    if not event.missed:
        draft.change(expires_at=_later(case.expires_at, event.expires_at))
    rises = event.grade.rank > case.grade.rank
    if rises:
        draft.change(grade=event.grade)
    if not event.missed and (rises or _robot_has_news(draft, numbers_before=case.numbers)):
        _start_robot(draft, Reason.GRADE_RAISED if rises else Reason.NEW_WARNING)
    if rises:
        _start_people(draft)
    if Tag.MINOR in event.tags - case.tags:
        draft.open_assignment(Track.HUMAN, Reason.MINOR)


def _robot_has_news(draft: Draft, *, numbers_before: int) -> bool:
    """True before the first attempt, and when a new number came to a person who had none left."""
    robot = draft.case.robot
    none_left = len(robot.dead_numbers) >= numbers_before and draft.next_number() is not None
    return robot.state is RobotState.OFF or (robot.state is RobotState.DONE and none_left)


def grade_changed(draft: Draft, grade: Grade) -> None:
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


def _start_robot(draft: Draft, reason: Reason) -> None:
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


def _start_people(draft: Draft) -> None:
    """Opens the staff tracks of the new grade again, also those done for a lower one; at once without a robot call."""
    for track in (Track.HUMAN, Track.VISIT):
        assignment = draft.assignment(track)
        if assignment.state is StaffTrackState.DONE:
            draft.with_track(track, replace(assignment, state=StaffTrackState.NONE))
    _people_by_grade(draft, Reason.GRADE_RAISED)
    if draft.case.grade.is_high and draft.case.robot.state is not RobotState.PENDING:
        draft.ensure_person(Reason.GRADE_RAISED)


def _unschedule_people(draft: Draft) -> None:
    for track, after_seconds in _clocks(draft):
        assignment = draft.assignment(track)
        other = draft.assignment(Track.VISIT if track is Track.HUMAN else Track.HUMAN)
        by_clock = (
            assignment.state is StaffTrackState.SCHEDULED and assignment.reason is Reason.NO_CONTACT_IN_TIME
        )
        goes_on = draft.case.robot.state is RobotState.PENDING or other.state is StaffTrackState.OPEN
        if by_clock and after_seconds is None and goes_on:
            draft.with_track(
                track, replace(assignment, state=StaffTrackState.NONE, at=None, reason=Reason.NONE)
            )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """A blank expiry never expires, so it wins."""
    return None if one is None or other is None else max(one, other)


def _larger(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
