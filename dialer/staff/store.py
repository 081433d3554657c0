"""Rows of accounts, their sessions, failed sign-ins and the first administrator's link. Tokens of sessions and links
are stored only as hashes, the logins and addresses of failed sign-ins only as keyed hashes. Every time here is real
time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Actor, Role, rights_of
from dialer.db import tables as t
from dialer.db.bulk import among
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import is_visible_to
from dialer.db.vault import BlindKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One account, without its password."""

    id: int
    login: str
    display_name: str
    role: Role
    unit_id: int | None
    """None: the whole centre."""
    language: str
    must_change: bool
    revision: int
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None
    locked_until: datetime | None
    """Until then sign-in is blocked from the addresses where this login failed last, but not from others."""
    extension: str = ""
    """The telephone on the desk, which click-to-call calls first; '' for none."""
    password_until: datetime | None = None
    """When a password that was given out expires; None for one of the person's own."""
    factor_missing_at: datetime | None = None
    """The first sign-in without the second factor that the role needs; None if there was none."""
    has_factor: bool = False
    """A second factor is set up."""

    @property
    def actor(self) -> Actor:
        """Who acts when this account is used."""
        rights = rights_of(self.role)
        return Actor(name=self.login, rights=rights, unit_id=self.unit_id)

    def has_blocked_addresses(self, *, real_now: datetime) -> bool:
        """Whether sign-in is still blocked from addresses where this login failed."""
        return self.locked_until is not None and real_now < self.locked_until


_HAS_FACTOR = (
    sa.exists()
    .where(t.staff_factor.c.staff_id == t.staff.c.id, t.staff_factor.c.confirmed_at.is_not(None))
    .correlate(t.staff)
    .label("has_factor")
)
_COLUMNS = (*(t.staff.c[field.name] for field in fields(Member) if field.name != "has_factor"), _HAS_FACTOR)


def is_staff_empty(tx: Tx) -> bool:
    """True while there is no account at all."""
    return not tx.scalar(sa.select(sa.exists(sa.select(t.staff.c.id))))


