"""Signing in and out of the console. Failures are counted by login and by address, and stop both for a while."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dialer.domain.sessions import SessionRules
from dialer.errors import Invalid, Refusal
from dialer.store import audits, sign_in_failures, staff, staff_sessions
from dialer.store.staff import Member
from dialer.store.staff_sessions import Session
from dialer.store.unit_of_work import Tx
from dialer.usecases import passwords
from dialer.usecases.engine import Engine

_SEEN_EVERY = timedelta(seconds=30)
"""How exactly it is known when a session was last used."""
_ADDRESS_FACTOR = 4
"""Many sit behind one address: it may fail this many times as often as one login."""
_TOKEN_BYTES = 32
_MOST_TYPED = 200


class SignInRefused(Refusal):
    """Unknown login, wrong password or disabled account: which of them is not told."""

    def __init__(self) -> None:
        super().__init__("the login or the password is wrong")


class SignInBlocked(Refusal):
    """Too many failures; nothing is tried before `until`."""

    def __init__(self, *, until: datetime) -> None:
        super().__init__("too many failed sign-ins: wait")
        self.until = until


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The only moment at which the cookie's token exists on our side."""

    member: Member
    token: str = field(repr=False)


def sign_in(engine: Engine, rules: SessionRules, *, login: str, password: str, address: str) -> SignedIn:
    """A new session. Raises `SignInRefused` and `SignInBlocked`; both are in the audit."""
    name = login.strip().lower()[:_MOST_TYPED]
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        keys = _keys(tx, name, address)
        until = sign_in_failures.blocked_until(tx, keys, real_now=real_now)
        member = staff.find(tx, name)
        stored = staff.password_hash(tx, member.id) if member is not None else None
    if until is not None:
        raise SignInBlocked(until=until)
    # Outside any transaction: it takes a while on purpose.
    fits = passwords.fits(password[: _MOST_TYPED + 1], stored)
    if not fits or member is None or member.disabled_at is not None:
        _fail(engine, rules, name, member, address)
        raise SignInRefused
    assert stored is not None
    with engine.store.begin() as tx:
        # Many guesses at once are all let in before the first of them has failed: looked at again.
        until = sign_in_failures.blocked_until(tx, keys, real_now=engine.real.now())
        if until is not None:
            raise SignInBlocked(until=until)
        sign_in_failures.clear(tx, keys[0])
        if passwords.is_outdated(stored):
            staff.rehash(tx, member.id, passwords.hashed(password))
        staff.note_sign_in(tx, member.id, real_now=real_now)
        token = open_session(tx, rules, member, address=address, real_now=real_now)
        _audit(tx, engine, member.login, "sign_in", member.id, address)
    return SignedIn(member=member, token=token)


