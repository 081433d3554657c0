"""Unassigned cases: of the whole centre; none for a person of one unit."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.town import ConsoleScenario

_SORTS = frozenset({Role.CLERK, Role.SUPERVISOR})


def _waiting(desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    """A case whose list names no unit."""
    scenario = ConsoleScenario(desk)
    person_id = scenario.person(name=f"某人{len(desk.rows(t.person))}")
    return {"case_id": scenario.case(unit="老城关", person_id=person_id, warning=False)}


ROWS = (
    Row("GET", "/units/unassigned", _SORTS),
    Row("GET", "/units/unassigned/{case_id}", _SORTS, _waiting),
    Row("POST", "/units/unassigned/{case_id}/sort", _SORTS, _waiting, refused=422),
    Row("POST", "/units/unassigned/{case_id}/some", _SORTS, _waiting, refused=422),
)
