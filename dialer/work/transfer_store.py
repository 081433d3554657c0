"""Transfers: work that another unit is asked to take over. Their reasons are sealed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.cases.effects import IDLE_ASSIGNMENT
from dialer.core.case import PENDING_STATES, AssignmentState, TransferState
from dialer.core.errors import Conflict, NotFound
from dialer.core.values import FraudType, Grade, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import UNREADABLE, KeyMissing, Tampered, Vault
from dialer.language import Text
from dialer.org.unit_store import is_within_unit

_log = logging.getLogger(__name__)
_TABLE: Final = "assignment_transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """With what is shown of its assignment and case."""

    id: int
    assignment_id: int
    case_id: int
    case_unit_id: int | None
    from_unit_id: int | None
    to_unit_id: int
    state: TransferState
    by: str
    why: str
    at: datetime
    kind: Track
    grade: Grade
    fraud_type: FraudType
    due_at: datetime
    feedback_by: datetime


def _select() -> sa.Select[Any]:
    m, a, c = t.assignment_transfer.c, t.assignment.c, t.case.c
    own = (m[name] for name in ("id", "assignment_id", "from_unit_id", "to_unit_id", "state", "by", "at"))
    of_work = (
        a.case_id,
        a.kind,
        a.due_at,
        a.feedback_by,
        c.grade,
        c.fraud_type,
        c.unit_id.label("case_unit_id"),
    )
    return (
        sa.select(*own, m.why, m.why_sealed, *of_work)
        .join(t.assignment, a.id == m.assignment_id)
        .join(t.case, c.id == a.case_id)
    )


def _transfer(tx: Tx, row: Row) -> Transfer:
    return Transfer(
        **{name: row[name] for name in Transfer.__dataclass_fields__}
        | {
            "state": TransferState(row["state"]),
            "why": transfer_reason(tx.vault, row),
            "kind": Track(row["kind"]),
            "grade": Grade(row["grade"]),
            "fraud_type": FraudType(row["fraud_type"]),
        }
    )


def transfer_reason(vault: Vault, row: Row) -> str:
    """Of `assignment_id`, `at`, `why` and `why_sealed`; `UNREADABLE` where the seal does not fit."""
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
    """Its id. Raises `Conflict` when a transfer of this assignment waits already."""
    m = t.assignment_transfer.c
    asked = sa.select(m.id).where(m.assignment_id == assignment_id, m.state == TransferState.ASKED.value)
    if tx.scalar(asked) is not None:
        raise Conflict("it is on its way to another unit already", current="asked")
    place = _place(assignment_id, now)
    new = sa.insert(t.assignment_transfer).values(
        assignment_id=assignment_id,
        from_unit_id=from_unit_id,
        to_unit_id=to_unit_id,
        state=TransferState.ASKED.value,
        by=by,
        why_sealed=tx.vault.seal(why.encode(), table=_TABLE, column="why_sealed", row=place),
        at=now,
    )
    return int(tx.scalar(new.returning(m.id)))


def get_transfer(tx: Tx, transfer_id: int) -> Transfer:
    row = tx.one(_select().where(t.assignment_transfer.c.id == transfer_id))
    if row is None:
        raise NotFound(kind="transfer", key=transfer_id)
    return _transfer(tx, row)


def waiting_transfers(
    tx: Tx,
    *,
    into: int | None = None,
    out_of: int | None = None,
    kind: Track | None = None,
    limit: int = 100,
) -> list[Transfer]:
    """Transfers of pending work that nobody has answered, oldest first: those into the unit or one below, or those out
    of it for a unit that is not below; all where neither is given.
    """
    m = t.assignment_transfer.c
    statement = _select().where(*_waiting(into)).order_by(m.at, m.id).limit(limit)
    if out_of is not None:
        leaves = (is_within_unit(m.from_unit_id, out_of), sa.not_(is_within_unit(m.to_unit_id, out_of)))
        statement = statement.where(*leaves)
    if kind is not None:
        statement = statement.where(t.assignment.c.kind == kind.value)
    return [_transfer(tx, row) for row in tx.rows(statement)]


def count_waiting_transfers(tx: Tx, *, into: int | None = None) -> int:
    """How many wait for an answer of the unit or one below; of any unit where none is given."""
    joined = t.assignment_transfer.join(
        t.assignment, t.assignment.c.id == t.assignment_transfer.c.assignment_id
    )
    return int(tx.scalar(sa.select(sa.func.count()).select_from(joined).where(*_waiting(into))))


def _waiting(into: int | None) -> list[sa.ColumnElement[bool]]:
    m = t.assignment_transfer.c
    waits = [m.state == word(TransferState.ASKED), in_words(t.assignment.c.state, PENDING_STATES)]
    return waits if into is None else [*waits, is_within_unit(m.to_unit_id, into)]


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
        raise Conflict(Text("the transfer is %(state)s already", state=current), current=current.value)


def complete_transfer(tx: Tx, transfer: Transfer, *, label: str, by: str, now: datetime) -> None:
    """The other unit has the assignment and its case; `by`, who accepted, has signed. No clock is reset."""
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
