"""Two-card control: the counter of an outlet, the verification desk, frequent openers, restrictions, objections."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa

from dialer.cards.counter.actions import check_opening
from dialer.cards.counter.desk import ask_desk
from dialer.core.access import Role, unrestricted
from dialer.core.cards import CardProduct, OpeningChannel, OpeningResult
from dialer.db import tables as t
from dialer.intake.opening_lists import OpeningRecord
from tests.cards.street import id_number
from tests.console.desk import ConsoleDesk
from tests.console.row import Row, Target

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


def _opening(desk: ConsoleDesk, unit_id: int | None) -> tuple[int, int]:
    """A new one, and its outlet."""
    outlet_id = int(str(_outlet(desk, unit_id)["outlet_id"]))
    services, n = desk.app.services, next(_numbers)
    record = OpeningRecord(
        line=1,
        opening_no=f"NO-{n}",
        outlet="",
        channel=OpeningChannel.COUNTER,
        product=CardProduct.ACCOUNT_2,
        name=f"客户{n}",
        id_number=id_number(n),
        phone=f"+86138{n:08d}",
        asked_at=services.clock.now(),
        result=OpeningResult.IN_PROGRESS,
    )
    checked = check_opening(services, unrestricted("teller"), record, outlet_id=outlet_id, source="form")
    return checked.opening_id, outlet_id


def _question(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A new one of an outlet of this unit."""
    opening_id, outlet_id = _opening(desk, unit_id)
    asked = ask_desk(
        desk.app.services, unrestricted("teller"), opening_id, note="说不清用途", outlet_id=outlet_id
    )
    return {"question_id": asked}


def _opener(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A new finding about somebody at an outlet of this unit."""
    opening_id, _ = _opening(desk, unit_id)
    now = desk.clock.now()
    found = {
        "person_blind": f"person {opening_id}".encode(),
        "opening_id": opening_id,
        "unit_id": unit_id,
        "state": "listed",
        "findings": [],
        "listed_at": now,
        "expires_at": now + timedelta(days=30),
    }
    with desk.app.services.store.begin() as tx:
        return {"opener_id": tx.scalar(sa.insert(t.card_opener).values(found).returning(t.card_opener.c.id))}


def _confirmed_opener(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A finding that somebody has confirmed."""
    found = _opener(desk, unit_id)
    confirmed = {"state": "confirmed", "decided_by": "sun", "decided_at": desk.clock.now()}
    with desk.app.services.store.begin() as tx:
        tx.execute(sa.update(t.card_opener).where(t.card_opener.c.id == found["opener_id"]).values(confirmed))
    return found


def _ring(desk: ConsoleDesk, unit_id: int | None) -> Mapping[str, object]:
    """A new one, of an opening at an outlet of this unit."""
    opening_id, _ = _opening(desk, unit_id)
    now = desk.clock.now()
    ring = {"found_at": now, "last_at": now, "persons": 1, "cards": 1, "points": 1, "reasons": []}
    with desk.app.services.store.begin() as tx:
        ring_id = tx.scalar(sa.insert(t.card_ring).values(ring).returning(t.card_ring.c.id))
        tx.execute(sa.update(t.opening).where(t.opening.c.id == opening_id).values(ring_id=ring_id))
    return {"ring_id": ring_id}


def _of_unit(method: str, path: str, roles: frozenset[Role], target: Target, **form: str) -> Row:
    return Row(method, path, roles, target=target, by_unit=True, form=form)


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
    _of_unit("GET", "/cards/desk/questions/{question_id}", _DESK, _question),
    _of_unit("POST", "/cards/desk/questions/{question_id}/claim", _DESK, _question),
    _of_unit(
        "POST",
        "/cards/desk/questions/{question_id}/answer",
        _DESK,
        _question,
        answer="may_open",
        basis="x",
        **_REASON,
    ),
    _of_unit("POST", "/cards/desk/questions/{question_id}/warn", _DESK, _question),
    _of_unit("POST", "/cards/desk/questions/{question_id}/onsite", _DESK, _question, team="x"),
    _of_unit("POST", "/cards/desk/questions/{question_id}/arrived", _DESK, _question),
    _of_unit("POST", "/cards/desk/questions/{question_id}/found", _DESK, _question),
    Row("GET", "/cards/openers", _SEES),
    _of_unit("POST", "/cards/openers/{opener_id}/sign", _DECIDES, _opener),
    _of_unit("POST", "/cards/openers/{opener_id}/confirm", _DECIDES, _opener, why="x"),
    _of_unit("POST", "/cards/openers/{opener_id}/lift", _DECIDES, _opener, why="x"),
    _of_unit("POST", "/cards/openers/{opener_id}/object", _DECIDES, _confirmed_opener, words="x"),
    _of_unit("GET", "/cards/rings/{ring_id}", _SEES, _ring),
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
