"""Practice: callers, officers and supervisors; a supervisor sees the attempts of the people of the own units."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

_WHO = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})
_CHIEF = frozenset({Role.SUPERVISOR})


def _caller(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A caller of this unit who has practised once."""
    return {"staff_id": _attempt(desk, unit_id)["staff_id"]}


def _attempt(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario = ConsoleScenario(desk)
    member = desk.account(Role.CALLER, login=f"trainee{len(desk.rows(t.staff))}", unit_id=unit_id)
    case_id = scenario.case(
        unit_id=unit_id, person_id=scenario.person(name=f"某人{len(desk.rows(t.person))}"), warning=False
    )
    attempt = scenario.put(
        t.practice_attempt,
        staff_id=member.id,
        practice_case="angry_loan",
        case_id=case_id,
        assignment_id=scenario.assignment(case_id, unit_id=unit_id),
        begun_at=MORNING,
    )
    return {"attempt_id": attempt, "staff_id": member.id}


ROWS = (
    Row("GET", "/practice", _WHO),
    Row("POST", "/practice/cases/{key}", _WHO, lambda *_: {"key": "angry_loan"}, refused=409),
    Row("GET", "/practice/talk/{task_id}", _WHO, lambda *_: {"task_id": 1}, refused=303),
    Row("POST", "/practice/talk/{task_id}", _WHO, lambda *_: {"task_id": 1}, refused=404),
    Row("GET", "/practice/attempts/{attempt_id}", _WHO, _attempt, refused=404),
    Row("GET", "/practice/certificate/{staff_id}", _WHO, _caller, refused=404),
    Row("GET", "/practice/people", _CHIEF),
    Row("GET", "/practice/people/{staff_id}", _CHIEF, _caller, by_unit=True),
    Row("POST", "/practice/people/{staff_id}/kinds", _CHIEF, _caller, form={"kind": "angry"}, refused=409),
)
