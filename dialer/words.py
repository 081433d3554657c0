"""The English words for values: enumerations, counts and rates of the report, measures of a trial; and sentences with
such values. The catalogue has their Chinese.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from dialer.core.access import (
    DESK,
    FIRST_LINK,
    RELEASED_BY,
    ROBOT,
    SHIPPED_BY,
    ErasureState,
    FactorKind,
    Permission,
    RevealReason,
    Role,
    StaffChangeKind,
)
from dialer.core.attempt import AttemptState
from dialer.core.cards import (
    CardProduct,
    CheckVerdict,
    DeskAnswer,
    DeterminationState,
    InstitutionKind,
    ObjectionState,
    OnsiteFinding,
    OpenerState,
    OpeningChannel,
    OpeningFactKind,
    OpeningResult,
    OutletStep,
    QuestionState,
)
from dialer.core.case import (
    AssignmentState,
    Bar,
    CaseAct,
    CaseStatus,
    DeskCallState,
    InboundResult,
    InboundState,
    PaidWhen,
    PersonMet,
    Reason,
    RobotState,
    StaffTrackState,
    StopResult,
    StopState,
    TransferState,
    VisitStage,
)
from dialer.core.events import AlarmCode
from dialer.core.intervals import MARGIN, ShareComparison, TrialConclusion
from dialer.core.periods import BulletinKind, BulletinState
from dialer.core.rates import COUNT_NAMES, DEFINITIONS, WARNED_BEFORE_FILED, Basis, Definition
from dialer.core.reach import Reach
from dialer.core.timeline import ActKind
from dialer.core.units import UnitChangeKind, UnitField
from dialer.core.values import (
    AmountKind,
    Announcement,
    Answer,
    ApprovalKind,
    Contact,
    DeletedFor,
    DeliveryFault,
    DeliveryState,
    EvidenceKind,
    FiledMatchState,
    FiledState,
    FraudType,
    Grade,
    LoadState,
    MessageChannel,
    MessagePurpose,
    MessageState,
    OutcomeKind,
    PauseScope,
    RecordedCall,
    RecordingState,
    RenderState,
    RowResult,
    ScammerContact,
    Tag,
    TelephonyResult,
    Track,
    TrunkProblem,
    VerdictState,
    VersionState,
    WarningKind,
    WebhookEvent,
)
from dialer.language import Lang, Text, gettext_noop, say, say_word


def words_for_catalogue() -> Iterator[tuple[str, str]]:
    """Every word with its context, which for an enumeration is its name."""
    for kind in ENUMERATIONS:
        for member in kind:
            yield kind.__name__, _english(member)
    of_filed = (WARNED_BEFORE_FILED.numerator, WARNED_BEFORE_FILED.denominator, *WARNED_BEFORE_FILED.excludes)
    yield from ((_COUNT, _english_count(name)) for name in (*COUNT_NAMES, *of_filed))
    yield from ((_BASIS, text) for text in _BASES.values())
    for definition in (*DEFINITIONS, WARNED_BEFORE_FILED):
        yield _RATE, definition.title
        yield _SAYS, definition.says


def word_of(member: StrEnum, lang: Lang) -> str:
    """The word for this member. Raises `KeyError` for an enumeration that has no words."""
    return say_word(lang, type(member).__name__, _english(member))


def sentence(text: str | Text, lang: Lang, /, **facts: object) -> str:
    """As `say`, and with it those of the values that are members of enumerations."""
    if isinstance(text, Text):
        return sentence(text.template, lang, **{**text.values, **facts})
    return say(lang, text, **{name: _value(one, lang) for name, one in facts.items()})


def _value(value: object, lang: Lang) -> object:
    if isinstance(value, Text):
        return sentence(value, lang)
    return word_of(value, lang) if isinstance(value, StrEnum) and type(value) in ENUMERATIONS else value


def bilingual(text: str | Text) -> str:
    """`中文 (English)`, for readers of both."""
    chinese, english = sentence(text, Lang.ZH), sentence(text, Lang.EN)
    return chinese if chinese == english else f"{chinese} ({english})"


_SERVICE: Mapping[str, str] = {
    ROBOT: gettext_noop("the robot"),
    DESK: gettext_noop("the duty desk"),
    SHIPPED_BY: gettext_noop("shipped with the product"),
    RELEASED_BY: gettext_noop("the release's own review"),
    FIRST_LINK: gettext_noop("the link of the first start"),
}
"""Names that sign for the product itself; no account has one of them."""


def actor_word(login: str | None, lang: Lang, names: Mapping[str, str] | None = None) -> str:
    """Who signed an act, as people read it: a part of the product in words, a person by the display name in `names`,
    else by the login; '' for nobody.
    """
    if not login:
        return ""
    if login in _SERVICE:
        return say(lang, _SERVICE[login])
    return (names or {}).get(login) or login


def _english(member: StrEnum) -> str:
    return _WORDS[type(member)].get(member) or _spaced(member.value)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def stored_word(kind: type[StrEnum], value: object, lang: Lang) -> str:
    """The word of a stored value; a value that this version does not know stays as it is."""
    try:
        return word_of(kind(str(value)), lang)
    except ValueError:
        return str(value)


_SCRIPTS: Mapping[str, str] = {
    "general": gettext_noop("General warning"),
    "follow_up": gettext_noop("Follow-up"),
}
"""Scripts that do not belong to one fraud type."""


def script_word(script_id: str, lang: Lang) -> str:
    """The name of a script in figures and timelines, which is mostly that of its fraud type; for a script that only the
    centre has, its id.
    """
    given = _SCRIPTS.get(script_id)
    return say(lang, given) if given is not None else stored_word(FraudType, script_id, lang)


_WORDS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    Grade: {},
    FraudType: {
        FraudType.SHOPPING: "shopping and services",
        FraudType.CREDIT: "credit record",
        FraudType.BOSS_OR_ACQUAINTANCE: "fake boss or acquaintance",
        FraudType.POLICE_IMPERSONATION: "fake police or government",
        FraudType.ROMANCE: "online romance",
        FraudType.GAME_TRADE: "game item trade",
        FraudType.UNKNOWN: "unknown type",
    },
    WarningKind: {
        WarningKind.FUND: "money moving",
        WarningKind.TELECOM: "call or message",
        WarningKind.WEB_APP: "site or app",
        WarningKind.UNKNOWN: "unknown kind",
    },
    FiledState: {
        FiledState.WARNED: "warned before",
        FiledState.WARNED_OTHERWISE: "warned of something else",
        FiledState.WARNED_LATE: "warned too late",
        FiledState.DOUBTFUL: "to be decided",
    },
    FiledMatchState: {},
    BulletinKind: {
        BulletinKind.DAY: "daily",
        BulletinKind.WEEK: "weekly",
        BulletinKind.MONTH: "monthly",
    },
    BulletinState: {},
    Tag: {
        Tag.HEARING: "hard of hearing",
        Tag.MONGOLIAN: "Mongolian speaker",
    },
    TelephonyResult: {
        TelephonyResult.MACHINE: "voicemail or assistant",
        TelephonyResult.POWERED_OFF: "switched off",
        TelephonyResult.BLOCKED: "blocked by the operator",
        TelephonyResult.CANCELED: "cancelled",
        TelephonyResult.DEAD_AIR: "answered, but our side was silent",
        TelephonyResult.UNKNOWN: "unknown whether it rang",
    },
    Announcement: {
        Announcement.POWERED_OFF: "announced: switched off",
        Announcement.SUSPENDED: "announced: out of service",
        Announcement.INVALID: "announced: no such number",
        Announcement.UNREACHABLE: "announced: cannot be reached now",
        Announcement.BUSY: "announced: in another call",
        Announcement.NO_ANSWER: "announced: no answer",
        Announcement.FORWARDED: "announced: being forwarded",
        Announcement.ASSISTANT: "announced: mailbox or assistant",
        Announcement.CONGESTION: "announced: network busy",
        Announcement.UNKNOWN: "an announcement that was not understood",
    },
    Contact: {
        Contact.NONE: "nobody reached",
        Contact.UNVERIFIED: "somebody, not verified",
        Contact.VERIFIED: "the right person, verified",
    },
    Reach: {
        Reach.NOBODY: "nobody picked up",
        Reach.MACHINE: "voicemail or assistant",
        Reach.HUNG_UP_EARLY: "hung up before the warning was spoken",
        Reach.SILENT: "silent all the time",
        Reach.UNVERIFIED: "somebody, not verified",
        Reach.VERIFIED: "the right person, verified",
    },
    Answer: {
        Answer.NONE: "no answer given",
        Answer.SAW_THROUGH: "saw through it",
        Answer.ALREADY_PAID: "has already paid",
        Answer.WANTS_OFFICER: "wants an officer",
        Answer.OPT_OUT: "asks not to be called",
        Answer.IN_CONTACT: "the scammer is in contact again",
    },
    OutcomeKind: {},
    Track: {
        Track.HUMAN: "human call",
    },
    EvidenceKind: {
        EvidenceKind.BANK_RECEIPT: "receipt of the bank",
        EvidenceKind.ACCOUNT_STATEMENT: "statement of the account",
        EvidenceKind.TRANSFER_RECORD: "record of the transfer",
        EvidenceKind.CALL_RECORDING: "recording of the call",
        EvidenceKind.WRITTEN_STATEMENT: "signed statement of the person",
        EvidenceKind.PHOTO: "photo or screenshot",
        EvidenceKind.DOCUMENT: "other document",
    },
    AmountKind: {
        AmountKind.INTENDED: "loss prevented",
        AmountKind.STOPPED: "stopped at the bank",
    },
    CaseStatus: {
        CaseStatus.WATCHING: "dissuaded (observation)",
        CaseStatus.PROVEN: "dissuaded, proven",
        CaseStatus.REVERSED: "reversed by a filed case",
    },
    Reason: {
        Reason.NEW_WARNING: "a new warning",
        Reason.GRADE_RAISED: "the grade was raised",
        Reason.RETRY: "not answered: again",
        Reason.NEXT_NUMBER: "the next number",
        Reason.OWN_FAULT: "a fault of our own line, which counts as nothing",
        Reason.BUSY_ON_HIGH: "busy on a high grade: probably talking to the scammer",
        Reason.OUTSIDE_WINDOW: "outside the dialling window",
        Reason.PARALLEL_TRACKS: "several ways at once",
        Reason.ROBOT_TRIES_USED: "the robot's tries are used up",
        Reason.NO_USABLE_NUMBER: "no number that can be called",
        Reason.FORWARDED_OR_MACHINE: "forwarded or a machine, which is no contact",
        Reason.NOT_VERIFIED: "the person who answered was not verified",
        Reason.LEFT_UNANSWERED: "verified, and hung up without an answer",
        Reason.HUNG_UP_EARLY: "hung up before the warning was spoken",
        Reason.SILENT: "silent all the time",
        Reason.DOUBTFUL: "a doubtful answer",
        Reason.WANTS_OFFICER: "wants an officer",
        Reason.ALREADY_PAID: "says it is paid already",
        Reason.UNKNOWN_SUBMISSION: "not known whether the call was placed",
        Reason.WAITED_TOO_LONG: "waited too long for a line",
        Reason.EXPIRED: "the warning expired",
        Reason.SAMPLE: "in the sample for a human call",
        Reason.NOT_IN_SAMPLE: "not in the sample",
        Reason.HUMAN_FAILED: "the human call did not succeed",
        Reason.HUMAN_OVERDUE: "the human call is overdue",
        Reason.VISIT_AGAIN: "another visit",
        Reason.OPTED_OUT: "asked not to be called by a robot",
        Reason.MINOR: "a minor: the guardian",
        Reason.VERIFIED_SUCCESS: "verified and dissuaded",
        Reason.CASE_CLOSED: "the case was closed",
        Reason.CASE_FILED: "a case was filed with the police",
        Reason.FILING_UNDONE: "the filed case was another person's",
        Reason.WATCH_ENDED: "the watch period ended",
        Reason.FOLLOW_UP: "a follow-up in the watch period",
        Reason.CALLED_IN: "the person called us",
        Reason.ERASED: "the person was erased",
        Reason.IN_CONTACT: "the scammer is in contact again",
    },
    RobotState: {
        RobotState.PENDING: "waiting or ringing",
    },
    StaffTrackState: {},
    AttemptState: {
        AttemptState.READY: "in the queue",
        AttemptState.CLAIMED: "about to be sent",
        AttemptState.SENDING: "being sent",
        AttemptState.ACCEPTED: "taken by the network",
        AttemptState.ANSWERED: "talking",
        AttemptState.UNKNOWN: "not known whether it was taken",
    },
    AssignmentState: {
        AssignmentState.OPEN: "waiting to be signed for",
        AssignmentState.SIGNED: "signed for",
        AssignmentState.DONE: "reported",
    },
    MessageChannel: {
        MessageChannel.SMS: "SMS",
    },
    MessagePurpose: {
        MessagePurpose.UNREACHABLE: "where the voice did not get through",
        MessagePurpose.AFTER_WARNING: "after a warning",
    },
    DeletedFor: {
        DeletedFor.RETENTION: "its time was over",
        DeletedFor.ERASURE: "the person was erased",
    },
    RecordedCall: {
        RecordedCall.ROBOT: "the robot's call",
        RecordedCall.DESK: "call from the desk",
        RecordedCall.CALLED_IN: "inbound call",
    },
    RecordingState: {
        RecordingState.WAITING: "being fetched",
        RecordingState.KEPT: "kept",
        RecordingState.ABSENT: "none was made",
        RecordingState.DELETED: "deleted",
    },
    MessageState: {
        MessageState.SENDING: "being sent",
        MessageState.UNKNOWN: "not known whether it was sent",
        MessageState.ACCEPTED: "taken by the network",
        MessageState.UNDELIVERED: "not delivered",
        MessageState.FAILED: "not sent",
    },
    ScammerContact: {
        ScammerContact.UNKNOWN: "not known",
    },
    InboundState: {
        InboundState.ASKING: "asked for the number",
        InboundState.WAITING: "in the queue",
        InboundState.RINGING: "the desk's telephone rings",
        InboundState.JOINED: "the desk is on the line",
        InboundState.ENDED: "over",
    },
    InboundResult: {
        InboundResult.JOINED: "through to a desk",
        InboundResult.CALL_BACK: "no desk was free: to be called back",
        InboundResult.GAVE_UP: "hung up in the queue",
        InboundResult.NO_CASE: "no case was found",
    },
    TrunkProblem: {
        TrunkProblem.NO_PROCESS: "the SIP process does not run",
        TrunkProblem.NOT_REGISTERED: "not registered",
        TrunkProblem.UNREACHABLE: "does not answer",
        TrunkProblem.RESTING: "rests after failed calls",
    },
    StopResult: {
        StopResult.ASKED: "the bank has been asked",
        StopResult.NOT_NEEDED: "nothing had been paid",
    },
    StopState: {
        StopState.ASKED: "asked, no answer yet",
        StopState.NO_ANSWER: "asked again, no answer",
        StopState.STOPPED: "stopped by the bank",
        StopState.REFUSED: "refused by the bank",
    },
    PaidWhen: {
        PaidWhen.JUST_NOW: "just now",
        PaidWhen.HOURS_AGO: "hours ago",
        PaidWhen.BEFORE_TODAY: "before today",
    },
    LoadState: {
        LoadState.RUNNING: "loading",
        LoadState.HELD: "held for a second person",
        LoadState.DONE: "loaded",
    },
    RowResult: {
        RowResult.NEW: "new case",
        RowResult.JOINS: "merged",
        RowResult.EARLY: "gone ahead",
        RowResult.REFUSED: "rejected",
    },
    AlarmCode: {
        AlarmCode.MISSED_WARNING: "a high warning was missed",
        AlarmCode.HUMAN_OVERDUE: "a human call is overdue",
        AlarmCode.VISIT_OVERDUE: "a visit is overdue",
        AlarmCode.OWN_FAULTS: "faults of our own line in a row",
        AlarmCode.ALREADY_PAID: "the person has already paid",
        AlarmCode.CANNOT_FIND: "the person cannot be found",
        AlarmCode.DEFRAUDED_AFTER_SUCCESS: "defrauded after a success",
        AlarmCode.WAITED_TOO_LONG: "a call waited too long for a line",
        AlarmCode.REJECTED_HIGH_ROW: "a row of a high grade was rejected",
        AlarmCode.UNKNOWN_SUBMISSION: "not known whether a call was placed",
        AlarmCode.CARRIER_TROUBLE: "trouble with the telephone network",
        AlarmCode.CARRIER_DOWN: "the telephone network is down, dialling has stopped",
        AlarmCode.SCHEMA_MOVED: "a process is older than its database",
        AlarmCode.NOBODY_ANSWERS: "no web process runs: dialling has stopped",
        AlarmCode.WEBHOOKS_MISSING: (
            "no webhook of a call arrives, dialling has stopped: check the proxy, public_url and the auth token"
        ),
        AlarmCode.PUBLIC_URL_BLOCKED: "our public address does not lead to us: check the proxy and public_url",
        AlarmCode.CLOCK_JUMPED: "a machine's clock went back",
        AlarmCode.NO_NEXT_STEP: "a case without a next step",
        AlarmCode.UNSIGNED: "an assignment is not signed for",
        AlarmCode.SOUND_BROKEN: "a prompt's sound is missing or broken",
        AlarmCode.AUDIT_BROKEN: "lines of the audit are missing or altered",
        AlarmCode.ANCHOR_FAILED: "an anchor of the audit could not be written",
        AlarmCode.MANY_REVEALS: "one person looked at much hidden data in a short time",
        AlarmCode.SIGNALS_SILENT: "a source of signals has gone silent",
        AlarmCode.RULE_STOPPED: "a rule fired far more often than usual and was stopped",
        AlarmCode.RULE_WORSE: "a rule's warnings are right less often than before",
        AlarmCode.SIGNALS_DRIFTED: "the figures that rules read have drifted",
        AlarmCode.MANY_OPENING_CHECKS: "an outlet checks more openings than it opens cards",
        AlarmCode.CHECK_FALLS_ON_GROUP: "a check of openings falls on one group of people",
        AlarmCode.TRUNK_FAILING: "a trunk of our own does not work",
        AlarmCode.STOP_UNANSWERED: "a bank's answer to a stop-payment request is overdue",
        AlarmCode.RECORDING_NOT_FETCHED: "a recording of a call cannot be fetched from the carrier",
        AlarmCode.CARD_QUESTION_LAPSED: "an outlet asked the desk and nobody answered in time",
    },
    VersionState: {},
    RenderState: {
        RenderState.RUNNING: "being rendered",
        RenderState.DONE: "rendered",
    },
    PauseScope: {
        PauseScope.ALL: "all dialling",
        PauseScope.UNIT: "a unit",
        PauseScope.LOAD: "a list",
        PauseScope.GRADE: "a grade",
    },
    InstitutionKind: {},
    OpeningChannel: {},
    CardProduct: {
        CardProduct.ACCOUNT_1: "account of class I",
        CardProduct.ACCOUNT_2: "account of class II",
        CardProduct.ACCOUNT_3: "account of class III",
        CardProduct.CORPORATE: "corporate account",
        CardProduct.SIM_MAIN: "SIM card",
        CardProduct.SIM_SUB: "secondary SIM card",
        CardProduct.IOT: "SIM card of a device",
    },
    OpeningResult: {},
    CheckVerdict: {
        CheckVerdict.ASK_DESK: "ask the desk",
    },
    OpeningFactKind: {
        OpeningFactKind.INVOLVED: "involved in a case",
        OpeningFactKind.USED_FAR: "first used far away",
    },
    QuestionState: {
        QuestionState.LAPSED: "nobody answered in time",
    },
    DeskAnswer: {
        DeskAnswer.ASK_PAPERS: "ask for papers",
        DeskAnswer.WAIT_FOR_TEAM: "wait for the team",
    },
    OnsiteFinding: {
        OnsiteFinding.NOTHING: "nothing wrong",
        OnsiteFinding.VICTIM: "a victim",
        OnsiteFinding.LEFT: "had left",
    },
    OpenerState: {
        OpenerState.SIGNED: "signed for",
    },
    OutletStep: {
        OutletStep.TALK: "talk with the outlet",
        OutletStep.PROPOSAL: "proposal to suspend",
        OutletStep.LETTER: "letter of the authority",
        OutletStep.END: "ended",
    },
    DeterminationState: {},
    ObjectionState: {},
    Role: {
        Role.ADMINISTRATOR: "system administrator",
    },
    StaffChangeKind: {
        StaffChangeKind.ADD: "new account",
        StaffChangeKind.CHANGE: "another role or unit",
        StaffChangeKind.ENABLE: "enable again",
        StaffChangeKind.RESET_PASSWORD: "new password",
        StaffChangeKind.RESET_FACTORS: "remove second factors",
    },
    FactorKind: {
        FactorKind.TOTP: "code of an app",
    },
    ErasureState: {
        ErasureState.WAITING: "waiting for a second person",
    },
    RevealReason: {
        RevealReason.CONTACT: "reach the person",
        RevealReason.VERIFY: "verify who it is",
        RevealReason.BANK: "stop a payment",
        RevealReason.INQUIRY: "a police inquiry",
        RevealReason.CORRECT: "correct data",
        RevealReason.REVIEW: "review of work",
        RevealReason.OTHER: "something else",
    },
    ApprovalKind: {
        ApprovalKind.RETURNED: "refused amounts",
        ApprovalKind.ACCOUNT: "change of an account",
        ApprovalKind.FILED: "doubtful filed case",
        ApprovalKind.RULES: "rules of the warning robot",
        ApprovalKind.RESTRICTION: "restriction of a person",
        ApprovalKind.API_TOKEN: "API token",
    },
    WebhookEvent: {
        WebhookEvent.CASE_SETTLED: "case settled",
        WebhookEvent.HIGH_MISSED: "high grade missed",
        WebhookEvent.CASE_FILED: "filed case matched",
    },
    DeliveryState: {
        DeliveryState.WAITING: "waiting to be sent",
        DeliveryState.DELIVERED: "receiver answered",
        DeliveryState.DEAD: "given up",
        DeliveryState.DROPPED: "dropped with its webhook",
    },
    DeliveryFault: {
        DeliveryFault.NOT_ALLOWED: "no setting allows this address",
        DeliveryFault.TIMEOUT: "no answer in time",
        DeliveryFault.CERTIFICATE: "certificate not valid",
        DeliveryFault.NO_CONNECTION: "no connection",
        DeliveryFault.NO_ANSWER: "no usable answer",
    },
    Permission: {
        Permission.OWN_ACCOUNT: "own account",
        Permission.MANAGE_WEBHOOKS: "manage outgoing webhooks",
        Permission.ENTER_OPENINGS: "enter and check openings of the own outlet",
        Permission.ANSWER_OUTLETS: "answer outlets",
        Permission.SEE_OPENERS: "look at frequent openers",
        Permission.DECIDE_OPENERS: "decide about frequent openers",
        Permission.SEE_BOARD: "look at the live board",
        Permission.SEE_CASES: "look at cases",
        Permission.REVEAL: "look at hidden data",
        Permission.REVEAL_LISTS: "rejected rows in clear",
        Permission.LOWER_CASES: "lower a grade",
        Permission.WORK_DESK: "call people",
        Permission.WORK_VISITS: "visit people",
        Permission.SEE_UNITS: "look at units",
        Permission.SORT_UNITS: "sort by unit",
        Permission.SEE_FILED: "look at filed cases",
        Permission.LOAD_FILED: "load filed cases",
        Permission.DECIDE_FILED: "decide about filed cases",
        Permission.SEE_RATES: "look at success rates",
        Permission.SEE_APPROVALS: "look at approvals",
        Permission.CONTROL: "control the dialling",
        Permission.SEE_CONTROL: "look at the dialling",
        Permission.SEE_ERASURES: "look at erasures",
        Permission.ERASE_PERSONS: "erase persons",
        Permission.SEE_SCRIPTS: "look at scripts",
        Permission.EDIT_SCRIPTS: "change scripts",
        Permission.SEE_AUDIT: "look at the audit",
        Permission.MANAGE_STAFF: "manage accounts",
        Permission.SEE_STAFF_CHANGES: "look at changes of accounts",
        Permission.CONFIRM_STAFF_CHANGES: "confirm changes of accounts",
    },
    UnitField: {
        UnitField.NUMBER: "system number",
    },
    UnitChangeKind: {
        UnitChangeKind.OPENED: "opened again",
        UnitChangeKind.LEVEL: "another level",
    },
    ActKind: {
        ActKind.UNIT_ASSIGNED: "sorted to its unit",
        ActKind.UNIT_CHANGED: "transferred to another unit",
        ActKind.UNIT_RAISED: "escalated one level: nobody signed",
        ActKind.CLAIMED: "taken",
        ActKind.RELEASED: "given back",
        ActKind.LAPSED: "signed but idle: back in the queue",
        ActKind.ACCOUNT_DISABLED: "account disabled or moved: back in the queue",
        ActKind.CALL_BACK: "call-back agreed",
        ActKind.DIALLED: "dialled from the desk",
        ActKind.CALLED_IN: "the person called us",
        ActKind.CALL_IN_ENDED: "the person's call to us ended",
        ActKind.VISIT_ON_THE_WAY: "on the way",
        ActKind.VISIT_ARRIVED: "arrived",
        ActKind.VISIT_SEEN: "who was seen",
        ActKind.VISIT_NOTE: "note of the visit",
        ActKind.VISIT_PHOTO: "photo",
        ActKind.CALL_NOW: "call now",
        ActKind.PERSON_ASKED: "a person was asked for",
        ActKind.DUPLICATE: "marked duplicate",
        ActKind.LOAD_WITHDRAWN: "list withdrawn",
    },
    CaseAct: {
        CaseAct.CALL_NOW: "call now",
        CaseAct.ASK_CALLER: "ask a caller",
        CaseAct.ASK_OFFICER: "send an officer",
        CaseAct.HAND_OVER: "transfer",
    },
    Bar: {
        Bar.NOT_OPEN: "the case is no longer open",
        Bar.OPTED_OUT: "the person asked not to be called by a robot",
        Bar.NO_NUMBER: "no number is left that can be called",
        Bar.HIGHEST_GRADE: "it has the highest grade",
        Bar.LOWEST_GRADE: "it has the lowest grade",
        Bar.UNDER_WAY: "somebody works on it already",
    },
    VisitStage: {
        VisitStage.NONE: "waiting to be signed for",
        VisitStage.ACCEPTED: "signed for",
    },
    PersonMet: {
        PersonMet.PERSON: "the person",
        PersonMet.NEIGHBOUR: "a neighbour",
    },
    DeskCallState: {
        DeskCallState.ASKED: "asked for",
        DeskCallState.RINGING: "the desk's telephone rings",
        DeskCallState.JOINED: "the desk is on the line",
        DeskCallState.ENDED: "over",
    },
    TransferState: {
        TransferState.ASKED: "waiting for an answer",
    },
    VerdictState: {
        VerdictState.SENT: "warning sent",
        VerdictState.BELOW: "below the threshold",
        VerdictState.DRAWN: "drawn at random",
    },
}
"""By enumeration, the words of its members. Any other member has the words of its value: `no_answer` is "no answer"."""

ENUMERATIONS = tuple(_WORDS)
"""Every enumeration that has words."""

_COUNT, _BASIS, _RATE, _SAYS = "count", "basis", "rate", "rate says"

COUNT_WORDS: Mapping[str, str] = {
    "cases_open": "open",
    "cases_watching": "dissuaded, provisional",
    "cases_proven": "dissuaded, proven",
    "cases_reversed": "reversed",
    "cases_closed": "closed otherwise",
    "cases_missed": "missed",
    "cases_not_ours": "duplicate, transferred or withdrawn",
    "cases_ours": "our cases",
    "cases_rung": "cases called",
    "cases_tried": "called or visited",
    "cases_reached": "spoken to",
    "succeeded": "ever dissuaded",
    "judged": "watch period judged",
    "found": "found out",
    "found_nothing": "ended without a finding",
    "handed_to_person": "handed to a person",
    "first_attempt_counted": "first attempts counted",
    "first_attempt_in_time": "first attempts in time",
    "first_attempt_pending": "not tried, not late yet",
    "first_attempt_not_wanted": "settled before any attempt",
    "robot_calls_under_way": "under way",
    "robot_calls_own_fault": "our own line",
    "robot_calls_cancelled": "cancelled",
    "robot_calls_unknown": "unknown whether it rang",
    "follow_up_calls_counted": "follow-up calls",
    "follow_up_calls_not_counted": "follow-up calls that do not count",
    "follow_up_calls_answered": "follow-up calls answered",
    "follow_up_calls_verified": "reached in a follow-up call",
    "follow_up_calls_undoing": "opened again by a follow-up call",
    "human_calls_reached": "reached by a caller",
    "visits_met": "met in person",
    "sign_counted": "to be signed for",
    "sign_pending": "not signed, not late yet",
    "sign_withdrawn": "withdrawn before signing was late",
    "feedback_counted": "to be reported",
    "feedback_in_time": "reported in time",
    "feedback_pending": "not reported, not late yet",
    "feedback_withdrawn": "withdrawn before the report was late",
    "filed_warned": "filed cases warned before",
    "filed_decided": "filed cases decided",
    "filed_doubtful": "filed cases to be decided",
}
"""The words for the fields of `Counts` whose name is not their word, and for the counts of filed cases."""

_BASES: Mapping[Basis, str] = {
    Basis.WARNING_LOADED: "by when the warning was loaded",
    Basis.CASE_OPENED: "by when the case was opened",
    Basis.CALL_SENT: "by when the call was sent",
    Basis.ASSIGNMENT_OPENED: "by when the task was opened",
    Basis.OUTCOME_RECORDED: "by when it was recorded",
    Basis.CASE_FILED: "by when the case was filed",
}


def count_word(name: str, lang: Lang) -> str:
    """The word for a field of `Counts`."""
    return say_word(lang, _COUNT, _english_count(name))


def _english_count(name: str) -> str:
    return COUNT_WORDS.get(name) or _spaced(name)


def basis_word(basis: Basis, lang: Lang) -> str:
    """Which moment of a record lies in the window."""
    return say_word(lang, _BASIS, _BASES[basis])


def rate_word(definition: Definition, lang: Lang) -> str:
    """The title of a rate in this language."""
    return say_word(lang, _RATE, definition.title)


def rate_sentence(definition: Definition, lang: Lang) -> str:
    """What the rate says, in one sentence."""
    return say_word(lang, _SAYS, definition.says)


TRIAL_MEASURES: Mapping[str, str] = {
    "dissuaded": gettext_noop("Dissuaded by phone or in person"),
    "verified": gettext_noop("Verified contact"),
    "hung_up_early": gettext_noop("Hung up early"),
    "defrauded": gettext_noop("Defrauded after the warning"),
}
TRIAL_MEASURE_SENTENCES: Mapping[str, str] = {
    "dissuaded": gettext_noop(
        "Of the people who picked up, those whose case ended as dissuaded by phone or in person. "
        "A trial is decided by this."
    ),
    "verified": gettext_noop("Of the people who picked up, those who said that they are the right person."),
    "hung_up_early": gettext_noop(
        "Of the people who picked up, those who were gone before the warning was spoken."
    ),
    "defrauded": gettext_noop(
        "Of the people who picked up, those with a case that was filed with the police, "
        "as far as filed cases were loaded."
    ),
}
NO_FILED_CASES = gettext_noop("no filed cases loaded")
_PERCENT = 100


def trial_sentence(lang: Lang, verdict: TrialConclusion, live: int) -> str:
    """What is known now of a version in a trial, compared with the live version, as one sentence."""
    if verdict.finding is ShareComparison.TOO_FEW:
        text = gettext_noop("not enough people yet: about %(more)s more each")
        return say(lang, text, more=f"{verdict.more_each:,}")
    if verdict.finding is ShareComparison.ALIKE:
        text = gettext_noop("no difference to version %(live)s that matters (below %(margin)s points)")
        return say(lang, text, live=live, margin=f"{_PERCENT * MARGIN:.0f}")
    assert verdict.difference is not None
    points = f"{_PERCENT * abs(verdict.difference):.1f}"
    text = gettext_noop("worse than version %(live)s, by about %(points)s points")
    if verdict.finding is ShareComparison.BETTER:
        text = gettext_noop("better than version %(live)s, by about %(points)s points")
    return say(lang, text, live=live, points=points)
