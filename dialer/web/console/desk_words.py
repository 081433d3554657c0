"""What the desk says: who else is at it, what became of the task, what a call does, and what is to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dialer.domain.errand import AssignmentState, DeskCallState, VisitStage
from dialer.domain.values import FraudType, Tag, TelephonyResult
from dialer.language import Lang, mark, say
from dialer.outcomes.points import points_of
from dialer.outcomes.timeline import EntryKind
from dialer.sentences import entry_sentence
from dialer.store.assignments import Assignment
from dialer.store.desk_calls import DeskCall
from dialer.store.reads.desk_view import Beside, Busy
from dialer.usecases.open_task import Bench
from dialer.words import word

_UNTOLD = frozenset({EntryKind.VIEWED, EntryKind.RING_SENT, EntryKind.RINGING, EntryKind.SPOKEN})
"""Of no use to whoever is about to ring; the case's own page has them."""
_SHOWN = 12
_MOBILE_DIGITS = 11


def beside_sentence(one: Beside, lang: Lang, names: Mapping[str, str], *, case_id: int) -> str:
    """Who is busy with the same person, and with what."""
    who = names.get(one.who, one.who)
    match one.busy:
        case Busy.ROBOT if one.talking:
            told = say(lang, "The robot is speaking with the person now")
        case Busy.ROBOT:
            told = say(lang, "The robot is ringing the person now")
        case Busy.CALL if one.talking:
            told = say(lang, "%(who)s is on the telephone with the person now", who=who)
        case Busy.CALL:
            told = say(lang, "%(who)s is being put through to the person", who=who)
        case Busy.CALLER:
            told = say(lang, "%(who)s has signed for a call to the same person", who=who)
        case Busy.OFFICER if one.stage.rank <= VisitStage.ACCEPTED.rank:
            told = say(lang, "Officer %(who)s has signed for a visit", who=who)
        case Busy.OFFICER:
            told = say(lang, "Officer %(who)s: %(stage)s", who=who, stage=word(one.stage, lang))
    return told if one.case_id == case_id else told + say(lang, " (case #%(id)s)", id=one.case_id)


