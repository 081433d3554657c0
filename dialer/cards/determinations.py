"""Determinations of an authority, which restrict a person. One person enters a determination and another approves it;
it lasts two or three years, at most five together with those before it, and ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.cards.store import has_open_objection, person_blind
from dialer.cases.persons import mask_id_number, mask_name
from dialer.cases.store import take_next_ids
from dialer.core.access import actor_name, required_text
from dialer.core.cards import (
    DETERMINATION_WORDS,
    FREED_DETERMINATIONS,
    DeterminationState,
)
from dialer.core.errors import Conflict, Invalid
from dialer.core.second_person import RequestEvent
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.bulk import in_words
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import Tx
from dialer.intake.phones import normalise_id_number
from dialer.runtime.services import Services

TERMS = (2, 3)
"""The terms of a determination, in years."""
MOST_YEARS = 5
"""The longest time that determinations following each other may cover, in years."""
_BEGINS = range(2000, 2100)
_d, _j = t.card_determination.c, t.card_objection.c
_MOST_SHOWN = 200
WAITS = timedelta(days=30)
"""A determination that nobody has approved by then has expired: whoever has the document enters it again."""
DETERMINATIONS = RequestKind(
    table=t.card_determination,
    noun=gettext_noop("determination"),
    words=DETERMINATION_WORDS,
    acts={RequestEvent.APPROVED: "approve_determination", RequestEvent.REFUSED: "refuse_determination"},
    asked_by="entered_by",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Determination:
    """A restriction, with the person masked. `until_on`: the first day without it."""

    id: int
    person: str
    id_number: str
    document_no: str
    authority: str
    from_on: date
    until_on: date
    state: DeterminationState
    entered_by: str
    entered_at: datetime
    decided_by: str
    is_over: bool
    has_objection: bool
    """An objection to it is open."""


def years_after(start: date, years: int) -> date:
    """The same day `years` later; 1 March for 29 February."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)


def enter_determination(
    services: Services,
    *,
    name: str,
    id_number: str,
    document_no: str,
    authority: str,
    from_on: date,
    years: int,
    by: str,
) -> int:
    """Enters what an authority has determined, to wait for a second person; returns its id. Raises `Invalid`, and
    `Conflict` for a document that is on record for this person.
    """
    who, now = actor_name(by), services.clock.now()
    called, document, office = (
        required_text("name", name),
        required_text("document_no", document_no),
        required_text("authority", authority),
    )
    number, is_valid = normalise_id_number(id_number)
    if not is_valid:
        raise Invalid(
            field="id_number", problem="is not a valid id number", fix="compare it with the document"
        )
    if years not in TERMS:
        raise Invalid(field="years", problem="is neither 2 nor 3")
    if from_on.year not in _BEGINS:
        problem = Text("lies before the year %(first)s or after %(last)s", first=_BEGINS[0], last=_BEGINS[-1])
        raise Invalid(field="from_on", problem=problem, fix="compare it with the document")
    until = years_after(from_on, years)
    with services.store.begin() as tx:
        blind = person_blind(tx.vault, number)
        _lock_person(tx, blind)
        DETERMINATIONS.expire(tx, _d.person_blind == blind, now=now)
        _require_term_within_limit(tx, blind, from_on=from_on, until_on=until)
        on_record = sa.select(_d.id).where(
            _d.document_no == document, _d.person_blind == blind, ~in_words(_d.state, FREED_DETERMINATIONS)
        )
        if tx.scalar(on_record) is not None:
            raise Conflict("this document is on record for this person", current="document")
        [determination_id] = take_next_ids(tx, t.card_determination, 1)
        place: dict[str, Any] = {"table": "card_determination", "column": "sealed", "row": determination_id}
        tx.execute(
            sa.insert(t.card_determination).values(
                id=determination_id,
                person_blind=blind,
                document_no=document,
                authority=office,
                from_on=from_on,
                until_on=until,
                state=DeterminationState.WAITING.value,
                sealed=tx.vault.seal_record({"name": called, "id_number": number}, **place),
                entered_by=who,
                entered_at=now,
                expires_at=now + WAITS,
            )
        )
        subject = f"card_determination/{determination_id}"
        write_audit(tx, who=who, act="enter_determination", subject=subject, why=document, now=now)
    return determination_id


def _lock_person(tx: Tx, blind: bytes) -> None:
    key = int.from_bytes(blind[-8:], "big", signed=True)
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _require_term_within_limit(tx: Tx, blind: bytes, *, from_on: date, until_on: date) -> None:
    """Raises `Invalid` if the term, with those that it follows or that follow it, is longer than five years."""
    rows = tx.rows(
        sa.select(_d.from_on, _d.until_on).where(
            _d.person_blind == blind,
            _d.state.in_([DeterminationState.WAITING.value, DeterminationState.IN_FORCE.value]),
        )
    )
    begin, end = from_on, until_on
    spans = [(row["from_on"], row["until_on"]) for row in rows]
    grown = True
    while grown:
        grown = False
        for one in list(spans):
            if one[0] <= end and one[1] >= begin:
                begin, end = min(begin, one[0]), max(end, one[1])
                spans.remove(one)
                grown = True
    if end > years_after(begin, MOST_YEARS):
        problem = Text("with those before it is longer than %(most)s years", most=MOST_YEARS)
        raise Invalid(field="years", problem=problem)


def decide_determination(services: Services, determination_id: int, *, approve: bool, by: str) -> None:
    """A second person puts the determination in force or refuses it; a refused one may be entered again, corrected.
    Raises `NotFound`, `Invalid` and `Conflict`.
    """
    who, now = actor_name(by), services.clock.now()
    with services.store.begin() as tx:
        row = DETERMINATIONS.lock(tx, determination_id, now=now)
        event = RequestEvent.APPROVED if approve else RequestEvent.REFUSED
        DETERMINATIONS.decide(tx, row, event, by=who, now=now)


def list_determinations(services: Services, *, waiting_only: bool = False) -> list[Determination]:
    """Determinations, newest first, with persons masked; `is_over` when the term has ended."""
    now = services.clock.now()
    today = now.astimezone(services.centre.zone).date()
    objected = has_open_objection(_j.determination_id == _d.id).label("objected")
    statement = sa.select(t.card_determination, objected).order_by(_d.id.desc()).limit(_MOST_SHOWN)
    if waiting_only:
        statement = statement.where(DETERMINATIONS.waits(now))
    with services.store.begin() as tx:
        found = []
        for row in tx.rows(statement):
            place: dict[str, Any] = {"table": "card_determination", "column": "sealed", "row": row["id"]}
            person = tx.vault.open_record(row["sealed"], **place)
            found.append(
                Determination(
                    id=row["id"],
                    person=mask_name(person["name"]),
                    id_number=mask_id_number(person["id_number"]),
                    document_no=row["document_no"],
                    authority=row["authority"],
                    from_on=row["from_on"],
                    until_on=row["until_on"],
                    state=DETERMINATIONS.state_of(row, now),
                    entered_by=row["entered_by"],
                    entered_at=row["entered_at"],
                    decided_by=row["decided_by"] or "",
                    is_over=row["until_on"] <= today,
                    has_objection=row["objected"],
                )
            )
    return found