def insert_member(
    tx: Tx,
    *,
    login: str,
    display_name: str,
    password_hash: str,
    role: Role,
    unit_id: int | None,
    language: str,
    must_change: bool,
    by: str,
    real_now: datetime,
    password_until: datetime | None = None,
) -> Member | None:
    """The new account; None when the login is taken, even by a disabled one."""
    row = tx.one(
        insert(t.staff)
        .values(
            login=login,
            display_name=display_name,
            password_hash=password_hash,
            role=role.value,
            unit_id=unit_id,
            language=language,
            must_change=must_change,
            created_by=by,
            created_at=real_now,
            password_at=real_now,
            password_until=password_until,
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(*_COLUMNS)
    )
    return None if row is None else record_of(Member, row)


def find_member(tx: Tx, login: str) -> Member | None:
    """The account with this login, disabled or not."""
    row = tx.one(sa.select(*_COLUMNS).where(t.staff.c.login == login))
    return None if row is None else record_of(Member, row)


def find_actor(tx: Tx, login: str) -> Actor | None:
    """Who acts by the enabled account with this login. Reads only what the release before has too."""
    c = t.staff.c
    row = tx.one(sa.select(c.login, c.role, c.unit_id).where(c.login == login, c.disabled_at.is_(None)))
    if row is None:
        return None
    return Actor(name=row["login"], rights=rights_of(Role(row["role"])), unit_id=row["unit_id"])


def all_members(tx: Tx, *, visible_to: int | None = None) -> list[Member]:
    """Accounts of this unit and all below (None: all accounts) by login, disabled ones last."""
    statement = sa.select(*_COLUMNS).where(is_visible_to(t.staff.c.unit_id, visible_to))
    found = tx.rows(statement.order_by(t.staff.c.disabled_at.is_not(None), t.staff.c.login))
    return [record_of(Member, row) for row in found]


def display_names(tx: Tx, logins: Collection[str]) -> dict[str, str]:
    """Display names by login; logins without an account are left out."""
    found = sa.select(t.staff.c.login, t.staff.c.display_name).where(t.staff.c.login.in_(sorted(logins)))
    return {row["login"]: row["display_name"] for row in tx.rows(found)}


def password_hash_of(tx: Tx, staff_id: int) -> str:
    """The stored hash, with its salt and parameters."""
    return str(tx.scalar(sa.select(t.staff.c.password_hash).where(t.staff.c.id == staff_id)))


def revise_staff(tx: Tx, staff_id: int, **columns: object) -> None:
    """Sets these columns and counts a revision, so that a change on an older page is refused."""
    set_staff(tx, staff_id, revision=t.staff.c.revision + 1, **columns)


def set_staff(tx: Tx, staff_id: int, **columns: object) -> None:
    """Sets these columns of the account."""
    tx.execute(sa.update(t.staff).where(t.staff.c.id == staff_id).values(**columns))


def set_staff_password(
    tx: Tx,
    staff_id: int,
    *,
    password_hash: str,
    real_now: datetime,
    temporary_until: datetime | None = None,
) -> None:
    """Sets the account's password and ends all its sessions. A temporary one must be changed at the next sign-in, which
    is possible until `temporary_until`.
    """
    revise_staff(
        tx,
        staff_id,
        password_hash=password_hash,
        must_change=temporary_until is not None,
        password_at=real_now,
        password_until=temporary_until,
        locked_until=None,
    )
    end_sessions_of(tx, staff_id, real_now=real_now)


def note_blocked_sign_ins(tx: Tx, login: str, *, until: datetime | None) -> None:
    """Records, for administrators to see, until when sign-ins with this login are blocked from some addresses; the
    failures say which. None: no address is blocked.
    """
    tx.execute(sa.update(t.staff).where(t.staff.c.login == login).values(locked_until=until))


def lock_administrators(tx: Tx, role: Role = Role.ADMINISTRATOR) -> set[int]:
    """The ids of all administrators of this kind; no other transaction changes them before this one ends."""
    found = sa.select(t.staff.c.id).where(t.staff.c.role == role.value, t.staff.c.disabled_at.is_(None))
    return {row["id"] for row in tx.rows(found.order_by(t.staff.c.id).with_for_update())}


def lock_logins_of(tx: Tx, role: Role, *, without: Collection[str] = ()) -> list[str]:
    """The logins of all enabled accounts of this kind of administrator but these, in their order; as
    `lock_administrators`.
    """
    s, able = t.staff.c, lock_administrators(tx, role)
    found = sa.select(s.login).where(s.id.in_(able), s.login.not_in(without)).order_by(s.login)
    return [row["login"] for row in tx.rows(found)]


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
    second_factor: bool
    """A second factor was shown at the sign-in."""


_OWN = ("id", "address", "created_at", "seen_at", "expires_at", "second_factor")


def start_session(
    tx: Tx,
    *,
    staff_id: int,
    token_hash: bytes,
    address: str,
    real_now: datetime,
    expires_at: datetime,
    second_factor: bool = False,
) -> None:
    """A new session of this account, known by the hash of its token."""
    tx.execute(
        sa.insert(t.staff_session).values(
            staff_id=staff_id,
            token_hash=token_hash,
            address=address,
            created_at=real_now,
            seen_at=real_now,
            expires_at=expires_at,
            second_factor=second_factor,
        )
    )


def find_session(tx: Tx, token_hash: bytes) -> tuple[Session, Member] | None:
    """A session that has not been ended, though it may have expired, and its account."""
    row = tx.one(
        sa.select(*_COLUMNS, *(t.staff_session.c[name].label(f"session_{name}") for name in _OWN))
        .join(t.staff, t.staff.c.id == t.staff_session.c.staff_id)
        .where(t.staff_session.c.token_hash == token_hash, t.staff_session.c.ended_at.is_(None))
    )
    if row is None:
        return None
    session = record_of(Session, row, prefix="session_", staff_id=row["id"], login=row["login"])
    return session, record_of(Member, row)


def valid_session_ids(tx: Tx, session_ids: Iterable[int], *, real_now: datetime) -> set[int]:
    """The ids of those of these sessions that have not ended or expired, idle or not, of enabled accounts."""
    s = t.staff_session.c
    rows = tx.rows(
        sa.select(s.id)
        .join(t.staff, t.staff.c.id == s.staff_id)
        .where(
            among(s.id, session_ids),
            s.ended_at.is_(None),
            s.expires_at > real_now,
            t.staff.c.disabled_at.is_(None),
        )
    )
    return {row["id"] for row in rows}


def note_session_seen(tx: Tx, session_id: int, *, real_now: datetime) -> None:
    """Records that the session was used at that moment; its idle time starts again."""
    tx.execute(sa.update(t.staff_session).where(t.staff_session.c.id == session_id).values(seen_at=real_now))


def end_session(tx: Tx, session_id: int, *, real_now: datetime, staff_id: int | None = None) -> bool:
    """Ends the session. False when it had ended before, or is not of the account `staff_id`."""
    s = t.staff_session.c
    statement = sa.update(t.staff_session).where(s.id == session_id, s.ended_at.is_(None))
    if staff_id is not None:
        statement = statement.where(s.staff_id == staff_id)
    return tx.execute(statement.values(ended_at=real_now)).rowcount == 1


def end_sessions_of(tx: Tx, staff_id: int, *, real_now: datetime, but: int | None = None) -> int:
    """Ends all sessions of this account, except `but`; returns how many."""
    s = t.staff_session.c
    statement = sa.update(t.staff_session).where(s.staff_id == staff_id, s.ended_at.is_(None))
    if but is not None:
        statement = statement.where(s.id != but)
    return tx.execute(statement.values(ended_at=real_now)).rowcount


def end_oldest_sessions(tx: Tx, staff_id: int, *, most: int, real_now: datetime) -> int:
    """Ends all valid sessions of the account but the `most` newest; returns how many."""
    s = t.staff_session.c
    valid = (s.staff_id == staff_id, s.ended_at.is_(None), s.expires_at > real_now)
    # Two sign-ins at once must not each leave the other's session out of its count.
    tx.execute(sa.select(t.staff.c.id).where(t.staff.c.id == staff_id).with_for_update())
    kept = sa.select(s.id).where(*valid).order_by(s.created_at.desc(), s.id.desc()).limit(most)
    statement = sa.update(t.staff_session).where(*valid, s.id.not_in(kept))
    return tx.execute(statement.values(ended_at=real_now)).rowcount


def mark_second_factor(tx: Tx, session_id: int) -> None:
    """The session's owner has shown a second factor."""
    tx.execute(
        sa.update(t.staff_session).where(t.staff_session.c.id == session_id).values(second_factor=True)
    )


def open_sessions(
    tx: Tx, *, real_now: datetime, idle_since: datetime, staff_id: int | None = None
) -> list[Session]:
    """Sessions that are neither ended, expired nor idle, the last seen first."""
    s = t.staff_session.c
    statement = (
        sa.select(t.staff_session, t.staff.c.login)
        .join(t.staff, t.staff.c.id == s.staff_id)
        .where(s.ended_at.is_(None), s.expires_at > real_now, s.seen_at > idle_since)
        .order_by(s.seen_at.desc(), s.id.desc())
    )
    if staff_id is not None:
        statement = statement.where(s.staff_id == staff_id)
    return [record_of(Session, row) for row in tx.rows(statement)]


def delete_expired_sessions(tx: Tx, *, before: datetime) -> int:
    """Deletes sessions that expired before `before`, ended or not, and sign-in steps that were not finished by then;
    returns how many sessions.
    """
    tx.execute(sa.delete(t.sign_in_step).where(t.sign_in_step.c.expires_at < before))
    return tx.execute(sa.delete(t.staff_session).where(t.staff_session.c.expires_at < before)).rowcount


def make_first_sign_in_link(tx: Tx, *, token_hash: bytes, real_now: datetime, expires_at: datetime) -> None:
    """Stores the one valid link; earlier ones are deleted."""
    tx.execute(sa.delete(t.staff_link).where(t.staff_link.c.used_at.is_(None)))
    tx.execute(
        sa.insert(t.staff_link).values(token_hash=token_hash, created_at=real_now, expires_at=expires_at)
    )


def is_sign_in_link_good(tx: Tx, token_hash: bytes, *, real_now: datetime) -> bool:
    """Whether the link exists, is unused and has not expired."""
    found = sa.select(t.staff_link.c.id).where(*_is_valid_link(token_hash, real_now))
    return tx.scalar(found) is not None


def use_sign_in_link(tx: Tx, token_hash: bytes, *, real_now: datetime) -> bool:
    """Uses the link up. False when it is not valid: of two callers at once only one gets True."""
    used = tx.execute(
        sa.update(t.staff_link).where(*_is_valid_link(token_hash, real_now)).values(used_at=real_now)
    )
    return used.rowcount == 1


def _is_valid_link(token_hash: bytes, real_now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    link = t.staff_link.c
    return link.token_hash == token_hash, link.used_at.is_(None), link.expires_at > real_now


def failure_key(tx: Tx, kind: str, value: str) -> bytes:
    """The key under which failures of this login or address are counted."""
    return tx.vault.blind(f"{kind}\0{value}", kind=BlindKind.SIGN_IN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Tries to sign in under one key, including the reserved one."""

    count: int
    blocked_until: datetime | None


def reserve_try(tx: Tx, key: bytes, *, real_now: datetime, window_start: datetime) -> Tries:
    """Counts a try before the password is checked, so that each of many at once has its number. The window begins with
    its first try; while the key is blocked nothing is counted.
    """
    f = t.sign_in_failure.c
    blocked = sa.and_(f.blocked_until.is_not(None), f.blocked_until > real_now)
    fresh = sa.and_(sa.not_(blocked), sa.or_(f.since < window_start, f.blocked_until.is_not(None)))
    row = tx.one(
        insert(t.sign_in_failure)
        .values(key=key, failures=1, since=real_now)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "failures": sa.case((blocked, f.failures), (fresh, 1), else_=f.failures + 1),
                "since": sa.case((fresh, real_now), else_=f.since),
                "blocked_until": sa.case((fresh, None), else_=f.blocked_until),
            },
        )
        .returning(f.failures, f.blocked_until)
    )
    assert row is not None
    return Tries(count=row["failures"], blocked_until=row["blocked_until"])


def give_try_back(tx: Tx, key: bytes) -> None:
    """Takes a reserved try out of the count again: it succeeded."""
    f = t.sign_in_failure.c
    tx.execute(
        sa.update(t.sign_in_failure).where(f.key == key).values(failures=sa.func.greatest(f.failures - 1, 0))
    )


def block_sign_in(tx: Tx, key: bytes, *, until: datetime) -> None:
    """Allows no try under this key before `until`; afterwards tries count from one again."""
    f = t.sign_in_failure.c
    tx.execute(
        sa.update(t.sign_in_failure)
        .where(f.key == key, f.blocked_until.is_(None))
        .values(blocked_until=until)
    )


def clear_failures(tx: Tx, key: bytes) -> None:
    """Forgets the failed sign-ins counted under this key."""
    tx.execute(sa.delete(t.sign_in_failure).where(t.sign_in_failure.c.key == key))


def delete_old_failures(tx: Tx, *, before: datetime) -> None:
    """Deletes failures that began before `before`, so that trying many names does not fill the disk."""
    f = t.sign_in_failure.c
    old = sa.select(f.key).where(
        f.since < before, sa.or_(f.blocked_until.is_(None), f.blocked_until < before)
    )
    # Rows that a sign-in has locked are skipped: it may hold one and wait for another.
    tx.execute(sa.delete(t.sign_in_failure).where(f.key.in_(old.with_for_update(skip_locked=True))))


def member_of(tx: Tx, staff_id: int) -> Member | None:
    """The account of this id, disabled or not."""
    row = tx.one(sa.select(*_COLUMNS).where(t.staff.c.id == staff_id))
    return None if row is None else record_of(Member, row)
