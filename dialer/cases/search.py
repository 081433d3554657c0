"""Cases by what is known of them: phone, name, id number, instruction number, and their present state. Masked, newest
first, a page at a time. What somebody typed is brought to the form of the blind indexes; a person that is searched for
is carried in an address sealed, since nothing personal stands there.
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
    mask_phone,
    masked,
    matching_person_ids,
    open_person,
)
from dialer.core.access import actor_name
from dialer.core.case import CaseStatus
from dialer.core.errors import Invalid
from dialer.core.rates import Period
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.vault import KeyMissing, Tampered
from dialer.intake.cells import cleaned, joined_name
from dialer.intake.phones import normalise_id_number, normalise_phone
from dialer.org.unit_store import is_within_unit
from dialer.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """All that is given must hold; spaces around texts do not count. `period` is of the opening; `before_id` is where
    the last page ended.
    """

    sought: PersonSearch = field(default_factory=PersonSearch)
    instruction_no: str = ""
    source: str = ""
    grade: Grade | None = None
    fraud_type: FraudType | None = None
    status: CaseStatus | None = None
    unit: str = ""
    """As the list wrote it."""
    unit_id: int | None = None
    """This unit and all below."""
    visible_to: int | None = None
    """The unit of the user; None sees the whole centre."""
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
    """'' while the case belongs to no unit of the tree."""
    amount_at_risk_fen: int | None
    missed: bool
    warnings: int
    robot_attempts: int
    opened_at: datetime
    due_at: datetime | None
    drill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One page of found cases."""

    cases: tuple[CaseLine, ...]
    next_before_id: int | None
    """Where the next page begins; None when this is the last."""


def search_cases(services: Services, query: CaseQuery) -> CasePage:
    """One page, newest first."""
    with services.store.begin() as tx:
        rows = tx.rows(_statement(tx, query))
        shown = rows[: query.limit]
        return CasePage(
            cases=tuple(_line(tx, row) for row in shown),
            next_before_id=shown[-1]["id"] if len(rows) > query.limit else None,
        )


def case_lines(tx: Tx, ids: Sequence[int]) -> tuple[CaseLine, ...]:
    """These cases, newest first."""
    rows = tx.rows(_lines().where(t.case.c.id.in_(ids)).order_by(t.case.c.id.desc()))
    return tuple(_line(tx, row) for row in rows)


def visible_among_cases(tx: Tx, ids: Sequence[int], *, visible_to: int | None) -> dict[int, bool]:
    """For each of these cases whether a user of this unit (None: of the centre) sees it."""
    c = t.case.c
    may = sa.true() if visible_to is None else is_within_unit(c.unit_id, visible_to)
    return {
        row["id"]: bool(row["may"]) for row in tx.rows(sa.select(c.id, may.label("may")).where(c.id.in_(ids)))
    }


def _lines() -> sa.Select[Any]:
    """Everything that a line shows."""
    c = t.case.c
    return (
        sa.select(t.case, t.person.c.sealed.label("person_sealed"), t.unit.c.name.label("unit_name"))
        .join(t.person, t.person.c.id == c.person_id)
        .join(t.unit, t.unit.c.id == c.unit_id, isouter=True)
    )


def _statement(tx: Tx, query: CaseQuery) -> sa.Select[Any]:
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
        # Without its ends all newer cases would be walked through before its first.
        statement = statement.where(
            c.id.in_(sa.select(w.case_id).where(of_load)), c.id >= oldest, c.id <= newest
        )
    statement = statement.where(*_plain(query))
    if query.period == Period():
        if query.before_id is not None:
            statement = statement.where(c.id < query.before_id)
        return statement.order_by(c.id.desc()).limit(query.limit + 1)
    # Within days by the moment itself, which is nearly the same order, and need not walk back from today.
    if query.before_id is not None:
        last = sa.select(c.opened_at, c.id).where(c.id == query.before_id).correlate(None)
        statement = statement.where(sa.tuple_(c.opened_at, c.id) < last.scalar_subquery())
    return statement.order_by(c.opened_at.desc(), c.id.desc()).limit(query.limit + 1)


