"""Cases: who may look for them."""

from __future__ import annotations

from dialer.core.access import Role
from tests.console.row import CENTRE, Row

_WORKERS = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})
ROWS = (
    Row("GET", "/cases", CENTRE),
    Row("GET", "/cases/file", frozenset({Role.SUPERVISOR, Role.AUDITOR})),
    Row("POST", "/cases/bulk", _WORKERS, refused=422),
    Row("POST", "/cases/saved", CENTRE, form={"name": "own", "query": "sort=money"}),
    Row(
        "POST", "/cases/saved/{filter_id}/delete", CENTRE, target=lambda _desk, _unit: {"filter_id": 987_654}
    ),
    Row("POST", "/cases/find", CENTRE, form={"text": "1234"}),
)
