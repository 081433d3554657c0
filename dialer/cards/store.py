"""Rows of openings: stored sealed with their blind indexes, and counted by person, phone and agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cards.checks import Facts, Restriction
from dialer.cards.rings import Ring
from dialer.core.cards import (
    OPEN_QUESTIONS,
    CardProduct,
    DeterminationState,
    ObjectionState,
    OpenerState,
    OpeningFactKind,
    OpeningResult,
    QuestionState,
)
from dialer.core.case import CaseStatus
from dialer.core.errors import NotFound
from dialer.db import tables as t
from dialer.db.bulk import IdSet, RowSet, in_words, word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.vault import BlindKind, Vault
from dialer.intake.opening_lists import OpeningRecord
from dialer.retention.erasing import OPENING_PERSONAL
from dialer.runtime.sections import CardsSettings

_MOST_OWN: Final = 400
_MOST_SHARING: Final = 60
_SIMS: Final = frozenset(product for product in CardProduct if product.is_sim)
_OTHER_CLASSES: Final = frozenset({CardProduct.ACCOUNT_2, CardProduct.ACCOUNT_3})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """Where customers open cards. `unit_id`: the centre in charge."""

    id: int
    institution_id: int
    code: str
    name: str
    unit_id: int | None
    institution: str
    is_bank: bool


_OUTLET: Final = sa.select(
    t.outlet,
    t.institution.c.name.label("institution"),
    (t.institution.c.kind == "bank").label("is_bank"),
).join(t.institution, t.institution.c.id == t.outlet.c.institution_id)


def outlet_of(tx: Tx, outlet_id: int) -> Outlet:
    """The outlet with this id. Raises `NotFound`."""
    row = tx.one(_OUTLET.where(t.outlet.c.id == outlet_id))
    if row is None:
        raise NotFound(kind="outlet", key=outlet_id)
    return record_of(Outlet, row)


def outlets_of(tx: Tx, outlet_ids: Iterable[int]) -> dict[int, Outlet]:
    """The outlets with these ids, by id."""
    rows = tx.rows(_OUTLET.where(_OUTLETS.clause), _OUTLETS.given(outlet_ids))
    return {row["id"]: record_of(Outlet, row) for row in rows}


_OUTLETS: Final = IdSet("outlets", t.outlet.c.id)


def outlets_of_institution(tx: Tx, institution_id: int) -> dict[str, Outlet]:
    """The outlets of the institution, by code."""
    rows = tx.rows(_OUTLET.where(t.outlet.c.institution_id == institution_id))
    return {row["code"]: record_of(Outlet, row) for row in rows}


def outlet_of_teller(tx: Tx, staff_id: int) -> Outlet | None:
    """The outlet of this account; None if it is bound to none."""
    row = tx.one(
        _OUTLET.join(t.outlet_teller, t.outlet_teller.c.outlet_id == t.outlet.c.id).where(
            t.outlet_teller.c.staff_id == staff_id
        )
    )
    return None if row is None else record_of(Outlet, row)


def institution_named(tx: Tx, name: str) -> Row:
    """The institution with this name. Raises `NotFound`."""
    row = tx.one(sa.select(t.institution).where(t.institution.c.name == name))
    if row is None:
        raise NotFound(kind="institution", key=name)
    return row


def institution_of_token(tx: Tx, token_name: str) -> Row | None:
    """The institution that sends with this API token; None if there is none."""
    return tx.one(sa.select(t.institution).where(t.institution.c.token_name == token_name))


def has_open_objection(about: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether an objection for which `about` holds waits for somebody who checks it."""
    is_open = t.card_objection.c.state == word_literal(ObjectionState.OPEN)
    return sa.exists().where(about, is_open)


def person_blind(vault: Vault, id_number: str) -> bytes:
    """The blind index of a person, which finds their openings."""
    return vault.blind(id_number, kind=BlindKind.OPENING_PERSON)


def number_blind(vault: Vault, number: str) -> bytes:
    """The blind index of an account or telephone number, which finds its opening."""
    return vault.blind(number, kind=BlindKind.OPENING_NUMBER)


def blinds_of(vault: Vault, record: OpeningRecord) -> dict[str, bytes | None]:
    """The blind columns of an opening; None where the value is missing."""

    def blind(value: str, kind: BlindKind) -> bytes | None:
        return vault.blind(value, kind=kind) if value else None

    return {
        "person_blind": person_blind(vault, record.id_number),
        "phone_blind": blind(record.phone, BlindKind.OPENING_PHONE),
        "address_blind": blind(record.address_key, BlindKind.OPENING_ADDRESS),
        "employer_blind": blind(record.employer, BlindKind.OPENING_EMPLOYER),
        "agent_blind": blind(record.agent, BlindKind.OPENING_AGENT),
        "story_blind": blind(record.story_key, BlindKind.OPENING_STORY),
        "number_blind": blind(record.number or record.iccid, BlindKind.OPENING_NUMBER),
    }


