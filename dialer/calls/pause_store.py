"""Pauses of dialling and the rows they hold. A held ring is not scanned by a claim, so that a paused list costs the
others nothing. A pause stands until its time (service clock); it is over when everything it held has been released.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.attempt import WAITING_STATES, AttemptState
from dialer.core.case import CaseStatus
from dialer.core.values import Pause, PauseScope
from dialer.db import tables as t
from dialer.db.bulk import in_words, word
from dialer.db.unit_of_work import Row, Tx
from dialer.org.unit_store import is_visible_to, is_within_unit, subtree_ids

_COLUMNS = ("id", "scope", "subject", "unit_id", "until", "why", "by", "placed_at")


def _hold(tx: Tx, row: Row) -> Pause:
    unit_id = row["unit_id"]
    below = frozenset[int]() if unit_id is None else frozenset(subtree_ids(tx, unit_id))
    return Pause(
        **{name: row[name] for name in _COLUMNS} | {"scope": PauseScope(row["scope"]), "units": below}
    )


def _select() -> sa.Select[Any]:
    return sa.select(*(t.hold.c[name] for name in _COLUMNS)).where(t.hold.c.ended_at.is_(None))


def standing_pauses_at(tx: Tx, *, now: datetime) -> list[Pause]:
    """What holds now, the widest and longest first."""
    rows = tx.rows(_select().where(t.hold.c.until > now))
    found = [_hold(tx, row) for row in rows]
    return sorted(found, key=lambda hold: (hold.scope is not PauseScope.ALL, -hold.until.timestamp()))


def expired_pauses(tx: Tx, *, now: datetime) -> list[Pause]:
    """Those whose time is over and that may still hold rows."""
    return [_hold(tx, row) for row in tx.rows(_select().where(t.hold.c.until <= now).order_by(t.hold.c.id))]


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
    """This holds from now on; one of the same subject is replaced. The line group is locked by the caller."""
    values = {"until": until, "why": why, "by": by, "placed_at": now, "unit_id": unit_id}
    row = tx.one(
        insert(t.hold)
        .values(scope=scope.value, subject=subject, **values)
        .on_conflict_do_update(
            index_elements=["scope", "subject"], index_where=t.hold.c.ended_at.is_(None), set_=values
        )
        .returning(*(t.hold.c[name] for name in _COLUMNS))
    )
    assert row is not None
    return _hold(tx, row)


def end_pause_early(tx: Tx, *, scope: PauseScope, subject: str, now: datetime) -> Pause | None:
    """It stands no longer; what it held is to be released. None: no such pause stands."""
    row = tx.one(
        sa.update(t.hold)
        .where(
            t.hold.c.scope == scope.value,
            t.hold.c.subject == subject,
            t.hold.c.ended_at.is_(None),
            t.hold.c.until > now,
        )
        .values(until=now)
        .returning(*(t.hold.c[name] for name in _COLUMNS))
    )
    return None if row is None else _hold(tx, row)


def end_pause(tx: Tx, hold: Pause, *, by: str | None, now: datetime) -> bool:
    """Nothing is held by it any more. False when somebody has placed it again meanwhile."""
    ended = tx.execute(
        sa.update(t.hold)
        .where(t.hold.c.id == hold.id, t.hold.c.ended_at.is_(None), t.hold.c.until <= now)
        .values(ended_at=now, ended_by=by)
    )
    return bool(ended.rowcount)


def _covered(holds: Iterable[Pause]) -> sa.ColumnElement[bool]:
    """Of a case: whether one of these pauses covers it."""
    terms: list[sa.ColumnElement[bool]] = [sa.false()]
    for hold in holds:
        match hold.scope:
            case PauseScope.ALL:
                terms.append(sa.true())
            case PauseScope.UNIT:
                by_name = t.case.c.unit == hold.subject
                terms.append(
                    by_name if hold.unit_id is None else is_within_unit(t.case.c.unit_id, hold.unit_id)
                )
            case PauseScope.LOAD:
                terms.append(t.case.c.load_id == int(hold.subject))
            case PauseScope.GRADE:
                terms.append(t.case.c.grade == hold.subject)
    return sa.or_(*terms)


def withhold_planned(tx: Tx, hold: Pause, *, after: int, at_once: int) -> tuple[int | None, int]:
    """Holds what is planned in the next so many open cases past id `after`: the last id looked at, None at the end, and
    how many rings are held now. A row that somebody is changing is left out: its claim will hold it.
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
            _covered([hold]),
            in_words(t.attempt.c.state, WAITING_STATES),
            ~t.attempt.c.held,
        )
        .with_for_update(of=t.attempt, skip_locked=True)
    )
    held = tx.execute(sa.update(t.attempt).where(t.attempt.c.id.in_(found)).values(held=True))
    return last, held.rowcount


