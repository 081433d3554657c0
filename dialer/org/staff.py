"""Staff and API tokens: passwords, sign-in, sessions, names, the phone on a caller's desk.

Passwords are argon2id (RFC 9106, second choice). Failed sign-ins are counted by login and by address; too many block
further ones for a while.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cachetools import LRUCache

from dialer.core.access import SessionRules, actor_name
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.units import Unit
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.org.staff_store import (
    Member,
    Session,
    Token,
    TokenScope,
    all_tokens,
    block_sign_in,
    clear_failures,
    count_failure,
    delete_old_failures,
    display_names,
    end_session,
    failure_key,
    find_member,
    find_session,
    find_token,
    insert_token,
    lock_staff_account,
    note_session_seen,
    password_hash_of,
    revoke_token_named,
    set_staff,
    set_staff_password,
    sign_in_blocked_until,
    start_session,
    valid_session_ids,
)
from dialer.org.unit_store import list_units_of_tree
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
        _refuse_blocked(tx, keys, real_now)
        member = find_member(tx, name)
        stored = password_hash_of(tx, member.id) if member is not None else None
    # Outside any transaction: it takes a while on purpose.
    fits = is_password_right(password[: _LONGEST_PASSWORD + 1], stored)
    if not fits or member is None or member.disabled_at is not None:
        _fail(services, rules, name, member, address)
        raise SignInRefused
    assert stored is not None
    with services.store.begin() as tx:
        # Again: of many guesses at once, all have passed the first check before one has failed.
        _refuse_blocked(tx, keys, services.real.now())
        clear_failures(tx, keys[0])
        if is_password_outdated(stored):
            set_staff(tx, member.id, password_hash=hash_password(password))
        set_staff(tx, member.id, signed_in_at=real_now, locked_until=None)
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
        _refuse_blocked(tx, keys[:1], real_now)
        stored = password_hash_of(tx, session.staff_id)
        member = find_member(tx, session.login)
    assert member is not None
    if not is_password_right(old[: _LONGEST_PASSWORD + 1], stored):
        _fail(services, rules, session.login, member, session.address)
        raise Invalid(field="old", problem="is not the present password")
    if old == new:
        raise Invalid(field="new", problem="is the old one")
    made = hash_password(new)
    with services.store.begin() as tx:
        _refuse_blocked(tx, keys[:1], services.real.now())
        set_staff_password(tx, member.id, password_hash=made, must_change=False, real_now=real_now)
        token = open_session(tx, rules, member, address=session.address, real_now=real_now)
        audit_account(tx, services, member.login, "password_change", member.id, address=session.address)
    return token


def token_hash(token: str) -> bytes:
    """A plain hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def _keys(tx: Tx, login: str, address: str) -> list[bytes]:
    return [failure_key(tx, "login", login), failure_key(tx, "address", address)]


def _refuse_blocked(tx: Tx, keys: Sequence[bytes], real_now: datetime) -> None:
    until = sign_in_blocked_until(tx, keys, real_now=real_now)
    if until is not None:
        raise SignInBlocked(until=until)


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


TOKEN_PREFIX = "dialer_"  # noqa: S105  # how a token begins; it is no secret
"""So that a search of disks and repositories recognises a leaked token."""
_SECRET_BYTES = 32
_SECRET = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_DAYS = 1100
_CACHED = timedelta(seconds=3)
"""A token revoked by another process may be accepted here for this long."""
_CACHE_SIZE = 1000


class UnknownToken(Refusal):
    """No token, or an unknown, expired or revoked one; the message does not say which."""

    def __init__(self) -> None:
        super().__init__("the token is missing or not valid: send Authorization: Bearer and a valid one")


