"""The plan: who may look at it, who drafts it, and who approves a draft."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db.plans import PLAN_VERSIONS, plan_versions
from dialer.runtime.plans import plan_of_settings, plan_text
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.outcomes.town import MORNING

_LOOK = frozenset({Role.CLERK, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.ANALYST})
_DRAFT = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})


def _version(console: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    source = plan_text(plan_of_settings(console.app.settings))
    with console.app.services.store.begin() as tx:
        if not plan_versions(tx):
            PLAN_VERSIONS.add(tx, content_hash="one", drafted_by="zhao", now=MORNING, source=source)
    return {"number": 1}


ROWS = (
    Row("GET", "/plan", _LOOK),
    Row("GET", "/plan/file", _LOOK),
    Row("GET", "/plan/versions/{number}", _LOOK, _version),
    Row("GET", "/plan/versions/{number}/week", _DRAFT, _version),
    Row("POST", "/plan", _DRAFT, form={"do": "toml", "source": "x"}, refused=422),
    Row(
        "POST",
        "/plan/versions/{number}/approve",
        frozenset({Role.SUPERVISOR}),
        _version,
        form={"reason": ""},
        refused=422,
    ),
)
