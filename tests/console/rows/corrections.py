"""Orders to correct: who may look at them, and who may issue one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from dialer.core.access import SERVICE, Role
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.oversight.corrections import OrderDraft, issue_order
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_LOOK = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR})
_ORDER = frozenset({Role.SUPERVISOR})


def _order(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    if unit_id is None:
        with desk.app.services.store.begin() as tx:
            unit_id = add_unit(tx, name=f"unit{len(desk.rows(t.unit))}", parent_id=None)
    deadline = (desk.clock.now() + timedelta(days=2)).isoformat()
    draft = OrderDraft(unit_id=unit_id, text="签收逾期", deadline=deadline)
    return {"order_id": issue_order(desk.app.services, SERVICE, draft)}


ROWS = (
    Row("GET", "/corrections", _LOOK),
    Row("GET", "/corrections/new", _ORDER),
    Row("POST", "/corrections/new", _ORDER, refused=422),
    Row("GET", "/corrections/{order_id}", _LOOK, _order, by_unit=True),
    Row("POST", "/corrections/{order_id}", _LOOK, _order, by_unit=True, refused=422),
)
