"""What cases wait for, many at once and without their story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from dialer.domain.attempt import OPEN_STATES, AttemptState
from dialer.domain.case import Case, Reason
from dialer.outcomes.next_steps import PendingRing
from dialer.store import tables as t
from dialer.store.cases import from_row
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    case: Case
    ring: PendingRing | None
    """Its place in the queue is not counted: `ahead` is 0."""


def awaited(tx: Tx, case_ids: Sequence[int], *, now: datetime) -> dict[int, Awaited]:
    """Each of these cases with its newest ring that has not ended."""
    if not case_ids:
        return {}
    wanted = sa.any_(sa.literal(sorted(set(case_ids)), sa.ARRAY(sa.BigInteger)))
    rings = {row["case_id"]: row for row in tx.rows(_rings(wanted))}
    lines = tx.one(
        sa.select(
            sa.func.max(t.line_group.c.paused_until).label("paused_until"),
            sa.func.coalesce(sa.func.bool_or(t.line_group.c.troubles > 0), sa.false()).label("trouble"),
        )
    )
    assert lines is not None  # an aggregate without groups is always one row
    found: dict[int, Awaited] = {}
    for row in tx.rows(sa.select(t.case).where(t.case.c.id == wanted)):
        ring = rings.get(row["id"])
        found[row["id"]] = Awaited(
            case=from_row(row), ring=None if ring is None else _pending(ring, lines, now=now)
        )
    return found


def _rings(wanted: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    a, phone, live = t.attempt.c, t.person_phone.c, t.live_number.c
    of_number = sa.and_(phone.person_id == a.person_id, phone.position == a.number)
    return (
        sa.select(t.attempt, live.attempt_id.label("rings_for"), live.free_at.label("number_free_at"))
        .join(t.person_phone, of_number, isouter=True)
        .join(t.live_number, live.phone_blind == phone.phone_blind, isouter=True)
        .where(a.case_id == wanted, in_words(a.state, OPEN_STATES))
        .ext(distinct_on(a.case_id))
        .order_by(a.case_id, a.n.desc())
    )


def _pending(row: Row, lines: Row, *, now: datetime) -> PendingRing:
    resting = row["number_free_at"] is not None and row["number_free_at"] > now
    return PendingRing(
        n=row["n"],
        state=AttemptState(row["state"]),
        not_before=row["not_before"],
        urgency_at=row["urgency_at"],
        windowed=row["windowed"],
        held=row["held"],
        reason=Reason(row["reason"]),
        number_free_at=row["number_free_at"],
        number_busy=resting or row["rings_for"] not in {None, row["id"]},
        paused_until=lines["paused_until"],
        line_trouble=bool(lines["trouble"]),
        ahead=0,
    )
