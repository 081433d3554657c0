"""What stands between cases' rings and their moment, as the rows have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from dialer.domain.attempt import OPEN_STATES, AttemptState
from dialer.domain.case import Case, Reason
from dialer.outcomes.next_steps import AHEAD_AT_MOST, PendingRing
from dialer.store import tables as t
from dialer.store.cases import from_row
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Tx


def awaited(tx: Tx, case_ids: Sequence[int]) -> dict[int, tuple[Case, PendingRing | None]]:
    """Each of these cases with its newest ring that has not ended. The place of the rings in the queue is not counted:
    `ahead` is 0.
    """
    if not case_ids:
        return {}
    wanted = sa.any_(sa.literal(sorted(set(case_ids)), sa.ARRAY(sa.BigInteger)))
    rings = {row["case_id"]: _pending(row, ahead=0) for row in tx.rows(_rings(wanted))}
    rows = tx.rows(sa.select(t.case).where(t.case.c.id == wanted))
    return {row["id"]: (from_row(row), rings.get(row["id"])) for row in rows}


def pending_ring(tx: Tx, case_id: int) -> PendingRing | None:
    """The newest ring of this case that has not ended, with its place in the queue."""
    row = tx.one(_rings(sa.literal(case_id)))
    return None if row is None else _pending(row, ahead=_ahead(tx, row))


def _rings(wanted: sa.ColumnElement[Any]) -> sa.Select[Any]:
    a, phone, live, case = t.attempt.c, t.person_phone.c, t.live_number.c, t.case.c
    of_number = sa.and_(phone.person_id == a.person_id, phone.position == a.number)
    return (
        sa.select(
            t.attempt,
            case.grade,
            case.unit,
            case.unit_id,
            case.load_id,
            live.attempt_id.label("rings_for"),
            live.free_at.label("number_free_at"),
        )
        .join(t.case, case.id == a.case_id)
        .join(t.person_phone, of_number, isouter=True)
        .join(t.live_number, live.phone_blind == phone.phone_blind, isouter=True)
        .where(a.case_id == wanted, in_words(a.state, OPEN_STATES))
        .ext(distinct_on(a.case_id))
        .order_by(a.case_id, a.n.desc())
    )


_AS_STORED = (
    "held",
    "planned_at",
    "not_before",
    "grade",
    "unit",
    "unit_id",
    "load_id",
    "number_free_at",
)


def _pending(row: Mapping[str, Any], *, ahead: int) -> PendingRing:
    return PendingRing(
        state=AttemptState(row["state"]),
        reason=Reason(row["reason"]),
        number_rings=row["rings_for"] not in {None, row["id"]},
        ahead=ahead,
        **{name: row[name] for name in _AS_STORED},
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
