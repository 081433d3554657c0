"""Notifications: everybody of the centre has rules of their own, and pages that are open listen."""

from __future__ import annotations

from tests.console.row import AT_WORK, Row

ROWS = (
    Row("GET", "/notifications", AT_WORK),
    Row("POST", "/notifications", AT_WORK, form={"sms": "x"}, refused=422),
    Row("POST", "/notifications/test", AT_WORK),
    Row("GET", "/notifications/live", AT_WORK),
)
