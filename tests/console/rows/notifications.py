"""Notifications: everybody of the centre has rules of their own, and pages that are open listen."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from tests.console.desk import ConsoleDesk
from tests.console.row import AT_WORK, Row


def _nobodys(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"browser_id": UUID(int=1)}


ROWS = (
    Row("GET", "/notifications", AT_WORK),
    Row("POST", "/notifications", AT_WORK, form={"sms": "x"}, refused=422),
    Row("POST", "/notifications/test", AT_WORK),
    Row("GET", "/notifications/live", AT_WORK),
    Row(
        "POST",
        "/notifications/browsers",
        AT_WORK,
        form={"endpoint": "https://elsewhere.example/x"},
        refused=422,
    ),
    Row("POST", "/notifications/browsers/{browser_id}/remove", AT_WORK, target=_nobodys, refused=404),
)
