"""A case: one person, one incident, up to three tracks, frozen; and the states of what belongs to it: assignments,
visits, transfers, desk calls, stop-payment requests. `decide` returns changed copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from dialer.core.values import Contact, FraudType, Grade, OutcomeKind, Tag, Track


class CaseStatus(StrEnum):
    """Where a case is in its life."""

    OPEN = "open"
    """The person is still to be reached."""
    WATCHING = "watching"
    """Dissuaded, provisionally: the watch period runs."""
    PROVEN = "proven"
    """The watch period passed with no case filed."""
    REVERSED = "reversed"
    """A case was filed with the police after a success."""
    CLOSED = "closed"
    """Ended otherwise; the outcome says how."""

    @property
    def is_settled(self) -> bool:
        """Whether the case has ended; only a filed case changes it after that."""
        return self in SETTLED_STATUSES


RUNNING_STATUSES: Final = frozenset({CaseStatus.OPEN, CaseStatus.WATCHING})
"""A call or a visit may still follow: in the watch period a follow-up calls."""
SETTLED_STATUSES: Final = frozenset(CaseStatus) - RUNNING_STATUSES
STANDING_STATUSES: Final = frozenset({CaseStatus.WATCHING, CaseStatus.PROVEN})
"""The case counts as a success, provisionally or finally."""


class Reason(StrEnum):
    """Why a step was taken or will be taken; pages and timelines show it in words."""

    NEW_WARNING = "new_warning"
    GRADE_RAISED = "grade_raised"
    RETRY = "retry"
    NEXT_NUMBER = "next_number"
    OWN_FAULT = "own_fault"
    BUSY_ON_HIGH = "busy_on_high"
    OUTSIDE_WINDOW = "outside_window"
    PARALLEL_TRACKS = "parallel_tracks"
    NO_CONTACT_IN_TIME = "no_contact_in_time"
    ROBOT_TRIES_USED = "robot_tries_used"
    NO_USABLE_NUMBER = "no_usable_number"
    FORWARDED_OR_MACHINE = "forwarded_or_machine"
    NOT_VERIFIED = "not_verified"
    HUNG_UP_EARLY = "hung_up_early"
    LEFT_UNANSWERED = "left_unanswered"
    """The right person was on the line and hung up before an answer."""
    SILENT = "silent"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    WANTS_OFFICER = "wants_officer"
    ALREADY_PAID = "already_paid"
    WRONG_PERSON = "wrong_person"
    LANGUAGE_OR_HEARING = "language_or_hearing"
    UNKNOWN_SUBMISSION = "unknown_submission"
    WAITED_TOO_LONG = "waited_too_long"
    EXPIRED = "expired"
    SAMPLE = "sample"
    NOT_IN_SAMPLE = "not_in_sample"
    HUMAN_FAILED = "human_failed"
    HUMAN_OVERDUE = "human_overdue"
    VISIT_AGAIN = "visit_again"
    ON_REQUEST = "on_request"
    OPTED_OUT = "opted_out"
    MINOR = "minor"
    VERIFIED_SUCCESS = "verified_success"
    CASE_CLOSED = "case_closed"
    CASE_FILED = "case_filed"
    FILING_UNDONE = "filing_undone"
    """The filed case was another person's."""
    WATCH_ENDED = "watch_ended"
    FOLLOW_UP = "follow_up"
    """In the watch period: the person is asked again."""
    IN_CONTACT = "in_contact"
    """In a follow-up: the scammer has been in contact again."""
    CALLED_IN = "called_in"
    """The person has called us."""
    FAMILY_CALL = "family_call"
    """A caller calls the family contact of a person who cannot be reached."""
    FAMILY_REACHED = "family_reached"
    """The family knows that the person is to call us, or is with the person."""
    ERASED = "erased"
    """The person's data were erased again after a restore."""
    NONE = "none"


WISHES = frozenset({Reason.WANTS_OFFICER, Reason.ALREADY_PAID})
"""What a person asked for or reported during a call; it stays the attempt's reason until the call ends."""


class RobotState(StrEnum):
    """The robot's track of a case."""

    OFF = "off"
    PENDING = "pending"
    """Exactly one attempt, the case's newest, is planned or live."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """A case's robot track."""

    state: RobotState = RobotState.OFF
    attempts: int = 0
    """Attempt rows made so far; the newest has this number."""
    tries: int = 0
    """Attempts that counted against the grade's tries."""
    own_faults: int = 0
    """Attempts that failed through our fault since the last attempt that counted."""
    number: int = 0
    """Which of the person's numbers the newest attempt calls, from 0."""
    dead_numbers: frozenset[int] = frozenset()
    at: datetime | None = None
    """The earliest time of the pending attempt."""
    patience_at: datetime | None = None
    reason: Reason = Reason.NONE


