"""Control: who may look at the dialling, and who may stop it."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.calls.pause_store import place_pause
from dialer.core.access import Role
from dialer.core.events import AlarmCode
from dialer.core.values import PauseScope
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from tests.console.desk import ConsoleDesk
from tests.console.row import CENTRE, Row
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

_LOOK = frozenset({Role.CLERK, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.ANALYST})
_STEER = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})


def _pause(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """One of this unit, or of a unit that is none of ours."""
    with desk.app.services.store.begin() as tx:
        pause = place_pause(
            tx,
            scope=PauseScope.UNIT,
            subject=f"unit {len(desk.rows(t.hold))}",
            unit_id=unit_id,
            until=MORNING.replace(hour=20),
            why="a test",
            by="zhao",
            now=MORNING,
        )
    return {"pause_id": pause.id}


def _alarm(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, number = ConsoleScenario(desk), len(desk.rows(t.person))
    person_id = scenario.person(name=f"n{number}", phones=(f"+86139{number:08d}",))
    case_id = scenario.case(unit_id=unit_id, person_id=person_id, warning=False)
    with desk.app.services.store.begin() as tx:
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=case_id)
    return {"alarm_id": desk.rows(t.alarm)[-1]["id"]}


ROWS = (
    Row("GET", "/overdue", CENTRE),
    Row("GET", "/control", _LOOK),
    Row("GET", "/control/now", _LOOK),
    Row("POST", "/control/pause", _STEER, form={"scope": "grade", "grade": ""}, refused=422),
    Row("POST", "/control/pauses/{pause_id}/resume", _STEER, _pause, by_unit=True),
    Row("POST", "/control/pace", _STEER, form={"lines": ""}, refused=422),
    Row("POST", "/control/pace/settings", _STEER),
    Row("GET", "/control/alarms/{code}", _LOOK, lambda _desk, _unit: {"code": AlarmCode.HUMAN_OVERDUE.value}),
    Row("POST", "/control/alarms/{alarm_id}/seen", _STEER, _alarm, by_unit=True),
    Row(
        "POST",
        "/control/alarms/{alarm_id}/take",
        _STEER,
        _alarm,
        by_unit=True,
        form={"comment": "I call them"},
    ),
    Row("GET", "/settings", _LOOK - {Role.CLERK, Role.ANALYST}),
    Row(
        "POST",
        "/control/alarms/all/{code}/seen",
        _STEER,
        lambda _desk, _unit: {"code": AlarmCode.HUMAN_OVERDUE.value},
        form={"why": "they are called back"},
    ),
)
