"""The counter: an opening is checked while the customer is there, and entered with its result. A check belongs to one
opening in progress of one person, so that nobody can browse people; each check is audited, and many in an hour at one
outlet raise an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dialer.cards.checks import CheckResult, shipped_checks
from dialer.cards.ring_store import OpeningFinder, list_frequent_opener, node_of, store_ring
from dialer.cards.rings import find_rings
from dialer.cards.store import (
    OpeningAsOf,
    Outlet,
    change_opening,
    end_questions,
    insert_openings,
    join_facts,
    number_blind,
    opening_by_number,
    opening_row,
    outlet_of,
    person_blind,
    read_facts,
    restrictions_of,
    with_earlier,
)
from dialer.cases.store import take_next_ids
from dialer.core.access import actor_name, required_text
from dialer.core.cards import CardProduct, CheckVerdict, OpeningResult
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Row, Tx
from dialer.intake.headings import Layout
from dialer.intake.opening_lists import OpeningRecord, card_number
from dialer.intake.reader import RowReader
from dialer.intake.records import Accepted, Field
from dialer.runtime.services import Services
from dialer.warnings.arrivals import prepare_arrivals, take_arrivals
from dialer.warnings.lists import row_options

WARNING_SOURCE: Final = "两卡核查"
"""The source of the warnings about openers who may be victims."""
_WARNING_FIELDS: Final = (
    Field.INSTRUCTION_NO,
    Field.NAME,
    Field.PHONE,
    Field.ID_NUMBER,
    Field.GRADE,
    Field.ADDRESS,
    Field.UNIT,
    Field.REMARKS,
)
_LAYOUT: Final = Layout(headings=tuple(field.value for field in _WARNING_FIELDS), fields=_WARNING_FIELDS)
_RATE_SECONDS: Final = 3600
_STORED: Final = timedelta(days=30)
"""An account whose `asked_at` is this long before the check counts as a stored account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOpening:
    """The result of checking one opening. `case_id`: the case of a possible victim, if a warning was opened."""

    opening_id: int
    check_id: int
    answer: CheckResult
    case_id: int | None = None


def check_opening(
    services: Services, record: OpeningRecord, *, outlet_id: int, by: str, source: str
) -> CheckedOpening:
    """Opens, or finds, the opening in progress and checks it with the data given now, as of this moment. Raises
    `NotFound` for the outlet, and `Conflict` if the number belongs to an opening of another person or outlet, or to a
    finished one.
    """
    by, now = actor_name(by), services.clock.now()
    record = replace(record, asked_at=now)
    with services.store.begin() as tx:
        outlet = outlet_of(tx, outlet_id)
        row, record = _in_progress(tx, services, record, outlet, by=by, source=source, now=now)
        opening_id: int = row["id"]
        [(answer, _)] = check_openings(
            tx,
            services,
            [ToCheck(row=row, phone=record.phone, id_number=record.id_number, outlet=outlet, at=now)],
        )
        [check_id] = take_next_ids(tx, t.opening_check, 1)
        tx.execute(
            sa.insert(t.opening_check).values(
                id=check_id,
                opening_id=opening_id,
                outlet_id=outlet.id,
                verdict=answer.verdict.value,
                version=answer.version,
                findings=[one.plain() for one in answer.findings],
                by=by,
                at=now,
            )
        )
        tx.execute(
            sa.update(t.opening).where(t.opening.c.id == opening_id).values(verdict=answer.verdict.value)
        )
        case_id = None
        if any(one.verdict is CheckVerdict.POSSIBLE_VICTIM for one in answer.findings):
            case_id = _open_warning(tx, services, record, opening_id, outlet, now=now)
        _watch_rate(tx, services, outlet, now=now)
        facts = {"outlet": outlet.code, "verdict": answer.verdict.value, "version": answer.version}
        subject = f"opening/{opening_id}"
        write_audit(tx, who=by, act="check_opening", subject=subject, why="", now=now, facts=facts)
    if case_id is not None:
        services.enqueue("dial")
    return CheckedOpening(opening_id=opening_id, check_id=check_id, answer=answer, case_id=case_id)


def _in_progress(
    tx: Tx, services: Services, record: OpeningRecord, outlet: Outlet, *, by: str, source: str, now: datetime
) -> tuple[Row, OpeningRecord]:
    """The row of the opening, and everything that was given about it, now or at an earlier check."""
    [opening_id] = take_next_ids(tx, t.opening, 1)

    def row_of(given: OpeningRecord, row_id: int) -> dict[str, Any]:
        return _row(tx, services, given, outlet, opening_id=row_id, by=by, source=source, now=now)

    row = row_of(record, opening_id)
    if insert_openings(tx, [row]):
        return row, record
    known = opening_by_number(tx, outlet.institution_id, record.opening_no, lock=True)
    assert known is not None
    _require_same_opening(tx, known, record, outlet)
    if known["result"] != OpeningResult.IN_PROGRESS.value:
        raise Conflict(
            "this opening has its result already: check before it is decided", current=known["result"]
        )
    whole = with_earlier(tx, known, record)
    return change_opening(tx, known, row_of(whole, known["id"])), whole


