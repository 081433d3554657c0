"""The words of the trade as enumerations, stored by value, and the rules of amounts. Chinese terms are the
users' own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from dialer.core.errors import Invalid
from dialer.core.text import Text, gettext_noop


class Grade(StrEnum):
    """How likely and how urgent the fraud is, as the ministry grades it; some places add extra high."""

    EXTRA_HIGH = "extra_high"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """4 for extra high down to 1 for low; a grade rises by itself and falls only by a person with a reason."""
        return _RANK[self]

    @property
    def is_high(self) -> bool:
        """Extra high or high: called at any hour, and never expires unnoticed."""
        return self in {Grade.EXTRA_HIGH, Grade.HIGH}


_RANK = {Grade.EXTRA_HIGH: 4, Grade.HIGH: 3, Grade.MEDIUM: 2, Grade.LOW: 1}


class FraudType(StrEnum):
    """The ministry's ten types of June 2024, and `unknown` where a list names none that we know."""

    FAKE_ORDER_REBATE = "fake_order_rebate"
    INVESTMENT = "investment"
    SHOPPING = "shopping"
    FAKE_CUSTOMER_SERVICE = "fake_customer_service"
    LOAN = "loan"
    CREDIT = "credit"
    BOSS_OR_ACQUAINTANCE = "boss_or_acquaintance"
    POLICE_IMPERSONATION = "police_impersonation"
    ROMANCE = "romance"
    GAME_TRADE = "game_trade"
    UNKNOWN = "unknown"


class WarningKind(StrEnum):
    """What gave the fraud away: money moving 资金, a call or message 通联, a site or app 网络."""

    FUND = "fund"
    TELECOM = "telecom"
    WEB_APP = "web_app"
    UNKNOWN = "unknown"


class Tag(StrEnum):
    """What to consider when a person is called or visited."""

    MINOR = "minor"
    ELDERLY = "elderly"
    HEARING = "hearing"
    MONGOLIAN = "mongolian"


class Announcement(StrEnum):
    """What the network announced instead of putting a call through, as the carrier recognised it."""

    POWERED_OFF = "powered_off"
    SUSPENDED = "suspended"
    INVALID = "invalid"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FORWARDED = "forwarded"
    ASSISTANT = "assistant"
    CONGESTION = "congestion"
    UNKNOWN = "unknown"
    """An announcement that the carrier did not recognise."""


class TelephonyResult(StrEnum):
    """What the telephone network did with one attempt. It says nothing about whom we reached."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FORWARDED = "forwarded"
    MACHINE = "machine"
    REJECTED = "rejected"
    POWERED_OFF = "powered_off"
    INVALID_NUMBER = "invalid_number"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELED = "canceled"
    DEAD_AIR = "dead_air"
    """Answered, but none of our prompts was played, because the carrier did not reach our webhooks. Our fault."""
    UNKNOWN = "unknown"


class Contact(StrEnum):
    """Whom we reached: nobody, somebody, or the right person who said so."""

    NONE = "none"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"


class Answer(StrEnum):
    """The result of the conversation, from the end node of the script. `none`: it ended before any answer."""

    NONE = "none"
    ACKNOWLEDGED = "acknowledged"
    SAW_THROUGH = "saw_through"
    DOUBTFUL = "doubtful"
    REFUSES = "refuses"
    ALREADY_PAID = "already_paid"
    WANTS_OFFICER = "wants_officer"
    WRONG_PERSON = "wrong_person"
    LANGUAGE_OR_HEARING = "language_or_hearing"
    OPT_OUT = "opt_out"
    IN_CONTACT = "in_contact"
    """In a follow-up: the scammer has been in contact again."""


class Intent(StrEnum):
    """What a person means. `unclear`: nothing that the call can act on, such as music or a greeting."""

    AFFIRM = "affirm"
    DENY = "deny"
    NOT_THE_PERSON = "not_the_person"
    ASK_IDENTITY = "ask_identity"
    ACCUSE = "accuse"
    PAID = "paid"
    ABOUT_TO_PAY = "about_to_pay"
    WITH_FALSE_POLICE = "with_false_police"
    SCREEN_SHARED = "screen_shared"
    CANNOT_HEAR = "cannot_hear"
    CALL_LATER = "call_later"
    WANTS_PERSON = "wants_person"
    OTHER_LANGUAGE = "other_language"
    HOSTILE = "hostile"
    DISTRESSED = "distressed"
    UNCLEAR = "unclear"


class OutcomeKind(StrEnum):
    """What became of a case. Answered is not reached; reached is not dissuaded; dissuaded is provisional."""

    DISSUADED_BY_PHONE = "dissuaded_by_phone"
    DISSUADED_IN_PERSON = "dissuaded_in_person"
    SAW_THROUGH_IT = "saw_through_it"
    HALF_BELIEVES = "half_believes"
    REFUSES = "refuses"
    ALREADY_DEFRAUDED = "already_defrauded"
    NOT_THE_PERSON = "not_the_person"
    MISMATCH = "mismatch"
    CANNOT_FIND_YET = "cannot_find_yet"
    CANNOT_FIND = "cannot_find"
    DUPLICATE = "duplicate"
    TRANSFERRED = "transferred"
    LANGUAGE_OR_HEARING = "language_or_hearing"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"
    """Its list was withdrawn before anybody was called: nobody has found out anything."""


SUCCESSES = frozenset(
    {OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.DISSUADED_IN_PERSON, OutcomeKind.SAW_THROUGH_IT}
)
"""Outcomes that start the watch period."""


class ScammerContact(StrEnum):
    """Whether a scammer was in contact with the person, as the person says. It shows whether the warning was right."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Track(StrEnum):
    """The three ways of reaching a person, which may run side by side."""

    ROBOT = "robot"
    HUMAN = "human"
    VISIT = "visit"