def opening_row(
    vault: Vault,
    record: OpeningRecord,
    *,
    opening_id: int,
    outlet: Outlet,
    source: str,
    by: str,
    drill: bool,
    timezone: str,
    now: datetime,
) -> dict[str, Any]:
    """All columns of the row; what names a person or a card is sealed. `timezone`: that of the centre, for the age."""
    personal = {name: getattr(record, name) for name in OPENING_PERSONAL}
    refused = record.result is OpeningResult.REFUSED
    return {
        "id": opening_id,
        "institution_id": outlet.institution_id,
        "outlet_id": outlet.id,
        "opening_no": record.opening_no,
        "channel": record.channel.value,
        "product": record.product.value,
        "teller": record.teller,
        **blinds_of(vault, record),
        "home": record.home,
        "age": record.age_in(ZoneInfo(timezone)),
        "limit_fen": record.limit_fen,
        "accompanied": record.accompanied,
        "guided": record.guided,
        "asked_at": record.asked_at,
        "opened_at": record.opened_at,
        "entered_at": now,
        "result": record.result.value,
        "decided_by": (record.teller or by) if refused else None,
        "decided_why": record.why if refused else "",
        "sealed": vault.seal_record(personal, table="opening", column="sealed", row=opening_id),
        "source": source,
        "by": by,
        "drill": drill,
    }


