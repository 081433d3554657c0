"""Work on its way to another unit."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.domain.errand import PENDING_STATES, AssignmentState, TransferState
from dialer.errors import Conflict, NotFound
from dialer.language import Text
from dialer.store import tables as t
from dialer.store import units
from dialer.store.assignments import IDLE
from dialer.store.rowset import in_words
from dialer.store.unit_of_work import Row, Tx
from dialer.store.vault import UNREADABLE, KeyMissing, Tampered, Vault

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
        why=why_of(tx.vault, row),
    )


def why_of(vault: Vault, row: Row) -> str:
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


def ask(
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


def get(tx: Tx, transfer_id: int) -> Transfer:
    row = tx.one(_select().where(t.assignment_transfer.c.id == transfer_id))
    if row is None:
        raise NotFound(kind="transfer", key=transfer_id)
    return _transfer(tx, row)


def waiting(tx: Tx, *, scope: int | None = None, limit: int = 100) -> list[Transfer]:
    """What asks to be accepted by the unit `scope` or one below it, oldest first; what has ended is left out."""
    statement = _select().where(
        t.assignment_transfer.c.state == TransferState.ASKED.value,
        in_words(t.assignment.c.state, PENDING_STATES),
    )
    if scope is not None:
        statement = statement.where(units.within(t.assignment_transfer.c.to_unit_id, scope))
    return [
        _transfer(tx, row) for row in tx.rows(statement.order_by(t.assignment_transfer.c.at).limit(limit))
    ]


def answer(tx: Tx, transfer_id: int, state: TransferState, *, by: str, now: datetime) -> None:
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
        current = get(tx, transfer_id).state
        raise Conflict(
            Text("the transfer is %(state)s already", state=current),
            current=current.value,
        )


def carry_over(tx: Tx, transfer: Transfer, *, label: str, by: str, now: datetime) -> None:
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
            idle_at=sa.func.greatest(t.assignment.c.due_at, now + IDLE),
        )
    )
    tx.execute(
        sa.update(t.case)
        .where(t.case.c.id == transfer.case_id)
        .values(unit_id=transfer.to_unit_id, unit=label, revision=t.case.c.revision + 1)
    )