class AmountKind(StrEnum):
    """Three amounts, never summed: never paid 劝阻, stopped at the bank 止付, returned 返还."""

    INTENDED = "intended"
    STOPPED = "stopped"
    RETURNED = "returned"


class EvidenceKind(StrEnum):
    """What proves an amount."""

    BANK_RECEIPT = "bank_receipt"
    """A bank's confirmation that a payment was stopped or money returned."""
    ACCOUNT_STATEMENT = "account_statement"
    TRANSFER_RECORD = "transfer_record"
    """A record of the payment that was prepared or made, such as the page of a transfer."""
    CALL_RECORDING = "call_recording"
    WRITTEN_STATEMENT = "written_statement"
    """A statement that the person made to an officer and signed."""
    PHOTO = "photo"
    DOCUMENT = "document"
    """Another document of an authority or a company."""


class MessageChannel(StrEnum):
    """What carries a message. Each has a client (`telephony/channels.py`) and is registered in `bootstrap.py`."""

    SMS = "sms"


class MessagePurpose(StrEnum):
    """Why a message is sent; at most one message per purpose and case."""

    UNREACHABLE = "unreachable"
    """The telephone could not be reached by voice, or nobody there could hear or speak."""
    AFTER_WARNING = "after_warning"
    """The right person was warned: a text to read again later, since people forget warnings."""
    FLASH_1 = "flash_1"
    """A message of class 0, which opens on the screen and is not stored: repeated while the person is not reached. Each
    repetition is a purpose of its own, so that the database refuses a second one.
    """
    FLASH_2 = "flash_2"
    FLASH_3 = "flash_3"
    FLASH_4 = "flash_4"
    FLASH_5 = "flash_5"
    FLASH_6 = "flash_6"
    FLASH_7 = "flash_7"
    FLASH_8 = "flash_8"
    FLASH_9 = "flash_9"


FLASHES: Final = tuple(purpose for purpose in MessagePurpose if purpose.value.startswith("flash_"))
"""The repetitions of a flash message, in their order."""


class RecordingState(StrEnum):
    """Where the recording of a call is."""

    WAITING = "waiting"
    """The call is over, and the recording is still to be fetched from the carrier."""
    KEPT = "kept"
    """Stored in our database, sealed."""
    ABSENT = "absent"
    """The carrier has none."""
    DELETED = "deleted"
    """Its retention period is over, or the person was erased."""


class RecordedCall(StrEnum):
    """Whose call was recorded."""

    ROBOT = "robot"
    DESK = "desk"
    """From a desk to the person."""
    CALLED_IN = "called_in"
    """From the person to us."""


class DeletedFor(StrEnum):
    """Why the sound of a call was deleted."""

    RETENTION = "retention"
    """Its retention period was over."""
    ERASURE = "erasure"
    """The person was erased."""


