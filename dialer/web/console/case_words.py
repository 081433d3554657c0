"""What the page of a case says where the catalogue's words are too short: why a ring waits, who did something, and what
stands in the way of an act.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dialer.domain.attempt import AttemptState
from dialer.domain.case import Reason
from dialer.domain.pause import PauseScope
from dialer.domain.values import Grade
from dialer.language import Lang, mark, say
from dialer.outcomes.next_steps import AHEAD_AT_MOST
from dialer.store.book import DESK, ROBOT
from dialer.usecases.why_waiting import Waiting, WaitReason
from dialer.words import word

_NOBODY_IN_PARTICULAR = {ROBOT: mark("the robot"), DESK: mark("the duty desk")}
_FIXED: Mapping[WaitReason, str] = {
    WaitReason.HELD: mark("its pause is over: it is being released"),
    WaitReason.CARRIER_TROUBLE: mark("there is trouble with the telephone network"),
    WaitReason.PACING: mark("it is next: a moment in the pace is waited for"),
}
_TYPED: Mapping[str, str] = {
    "paid_yuan": mark("typed the amount paid"),
    "payee_account_last4": mark("typed the last digits of the payee's account"),
    "paid_when": mark("typed when it was paid"),
}


def waiting_words(waiting: Waiting, lang: Lang) -> str:
    """Why the ring has not been made yet, without since when."""
    f = waiting.facts
    facts: dict[str, object] = dict(f)
    match waiting.reason:
        case WaitReason.UNDER_WAY:
            text = mark("the ring is under way: %(state)s")
            facts = {"state": named(AttemptState, str(f["state"]), lang)}
        case WaitReason.PAUSED:
            text = mark("dialling is paused (%(what)s) by %(by)s: %(why)s")
            facts["what"] = _paused(f, lang)
        case WaitReason.NUMBER_BUSY if "rests" in f:
            text = mark("the number rests after a ring")
        case WaitReason.NUMBER_BUSY:
            text = mark("the same number rings for another case")
        case WaitReason.PLANNED_FOR_LATER:
            text = mark("its time has not come: %(why)s")
            facts = {"why": named(Reason, str(f["reason"]), lang)}
        case WaitReason.WINDOW_CLOSED:
            text = mark("the robot rings from %(opens)s to %(closes)s")
        case WaitReason.LINES_FULL if f:
            text = mark("%(in_use)s of %(lines)s lines are in use, %(ahead)s more urgent ones go first")
            facts["ahead"] = ahead_words(int(f["ahead"]), lang)
        case WaitReason.LINES_FULL:
            text = mark("no line is set up")
        case WaitReason.QUEUE:
            text = mark("in the queue: %(ahead)s more urgent ones go first")
            facts["ahead"] = ahead_words(int(f["ahead"]), lang)
        case _:
            text = _FIXED[waiting.reason]
    return say(lang, text, **facts)


def ahead_words(ahead: int, lang: Lang) -> str:
    """It is counted up to a limit."""
    if ahead >= AHEAD_AT_MOST:
        return say(lang, "at least %(n)s", n=f"{AHEAD_AT_MOST:,}")
    return f"{ahead:,}"


def _paused(f: Mapping[str, str | int], lang: Lang) -> str:
    scope, subject = PauseScope(str(f["scope"])), str(f["subject"])
    what = named(Grade, subject, lang) if scope is PauseScope.GRADE else subject
    return " ".join(part for part in (word(scope, lang), what) if part)


def by_words(by: str, names: Mapping[str, str], lang: Lang) -> str:
    """Who did it: a name where the login has one."""
    if by in _NOBODY_IN_PARTICULAR:
        return say(lang, _NOBODY_IN_PARTICULAR[by])
    return names.get(by) or by


def typed_words(fact: str, lang: Lang) -> str:
    known = _TYPED.get(fact)
    return say(lang, known) if known else say(lang, "typed %(what)s", what=fact)


def named(kind: type[StrEnum], value: str, lang: Lang) -> str:
    """The word of a stored value; a value of a later version is told as it stands."""
    try:
        return word(kind(value), lang)
    except ValueError:
        return value
