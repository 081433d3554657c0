"""The table role by act, and what it must never allow."""

from __future__ import annotations

import pytest

from dialer.core.access import PERMISSIONS, Permission, Role, may

CHANGES = {
    Permission.WORK_CASES,
    Permission.LOWER_CASES,
    Permission.WORK_DESK,
    Permission.WORK_VISITS,
    Permission.SORT_UNITS,
    Permission.LOAD_LISTS,
    Permission.APPROVE,
    Permission.CONTROL,
    Permission.EDIT_SCRIPTS,
    Permission.MANAGE_STAFF,
    Permission.MANAGE_UNITS,
}


def test_every_role_has_its_line():
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("act", Permission)
def test_every_act_is_somebodys(act: Permission):
    assert any(may(role, act) for role in Role)


def test_the_auditor_changes_nothing_and_alone_reads_the_audit():
    assert not PERMISSIONS[Role.AUDITOR] & CHANGES
    assert [role for role in Role if may(role, Permission.SEE_AUDIT)] == [Role.AUDITOR]


def test_who_makes_accounts_sees_nobodys_name():
    assert [role for role in Role if may(role, Permission.MANAGE_STAFF)] == [Role.ADMINISTRATOR]
    assert not may(Role.ADMINISTRATOR, Permission.REVEAL)
    assert not may(Role.ADMINISTRATOR, Permission.EXPORT)


def test_only_a_supervisor_lowers_a_grade_or_is_the_second_person():
    for act in (Permission.LOWER_CASES, Permission.APPROVE):
        assert [role for role in Role if may(role, act)] == [Role.SUPERVISOR]


def test_who_loads_lists_alone_sees_nobody_in_clear():
    assert not may(Role.CLERK, Permission.REVEAL)
    assert not may(Role.CLERK, Permission.EXPORT)


@pytest.mark.parametrize("role", Role)
def test_everybody_has_an_account_and_sees_the_wall(role: Role):
    assert may(role, Permission.OWN_ACCOUNT)
    assert may(role, Permission.SEE_BOARD)
