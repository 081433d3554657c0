"""The audit: auditors alone."""

from __future__ import annotations

from dialer.core.access import Role
from tests.console.row import Row

_WHO = frozenset({Role.AUDITOR})

ROWS = (
    Row("GET", "/audit", _WHO),
    Row("GET", "/audit/people", _WHO),
    Row("POST", "/audit/export", _WHO, form={"kind": "csv", "why": "yearly review"}),
)
