"""Lists: who loads them, each those of his own unit and below; a draft is its owner's alone."""

from __future__ import annotations

import io
from collections.abc import Mapping

import sqlalchemy as sa

from dialer.core.access import Role
from dialer.core.values import LoadState
from dialer.db import tables as t
from dialer.warnings.list_store import create_load
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_WHO = frozenset({Role.CLERK, Role.SUPERVISOR})
_CHIEF = frozenset({Role.SUPERVISOR})
_SEEN = {"reason": "correct", "why": "mends the rows"}


def _load(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A waiting list of this unit."""
    with desk.app.services.store.begin() as tx:
        content = io.BytesIO(b"phone,name\n13800138000,x\n")
        now = desk.clock.now()
        made = create_load(
            tx, filename="a.csv", source="", content=content, by="somebody", now=now, unit_id=unit_id
        )
    return {"load_id": made}


def _held(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """One that waits for a second person."""
    made = _load(desk, unit_id)
    with desk.app.services.store.begin() as tx:
        tx.execute(
            sa.update(t.list_load)
            .where(t.list_load.c.id == made["load_id"])
            .values(state=LoadState.HELD.value, needs_approval=True)
        )
    return made


def _draft(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    """One that nobody has: to others it is a 404, whoever they are."""
    return {"draft_id": 1_000_000}


ROWS = (
    Row("GET", "/lists", _WHO),
    Row("POST", "/lists", _WHO, refused=422),
    Row("GET", "/lists/drafts/{draft_id}", _WHO, _draft, refused=404),
    Row("GET", "/lists/drafts/{draft_id}/count", _WHO, _draft, refused=404),
    Row("GET", "/lists/drafts/{draft_id}/rejects", _WHO, _draft, refused=404),
    Row("POST", "/lists/drafts/{draft_id}/rejects", _CHIEF, _draft, refused=404, form=_SEEN),
    Row("POST", "/lists/drafts/{draft_id}/rejects/own", _WHO, _draft, refused=404),
    Row("POST", "/lists/drafts/{draft_id}/columns", _WHO, _draft, refused=404),
    Row("POST", "/lists/drafts/{draft_id}/columns/forget", _WHO, _draft, refused=404),
    Row("POST", "/lists/drafts/{draft_id}/amounts", _WHO, _draft, refused=404),
    Row("POST", "/lists/drafts/{draft_id}/load", _WHO, _draft, refused=404),
    Row("POST", "/lists/drafts/{draft_id}/forget", _WHO, _draft, refused=404),
    Row("GET", "/lists/{load_id}", _WHO, _load, by_unit=True),
    Row("GET", "/lists/{load_id}/came", _WHO, _load, by_unit=True),
    Row("GET", "/lists/{load_id}/look", _WHO, _held, by_unit=True),
    Row("GET", "/lists/{load_id}/rejected", _WHO, _load, by_unit=True),
    Row("GET", "/lists/{load_id}/rejects", _WHO, _load, by_unit=True),
    Row("POST", "/lists/{load_id}/rejects", _CHIEF, _load, by_unit=True, form=_SEEN),
    Row("POST", "/lists/{load_id}/rejects/own", _WHO, _load, by_unit=True, refused=404),
    Row("GET", "/lists/{load_id}/correct", _WHO, _load, by_unit=True, refused=404),
    Row("POST", "/lists/{load_id}/correct", _WHO, _load, by_unit=True, refused=404),
    Row("POST", "/lists/{load_id}/approve", _CHIEF, _load, by_unit=True),
    Row(
        "POST",
        "/lists/{load_id}/pause",
        _WHO,
        _load,
        by_unit=True,
        form={"minutes": "30", "why": "a wrong list"},
    ),
    Row("POST", "/lists/{load_id}/resume", _WHO, _load, by_unit=True),
    Row("POST", "/lists/{load_id}/withdraw", _WHO, _load, by_unit=True, form={"why": "a wrong list"}),
)
