"""Units: who sees the organisation, who names its units, who replaces it, and who takes what is transferred."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.access import Role
from dialer.db import tables as t
from dialer.db.units import add_unit, delete_unit_alias, teach_unit_alias
from dialer.work.transfer_store import request_transfer
from tests.console.desk import ConsoleDesk
from tests.console.row import Row
from tests.console.town import ConsoleScenario

_SEES = frozenset({Role.CLERK, Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR})
_SORTS = frozenset({Role.CLERK, Role.SUPERVISOR})
_MANAGES = frozenset({Role.ADMINISTRATOR})
_WORKS = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})


def _new_unit(desk: ConsoleDesk, parent_id: int | None = None) -> int:
    with desk.app.services.store.begin() as tx:
        return add_unit(tx, name=f"unit{len(desk.rows(t.unit))}", parent_id=parent_id)


def _unit(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    return {"unit_id": unit_id if unit_id is not None else _new_unit(desk)}


def _work(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A visit that waits in this unit."""
    scenario = ConsoleScenario(desk)
    of = unit_id if unit_id is not None else _new_unit(desk)
    person_id = scenario.person(name=f"某人{len(desk.rows(t.person))}")
    case_id = scenario.case(unit_id=of, person_id=person_id, warning=False)
    return {"assignment_id": scenario.assignment(case_id, kind="visit", unit_id=of, unit="x")}


def _transfer(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A visit that asks to come into this unit."""
    work = _work(desk, None)["assignment_id"]
    assert isinstance(work, int)
    to = unit_id if unit_id is not None else _new_unit(desk)
    with desk.app.services.store.begin() as tx:
        made = request_transfer(
            tx, work, from_unit_id=None, to_unit_id=to, by="li", why="x", now=desk.clock.now()
        )
    return {"transfer_id": made}


def _named(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A unit that lists may call 老城关, whichever it is."""
    found = _unit(desk, unit_id)
    of = found["unit_id"]
    assert isinstance(of, int)
    with desk.app.services.store.begin() as tx:
        delete_unit_alias(tx, "老城关")
        teach_unit_alias(tx, "老城关", unit_id=of, by="li", now=desk.clock.now())
    return found


ROWS = (
    Row("GET", "/units", _SEES),
    Row("GET", "/units/file", _MANAGES),
    Row("GET", "/units/{unit_id}", _SEES, _unit, by_unit=True),
    Row("POST", "/units/{unit_id}/aliases", _SORTS, _unit, form={"text": ""}, refused=422),
    Row("POST", "/units/{unit_id}/aliases/forget", _SORTS, _named, form={"text": "老城关"}),
    Row("GET", "/units/import", _MANAGES),
    Row("POST", "/units/import", _MANAGES, refused=422),
    Row("POST", "/units/import/take", _MANAGES, refused=422),
    Row("GET", "/units/transfers", _SORTS),
    Row("POST", "/units/transfers/{transfer_id}/accept", _SORTS, _transfer, by_unit=True),
    Row(
        "POST",
        "/units/transfers/{transfer_id}/refuse",
        _SORTS,
        _transfer,
        by_unit=True,
        form={"why": "not ours"},
    ),
    Row("GET", "/units/work/{assignment_id}/transfer", _WORKS, _work, by_unit=True),
    Row("POST", "/units/work/{assignment_id}/transfer", _WORKS, _work, by_unit=True, refused=422),
)
