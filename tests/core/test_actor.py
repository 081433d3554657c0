"""Actors and their rights; and that people act in one way in every module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialer.core.access import (
    FIRST_AT_TERMINAL,
    SERVICE,
    TERMINAL,
    Actor,
    Permission,
    Role,
    may,
    rights_of,
    unrestricted,
)
from dialer.core.errors import Invalid, NotPermitted
from dialer.core.text import Lang
from dialer.language.words import sentence

DIALER = Path(__file__).parents[2] / "dialer"


@pytest.mark.parametrize("role", Role)
def test_an_account_has_the_rights_of_its_role(role: Role):
    actor = Actor(name="li", rights=rights_of(role))
    assert {right for right in Permission if actor.may(right)} == {r for r in Permission if may(role, r)}


def test_one_of_several_rights_is_enough():
    clerk = Actor(name="li", rights=rights_of(Role.CLERK))
    clerk.check_may(Permission.CONTROL, Permission.LOAD_LISTS)
    clerk.check_may(Permission.LOAD_LISTS, Permission.CONTROL)
    with pytest.raises(NotPermitted):
        clerk.check_may(Permission.CONTROL)
    with pytest.raises(NotPermitted):
        clerk.check_may(Permission.CONTROL, Permission.ERASE_PERSONS)


def test_the_refusal_names_who_and_the_roles_that_may():
    with pytest.raises(NotPermitted) as refused:
        Actor(name="li", rights=rights_of(Role.TELLER)).check_may(Permission.CONTROL, Permission.LOAD_LISTS)
    english = "li may not do this; roles that may: clerk, supervisor, system administrator"
    assert sentence(refused.value.text, Lang.EN) == english
    assert (
        sentence(refused.value.text, Lang.ZH) == "li无权执行此操作；有权的角色：录入员，值班领导，系统管理员"
    )


def test_the_terminal_is_no_second_person():
    held = {right for right in Permission if TERMINAL.may(right)}
    assert Permission.CONTROL in held
    assert FIRST_AT_TERMINAL.rights - held == {Permission.MANAGE_STAFF}
    decides = {
        Permission.MANAGE_STAFF,
        Permission.APPROVE,
        Permission.CONFIRM_STAFF_CHANGES,
        Permission.ERASE_PERSONS,
    }
    assert held.isdisjoint(decides | {Permission.WORK_DESK, Permission.WORK_VISITS, Permission.REVEAL})


def test_the_service_has_every_right():
    assert SERVICE.rights == unrestricted("demo").rights == frozenset(Permission)


def test_nobody_else_has_a_name_of_the_service():
    with pytest.raises(Invalid):
        unrestricted("Robot")


def test_an_actor_knows_the_own_signatures():
    chen = Actor(name="chen", rights=frozenset())
    assert [chen.signed(name) for name in ("chen", "CHEN")] == [True, True]
    assert [chen.signed(name) for name in ("", "li", "che")] == [False, False, False]
    assert not TERMINAL.signed("")


_OWN_TRANSACTION = re.compile(r"\bwrite_audit\(")
BESIDE = {
    "calls/pacing.py": "the service opens and closes the breaker while it takes answers of the carrier",
    "calls/pauses.py": "the service notes that a pause is over when its last attempt is released",
    "db/acts.py": "the mechanism",
    "db/audit.py": "the mechanism",
    "staff/sign_in.py": "whoever signs in is no actor yet",
}
"""Where lines of the audit are written, with the reason."""
NOT_YET: frozenset[str] = frozenset(
    {
        "cases/reveals.py",
    }
)
"""Modules of which acts write their lines themselves. A module leaves the list and does not enter it."""


def test_people_act_in_one_way():
    found = {
        path.relative_to(DIALER).as_posix()
        for path in sorted(DIALER.rglob("*.py"))
        if _OWN_TRANSACTION.search(path.read_text(encoding="utf-8"))
    }
    assert found == BESIDE.keys() | NOT_YET
