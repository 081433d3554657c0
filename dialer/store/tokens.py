"""API tokens: who may use the API, for what and how long. A secret is known by its hash alone."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.store import tables as t
from dialer.store.unit_of_work import Row, Tx


class Scope(StrEnum):
    """What a token may do."""

    WARNINGS_WRITE = "warnings:write"
    CASES_READ = "cases:read"
    REPORT_READ = "report:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token without its secret. Times are the machine's, not the service clock's."""

    id: int
    name: str
    scopes: frozenset[Scope]
    unit: str
    """Its warnings' unit where they name none, and the only unit whose cases it sees; '' for the whole city."""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None

    def is_good(self, *, real_now: datetime) -> bool:
        return self.revoked_at is None and real_now < self.expires_at


def add(
    tx: Tx,
    *,
    name: str,
    secret_hash: bytes,
    scopes: Iterable[Scope],
    unit: str,
    real_now: datetime,
    expires_at: datetime,
) -> Token | None:
    """The new token; None when one of this name is in use."""
    row = tx.one(
        insert(t.api_token)
        .values(
            name=name,
            secret_hash=secret_hash,
            scopes=sorted(scope.value for scope in scopes),
            unit=unit,
            created_at=real_now,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=["name"], index_where=sa.text("revoked_at IS NULL"))
        .returning(t.api_token)
    )
    return None if row is None else _token(row)


def find(tx: Tx, secret_hash: bytes, *, today: date) -> Token | None:
    """The token with this secret, revoked and expired ones too; that it was used today is noted."""
    row = tx.one(sa.select(t.api_token).where(t.api_token.c.secret_hash == secret_hash))
    if row is None or not hmac.compare_digest(bytes(row["secret_hash"]), secret_hash):
        return None
    if row["revoked_at"] is None and row["last_used_on"] != today:
        tx.execute(sa.update(t.api_token).where(t.api_token.c.id == row["id"]).values(last_used_on=today))
    return _token(row)


def every(tx: Tx) -> list[Token]:
    """All tokens, oldest first."""
    return [_token(row) for row in tx.rows(sa.select(t.api_token).order_by(t.api_token.c.id))]


def revoke(tx: Tx, name: str, *, real_now: datetime) -> Token | None:
    """The token of this name is good no longer; None when there is none in use."""
    row = tx.one(
        sa.update(t.api_token)
        .where(t.api_token.c.name == name, t.api_token.c.revoked_at.is_(None))
        .values(revoked_at=real_now)
        .returning(t.api_token)
    )
    return None if row is None else _token(row)


def _token(row: Row) -> Token:
    return Token(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        unit=row["unit"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_on=row["last_used_on"],
    )