def _plain(query: CaseQuery) -> Iterator[sa.ColumnElement[bool]]:
    """What is asked of the case's own columns."""
    c = t.case.c
    for column, word in ((c.grade, query.grade), (c.fraud_type, query.fraud_type), (c.status, query.status)):
        if word is not None:
            # As it is in the statement: some of these words have an index of their own.
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


def _line(tx: Tx, row: Row) -> CaseLine:
    person = open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])
    return record_of(CaseLine, row, person=masked(person))


def seek_person(services: Services, *, phone: str = "", name: str = "", id_number: str = "") -> PersonSearch:
    """What was typed, in the form of the indexes; a phone of four digits is the end of one. Raises `Invalid`, which
    never repeats what was typed.
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


_CASE = re.compile(r"#\s*(\d{1,18})")
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
class Wanted:
    """`shown` may stand on a page: masked where it is of a person."""

    kind: SoughtKind
    case_id: int | None = None
    instruction_no: str = ""
    sought: PersonSearch = field(default_factory=PersonSearch)
    shown: str = ""


def understand(services: Services, typed: str) -> Wanted:
    """`#12` is a case, four digits are the end of a phone, a phone and an identity number are themselves. Other text
    with a digit in it is the number of an instruction, and text without one a name.
    """
    text = cleaned(typed)[:_MOST].strip()
    found = _CASE.fullmatch(text)
    if found is not None:
        return Wanted(kind=SoughtKind.CASE, case_id=int(found[1]), shown=f"#{found[1]}")
    person = _person(services, text)
    if person is not None:
        return person
    if any(character.isdigit() for character in text):
        return Wanted(kind=SoughtKind.INSTRUCTION, instruction_no=text, shown=text)
    name = joined_name(text)
    if not name:
        return Wanted(kind=SoughtKind.NOTHING)
    return Wanted(kind=SoughtKind.NAME, sought=PersonSearch(name=name), shown=mask_name(name))


def _person(services: Services, text: str) -> Wanted | None:
    """A person who is named by a number alone."""
    if _LAST4.fullmatch(text):
        return Wanted(kind=SoughtKind.PHONE_END, sought=PersonSearch(last4=text), shown=f"****{text}")
    number, is_valid = normalise_id_number(text)
    if is_valid:
        return Wanted(
            kind=SoughtKind.ID_NUMBER, sought=PersonSearch(id_number=number), shown=mask_id_number(number)
        )
    phone = normalise_phone(text, services.centre.area_code)
    if phone is not None:
        return Wanted(kind=SoughtKind.PHONE, sought=PersonSearch(phone=phone), shown=mask_phone(phone))
    return None


def seal_search(services: Services, wanted: Wanted, *, who: str, good_seconds: float) -> str:
    """The person searched for, sealed for an address. Only this user can open it, for `good_seconds`. The search and
    its kind are audited.
    """
    seeker = actor_name(who)
    until = services.real.now() + timedelta(seconds=good_seconds)
    with services.store.begin() as tx:
        subject = f"search/{wanted.kind.value}"
        write_audit(tx, who=seeker, act="search", subject=subject, why="", now=services.clock.now())
    sealed = services.store.vault.seal_record(
        {
            "kind": wanted.kind.value,
            "shown": wanted.shown,
            "until": until.timestamp(),
            **asdict(wanted.sought),
        },
        table=_TABLE,
        column=_COLUMN,
        row=seeker,
    )
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_search(services: Services, token: str, *, who: str) -> Wanted:
    """What this user sealed, while it is good. Raises `Invalid` for anything else."""
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        record = services.store.vault.open_record(sealed, table=_TABLE, column=_COLUMN, row=who)
    except (Tampered, KeyMissing, ValueError, binascii.Error, IndexError) as fault:
        raise Invalid(field="who", problem="is not yours: search again") from fault
    if services.real.now().timestamp() >= record["until"]:
        raise Invalid(field="who", problem="was too long ago: search again")
    sought = PersonSearch(**{one.name: record[one.name] for one in fields(PersonSearch)})
    return Wanted(kind=SoughtKind(record["kind"]), shown=record["shown"], sought=sought)
