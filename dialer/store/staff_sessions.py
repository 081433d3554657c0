"""Sessions of the console, and the one-time link of the first administrator. A token is known by its hash alone;
every time here is the machine's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import staff
from dialer.store import tables as t
from dialer.store.staff import Member
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser."""

    id: int
    staff_id: int
    login: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def open_session(
    tx: Tx, *, staff_id: int, token_hash: bytes, address: str, real_now: datetime, expires_at: datetime
) -> int:
    """Its id."""
    return int(
        tx.scalar(
            insert(t.staff_session)
            .values(
                staff_id=staff_id,
                token_hash=token_hash,
                address=address,
                created_at=real_now,
                seen_at=real_now,
                expires_at=expires_at,
            )
            .returning(t.staff_session.c.id)
        )
    )


def find(tx: Tx, token_hash: bytes) -> tuple[Session, Member] | None:
    """The session that has not been ended, expired ones too, and whose it is."""
    row = tx.one(
        sa.select(
            t.staff,
            *(t.staff_session.c[name].label(f"session_{name}") for name in _OWN),
        )
        .join(t.staff, t.staff.c.id == t.staff_session.c.staff_id)
        .where(t.staff_session.c.token_hash == token_hash, t.staff_session.c.ended_at.is_(None))
    )
    if row is None:
        return None
    session = Session(
        staff_id=row["id"], login=row["login"], **{name: row[f"session_{name}"] for name in _OWN}
    )
    return session, staff.member(row)


def going_on(tx: Tx, session_ids: Iterable[int], *, real_now: datetime) -> set[int]:
    """Those that have neither ended nor expired, used lately or not, and whose accounts are open."""
    s = t.staff_session.c
    rows = tx.rows(
        sa.select(s.id)
        .join(t.staff, t.staff.c.id == s.staff_id)
        .where(
            s.id == sa.any_(sa.literal(sorted(set(session_ids)), sa.ARRAY(sa.BigInteger))),
            s.ended_at.is_(None),
            s.expires_at > real_now,
            t.staff.c.disabled_at.is_(None),
        )
    )
    return {row["id"] for row in rows}


_OWN = ("id", "address", "created_at", "seen_at", "expires_at")


def note_seen(tx: Tx, session_id: int, *, real_now: datetime) -> None:
    tx.execute(sa.update(t.staff_session).where(t.staff_session.c.id == session_id).values(seen_at=real_now))


def end(tx: Tx, session_id: int, *, real_now: datetime) -> bool:
    """It opens nothing any more. False when it had ended before."""
    ended = tx.execute(
        sa.update(t.staff_session)
        .where(t.staff_session.c.id == session_id, t.staff_session.c.ended_at.is_(None))
        .values(ended_at=real_now)
    )
    return ended.rowcount == 1


def end_all(tx: Tx, staff_id: int, *, real_now: datetime, but: int | None = None) -> int:
    """How many of this account's sessions end now; the one that is named by `but` goes on."""
    statement = sa.update(t.staff_session).where(
        t.staff_session.c.staff_id == staff_id, t.staff_session.c.ended_at.is_(None)
    )
    if but is not None:
        statement = statement.where(t.staff_session.c.id != but)
    return tx.execute(statement.values(ended_at=real_now)).rowcount


def open_ones(
    tx: Tx, *, real_now: datetime, idle_since: datetime, staff_id: int | None = None
) -> list[Session]:
    """Sessions that still open something, the last seen first."""
    s = t.staff_session.c
    statement = (
        sa.select(t.staff_session, t.staff.c.login)
        .join(t.staff, t.staff.c.id == s.staff_id)
        .where(s.ended_at.is_(None), s.expires_at > real_now, s.seen_at > idle_since)
        .order_by(s.seen_at.desc(), s.id.desc())
    )
    if staff_id is not None:
        statement = statement.where(s.staff_id == staff_id)
    return [
        Session(staff_id=row["staff_id"], login=row["login"], **{name: row[name] for name in _OWN})
        for row in tx.rows(statement)
    ]


def forget(tx: Tx, *, before: datetime) -> int:
    """Sessions that expired before then are deleted: the audit keeps who signed in."""
    return tx.execute(sa.delete(t.staff_session).where(t.staff_session.c.expires_at < before)).rowcount


def make_link(tx: Tx, *, token_hash: bytes, real_now: datetime, expires_at: datetime) -> None:
    """The only link that is good; every earlier one is not."""
    tx.execute(sa.delete(t.staff_link).where(t.staff_link.c.used_at.is_(None)))
    tx.execute(
        sa.insert(t.staff_link).values(token_hash=token_hash, created_at=real_now, expires_at=expires_at)
    )


def is_link_good(tx: Tx, token_hash: bytes, *, real_now: datetime) -> bool:
    found = sa.select(t.staff_link.c.id).where(*_good(token_hash, real_now))
    return tx.scalar(found) is not None


def use_link(tx: Tx, token_hash: bytes, *, real_now: datetime) -> bool:
    """Once: of two at the same time one gets True."""
    used = tx.execute(sa.update(t.staff_link).where(*_good(token_hash, real_now)).values(used_at=real_now))
    return used.rowcount == 1


def _good(token_hash: bytes, real_now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    link = t.staff_link.c
    return link.token_hash == token_hash, link.used_at.is_(None), link.expires_at > real_now
