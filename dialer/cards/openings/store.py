"""Rows of institutions, outlets and openings; an opening is stored sealed with its blind indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.persons import mask_id_number, mask_name, mask_phone
from dialer.cases.store import take_next_ids
from dialer.core.cards import (
    CheckVerdict,
    InstitutionKind,
    OpeningFactKind,
    OpeningResult,
)
from dialer.core.errors import NotFound
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.bulk import IdSet, RowSet
from dialer.db.system_state import UNCHECKED_OPENING
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to
from dialer.db.vault import BlindKind, Vault
from dialer.intake.opening_lists import OpeningRecord
from dialer.retention.erasing import OPENING_PERSONAL
from dialer.runtime.services import Services


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


def visible_outlets(tx: Tx, *, visible_to: int | None) -> dict[int, Outlet]:
    """The outlets that the unit sees, by id."""
    rows = tx.rows(_OUTLET.where(is_visible_to(t.outlet.c.unit_id, visible_to)))
    return {row["id"]: record_of(Outlet, row) for row in rows}


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


def put_institution(tx: Tx, name: str, *, kind: InstitutionKind, token_name: str | None) -> int:
    """Adds the institution, or changes its kind and token; returns its id."""
    values = {"kind": kind.value, "token_name": token_name}
    return _put(tx, t.institution, {"name": name}, values)


def put_outlet(tx: Tx, institution_id: int, code: str, *, name: str, unit_id: int | None) -> int:
    """Adds the outlet, or changes its name and unit; returns its id."""
    key = {"institution_id": institution_id, "code": code}
    return _put(tx, t.outlet, key, {"name": name, "unit_id": unit_id})


def _put(tx: Tx, table: sa.Table, key: Mapping[str, object], values: Mapping[str, object]) -> int:
    row = insert(table).values(**key, **values)
    statement = row.on_conflict_do_update(index_elements=list(key), set_=values)
    return int(tx.scalar(statement.returning(*table.primary_key.columns)))


def put_teller(tx: Tx, staff_id: int, outlet_id: int) -> None:
    """Binds the account to this outlet."""
    _put(tx, t.outlet_teller, {"staff_id": staff_id}, {"outlet_id": outlet_id})


def put_report(tx: Tx, outlet_id: int, day: date, reported: int) -> None:
    """Stores how many openings the institution reports for the outlet on this day."""
    _put(tx, t.outlet_report, {"outlet_id": outlet_id, "day": day}, {"reported": reported})


def institution_of_token(tx: Tx, token_name: str) -> Row | None:
    """The institution that sends with this API token; None if there is none."""
    return tx.one(sa.select(t.institution).where(t.institution.c.token_name == token_name))


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
    tx: Tx,
    services: Services,
    record: OpeningRecord,
    outlet: Outlet,
    *,
    opening_id: int,
    source: str,
    by: str,
) -> dict[str, Any]:
    """All columns of the row; what names a person or a card is sealed."""
    vault = tx.vault
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
        "age": record.age_in(services.centre.zone),
        "limit_fen": record.limit_fen,
        "accompanied": record.accompanied,
        "guided": record.guided,
        "asked_at": record.asked_at,
        "opened_at": record.opened_at,
        "entered_at": services.clock.now(),
        "result": record.result.value,
        "decided_by": (record.teller or by) if refused else None,
        "decided_why": record.why if refused else "",
        "sealed": seal_opening(tx, opening_id, personal),
        "source": source,
        "by": by,
        "drill": services.drill,
    }


def new_opening_ids(tx: Tx, count: int) -> list[int]:
    """The ids of so many new openings."""
    return take_next_ids(tx, t.opening, count)


def insert_openings(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Inserts the rows whose number their institution has not used; returns the ids of the rows that were inserted."""
    if not rows:
        return set()
    new = insert(t.opening)
    written = tx.execute(
        new.on_conflict_do_nothing(index_elements=["institution_id", "opening_no"]).returning(t.opening.c.id),
        list(rows),
    )
    return set(written.scalars())


def lock_opening_numbered(tx: Tx, institution_id: int, opening_no: str) -> Row:
    """The opening with this number, which is known to exist, locked."""
    c = t.opening.c
    statement = sa.select(t.opening).where(c.institution_id == institution_id, c.opening_no == opening_no)
    row = tx.one(statement.with_for_update())
    assert row is not None
    return row


