"""Inspection of calls: supervisors see which were read; with a reason whoever may see people reads one."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.quality.versions import seed_quality_rules, shipped_rules
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
    row = {"recording_id": recording_id, "state": "not_inspected", "reason": "no_speech"}
    with scenario.tx() as tx:
        tx.execute(sa.insert(t.transcript).values(row))
    return {"recording_id": recording_id}


_RULES = {"why": "a clearer gate", "source": shipped_rules() + "\n# changed\n"}


def _shipped(desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    """Rules are of the whole centre, whatever unit is asked for."""
    with desk.app.services.store.begin() as tx:
        seed_quality_rules(tx, now=desk.clock.now())
    return {"number": 1}


ROWS = (
    Row("GET", "/quality/rules", _CHIEF),
    Row("GET", "/quality/rules/draft", _CHIEF),
    Row("POST", "/quality/rules", _CHIEF, form=_RULES | {"why": ""}, refused=422),
    Row("GET", "/quality/rules/{number}", _CHIEF, _shipped),
    Row("POST", "/quality/rules/{number}/approve", _CHIEF, _shipped, form={"reason": "tried"}, refused=409),
    Row("POST", "/quality/search", _CHIEF, form={"words": "验证码"}),
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
