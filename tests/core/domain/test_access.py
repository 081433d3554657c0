"""The table role by act, and what it must never allow."""

from __future__ import annotations

import pytest

from dialer.domain.access import PERMISSIONS, Act, Role, may

CHANGES = {
    Act.WORK_CASES,
    Act.LOWER_CASES,
    Act.WORK_DESK,
    Act.WORK_VISITS,
    Act.SORT_UNITS,
    Act.LOAD_LISTS,
    Act.APPROVE,
    Act.CONTROL,
    Act.EDIT_SCRIPTS,
    Act.MANAGE_STAFF,
    Act.MANAGE_UNITS,
}


def test_every_role_has_its_line():
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("act", Act)
def test_every_act_is_somebodys(act: Act):
    assert any(may(role, act) for role in Role)


def test_the_auditor_changes_nothing_and_alone_reads_the_audit():
    assert not PERMISSIONS[Role.AUDITOR] & CHANGES
    assert [role for role in Role if may(role, Act.SEE_AUDIT)] == [Role.AUDITOR]


def test_who_makes_accounts_sees_nobodys_name():
    assert [role for role in Role if may(role, Act.MANAGE_STAFF)] == [Role.ADMINISTRATOR]
    assert not may(Role.ADMINISTRATOR, Act.REVEAL)
    assert not may(Role.ADMINISTRATOR, Act.EXPORT)


def test_only_a_supervisor_lowers_a_grade_or_is_the_second_person():
    for act in (Act.LOWER_CASES, Act.APPROVE):
        assert [role for role in Role if may(role, act)] == [Role.SUPERVISOR]


def test_who_loads_lists_alone_sees_nobody_in_clear():
    assert not may(Role.CLERK, Act.REVEAL)
    assert not may(Role.CLERK, Act.EXPORT)


@pytest.mark.parametrize("role", Role)
def test_everybody_has_an_account_and_sees_the_wall(role: Role):
    assert may(role, Act.OWN_ACCOUNT)
    assert may(role, Act.SEE_WALL)
