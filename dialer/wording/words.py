"""What values are called, for the terminal and the pages: enumerations, figures of the report, measures of a trial. The
Chinese is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from dialer.core.access import Permission, Role
from dialer.core.attempt import AttemptState
from dialer.core.case import (
    AssignmentState,
    Bar,
    CaseAct,
    CaseStatus,
    DeskCallState,
    PaidWhen,
    PersonMet,
    Reason,
    RobotState,
    StaffTrackState,
    StopResult,
    TransferState,
    VisitStage,
)
from dialer.core.effects import AlarmCode
from dialer.core.events import Reach
from dialer.core.intervals import MARGIN, Finding, Verdict
from dialer.core.rates import DEFINITIONS, Basis, Definition
from dialer.core.timeline import ActKind
from dialer.core.unit_plan import UnitChangeKind, UnitField
from dialer.core.values import (
    AmountKind,
    Answer,
    Contact,
    FraudType,
    Grade,
    LoadState,
    MessagePurpose,
    MessageState,
    OutcomeKind,
    PauseScope,
    RenderState,
    RowResult,
    Tag,
    TelephonyResult,
    Track,
    VersionState,
    WarningKind,
)
from dialer.language import Lang, gettext_noop, say, say_word


def words_for_catalogue() -> Iterator[tuple[str, str]]:
    """Every word with its context, which for an enumeration is its name, for the catalogue."""
    for kind, members in _CATALOGUE.items():
        for text in members.values():
            yield kind.__name__, text
    yield from ((_COUNT, text) for text in COUNTS.values())
    yield from ((_BASIS, text) for text in _BASES.values())
    for definition in DEFINITIONS:
        yield _RATE, definition.title
        yield _SAYS, definition.says


def word_of(member: StrEnum, lang: Lang) -> str:
    """What this member is called. Raises `KeyError` for an enumeration that the catalogue does not know."""
    return say_word(lang, type(member).__name__, _CATALOGUE[type(member)][member])


def stored_word(kind: type[StrEnum], value: object, lang: Lang) -> str:
    """The word of a stored value; a value of a later version is told as it stands."""
    try:
        return word_of(kind(str(value)), lang)
    except ValueError:
        return str(value)


_CATALOGUE: Mapping[type[StrEnum], Mapping[str, str]] = {
    Grade: {Grade.EXTRA_HIGH: "extra high", Grade.HIGH: "high", Grade.MEDIUM: "medium", Grade.LOW: "low"},
    FraudType: {
        FraudType.FAKE_ORDER_REBATE: "fake order rebate",
        FraudType.INVESTMENT: "investment",
        FraudType.SHOPPING: "shopping and services",
        FraudType.FAKE_CUSTOMER_SERVICE: "fake customer service",
        FraudType.LOAN: "loan",
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
    Tag: {
        Tag.MINOR: "minor",
        Tag.ELDERLY: "elderly",
        Tag.HEARING: "hard of hearing",
        Tag.MONGOLIAN: "Mongolian speaker",
    },
    TelephonyResult: {
        TelephonyResult.ANSWERED: "answered",
        TelephonyResult.BUSY: "busy",
        TelephonyResult.NO_ANSWER: "no answer",
        TelephonyResult.FORWARDED: "forwarded",
        TelephonyResult.MACHINE: "voicemail or assistant",
        TelephonyResult.REJECTED: "rejected",
        TelephonyResult.POWERED_OFF: "switched off",
        TelephonyResult.INVALID_NUMBER: "invalid number",
        TelephonyResult.BLOCKED: "blocked by the operator",
        TelephonyResult.FAILED: "failed",
        TelephonyResult.CANCELED: "cancelled",
        TelephonyResult.UNKNOWN: "not known whether it rang",
    },
    Contact: {
        Contact.NONE: "nobody reached",
        Contact.UNVERIFIED: "somebody, not verified",
        Contact.VERIFIED: "the right person, verified",
    },
    Reach: {
        Reach.NOBODY: "nobody picked up",
        Reach.MACHINE: "voicemail or assistant",
        Reach.FORWARDED: "forwarded",
        Reach.HUNG_UP_EARLY: "hung up before the warning was spoken",
        Reach.SILENT: "silent all the time",
        Reach.WRONG_PERSON: "wrong person",
        Reach.UNVERIFIED: "somebody, not verified",
        Reach.VERIFIED: "the right person, verified",
    },
    Answer: {
        Answer.NONE: "no answer given",
        Answer.ACKNOWLEDGED: "acknowledged",
        Answer.SAW_THROUGH: "saw through it",
        Answer.DOUBTFUL: "doubtful",
        Answer.REFUSES: "refuses",
        Answer.ALREADY_PAID: "has already paid",
        Answer.WANTS_OFFICER: "wants an officer",
        Answer.WRONG_PERSON: "wrong person",
        Answer.LANGUAGE_OR_HEARING: "language or hearing",
        Answer.OPT_OUT: "asks not to be rung",
    },
    OutcomeKind: {
        OutcomeKind.DISSUADED_BY_PHONE: "dissuaded by phone",
        OutcomeKind.DISSUADED_IN_PERSON: "dissuaded in person",
        OutcomeKind.SAW_THROUGH_IT: "saw through it",
        OutcomeKind.HALF_BELIEVES: "half believes",
        OutcomeKind.REFUSES: "refuses",
        OutcomeKind.ALREADY_DEFRAUDED: "already defrauded",
        OutcomeKind.NOT_THE_PERSON: "not the person",
        OutcomeKind.MISMATCH: "mismatch",
        OutcomeKind.CANNOT_FIND_YET: "cannot find yet",
        OutcomeKind.CANNOT_FIND: "cannot find",
        OutcomeKind.DUPLICATE: "duplicate",
        OutcomeKind.TRANSFERRED: "transferred",
        OutcomeKind.LANGUAGE_OR_HEARING: "language or hearing",
        OutcomeKind.MISSED: "missed",
    },
    Track: {Track.ROBOT: "robot", Track.HUMAN: "human call", Track.VISIT: "visit"},
    AmountKind: {
        AmountKind.INTENDED: "loss prevented",
        AmountKind.STOPPED: "stopped at the bank",
        AmountKind.RETURNED: "returned",
    },
    CaseStatus: {
        CaseStatus.OPEN: "open",
        CaseStatus.WATCHING: "dissuaded (observation)",
        CaseStatus.PROVEN: "dissuaded, proven",
        CaseStatus.REVERSED: "reversed by a filed case",
        CaseStatus.CLOSED: "closed",
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
        Reason.NO_CONTACT_IN_TIME: "no contact in time",
        Reason.ROBOT_TRIES_USED: "the robot's tries are used up",
        Reason.NO_USABLE_NUMBER: "no number that can be rung",
        Reason.FORWARDED_OR_MACHINE: "forwarded or a machine, which is no contact",
        Reason.NOT_VERIFIED: "whoever answered was not verified",
        Reason.LEFT_UNANSWERED: "verified, and hung up without an answer",
        Reason.HUNG_UP_EARLY: "hung up before the warning was spoken",
        Reason.SILENT: "silent all the time",
        Reason.DOUBTFUL: "a doubtful answer",
        Reason.REFUSED: "refused",
        Reason.WANTS_OFFICER: "wants an officer",
        Reason.ALREADY_PAID: "says it is paid already",
        Reason.WRONG_PERSON: "wrong person",
        Reason.LANGUAGE_OR_HEARING: "language or hearing",
        Reason.UNKNOWN_SUBMISSION: "not known whether the call was placed",
        Reason.WAITED_TOO_LONG: "waited too long for a line",
        Reason.EXPIRED: "the warning expired",
        Reason.SAMPLE: "in the sample for a human call",
        Reason.NOT_IN_SAMPLE: "not in the sample",
        Reason.HUMAN_FAILED: "the human call did not succeed",
        Reason.HUMAN_OVERDUE: "the human call is overdue",
        Reason.VISIT_AGAIN: "another visit",
        Reason.ON_REQUEST: "on request",
        Reason.OPTED_OUT: "asked not to be rung by a robot",
        Reason.MINOR: "a minor: the guardian",
        Reason.VERIFIED_SUCCESS: "verified and dissuaded",
        Reason.CASE_CLOSED: "the case was closed",
        Reason.CASE_FILED: "a case was filed with the police",
        Reason.WATCH_ENDED: "the watch period ended",
        Reason.NONE: "none",
    },
    RobotState: {RobotState.OFF: "off", RobotState.PENDING: "waiting or ringing", RobotState.DONE: "done"},
    StaffTrackState: {
        StaffTrackState.NONE: "none",
        StaffTrackState.SCHEDULED: "scheduled",
        StaffTrackState.OPEN: "open",
        StaffTrackState.DONE: "done",
    },
    AttemptState: {
        AttemptState.PLANNED: "planned",
        AttemptState.READY: "in the queue",
        AttemptState.CLAIMED: "about to be sent",
        AttemptState.SENDING: "being sent",
        AttemptState.ACCEPTED: "taken by the network",
        AttemptState.RINGING: "ringing",
        AttemptState.ANSWERED: "talking",
        AttemptState.UNKNOWN: "not known whether it was taken",
        AttemptState.ENDED: "ended",
    },
    AssignmentState: {
        AssignmentState.OPEN: "waiting to be signed for",
        AssignmentState.SIGNED: "signed for",
        AssignmentState.DONE: "reported",
        AssignmentState.WITHDRAWN: "withdrawn",
    },
    MessagePurpose: {
        MessagePurpose.UNREACHABLE: "where the voice did not get through",
        MessagePurpose.AFTER_WARNING: "after a warning",
    },
    MessageState: {
        MessageState.PLANNED: "planned",
        MessageState.SENDING: "being sent",
        MessageState.UNKNOWN: "not known whether it was sent",
        MessageState.ACCEPTED: "taken by the network",
        MessageState.SENT: "sent",
        MessageState.DELIVERED: "delivered",
        MessageState.UNDELIVERED: "not delivered",
        MessageState.FAILED: "not sent",
    },
    StopResult: {
        StopResult.ASKED: "the bank has been asked",
        StopResult.TOO_LATE: "too late",
        StopResult.NOT_NEEDED: "nothing had been paid",
    },
    PaidWhen: {
        PaidWhen.JUST_NOW: "just now",
        PaidWhen.HOURS_AGO: "hours ago",
        PaidWhen.BEFORE_TODAY: "before today",
    },
    LoadState: {
        LoadState.DRAFT: "draft",
        LoadState.WAITING: "waiting",
        LoadState.RUNNING: "loading",
        LoadState.HELD: "held for a second person",
        LoadState.DONE: "loaded",
        LoadState.FAILED: "failed",
        LoadState.WITHDRAWN: "withdrawn",
    },
    RowResult: {
        RowResult.NEW: "new case",
        RowResult.JOINS: "merged",
        RowResult.DUPLICATE: "duplicate",
        RowResult.EARLY: "gone ahead",
        RowResult.REFUSED: "refused",
    },
    AlarmCode: {
        AlarmCode.MISSED_WARNING: "a high warning was missed",
        AlarmCode.HUMAN_OVERDUE: "a human call is overdue",
        AlarmCode.VISIT_OVERDUE: "a visit is overdue",
        AlarmCode.OWN_FAULTS: "faults of our own line in a row",
        AlarmCode.ALREADY_PAID: "the person has already paid",
        AlarmCode.CANNOT_FIND: "the person cannot be found",
        AlarmCode.REFUSED_IN_PERSON: "refused in person",
        AlarmCode.DEFRAUDED_AFTER_SUCCESS: "defrauded after a success",
        AlarmCode.WAITED_TOO_LONG: "a ring waited too long",
        AlarmCode.REJECTED_HIGH_ROW: "a row of a high grade was refused",
        AlarmCode.UNKNOWN_SUBMISSION: "not known whether a call was placed",
        AlarmCode.CARRIER_TROUBLE: "trouble with the telephone network",
        AlarmCode.CARRIER_DOWN: "the telephone network is down, dialling has stopped",
        AlarmCode.SCHEMA_MOVED: "a process is older than its database",
        AlarmCode.NOBODY_ANSWERS: "no web process runs: dialling has stopped",
        AlarmCode.CLOCK_JUMPED: "a machine's clock went back",
        AlarmCode.NO_NEXT_STEP: "a case without a next step",
        AlarmCode.UNSIGNED: "nobody has signed for an assignment",
        AlarmCode.SOUND_BROKEN: "a prompt's sound is missing or broken",
    },
    VersionState: {
        VersionState.DRAFT: "draft",
        VersionState.APPROVED: "approved",
        VersionState.RETIRED: "retired",
    },
    RenderState: {
        RenderState.WAITING: "waiting",
        RenderState.RUNNING: "being rendered",
        RenderState.DONE: "rendered",
        RenderState.FAILED: "failed",
    },
    PauseScope: {
        PauseScope.ALL: "all dialling",
        PauseScope.UNIT: "a unit",
        PauseScope.LOAD: "a list",
        PauseScope.GRADE: "a grade",
    },
    Role: {
        Role.CLERK: "clerk",
        Role.CALLER: "caller",
        Role.OFFICER: "officer",
        Role.SUPERVISOR: "supervisor",
        Role.ADMINISTRATOR: "administrator",
        Role.AUDITOR: "auditor",
    },
    Permission: {
        Permission.OWN_ACCOUNT: "the own account",
        Permission.SEE_BOARD: "look at the live board",
        Permission.SEE_CASES: "look at cases",
        Permission.REVEAL: "look at hidden data",
        Permission.WORK_CASES: "work cases",
        Permission.LOWER_CASES: "lower a grade",
        Permission.WORK_DESK: "call people",
        Permission.WORK_VISITS: "visit people",
        Permission.SEE_UNITS: "look at units",
        Permission.SORT_UNITS: "sort by unit",
        Permission.LOAD_LISTS: "load lists",
        Permission.SEE_RATES: "look at success rates",
        Permission.EXPORT: "export",
        Permission.APPROVE: "approve",
        Permission.CONTROL: "control the dialling",
        Permission.SEE_CONTROL: "look at the dialling",
        Permission.SEE_SCRIPTS: "look at scripts",
        Permission.EDIT_SCRIPTS: "change scripts",
        Permission.SEE_AUDIT: "look at the audit",
        Permission.MANAGE_STAFF: "manage accounts",
        Permission.MANAGE_UNITS: "manage units",
    },
    UnitField: {
        UnitField.NAME: "name",
        UnitField.PARENT: "parent",
        UnitField.LEVEL: "level",
        UnitField.ALIASES: "aliases",
        UnitField.STATE: "state",
        UnitField.NUMBER: "system number",
    },
    UnitChangeKind: {
        UnitChangeKind.ADDED: "added",
        UnitChangeKind.MOVED: "moved",
        UnitChangeKind.RENAMED: "renamed",
        UnitChangeKind.CLOSED: "closed",
        UnitChangeKind.OPENED: "opened again",
        UnitChangeKind.LEVEL: "another level",
        UnitChangeKind.ALIAS: "alias",
    },
    ActKind: {
        ActKind.UNIT_ASSIGNED: "sorted to its unit",
        ActKind.UNIT_CHANGED: "handed to another unit",
        ActKind.UNIT_RAISED: "nobody signed: raised one level",
        ActKind.TRANSFER_ASKED: "transfer asked",
        ActKind.TRANSFER_ACCEPTED: "transfer accepted",
        ActKind.TRANSFER_REFUSED: "transfer refused",
        ActKind.CLAIMED: "taken",
        ActKind.RELEASED: "given back",
        ActKind.LAPSED: "signed but idle: back in the queue",
        ActKind.ACCOUNT_DISABLED: "account disabled: back in the queue",
        ActKind.CALL_BACK: "call-back agreed",
        ActKind.DIALLED: "dialled from the desk",
        ActKind.VISIT_ACCEPTED: "visit accepted",
        ActKind.VISIT_ON_THE_WAY: "on the way",
        ActKind.VISIT_ARRIVED: "arrived",
        ActKind.VISIT_SEEN: "who was seen",
        ActKind.VISIT_NOTE: "note of the visit",
        ActKind.VISIT_PHOTO: "photo",
        ActKind.CALL_NOW: "ring now",
        ActKind.PERSON_ASKED: "a person was asked for",
        ActKind.GRADE_RAISED: "grade raised",
        ActKind.GRADE_LOWERED: "grade lowered",
        ActKind.CLOSED: "closed",
        ActKind.DUPLICATE: "marked duplicate",
        ActKind.OPTED_OUT: "opted out",
        ActKind.NOTE: "note",
        ActKind.LOAD_WITHDRAWN: "list withdrawn",
    },
    CaseAct: {
        CaseAct.CALL_NOW: "ring now",
        CaseAct.RAISE: "raise",
        CaseAct.LOWER: "lower",
        CaseAct.ASK_CALLER: "ask a caller",
        CaseAct.ASK_OFFICER: "send an officer",
        CaseAct.HAND_OVER: "hand over",
        CaseAct.CLOSE: "close",
        CaseAct.MARK_DUPLICATE: "mark duplicate",
        CaseAct.OPT_OUT: "opt out",
        CaseAct.NOTE: "note",
    },
    Bar: {
        Bar.NOT_OPEN: "the case is no longer open",
        Bar.OPTED_OUT: "the person asked not to be rung by a robot",
        Bar.NO_NUMBER: "no number is left that can be rung",
        Bar.HIGHEST_GRADE: "it has the highest grade",
        Bar.LOWEST_GRADE: "it has the lowest grade",
        Bar.UNDER_WAY: "somebody is at it already",
    },
    VisitStage: {
        VisitStage.NONE: "waiting to be signed for",
        VisitStage.ACCEPTED: "signed for",
        VisitStage.ON_THE_WAY: "on the way",
        VisitStage.ARRIVED: "arrived",
        VisitStage.SEEN: "seen",
    },
    PersonMet: {
        PersonMet.PERSON: "the person",
        PersonMet.FAMILY: "family",
        PersonMet.NEIGHBOUR: "a neighbour",
        PersonMet.NOBODY: "nobody",
    },
    DeskCallState: {
        DeskCallState.ASKED: "asked for",
        DeskCallState.RINGING: "the desk's telephone rings",
        DeskCallState.JOINED: "the desk is on the line",
        DeskCallState.ENDED: "over",
    },
    TransferState: {
        TransferState.ASKED: "waiting for an answer",
        TransferState.ACCEPTED: "accepted",
        TransferState.REFUSED: "refused",
    },
}

ENUMERATIONS = tuple(_CATALOGUE)
"""Every enumeration that has words."""

_COUNT, _BASIS, _RATE, _SAYS = "count", "basis", "rate", "rate says"

COUNTS: Mapping[str, str] = {
    "warnings": "warnings",
    "cases": "cases",
    "cases_open": "open",
    "cases_watching": "dissuaded, provisional",
    "cases_proven": "dissuaded, proven",
    "cases_reversed": "reversed",
    "cases_closed": "closed otherwise",
    "cases_missed": "missed",
    "cases_not_ours": "duplicate or transferred",
    "cases_ours": "our cases",
    "cases_rung": "cases called",
    "cases_answered": "cases answered",
    "verified_contact": "verified contact",
    "succeeded": "ever dissuaded",
    "dissuaded": "dissuaded",
    "dissuaded_by_phone": "dissuaded by phone",
    "dissuaded_in_person": "dissuaded in person",
    "saw_through_it": "saw through it",
    "judged": "watch period judged",
    "defrauded_after_warning": "defrauded after warning",
    "found": "found out",
    "found_nothing": "ended without a finding",
    "false_alarms": "false alarms",
    "raised": "raised",
    "handed_to_person": "handed to a person",
    "first_attempt_counted": "first attempts counted",
    "first_attempt_in_time": "first attempts in time",
    "first_attempt_pending": "not tried, not late yet",
    "first_attempt_not_wanted": "settled before any attempt",
    "robot_calls": "robot calls",
    "robot_calls_counted": "robot calls counted",
    "robot_calls_answered": "robot calls answered",
    "robot_calls_verified": "robot calls verified",
    "robot_calls_under_way": "under way",
    "robot_calls_own_fault": "our own line",
    "robot_calls_cancelled": "cancelled",
    "robot_calls_unknown": "unknown whether it rang",
    "human_calls": "human calls",
    "human_calls_waiting": "human calls waiting",
    "human_calls_withdrawn": "human calls withdrawn",
    "human_calls_reached": "reached by a caller",
    "visits": "visits",
    "visits_waiting": "visits waiting",
    "visits_withdrawn": "visits withdrawn",
    "visits_met": "met in person",
    "sign_counted": "to be signed for",
    "signed_in_time": "signed in time",
    "sign_pending": "not signed, not late yet",
    "sign_withdrawn": "withdrawn before signing was late",
    "feedback_counted": "to be reported",
    "feedback_in_time": "reported in time",
    "feedback_pending": "not reported, not late yet",
    "feedback_withdrawn": "withdrawn before the report was late",
}
"""The fields of `Counts`."""

_BASES: Mapping[Basis, str] = {
    Basis.WARNING_LOADED: "by when the warning was loaded",
    Basis.CASE_OPENED: "by when the case was opened",
    Basis.CALL_SENT: "by when the call was sent",
    Basis.ASSIGNMENT_OPENED: "by when the task was opened",
    Basis.OUTCOME_RECORDED: "by when it was recorded",
}


def count_word(name: str, lang: Lang) -> str:
    """What a field of `Counts` is called."""
    return say_word(lang, _COUNT, COUNTS[name])


def basis_word(basis: Basis, lang: Lang) -> str:
    """Whose moment lies in the window."""
    return say_word(lang, _BASIS, _BASES[basis])


def rate_word(definition: Definition, lang: Lang) -> str:
    return say_word(lang, _RATE, definition.title)


def rate_sentence(definition: Definition, lang: Lang) -> str:
    """What the rate says, in one sentence."""
    return say_word(lang, _SAYS, definition.says)


MEASURES: Mapping[str, str] = {
    "dissuaded": gettext_noop("Dissuaded"),
    "verified": gettext_noop("Verified contact"),
    "hung_up_early": gettext_noop("Hung up early"),
    "defrauded": gettext_noop("Defrauded after the warning"),
}
MEASURES_SAY: Mapping[str, str] = {
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


def verdict_in(lang: Lang, verdict: Verdict, live: int) -> str:
    """Of one version against the live one."""
    if verdict.finding is Finding.TOO_FEW:
        text = gettext_noop("not enough calls yet: about %(more)s more each")
        return say(lang, text, more=f"{verdict.more_each:,}")
    if verdict.finding is Finding.ALIKE:
        text = gettext_noop("no difference to version %(live)s that matters (below %(margin)s points)")
        return say(lang, text, live=live, margin=f"{_PERCENT * MARGIN:.0f}")
    assert verdict.difference is not None
    points = f"{_PERCENT * abs(verdict.difference):.1f}"
    if verdict.finding is Finding.BETTER:
        return say(
            lang,
            gettext_noop("better than version %(live)s, by about %(points)s points"),
            live=live,
            points=points,
        )
    return say(
        lang,
        gettext_noop("worse than version %(live)s, by about %(points)s points"),
        live=live,
        points=points,
    )
