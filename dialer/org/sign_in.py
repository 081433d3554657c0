"""Passwords of staff (argon2id by RFC 9106's second choice), and signing in to and out of the console. Failures are
counted by login and by address; too many block further sign-ins for a while.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from dialer.core.access import SessionRules
from dialer.core.errors import Invalid, Refusal
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.org.staff_store import (
    Member,
    Session,
    block_sign_in,
    clear_failures,
    count_failure,
    delete_old_failures,
    end_session,
    end_sessions_of,
    failure_key,
    find_member,
    find_session,
    lock_staff_account,
    note_session_seen,
    note_staff_sign_in,
    password_hash_of,
    rehash_password,
    set_staff_password,
    sign_in_blocked_until,
    start_session,
    valid_session_ids,
)
from dialer.services import Services

LEAST_PASSWORD_LENGTH = 10
_LONGEST_PASSWORD = 200
_GROUPS, _GROUP = 3, 4

# Without 0, O, 1, l, I: people read it from paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)

# A hash takes 64 MiB while it is made: two at a time, however many people sign in at once.
_hashing = threading.BoundedSemaphore(2)

# Verified for an unknown login, so that it takes as long as a known one.
_DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$dZ9oEkbSbyBHaDEhTvXK0BVz3cXZ0nhbKR2Rsk6Wpfk"
)


def check_password(password: str, *, login: str) -> None:
    """Raises `Invalid` for one that is too short, too long, one character over and over, or the login."""
    if len(password) < LEAST_PASSWORD_LENGTH:
        raise Invalid(
            field="password",
            problem=Text("is shorter than %(least)s characters", least=LEAST_PASSWORD_LENGTH),
        )
    if len(password) > _LONGEST_PASSWORD:
        raise Invalid(
            field="password", problem=Text("is longer than %(most)s characters", most=_LONGEST_PASSWORD)
        )
    if login and login in password.lower():
        raise Invalid(field="password", problem="contains the login")
    if len(set(password)) < _GROUP:
        raise Invalid(field="password", problem="repeats too few characters")


def hash_password(password: str) -> str:
    with _hashing:
        return _hasher.hash(password)


def is_password_right(password: str, password_hash: str | None) -> bool:
    """True for the right password. Of None it is never right, and takes the same time."""
    try:
        with _hashing:
            _hasher.verify(password_hash or _DUMMY_HASH, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_password_outdated(password_hash: str) -> bool:
    """True when the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def temporary_password() -> str:
    """A random password, easy to read out, to be changed at the first sign-in; about 59 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


_SEEN_EVERY = timedelta(seconds=30)
"""How exactly the last use of a session is recorded."""
_ADDRESS_FACTOR = 4
"""Many people share an address: it may fail this many times as often as a login."""
_TOKEN_BYTES = 32


class SignInRefused(Refusal):
    """Unknown login, wrong password or disabled account; the message does not say which."""

    def __init__(self) -> None:
        super().__init__("the login or the password is wrong")


class SignInBlocked(Refusal):
    """Too many failures; no sign-in is tried before `until`."""

    def __init__(self, *, until: datetime) -> None:
        super().__init__("too many failed sign-ins: wait")
        self.until = until


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session with the token of its cookie, which is not stored."""

    member: Member
    token: str = field(repr=False)


def sign_in(services: Services, rules: SessionRules, *, login: str, password: str, address: str) -> SignedIn:
    """A new session. Raises `SignInRefused` and `SignInBlocked`; both are in the audit."""
    name = login.strip().lower()[:_LONGEST_PASSWORD]
    real_now = services.real.now()
    with services.store.begin() as tx:
        keys = _keys(tx, name, address)
        until = sign_in_blocked_until(tx, keys, real_now=real_now)
        member = find_member(tx, name)
        stored = password_hash_of(tx, member.id) if member is not None else None
    if until is not None:
        raise SignInBlocked(until=until)
    # Outside any transaction: it takes a while on purpose.
    fits = is_password_right(password[: _LONGEST_PASSWORD + 1], stored)
    if not fits or member is None or member.disabled_at is not None:
        _fail(services, rules, name, member, address)
        raise SignInRefused
    assert stored is not None
    with services.store.begin() as tx:
        # Again: of many guesses at once, all have passed the first check before one has failed.
        until = sign_in_blocked_until(tx, keys, real_now=services.real.now())
        if until is not None:
            raise SignInBlocked(until=until)
        clear_failures(tx, keys[0])
        if is_password_outdated(stored):
            rehash_password(tx, member.id, hash_password(password))
        note_staff_sign_in(tx, member.id, real_now=real_now)
        token = open_session(tx, rules, member, address=address, real_now=real_now)
        audit_account(tx, services, member.login, "sign_in", member.id, address=address)
    return SignedIn(member=member, token=token)


