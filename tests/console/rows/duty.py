"""Duty: everybody of the centre sees who is on duty, supervisors load months, and who does the work takes a shift."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.units import add_unit
from tests.console.desk import ConsoleDesk
from tests.console.row import CENTRE, Row


def _roster(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    if unit_id is None:
        with desk.app.services.store.begin() as tx:
            unit_id = add_unit(tx, name=f"unit{len(desk.rows(t.unit))}", parent_id=None)
    return {"unit_id": unit_id, "kind": "officer"}


ROWS = (
    Row("GET", "/duty", CENTRE),
    Row("POST", "/duty/load", frozenset({Role.SUPERVISOR}), refused=422),
    Row("POST", "/duty/take", CENTRE, form={"unit": "1", "kind": "none"}, refused=422),
    Row("GET", "/duty/{unit_id}/{kind}", CENTRE, _roster, by_unit=True),
    Row("GET", "/duty/{unit_id}/{kind}/file", CENTRE, _roster, by_unit=True),
)