class MessageState(StrEnum):
    """Where a message is in its life; `core.outbox` says what moves it."""

    PLANNED = "planned"
    SENDING = "sending"
    """About to be given to the network, or given by a process that died meanwhile."""
    UNKNOWN = "unknown"
    """Given to the network, without an answer: it is looked up first, and never sent again blindly."""
    ACCEPTED = "accepted"
    """The network has it."""
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """The telephone did not take it."""
    FAILED = "failed"
    """Never sent because it was refused or unfit, or its state cannot be found out any more."""


MESSAGES_IN_DOUBT: Final = frozenset({MessageState.SENDING, MessageState.UNKNOWN})
"""The network may or may not have the message: it is looked up, and never sent again blindly."""


class PauseScope(StrEnum):
    """Which calls a pause stops."""

    ALL = "all"
    UNIT = "unit"
    LOAD = "load"
    GRADE = "grade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause of calls. `subject` is a unit, a load's id or a grade; empty for all calls."""

    id: int
    scope: PauseScope
    subject: str
    unit_id: int | None = None
    units: frozenset[int] = frozenset()
    """The ids of that unit and of all units below it."""
    until: datetime
    why: str
    by: str
    placed_at: datetime

    def covers(self, *, grade: str, unit: str, unit_id: int | None, load_id: int | None) -> bool:
        """Whether the calls of a case with these values wait."""
        match self.scope:
            case PauseScope.ALL:
                return True
            case PauseScope.UNIT:
                return unit == self.subject if self.unit_id is None else unit_id in self.units
            case PauseScope.LOAD:
                return str(load_id) == self.subject
            case PauseScope.GRADE:
                return grade == self.subject


class TrunkProblem(StrEnum):
    """Why a trunk of the centre's own is not used."""

    NO_PROCESS = "no_process"
    """The SIP process does not run."""
    NOT_REGISTERED = "not_registered"
    UNREACHABLE = "unreachable"
    RESTING = "resting"
    """Calls in a row have failed at it."""


class LoadState(StrEnum):
    """Where a load is in its life."""

    DRAFT = "draft"
    """Uploaded and previewed; no row of it is loaded yet. If nobody loads it, it is deleted after a time."""
    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"
    """Its high grades are loaded; the rest waits for a second person."""
    DONE = "done"
    FAILED = "failed"
    """The file is not a list; nothing of it was kept."""
    WITHDRAWN = "withdrawn"
    """Withdrawn by a person: cases that nobody had worked on are closed, the others go on."""


MOVING_LOADS: Final = frozenset({LoadState.WAITING, LoadState.RUNNING})
"""A worker is loading it, or will."""
UNFINISHED_LOADS: Final = MOVING_LOADS | {LoadState.HELD}
FINISHED_LOADS: Final = frozenset({LoadState.DONE, LoadState.FAILED, LoadState.WITHDRAWN})
"""Nothing more of the file will be loaded. A draft is neither finished nor unfinished."""


class RowResult(StrEnum):
    """What would become of a row of a list, as its preview shows."""

    NEW = "new"
    JOINS = "joins"
    """Its incident has a case already, or gets one from a row above."""
    DUPLICATE = "duplicate"
    """Its source and instruction number are loaded already, or are in a row above."""
    EARLY = "early"
    """A row of a high grade, loaded before a second person has approved the rest of its list."""
    REFUSED = "refused"


class VersionState(StrEnum):
    """What a version of a script is now; its words never change."""

    DRAFT = "draft"
    """Nobody has approved it: it is never spoken."""
    APPROVED = "approved"
    """Spoken in new calls: the live one, or one that a trial compares with it."""
    RETIRED = "retired"
    """Was approved once; approving it again brings it back."""


class FiledState(StrEnum):
    """Whether we warned the person of a filed case before the loss."""

    WARNED = "warned"
    """A warning of this person came before the loss."""
    WARNED_OTHERWISE = "warned_otherwise"
    """The person was warned before the loss, but of another type of fraud or half a year earlier."""
    WARNED_LATE = "warned_late"
    """The person was warned only after the loss."""
    DOUBTFUL = "doubtful"
    """A warned person may be the one of this case: a supervisor decides."""
    NOT_WARNED = "not_warned"
    """No warned person matches."""


