"""Searches cases by phone, name, id number, instruction number and current state; results are masked, newest first, a
page at a time. Typed text is normalised for the blind indexes. A search for a person is sealed in the address of the
page, which must not contain personal data.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from dialer.cases.persons import (
    MaskedPerson,
    PersonSearch,
    mask_id_number,
    mask_name,
    mask_person,
    mask_phone,
    matching_person_ids,
    open_person,
)
from dialer.cases.reveals import note_search
from dialer.core.access import Actor, Permission, RevealReason
from dialer.core.case import CaseStatus
from dialer.core.errors import Invalid
from dialer.core.rates import Period
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_within_unit
from dialer.db.vault import KeyMissing, Tampered
from dialer.intake.cells import cleaned, joined_name
from dialer.intake.phones import normalise_id_number, normalise_phone
from dialer.runtime.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """A search for cases, which must match every field that is given; spaces around texts are ignored. `period` is that
    of the opening time; `before_id` is the last case of the previous page.
    """

    sought: PersonSearch = field(default_factory=PersonSearch)
    instruction_no: str = ""
    source: str = ""
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    status: CaseStatus | None = None
    unit: str = ""
    """The unit's name as the list wrote it."""
    unit_id: int | None = None
    """This unit and all units below it."""
    visible_to: int | None = None
    """The unit of the user; None for a user who sees the whole centre."""
    load_id: int | None = None
    period: Period = field(default_factory=Period)
    before_id: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One found case."""

    id: int
    person: MaskedPerson
    grade: Grade
    fraud_type: FraudType
    status: CaseStatus
    outcome: OutcomeKind | None
    contact: Contact
    source: str
    unit: str
    unit_name: str
    """The unit's own name; '' while the case is unassigned."""
    amount_at_risk_fen: int | None
    missed: bool
    warnings: int
    robot_attempts: int
    opened_at: datetime
    due_at: datetime | None
    drill: bool
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One page of found cases."""

    cases: tuple[CaseLine, ...]
    next_before_id: int | None
    """The `before_id` of the next page; None if this is the last page."""


def search_cases(services: Services, query: CaseQuery) -> CasePage:
    """One page of matching cases, newest first."""
    with services.store.begin() as tx:
        return newest_cases(tx, query)


def newest_cases(tx: Tx, query: CaseQuery) -> CasePage:
    """As `search_cases`, in a transaction of the caller."""
    rows = tx.rows(_statement(tx, query))
    shown = rows[: query.limit]
    return CasePage(
        cases=tuple(case_line(tx, row) for row in shown),
        next_before_id=shown[-1]["id"] if len(rows) > query.limit else None,
    )


def case_lines(tx: Tx, ids: Sequence[int]) -> tuple[CaseLine, ...]:
    """These cases, newest first."""
    rows = tx.rows(_lines().where(t.case.c.id.in_(ids)).order_by(t.case.c.id.desc()))
    return tuple(case_line(tx, row) for row in rows)


def case_of_number(services: Services, typed: str, *, visible_to: int | None) -> int | None:
    """The case whose number these digits are; None if they are none, or for a case that the unit does not see."""
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= _CASE_DIGITS):
        return None
    with services.store.begin() as tx:
        seen = visible_among_cases(tx, [int(typed)], visible_to=visible_to)
    return int(typed) if seen.get(int(typed)) else None


def visible_among_cases(tx: Tx, ids: Sequence[int], *, visible_to: int | None) -> dict[int, bool]:
    """Whether a user of this unit (None: of the whole centre) sees each of these cases, by id."""
    c = t.case.c
    may = sa.true() if visible_to is None else is_within_unit(c.unit_id, visible_to)
    return {
        row["id"]: bool(row["may"]) for row in tx.rows(sa.select(c.id, may.label("may")).where(c.id.in_(ids)))
    }


def _lines() -> sa.Select[Any]:
    """A statement for the columns that a `CaseLine` shows."""
    c = t.case.c
    return (
        sa.select(t.case, t.person.c.sealed.label("person_sealed"), t.unit.c.name.label("unit_name"))
        .join(t.person, t.person.c.id == c.person_id)
        .join(t.unit, t.unit.c.id == c.unit_id, isouter=True)
    )


def matching_cases(tx: Tx, query: CaseQuery) -> sa.Select[Any]:
    """A statement for the columns of the lines of all matching cases, in no order."""
    c = t.case.c
    statement = _lines()
    if not query.sought.is_nothing:
        statement = statement.where(c.person_id.in_(matching_person_ids(tx, query.sought)))
    w = t.warning.c
    given = {w.instruction_no: query.instruction_no.strip(), w.source: query.source.strip()}
    of_warning = [column == text for column, text in given.items() if text]
    if of_warning:
        warned = sa.select(w.case_id).where(*of_warning)
        statement = statement.where(c.id.in_(warned))
    if query.load_id is not None:
        # A warning of a later load may have joined an older case.
        of_load = w.load_id == query.load_id
        oldest = sa.select(sa.func.min(w.case_id)).where(of_load).scalar_subquery()
        newest = sa.select(sa.func.max(w.case_id)).where(of_load).scalar_subquery()
        # Without these bounds all newer cases would be scanned before the load's first one.
        statement = statement.where(
            c.id.in_(sa.select(w.case_id).where(of_load)), c.id >= oldest, c.id <= newest
        )
    return statement.where(*_plain(query))


def _statement(tx: Tx, query: CaseQuery) -> sa.Select[Any]:
    c = t.case.c
    statement = matching_cases(tx, query)
    if query.period == Period():
        if query.before_id is not None:
            statement = statement.where(c.id < query.before_id)
        return statement.order_by(c.id.desc()).limit(query.limit + 1)
    # For a period by opening time, which is nearly the same order and avoids a scan back from today.
    if query.before_id is not None:
        last = sa.select(c.opened_at, c.id).where(c.id == query.before_id).correlate(None)
        statement = statement.where(sa.tuple_(c.opened_at, c.id) < last.scalar_subquery())
    return statement.order_by(c.opened_at.desc(), c.id.desc()).limit(query.limit + 1)


def _plain(query: CaseQuery) -> Iterator[sa.ColumnElement[bool]]:
    """The conditions on the case's own columns."""
    c = t.case.c
    for column, word in ((c.grade, query.grade), (c.fraud_type, query.fraud_type), (c.status, query.status)):
        if word is not None:
            # As a literal in the statement: some of these values have a partial index of their own.
            yield column == sa.bindparam(None, word.value, sa.Text, literal_execute=True)
    if unit := query.unit.strip():
        yield c.unit == unit
    for unit_id in (query.unit_id, query.visible_to):
        if unit_id is not None:
            yield is_within_unit(c.unit_id, unit_id)
    if query.period.start is not None:
        yield c.opened_at >= query.period.start
    if query.period.end is not None:
        yield c.opened_at < query.period.end


