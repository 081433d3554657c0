"""Who may do what in the console, one table, role by act; and the names that sign what is done.

Whose rows somebody sees is decided by his unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dialer.errors import Invalid

ROBOT: Final = "robot"
"""Signs what no person did."""
DESK: Final = "duty desk"
"""Signs for the assignment of a call that was handed over."""
SHIPPED_BY: Final = "shipped"
"""Drafted the scripts that come with the product."""
RELEASED_BY: Final = "release"
"""Approved the scripts that come with the product."""
FIRST_LINK: Final = "first-link"
"""Made the first administrator's account."""
RESERVED_NAMES: Final = frozenset({ROBOT, DESK, SHIPPED_BY, RELEASED_BY, FIRST_LINK})
LONGEST_NAME: Final = 100


class Role(StrEnum):
    """What a member of staff is here for. One each: two jobs are two accounts, so that the audit says which it was."""

    CLERK = "clerk"
    CALLER = "caller"
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Act(StrEnum):
    """What a page, or one thing done on it, demands."""

    OWN_ACCOUNT = "own_account"
    """One's own password, language and sign-out."""
    SEE_WALL = "see_wall"
    SEE_CASES = "see_cases"
    """Masked, as everybody sees them."""
    REVEAL = "reveal"
    """A person in clear, with a reason, in the audit."""
    WORK_CASES = "work_cases"
    """Ring now, raise, hand over, note, close."""
    LOWER_CASES = "lower_cases"
    """A grade falls only by a person with a reason."""
    WORK_DESK = "work_desk"
    WORK_VISITS = "work_visits"
    SEE_UNITS = "see_units"
    """The organisation with what waits in it."""
    SORT_UNITS = "sort_units"
    """Warnings whose unit was not found, and who takes what is transferred."""
    LOAD_LISTS = "load_lists"
    SEE_RATES = "see_rates"
    EXPORT = "export"
    """Records leave as a file; always audited."""
    APPROVE = "approve"
    """The second person for loads, money, scripts and policies."""
    CONTROL = "control"
    """Pause, resume, pacing, windows."""
    SEE_CONTROL = "see_control"
    SEE_SCRIPTS = "see_scripts"
    EDIT_SCRIPTS = "edit_scripts"
    SEE_AUDIT = "see_audit"
    MANAGE_STAFF = "manage_staff"
    MANAGE_UNITS = "manage_units"


_EVERYBODY = frozenset({Act.OWN_ACCOUNT, Act.SEE_WALL})

PERMISSIONS: Mapping[Role, frozenset[Act]] = {
    Role.CLERK: _EVERYBODY | {Act.SEE_CASES, Act.LOAD_LISTS, Act.SEE_UNITS, Act.SORT_UNITS, Act.SEE_CONTROL},
    Role.CALLER: _EVERYBODY | {Act.SEE_CASES, Act.REVEAL, Act.WORK_CASES, Act.WORK_DESK, Act.SEE_SCRIPTS},
    Role.OFFICER: _EVERYBODY | {Act.SEE_CASES, Act.REVEAL, Act.WORK_CASES, Act.WORK_VISITS, Act.SEE_UNITS},
    Role.SUPERVISOR: _EVERYBODY
    | {
        Act.SEE_CASES,
        Act.REVEAL,
        Act.WORK_CASES,
        Act.LOWER_CASES,
        Act.WORK_DESK,
        Act.WORK_VISITS,
        Act.SEE_UNITS,
        Act.SORT_UNITS,
        Act.LOAD_LISTS,
        Act.SEE_RATES,
        Act.EXPORT,
        Act.APPROVE,
        Act.CONTROL,
        Act.SEE_CONTROL,
        Act.SEE_SCRIPTS,
        Act.EDIT_SCRIPTS,
    },
    # Keeps the machine and the accounts, and meets nobody's name: who can give himself every right sees no person.
    Role.ADMINISTRATOR: _EVERYBODY
    | {
        Act.SEE_CASES,
        Act.SEE_RATES,
        Act.CONTROL,
        Act.SEE_CONTROL,
        Act.SEE_SCRIPTS,
        Act.MANAGE_STAFF,
        Act.SEE_UNITS,
        Act.MANAGE_UNITS,
    },
    # Looks at everything and changes nothing.
    Role.AUDITOR: _EVERYBODY
    | {
        Act.SEE_CASES,
        Act.SEE_UNITS,
        Act.SEE_RATES,
        Act.SEE_CONTROL,
        Act.SEE_SCRIPTS,
        Act.SEE_AUDIT,
        Act.EXPORT,
    },
}


def may(role: Role, act: Act) -> bool:
    return act in PERMISSIONS[role]


def actor_name(by: str) -> str:
    """The name that signs what a person does, without outer space. Raises `Invalid` when it is empty, too long, or one
    that only the service signs with, in any case of its letters.
    """
    name = said("by", by, mend="who does this")
    if len(name) > LONGEST_NAME:
        raise Invalid(field="by", problem=f"is longer than {LONGEST_NAME} characters")
    if name.casefold() in RESERVED_NAMES:
        raise Invalid(field="by", problem="is a name that only the service signs with")
    return name


def said(field: str, text: str, *, mend: str = "say it in a few words") -> str:
    """What somebody had to say, without outer space. Raises `Invalid` when it is empty."""
    words = text.strip()
    if not words:
        raise Invalid(field=field, problem="is empty", mend=mend)
    return words