def withhold_attempts(tx: Tx, attempt_ids: Sequence[Any]) -> None:
    """Locked by the caller: they came to their turn while a pause covers them."""
    if attempt_ids:
        tx.execute(sa.update(t.attempt).where(t.attempt.c.id.in_(attempt_ids)).values(held=True))


def release_withheld(tx: Tx, standing: Sequence[Pause], *, at_once: int) -> int:
    """Releases so many of what no standing pause covers; how many. Rows in other hands are left out."""
    # In no order: sorting them anew for every batch would cost more than releasing them, and nothing is waited for.
    found = _uncovered(standing).limit(at_once).with_for_update(of=t.attempt, skip_locked=True)
    return tx.execute(sa.update(t.attempt).where(t.attempt.c.id.in_(found)).values(held=False)).rowcount


def is_any_withheld(tx: Tx, standing: Sequence[Pause]) -> bool:
    """Whether something is left to be released."""
    return bool(tx.scalar(sa.select(_uncovered(standing).exists())))


def _uncovered(standing: Sequence[Pause]) -> sa.Select[Any]:
    """Not by which pause it was held is asked: a case may have left that one's unit, list or grade meanwhile."""
    return (
        sa.select(t.attempt.c.id)
        .join(t.case, t.case.c.id == t.attempt.c.case_id)
        .where(t.attempt.c.held, ~_covered(standing))
    )


def get_pause(tx: Tx, hold_id: int, *, now: datetime) -> Pause | None:
    """None: there is no such pause, or it stands no longer."""
    row = tx.one(_select().where(t.hold.c.id == hold_id, t.hold.c.until > now))
    return None if row is None else _hold(tx, row)


def count_withheld(tx: Tx, hold: Pause, *, unit_id: int | None, at_most: int) -> int:
    """How many rings it keeps from leaving at this moment, of a unit and all below (None: of everybody), counted no
    further than `at_most`.
    """
    waits = (
        sa.and_(t.attempt.c.state == word(AttemptState.READY), ~t.attempt.c.held)
        if hold.scope is PauseScope.ALL
        else sa.and_(t.attempt.c.held, _covered([hold]))
    )
    found = sa.select(sa.literal(1)).select_from(t.attempt).where(waits)
    if hold.scope is not PauseScope.ALL or unit_id is not None:
        found = found.join(t.case, t.case.c.id == t.attempt.c.case_id).where(
            is_visible_to(t.case.c.unit_id, unit_id)
        )
    return int(tx.scalar(sa.select(sa.func.count()).select_from(found.limit(at_most).subquery())))


def attempts_claimed_under(tx: Tx, hold: Pause) -> list[tuple[uuid.UUID, int]]:
    """Rings that a worker has claimed and not begun to send, and that the pause covers, with their tokens; locked."""
    rows = tx.rows(
        sa.select(t.attempt.c.id, t.attempt.c.token)
        .join(t.case, t.case.c.id == t.attempt.c.case_id)
        .where(t.attempt.c.state == AttemptState.CLAIMED.value, _covered([hold]))
        .order_by(t.attempt.c.id)
        .with_for_update(of=t.attempt)
    )
    return [(row["id"], row["token"]) for row in rows]


def is_load(tx: Tx, load_id: int) -> bool:
    """Whether there is a list with this id."""
    return tx.scalar(sa.select(t.list_load.c.id).where(t.list_load.c.id == load_id)) is not None