class FamilyContact(StrEnum):
    """Whether the person's family can still be called."""

    NONE = "none"
    """No family contact with a telephone number is known."""
    KNOWN = "known"
    CALLED = "called"
    """The call to the family has been reported; there is no other one."""


class FamilyResult(StrEnum):
    """What a call to the family contact brought. It is never a contact with the person."""

    PASSES_ON = "passes_on"
    """Somebody of the family asks the person to call us."""
    WITH_PERSON = "with_person"
    """Somebody of the family is with the person now."""
    NOT_REACHED = "not_reached"
    WRONG_PERSON = "wrong_person"
    """The number is not of the family."""

    @property
    def is_reached(self) -> bool:
        return self in {FamilyResult.PASSES_ON, FamilyResult.WITH_PERSON}


class StaffTrackState(StrEnum):
    """A caller's or an officer's track of a case."""

    NONE = "none"
    SCHEDULED = "scheduled"
    """Opens at `at`, unless the person has been reached by then."""
    OPEN = "open"
    """There is an assignment, signed for or not; overdue at `at`."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffTrack:
    """A human call or a visit."""

    state: StaffTrackState = StaffTrackState.NONE
    at: datetime | None = None
    tries: int = 0
    reason: Reason = Reason.NONE

    @property
    def is_pending(self) -> bool:
        """Whether somebody has to act on it, now or later."""
        return self.state in {StaffTrackState.SCHEDULED, StaffTrackState.OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The follow-up 回访 of a watched case: none, planned for `at`, or under way as the case's call or assignment."""

    by: Track | None = None
    """None: none is planned or under way."""
    at: datetime | None = None
    """When it begins; None while it is under way."""
    tries: int = 0
    """Calls made in this way that did not reach the person."""

    @property
    def is_under_way(self) -> bool:
        return self.by is not None and self.at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case without its personal data. The times of its attempts live in their rows."""

    id: int
    grade: Grade
    fraud_type: FraudType
    opened_at: datetime
    policy_version: int
    numbers: int
    """How many telephone numbers the person has."""
    status: CaseStatus = CaseStatus.OPEN
    outcome: OutcomeKind | None = None
    contact: Contact = Contact.NONE
    expires_at: datetime | None = None
    amount_at_risk_fen: int | None = None
    missed: bool = False
    opted_out: bool = False
    tags: frozenset[Tag] = frozenset()
    warnings: int = 1
    robot: Robot = field(default_factory=Robot)
    human: StaffTrack = field(default_factory=StaffTrack)
    visit: StaffTrack = field(default_factory=StaffTrack)
    watch_until: datetime | None = None
    follow_up: FollowUp = field(default_factory=FollowUp)
    family: FamilyContact = FamilyContact.NONE
    reopened: bool = False
    """The case was opened again: a follow-up undid its success, or a filing that had ended it was undone."""

    @property
    def is_family_called(self) -> bool:
        """Whether the open human call is one to the family."""
        return self.human.state is StaffTrackState.OPEN and self.human.reason is Reason.FAMILY_CALL

    @property
    def due_at(self) -> datetime | None:
        """The earliest time at which the passing of time changes the case; None: only another event can."""
        times: list[datetime] = []
        if self.status in RUNNING_STATUSES:
            times.extend(e.at for e in (self.human, self.visit) if e.is_pending and e.at is not None)
        if self.status is CaseStatus.OPEN:
            if self.robot.state is RobotState.PENDING and self.robot.patience_at is not None:
                times.append(self.robot.patience_at)
            if self.expires_at is not None and not self.missed and self.contact is not Contact.VERIFIED:
                times.append(self.expires_at)
        elif self.status is CaseStatus.WATCHING:
            times.extend(at for at in (self.watch_until, self.follow_up.at) if at is not None)
        return min(times, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeFiling:
    """The values of a case that filing it changes, as they were before."""

    status: CaseStatus
    outcome: OutcomeKind | None
    watch_until: datetime | None
    follow_up: FollowUp
    is_robot_pending: bool
    human: StaffTrack
    visit: StaffTrack

    @classmethod
    def of(cls, case: Case) -> BeforeFiling:
        """The values of this case as they are now."""
        return cls(
            status=case.status,
            outcome=case.outcome,
            watch_until=case.watch_until,
            follow_up=case.follow_up,
            is_robot_pending=case.robot.state is RobotState.PENDING,
            human=case.human,
            visit=case.visit,
        )


class CaseAct(StrEnum):
    """What a user can do with a case, besides reporting on its assignments."""

    CALL_NOW = "call_now"
    RAISE = "raise"
    LOWER = "lower"
    ASK_CALLER = "ask_caller"
    """A human call."""
    ASK_OFFICER = "ask_officer"
    """A visit."""
    HAND_OVER = "hand_over"
    CLOSE = "close"
    MARK_DUPLICATE = "mark_duplicate"
    OPT_OUT = "opt_out"
    ALLOW_CALLS = "allow_calls"
    """Lifts it."""
    NOTE = "note"


class ActRefusal(StrEnum):
    """Why an act is not allowed now."""

    NOT_OPEN = "not_open"
    OPTED_OUT = "opted_out"
    NOT_OPTED_OUT = "not_opted_out"
    NO_NUMBER = "no_number"
    HIGHEST_GRADE = "highest_grade"
    LOWEST_GRADE = "lowest_grade"
    UNDER_WAY = "under_way"
    """The assignment is open already."""


def acts_allowed(case: Case) -> Mapping[CaseAct, ActRefusal | None]:
    """Every act with the reason why it is not allowed now; None: it is allowed. `decide` refuses the same acts: pages
    only say so beforehand.
    """
    is_open = case.status is CaseStatus.OPEN
    # In the watch period a person may refuse the follow-ups.
    can_refuse = case.status in RUNNING_STATUSES

    def refused(*reasons: tuple[bool, ActRefusal], is_possible: bool = is_open) -> ActRefusal | None:
        if not is_possible:
            return ActRefusal.NOT_OPEN
        return next((refusal for applies, refusal in reasons if applies), None)

    return {
        CaseAct.CALL_NOW: refused(
            (case.opted_out, ActRefusal.OPTED_OUT), (not _can_call(case), ActRefusal.NO_NUMBER)
        ),
        CaseAct.RAISE: refused((case.grade is Grade.EXTRA_HIGH, ActRefusal.HIGHEST_GRADE)),
        CaseAct.LOWER: refused((case.grade is Grade.LOW, ActRefusal.LOWEST_GRADE)),
        CaseAct.ASK_CALLER: refused(
            (case.human.state is StaffTrackState.OPEN and not case.is_family_called, ActRefusal.UNDER_WAY)
        ),
        CaseAct.ASK_OFFICER: refused((case.visit.state is StaffTrackState.OPEN, ActRefusal.UNDER_WAY)),
        CaseAct.HAND_OVER: refused(),
        CaseAct.CLOSE: refused(),
        CaseAct.MARK_DUPLICATE: refused(),
        CaseAct.OPT_OUT: refused((case.opted_out, ActRefusal.OPTED_OUT), is_possible=can_refuse),
        CaseAct.ALLOW_CALLS: refused((not case.opted_out, ActRefusal.NOT_OPTED_OUT), is_possible=can_refuse),
        CaseAct.NOTE: None,
    }


def wants_no_more_calls(case: Case, *, of: Grade) -> bool:
    """Whether the person said in the watch period that it is solved: a further warning of this incident is then kept
    with the case, and nobody calls, writes or comes because of it, unless its grade `of` is higher.
    """
    return case.status is CaseStatus.WATCHING and case.opted_out and of.rank <= case.grade.rank


def _can_call(case: Case) -> bool:
    if case.robot.state is RobotState.PENDING:
        return True
    return any(number not in case.robot.dead_numbers for number in range(case.numbers))


class AssignmentState(StrEnum):
    """Where an assignment is in its life."""

    OPEN = "open"
    SIGNED = "signed"
    """签收: a caller or an officer has it."""
    DONE = "done"
    WITHDRAWN = "withdrawn"
    """The person was reached on another track, or the case ended."""


PENDING_STATES: Final = frozenset({AssignmentState.OPEN, AssignmentState.SIGNED})
"""Still to be done."""
BEGUN_STATES: Final = frozenset({AssignmentState.SIGNED, AssignmentState.DONE})


class VisitStage(StrEnum):
    """How far a visit has come."""

    NONE = "none"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    ARRIVED = "arrived"
    SEEN = "seen"
    """The person met is recorded; the report is still to come."""

    @property
    def rank(self) -> int:
        """The position among the stages, from 0."""
        return list(VisitStage).index(self)

    def under(self, state: AssignmentState) -> VisitStage:
        """The stage to show with the assignment in this state: signing for a visit accepts it, and a visit that is open
        again starts from the beginning.
        """
        if state is AssignmentState.OPEN:
            return VisitStage.NONE
        return VisitStage.ACCEPTED if state is AssignmentState.SIGNED and self is VisitStage.NONE else self


class PersonMet(StrEnum):
    """Who was met at the door."""

    PERSON = "person"
    FAMILY = "family"
    NEIGHBOUR = "neighbour"
    NOBODY = "nobody"


class TransferState(StrEnum):
    """The state of a transfer: of a case or an assignment that somebody else is to take over."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """It stays with the sender."""


class DeskCallState(StrEnum):
    """The state of a call from a desk, which calls the caller's own telephone first and then the person's."""

    ASKED = "asked"
    """The carrier was asked; whether it took the call may not be known yet."""
    RINGING = "ringing"
    """The caller's own telephone rings."""
    JOINED = "joined"
    """The caller is on the line: the person is being called, or both talk."""
    HANDED_OVER = "handed_over"
    """The caller has left: the person talks with a third party."""
    ENDED = "ended"


