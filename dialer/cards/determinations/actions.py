"""Determinations of an authority, which restrict a person. One person enters a determination and another approves it;
it lasts two or three years, at most five together with those before it, and ends by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from dialer.cards.determinations.store import (
    DETERMINATIONS,
    insert_determination,
    is_document_on_record,
    lock_restricted,
    newest_determinations,
    restricted_person,
    terms_of,
)
from dialer.cards.openings.store import person_blind
from dialer.cases.persons import mask_id_number, mask_name
from dialer.core.access import Actor, Permission, required_text
from dialer.core.cards import DeterminationState
from dialer.core.errors import Conflict, Invalid
from dialer.core.second_person import RequestEvent
from dialer.core.text import Text
from dialer.db.unit_of_work import record_of
from dialer.intake.phones import normalise_id_number
from dialer.runtime.services import Services

TERMS = (2, 3)
"""The terms of a determination, in years."""
MOST_YEARS = 5
"""The longest time that determinations following each other may cover, in years."""
_BEGINS = range(2000, 2100)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeterminationForm:
    """What the document of an authority says, as somebody enters it. Raises `Invalid`."""

    name: str
    id_number: str
    document_no: str
    authority: str
    from_on: date
    years: int

    def __post_init__(self) -> None:
        for field in ("name", "document_no", "authority"):
            required_text(field, getattr(self, field))
        if not normalise_id_number(self.id_number)[1]:
            raise Invalid(
                field="id_number", problem="is not a valid id number", fix="compare it with the document"
            )
        if self.years not in TERMS:
            raise Invalid(field="years", problem="is neither 2 nor 3")
        if self.from_on.year not in _BEGINS:
            problem = Text(
                "lies before the year %(first)s or after %(last)s", first=_BEGINS[0], last=_BEGINS[-1]
            )
            raise Invalid(field="from_on", problem=problem, fix="compare it with the document")

    @property
    def until_on(self) -> date:
        """The first day after the term."""
        return years_after(self.from_on, self.years)


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


def enter_determination(services: Services, actor: Actor, form: DeterminationForm) -> int:
    """Enters what an authority has determined, to wait for a second person; returns its id. Raises `Invalid` for a
    term that is too long with those before it, and `Conflict` for a document that is on record for this person.
    """
    number, _ = normalise_id_number(form.id_number)
    document = form.document_no.strip()
    with services.act(actor, Permission.DECIDE_OPENERS) as act:
        blind = person_blind(act.tx.vault, number)
        lock_restricted(act.tx, blind, now=act.now)
        _require_term_within_limit(form, terms_of(act.tx, blind))
        if is_document_on_record(act.tx, blind, document):
            raise Conflict("this document is on record for this person", current="document")
        determination_id = insert_determination(
            act,
            blind,
            name=form.name.strip(),
            id_number=number,
            document_no=document,
            authority=form.authority.strip(),
            from_on=form.from_on,
            until_on=form.until_on,
        )
        act.audit("enter_determination", f"card_determination/{determination_id}", why=document)
    return determination_id


def _require_term_within_limit(form: DeterminationForm, terms: Iterable[tuple[date, date]]) -> None:
    """Raises `Invalid` if the term, with those that it follows or that follow it, is longer than five years."""
    runs: list[tuple[date, date]] = []
    for first, after in sorted([*terms, (form.from_on, form.until_on)]):
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], after))
        else:
            runs.append((first, after))
    [begin, end] = next(run for run in runs if run[0] <= form.from_on < run[1])
    if end > years_after(begin, MOST_YEARS):
        problem = Text("with those before it is longer than %(most)s years", most=MOST_YEARS)
        raise Invalid(field="years", problem=problem)


def decide_determination(services: Services, actor: Actor, determination_id: int, *, approve: bool) -> None:
    """A second person puts the determination in force or refuses it; a refused one may be entered again, corrected.
    Raises `NotFound` and `Conflict`.
    """
    event = RequestEvent.APPROVED if approve else RequestEvent.REFUSED
    with services.act(actor, Permission.APPROVE) as act:
        row = DETERMINATIONS.lock(act.tx, determination_id, now=act.now)
        DETERMINATIONS.decide(act, row, event)


def list_determinations(services: Services, *, waiting_only: bool = False) -> list[Determination]:
    """Determinations, newest first, with persons masked; `is_over` when the term has ended."""
    now = services.clock.now()
    today = now.astimezone(services.centre.zone).date()
    with services.store.begin() as tx:
        found = []
        for row in newest_determinations(tx, waiting_at=now if waiting_only else None):
            person = restricted_person(tx, row["id"], row["sealed"])
            found.append(
                record_of(
                    Determination,
                    row,
                    person=mask_name(person["name"]),
                    id_number=mask_id_number(person["id_number"]),
                    state=DETERMINATIONS.state_of(row, now),
                    is_over=row["until_on"] <= today,
                    has_objection=row["objected"],
                )
            )
    return found
