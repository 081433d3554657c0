"""How a case begins, and what a further warning or a changed grade adds to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dialer.domain.case import CaseStatus, ErrandState, Reason, RobotState
from dialer.domain.draft import Draft
from dialer.domain.effects import AlarmCode
from dialer.domain.events import WarningJoined
from dialer.domain.incident import known_type
from dialer.domain.values import Contact, Grade, Tag, Track


def start(draft: Draft) -> None:
    """Every track that the grade's policy wants is on its way. A case that came expired gets a person, who must
    explain it, and no robot. Under-age: a person rings the guardian beside whatever the robot does.
    """
    if draft.case.missed:
        draft.alarm(AlarmCode.MISSED_WARNING)
        draft.open_errand(Track.HUMAN, Reason.EXPIRED)
        return
    draft.ring(after_seconds=0, reason=Reason.NEW_WARNING, number=0)
    _people_by_grade(draft, Reason.PARALLEL_TRACKS)
    if Tag.MINOR in draft.case.tags:
        draft.open_errand(Track.HUMAN, Reason.MINOR)


def _people_by_grade(draft: Draft, reason: Reason) -> None:
    rules = draft.grade_policy
    if rules.human_after_seconds is not None and draft.case.human.state is not ErrandState.DONE:
        later = reason if rules.human_after_seconds == 0 else Reason.NO_CONTACT_IN_TIME
        draft.schedule(Track.HUMAN, after_seconds=rules.human_after_seconds, reason=later)
    if rules.visit_after_seconds is not None and draft.case.visit.state is not ErrandState.DONE:
        later = reason if rules.visit_after_seconds == 0 else Reason.NO_CONTACT_IN_TIME
        draft.schedule(Track.VISIT, after_seconds=rules.visit_after_seconds, reason=later)


def warning_joined(draft: Draft, event: WarningJoined) -> None:
    """The case carries the highest grade, the known type, the latest expiry, the largest amount and all numbers. In
    the watch period it is only counted: the person has been warned of this incident.
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
    if not event.missed:
        draft.change(expires_at=_later(case.expires_at, event.expires_at))
    if event.grade.rank > case.grade.rank:
        grade_changed(draft, event.grade)
    elif not event.missed and case.robot.state is RobotState.OFF and not case.opted_out:
        draft.ring(after_seconds=0, reason=Reason.NEW_WARNING, number=0)


def grade_changed(draft: Draft, grade: Grade) -> None:
    """On a rise every track that the new grade wants starts now and a pending ring moves forward; a fall only
    changes what comes next.
    """
    rises = grade.rank > draft.case.grade.rank
    draft.change(grade=grade)
    if not rises:
        return
    robot = draft.case.robot
    if robot.state is RobotState.PENDING:
        draft.hasten(reason=Reason.GRADE_RAISED)
        _person_at_night(draft)
    elif not draft.case.opted_out and draft.case.contact is not Contact.VERIFIED:
        number = robot.number if robot.number not in robot.dead_numbers else draft.next_number()
        if number is not None and robot.attempts < draft.grade_policy.robot_tries + len(robot.dead_numbers):
            draft.ring(after_seconds=0, reason=Reason.GRADE_RAISED, number=number)
    _people_by_grade(draft, Reason.GRADE_RAISED)
    if draft.case.human.state is ErrandState.DONE and not draft.case.visit.is_pending:
        draft.change(human=replace(draft.case.human, state=ErrandState.NONE, at=None))
        _people_by_grade(draft, Reason.GRADE_RAISED)
    _never_idle(draft)


def _person_at_night(draft: Draft) -> None:
    if not draft.grade_policy.windowed and not draft.policy.window.is_open(draft.now):
        draft.ask_person(Reason.OUTSIDE_WINDOW)


def _never_idle(draft: Draft) -> None:
    if not draft.case.has_future:
        draft.ask_person(Reason.GRADE_RAISED)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """A blank expiry never expires, so it wins."""
    return None if one is None or other is None else max(one, other)


def _larger(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
