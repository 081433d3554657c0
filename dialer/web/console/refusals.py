"""Refusals of the use cases, as the person at the page reads them."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.errors import Conflict, Invalid, Overtaken, Refusal
from dialer.language import Lang, mark, say

KNOWN = (
    mark("is shorter than 10 characters"),
    mark("is longer than 200 characters"),
    mark("contains the login"),
    mark("repeats too few characters"),
    mark("is not the same as the new password"),
    mark("is not the same as the password"),
    mark("is not the present password"),
    mark("is the old one"),
    mark("is no login"),
    mark("2 to 32 of small letters, digits, '.', '_', '-'"),
    mark("is empty or longer than 60 characters"),
    mark("the login or the password is wrong"),
    mark("too many failed sign-ins: wait"),
    mark("nobody disables the own account"),
    mark("this is the last administrator: make another one first"),
    mark("is no telephone number"),
    mark("all of it, or its last four digits"),
    mark("is not a valid resident identity number"),
    mark("is empty"),
    mark("every export says what it is for"),
    mark("is not after from"),
    mark("is no day and no moment"),
    mark("a day such as 2026-11-25, or a moment such as 2026-11-25T09:00"),
    mark("a pause names who placed it and why"),
    mark("a change of the pace names who and why"),
    mark("is outside what the settings allow"),
    mark("is no number"),
    mark("is no whole number"),
    mark("which unit"),
    mark("which load"),
    mark("which grade"),
    mark("every look at hidden data names who and why"),
    mark("is longer than 100 characters"),
    mark("is no length of a pause"),
    mark("above 0 minutes, at most seven days"),
    mark("is no load"),
    mark("its number"),
    mark("is no grade"),
    mark("is the grade that it has"),
    mark("is the case itself"),
    mark("the case that stays"),
    mark("is no hour of the day"),
    mark("0 to 23"),
    mark("is out of range"),
    mark("is not known"),
    mark("a count of the report"),
    mark("is none of the person's"),
    mark("is not zh or en"),
    mark("is no step"),
    mark("accepted, on_the_way or arrived"),
    mark("is no number that a phone made"),
    mark("is a name that only the service signs with"),
    mark("is not yours: search again"),
    mark("was too long ago: search again"),
    mark("the case is that unit's already"),
    mark("the work is that unit's already"),
    mark("the stop payment is done already"),
    mark("the case changes faster than it can be looked at"),
    mark("the units were changed meanwhile: look again at what the list would do"),
)
"""What is said without anything of the case in it, and so has a translation."""
_CONFLICTS: Mapping[str, str] = {
    "asked": mark("the work is on its way to another unit already"),
    "accepted": mark("The transfer has been accepted already."),
    "refused": mark("The transfer has been refused already."),
    "closed": mark("that unit is closed and takes nothing new"),
    "own record": mark("whoever recorded it does not approve it: a second person does"),
    "approved": mark("somebody has approved it already"),
    "repeated": mark("This was sent before with other words."),
}
"""What stands against an act, by `current`, where the sentence itself names rows."""
_MEANWHILE = mark("It does not fit what has happened meanwhile: look again.")
_UNTOLD = mark("This cannot be done so.")


def told(fault: Refusal, lang: Lang) -> str:
    """The refusal in one sentence of this language; names of rows and words of the code are left out."""
    if isinstance(fault, Invalid):
        return problem(fault, lang)
    if isinstance(fault, Overtaken):
        return say(lang, _MEANWHILE)
    if isinstance(fault, Conflict) and fault.current in _CONFLICTS:
        return say(lang, _CONFLICTS[fault.current])
    text = str(fault)
    if lang is Lang.EN or say(lang, text) != text:
        return say(lang, text)
    return say(lang, _MEANWHILE if isinstance(fault, Conflict) else _UNTOLD)


def problem(fault: Invalid, lang: Lang) -> str:
    """What is wrong with one field, to be shown beside it."""
    text = say(lang, fault.problem)
    return (
        f"{text}（{say(lang, fault.mend)}）"
        if fault.mend and lang is Lang.ZH
        else (f"{text} ({fault.mend})" if fault.mend else text)
    )