def insert_openings(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Inserts the rows whose number their institution has not used; returns the ids of the rows that were inserted."""
    if not rows:
        return set()
    new = insert(t.opening)
    written = tx.execute(
        new.on_conflict_do_nothing(index_elements=["institution_id", "opening_no"]).returning(t.opening.c.id),
        list(rows),
    )
    return {int(one) for one in written.scalars()}


def opening_by_number(tx: Tx, institution_id: int, opening_no: str, *, lock: bool = False) -> Row | None:
    """The opening with this number; None if there is none."""
    c = t.opening.c
    statement = sa.select(t.opening).where(c.institution_id == institution_id, c.opening_no == opening_no)
    return tx.one(statement.with_for_update() if lock else statement)


def latest_openings(tx: Tx, outlet_id: int, *, limit: int) -> list[Row]:
    """The latest openings of an outlet, newest first."""
    c = t.opening.c
    newest = (c.asked_at.desc(), c.id.desc())
    return tx.rows(sa.select(t.opening).where(c.outlet_id == outlet_id).order_by(*newest).limit(limit))


def last_check(tx: Tx, opening_id: int) -> Row | None:
    """The last check of an opening; None if it was not checked."""
    c = t.opening_check.c
    return tx.one(sa.select(t.opening_check).where(c.opening_id == opening_id).order_by(c.id.desc()).limit(1))


def opening_personal(tx: Tx, opening_id: int, sealed: bytes) -> dict[str, Any]:
    """The personal data of an opening, in clear."""
    return tx.vault.open_record(sealed, table="opening", column="sealed", row=opening_id)


def with_earlier(tx: Tx, known: Row, record: OpeningRecord) -> OpeningRecord:
    """The record, completed with what was given about this opening earlier and is missing now. A customer who was
    guided or accompanied stays so.
    """
    personal = opening_personal(tx, known["id"], known["sealed"])
    left_out = {name: personal[name] for name in OPENING_PERSONAL if not getattr(record, name)}
    return replace(
        record,
        teller=record.teller or known["teller"],
        limit_fen=known["limit_fen"] if record.limit_fen is None else record.limit_fen,
        accompanied=record.accompanied or known["accompanied"],
        guided=record.guided or known["guided"],
        **left_out,
    )


_JUDGED: Final = (
    "product", "phone_blind", "address_blind", "employer_blind", "agent_blind", "story_blind", "limit_fen",
    "accompanied", "guided",
)  # fmt: skip
"""The columns that the checks read and that can change."""


def change_opening(tx: Tx, known: Row, row: Mapping[str, Any]) -> Row:
    """Changes the opening to `row` and returns the new row. Its verdict stays only if the columns that the checks read
    are unchanged.
    """
    values = {name: value for name, value in row.items() if name not in {"id", "drill"}}
    if any(row[name] != known[name] for name in _JUDGED):
        values["verdict"] = None
    tx.execute(sa.update(t.opening).where(t.opening.c.id == known["id"]).values(**values))
    return {**known, **values}


def end_questions(tx: Tx, opening_id: int, *, real_now: datetime) -> None:
    """Ends the open question about an opening that the outlet has decided: nobody waits for its answer any more. The
    caller has locked the opening.
    """
    q = t.card_question.c
    tx.execute(
        sa.update(t.card_question)
        .where(q.opening_id == opening_id, in_words(q.state, OPEN_QUESTIONS))
        .values(state=QuestionState.OVERTAKEN.value, changed_at=real_now)
    )


def join_facts(tx: Tx, opening_ids: Iterable[int]) -> None:
    """Attaches facts that were known before their opening was entered."""
    ids = list(opening_ids)
    if ids:
        tx.execute(
            sa.update(t.opening_fact)
            .where(
                t.opening_fact.c.opening_id.is_(None),
                t.opening.c.id.in_(ids),
                t.opening_fact.c.number_blind == t.opening.c.number_blind,
            )
            .values(opening_id=t.opening.c.id)
        )


def write_fact(
    tx: Tx, number: str, kind: OpeningFactKind, *, source: str, by: str, at: datetime, now: datetime
) -> bool:
    """Records that a card is involved, closed, or used far away; False if it was known. The number
    finds the opening.
    """
    blind = number_blind(tx.vault, number)
    opening_id = tx.scalar(
        sa.select(t.opening.c.id)
        .where(t.opening.c.number_blind == blind)
        .order_by(t.opening.c.asked_at.desc())
        .limit(1)
    )
    done = tx.execute(
        insert(t.opening_fact)
        .values(
            number_blind=blind,
            kind=kind.value,
            opening_id=opening_id,
            source=source,
            by=by,
            at=at,
            entered_at=now,
        )
        .on_conflict_do_nothing(index_elements=["number_blind", "kind"])
    )
    return bool(done.rowcount)


_o = t.opening.c
_f = t.opening_fact.c
_ASKED = RowSet(
    "asked",
    {
        "place": sa.Integer(),
        "person": sa.LargeBinary(),
        "phone": sa.LargeBinary(),
        "agent": sa.LargeBinary(),
        "phone_as_number": sa.LargeBinary(),
        "warned": sa.ARRAY(sa.LargeBinary()),
        "at": sa.DateTime(timezone=True),
    },
)
_a = _ASKED.c


def _own() -> sa.Select[Any]:
    own = (
        sa.select(_o.id, _o.asked_at, _o.institution_id, _o.outlet_id, _o.product, _o.result)
        .where(_o.person_blind == _a.person, _o.asked_at <= _a.at)
        .order_by(_o.asked_at.desc())
        .limit(_MOST_OWN)
        .correlate(_ASKED.clause)
        .lateral("own")
    )
    return sa.select(_a.place, own).select_from(_ASKED.clause.join(own, sa.true()))


_OWN: Final = _own()


def _persons_sharing(
    column: sa.ColumnElement[Any], value: sa.ColumnElement[Any], days: int
) -> sa.ColumnElement[int]:
    few = (
        sa.select(_o.person_blind)
        .where(
            column == value,
            _o.asked_at >= _a.at - sa.literal(timedelta(days=days), sa.Interval()),
            _o.asked_at <= _a.at,
        )
        .limit(_MOST_SHARING)
        .correlate(_ASKED.clause)
        .subquery()
    )
    return (
        sa.select(sa.func.count(sa.distinct(few.c.person_blind))).correlate(_ASKED.clause).scalar_subquery()
    )


_of_person = (
    sa.select(sa.func.count())
    .select_from(t.opening_fact.join(t.opening, _o.id == _f.opening_id))
    .where(_o.person_blind == _a.person)
    .correlate(_ASKED.clause)
)
_AROUND: Final = sa.select(
    _a.place,
    _persons_sharing(_o.phone_blind, _a.phone, 90).label("phone_persons"),
    _persons_sharing(_o.agent_blind, _a.agent, 30).label("agent_persons"),
    sa.exists()
    .where(
        _o.number_blind == _a.phone_as_number,
        _o.person_blind != _a.person,
        _o.result == word_literal(OpeningResult.OPENED),
    )
    .label("phone_of_another"),
    _of_person.where(_f.kind == word_literal(OpeningFactKind.INVOLVED)).scalar_subquery().label("involved"),
    _of_person.where(_f.kind == word_literal(OpeningFactKind.USED_FAR)).scalar_subquery().label("used_far"),
    sa.exists()
    .where(
        t.card_opener.c.person_blind == _a.person,
        t.card_opener.c.state == word_literal(OpenerState.CONFIRMED),
        t.card_opener.c.expires_at > _a.at,
    )
    .label("confirmed"),
    sa.exists()
    .where(
        t.person.c.id_number_blind == sa.any_(_a.warned),
        t.case.c.person_id == t.person.c.id,
        t.case.c.status == word_literal(CaseStatus.OPEN),
    )
    .label("open_case"),
).select_from(_ASKED.clause)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningAsOf:
    """An opening whose facts are needed as of `at`. `row` has its columns; phone and id number are in clear."""

    row: Mapping[str, Any]
    phone: str
    id_number: str
    outlet: Outlet
    ring: Ring
    at: datetime


def read_facts(tx: Tx, asked: Sequence[OpeningAsOf], *, rules: CardsSettings) -> list[Facts]:
    """The facts of each opening, itself included, in two queries for all. All windows end at `at`."""
    vault = tx.vault
    given = _ASKED.given(
        [
            {
                "place": place,
                "person": one.row["person_blind"],
                "phone": one.row["phone_blind"],
                "agent": one.row["agent_blind"],
                "phone_as_number": number_blind(vault, one.phone) if one.phone else None,
                "warned": list(vault.blinds(one.id_number, kind=BlindKind.ID_NUMBER)),
                "at": one.at.isoformat(),
            }
            for place, one in enumerate(asked)
        ]
    )
    own: dict[int, list[Row]] = {}
    for row in tx.rows(_OWN, given):
        own.setdefault(row["place"], []).append(row)
    around = {row["place"]: row for row in tx.rows(_AROUND, given)}
    return [_facts(one, own.get(place, ()), around[place], rules) for place, one in enumerate(asked)]


def _facts(asked: OpeningAsOf, own: Sequence[Row], around: Row, rules: CardsSettings) -> Facts:
    row, ring = asked.row, asked.ring
    found = ring.is_found
    return Facts(
        **_counts([one for one in own if one["id"] != row["id"]], asked, rules=rules),
        involved=around["involved"],
        used_far=around["used_far"],
        confirmed=int(around["confirmed"]),
        phone_of_another=int(around["phone_of_another"]),
        phone_persons=max(1, around["phone_persons"]),
        agent_persons=around["agent_persons"],
        out_of_town=int(not row["home"].startswith(rules.home_prefix)),
        top_limit=int((row["limit_fen"] or 0) >= rules.top_limit_fen),
        accompanied=int(row["accompanied"]),
        guided=int(row["guided"]),
        open_case=int(around["open_case"]),
        age=row["age"],
        ring_points=ring.points if found else 0,
        ring_persons=ring.persons if found else 0,
        ring_cards=ring.cards if found else 0,
    )


def _counts(others: Sequence[Row], asked: OpeningAsOf, *, rules: CardsSettings) -> dict[str, int]:
    """The counts over `others`, the other openings of the same person, plus this one."""
    outlet = asked.outlet

    def since(**span: float) -> list[Row]:
        begin = asked.at - timedelta(**span)
        return [row for row in others if row["asked_at"] >= begin and row["result"] != "abandoned"]

    week = since(days=7)
    here = [
        row for row in others if row["institution_id"] == outlet.institution_id and row["result"] == "opened"
    ]
    product = CardProduct(asked.row["product"])
    if product in _SIMS:
        same, ceiling = sum(row["product"] in _SIMS for row in here), rules.sim_ceiling
    elif product in _OTHER_CLASSES:
        same, ceiling = sum(row["product"] in _OTHER_CLASSES for row in here), rules.other_class_ceiling
    else:
        same, ceiling = sum(row["product"] == product.value for row in here), rules.first_class_ceiling
    is_counted = product is not CardProduct.CORPORATE
    refused = [row for row in since(days=30) if row["result"] == "refused" and row["outlet_id"] != outlet.id]
    return {
        "cards_24h": 1 + len(since(hours=24)),
        "cards_7d": 1 + len(week),
        "cards_30d": 1 + len(since(days=30)),
        "cards_90d": 1 + len(since(days=90)),
        "institutions_7d": len({outlet.institution_id, *(row["institution_id"] for row in week)}),
        "accounts_7d": sum(row["product"] not in _SIMS for row in week) + (product not in _SIMS),
        "sims_7d": sum(row["product"] in _SIMS for row in week) + (product in _SIMS),
        "over_ceiling": int(is_counted and same + 1 > ceiling),
        "ceiling": ceiling,
        "refused_elsewhere_30d": len(refused),
    }


def restrictions_of(tx: Tx, blinds: Iterable[bytes], *, on: date) -> dict[bytes, Restriction]:
    """The determination in force on this day, by person; of several the one that ends last."""
    c = t.card_determination.c
    wanted = _PERSONS.given(blinds)
    rows = tx.rows(_IN_FORCE.where(c.from_on <= on, c.until_on > on), wanted)
    return {bytes(row["person_blind"]): record_of(Restriction, row) for row in rows}


_PERSONS: Final = IdSet("persons", t.card_determination.c.person_blind)
_IN_FORCE: Final = (
    sa.select(t.card_determination)
    .where(_PERSONS.clause, t.card_determination.c.state == word_literal(DeterminationState.IN_FORCE))
    .order_by(t.card_determination.c.until_on)
)
