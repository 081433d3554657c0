"""Duty: everybody of the centre sees who is on duty, supervisors load months, and who does the work takes a shift."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from dialer.core.access import Role
from dialer.core.rota import DutyLeave, LeaveReason
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.duty.store import leaves_to_come, store_leave
from tests.console.desk import ConsoleDesk
from tests.console.row import AT_WORK, Row


def _roster(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    if unit_id is None:
        with desk.app.services.store.begin() as tx:
            unit_id = add_unit(tx, name=f"unit{len(desk.rows(t.unit))}", parent_id=None)
    return {"unit_id": unit_id, "kind": "officer"}


def _leave(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """Of a person of this unit, to come."""
    now, day = desk.clock.now(), timedelta(days=1)
    member = desk.account(Role.OFFICER, login=f"away{len(desk.rows(t.staff))}", unit_id=unit_id)
    leave = DutyLeave(staff_id=member.id, start=now + day, end=now + 2 * day)
    with desk.app.services.store.begin() as tx:
        store_leave(tx, leave, LeaveReason.ANNUAL, by="test", now=now)
        found = leaves_to_come(tx, now=now, visible_to=None)
    return {"leave_id": next(one.id for one in found if one.staff_id == member.id)}


ROWS = (
    Row("GET", "/duty", AT_WORK),
    Row("POST", "/duty/load", frozenset({Role.SUPERVISOR}), refused=422),
    Row("POST", "/duty/take", AT_WORK, form={"unit": "1", "kind": "none"}, refused=422),
    Row("GET", "/duty/{unit_id}/{kind}", AT_WORK, _roster, by_unit=True),
    Row("GET", "/duty/{unit_id}/{kind}/file", AT_WORK, _roster, by_unit=True),
    Row("GET", "/duty/{unit_id}/{kind}/calendar", AT_WORK, _roster, by_unit=True),
    Row(
        "POST",
        "/duty/{unit_id}/{kind}/rotation",
        frozenset({Role.SUPERVISOR}),
        _roster,
        by_unit=True,
        refused=422,
    ),
    Row("GET", "/duty/leave", frozenset({Role.SUPERVISOR})),
    Row("GET", "/duty/online", frozenset({Role.SUPERVISOR})),
    Row("POST", "/duty/leave", frozenset({Role.SUPERVISOR}), refused=422),
    Row("POST", "/duty/leave/{leave_id}/end", frozenset({Role.SUPERVISOR}), _leave, by_unit=True),
    Row("POST", "/duty/swaps/{swap_id}", AT_WORK, lambda _desk, _unit: {"swap_id": 1}, refused=422),
    Row("POST", "/duty/{unit_id}/{kind}/swaps", AT_WORK, _roster, by_unit=True, refused=422),
)