def own_opening(tx: Tx, opening_id: int, *, outlet_id: int, lock: bool = False) -> Row:
    """An opening of this outlet. Raises `NotFound`."""
    c = t.opening.c
    statement = sa.select(t.opening).where(c.id == opening_id, c.outlet_id == outlet_id)
    row = tx.one(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound(kind="opening", key=opening_id)
    return row


def openings_with(tx: Tx, ids: Sequence[int]) -> list[Row]:
    """The openings with these ids, in this order of ids."""
    c = t.opening.c
    return tx.rows(sa.select(t.opening).where(c.id.in_(ids)).order_by(c.id)) if ids else []


def latest_openings(tx: Tx, outlet_id: int, *, limit: int) -> list[Row]:
    """The latest openings of an outlet, newest first."""
    c = t.opening.c
    newest = (c.asked_at.desc(), c.id.desc())
    return tx.rows(sa.select(t.opening).where(c.outlet_id == outlet_id).order_by(*newest).limit(limit))


def opening_personal(tx: Tx, opening_id: int, sealed: bytes) -> dict[str, Any]:
    """The personal data of an opening, in clear."""
    return tx.vault.open_record(sealed, **_place(opening_id))


def seal_opening(tx: Tx, opening_id: int, personal: Mapping[str, object]) -> bytes:
    """The personal data of an opening, sealed for its row."""
    return tx.vault.seal_record(personal, **_place(opening_id))


def _place(opening_id: int) -> dict[str, Any]:
    return {"table": "opening", "column": "sealed", "row": opening_id}


def masked_opener(tx: Tx, opening_id: int, sealed: bytes) -> dict[str, Any]:
    """The personal data of an opening with name and numbers masked and the rest emptied, as everybody at the desk sees
    it.
    """
    person = opening_personal(tx, opening_id, sealed)
    hidden = dict.fromkeys(("address", "agent", "employer", "number", "iccid"), "")
    return {
        **person,
        **hidden,
        "name": mask_name(person["name"]),
        "id_number": mask_id_number(person["id_number"]),
        "phone": mask_phone(person["phone"]) if person["phone"] else "",
    }


def set_result(tx: Tx, opening_id: int, **columns: object) -> None:
    """Stores the columns of the result of an opening."""
    tx.execute(sa.update(t.opening).where(t.opening.c.id == opening_id).values(columns))


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


def write_fact(act: OpenAct, number: str, kind: OpeningFactKind, *, source: str, at: datetime) -> bool:
    """Records that a card is involved, closed, or used far away; False if it was known. The number finds the
    opening.
    """
    tx, c = act.tx, t.opening.c
    blind = number_blind(tx.vault, number)
    newest = sa.select(c.id).where(c.number_blind == blind).order_by(c.asked_at.desc()).limit(1)
    written = tx.scalar(
        insert(t.opening_fact)
        .values(
            number_blind=blind,
            kind=kind.value,
            opening_id=tx.scalar(newest),
            source=source,
            by=act.by,
            at=at,
            entered_at=act.now,
        )
        .on_conflict_do_nothing(index_elements=["number_blind", "kind"])
        .returning(t.opening_fact.c.id)
    )
    return written is not None


def count_unchecked(tx: Tx) -> int:
    """How many openings have no verdict."""
    return int(tx.scalar(sa.select(sa.func.count()).select_from(t.opening).where(UNCHECKED_OPENING)))


SHARDS: Final = 2
_IDS_PER_STRIPE: Final = 512
"""How many ids in a row belong to one shard."""
_SCREEN_LOCK: Final = 0x53435200
_FOUND: Final = RowSet("found", {"id": sa.BigInteger(), "verdict": sa.Text()})


def unchecked_openings(tx: Tx, *, after: int, shard: int, limit: int) -> list[Row]:
    """The next openings of a shard without a verdict, in the order of their ids; none while another process works on
    the shard.
    """
    if not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_SCREEN_LOCK + shard))):
        return []
    c = t.opening.c
    is_mine = (c.id // _IDS_PER_STRIPE) % SHARDS == shard
    wanted = sa.select(t.opening).where(UNCHECKED_OPENING, c.id > after, is_mine)
    return tx.rows(wanted.order_by(c.id).limit(limit))


def store_verdicts(tx: Tx, verdicts: Mapping[int, CheckVerdict]) -> None:
    """Stores the verdicts, by the id of the opening, of those that have none."""
    found = [{"id": opening_id, "verdict": verdict.value} for opening_id, verdict in verdicts.items()]
    c = t.opening.c
    tx.execute(
        sa.update(t.opening).where(c.id == _FOUND.c.id, c.verdict.is_(None)).values(verdict=_FOUND.c.verdict),
        _FOUND.given(found),
    )
