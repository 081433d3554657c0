"""Rows of objections, of what they are to, and of the notices that outlets get."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.cards.determinations.store import restricted_person
from dialer.cards.openings.store import masked_opener
from dialer.cases.persons import mask_name
from dialer.cases.store import take_next_ids
from dialer.core.cards import OBJECTION_WORDS, ObjectionAbout, ObjectionState
from dialer.core.errors import NotFound
from dialer.core.second_person import RequestEvent
from dialer.core.text import gettext_noop
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import word_literal
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_visible_to

_j, _n, _o = t.card_objection.c, t.outlet_notice.c, t.opening.c
_MOST_SHOWN = 200
_MOST_NOTICES = 20
OBJECTIONS = RequestKind(
    table=t.card_objection,
    noun=gettext_noop("objection"),
    words=OBJECTION_WORDS,
    acts={RequestEvent.APPROVED: "uphold_objection", RequestEvent.REFUSED: "reject_objection"},
    asked_by="taken_by",
)
_TABLES: Final = {
    ObjectionAbout.OPENING: t.opening,
    ObjectionAbout.DETERMINATION: t.card_determination,
    ObjectionAbout.OPENER: t.card_opener,
}
LIFTED: Final = "restriction_lifted"
UPHELD: Final = "objection_upheld"


def lock_subject(
    tx: Tx, about: ObjectionAbout, key: int, *, outlet_id: int | None = None, visible_to: int | None = None
) -> Row:
    """What an objection is to, locked. Raises `NotFound`, also for an opening of another outlet than `outlet_id`, and
    for a finding that the unit does not see.
    """
    table = _TABLES[about]
    statement = sa.select(table).where(table.c.id == key)
    if about is ObjectionAbout.OPENER:
        statement = statement.where(is_visible_to(table.c.unit_id, visible_to))
    elif outlet_id is not None:
        statement = statement.where(table.c.outlet_id == outlet_id)
    row = tx.one(statement.with_for_update())
    if row is None:
        raise NotFound(kind="decision", key=key)
    return row


def open_objections_to(tx: Tx, about: ObjectionAbout, key: int) -> list[Row]:
    """The open objections to the same decision."""
    is_open = _j.state == word_literal(ObjectionState.OPEN)
    return tx.rows(sa.select(t.card_objection).where(_j[f"{about.value}_id"] == key, is_open))


def insert_objection(act: OpenAct, about: ObjectionAbout, key: int, *, words: str, **columns: object) -> int:
    """Inserts an open objection with what the customer says; returns its id."""
    [objection_id] = take_next_ids(act.tx, t.card_objection, 1)
    act.tx.execute(
        sa.insert(t.card_objection).values(
            **columns,
            **{f"{about.value}_id": key},
            id=objection_id,
            state=ObjectionState.OPEN.value,
            taken_by=act.by,
            taken_at=act.now,
            sealed=sealed_words(act.tx, objection_id, "sealed", words),
        )
    )
    return objection_id


def sealed_words(tx: Tx, objection_id: int, column: str, words: str) -> bytes:
    """What the customer says, or the reason of a decision, sealed for its column."""
    return tx.vault.seal(words.encode(), **_place(objection_id, column))


def opened_words(tx: Tx, row: Row, column: str) -> str:
    """What `sealed_words` has sealed, in clear; '' without it."""
    sealed = row[column]
    return "" if sealed is None else tx.vault.open(sealed, **_place(row["id"], column)).decode()


def _place(objection_id: int, column: str) -> dict[str, Any]:
    return {"table": "card_objection", "column": column, "row": objection_id}


def lift_subject(act: OpenAct, about: ObjectionAbout, row: Row, values: Mapping[str, object]) -> None:
    """Stores that the determination or the finding is lifted, and notifies every outlet where the person opened a card
    or asked for one.
    """
    table = _TABLES[about]
    act.tx.execute(sa.update(table).where(table.c.id == row["id"]).values(values))
    if row["person_blind"] is None:
        notify_outlet(act, row["opening_id"], LIFTED)
    else:
        _notify(act, _o.person_blind == row["person_blind"], LIFTED)


def notify_outlet(act: OpenAct, opening_id: int, code: str) -> None:
    """Adds a notice for the outlet of this opening."""
    _notify(act, _o.id == opening_id, code)


def _notify(act: OpenAct, of_openings: sa.ColumnElement[bool], code: str) -> None:
    at = sa.literal(act.now, sa.DateTime(timezone=True))
    newest = (
        sa.select(_o.outlet_id, sa.func.max(_o.id), sa.literal(code), at)
        .where(of_openings)
        .group_by(_o.outlet_id)
    )
    names = ["outlet_id", "opening_id", "code", "at"]
    act.tx.execute(sa.insert(t.outlet_notice).from_select(names, newest))


def objections_shown(tx: Tx) -> list[Row]:
    """Open objections by their due time, then decided ones."""
    is_open = _j.state == word_literal(ObjectionState.OPEN)
    statement = sa.select(t.card_objection).order_by(is_open.desc(), _j.due_at, _j.id.desc())
    return tx.rows(statement.limit(_MOST_SHOWN))


def masked_subject(tx: Tx, about: ObjectionAbout, key: int) -> str:
    """The name of the person whom the decision concerns, masked."""
    table = _TABLES[about]
    row = tx.one(sa.select(table).where(table.c.id == key))
    assert row is not None
    if about is ObjectionAbout.DETERMINATION:
        return mask_name(restricted_person(tx, key, row["sealed"])["name"])
    opening_id = key if about is ObjectionAbout.OPENING else row["opening_id"]
    sealed = tx.scalar(sa.select(_o.sealed).where(_o.id == opening_id))
    return str(masked_opener(tx, opening_id, sealed)["name"])


def notices_of_outlet(tx: Tx, outlet_id: int) -> list[Row]:
    """Notices that the outlet has not seen, oldest first, with the number of its opening."""
    return tx.rows(
        sa.select(_n.id, _n.code, _n.at, _o.opening_no)
        .join(t.opening, _o.id == _n.opening_id)
        .where(_n.outlet_id == outlet_id, _n.seen_at.is_(None))
        .order_by(_n.id)
        .limit(_MOST_NOTICES)
    )


def mark_notice_seen(tx: Tx, notice_id: int, *, outlet_id: int, now: datetime) -> None:
    """Stores that the outlet has read the notice. Raises `NotFound`."""
    own = sa.update(t.outlet_notice).where(_n.id == notice_id, _n.outlet_id == outlet_id)
    if not tx.execute(own.values(seen_at=now)).rowcount:
        raise NotFound(kind="notice", key=notice_id)