def open_session(tx: Tx, rules: SessionRules, member: Member, *, address: str, real_now: datetime) -> str:
    """The token of a new session of this account."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    start_session(
        tx,
        staff_id=member.id,
        token_hash=token_hash(token),
        address=address,
        real_now=real_now,
        expires_at=real_now + timedelta(seconds=rules.session_seconds),
    )
    return token


def recognise(
    services: Services, rules: SessionRules, token: str, *, even_idle: bool = False
) -> tuple[Session, Member] | None:
    """The session with this token and its account, noted as seen now; None when it is not valid. `even_idle`: also an
    idle session, and this does not count as a use.
    """
    if not token:
        return None
    real_now = services.real.now()
    with services.store.begin() as tx:
        found = find_session(tx, token_hash(token))
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
            note_session_seen(tx, session.id, real_now=real_now)
    return found


def valid_sessions(services: Services, session_ids: Iterable[int]) -> set[int]:
    """Those of these sessions that have neither ended nor expired, and whose accounts are open."""
    with services.store.begin() as tx:
        return valid_session_ids(tx, session_ids, real_now=services.real.now())


def sign_out(services: Services, session: Session) -> None:
    """Ends the session: its cookie, and any copy of it, is not valid any more."""
    with services.store.begin() as tx:
        if end_session(tx, session.id, real_now=services.real.now()):
            audit_account(tx, services, session.login, "sign_out", session.staff_id, address=session.address)


def change_password(
    services: Services, rules: SessionRules, session: Session, *, old: str, new: str, again: str
) -> str:
    """Sets the new password, ends every session of the account, and returns the token of a new one. Raises `Invalid`,
    and `SignInBlocked` after too many wrong old ones.
    """
    real_now = services.real.now()
    if new != again:
        raise Invalid(field="again", problem="is not the same as the new password")
    check_password(new, login=session.login)
    with services.store.begin() as tx:
        keys = _keys(tx, session.login, session.address)
        until = sign_in_blocked_until(tx, keys[:1], real_now=real_now)
        stored = password_hash_of(tx, session.staff_id)
        member = find_member(tx, session.login)
    if until is not None:
        raise SignInBlocked(until=until)
    assert member is not None
    if not is_password_right(old[: _LONGEST_PASSWORD + 1], stored):
        _fail(services, rules, session.login, member, session.address)
        raise Invalid(field="old", problem="is not the present password")
    if old == new:
        raise Invalid(field="new", problem="is the old one")
    made = hash_password(new)
    with services.store.begin() as tx:
        until = sign_in_blocked_until(tx, keys[:1], real_now=services.real.now())
        if until is not None:
            raise SignInBlocked(until=until)
        set_staff_password(tx, member.id, password_hash=made, must_change=False, real_now=real_now)
        end_sessions_of(tx, member.id, real_now=real_now)
        token = open_session(tx, rules, member, address=session.address, real_now=real_now)
        audit_account(tx, services, member.login, "password_change", member.id, address=session.address)
    return token


def token_hash(token: str) -> bytes:
    """A plain hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def _keys(tx: Tx, login: str, address: str) -> list[bytes]:
    return [failure_key(tx, "login", login), failure_key(tx, "address", address)]


def _fail(services: Services, rules: SessionRules, login: str, member: Member | None, address: str) -> None:
    """Counts the failure and blocks after the last one allowed. The audit names accounts, never what was typed."""
    real_now = services.real.now()
    start = real_now - timedelta(seconds=rules.lock_seconds)
    until = real_now + timedelta(seconds=rules.lock_seconds)
    with services.store.begin() as tx:
        delete_old_failures(tx, before=start)
        by_login, by_address = _keys(tx, login, address)
        locked = False
        for one, most in ((by_login, rules.failures), (by_address, rules.failures * _ADDRESS_FACTOR)):
            if count_failure(tx, one, real_now=real_now, window_start=start) >= most:
                block_sign_in(tx, one, until=until)
                locked = locked or one == by_login
        if locked:
            lock_staff_account(tx, login, until=until)
        who = member.login if member is not None else "?"
        number = member.id if member is not None else 0
        audit_account(tx, services, who, "sign_in_failed", number, address=address)
        if locked:
            audit_account(tx, services, who, "sign_in_locked", number, address=address)


def audit_account(
    tx: Tx, services: Services, by: str, act: str, staff_id: int | str, **facts: object
) -> None:
    """One line of audit about this account."""
    subject, now = f"staff/{staff_id}", services.clock.now()
    write_audit(tx, who=by, act=act, subject=subject, why="", now=now, facts=facts)
