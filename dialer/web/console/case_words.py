"""What the page of a case says where the catalogue's words are too short: who did something, and what stands in the way
of an act.
"""

from __future__ import annotations

from collections.abc import Mapping

from dialer.domain.access import DESK, ROBOT
from dialer.domain.case_acts import Bar
from dialer.errors import Conflict
from dialer.language import Lang, mark, say
from dialer.web.console.refusals import told
from dialer.words import word

_NOBODY_IN_PARTICULAR = {ROBOT: mark("the robot"), DESK: mark("the duty desk")}
_TYPED: Mapping[str, str] = {
    "paid_yuan": mark("typed the amount paid"),
    "payee_account_last4": mark("typed the last digits of the payee's account"),
    "paid_when": mark("typed when it was paid"),
}
_CONFLICTS: Mapping[str, str] = {
    "own record": mark("whoever recorded it does not approve it: a second person does"),
    "approved": mark("somebody has approved it already"),
    "asked": mark("the work is on its way to another unit already"),
    "closed": mark("that unit is closed and takes nothing new"),
}
REFUSALS = (
    mark("a success needs the verified contact of the right person"),
    mark("is not chosen"),
    mark("is no case number"),
    mark("is higher than now"),
    mark("is lower than now"),
    mark("is empty or too long"),
    mark("say it in a few words"),
)
"""What the acts of a case refuse with, beside what `refusals` knows."""


def by_words(by: str, names: Mapping[str, str], lang: Lang) -> str:
    """Who did it: a name where the login has one."""
    if by in _NOBODY_IN_PARTICULAR:
        return say(lang, _NOBODY_IN_PARTICULAR[by])
    return names.get(by) or by


def typed_words(fact: str, lang: Lang) -> str:
    known = _TYPED.get(fact)
    return say(lang, known) if known else say(lang, "typed %(what)s", what=fact)


def conflict_words(fault: Conflict, lang: Lang) -> str:
    """Why an act is refused."""
    current = fault.current
    if current in set(Bar):
        return word(Bar(current), lang)
    if current in _CONFLICTS:
        return say(lang, _CONFLICTS[current])
    return told(fault, lang)