def case_line(tx: Tx, row: Row) -> CaseLine:
    """The line of a row of `matching_cases`."""
    person = open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])
    return record_of(CaseLine, row, person=mask_person(person))


def seek_person(services: Services, *, phone: str = "", name: str = "", id_number: str = "") -> PersonSearch:
    """A search for a person from typed text, normalised for the blind indexes; four digits are the end of a phone.
    Raises `Invalid`, which never repeats what was typed.
    """
    typed = cleaned(phone)
    is_end = _LAST4.fullmatch(typed) is not None
    e164 = ""
    if typed and not is_end:
        number = normalise_phone(typed, services.centre.area_code)
        if number is None:
            raise Invalid(
                field="phone", problem="is not a telephone number", fix="all of it, or its last four digits"
            )
        e164 = number
    wanted_id = ""
    if id_number.strip():
        wanted_id, is_valid = normalise_id_number(id_number)
        if not is_valid:
            raise Invalid(field="id number", problem="is not a valid resident identity number")
    return PersonSearch(
        phone=e164, last4=typed if is_end else "", name=joined_name(name), id_number=wanted_id
    )


_CASE_DIGITS = 18
_CASE = re.compile(rf"#\s*(\d{{1,{_CASE_DIGITS}}})")
_LAST4 = re.compile(r"[0-9]{4}")
_TABLE, _COLUMN = "search", "sought"
_MOST = 100


