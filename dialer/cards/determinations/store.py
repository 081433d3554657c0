"""Rows of determinations: who is restricted on a day, and which terms a person has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dialer.cards.openings.checks import Restriction
from dialer.cases.store import take_next_ids
from dialer.core.cards import (
    DETERMINATION_WORDS,
    FREED_DETERMINATIONS,
    DeterminationState,
    ObjectionState,
)
from dialer.core.second_person import RequestEvent
from dialer.core.text import gettext_noop
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import IdSet, in_words, word_literal
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Row, Tx, record_of

_d = t.card_determination.c
_MOST_SHOWN = 200
_WAITS = timedelta(days=30)
"""A determination that nobody has approved by then has expired: whoever has the document enters it again."""
DETERMINATIONS = RequestKind(
    table=t.card_determination,
    noun=gettext_noop("determination"),
    words=DETERMINATION_WORDS,
    acts={RequestEvent.APPROVED: "approve_determination", RequestEvent.REFUSED: "refuse_determination"},
    asked_by="entered_by",
)
_PERSONS: Final = IdSet("persons", _d.person_blind)
_IN_FORCE: Final = (
    sa.select(t.card_determination)
    .where(_PERSONS.clause, _d.state == word_literal(DeterminationState.IN_FORCE))
    .order_by(_d.until_on)
)


def restrictions_of(tx: Tx, blinds: Iterable[bytes], *, on: date) -> dict[bytes, Restriction]:
    """The determination in force on this day, by person; of several the one that ends last."""
    rows = tx.rows(_IN_FORCE.where(_d.from_on <= on, _d.until_on > on), _PERSONS.given(blinds))
    return {bytes(row["person_blind"]): record_of(Restriction, row) for row in rows}


def has_open_objection(about: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether an objection for which `about` holds waits for somebody who checks it."""
    is_open = t.card_objection.c.state == word_literal(ObjectionState.OPEN)
    return sa.exists().where(about, is_open)


def lock_restricted(tx: Tx, blind: bytes, *, now: datetime) -> None:
    """Locks the determinations of this person, who may have none yet, and ends those that waited too long."""
    key = int.from_bytes(blind[-8:], "big", signed=True)
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    DETERMINATIONS.expire(tx, _d.person_blind == blind, now=now)


def terms_of(tx: Tx, blind: bytes) -> list[tuple[date, date]]:
    """The terms of this person that are in force or wait for approval: the first day, and the first day after."""
    counted = (DeterminationState.WAITING, DeterminationState.IN_FORCE)
    rows = tx.rows(
        sa.select(_d.from_on, _d.until_on).where(_d.person_blind == blind, in_words(_d.state, counted))
    )
    return [(row["from_on"], row["until_on"]) for row in rows]


def is_document_on_record(tx: Tx, blind: bytes, document_no: str) -> bool:
    """Whether this document restricts the person, did so, or waits to."""
    same = sa.select(_d.id).where(
        _d.document_no == document_no, _d.person_blind == blind, ~in_words(_d.state, FREED_DETERMINATIONS)
    )
    return tx.scalar(same) is not None


def insert_determination(act: OpenAct, blind: bytes, *, name: str, id_number: str, **columns: object) -> int:
    """Inserts a determination that waits for a second person, its person sealed; returns its id."""
    [determination_id] = take_next_ids(act.tx, t.card_determination, 1)
    person = {"name": name, "id_number": id_number}
    act.tx.execute(
        sa.insert(t.card_determination).values(
            **columns,
            id=determination_id,
            person_blind=blind,
            state=DeterminationState.WAITING.value,
            sealed=act.tx.vault.seal_record(person, **_place(determination_id)),
            entered_by=act.by,
            entered_at=act.now,
            expires_at=act.now + _WAITS,
        )
    )
    return determination_id


def restricted_person(tx: Tx, determination_id: int, sealed: bytes) -> dict[str, Any]:
    """Name and id number of the person, in clear."""
    return tx.vault.open_record(sealed, **_place(determination_id))


def _place(determination_id: int) -> dict[str, Any]:
    return {"table": "card_determination", "column": "sealed", "row": determination_id}


def newest_determinations(tx: Tx, *, waiting_at: datetime | None = None) -> list[Row]:
    """The newest determinations; with `waiting_at`, only those that wait then. `objected`: an objection is open."""
    objected = has_open_objection(t.card_objection.c.determination_id == _d.id).label("objected")
    statement = sa.select(t.card_determination, objected).order_by(_d.id.desc()).limit(_MOST_SHOWN)
    if waiting_at is not None:
        statement = statement.where(DETERMINATIONS.waits(waiting_at))
    return tx.rows(statement)
