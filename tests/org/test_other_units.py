"""Who manages accounts or sorts cases in one county changes nothing of another one, nor of the whole centre."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa

from dialer.core.access import Actor, Role, StaffChangeKind, rights_of, unrestricted
from dialer.core.errors import Conflict, NotFound, NotPermitted
from dialer.db import tables as t
from dialer.org.account_changes import (
    ask_change,
    ask_new_account,
    ask_reset_or_enable,
    change_alone,
    confirm_change,
    list_changes,
    refuse_change,
    withdraw_change,
)
from dialer.org.accounts import (
    add_staff,
    change_staff,
    disable_staff,
    enable_staff,
    end_sessions,
    get_account,
)
from dialer.org.unassigned import (
    assign_cases,
    assign_unit,
    forget_alias,
    show_group,
    show_unassigned,
    teach_alias,
)
from tests.work.bureau import Bureau

CHIEF = unrestricted("chief")


@pytest.fixture
def chen(bureau: Bureau) -> Actor:
    """Somebody of 五原分局 with every right there; li, admin and guard have accounts."""
    add = partial(add_staff, bureau.services, CHIEF, display_name="x", language="zh")
    add(login="li", role=Role.CALLER, unit_id=bureau.unit["临河分局"])
    add(login="wang", role=Role.CALLER, unit_id=bureau.unit["五原分局"])
    add(login="admin", role=Role.ADMINISTRATOR, unit_id=None)
    add(login="guard", role=Role.SECURITY_ADMINISTRATOR, unit_id=None)
    return unrestricted("chen", unit_id=bureau.unit["五原分局"])


def refused(bureau: Bureau, *acts: Callable[[], object]) -> None:
    """Each raises `NotFound`, and nothing is changed or recorded."""
    before = bureau.rows(sa.select(t.staff).order_by(t.staff.c.id)), bureau.audited()
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert (bureau.rows(sa.select(t.staff).order_by(t.staff.c.id)), bureau.audited()) == before


def test_an_account_of_another_county_is_not_found(bureau: Bureau, chen: Actor):
    services, theirs, own = bureau.services, bureau.unit["临河分局"], bureau.unit["五原分局"]
    with bureau.tx() as tx:
        li, wang = get_account(tx, "li"), get_account(tx, "wang")
    new = {"display_name": "x", "role": Role.CALLER}
    refused(
        bureau,
        lambda: change_staff(services, chen, "li", **new, unit_id=own, revision=li.revision),
        lambda: change_staff(services, chen, "wang", **new, unit_id=theirs, revision=wang.revision),
        lambda: ask_change(services, chen, "li", **new, unit_id=own, revision=li.revision, why="x"),
        lambda: ask_change(services, chen, "wang", **new, unit_id=theirs, revision=wang.revision, why="x"),
        lambda: ask_change(services, chen, "wang", **new, unit_id=None, revision=wang.revision, why="x"),
        *(
            partial(ask_reset_or_enable, services, chen, kind, "li", why="x")
            for kind in (StaffChangeKind.ENABLE, StaffChangeKind.RESET_PASSWORD)
        ),
        *(partial(act, services, chen, "li") for act in (disable_staff, enable_staff, end_sessions)),
        *(
            partial(change_alone, services, chen, kind, "li", why="x")
            for kind in (
                StaffChangeKind.ENABLE,
                StaffChangeKind.RESET_PASSWORD,
                StaffChangeKind.RESET_FACTORS,
            )
        ),
        *(
            partial(add, services, chen, login="new", **new, language="zh", unit_id=unit, **more)
            for add, more in ((add_staff, {}), (ask_new_account, {"why": "x"}))
            for unit in (theirs, None)
        ),
    )
    with pytest.raises(Conflict, match="can confirm this"):
        change_alone(services, chen, StaffChangeKind.RESET_FACTORS, "wang", why="x")


def test_a_change_that_waits_is_decided_by_who_sees_both_its_units(bureau: Bureau, chen: Actor):
    services = bureau.services
    with bureau.tx() as tx:
        revision = get_account(tx, "wang").revision
    assert not ask_change(
        services, unrestricted("admin"), "wang", display_name="x", role=Role.CALLER,
        unit_id=bureau.unit["临河分局"], revision=revision, why="调动",
    )  # fmt: skip
    [waiting] = list_changes(services, visible_to=None)
    decide = [partial(act, services) for act in (confirm_change, refuse_change, withdraw_change)]
    of_both = (bureau.unit["五原分局"], bureau.unit["临河分局"])
    for unit_id in of_both:
        assert list_changes(services, visible_to=unit_id) == []
        somebody = unrestricted("su", unit_id=unit_id)
        refused(bureau, *(partial(act, somebody, waiting.change.id) for act in decide))
    refuse_change(services, unrestricted("guard", unit_id=bureau.unit["市局"]), waiting.change.id)
    assert list_changes(services, visible_to=None) == []


@pytest.mark.parametrize("values", [{"role": Role.CLERK.value}, {"disabled_at": sa.func.now()}])
def test_what_somebody_asked_for_who_may_not_any_more_is_not_done(
    bureau: Bureau, chen: Actor, values: dict[str, object]
):
    services = bureau.services
    add_staff(
        services, CHIEF, login="asker", display_name="x", language="zh", role=Role.ADMINISTRATOR, unit_id=None
    )
    ask_reset_or_enable(services, unrestricted("asker"), StaffChangeKind.RESET_PASSWORD, "li", why="忘记")
    [waiting] = list_changes(services, visible_to=None)
    bureau.do(sa.update(t.staff).where(t.staff.c.login == "asker").values(values))
    with pytest.raises(Conflict, match="may no longer manage accounts"):
        confirm_change(services, unrestricted("guard"), waiting.change.id)
    assert [change.change.id for change in list_changes(services, visible_to=None)] == [waiting.change.id]


def test_sessions_of_others_are_ended_by_who_manages_accounts(bureau: Bureau, chen: Actor):
    caller = Actor(name="li", rights=rights_of(Role.CALLER))
    with pytest.raises(NotPermitted):
        end_sessions(bureau.services, caller, "wang")
    assert end_sessions(bureau.services, caller, "LI") == 0
    assert end_sessions(bureau.services, chen, "wang") == 0


def test_cases_without_a_unit_belong_to_the_centre(bureau: Bureau, chen: Actor):
    services, unit_id = bureau.services, bureau.unit["五原分局"]
    teach_alias(services, CHIEF, "五原县公安局", unit_id=unit_id)
    [case_id] = bureau.arrive("某某局")
    refused(
        bureau,
        lambda: assign_unit(services, chen, case_id, unit_id=unit_id),
        lambda: assign_cases(services, chen, [case_id], unit_id=unit_id),
        lambda: teach_alias(services, chen, "某某局", unit_id=unit_id),
        lambda: forget_alias(services, chen, "五原县公安局"),
        lambda: show_group(services, case_id, visible_to=unit_id),
    )
    assert [len(show_unassigned(services, visible_to=seen).groups) for seen in (unit_id, None)] == [0, 1]
    assert bureau.units_of([case_id]) == [None]
    bureau.do(sa.update(t.case).where(t.case.c.id == case_id).values(status="closed", due_at=None))
    with pytest.raises(Conflict, match="does not wait"):
        assign_unit(services, CHIEF, case_id, unit_id=unit_id)
