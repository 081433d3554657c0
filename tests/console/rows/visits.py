"""Visits: officers and supervisors, each those of his own unit and below."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta

from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.work.transfers import transfer_assignment
from dialer.work.visits import PhoneAct, add_photo
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.town import ConsoleScenario
from tests.core.pictures import jpeg
from tests.outcomes.town import MORNING

_WHO = frozenset({Role.OFFICER, Role.SUPERVISOR})


def _visit(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A visit that waits in this unit."""
    scenario = ConsoleScenario(desk)
    owner = scenario.person(name=f"甲{uuid.uuid4().hex}")
    waits = {"human_state": "scheduled", "human_at": MORNING + timedelta(days=1)}
    case_id = scenario.case(unit_id=unit_id, person_id=owner, warning=False, **waits)
    return {"visit_id": scenario.assignment(case_id, kind="visit", unit_id=unit_id)}


def _photo(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    found = _visit(desk, unit_id)
    client_id = uuid.uuid4()
    add_photo(
        desk.app.services,
        int(str(found["visit_id"])),
        phone=PhoneAct(client_id=client_id, actor=unrestricted("officer")),
        content=jpeg(),
    )
    return {**found, "client_id": client_id}


def _transfer(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A visit of nobody's unit that is asked of this one; without one, of a unit that has nothing to do with it."""
    visit_id = int(str(_visit(desk, None)["visit_id"]))
    to = unit_id or ConsoleScenario(desk).unit(f"unit {len(desk.rows(t.unit))}")
    return {
        "transfer_id": transfer_assignment(
            desk.app.services, unrestricted("somebody"), visit_id, to_unit_id=to, why="moved"
        )
    }


def _act(act: str, **form: str) -> Row:
    return Row(
        "POST",
        f"/visits/{{visit_id}}/{act}",
        _WHO,
        _visit,
        by_unit=True,
        form={"client_id": str(uuid.uuid4()), **form},
    )


ROWS = (
    Row("GET", "/visits", _WHO),
    Row("GET", "/visits/pulse", _WHO),
    Row("GET", "/visits/offline", _WHO),
    Row("GET", "/visits/worker.js", _WHO),
    Row("GET", "/visits/{visit_id}", _WHO, _visit, by_unit=True),
    Row("GET", "/visits/{visit_id}/conversation", _WHO, _visit, by_unit=True),
    Row("GET", "/visits/{visit_id}/notice", _WHO, _visit, by_unit=True),
    _act("step", stage="accepted"),
    _act("seen", who="person"),
    _act("note", words="somebody"),
    _act("photo"),
    _act("report", outcome="dissuaded_in_person"),
    _act("paid"),
    _act("release", why="x"),
    _act("transfer", to="1", why="x"),
    Row(
        "POST",
        "/visits/{visit_id}/photos/{client_id}",
        _WHO,
        _photo,
        form={"reason": "review", "why": "a complaint"},
        by_unit=True,
    ),
    Row("POST", "/visits/transfers/{transfer_id}/accept", _WHO, _transfer, by_unit=True),
    Row("POST", "/visits/transfers/{transfer_id}/refuse", _WHO, _transfer, form={"why": "x"}, by_unit=True),
)
