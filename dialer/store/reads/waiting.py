"""What stands between a case's ring and its moment, as the rows have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.attempt import OPEN_STATES, AttemptState
from dialer.domain.case import Reason
from dialer.store import tables as t
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx

AHEAD_AT_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRing:
    """The newest attempt of an open case that has not ended, beside what a pause may name of the case."""

    state: AttemptState
    reason: Reason
    held: bool
    windowed: bool
    planned_at: datetime
    not_before: datetime
    send_at: datetime | None
    """Real: the moment at which it was to leave."""
    grade: str
    unit: str
    unit_id: int | None
    load_id: int | None
    number_rings: bool
    """For another case: a shared number."""
    number_free_at: datetime | None
    ahead: int
    """More urgent rings that are ready, counted up to `AHEAD_AT_MOST`."""


def waiting_ring(tx: Tx, case_id: int) -> WaitingRing | None:
    row = tx.one(
        sa.select(
            t.attempt,
            t.case.c.grade,
            t.case.c.unit,
            t.case.c.unit_id,
            t.case.c.load_id,
            t.live_number.c.attempt_id.label("ringing_id"),
            t.live_number.c.free_at,
        )
        .join(t.case, t.case.c.id == t.attempt.c.case_id)
        .outerjoin(
            t.person_phone,
            sa.and_(
                t.person_phone.c.person_id == t.attempt.c.person_id,
                t.person_phone.c.position == t.attempt.c.number,
            ),
        )
        .outerjoin(t.live_number, t.live_number.c.phone_blind == t.person_phone.c.phone_blind)
        .where(t.attempt.c.case_id == case_id, in_words(t.attempt.c.state, OPEN_STATES))
        .order_by(t.attempt.c.n.desc())
        .limit(1)
    )
    if row is None:
        return None
    return WaitingRing(
        state=AttemptState(row["state"]),
        reason=Reason(row["reason"]),
        number_rings=row["ringing_id"] is not None and row["ringing_id"] != row["id"],
        number_free_at=row["free_at"],
        ahead=_ahead(tx, row),
        **{
            name: row[name]
            for name in (
                "held",
                "windowed",
                "planned_at",
                "not_before",
                "send_at",
                "grade",
                "unit",
                "unit_id",
                "load_id",
            )
        },
    )


def _ahead(tx: Tx, row: Mapping[str, Any]) -> int:
    if row["state"] != AttemptState.READY.value:
        return 0

    def more_urgent(*, windowed: bool) -> sa.Select[Any]:
        return (
            sa.select(t.attempt.c.id)
            .where(
                t.attempt.c.state == AttemptState.READY.value,
                ~t.attempt.c.held,
                t.attempt.c.windowed.is_(windowed),
                t.attempt.c.urgency_at < row["urgency_at"],
            )
            .limit(AHEAD_AT_MOST)
        )

    counted = sum(
        int(tx.scalar(sa.select(sa.func.count()).select_from(more_urgent(windowed=windowed).subquery())))
        for windowed in (False, True)
    )
    return min(counted, AHEAD_AT_MOST)
