"""Unit records: who may look at them, and who may take them away as a file."""

from __future__ import annotations

from dialer.core.access import Role
from tests.console.row import Row

_LOOK = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR})

ROWS = (
    Row("GET", "/records", _LOOK),
    Row(
        "GET",
        "/records/file/{kind}",
        _LOOK - {Role.ADMINISTRATOR},
        target=lambda _desk, _unit: {"kind": "csv"},
    ),
)