DESK_HAS_LEFT: Final = frozenset({DeskCallState.HANDED_OVER, DeskCallState.ENDED})
"""The caller's own telephone is free."""


class InboundState(StrEnum):
    """The state of an inbound call."""

    ASKING = "asking"
    """The call is answered; the number that was warned is not known yet."""
    WAITING = "waiting"
    """In the queue for a desk."""
    RINGING = "ringing"
    """A desk's telephone rings."""
    JOINED = "joined"
    """A desk is on the line."""
    ENDED = "ended"


class InboundResult(StrEnum):
    """How an inbound call ended."""

    JOINED = "joined"
    """A desk and the person were on the line."""
    CALL_BACK = "call_back"
    """No desk answered in time: the person was told that a caller would call back."""
    GAVE_UP = "gave_up"
    """The person hung up in the queue."""
    NO_CASE = "no_case"
    """No open case was found, and the duty line did not answer."""


class StopResult(StrEnum):
    """The result of a stop-payment request. The money is recorded with evidence in the ledger, never here."""

    ASKED = "asked"
    """The bank has been asked."""
    TOO_LATE = "too_late"
    """There was nothing left to stop."""
    NOT_NEEDED = "not_needed"
    """Nothing had been paid after all."""


class StopState(StrEnum):
    """The state of a request to a bank to stop a payment."""

    ASKED = "asked"
    NO_ANSWER = "no_answer"
    """The bank was asked again and has not answered."""
    STOPPED = "stopped"
    """The bank holds the money, or a part of it."""
    REFUSED = "refused"
    """There is nothing left, or the bank does not stop it."""