class ScopeMissing(Refusal):
    """A good token that was not made for this."""

    def __init__(self, *, scope: TokenScope) -> None:
        super().__init__(Text("the token has no scope %(scope)s: ask for one that has it", scope=scope.value))
        self.scope = scope


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A new token with its secret, which is stored only as a hash."""

    token: Token
    secret: str = field(repr=False)


def add_token(
    services: Services, *, name: str, scopes: Sequence[str], days: int, unit: str, by: str
) -> NewToken:
    """A new token, audited. Raises `Invalid`, and `Conflict` where the name is in use."""
    who = actor_name(by)
    if not _NAME.fullmatch(name):
        raise Invalid(
            field="name", problem="is no name for a token", mend="1 to 64 of letters, digits, '.', '_', '-'"
        )
    wanted = _scopes(scopes)
    if unit and TokenScope.REPORT_READ in wanted:
        raise Invalid(
            field="scope",
            problem=Text(
                "%(scope)s shows the whole city, so no token of one unit may have it",
                scope=TokenScope.REPORT_READ.value,
            ),
            mend="leave out the unit or the scope",
        )
    if not 1 <= days <= _MOST_DAYS:
        raise Invalid(field="days", problem="is out of range", mend=Text("1 to %(most)s", most=_MOST_DAYS))
    secret = TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    real_now = services.real.now()
    with services.store.begin() as tx:
        token = insert_token(
            tx,
            name=name,
            secret_hash=token_hash(secret),
            scopes=wanted,
            unit=unit,
            real_now=real_now,
            expires_at=real_now + timedelta(days=days),
        )
        if token is None:
            raise Conflict(
                Text("a token named %(name)s is in use: revoke it first, or choose another name", name=name)
            )
        facts = {"name": name, "scopes": sorted(wanted), "unit": unit, "days": days}
        _audit(tx, services, who, "token_add", token, facts)
    return NewToken(token=token, secret=secret)


def _scopes(words: Sequence[str]) -> frozenset[TokenScope]:
    mend = Text("one or more of %(known)s", known=", ".join(TokenScope))
    if not words:
        raise Invalid(field="scope", problem="is missing", mend=mend)
    try:
        return frozenset(map(TokenScope, words))
    except ValueError:
        raise Invalid(field="scope", problem="is not known", mend=mend) from None


def list_tokens(services: Services) -> list[Token]:
    """All tokens, oldest first."""
    with services.store.begin() as tx:
        return all_tokens(tx)


def revoke_token(services: Services, name: str, *, by: str) -> Token:
    """Revokes the token; every process refuses it within seconds. Audited. Raises `NotFound` and `Invalid`."""
    who = actor_name(by)
    with services.store.begin() as tx:
        token = revoke_token_named(tx, name, real_now=services.real.now())
        if token is None:
            raise NotFound(kind="token", key=name)
        _audit(tx, services, who, "token_revoke", token, {"name": name})
    return token


def _audit(tx: Tx, services: Services, by: str, act: str, token: Token, facts: Mapping[str, object]) -> None:
    subject, now = f"api_token/{token.id}", services.clock.now()
    write_audit(tx, who=by, act=act, subject=subject, why="", now=now, facts=facts)


class TokenAuth:
    """Checks tokens. Keeps each for a moment, so that a busy sender does not cost a query a request."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: LRUCache[bytes, tuple[datetime, Token]] = LRUCache(_CACHE_SIZE)
        self._lock = threading.Lock()

    def admit(self, secret: str, scope: TokenScope) -> Token:
        """The valid token with this secret and scope. Raises `UnknownToken`, `ScopeMissing` and `Unavailable`."""
        token = self.recognise(secret)
        if scope not in token.scopes:
            raise ScopeMissing(scope=scope)
        return token

    def recognise(self, secret: str) -> Token:
        """The valid token with this secret, whatever its scopes. Raises `UnknownToken` and `Unavailable`."""
        if not _SECRET.fullmatch(secret):
            raise UnknownToken
        digest = token_hash(secret)
        real_now = self._services.real.now()
        with self._lock:
            read_at, token = self._known.get(digest, (None, None))
        if read_at is None or not read_at <= real_now < read_at + _CACHED:
            with self._services.store.begin() as tx:
                token = find_token(tx, digest, today=real_now.date())
            if token is not None:
                with self._lock:
                    self._known[digest] = real_now, token
        if token is None or not token.is_good(real_now=real_now):
            raise UnknownToken
        return token


def name_staff(services: Services, logins: Collection[str]) -> dict[str, str]:
    """Display names by login; logins without an account are left out."""
    if not logins:
        return {}
    with services.store.begin() as tx:
        return display_names(tx, logins)


def list_units(services: Services, *, visible_to: int | None) -> list[Unit]:
    """The unit and all below, each after its parent, closed ones too; None: all units."""
    with services.store.begin() as tx:
        found = list_units_of_tree(tx)
    mine = [unit for unit in found if visible_to is None or visible_to in unit.path]
    return sorted(mine, key=lambda unit: unit.path)


_EXTENSION: Final = re.compile(r"\+?[0-9]{3,15}|sip:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,128}")


def choose_extension(services: Services, member: Member, typed: str) -> str:
    """Sets the telephone on the caller's desk, or none where nothing was typed; as stored. Audited. Raises
    `Invalid`.
    """
    chosen = extension_of(typed) if typed.strip() else ""
    with services.store.begin() as tx:
        set_staff(tx, member.id, extension=chosen)
        audit_account(tx, services, member.login, "extension", member.login, extension=chosen)
    return chosen


def extension_of(typed: str) -> str:
    """The telephone of a desk as the carrier expects it. Raises `Invalid`."""
    own = typed.strip()
    if not own.startswith("sip:"):
        own = re.sub(r"[\s-]", "", own)
    if not _EXTENSION.fullmatch(own):
        raise Invalid(field="extension", problem="is no telephone", mend="digits, or sip:name@host")
    return own
