"""Presence: whoever calls or visits people sets their own."""

from __future__ import annotations

from dialer.core.access import Role
from tests.console.row import Row

WORKERS = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})

ROWS = (
    Row("POST", "/presence", WORKERS, form={"state": "free"}),
    Row("POST", "/presence/beat", WORKERS),
)
