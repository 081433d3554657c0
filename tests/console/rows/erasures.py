"""Erasures and legal holds: supervisors decide, auditors look; of persons of another unit nobody knows."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role, unrestricted
from dialer.core.case import CaseStatus
from dialer.db import tables as t
from dialer.retention.erasure import ask_erasure, place_legal_hold
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.town import ConsoleScenario

_LOOKS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
_DECIDES = frozenset({Role.SUPERVISOR})


def _case(desk: ConsoleDesk, unit_id: int | None) -> int:
    scenario, number = ConsoleScenario(desk), len(desk.rows(t.person)) + 1
    owner = scenario.person(name=f"甲{number}", phones=(f"+86138{number:08d}",))
    return scenario.case(person_id=owner, unit_id=unit_id, status=CaseStatus.CLOSED, warning=False)


def _asked(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    return {
        "request_id": ask_erasure(desk.app.services, unrestricted("sun"), _case(desk, unit_id), why="x").id
    }


def _held(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    place_legal_hold(desk.app.services, unrestricted("sun"), _case(desk, unit_id), why="x")
    return {}


ROWS = (
    Row("GET", "/erasures", _LOOKS),
    Row("POST", "/erasures/ask", _DECIDES, form={"case": "987654", "why": "x"}, refused=404),
    Row("POST", "/erasures/{request_id}/confirm", _DECIDES, _asked, by_unit=True),
    Row("POST", "/erasures/{request_id}/refuse", _DECIDES, _asked, by_unit=True, form={"why": "x"}),
    Row("POST", "/erasures/hold", _DECIDES, form={"case": "987654", "why": "x"}, refused=404),
    Row("POST", "/erasures/lift", _DECIDES, _held, form={"case": "987654", "why": "x"}, refused=404),
)