class SoughtKind(StrEnum):
    """What a search was understood as."""

    NOTHING = "nothing"
    CASE = "case"
    INSTRUCTION = "instruction"
    PHONE = "phone"
    PHONE_END = "phone_end"
    ID_NUMBER = "id_number"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstoodSearch:
    """A search as it was understood. `shown` can be shown on a page: it is masked if it is personal."""

    kind: SoughtKind
    case_id: int | None = None
    instruction_no: str = ""
    sought: PersonSearch = field(default_factory=PersonSearch)
    shown: str = ""


def interpret_search(services: Services, typed: str) -> UnderstoodSearch:
    """Interprets the text of the search field: `#12` is a case, four digits are the end of a phone, and phones and
    identity numbers are recognised by their form. Other text with a digit in it is an instruction number, and text
    without digits is a name.
    """
    text = cleaned(typed)[:_MOST].strip()
    found = _CASE.fullmatch(text)
    if found is not None:
        return UnderstoodSearch(kind=SoughtKind.CASE, case_id=int(found[1]), shown=f"#{found[1]}")
    person = _person(services, text)
    if person is not None:
        return person
    if any(character.isdigit() for character in text):
        return UnderstoodSearch(kind=SoughtKind.INSTRUCTION, instruction_no=text, shown=text)
    name = joined_name(text)
    if not name:
        return UnderstoodSearch(kind=SoughtKind.NOTHING)
    return UnderstoodSearch(kind=SoughtKind.NAME, sought=PersonSearch(name=name), shown=mask_name(name))


def _person(services: Services, text: str) -> UnderstoodSearch | None:
    """The search for a person by a number alone; None if the text is no such number."""
    if _LAST4.fullmatch(text):
        return UnderstoodSearch(
            kind=SoughtKind.PHONE_END, sought=PersonSearch(last4=text), shown=f"****{text}"
        )
    number, is_valid = normalise_id_number(text)
    if is_valid:
        return UnderstoodSearch(
            kind=SoughtKind.ID_NUMBER, sought=PersonSearch(id_number=number), shown=mask_id_number(number)
        )
    phone = normalise_phone(text, services.centre.area_code)
    if phone is not None:
        return UnderstoodSearch(
            kind=SoughtKind.PHONE, sought=PersonSearch(phone=phone), shown=mask_phone(phone)
        )
    return None


def seal_search(
    services: Services,
    actor: Actor,
    wanted: UnderstoodSearch,
    *,
    good_seconds: float,
    reason: RevealReason | str = "",
    why: str = "",
) -> str:
    """The search for a person, sealed for the address of a page. Only this user can open it, for `good_seconds`. The
    search and its kind are audited, and limited as `note_search` says.
    """
    until = services.real.now() + timedelta(seconds=good_seconds)
    with services.act(actor, Permission.SEE_CASES) as act:
        note_search(act, services, kind=wanted.kind.value, reason=reason, why=why)
    sealed = services.store.vault.seal_record(
        {
            "kind": wanted.kind.value,
            "shown": wanted.shown,
            "until": until.timestamp(),
            **asdict(wanted.sought),
        },
        table=_TABLE,
        column=_COLUMN,
        row=actor.name,
    )
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_search(services: Services, token: str, *, who: str) -> UnderstoodSearch:
    """The search that this user sealed, until it expires. Raises `Invalid` for anything else."""
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        record = services.store.vault.open_record(sealed, table=_TABLE, column=_COLUMN, row=who)
    except (Tampered, KeyMissing, ValueError, binascii.Error, IndexError) as fault:
        raise Invalid(field="who", problem="is not yours: search again") from fault
    if services.real.now().timestamp() >= record["until"]:
        raise Invalid(field="who", problem="was too long ago: search again")
    sought = PersonSearch(**{column.name: record[column.name] for column in fields(PersonSearch)})
    return UnderstoodSearch(kind=SoughtKind(record["kind"]), shown=record["shown"], sought=sought)