class FiledMatchState(StrEnum):
    """Whether a warned person is the one of a filed case."""

    CERTAIN = "certain"
    """Matched by the id number, or by name and phone."""
    DOUBTFUL = "doubtful"
    CONFIRMED = "confirmed"
    """A person confirmed a doubtful match."""
    REJECTED = "rejected"
    """A person rejected a doubtful match."""
    UNDONE = "undone"
    """A person undid a match that had counted."""


class RenderState(StrEnum):
    """Where the rendering of a script version is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """A prompt could not be synthesised, or its sound is unfit to be played; the error names the prompt and the
    reason.
    """

    @property
    def is_open(self) -> bool:
        return self in {RenderState.WAITING, RenderState.RUNNING}


class ApprovalKind(StrEnum):
    """What waits for a second person."""

    MONEY = "money"
    RETURNED = "returned"
    """Amounts that were refused and went back to the person who recorded them."""
    STOP_PAYMENT = "stop_payment"
    LIST = "list"
    SCRIPT = "script"
    RULES = "rules"
    """A version of the warning robot's rules."""
    PLAN = "plan"
    """A version of the plan: policy, limits of sources, pace."""
    ACCOUNT = "account"
    FILED = "filed"
    """A filed case with a doubtful match."""
    RESTRICTION = "restriction"
    BULLETIN = "bulletin"
    KNOWLEDGE = "knowledge"
    QUALITY = "quality"
    """Rules of the inspection of calls."""
    """A version of a knowledge card."""
    API_TOKEN = "api_token"  # noqa: S105 - a kind, not a secret
    """A token of the API that an administrator has asked for."""


class VerdictState(StrEnum):
    """What became of a verdict of the warning robot."""

    SENT = "sent"
    """A warning was made of it."""
    HELD = "held"
    """Above the threshold; it waits for free capacity, or for a person if its rule is stopped."""
    BELOW = "below"
    """Below the threshold: no warning, unless it is drawn."""
    DRAWN = "drawn"
    """Below the threshold, and drawn at random: a warning was made of it."""
    DROPPED = "dropped"
    """A person dropped it while it was held: no warning, unless its grade rises."""