def open_session(tx: Tx, rules: SessionRules, member: Member, *, address: str, real_now: datetime) -> str:
    """The token of a new session of this account."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    staff_sessions.open_session(
        tx,
        staff_id=member.id,
        token_hash=token_hash(token),
        address=address,
        real_now=real_now,
        expires_at=real_now + timedelta(seconds=rules.session_seconds),
    )
    return token


def recognise(
    engine: Engine, rules: SessionRules, token: str, *, even_idle: bool = False
) -> tuple[Session, Member] | None:
    """Whose session this is, noted as seen now; None when it opens nothing (any more). `even_idle`: also one that has
    not been used for too long, and this is no use of it.
    """
    if not token:
        return None
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        found = staff_sessions.find(tx, token_hash(token))
        if found is None:
            return None
        session, member = found
        idle = session.seen_at + timedelta(seconds=rules.idle_seconds)
        if real_now >= session.expires_at or member.disabled_at is not None:
            return None
        if even_idle:
            return found
        if real_now >= idle:
            return None
        if real_now - session.seen_at >= min(_SEEN_EVERY, timedelta(seconds=rules.idle_seconds / 4)):
            staff_sessions.note_seen(tx, session.id, real_now=real_now)
    return found


def going_on(engine: Engine, session_ids: Iterable[int]) -> set[int]:
    """Those of these sessions that have neither ended nor expired, and whose accounts are open."""
    with engine.store.begin() as tx:
        return staff_sessions.going_on(tx, session_ids, real_now=engine.real.now())


def sign_out(engine: Engine, session: Session) -> None:
    """The cookie opens nothing from now on, wherever a copy of it is."""
    with engine.store.begin() as tx:
        if staff_sessions.end(tx, session.id, real_now=engine.real.now()):
            _audit(tx, engine, session.login, "sign_out", session.staff_id, session.address)


def change_password(
    engine: Engine, rules: SessionRules, session: Session, *, old: str, new: str, again: str
) -> str:
    """The account opens with `new` alone, every other session of it has ended, and this one has the token that is
    returned. Raises `Invalid`, and `SignInBlocked` after too many wrong old ones.
    """
    real_now = engine.real.now()
    if new != again:
        raise Invalid(field="again", problem="is not the same as the new password")
    passwords.check(new, login=session.login)
    with engine.store.begin() as tx:
        keys = _keys(tx, session.login, session.address)
        until = sign_in_failures.blocked_until(tx, keys[:1], real_now=real_now)
        stored = staff.password_hash(tx, session.staff_id)
        member = staff.get(tx, session.staff_id)
    if until is not None:
        raise SignInBlocked(until=until)
    assert member is not None
    if not passwords.fits(old[: _MOST_TYPED + 1], stored):
        _fail(engine, rules, session.login, member, session.address)
        raise Invalid(field="old", problem="is not the present password")
    if old == new:
        raise Invalid(field="new", problem="is the old one")
    made = passwords.hashed(new)
    with engine.store.begin() as tx:
        until = sign_in_failures.blocked_until(tx, keys[:1], real_now=engine.real.now())
        if until is not None:
            raise SignInBlocked(until=until)
        staff.set_password(tx, member.id, password_hash=made, must_change=False, real_now=real_now)
        staff_sessions.end_all(tx, member.id, real_now=real_now)
        token = open_session(tx, rules, member, address=session.address, real_now=real_now)
        _audit(tx, engine, member.login, "password_change", member.id, session.address)
    return token


def token_hash(token: str) -> bytes:
    """A plain hash is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def _keys(tx: Tx, login: str, address: str) -> list[bytes]:
    return [sign_in_failures.key(tx, "login", login), sign_in_failures.key(tx, "address", address)]


def _fail(engine: Engine, rules: SessionRules, login: str, member: Member | None, address: str) -> None:
    """Counted, and when it was the last one allowed, blocked. The audit names accounts only, never what was typed."""
    real_now = engine.real.now()
    start = real_now - timedelta(seconds=rules.lock_seconds)
    until = real_now + timedelta(seconds=rules.lock_seconds)
    with engine.store.begin() as tx:
        sign_in_failures.forget(tx, before=start)
        by_login, by_address = _keys(tx, login, address)
        locked = False
        for one, most in ((by_login, rules.failures), (by_address, rules.failures * _ADDRESS_FACTOR)):
            if sign_in_failures.count(tx, one, real_now=real_now, window_start=start) >= most:
                sign_in_failures.block(tx, one, until=until)
                locked = locked or one == by_login
        if locked:
            staff.lock(tx, login, until=until)
        who = member.login if member is not None else "?"
        number = member.id if member is not None else 0
        _audit(tx, engine, who, "sign_in_failed", number, address)
        if locked:
            _audit(tx, engine, who, "sign_in_locked", number, address)


def _audit(tx: Tx, engine: Engine, who: str, act: str, staff_id: int, address: str) -> None:
    audits.write(
        tx,
        who=who,
        act=act,
        subject=f"staff/{staff_id}",
        why="",
        now=engine.clock.now(),
        facts={"address": address},
    )
