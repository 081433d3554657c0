"""Tokens of the API: made, revoked, and recognised at the door.

What people are called who stand in the records by their login.

The units that somebody may choose from.

The telephone on a caller's own desk, which click-to-call rings first.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from dialer.core.access import actor_name
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.units import Unit
from dialer.db.audit import write_audit
from dialer.language import Text
from dialer.org.staff_store import (
    Member,
    Token,
    TokenScope,
    all_tokens,
    display_names,
    find_token,
    insert_token,
    revoke_token_named,
    set_staff_extension,
)
from dialer.org.unit_store import list_units_of_tree
from dialer.services import Services

TOKEN_PREFIX = "dialer_"  # noqa: S105  # how a token begins; it is no secret
"""Lets a search of somebody's disk or repository tell what it has found."""
_SECRET_BYTES = 32
_SECRET = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_DAYS = 1100
_CACHED = timedelta(seconds=3)
"""How long another process's revocation may take to be noticed here."""
_CACHE_SIZE = 1000


class UnknownToken(Refusal):
    """No token, an unknown, an expired or a revoked one: which of them is not told."""

    def __init__(self) -> None:
        super().__init__("the token is missing or not valid: send Authorization: Bearer and a valid one")


class ScopeMissing(Refusal):
    """A good token that was not made for this."""

    def __init__(self, *, scope: TokenScope) -> None:
        super().__init__(Text("the token has no scope %(scope)s: ask for one that has it", scope=scope.value))
        self.scope = scope


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """The only moment at which the secret exists on our side."""

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
            secret_hash=_hash(secret),
            scopes=wanted,
            unit=unit,
            real_now=real_now,
            expires_at=real_now + timedelta(days=days),
        )
        if token is None:
            raise Conflict(
                Text("a token named %(name)s is in use: revoke it first, or choose another name", name=name)
            )
        write_audit(
            tx,
            who=who,
            act="token_add",
            subject=f"api_token/{token.id}",
            why="",
            now=services.clock.now(),
            facts={"name": name, "scopes": sorted(wanted), "unit": unit, "days": days},
        )
    return NewToken(token=token, secret=secret)


def _scopes(words: Sequence[str]) -> frozenset[TokenScope]:
    known = ", ".join(scope.value for scope in TokenScope)
    if not words:
        raise Invalid(field="scope", problem="is missing", mend=Text("one or more of %(known)s", known=known))
    try:
        return frozenset(TokenScope(word) for word in words)
    except ValueError:
        raise Invalid(
            field="scope", problem="is not known", mend=Text("one or more of %(known)s", known=known)
        ) from None


def list_tokens(services: Services) -> list[Token]:
    with services.store.begin() as tx:
        return all_tokens(tx)


def revoke_token(services: Services, name: str, *, by: str) -> Token:
    """Refused everywhere within seconds; audited. Raises `NotFound` and `Invalid`."""
    who = actor_name(by)
    with services.store.begin() as tx:
        token = revoke_token_named(tx, name, real_now=services.real.now())
        if token is None:
            raise NotFound(kind="token", key=name)
        write_audit(
            tx,
            who=who,
            act="token_revoke",
            subject=f"api_token/{token.id}",
            why="",
            now=services.clock.now(),
            facts={"name": name},
        )
    return token


class Door:
    """Recognises tokens. Remembers each for a moment, so that a busy sender costs no query a request."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[bytes, tuple[datetime, Token]] = {}
        self._lock = threading.Lock()

    def admit(self, secret: str, scope: TokenScope) -> Token:
        """The token. Raises `UnknownToken`, `ScopeMissing` and `Unavailable`."""
        token = self.recognise(secret)
        if scope not in token.scopes:
            raise ScopeMissing(scope=scope)
        return token

    def recognise(self, secret: str) -> Token:
        """The good token with this secret, whatever it is for. Raises `UnknownToken` and `Unavailable`."""
        if not _SECRET.fullmatch(secret):
            raise UnknownToken
        digest = _hash(secret)
        real_now = self._services.real.now()
        with self._lock:
            read_at, token = self._known.get(digest, (None, None))
        if read_at is None or token is None or not read_at <= real_now < read_at + _CACHED:
            token = self._read(digest, real_now)
        if not token.is_good(real_now=real_now):
            raise UnknownToken
        return token

    def _read(self, digest: bytes, real_now: datetime) -> Token:
        with self._services.store.begin() as tx:
            token = find_token(tx, digest, today=real_now.date())
        if token is None:
            raise UnknownToken
        with self._lock:
            if len(self._known) >= _CACHE_SIZE:
                self._known.clear()
            self._known[digest] = real_now, token
        return token


def _hash(secret: str) -> bytes:
    """A plain hash is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def name_staff(services: Services, logins: Collection[str]) -> dict[str, str]:
    """By login; one that is no account is left out."""
    if not logins:
        return {}
    with services.store.begin() as tx:
        return display_names(tx, logins)


def list_units(services: Services, *, visible_to: int | None) -> list[Unit]:
    """One's own unit and all below, each after its parent, closed ones too; all for the whole centre (None)."""
    with services.store.begin() as tx:
        found = list_units_of_tree(tx)
    mine = [unit for unit in found if visible_to is None or visible_to in unit.path]
    return sorted(mine, key=lambda unit: unit.path)


_EXTENSION: Final = re.compile(r"\+?[0-9]{3,15}|sip:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,128}")


def choose_extension(services: Services, member: Member, typed: str) -> str:
    """As it is kept; nothing typed takes it away. In the audit. Raises `Invalid`."""
    chosen = extension_of(typed) if typed.strip() else ""
    with services.store.begin() as tx:
        set_staff_extension(tx, member.id, chosen)
        write_audit(
            tx,
            who=member.login,
            act="extension",
            subject=f"staff/{member.login}",
            why="",
            now=services.clock.now(),
            facts={"extension": chosen},
        )
    return chosen


def extension_of(typed: str) -> str:
    """A telephone that a caller may sit at, as the carrier wants it. Raises `Invalid`."""
    own = typed.strip()
    if not own.startswith("sip:"):
        own = re.sub(r"[\s-]", "", own)
    if not _EXTENSION.fullmatch(own):
        raise Invalid(field="extension", problem="is no telephone", mend="digits, or sip:name@host")
    return own
