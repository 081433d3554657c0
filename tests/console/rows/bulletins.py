"""Bulletins: who reads them, who drafts and decides, and who takes them away as a file."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_READS = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR})
_DECIDES = frozenset({Role.SUPERVISOR})


def _nothing(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"bulletin_id": 987_654, "kind": "docx"}


ROWS = (
    Row("GET", "/bulletins", _READS),
    Row("POST", "/bulletins", _DECIDES, refused=422),
    Row("GET", "/bulletins/{bulletin_id}", _READS, target=_nothing, refused=404),
    Row(
        "GET",
        "/bulletins/{bulletin_id}/file/{kind}",
        _READS - {Role.ADMINISTRATOR},
        target=_nothing,
        refused=404,
    ),
    Row("POST", "/bulletins/{bulletin_id}/approve", _DECIDES, target=_nothing, refused=404),
    Row("POST", "/bulletins/{bulletin_id}/refuse", _DECIDES, target=_nothing, form={"why": "x"}, refused=404),
)
