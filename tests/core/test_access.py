"""The table of roles and permissions, and what it must never allow."""

from __future__ import annotations

import pytest

from dialer.core.access import (
    LONGEST_NAME,
    RESERVED_NAMES,
    ROLES,
    Permission,
    RevealRules,
    Role,
    SessionRules,
    actor_name,
    is_same_actor,
    may,
    needs_second_person,
    required_text,
)
from dialer.core.errors import Invalid
from dialer.runtime.sections import ConsoleSettings

CHANGES = {
    Permission.WORK_CASES,
    Permission.LOWER_CASES,
    Permission.WORK_DESK,
    Permission.WORK_VISITS,
    Permission.SORT_UNITS,
    Permission.LOAD_LISTS,
    Permission.APPROVE,
    Permission.CONTROL,
    Permission.ERASE_PERSONS,
    Permission.DRAFT_RULES,
    Permission.EDIT_SCRIPTS,
    Permission.MANAGE_STAFF,
    Permission.MANAGE_UNITS,
    Permission.CONFIRM_STAFF_CHANGES,
}


def test_every_permission_has_roles():
    assert set(ROLES) == set(Permission)
    assert all(ROLES.values())


def test_the_auditor_needs_no_record_and_alone_reads_the_audit():
    assert not any(may(Role.AUDITOR, act) for act in CHANGES)
    assert [role for role in Role if may(role, Permission.SEE_AUDIT)] == [Role.AUDITOR]


def test_the_administrator_sees_no_name():
    assert [role for role in Role if may(role, Permission.MANAGE_STAFF)] == [Role.ADMINISTRATOR]
    assert not may(Role.ADMINISTRATOR, Permission.REVEAL)
    assert not may(Role.ADMINISTRATOR, Permission.EXPORT)


def test_a_security_administrator_has_to_do_with_accounts_alone():
    held = {act for act in Permission if may(Role.SECURITY_ADMINISTRATOR, act)}
    assert held == {
        Permission.OWN_ACCOUNT,
        Permission.SEE_BOARD,
        Permission.SEE_STAFF_CHANGES,
        Permission.CONFIRM_STAFF_CHANGES,
        Permission.SEE_APPROVALS,
    }
    assert not may(Role.ADMINISTRATOR, Permission.CONFIRM_STAFF_CHANGES)
    assert {role for role in Role if not needs_second_person(role)} == {Role.CLERK, Role.ANALYST, Role.TELLER}


def test_an_analyst_looks_at_the_robot_and_drafts_its_rules_and_nothing_else():
    assert {act for act in Permission if may(Role.ANALYST, act)} == {
        Permission.OWN_ACCOUNT,
        Permission.SEE_BOARD,
        Permission.SEE_CASES,
        Permission.SEE_CONTROL,
        Permission.DRAFT_RULES,
    }


def test_only_a_supervisor_lowers_a_grade_or_is_the_second_person():
    for act in (Permission.LOWER_CASES, Permission.APPROVE):
        assert [role for role in Role if may(role, act)] == [Role.SUPERVISOR]


def test_a_clerk_sees_no_person_in_clear():
    assert not may(Role.CLERK, Permission.REVEAL)
    assert not may(Role.CLERK, Permission.EXPORT)


@pytest.mark.parametrize("role", Role)
def test_everybody_has_an_account_and_all_but_tellers_see_the_live_board(role: Role):
    assert may(role, Permission.OWN_ACCOUNT)
    assert may(role, Permission.SEE_BOARD) is (role is not Role.TELLER)


def test_the_names_that_sign_for_the_service_stay_as_rows_have_them_and_are_nobodys_else():
    assert {"robot", "duty desk", "shipped", "release", "first-link"} == RESERVED_NAMES


@pytest.mark.parametrize(
    ("name", "problem", "fix"),
    [
        (" ", "is empty", "who does this"),
        ("x" * (LONGEST_NAME + 1), "is longer than 100 characters", ""),
        ("Robot", "is a name that only the service signs with", ""),
    ],
)
def test_whoever_signs_has_a_name_of_their_own(name: str, problem: str, fix: str):
    with pytest.raises(Invalid) as refused:
        actor_name(name)
    assert (refused.value.field, str(refused.value)) == (
        "by",
        f"by: {problem}" + (f" ({fix})" if fix else ""),
    )
    longest = "王" * LONGEST_NAME
    assert actor_name(f" {longest}\n") == longest


def test_one_person_is_one_however_the_login_is_written():
    assert is_same_actor("Wang", "wANG")
    assert not is_same_actor("wang", "wan")


def test_what_must_be_said_is_said_in_a_few_words():
    assert required_text("why", " lost ") == "lost"
    with pytest.raises(Invalid, match=r"why: is empty \(say it in a few words\)") as refused:
        required_text("why", " \n")
    assert refused.value.field == "why"


def test_the_limits_are_those_of_the_settings_unless_they_are_set():
    assert ConsoleSettings().rules() == SessionRules()
    assert ConsoleSettings().reveal_rules() == RevealRules()
