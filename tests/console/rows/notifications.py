"""Notifications: everybody of the centre has rules of their own, and pages that are open listen."""

from __future__ import annotations

from tests.console.row import AT_WORK, Row

_NOBODYS = "00000000-0000-4000-8000-000000000000"

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
    Row("POST", f"/notifications/browsers/{_NOBODYS}/remove", AT_WORK, refused=404),
)
