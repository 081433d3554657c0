"""Work on its way to another unit.

Stop-payment tasks 止付: one open a case, however often it is said.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.cases.effects import IDLE_ASSIGNMENT
from dialer.core.case import PENDING_STATES, AssignmentState, StopResult, TransferState
from dialer.core.errors import Conflict, NotFound
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import UNREADABLE, KeyMissing, Tampered, Vault
from dialer.language import Text
from dialer.org.unit_store import is_within_unit

_log = logging.getLogger(__name__)
_TABLE: Final = "assignment_transfer"
_PLAIN: Final = ("id", "assignment_id", "from_unit_id", "to_unit_id", "by", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    id: int
    assignment_id: int
    case_id: int
    from_unit_id: int | None
    to_unit_id: int
    state: TransferState
    by: str
    why: str
    at: datetime


def _select() -> sa.Select[Any]:
    names = (*_PLAIN, "state", "why", "why_sealed")
    return sa.select(*(t.assignment_transfer.c[name] for name in names), t.assignment.c.case_id).join(
        t.assignment, t.assignment.c.id == t.assignment_transfer.c.assignment_id
    )


def _transfer(tx: Tx, row: Row) -> Transfer:
    return Transfer(
        **{name: row[name] for name in _PLAIN},
        case_id=row["case_id"],
        state=TransferState(row["state"]),
        why=transfer_reason(tx.vault, row),
    )


def transfer_reason(vault: Vault, row: Row) -> str:
    """Of `assignment_id`, `at`, `why` and `why_sealed`. Work goes on where its reason cannot be read any more."""
    if row["why_sealed"] is None:
        # Asked before reasons were sealed.
        return str(row["why"])
    place = _place(row["assignment_id"], row["at"])
    try:
        return vault.open(row["why_sealed"], table=_TABLE, column="why_sealed", row=place).decode()
    except (Tampered, KeyMissing):
        _log.error("the reason of a transfer of assignment %d does not fit its seal", row["assignment_id"])
        return UNREADABLE


def _place(assignment_id: int, at: datetime) -> str:
    return f"{assignment_id}/{at.astimezone(UTC).isoformat()}"


def request_transfer(
    tx: Tx, assignment_id: int, *, from_unit_id: int | None, to_unit_id: int, by: str, why: str, now: datetime
) -> int:
    """Its id. Raises `Conflict` when the work is on its way already."""
    if tx.scalar(_asked(assignment_id)) is not None:
        raise Conflict(
            "it is on its way to another unit already",
            current="asked",
        )
    row = tx.one(
        sa.insert(t.assignment_transfer)
        .values(
            assignment_id=assignment_id,
            from_unit_id=from_unit_id,
            to_unit_id=to_unit_id,
            state=TransferState.ASKED.value,
            by=by,
            why_sealed=tx.vault.seal(
                why.encode(), table=_TABLE, column="why_sealed", row=_place(assignment_id, now)
            ),
            at=now,
        )
        .returning(t.assignment_transfer.c.id)
    )
    assert row is not None
    return int(row["id"])


def _asked(assignment_id: int) -> sa.Select[Any]:
    return sa.select(t.assignment_transfer.c.id).where(
        t.assignment_transfer.c.assignment_id == assignment_id,
        t.assignment_transfer.c.state == TransferState.ASKED.value,
    )


def get_transfer(tx: Tx, transfer_id: int) -> Transfer:
    row = tx.one(_select().where(t.assignment_transfer.c.id == transfer_id))
    if row is None:
        raise NotFound(kind="transfer", key=transfer_id)
    return _transfer(tx, row)


def waiting_transfers(tx: Tx, *, scope: int | None = None, limit: int = 100) -> list[Transfer]:
    """What asks to be accepted by the unit `scope` or one below it, oldest first; what has ended is left out."""
    statement = _select().where(
        t.assignment_transfer.c.state == TransferState.ASKED.value,
        in_words(t.assignment.c.state, PENDING_STATES),
    )
    if scope is not None:
        statement = statement.where(is_within_unit(t.assignment_transfer.c.to_unit_id, scope))
    return [
        _transfer(tx, row) for row in tx.rows(statement.order_by(t.assignment_transfer.c.at).limit(limit))
    ]


def answer_transfer(tx: Tx, transfer_id: int, state: TransferState, *, by: str, now: datetime) -> None:
    """Raises `Conflict` when it was answered before."""
    answered = tx.execute(
        sa.update(t.assignment_transfer)
        .where(
            t.assignment_transfer.c.id == transfer_id,
            t.assignment_transfer.c.state == TransferState.ASKED.value,
        )
        .values(state=state.value, answered_by=by, answered_at=now)
    )
    if not answered.rowcount:
        current = get_transfer(tx, transfer_id).state
        raise Conflict(
            Text("the transfer is %(state)s already", state=current),
            current=current.value,
        )


def complete_transfer(tx: Tx, transfer: Transfer, *, label: str, by: str, now: datetime) -> None:
    """The work and its case are the other unit's, signed for by whoever accepted. No clock is reset."""
    tx.execute(
        sa.update(t.assignment)
        .where(t.assignment.c.id == transfer.assignment_id)
        .values(
            unit_id=transfer.to_unit_id,
            unit=label,
            state=AssignmentState.SIGNED.value,
            signed_by=by,
            signed_at=sa.func.coalesce(t.assignment.c.signed_at, now),
            token=t.assignment.c.token + 1,
            transfers=t.assignment.c.transfers + 1,
            lease_until=None,
            kept_for=None,
            kept_until=None,
            idle_at=sa.func.greatest(t.assignment.c.due_at, now + IDLE_ASSIGNMENT),
        )
    )
    tx.execute(
        sa.update(t.case)
        .where(t.case.c.id == transfer.case_id)
        .values(unit_id=transfer.to_unit_id, unit=label, revision=t.case.c.revision + 1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPayment:
    id: int
    case_id: int
    attempt_id: uuid.UUID | None
    opened_at: datetime


def list_open_stop_payments(tx: Tx, *, limit: int = 100) -> list[StopPayment]:
    """Open ones, the oldest first."""
    columns = (t.stop_payment.c[name] for name in ("id", "case_id", "attempt_id", "opened_at"))
    statement = (
        sa.select(*columns)
        .where(t.stop_payment.c.done_at.is_(None))
        .order_by(t.stop_payment.c.opened_at)
        .limit(limit)
    )
    return [StopPayment(**row) for row in tx.rows(statement)]


def finish_stop_payment(tx: Tx, stop_payment_id: int, *, by: str, result: StopResult, now: datetime) -> int:
    """Its case. Raises `NotFound`, and `Conflict` when somebody was faster."""
    row = tx.one(
        sa.update(t.stop_payment)
        .where(t.stop_payment.c.id == stop_payment_id, t.stop_payment.c.done_at.is_(None))
        .values(done_at=now, done_by=by, result=result.value)
        .returning(t.stop_payment.c.case_id)
    )
    if row is not None:
        return int(row["case_id"])
    earlier = tx.one(sa.select(t.stop_payment.c.result).where(t.stop_payment.c.id == stop_payment_id))
    if earlier is None:
        raise NotFound(kind="stop payment", key=stop_payment_id)
    raise Conflict("the stop payment is done already", current=earlier["result"])
