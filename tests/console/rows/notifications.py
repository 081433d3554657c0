"""Notifications: everybody of the centre has rules of their own, and pages that are open listen."""

from __future__ import annotations

from tests.console.row import CENTRE, Row

ROWS = (
    Row("GET", "/notifications", CENTRE),
    Row("POST", "/notifications", CENTRE, form={"sms": "x"}, refused=422),
    Row("POST", "/notifications/test", CENTRE),
    Row("GET", "/notifications/live", CENTRE),
)
