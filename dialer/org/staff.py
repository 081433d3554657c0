"""API tokens: added, revoked, checked at each request; and what else features ask of staff: display names, the units
to choose from, the telephone on a caller's desk.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from dialer.core.access import actor_name
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.units import Unit
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.org.sign_in import audit_account, token_hash
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
        self._known: dict[bytes, tuple[datetime, Token]] = {}
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
        set_staff_extension(tx, member.id, chosen)
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
