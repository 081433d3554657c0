"""The events that can happen to a case, and the effects that a decision asks for. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialer.core.case import BeforeFiling, FamilyResult, Reason
from dialer.core.reach import Reach
from dialer.core.values import (
    Answer,
    Contact,
    FraudType,
    Grade,
    MessageChannel,
    MessagePurpose,
    OutcomeKind,
    Tag,
    TelephonyResult,
    Track,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """The first warning opened the case; its tracks start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningJoined:
    """Another warning of the same person and incident."""

    grade: Grade
    fraud_type: FraudType
    expires_at: datetime | None = None
    amount_at_risk_fen: int | None = None
    tags: frozenset[Tag] = frozenset()
    numbers: int = 0
    """How many numbers the person has now, the new ones last."""
    missed: bool = False
    has_family: bool = False
    """A family contact with a telephone number is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """Attempt `n` is over. Contact and answer are those of the conversation."""

    n: int
    result: TelephonyResult
    contact: Contact = Contact.NONE
    answer: Answer = Answer.NONE
    reach: Reach | None = None
    """None if there was no conversation to judge by."""

    @property
    def was_cut_off(self) -> bool:
        """Whether a fault of ours ended the call before the person gave an answer that counts."""
        return self.reach is Reach.CUT_OFF and self.answer in _NEEDS_CONTACT


_NEEDS_CONTACT = frozenset({Answer.NONE, Answer.ACKNOWLEDGED, Answer.SAW_THROUGH, Answer.DOUBTFUL})
"""Answers that count only from a person who was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverRequested:
    """During the call: "speak to an officer", or "I have already paid". The call goes on; a person is needed now."""

    n: int
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverAnswered:
    """The duty line was answered, and the officer has spoken with the person in the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCalledIn:
    """The person calls us. Who it is has not been verified."""

    from_own_number: bool
    """The network reports that the call comes from one of the person's numbers; otherwise the number was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReported:
    """The person has told a caller or an officer that money has been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClosed:
    """The turn of the pending attempt came outside the dialling window."""

    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """`due_at` has come: silence is an event."""

    is_at_carrier: bool = False
    """The pending attempt is at the carrier now: its end will decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReported:
    """A caller or an officer reports the outcome of an assignment."""

    track: Track
    outcome: OutcomeKind
    contact: Contact
    family: FamilyResult | None = None
    """What a call to the family brought; None for any other assignment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeChanged:
    """A person set the grade. If it is lower, the calling code has checked and recorded the reason."""

    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequested:
    """A person wants the robot to call now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRequested:
    """A person wants a human call (or a visit) for this case now."""

    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut:
    """The person asked not to be called by a robot for this incident; in the watch period: wants no follow-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsAllowed:
    """A supervisor lifts what the person had asked for: a further warning is called again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    """A person closes the case with an outcome."""

    outcome: OutcomeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFiled:
    """The person reported to the police that money was lost after all (立案)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingUndone:
    """The filed case was another person's: the case returns to what it was before."""

    before: BeforeFiling


