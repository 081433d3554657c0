"""Rows of transfers: one asks that an assignment moves to another unit. The reason is sealed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from dialer.cases.effects import IDLE_ASSIGNMENT
from dialer.cases.store import assign_case_to_unit
from dialer.core.case import PENDING_STATES, AssignmentState, TransferState, VisitStage
from dialer.core.errors import Conflict, NotFound
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType, Grade, Track
from dialer.db import tables as t
from dialer.db.bulk import in_words, word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_within_unit
from dialer.db.vault import UNREADABLE, KeyMissing, Tampered, Vault

_log = logging.getLogger(__name__)
_TABLE: Final = "assignment_transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transfer with what is shown of its assignment and case."""

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
    m, a, c = t.assignment_transfer, t.assignment.c, t.case.c
    of_work = (a.case_id, a.kind, a.due_at, a.feedback_by, c.grade, c.fraud_type)
    return (
        sa.select(m, *of_work, c.unit_id.label("case_unit_id"))
        .join(t.assignment, a.id == m.c.assignment_id)
        .join(t.case, c.id == a.case_id)
    )


def _transfer(tx: Tx, row: Row) -> Transfer:
    return record_of(Transfer, row, why=transfer_reason(tx.vault, row))


def transfer_reason(vault: Vault, row: Row) -> str:
    """The reason of a transfer, from the columns `assignment_id`, `at`, `why` and `why_sealed`; `UNREADABLE` where it
    cannot be opened.
    """
    if row["why_sealed"] is None:
        # Requested before reasons were sealed.
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
    """The id of the new transfer. Raises `Conflict` when a transfer of this assignment already waits."""
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
    """The transfer. Raises `NotFound`."""
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
    of it to a unit that is not below; all if neither is given.
    """
    m = t.assignment_transfer.c
    statement = _select().where(*_waiting(into)).order_by(m.at, m.id).limit(limit)
    if out_of is not None:
        leaves = (is_within_unit(m.from_unit_id, out_of), sa.not_(is_within_unit(m.to_unit_id, out_of)))
        statement = statement.where(*leaves)
    if kind is not None:
        statement = statement.where(t.assignment.c.kind == kind.value)
    return [_transfer(tx, row) for row in tx.rows(statement)]


def count_waiting_transfers(tx: Tx, *, into: int | None) -> int:
    """The number of transfers that wait for an answer of the unit `into` or one below; of any unit if it is None."""
    m = t.assignment_transfer.c
    counted = sa.select(sa.func.count(m.id)).join(t.assignment, t.assignment.c.id == m.assignment_id)
    return int(tx.scalar(counted.where(*_waiting(into))))


def _waiting(into: int | None) -> list[sa.ColumnElement[bool]]:
    m = t.assignment_transfer.c
    waits = [m.state == word_literal(TransferState.ASKED), in_words(t.assignment.c.state, PENDING_STATES)]
    return waits if into is None else [*waits, is_within_unit(m.to_unit_id, into)]


def answer_transfer(tx: Tx, transfer_id: int, state: TransferState, *, by: str, now: datetime) -> None:
    """Stores the answer to a transfer. Raises `Conflict` when it was answered before."""
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
        text = gettext_noop("the transfer is refused already")
        if current is TransferState.ACCEPTED:
            text = gettext_noop("the transfer is accepted already")
        raise Conflict(text, current=current.value)


def complete_transfer(tx: Tx, transfer: Transfer, *, label: str, by: str, now: datetime) -> None:
    """Moves the assignment and its case to the other unit, signed for by `by`, who accepted. No clock is reset."""
    a = t.assignment.c
    _move(
        tx,
        transfer,
        label,
        state=AssignmentState.SIGNED.value,
        signed_by=by,
        signed_at=sa.func.coalesce(a.signed_at, now),
        kept_until=None,
        # This officer begins at the first stage, however far the previous one had come.
        stage=sa.case((a.signed_by == by, a.stage), else_=VisitStage.NONE.value),
        idle_at=sa.func.greatest(a.due_at, now + IDLE_ASSIGNMENT),
    )


def complete_transfer_unsigned(tx: Tx, transfer: Transfer, *, label: str, rise_at: datetime) -> None:
    """Moves the assignment and its case to the other unit, which has until `rise_at` to sign for it. The time limits
    that are reported stay as they were, and so does the time agreed for a call, which anybody may then make.
    """
    _move(
        tx,
        transfer,
        label,
        state=AssignmentState.OPEN.value,
        signed_by=None,
        signed_at=None,
        kept_until=t.assignment.c.call_at,
        stage=VisitStage.NONE.value,
        idle_at=None,
        escalated_at=None,
        rise_at=rise_at,
    )


def _move(tx: Tx, transfer: Transfer, label: str, **values: object) -> None:
    a, unit_id = t.assignment.c, transfer.to_unit_id
    values |= {"unit_id": unit_id, "unit": label, "token": a.token + 1, "transfers": a.transfers + 1}
    moved = sa.update(t.assignment).where(a.id == transfer.assignment_id)
    tx.execute(moved.values(lease_until=None, kept_for=None, **values))
    tx.tasks_after_commit.add("notify")
    assign_case_to_unit(tx, transfer.case_id, unit_id=unit_id, label=label)
