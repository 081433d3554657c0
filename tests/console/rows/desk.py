"""Desk: callers and supervisors; every task, transfer and payment is of a unit."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.town import ConsoleScenario, stop_request
from tests.outcomes.town import MORNING

_WHO = frozenset({Role.CALLER, Role.SUPERVISOR})


def _put(desk: ConsoleDesk, unit_id: int | None) -> tuple[ConsoleScenario, int, int]:
    scenario = ConsoleScenario(desk)
    owner = scenario.person(name=f"某人{len(desk.rows(t.person))}")
    case_id = scenario.case(unit_id=unit_id, person_id=owner, warning=False)
    return scenario, case_id, scenario.assignment(case_id, unit_id=unit_id)


def _task(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A call that waits in this unit."""
    return {"task_id": _put(desk, unit_id)[2]}


def _transfer(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """Work that asks this unit to take it; without one, a unit that sees nobody below it."""
    scenario, _, assignment_id = _put(desk, unit_id)
    to_unit = unit_id if unit_id is not None else scenario.unit(f"别处{assignment_id}")
    row = scenario.put(
        t.assignment_transfer,
        assignment_id=assignment_id,
        to_unit_id=to_unit,
        state="asked",
        by="li",
        why="他们管辖",
        at=MORNING,
    )
    return {"transfer_id": row}


def _payment(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    scenario, case_id, _ = _put(desk, unit_id)
    return {"payment_id": scenario.put(t.stop_payment, case_id=case_id, opened_at=MORNING, drill=False)}


def _request(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A bank was asked, in this unit."""
    scenario, case_id, _ = _put(desk, unit_id)
    payment = scenario.put(t.stop_payment, case_id=case_id, opened_at=MORNING, drill=False)
    return {"request_id": stop_request(scenario, case_id, payment)}


ROWS = (
    Row("GET", "/desk", _WHO),
    Row("GET", "/desk/room", _WHO),
    Row("POST", "/desk/next", _WHO),
    Row("POST", "/desk/pass", _WHO),
    Row("POST", "/desk/extension", _WHO, form={"extension": "8001"}),
    Row("GET", "/desk/tasks/{task_id}/live", _WHO, _task, by_unit=True),
    *(
        Row("POST", f"/desk/tasks/{{task_id}}/{act}", _WHO, _task, by_unit=True)
        for act in ("beat", "open", "reclaim", "call", "talk", "report", "call-back", "release", "transfer")
    ),
    Row("GET", "/desk/tasks/{task_id}/third-party", _WHO, _task, by_unit=True),
    *(
        Row("POST", f"/desk/tasks/{{task_id}}/third-party{act}", _WHO, _task, by_unit=True)
        for act in ("", "/hand-over", "/stop")
    ),
    Row("POST", "/desk/transfers/{transfer_id}/accept", _WHO, _transfer, by_unit=True),
    Row(
        "POST",
        "/desk/transfers/{transfer_id}/refuse",
        _WHO,
        _transfer,
        by_unit=True,
        form={"why": "不归我们"},
    ),
    Row("POST", "/desk/stop-payments", _WHO, refused=422),
    Row("POST", "/desk/stop-payments/{payment_id}/done", _WHO, _payment, by_unit=True),
    Row(
        "POST",
        "/desk/stop-payments/{payment_id}/requests",
        _WHO,
        _payment,
        by_unit=True,
        form={"bank": "工商银行", "account": "622202 0000 1234", "amount": "5000"},
    ),
    Row(
        "POST",
        "/desk/stop-requests/{request_id}/report",
        _WHO,
        _request,
        by_unit=True,
        form={"result": "refused"},
    ),
)
