"""Tokens of the API: made, revoked, and recognised at the door."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dialer.domain.access import actor_name
from dialer.errors import Conflict, Invalid, NotFound, Refusal
from dialer.language import Text
from dialer.store import audits, tokens
from dialer.store.tokens import Scope, Token
from dialer.usecases.engine import Engine

PREFIX = "dialer_"
"""Lets a search of somebody's disk or repository tell what it has found."""
_SECRET_BYTES = 32
_SECRET = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
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

    def __init__(self, *, scope: Scope) -> None:
        super().__init__(Text("the token has no scope %(scope)s: ask for one that has it", scope=scope.value))
        self.scope = scope


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """The only moment at which the secret exists on our side."""

    token: Token
    secret: str = field(repr=False)


def add_token(engine: Engine, *, name: str, scopes: Sequence[str], days: int, unit: str, by: str) -> NewToken:
    """A new token, audited. Raises `Invalid`, and `Conflict` where the name is in use."""
    who = actor_name(by)
    if not _NAME.fullmatch(name):
        raise Invalid(
            field="name", problem="is no name for a token", mend="1 to 64 of letters, digits, '.', '_', '-'"
        )
    wanted = _scopes(scopes)
    if unit and Scope.REPORT_READ in wanted:
        raise Invalid(
            field="scope",
            problem=Text(
                "%(scope)s shows the whole city, so no token of one unit may have it",
                scope=Scope.REPORT_READ.value,
            ),
            mend="leave out the unit or the scope",
        )
    if not 1 <= days <= _MOST_DAYS:
        raise Invalid(field="days", problem="is out of range", mend=Text("1 to %(most)s", most=_MOST_DAYS))
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    real_now = engine.real.now()
    with engine.store.begin() as tx:
        token = tokens.add(
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
        audits.write(
            tx,
            who=who,
            act="token_add",
            subject=f"api_token/{token.id}",
            why="",
            now=engine.clock.now(),
            facts={"name": name, "scopes": sorted(wanted), "unit": unit, "days": days},
        )
    return NewToken(token=token, secret=secret)


def _scopes(words: Sequence[str]) -> frozenset[Scope]:
    known = ", ".join(scope.value for scope in Scope)
    if not words:
        raise Invalid(field="scope", problem="is missing", mend=Text("one or more of %(known)s", known=known))
    try:
        return frozenset(Scope(word) for word in words)
    except ValueError:
        raise Invalid(
            field="scope", problem="is not known", mend=Text("one or more of %(known)s", known=known)
        ) from None


def list_tokens(engine: Engine) -> list[Token]:
    with engine.store.begin() as tx:
        return tokens.every(tx)


def revoke_token(engine: Engine, name: str, *, by: str) -> Token:
    """Refused everywhere within seconds; audited. Raises `NotFound` and `Invalid`."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        token = tokens.revoke(tx, name, real_now=engine.real.now())
        if token is None:
            raise NotFound(kind="token", key=name)
        audits.write(
            tx,
            who=who,
            act="token_revoke",
            subject=f"api_token/{token.id}",
            why="",
            now=engine.clock.now(),
            facts={"name": name},
        )
    return token


class Door:
    """Recognises tokens. Remembers each for a moment, so that a busy sender costs no query a request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[bytes, tuple[datetime, Token]] = {}
        self._lock = threading.Lock()

    def admit(self, secret: str, scope: Scope) -> Token:
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
        real_now = self._engine.real.now()
        with self._lock:
            read_at, token = self._known.get(digest, (None, None))
        if read_at is None or token is None or not read_at <= real_now < read_at + _CACHED:
            token = self._read(digest, real_now)
        if not token.is_good(real_now=real_now):
            raise UnknownToken
        return token

    def _read(self, digest: bytes, real_now: datetime) -> Token:
        with self._engine.store.begin() as tx:
            token = tokens.find(tx, digest, today=real_now.date())
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