class PaidWhen(StrEnum):
    """When the person paid, by the key pressed at the script's question."""

    JUST_NOW = "1"
    HOURS_AGO = "2"
    BEFORE_TODAY = "3"


_CONTACT_OF_OUTCOME = {
    OutcomeKind.DISSUADED_BY_PHONE: Contact.VERIFIED,
    OutcomeKind.DISSUADED_IN_PERSON: Contact.VERIFIED,
    OutcomeKind.SAW_THROUGH_IT: Contact.VERIFIED,
    OutcomeKind.HALF_BELIEVES: Contact.VERIFIED,
    OutcomeKind.REFUSES: Contact.VERIFIED,
    OutcomeKind.ALREADY_DEFRAUDED: Contact.VERIFIED,
    OutcomeKind.NOT_THE_PERSON: Contact.UNVERIFIED,
    OutcomeKind.MISMATCH: Contact.NONE,
    OutcomeKind.CANNOT_FIND_YET: Contact.NONE,
    OutcomeKind.CANNOT_FIND: Contact.NONE,
    OutcomeKind.DUPLICATE: Contact.NONE,
    OutcomeKind.TRANSFERRED: Contact.NONE,
    OutcomeKind.LANGUAGE_OR_HEARING: Contact.UNVERIFIED,
    OutcomeKind.MISSED: Contact.NONE,
    OutcomeKind.WITHDRAWN: Contact.NONE,
}


NO_CALL: Final = "no_call"
"""Reason of an outcome: a success by phone was reported without a staff call. It counts once a second person has
approved it.
"""
CLAIM_ENDED: Final = "claim_ended"
"""Reason of the line that reverses such a success because its task ended before a second person approved it: it never
counted.
"""


def contact_of_outcome(outcome: OutcomeKind) -> Contact:
    """The contact that a reported outcome implies, unless the report says otherwise."""
    return _CONTACT_OF_OUTCOME[outcome]


def may_report(state: AssignmentState) -> bool:
    """Whether feedback on an assignment in this state is accepted."""
    return state in PENDING_STATES
