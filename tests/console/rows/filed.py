"""Filed cases: who sees them, who loads a list, who decides."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_SEES = frozenset({Role.CLERK, Role.SUPERVISOR, Role.AUDITOR})
_LOADS = frozenset({Role.CLERK, Role.SUPERVISOR})
_DECIDES = frozenset({Role.SUPERVISOR})


def _nothing(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    return {"match_id": 987_654}


ROWS = (
    Row("GET", "/filed", _SEES),
    Row("POST", "/filed/certain", _DECIDES, form={"why": " "}, refused=422),
    Row("POST", "/filed", _LOADS, refused=422),
    Row(
        "POST",
        "/filed/matches/{match_id}/confirm",
        _DECIDES,
        target=_nothing,
        form={"why": "x"},
        refused=404,
    ),
    Row(
        "POST",
        "/filed/matches/{match_id}/reject",
        _DECIDES,
        target=_nothing,
        form={"why": "x"},
        refused=404,
    ),
    Row("POST", "/filed/matches/{match_id}/undo", _DECIDES, target=_nothing, form={"why": "x"}, refused=404),
)
