"""Presence: whoever calls or visits people sets their own; supervisors see every desk, and end it."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.core.presence import PresenceEvent
from dialer.db import tables as t
from dialer.duty.presence import say_presence
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

WORKERS = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})
SUPERVISOR = frozenset({Role.SUPERVISOR})


def _desk(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A caller of this unit who is free."""
    member = desk.account(Role.CALLER, login=f"free{len(desk.rows(t.staff))}", unit_id=unit_id)
    say_presence(desk.app.services, member.actor, PresenceEvent.FREE)
    return {"staff_id": member.id}


ROWS = (
    Row("POST", "/presence", WORKERS, form={"state": "free"}),
    Row("POST", "/presence/beat", WORKERS),
    Row("GET", "/desks", SUPERVISOR),
    Row("GET", "/desks/live", SUPERVISOR),
    Row("GET", "/desks/{staff_id}", SUPERVISOR, _desk, by_unit=True),
    Row(
        "POST",
        "/desks/{staff_id}/break",
        SUPERVISOR,
        _desk,
        by_unit=True,
        form={"reason": "rest", "why": "tired"},
    ),
    Row("GET", "/desks/{staff_id}/ear", SUPERVISOR, _desk, by_unit=True),
    *(
        Row("POST", f"/desks/{{staff_id}}/{act}", SUPERVISOR, _desk, by_unit=True)
        for act in ("listen", "listen/mode", "listen/stop")
    ),
    Row("POST", "/desks/{staff_id}/sign-out", SUPERVISOR, _desk, by_unit=True, form={"why": "gone"}),
)
