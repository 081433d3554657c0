"""Rows of API tokens, whose secrets are stored only as hashes. Every time here is real time."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Actor, Permission
from dialer.core.text import gettext_noop
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx, record_of


class TokenScope(StrEnum):
    """What a token may do."""

    WARNINGS_WRITE = "warnings:write"
    SIGNALS_WRITE = "signals:write"
    CASES_READ = "cases:read"
    REPORT_READ = "report:read"
    OPENINGS_WRITE = "openings:write"
    """For a bank or carrier: checks and enters its openings."""


SCOPE_WORDS: Mapping[TokenScope, str] = {
    TokenScope.WARNINGS_WRITE: gettext_noop("send warnings"),
    TokenScope.SIGNALS_WRITE: gettext_noop("send signals"),
    TokenScope.CASES_READ: gettext_noop("read cases"),
    TokenScope.REPORT_READ: gettext_noop("read success rates"),
    TokenScope.OPENINGS_WRITE: gettext_noop("send openings of cards"),
}
_RIGHTS: Mapping[TokenScope, tuple[Permission, ...]] = {
    TokenScope.WARNINGS_WRITE: (Permission.LOAD_LISTS,),
    TokenScope.SIGNALS_WRITE: (Permission.LOAD_LISTS,),
    TokenScope.CASES_READ: (Permission.SEE_CASES,),
    TokenScope.REPORT_READ: (Permission.SEE_RATES, Permission.EXPORT),
    TokenScope.OPENINGS_WRITE: (Permission.ENTER_OPENINGS,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """One token without its secret. Times are the machine's, not the service clock's."""

    id: int
    name: str
    scopes: frozenset[TokenScope]
    unit: str
    """The unit of its warnings that name none, as it was typed; '' for the whole city."""
    unit_id: int | None
    """The only unit whose cases it sees; None for the whole city, and where `unit` was stored without an id."""
    sources: Sequence[str]
    """Sources for which it may send warnings and signals, besides that of its own name."""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None

    @property
    def actor(self) -> Actor:
        """Who acts when this token is used."""
        rights = frozenset(right for scope in self.scopes for right in _RIGHTS[scope])
        return Actor(name=f"token/{self.name}", rights=rights, unit_id=self.unit_id)

    def may_send_for(self, source: str) -> bool:
        """Whether the token may send warnings and signals of this source."""
        return source == self.name or source in self.sources

    @property
    def sees_every_case(self) -> bool:
        """Whether it may read any case of the centre: only then is it told which case its warning came to."""
        return TokenScope.CASES_READ in self.scopes and not self.unit

    def is_good(self, *, real_now: datetime) -> bool:
        """Whether the service token is neither revoked nor expired."""
        return self.revoked_at is None and real_now < self.expires_at


def insert_token(
    tx: Tx,
    *,
    name: str,
    secret_hash: bytes,
    scopes: Iterable[TokenScope],
    unit: str,
    unit_id: int | None = None,
    sources: Iterable[str] = (),
    real_now: datetime,
    expires_at: datetime,
) -> ApiToken | None:
    """The new token; None if a token of this name is in use."""
    row = tx.one(
        insert(t.api_token)
        .values(
            name=name,
            secret_hash=secret_hash,
            scopes=sorted(scope.value for scope in scopes),
            unit=unit,
            unit_id=unit_id,
            sources=sorted({source.strip() for source in sources} - {name}),
            created_at=real_now,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=["name"], index_where=sa.text("revoked_at IS NULL"))
        .returning(t.api_token)
    )
    return None if row is None else record_of(ApiToken, row)


def find_token(tx: Tx, secret_hash: bytes, *, today: date) -> ApiToken | None:
    """The token with this secret, even if revoked or expired; records that it was used today."""
    row = tx.one(sa.select(t.api_token).where(t.api_token.c.secret_hash == secret_hash))
    if row is None or not hmac.compare_digest(bytes(row["secret_hash"]), secret_hash):
        return None
    if row["revoked_at"] is None and row["last_used_on"] != today:
        tx.execute(sa.update(t.api_token).where(t.api_token.c.id == row["id"]).values(last_used_on=today))
    return record_of(ApiToken, row)


def all_tokens(tx: Tx) -> list[ApiToken]:
    """All tokens, oldest first."""
    return [record_of(ApiToken, row) for row in tx.rows(sa.select(t.api_token).order_by(t.api_token.c.id))]


def revoke_token_named(tx: Tx, name: str, *, real_now: datetime) -> ApiToken | None:
    """Revokes the token of this name and returns it; None when no such token is in use."""
    row = tx.one(
        sa.update(t.api_token)
        .where(t.api_token.c.name == name, t.api_token.c.revoked_at.is_(None))
        .values(revoked_at=real_now)
        .returning(t.api_token)
    )
    return None if row is None else record_of(ApiToken, row)
