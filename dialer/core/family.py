"""The call to the family 家属 of a person who cannot be reached. `decide` calls these functions through `rules`.

It is a human call of its own kind: `Reason.FAMILY_CALL` marks it while it is scheduled or open. There is one for each
case. It tells the family nothing of the case and is never a contact with the person: it only leads to another human
call. Whatever makes a human call to the person necessary meanwhile turns it into that call.
"""

from __future__ import annotations

from typing import Final

from dialer.core.case import CaseStatus, FamilyContact, FamilyResult, Reason, RobotState, StaffTrackState
from dialer.core.case_draft import CaseDraft
from dialer.core.events import AlarmCode
from dialer.core.values import Contact, OutcomeKind, Track

_UNREACHED: Final = frozenset(
    {OutcomeKind.CANNOT_FIND_YET, OutcomeKind.CANNOT_FIND, OutcomeKind.NOT_THE_PERSON}
)
"""Results of a human call that did not reach the person."""


def ask_family(draft: CaseDraft) -> None:
    """Schedules the call to the family if the grade's policy has one and neither the robot, which has no further call,
    nor a caller has reached the person. The family of a person who asked for no more calls is not called.
    """
    case, after_seconds = draft.case, draft.grade_policy.family_after_seconds
    is_over = case.human.state is StaffTrackState.DONE and case.robot.state is not RobotState.PENDING
    is_reached = case.contact is Contact.VERIFIED or case.outcome not in _UNREACHED or case.opted_out
    if case.status is not CaseStatus.OPEN or case.family is not FamilyContact.KNOWN:
        return
    if after_seconds is not None and is_over and not is_reached:
        draft.schedule(Track.HUMAN, after_seconds=after_seconds, reason=Reason.FAMILY_CALL)


def family_reported(draft: CaseDraft, result: FamilyResult) -> None:
    """A caller calls the person again if the family was reached: at once if somebody is with the person, else after
    the gap of the robot's calls. Otherwise the visit and the robot go on; without either the case ends with an alarm.
    """
    draft.change(family=FamilyContact.CALLED)
    if result.is_reached:
        gap_seconds = draft.grade_policy.robot_gap_seconds
        after_seconds = 0 if result is FamilyResult.WITH_PERSON else gap_seconds
        draft.schedule(Track.HUMAN, after_seconds=after_seconds, reason=Reason.FAMILY_REACHED)
    elif not draft.case.visit.is_pending and draft.case.robot.state is not RobotState.PENDING:
        draft.alarm(AlarmCode.CANNOT_FIND)
        draft.close(OutcomeKind.CANNOT_FIND, Reason.CASE_CLOSED)