def lost_sentence(task: Assignment, lang: Lang, names: Mapping[str, str], *, who: str) -> str:
    """Why this desk does not have the task any more."""
    match task.state:
        case AssignmentState.OPEN:
            return say(lang, "This task went back to the queue: nothing was heard from this desk.")
        case AssignmentState.SIGNED if task.signed_by == who:
            return say(lang, "You took this task up again in another window.")
        case AssignmentState.SIGNED:
            return say(lang, "%(who)s has this task now.", who=names.get(task.signed_by, task.signed_by))
        case AssignmentState.DONE:
            by = task.done_by or ""
            return say(lang, "%(who)s has reported on this task already.", who=names.get(by, by))
        case AssignmentState.WITHDRAWN:
            return say(lang, "This task is not needed any more: the person was reached, or the case ended.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One call from the desk. `since`: of a call under way, when its present state began."""

    text: str
    live: bool
    since: datetime | None
    at: datetime
    number: int


def call_line(call: DeskCall, lang: Lang) -> CallLine:
    live = call.state is not DeskCallState.ENDED
    match call.state:
        case DeskCallState.ASKED:
            text = say(lang, "Your telephone is being rung")
        case DeskCallState.RINGING:
            text = say(lang, "Your telephone rings: pick up")
        case DeskCallState.JOINED:
            text = say(lang, "You are on the line; the person is rung or speaks")
        case DeskCallState.ENDED:
            text = _ended(call, lang)
    return CallLine(
        text=text, live=live, since=call.joined_at if live else None, at=call.asked_at, number=call.number
    )


def _ended(call: DeskCall, lang: Lang) -> str:
    if call.result is TelephonyResult.CANCELED:
        return say(lang, "your telephone was not picked up")
    if not call.settled:
        return say(lang, "over; the network is asked how it ended")
    told = word(call.result, lang) if call.result is not None else ""
    return told if call.talk_seconds is None else f"{told} · {_clock(call.talk_seconds)}"


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One line of the checklist. `name` stands for it in the report."""

    key: str
    name: str
    text: str
    hint: str = ""


def dialled(number: str, area_code: str) -> str:
    """A number in E.164 as people here read and dial it: 138 0013 8000, 0478-96110; one of another country as it is."""
    national = number.removeprefix("+86")
    if national == number:
        return number
    if len(national) == _MOBILE_DIGITS and national.startswith("1"):
        return f"{national[:3]} {national[3:7]} {national[7:]}"
    own = area_code.lstrip("0")
    return f"0{own}-{national[len(own) :]}" if own and national.startswith(own) else f"0{national}"


_OPENING = mark(
    "This is %(bureau)s. Please do not transfer any money now, and hang up on whoever else is on the line."
)
_FALSE_POLICE = mark(
    "Fraudsters may call us false police. Hang up and ring %(hotline)s, 110 or the police station yourself."
)


def checklist(fraud_type: FraudType, lang: Lang, *, bureau: str, hotline: str) -> tuple[Point, ...]:
    """What is asked and must be said on this call, in its order."""
    points = points_of(fraud_type, lang.value)
    return (
        Point(
            key="open",
            name=say(lang, "warned first"),
            text=say(lang, _OPENING, bureau=bureau),
            hint=say(lang, "First sentence"),
        ),
        Point(
            key="who",
            name=say(lang, "identity verified"),
            text=say(lang, "May I ask for your full name and the last four of your id number?"),
            hint=say(lang, "Before any detail of the case is named"),
        ),
        Point(key="asked", name=say(lang, "scene asked"), text=points.question, hint=say(lang, "Ask")),
        Point(key="said", name=say(lang, "rule said"), text=points.must_say, hint=say(lang, "Must be said")),
        Point(
            key="police",
            name=say(lang, "false police explained"),
            text=say(lang, _FALSE_POLICE, hotline=hotline),
            hint=say(lang, "Must be said"),
        ),
        Point(
            key="repeat",
            name=say(lang, "repeated in own words"),
            text=say(lang, "Please tell me in your own words what you will do now."),
            hint=say(lang, "At the end"),
        ),
    )


def care_of(tags: frozenset[Tag], lang: Lang) -> tuple[str, ...]:
    """What to mind with this person."""
    return tuple(say(lang, _CARE[tag]) for tag in sorted(tags) if tag in _CARE)


_CARE: Mapping[Tag, str] = {
    Tag.MINOR: mark("A minor: speak with the guardian."),
    Tag.ELDERLY: mark("Elderly: speak slowly, and ask for the family."),
    Tag.HEARING: mark("Hard of hearing: short sentences; ask for the family, or send a message."),
    Tag.MONGOLIAN: mark("Speaks Mongolian: pass it on to a colleague who does, where needed."),
}


def noted(note: str, said: Sequence[str], points: Sequence[Point], lang: Lang) -> str:
    """The note of a report, with what was ticked beneath it."""
    ticked = [point.name for point in points if point.key in said]
    if not ticked:
        return note
    line = say(lang, "Ticked: %(points)s", points=("、" if lang is Lang.ZH else ", ").join(ticked))
    return f"{note}\n{line}" if note else line


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    at: datetime
    text: str
    by: str
    trouble: bool = False


def history(bench: Bench, lang: Lang) -> list[Happened]:
    """What a caller should know of what happened before, newest first; with what people wrote, where it is open."""
    told = [
        Happened(
            at=entry.at,
            text=entry_sentence(entry, lang),
            by=entry.by,
            trouble=entry.kind in {EntryKind.ALARM, EntryKind.FILED, EntryKind.REVERSAL},
        )
        for entry in bench.timeline
        if entry.kind not in _UNTOLD
    ]
    if bench.opened is not None:
        told += [Happened(at=one.at, text=f"“{one.words}”", by=one.by) for one in bench.opened.words]
    return sorted(told, key=lambda one: one.at, reverse=True)[:_SHOWN]