def _row(
    tx: Tx,
    services: Services,
    record: OpeningRecord,
    outlet: Outlet,
    *,
    opening_id: int,
    by: str,
    source: str,
    now: datetime,
) -> dict[str, Any]:
    return opening_row(
        tx.vault,
        record,
        opening_id=opening_id,
        outlet=outlet,
        source=source,
        by=by,
        drill=services.drill,
        timezone=services.centre.timezone,
        now=now,
    )


def _require_same_opening(tx: Tx, known: Row, record: OpeningRecord, outlet: Outlet) -> None:
    same_person = bytes(known["person_blind"]) == person_blind(tx.vault, record.id_number)
    if known["outlet_id"] != outlet.id or not same_person:
        raise Conflict(
            "this opening number belongs to another opening: use a number of its own", current="number"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCheck:
    """An opening with its row and outlet; phone and id number in clear. `at`: the moment as of which it is checked."""

    row: Row
    phone: str
    id_number: str
    outlet: Outlet
    at: datetime


def check_openings(tx: Tx, services: Services, given: Sequence[ToCheck]) -> list[tuple[CheckResult, bool]]:
    """The results of the checks for these openings, each as of its moment; findings are valid from now on. Stores the
    rings, and puts persons who are asked about on the morning list (True). The number of queries does not depend
    on the number of openings.
    """
    now, rules = services.clock.now(), services.cards
    starts = [replace(node_of(one.row, rules), at=one.at) for one in given]
    rings = find_rings(starts, OpeningFinder(tx, rules))
    asked = [
        OpeningAsOf(
            row=one.row,
            phone=one.phone,
            id_number=one.id_number,
            outlet=one.outlet,
            ring=ring,
            at=one.at,
        )
        for one, ring in zip(given, rings, strict=True)
    ]
    facts = read_facts(tx, asked, rules=rules)
    zone = services.centre.zone
    day = now.astimezone(zone).date()
    restricted = restrictions_of(tx, [bytes(one.row["person_blind"]) for one in given], on=day)
    checks = shipped_checks()
    answers = [
        checks.answer(found, now=now, restriction=restricted.get(bytes(one.row["person_blind"])), zone=zone)
        for one, found in zip(given, facts, strict=True)
    ]
    # Rings first, then persons in a fixed order, so that two processes that list the same people never deadlock.
    kept: dict[frozenset[int], int] = {}
    ring_ids: list[int | None] = []
    for ring in rings:
        ids = frozenset(node.id for node in ring.nodes)
        if ring.is_found and ids not in kept:
            kept[ids] = store_ring(tx, ring, now=now)
        ring_ids.append(kept[ids] if ring.is_found else None)
    listed = [False] * len(given)
    for place in sorted(range(len(given)), key=lambda one: bytes(given[one].row["person_blind"])):
        one, stored = given[place], now - given[place].at > _STORED
        grave = [found for found in answers[place].findings if checks.puts_on_list(found, stored=stored)]
        listed[place] = list_frequent_opener(
            tx, one.row, grave, unit_id=one.outlet.unit_id, ring_id=ring_ids[place], now=now
        )
    return list(zip(answers, listed, strict=True))


def _open_warning(
    tx: Tx, services: Services, record: OpeningRecord, opening_id: int, outlet: Outlet, *, now: datetime
) -> int | None:
    """Opens a warning about the person in the same way as all warnings, at most one for an opening, and returns its
    case. None if it could not be opened: no phone was left, or the warning is there already.
    """
    tree = services.units.current(tx)
    cells = {
        Field.INSTRUCTION_NO: f"K-{opening_id}",
        Field.NAME: record.name,
        Field.PHONE: record.phone,
        Field.ID_NUMBER: record.id_number,
        Field.GRADE: "high",
        Field.ADDRESS: record.address,
        Field.UNIT: tree.label(outlet.unit_id) if outlet.unit_id is not None else "",
        Field.REMARKS: f"{outlet.institution} {outlet.name}",
    }
    options = row_options(services, source=WARNING_SOURCE, now=now, tree=tree)
    read = RowReader(layout=_LAYOUT, options=options).read(1, [cells[field] for field in _WARNING_FIELDS])
    if not isinstance(read, Accepted):
        return None
    taken = take_arrivals(tx, services, prepare_arrivals(tx, services, [read], load_id=None, now=now))
    return taken.case_ids[0]


def _watch_rate(tx: Tx, services: Services, outlet: Outlet, *, now: datetime) -> None:
    c = t.opening_check.c
    made = tx.scalar(
        sa.select(sa.func.count()).where(
            c.outlet_id == outlet.id, c.at > now - timedelta(seconds=_RATE_SECONDS)
        )
    )
    if made > services.cards.checks_per_hour:
        facts = {"outlet": outlet.code, "institution": outlet.institution, "checks": made}
        raise_alarm_once(tx, AlarmCode.MANY_OPENING_CHECKS, now=now, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredOpenings:
    """The result of entering openings."""

    new: int = 0
    completed: int = 0
    """Openings that had been checked and now have their result."""
    duplicate: int = 0
    ids: tuple[int, ...] = ()
    """In the order given, duplicates included."""
    refused: tuple[tuple[int, str], ...] = ()
    """Places and reasons of the openings whose number belongs to another opening."""


def enter_openings(
    services: Services, tx: Tx, records: Sequence[tuple[OpeningRecord, Outlet]], *, by: str, source: str
) -> EnteredOpenings:
    """Enters openings in the caller's transaction, each once under its number. An opening that was checked gets its
    result; if it differs from what was checked, the screening checks it again.
    """
    by, now = actor_name(by), services.clock.now()
    ids = take_next_ids(tx, t.opening, len(records))
    rows = [
        _row(tx, services, record, outlet, opening_id=opening_id, by=by, source=source, now=now)
        for (record, outlet), opening_id in zip(records, ids, strict=True)
    ]
    written = insert_openings(tx, rows)
    found: list[int] = []
    refused: list[tuple[int, str]] = []
    completed = duplicate = 0
    for place, ((record, outlet), row) in enumerate(zip(records, rows, strict=True)):
        if row["id"] in written:
            found.append(row["id"])
            continue
        known = opening_by_number(tx, outlet.institution_id, record.opening_no, lock=True)
        assert known is not None
        try:
            _require_same_opening(tx, known, record, outlet)
        except Conflict as fault:
            refused.append((place, str(fault.text)))
            continue
        found.append(known["id"])
        if (
            known["result"] == OpeningResult.IN_PROGRESS.value
            and record.result is not OpeningResult.IN_PROGRESS
        ):
            whole = replace(with_earlier(tx, known, record), asked_at=known["asked_at"])
            done = _row(tx, services, whole, outlet, opening_id=known["id"], by=by, source=source, now=now)
            change_opening(tx, known, done)
            end_questions(tx, known["id"], real_now=services.real.now())
            completed += 1
        else:
            duplicate += 1
    join_facts(tx, found)
    return EnteredOpenings(
        new=len(written), completed=completed, duplicate=duplicate, ids=tuple(found), refused=tuple(refused)
    )


def finish_opening(
    services: Services,
    opening_id: int,
    *,
    result: OpeningResult,
    why: str,
    number: str,
    outlet_id: int,
    by: str,
) -> None:
    """Records the result of an opening in progress, and ends its question to the desk. Only a person refuses, and
    gives a reason. Raises `NotFound`,
    `Invalid`, and `Conflict` when it has its result already.
    """
    by, now = actor_name(by), services.clock.now()
    if result is OpeningResult.IN_PROGRESS:
        raise Invalid(field="result", problem="is not chosen", fix="choose one of the list")
    reason = required_text("why", why) if result is OpeningResult.REFUSED else why.strip()
    with services.store.begin() as tx:
        row = own_opening(tx, opening_id, outlet_id=outlet_id, lock=True)
        if row["result"] != OpeningResult.IN_PROGRESS.value:
            raise Conflict("this opening has its result already", current=row["result"])
        values: dict[str, Any] = {"result": result.value, "decided_by": by, "decided_why": reason}
        if result is OpeningResult.OPENED:
            values["opened_at"] = now
        product = CardProduct(row["product"])
        if given := card_number(product, number, services.centre.area_code):
            personal = tx.vault.open_record(row["sealed"], table="opening", column="sealed", row=opening_id)
            personal["number"] = given
            values["sealed"] = tx.vault.seal_record(
                personal, table="opening", column="sealed", row=opening_id
            )
            values["number_blind"] = number_blind(tx.vault, given)
        tx.execute(sa.update(t.opening).where(t.opening.c.id == opening_id).values(**values))
        end_questions(tx, opening_id, real_now=services.real.now())
        join_facts(tx, [opening_id])
        facts = {"result": result.value}
        subject = f"opening/{opening_id}"
        write_audit(tx, who=by, act="finish_opening", subject=subject, why=reason, now=now, facts=facts)


def own_opening(tx: Tx, opening_id: int, *, outlet_id: int, lock: bool = False) -> Row:
    """An opening of this outlet. Raises `NotFound`."""
    c = t.opening.c
    statement = sa.select(t.opening).where(c.id == opening_id, c.outlet_id == outlet_id)
    row = tx.one(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound(kind="opening", key=opening_id)
    return row
