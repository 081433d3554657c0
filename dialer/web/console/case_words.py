"""What the page of a case says where the catalogue's words are too short: who did something, and what stands in the way
of an act.
"""

from __future__ import annotations

from collections.abc import Mapping

from dialer.domain.access import DESK, ROBOT
from dialer.language import Lang, mark, say

_NOBODY_IN_PARTICULAR = {ROBOT: mark("the robot"), DESK: mark("the duty desk")}
_TYPED: Mapping[str, str] = {
    "paid_yuan": mark("typed the amount paid"),
    "payee_account_last4": mark("typed the last digits of the payee's account"),
    "paid_when": mark("typed when it was paid"),
}


def by_words(by: str, names: Mapping[str, str], lang: Lang) -> str:
    """Who did it: a name where the login has one."""
    if by in _NOBODY_IN_PARTICULAR:
        return say(lang, _NOBODY_IN_PARTICULAR[by])
    return names.get(by) or by


def typed_words(fact: str, lang: Lang) -> str:
    known = _TYPED.get(fact)
    return say(lang, known) if known else say(lang, "typed %(what)s", what=fact)