Event = (
    CaseOpened
    | WarningJoined
    | AttemptEnded
    | HandOverRequested
    | HandOverAnswered
    | PaymentReported
    | PersonCalledIn
    | WindowClosed
    | TimePassed
    | AssignmentReported
    | GradeChanged
    | CallRequested
    | AssignmentRequested
    | OptedOut
    | CallsAllowed
    | CaseClosed
    | CaseFiled
    | FilingUndone
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAttempt:
    """One numbered call attempt, with its earliest time and its place in the queue."""

    n: int
    number: int
    not_before: datetime
    urgency_at: datetime
    windowed: bool
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAttempt:
    """Attempt `n` is no longer wanted; a call at the carrier is cancelled there."""

    n: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpediteAttempt:
    """The pending attempt gets another place in the queue and another earliest time."""

    n: int
    not_before: datetime
    urgency_at: datetime
    windowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAssignment:
    """An assignment for a caller or an officer, with its three clocks."""

    track: Track
    reason: Reason
    sign_by: datetime
    due_at: datetime
    feedback_by: datetime
    urgency_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpediteAssignment:
    """The open assignment goes to the top of the queue, for a reason that outweighs its first."""

    track: Track
    reason: Reason
    urgency_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignToDutyDesk:
    """The duty desk gets the open assignment, unless somebody has signed for it."""

    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """A message to one of the person's numbers; at most one for each purpose and case."""

    purpose: MessagePurpose
    number: int
    channel: MessageChannel
    after_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStopPayment:
    """The person has paid: somebody has to ask the bank to stop the payment 止付, even after the case has ended."""

    unless_known: bool = False
    """Not if there is one already, also a done one: who reports the end of a case repeats what was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAssignment:
    """The track's open assignment is withdrawn: nobody has to do it any more."""

    track: Track
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """A new line in the ledger of outcomes."""

    outcome: OutcomeKind
    contact: Contact
    track: Track | None
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseOutcome:
    """A filed case or a follow-up undoes the success on record."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOutcome:
    """The lines that a filed case added to the ledger are reversed: what they had reversed counts again."""


class AlarmCode(StrEnum):
    """What an alarm is about."""

    MISSED_WARNING = "missed_warning"
    HUMAN_OVERDUE = "human_overdue"
    VISIT_OVERDUE = "visit_overdue"
    OWN_FAULTS = "own_faults"
    ALREADY_PAID = "already_paid"
    CANNOT_FIND = "cannot_find"
    REFUSED_IN_PERSON = "refused_in_person"
    DEFRAUDED_AFTER_SUCCESS = "defrauded_after_success"
    WAITED_TOO_LONG = "waited_too_long"
    REJECTED_HIGH_ROW = "rejected_high_row"
    NUMBER_USED_AGAIN = "number_used_again"
    """A source sent an instruction number again with other content, which is taken as a warning of its own."""
    NUMBER_OF_ANOTHER_SOURCE = "number_of_another_source"
    """Another source names a further number for the person of an open case of a high grade; the robot does not call
    it.
    """
    WARNED_AFTER_STOP = "warned_after_stop"
    """A person who said that it is solved is warned again, with a higher grade."""
    WARNINGS_WAIT = "warnings_wait"
    """Warnings of a source are above its limits: they wait for a person to release them."""
    EXTRA_HIGH_WAITS = "extra_high_waits"
    """Extra-high warnings have waited for release for minutes."""
    UNKNOWN_SUBMISSION = "unknown_submission"
    CARRIER_TROUBLE = "carrier_trouble"
    CARRIER_DOWN = "carrier_down"
    """Only trial calls are sent to the carrier."""
    NOBODY_ANSWERS = "nobody_answers"
    """No web process runs, so dialling has stopped."""
    WEBHOOKS_MISSING = "webhooks_missing"
    """Calls that the carrier took bring no webhook, or only ones that cannot be verified, so dialling has stopped."""
    PROMPTS_MISSING = "prompts_missing"
    """The carrier could not get our words or our sound: people heard the safe sentence or nothing, so dialling has
    stopped.
    """
    PUBLIC_URL_BLOCKED = "public_url_blocked"
    """A request that we send to our own public address does not reach our web process."""
    SCHEMA_MOVED = "schema_moved"
    """A newer version migrated the database while an older process runs, which claims nothing from then on."""
    CLOCK_JUMPED = "clock_jumped"
    """The clock of a machine went back, or two machines disagree."""
    NO_NEXT_STEP = "no_next_step"
    UNSIGNED = "unsigned"
    """An assignment was not signed for in time."""
    SOUND_BROKEN = "sound_broken"
    """An approved prompt could not be played in a call; a synthesised voice spoke it instead."""
    AUDIT_BROKEN = "audit_broken"
    """Lines of the audit are missing, altered, duplicated or moved."""
    ANCHOR_FAILED = "anchor_failed"
    """The head of the audit could not be written outside the database."""
    NUMBER_AT_LIMIT = "number_at_limit"
    """A number was called, or sent messages, as often as it may be in an hour or a day, over all cases: the robot
    waits.
    """
    MANY_NAMES = "many_names"
    """A case was opened, at a counter or by the warning robot, for one more person with a number that many have."""
    MANY_REVEALS = "many_reveals"
    """One user has viewed much personal data in clear in a short time."""
    MANY_SEARCHES = "many_searches"
    """One user has searched for people by many personal values in a short time."""
    MANY_PAGES = "many_pages"
    """One user has opened many different pages of masked people in an hour."""
    CHANGED_ALONE = "changed_alone"
    """An administrator changed an account or made a token at a terminal without a second person, since there was no
    other security administrator.
    """
    SIGNALS_SILENT = "signals_silent"
    """A source that sent signals regularly sends none."""
    RULE_STOPPED = "rule_stopped"
    """A rule of the warning robot fired far more often than it used to: what it alone finds is held. With a source
    in its facts, only what depends on this source.
    """
    URGENT_HELD = "urgent_held"
    """Extra-high verdicts of the warning robot are held, because they rest on stopped rules alone."""
    LIST_ITEM_WAITS = "list_item_waits"
    """A source lists as fraud what everybody uses, such as the number of a bank: it waits for a person."""
    SIGNALS_REFUSED = "signals_refused"
    """A source sent more signals than it may: it was told to send the rest later."""
    MANY_SIGNALS = "many_signals"
    """A source sent very many signals about one person: those above the most that are read were left out."""
    SOURCE_STOPPED = "source_stopped"
    """The robot found more in the signals of a source than it may send: what rests on this source alone is held."""
    VERDICTS_HELD = "verdicts_held"
    """Verdicts of the warning robot have been held for more than some minutes, by the budget or a stopped rule."""
    RULE_WORSE = "rule_worse"
    """Fewer of a rule's recent warnings were right than before, by more than chance explains."""
    SIGNALS_DRIFTED = "signals_drifted"
    """The figures that a rule reads are distributed differently from the week before."""
    MANY_OPENING_CHECKS = "many_opening_checks"
    """An outlet has checked more openings in an hour than it may open cards."""
    CHECK_FALLS_ON_GROUP = "check_falls_on_group"
    """A check of openings finds people of one home province or age far more often than all others."""
    TRUNK_FAILING = "trunk_failing"
    """A trunk of the centre's own does not work: calls go by the others, or wait."""
    DUTY_GAP = "duty_gap"
    """Within a day a unit has nobody on duty."""
    NOT_NOTIFIED = "not_notified"
    """Work waits in a unit, and nobody on duty there could be told of it."""
    DESKS_STALLED = "desks_stalled"
    """Calls wait, somebody who may take them is free, and for minutes nothing moves."""
    CORRECTION_OVERDUE = "correction_overdue"
    """An order to correct is past its deadline, or nobody has decided its answer in time."""
    NUMBER_MARKED = "number_marked"
    """Telephones and networks refuse calls from our number as unwanted."""
    DRAFTS_WAIT = "drafts_wait"
    """Drafts have waited for a second person for hours."""
    STOP_UNANSWERED = "stop_unanswered"
    """A bank was asked to stop a payment, and nobody has asked for its answer in time."""
    HELD_TOO_LONG = "held_too_long"
    """A person has been on hold in a call from a desk for minutes, or could not be put on hold or taken back."""
    LISTENER_REMAINS = "listener_remains"
    """The leg of a supervisor who listened to a call does not end."""
    THIRD_PARTY_STUCK = "third_party_stuck"
    """The leg of a third party does not end, or a call is not handed over to one."""
    RECORDING_NOT_FETCHED = "recording_not_fetched"
    """For more than a day the carrier has not delivered the recording of a call, or could not delete it."""
    WORK_GIVEN_UP = "work_given_up"
    """A job failed, or ended the process that did it, as often as it is tried."""
    WORK_OVERDUE = "work_overdue"
    """Work has been due for long, and no process takes it."""
    BROKER_DOWN = "broker_down"
    """The broker does not answer, so ticks reach no worker."""
    DATABASE_FAILED_OVER = "database_failed_over"
    """The database went on at another server, or from an earlier moment; the alarm tells which calls it lacked."""
    COMMITS_STUCK = "commits_stuck"
    """Commits wait for a synchronous standby that is gone."""
    HOST_SILENT = "host_silent"
    """No process of a host reports any more, and those of others do."""
    DIALLING_STALLED = "dialling_stalled"
    """Calls are due and lines are free, and none rings; the alarm says at which stage they stop."""
    CARD_QUESTION_LAPSED = "card_question_lapsed"
    """Nobody at the desk answered an outlet while its customer waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlarm:
    """A supervisor must see this case."""

    code: AlarmCode


Effect = (
    PlanAttempt
    | WithdrawAttempt
    | ExpediteAttempt
    | OpenAssignment
    | ExpediteAssignment
    | AssignToDutyDesk
    | OpenStopPayment
    | SendMessage
    | WithdrawAssignment
    | RecordOutcome
    | ReverseOutcome
    | RestoreOutcome
    | RaiseAlarm
)
