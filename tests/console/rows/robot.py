"""Warning robot: who may look at it, and who approves its rules."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.signals.versions import seed_rules
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.outcomes.town import MORNING

_LOOK = frozenset({Role.CLERK, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.ANALYST})


def _version(console: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    with console.app.services.store.begin() as tx:
        seed_rules(tx, now=MORNING)
    return {"number": 1}


ROWS = (
    Row("GET", "/robot", _LOOK),
    Row("GET", "/robot/verdicts", _LOOK),
    Row("GET", "/robot/signals", _LOOK),
    Row("GET", "/robot/rules", _LOOK, refused=404),
    Row("GET", "/robot/rule", _LOOK, refused=404),
    Row("GET", "/robot/versions/{number}", _LOOK, _version),
    Row("GET", "/robot/versions/{number}/files", _LOOK, _version),
    Row(
        "GET",
        "/robot/versions/{number}/week",
        frozenset({Role.SUPERVISOR, Role.ANALYST}),
        _version,
    ),
    Row("GET", "/robot/held", _LOOK),
    Row("GET", "/robot/held/{number}", _LOOK, lambda _desk, _unit: {"number": 1}, refused=404),
    Row("POST", "/robot/held/release", frozenset({Role.SUPERVISOR}), form={"why": ""}, refused=422),
    Row("POST", "/robot/held/drop", frozenset({Role.SUPERVISOR}), form={"why": ""}, refused=422),
    Row(
        "POST", "/robot/rule", frozenset({Role.SUPERVISOR, Role.ANALYST}), form={"version": "1"}, refused=404
    ),
    Row(
        "POST",
        "/robot/rules/{number}/approve",
        frozenset({Role.SUPERVISOR}),
        _version,
        form={"reason": ""},
        refused=422,
    ),
    Row(
        "POST", "/robot/rules/resume", frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}), form={"rule": "none"}
    ),
    Row(
        "POST",
        "/robot/sources/resume",
        frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
        form={"source": "none"},
    ),
)
