"""Inspection of calls: supervisors see which were read; with a reason whoever may see people reads one."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.rows.case import put_recording
from tests.console.town import ConsoleScenario

_CHIEF = frozenset({Role.SUPERVISOR})
_WORK = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})


def _call(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, number = ConsoleScenario(desk), len(desk.rows(t.person)) + 1
    owner = scenario.person(name=f"甲{number}", phones=(f"+86139{number:08d}",))
    recording_id = put_recording(scenario, scenario.case(person_id=owner, unit_id=unit_id, warning=False))
    scenario.put(t.transcript, recording_id=recording_id, state="not_inspected", reason="no_speech")
    return {"recording_id": recording_id}


ROWS = (
    Row("GET", "/quality", _CHIEF),
    Row("GET", "/quality/{recording_id}", _CHIEF, _call, by_unit=True),
    Row(
        "POST",
        "/quality/{recording_id}",
        _WORK,
        _call,
        by_unit=True,
        form={"reason": "review", "why": "checks a report"},
    ),
)
