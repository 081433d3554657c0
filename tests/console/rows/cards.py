"""Two-card control: the counter of an outlet, the verification desk, frequent openers, restrictions, objections."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import sqlalchemy as sa

from dialer.core.access import Role
from dialer.db import tables as t
from tests.console.desk import ConsoleDesk
from tests.console.row import Row

_TELLER = frozenset({Role.TELLER})
_DESK = frozenset({Role.CALLER, Role.OFFICER, Role.SUPERVISOR})
_SEES = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.AUDITOR})
_DECIDES = frozenset({Role.OFFICER, Role.SUPERVISOR})
_APPROVES = frozenset({Role.SUPERVISOR})
_EXPORTS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
_ABSENT = 987_654
_numbers = itertools.count()


def _absent(_desk: ConsoleDesk, _unit_id: int | None) -> Mapping[str, object]:
    names = (
        "opening_id",
        "notice_id",
        "question_id",
        "opener_id",
        "ring_id",
        "determination_id",
        "objection_id",
        "outlet_id",
    )
    return dict.fromkeys(names, _ABSENT)


def _outlet(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A new one, of which this unit is in charge."""
    n = next(_numbers)
    with desk.app.services.store.begin() as tx:
        institution_id = tx.scalar(
            sa.insert(t.institution).values(name=f"银行{n}", kind="bank").returning(t.institution.c.id)
        )
        outlet = {"institution_id": institution_id, "code": "1", "name": "一部", "unit_id": unit_id}
        return {"outlet_id": tx.scalar(sa.insert(t.outlet).values(outlet).returning(t.outlet.c.id))}


def _row(method: str, path: str, roles: frozenset[Role], **form: str) -> Row:
    return Row(method, path, roles, target=_absent, form=form, refused=404)


_REASON = {"reason": "x"}
_STEP = {"step": "bulletin", "why": "x"}

ROWS = (
    Row("GET", "/counter", _TELLER),
    Row("POST", "/counter", _TELLER, refused=404),
    _row("GET", "/counter/{opening_id}", _TELLER),
    _row("GET", "/counter/{opening_id}/slip", _TELLER),
    _row("POST", "/counter/{opening_id}/ask", _TELLER),
    _row("POST", "/counter/{opening_id}/result", _TELLER, result="abandoned"),
    _row("POST", "/counter/{opening_id}/object", _TELLER, words="x"),
    _row("POST", "/counter/notices/{notice_id}/seen", _TELLER),
    Row("GET", "/cards/desk", _DESK),
    Row("GET", "/cards/desk/live", _DESK),
    _row("GET", "/cards/desk/questions/{question_id}", _DESK),
    _row("POST", "/cards/desk/questions/{question_id}/claim", _DESK),
    _row(
        "POST", "/cards/desk/questions/{question_id}/answer", _DESK, answer="may_open", basis="x", **_REASON
    ),
    _row("POST", "/cards/desk/questions/{question_id}/onsite", _DESK, team="x"),
    _row("POST", "/cards/desk/questions/{question_id}/arrived", _DESK),
    _row("POST", "/cards/desk/questions/{question_id}/found", _DESK),
    Row("GET", "/cards/openers", _SEES),
    _row("POST", "/cards/openers/{opener_id}/sign", _DECIDES),
    _row("POST", "/cards/openers/{opener_id}/confirm", _DECIDES, why="x"),
    _row("POST", "/cards/openers/{opener_id}/lift", _DECIDES, why="x"),
    _row("GET", "/cards/rings/{ring_id}", _SEES),
    Row("GET", "/cards/restrictions", _SEES),
    Row("POST", "/cards/restrictions", _DECIDES, refused=422),
    _row("POST", "/cards/restrictions/{determination_id}/approve", _APPROVES),
    _row("POST", "/cards/restrictions/{determination_id}/refuse", _APPROVES),
    _row("POST", "/cards/restrictions/{determination_id}/object", _DECIDES, words="x"),
    _row("POST", "/cards/objections/{objection_id}/uphold", _DECIDES, **_REASON),
    _row("POST", "/cards/objections/{objection_id}/reject", _DECIDES, **_REASON),
    Row("GET", "/cards/outlets", _SEES),
    Row("GET", "/cards/outlets/{outlet_id}", _SEES, target=_outlet, by_unit=True),
    Row(
        "POST",
        "/cards/outlets/{outlet_id}/steps",
        _DECIDES,
        target=_outlet,
        by_unit=True,
        form=_STEP,
    ),
    Row("GET", "/cards/outlets/notice", _EXPORTS, target=_absent, refused=404),
    Row("GET", "/cards/fairness", _SEES),
)
