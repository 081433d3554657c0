"""Refusals of the use cases, as the person at the page reads them."""

from __future__ import annotations

from dialer.errors import Invalid, Refusal
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
    mark("a pause names who placed it and why"),
)
"""What is said without anything of the case in it, and so has a translation."""


def told(fault: Refusal, lang: Lang) -> str:
    """The refusal in one sentence; one that carries facts of its own stays as it is written."""
    if isinstance(fault, Invalid):
        return problem(fault, lang)
    return say(lang, str(fault))


def problem(fault: Invalid, lang: Lang) -> str:
    """What is wrong with one field, to be shown beside it."""
    text = say(lang, fault.problem)
    return (
        f"{text}（{say(lang, fault.mend)}）"
        if fault.mend and lang is Lang.ZH
        else (f"{text} ({fault.mend})" if fault.mend else text)
    )
