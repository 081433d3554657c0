"""Success rates: who may look at them, and who may take them away as a file."""

from __future__ import annotations

from dialer.core.access import Role
from tests.console.row import Row

_LOOK = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR})

ROWS = (
    Row("GET", "/rates", _LOOK),
    Row("GET", "/rates/cases", _LOOK, refused=422),
    Row("GET", "/rates/callers", _LOOK),
    Row("POST", "/rates/saved", _LOOK, form={"name": "own", "query": "by=grade"}),
    Row("POST", "/rates/saved/{filter_id}/delete", _LOOK, target=lambda _desk, _unit: {"filter_id": 987_654}),
    Row(
        "GET", "/rates/file/{kind}", _LOOK - {Role.ADMINISTRATOR}, target=lambda _desk, _unit: {"kind": "csv"}
    ),
)
