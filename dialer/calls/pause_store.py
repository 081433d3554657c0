"""Rows of pauses (table `hold`), and the attempts that they withhold. A claim does not scan withheld attempts, so a
paused list does not slow the others down. A pause is active until its time (service clock), and is over when everything
that it withheld has been released.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.attempt import WAITING_STATES, AttemptState
from dialer.core.case import CaseStatus
from dialer.core.values import Pause, PauseScope
from dialer.db import tables as t
from dialer.db.bulk import among, in_words, word_literal
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to, is_within_unit, subtree_ids

_COLUMNS = [t.hold.c[column.name] for column in fields(Pause) if column.name != "units"]


def _pause(tx: Tx, row: Row) -> Pause:
    unit_id = row["unit_id"]
    units = frozenset[int]() if unit_id is None else frozenset(subtree_ids(tx, unit_id))
    return record_of(Pause, row, units=units)


def _select() -> sa.Select[Any]:
    return sa.select(*_COLUMNS).where(t.hold.c.ended_at.is_(None))


def standing_pauses_at(tx: Tx, *, now: datetime) -> list[Pause]:
    """The pauses that are active now, the widest and longest first."""
    rows = tx.rows(_select().where(t.hold.c.until > now))
    found = [_pause(tx, row) for row in rows]
    return sorted(found, key=lambda pause: (pause.scope is not PauseScope.ALL, -pause.until.timestamp()))


def expired_pauses(tx: Tx, *, now: datetime) -> list[Pause]:
    """Pauses whose time is over but that may still withhold attempts."""
    return [_pause(tx, row) for row in tx.rows(_select().where(t.hold.c.until <= now).order_by(t.hold.c.id))]


def place_pause(
    tx: Tx,
    *,
    scope: PauseScope,
    subject: str,
    until: datetime,
    why: str,
    by: str,
    now: datetime,
    unit_id: int | None = None,
) -> Pause:
    """Places a pause that is active from now on and replaces one with the same subject. The caller has locked the line
    group.
    """
    values = {"until": until, "why": why, "by": by, "placed_at": now, "unit_id": unit_id}
    row = tx.one(
        insert(t.hold)
        .values(scope=scope.value, subject=subject, **values)
        .on_conflict_do_update(
            index_elements=["scope", "subject"], index_where=t.hold.c.ended_at.is_(None), set_=values
        )
        .returning(*_COLUMNS)
    )
    assert row is not None
    return _pause(tx, row)


def end_pause_early(tx: Tx, pause: Pause, *, now: datetime) -> bool:
    """Ends the pause before its time; the caller releases what it withheld. False if it was no longer active."""
    stands = (t.hold.c.id == pause.id, t.hold.c.ended_at.is_(None), t.hold.c.until > now)
    return bool(tx.execute(sa.update(t.hold).where(*stands).values(until=now)).rowcount)


def is_standing(tx: Tx, pause: Pause, *, now: datetime) -> bool:
    """Whether the pause is active now; nobody can end it early before the transaction is over."""
    stands = (t.hold.c.id == pause.id, t.hold.c.ended_at.is_(None), t.hold.c.until > now)
    return tx.one(sa.select(t.hold.c.id).where(*stands).with_for_update(read=True)) is not None


def end_pause(tx: Tx, pause: Pause, *, by: str | None, now: datetime) -> bool:
    """Marks the pause as over. False if it was placed again meanwhile."""
    ended = tx.execute(
        sa.update(t.hold)
        .where(t.hold.c.id == pause.id, t.hold.c.ended_at.is_(None), t.hold.c.until <= now)
        .values(ended_at=now, ended_by=by)
    )
    return bool(ended.rowcount)


def _covered(pauses: Iterable[Pause]) -> sa.ColumnElement[bool]:
    """A condition on the case: at least one of these pauses covers it."""
    terms: list[sa.ColumnElement[bool]] = [sa.false()]
    for pause in pauses:
        match pause.scope:
            case PauseScope.ALL:
                terms.append(sa.true())
            case PauseScope.UNIT:
                by_name = t.case.c.unit == pause.subject
                terms.append(
                    by_name if pause.unit_id is None else is_within_unit(t.case.c.unit_id, pause.unit_id)
                )
            case PauseScope.LOAD:
                terms.append(t.case.c.load_id == int(pause.subject))
            case PauseScope.GRADE:
                terms.append(t.case.c.grade == pause.subject)
    return sa.or_(*terms)


def withhold_planned(tx: Tx, pause: Pause, *, after: int, at_once: int) -> tuple[int | None, int]:
    """Withholds the planned attempts of the next `at_once` open cases past id `after`. Returns the last case id read
    (None at the end) and how many attempts were withheld. Locked rows are skipped: their claim withholds them.
    """
    walked = (
        sa.select(t.case.c.id)
        .where(t.case.c.status == CaseStatus.OPEN.value, t.case.c.id > after)
        .order_by(t.case.c.id)
        .limit(at_once)
        .subquery()
    )
    last = tx.scalar(sa.select(sa.func.max(walked.c.id)))
    if last is None:
        return None, 0
    found = (
        sa.select(t.attempt.c.id)
        .join(t.case, t.case.c.id == t.attempt.c.case_id)
        .where(
            t.case.c.status == CaseStatus.OPEN.value,
            t.case.c.id > after,
            t.case.c.id <= last,
            _covered([pause]),
            in_words(t.attempt.c.state, WAITING_STATES),
            ~t.attempt.c.held,
        )
        .with_for_update(of=t.attempt, skip_locked=True)
    )
    held = tx.execute(sa.update(t.attempt).where(t.attempt.c.id.in_(found)).values(held=True))
    return last, held.rowcount


def withhold_attempts(tx: Tx, attempt_ids: Sequence[Any]) -> None:
    """Withholds these attempts, whose turn has come but which a pause covers; the caller has locked them."""
    if attempt_ids:
        tx.execute(sa.update(t.attempt).where(t.attempt.c.id.in_(attempt_ids)).values(held=True))


def release_withheld(tx: Tx, standing: Sequence[Pause], *, at_once: int) -> int:
    """Releases up to `at_once` attempts that no active pause covers, except locked ones. Returns how many."""
    # In no order: sorting every batch would cost more than releasing it, and locked rows are skipped.
    found = _uncovered(standing).limit(at_once).with_for_update(of=t.attempt, skip_locked=True)
    return tx.execute(sa.update(t.attempt).where(t.attempt.c.id.in_(found)).values(held=False)).rowcount


def release_attempts(tx: Tx, attempt_ids: Sequence[uuid.UUID]) -> None:
    """Releases these attempts."""
    tx.execute(sa.update(t.attempt).where(among(t.attempt.c.id, attempt_ids)).values(held=False))


def is_any_withheld(tx: Tx, standing: Sequence[Pause]) -> bool:
    """Whether an attempt is withheld that no active pause covers."""
    return bool(tx.scalar(sa.select(_uncovered(standing).exists())))


def _uncovered(standing: Sequence[Pause]) -> sa.Select[Any]:
    """A statement for withheld attempts that no active pause covers, whichever pause withheld them: a case may have
    left the unit, list or grade of that pause meanwhile.
    """
    return (
        sa.select(t.attempt.c.id)
        .join(t.case, t.case.c.id == t.attempt.c.case_id)
        .where(is_uncovered(standing))
    )


def is_uncovered(pauses: Iterable[Pause]) -> sa.ColumnElement[bool]:
    """A condition on an attempt and its case: it is withheld, and none of these pauses covers it."""
    return sa.and_(t.attempt.c.held, ~_covered(pauses))


def count_withheld(tx: Tx, pause: Pause, *, unit_id: int | None, at_most: int) -> int:
    """How many attempts the pause keeps from being sent now, in a unit and all below (None: everywhere), counted up to
    `at_most`.
    """
    waits = (
        sa.and_(t.attempt.c.state == word_literal(AttemptState.READY), ~t.attempt.c.held)
        if pause.scope is PauseScope.ALL
        else sa.and_(t.attempt.c.held, _covered([pause]))
    )
    found = sa.select(sa.literal(1)).select_from(t.attempt).where(waits)
    if pause.scope is not PauseScope.ALL or unit_id is not None:
        found = found.join(t.case, t.case.c.id == t.attempt.c.case_id).where(
            is_visible_to(t.case.c.unit_id, unit_id)
        )
    return int(tx.scalar(sa.select(sa.func.count()).select_from(found.limit(at_most).subquery())))


def attempts_claimed_under(tx: Tx, pause: Pause) -> list[tuple[uuid.UUID, int]]:
    """Ids and tokens of attempts that the pause covers and that a worker has claimed but not begun to send. Locks
    them.
    """
    rows = tx.rows(
        sa.select(t.attempt.c.id, t.attempt.c.token)
        .join(t.case, t.case.c.id == t.attempt.c.case_id)
        .where(t.attempt.c.state == AttemptState.CLAIMED.value, _covered([pause]))
        .order_by(t.attempt.c.id)
        .with_for_update(of=t.attempt)
    )
    return [(row["id"], row["token"]) for row in rows]


def is_load(tx: Tx, load_id: int) -> bool:
    """Whether a load with this id exists."""
    return tx.scalar(sa.select(t.list_load.c.id).where(t.list_load.c.id == load_id)) is not None
