"""Calls that callers had put through. While one is under way it holds the person's number, as a robot's ring does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.domain.errand import DeskCallState
from dialer.domain.values import TelephonyResult
from dialer.errors import NotFound
from dialer.store import returns
from dialer.store import tables as t
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCall:
    id: uuid.UUID
    assignment_id: int
    case_id: int
    person_id: int
    number: int
    """Which of the person's numbers, from 0."""
    extension: str
    by: str
    state: DeskCallState
    sid: str | None
    asked_at: datetime
    joined_at: datetime | None
    ended_at: datetime | None
    result: TelephonyResult | None
    """What the person's telephone did."""
    talk_seconds: int | None
    settled: bool
    """True: the carrier need not be asked any more."""


_NAMES = (
    "id",
    "assignment_id",
    "case_id",
    "person_id",
    "number",
    "extension",
    "by",
    "state",
    "sid",
    "asked_at",
    "joined_at",
    "ended_at",
    "result",
    "talk_seconds",
    "settled",
)


def _call(row: Mapping[str, Any]) -> DeskCall:
    values = {name: row[name] for name in _NAMES}
    values["state"] = DeskCallState(row["state"])
    values["result"] = TelephonyResult(row["result"]) if row["result"] else None
    return DeskCall(**values)


def take_number(tx: Tx, call_id: uuid.UUID, *, person_id: int, number: int) -> bool:
    """The number is this call's; False when somebody talks on it or it rings now. A rest after a ring is not waited."""
    blind = tx.scalar(
        sa.select(t.person_phone.c.phone_blind).where(
            t.person_phone.c.person_id == person_id, t.person_phone.c.position == number
        )
    )
    if blind is None:
        raise NotFound(kind="telephone number", key=number)
    taking = insert(t.live_number).values(phone_blind=blind, attempt_id=call_id)
    taken = tx.scalar(
        taking.on_conflict_do_update(
            index_elements=["phone_blind"],
            set_={"attempt_id": taking.excluded.attempt_id, "free_at": None},
            where=t.live_number.c.attempt_id.is_(None),
        ).returning(t.live_number.c.attempt_id)
    )
    return taken is not None


def add(
    tx: Tx,
    call_id: uuid.UUID,
    *,
    assignment_id: int,
    case_id: int,
    person_id: int,
    number: int,
    extension: str,
    by: str,
    drill: bool,
    now: datetime,
    real_now: datetime,
) -> None:
    tx.execute(
        sa.insert(t.desk_call).values(
            id=call_id,
            assignment_id=assignment_id,
            case_id=case_id,
            person_id=person_id,
            number=number,
            extension=extension,
            by=by,
            state=DeskCallState.ASKED.value,
            asked_at=now,
            asked_real_at=real_now,
            drill=drill,
        )
    )


def lock(tx: Tx, call_id: uuid.UUID) -> DeskCall:
    row = tx.one(sa.select(t.desk_call).where(t.desk_call.c.id == call_id).with_for_update())
    if row is None:
        raise NotFound(kind="call", key=call_id)
    return _call(row)


def of_case(tx: Tx, case_id: int) -> list[DeskCall]:
    statement = sa.select(t.desk_call).where(t.desk_call.c.case_id == case_id)
    return [_call(row) for row in tx.rows(statement.order_by(t.desk_call.c.asked_at, t.desk_call.c.id))]


def change(tx: Tx, call_id: uuid.UUID, **values: object) -> None:
    tx.execute(sa.update(t.desk_call).where(t.desk_call.c.id == call_id).values(**values))


def end(
    tx: Tx,
    call: DeskCall,
    *,
    result: TelephonyResult,
    talk_seconds: int | None,
    settled: bool,
    now: datetime,
    free_at: datetime,
) -> None:
    """Over; the number rests until `free_at`."""
    change(
        tx,
        call.id,
        state=DeskCallState.ENDED.value,
        result=result.value,
        talk_seconds=talk_seconds,
        settled=settled,
        ended_at=call.ended_at or now,
    )
    if call.state is not DeskCallState.ENDED:
        returns.free_numbers(tx, [call.id], free_at=free_at)


def unsettled(tx: Tx, *, limit: int = 200) -> list[tuple[DeskCall, datetime]]:
    """Calls whose last word is not known, with the real moment at which the carrier was asked; the oldest first."""
    statement = (
        sa.select(t.desk_call)
        .where(~t.desk_call.c.settled)
        .order_by(t.desk_call.c.asked_real_at)
        .limit(limit)
    )
    return [(_call(row), row["asked_real_at"]) for row in tx.rows(statement)]
