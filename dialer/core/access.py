"""Who may do what in the console, one table, role by act; and the names that sign what is done.

Whose rows somebody sees is decided by his unit.

How long a signed-in session holds, and how many failures lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dialer.core.errors import Invalid
from dialer.language import Text

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


class Permission(StrEnum):
    """What a page, or one thing done on it, demands."""

    OWN_ACCOUNT = "own_account"
    """One's own password, language and sign-out."""
    SEE_BOARD = "see_wall"
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


_EVERYBODY = frozenset({Permission.OWN_ACCOUNT, Permission.SEE_BOARD})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.CLERK: _EVERYBODY
    | {
        Permission.SEE_CASES,
        Permission.LOAD_LISTS,
        Permission.SEE_UNITS,
        Permission.SORT_UNITS,
        Permission.SEE_CONTROL,
    },
    Role.CALLER: _EVERYBODY
    | {
        Permission.SEE_CASES,
        Permission.REVEAL,
        Permission.WORK_CASES,
        Permission.WORK_DESK,
        Permission.SEE_SCRIPTS,
    },
    Role.OFFICER: _EVERYBODY
    | {
        Permission.SEE_CASES,
        Permission.REVEAL,
        Permission.WORK_CASES,
        Permission.WORK_VISITS,
        Permission.SEE_UNITS,
    },
    Role.SUPERVISOR: _EVERYBODY
    | {
        Permission.SEE_CASES,
        Permission.REVEAL,
        Permission.WORK_CASES,
        Permission.LOWER_CASES,
        Permission.WORK_DESK,
        Permission.WORK_VISITS,
        Permission.SEE_UNITS,
        Permission.SORT_UNITS,
        Permission.LOAD_LISTS,
        Permission.SEE_RATES,
        Permission.EXPORT,
        Permission.APPROVE,
        Permission.CONTROL,
        Permission.SEE_CONTROL,
        Permission.SEE_SCRIPTS,
        Permission.EDIT_SCRIPTS,
    },
    # Keeps the machine and the accounts, and meets nobody's name: who can give himself every right sees no person.
    Role.ADMINISTRATOR: _EVERYBODY
    | {
        Permission.SEE_CASES,
        Permission.SEE_RATES,
        Permission.CONTROL,
        Permission.SEE_CONTROL,
        Permission.SEE_SCRIPTS,
        Permission.MANAGE_STAFF,
        Permission.SEE_UNITS,
        Permission.MANAGE_UNITS,
    },
    # Looks at everything and changes nothing.
    Role.AUDITOR: _EVERYBODY
    | {
        Permission.SEE_CASES,
        Permission.SEE_UNITS,
        Permission.SEE_RATES,
        Permission.SEE_CONTROL,
        Permission.SEE_SCRIPTS,
        Permission.SEE_AUDIT,
        Permission.EXPORT,
    },
}


def may(role: Role, act: Permission) -> bool:
    return act in PERMISSIONS[role]


def actor_name(by: str) -> str:
    """The name that signs what a person does, without outer space. Raises `Invalid` when it is empty, too long, or one
    that only the service signs with, in any case of its letters.
    """
    name = said("by", by, mend="who does this")
    if len(name) > LONGEST_NAME:
        raise Invalid(field="by", problem=Text("is longer than %(most)s characters", most=LONGEST_NAME))
    if name.casefold() in RESERVED_NAMES:
        raise Invalid(field="by", problem="is a name that only the service signs with")
    return name


def said(field: str, text: str, *, mend: str = "say it in a few words") -> str:
    """What somebody had to say, without outer space. Raises `Invalid` when it is empty."""
    words = text.strip()
    if not words:
        raise Invalid(field=field, problem="is empty", mend=mend)
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """In seconds of the machine."""

    idle_seconds: float = 1800.0
    """A session that is not used for so long has ended."""
    session_seconds: float = 43_200.0
    failures: int = 5
    """Failed sign-ins that lock a login."""
    lock_seconds: float = 900.0
