"""What every word of the trade is called, for the terminal and the pages; the Chinese is in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from dialer.domain.access import Act, Role
from dialer.domain.attempt import AttemptState
from dialer.domain.case import CaseStatus, ErrandState, Reason, RobotState
from dialer.domain.effects import AlarmCode
from dialer.domain.errand import AssignmentState
from dialer.domain.load import LoadState, RowFate
from dialer.domain.message import MessagePurpose, MessageState
from dialer.domain.pause import PauseScope
from dialer.domain.reach import Reach
from dialer.domain.script_life import RenderState, VersionState
from dialer.domain.stop_payment import PaidWhen, StopResult
from dialer.domain.values import (
    AmountKind,
    Answer,
    Contact,
    FraudType,
    Grade,
    OutcomeKind,
    Tag,
    TelephonyResult,
    Track,
    WarningKind,
)
from dialer.language import Lang, say_word
from dialer.words_of_work import WORK_WORDS

__all__ = ("KNOWN", "Lang", "english", "word")


def english() -> Iterator[tuple[str, str]]:
    """Every word with the enumeration that it belongs to, for the catalogue."""
    for kind, members in _CATALOGUE.items():
        for text in members.values():
            yield kind.__name__, text


def word(member: StrEnum, lang: Lang) -> str:
    """What this member is called. Raises `KeyError` for an enumeration that the catalogue does not know."""
    return say_word(lang, type(member).__name__, _CATALOGUE[type(member)][member])


_CATALOGUE: Mapping[type[StrEnum], Mapping[str, str]] = {
    **WORK_WORDS,
    Grade: {
        Grade.EXTRA_HIGH: "extra high",
        Grade.HIGH: "high",
        Grade.MEDIUM: "medium",
        Grade.LOW: "low",
    },
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
    Track: {
        Track.ROBOT: "robot",
        Track.HUMAN: "human call",
        Track.VISIT: "visit",
    },
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
    RobotState: {
        RobotState.OFF: "off",
        RobotState.PENDING: "waiting or ringing",
        RobotState.DONE: "done",
    },
    ErrandState: {
        ErrandState.NONE: "none",
        ErrandState.SCHEDULED: "scheduled",
        ErrandState.OPEN: "open",
        ErrandState.DONE: "done",
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
    RowFate: {
        RowFate.NEW: "new case",
        RowFate.JOINS: "merged",
        RowFate.DUPLICATE: "duplicate",
        RowFate.EARLY: "gone ahead",
        RowFate.REFUSED: "refused",
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
        AlarmCode.NO_FUTURE: "a case without a next step",
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
    Act: {
        Act.OWN_ACCOUNT: "the own account",
        Act.SEE_WALL: "look at the live board",
        Act.SEE_CASES: "look at cases",
        Act.REVEAL: "look at hidden data",
        Act.WORK_CASES: "work cases",
        Act.LOWER_CASES: "lower a grade",
        Act.WORK_DESK: "call people",
        Act.WORK_VISITS: "visit people",
        Act.SEE_UNITS: "look at units",
        Act.SORT_UNITS: "sort by unit",
        Act.LOAD_LISTS: "load lists",
        Act.SEE_RATES: "look at success rates",
        Act.EXPORT: "export",
        Act.APPROVE: "approve",
        Act.CONTROL: "control the dialling",
        Act.SEE_CONTROL: "look at the dialling",
        Act.SEE_SCRIPTS: "look at scripts",
        Act.EDIT_SCRIPTS: "change scripts",
        Act.SEE_AUDIT: "look at the audit",
        Act.MANAGE_STAFF: "manage accounts",
        Act.MANAGE_UNITS: "manage units",
    },
}

KNOWN = tuple(_CATALOGUE)
"""Every enumeration that has words."""