FEN_PER_YUAN = 100
EVIDENCE_MISSING: Final = gettext_noop("is missing")
_MOST_FEN = 10**14
"""A trillion yuan: a larger amount is a typing error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What one outcome saved. Intended 劝阻: never paid; stopped 止付: paid and held at the bank; returned 返还."""

    intended_fen: int = 0
    stopped_fen: int = 0
    returned_fen: int = 0

    def __post_init__(self) -> None:
        for name in ("intended_fen", "stopped_fen", "returned_fen"):
            value = getattr(self, name)
            if not 0 <= value <= _MOST_FEN:
                raise Invalid(field=name, problem="is not between 0 and a trillion yuan")

    @property
    def is_nothing(self) -> bool:
        return not (self.intended_fen or self.stopped_fen or self.returned_fen)

    @property
    def largest_fen(self) -> int:
        return max(self.intended_fen, self.stopped_fen, self.returned_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What proves the amounts of a report: its kind, its reference such as a receipt number, and the amount that it
    shows, in fen. No amount of the report may be larger.
    """

    kind: EvidenceKind
    reference: str
    shows_fen: int

    def __post_init__(self) -> None:
        if not self.reference.strip():
            raise Invalid(
                field="evidence",
                problem=EVIDENCE_MISSING,
                fix="its reference, such as the number of the receipt",
            )
        if not 0 < self.shows_fen <= _MOST_FEN:
            raise Invalid(
                field="evidence_yuan", problem=EVIDENCE_MISSING, fix="the amount that the evidence shows"
            )


MONEY_REFUSED: Final = "money_refused"
"""The reason of a line of the ledger that reverses one whose amounts a second person has refused."""
MONEY_CORRECTED: Final = "money_corrected"
"""The reason of the recorder's line that answers a refusal: it reverses the refusal."""
MONEY_REPLACED: Final = "money_replaced"
"""The reason of a line that reverses approved amounts: others of the same incident were approved in their place."""
AMOUNTS_ONLY: Final = (MONEY_REFUSED, MONEY_REPLACED)
"""The reasons of ledger lines that reverse only the amounts of another line: its outcome still counts."""


def format_yuan(fen: int) -> str:
    """The amount in yuan, such as 1,234.50, computed without floating-point numbers."""
    return f"{fen // FEN_PER_YUAN:,}.{fen % FEN_PER_YUAN:02}"


_AMOUNT: Final = re.compile(r"(\d{1,13}|\d{1,3}(?:,\d{3}){1,4}|\d{1,4}(?:,\d{4}){1,3})(?:\.(\d{0,20}))?")
_DECIMALS: Final = 2


def parse_yuan(text: str, *, field: str) -> int:
    """The whole fen of an amount typed in yuan: digits with at most one decimal point, and commas between groups of
    three or four digits. Raises `Invalid` for anything else, such as a comma as the decimal point, and for more than
    two decimals that are not 0.
    """
    typed = _AMOUNT.fullmatch(text.strip().replace("，", ","))
    if typed is None:
        raise Invalid(field=field, problem="is not an amount", fix="yuan, such as 12000 or 12000.50")
    decimals = (typed[2] or "").rstrip("0")
    if len(decimals) > _DECIMALS:
        raise Invalid(field=field, problem="has parts of a fen", fix="two decimals at most")
    return int(typed[1].replace(",", "")) * FEN_PER_YUAN + int(decimals.ljust(_DECIMALS, "0"))


def typed_evidence(kind: str, yuan_shown: str, reference: str) -> Evidence | None:
    """The evidence of a form or a command; None where nothing was entered. Raises `Invalid` if only a part of it was
    entered.
    """
    if not (kind or yuan_shown.strip() or reference.strip()):
        return None
    if kind not in set(EvidenceKind):
        raise Invalid(field="evidence_kind", problem=EVIDENCE_MISSING, fix="choose what it is")
    shown = parse_yuan(yuan_shown, field="evidence_yuan") if yuan_shown.strip() else 0
    return Evidence(kind=EvidenceKind(kind), reference=reference.strip(), shows_fen=shown)


def check_evidence(amounts: Amounts, evidence: Evidence | None) -> None:
    """Raises `Invalid` for money without evidence, and for an amount above what the evidence shows."""
    if amounts.is_nothing:
        return
    if evidence is None:
        raise Invalid(
            field="evidence_kind",
            problem=EVIDENCE_MISSING,
            fix="money on record needs its evidence: what it is, its reference and the amount that it shows",
        )
    if amounts.largest_fen > evidence.shows_fen:
        raise Invalid(
            field="evidence_yuan",
            problem=Text(
                "shows less than the amount of %(yuan)s yuan", yuan=format_yuan(amounts.largest_fen)
            ),
            fix="an amount is at most what its evidence shows",
        )


class WebhookEvent(StrEnum):
    """The events that an outgoing webhook can report."""

    CASE_SETTLED = "case_settled"
    """A case has ended, or a filed case has reversed it."""
    HIGH_MISSED = "high_missed"
    """A warning of a high or extra-high grade expired before the person was reached."""
    CASE_FILED = "case_filed"
    """A filed case was matched to one of our cases, or the match was undone."""


class DeliveryState(StrEnum):
    """The state of a delivery of an outgoing webhook."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    """The receiver answered 2xx."""
    GIVEN_UP = "given_up"
    """Every try failed; a person can send it again."""
    DROPPED = "dropped"
    """The webhook ended before it was delivered."""

    @classmethod
    def _missing_(cls, value: object) -> DeliveryState | None:
        """Commands and addresses may still have the word of before."""
        return cls.GIVEN_UP if value == "dead" else None


class DeliveryFault(StrEnum):
    """Why a receiver gave no answer."""

    NOT_ALLOWED = "not_allowed"
    """The settings do not allow requests to its address."""
    TIMEOUT = "timeout"
    CERTIFICATE = "certificate"
    NO_CONNECTION = "no_connection"
    NO_ANSWER = "no_answer"
    UNSIGNED = "unsigned"
    """Its secret cannot be opened with our keys: nothing was sent."""


class Suite(StrEnum):
    """The algorithms of an encryption or index key: encryption, and digest of blind indexes and seals."""

    AES_BLAKE2 = "aes-gcm/blake2"
    SM4_SM3 = "sm4-gcm/sm3"


class FilteredPage(StrEnum):
    """A page whose filters a person saves under names."""

    RATES = "rates"
    CASES = "cases"
