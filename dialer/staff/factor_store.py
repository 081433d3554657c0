"""Rows of second factors, recovery codes and steps of a sign-in. Secrets are encrypted, codes and tokens of steps are
stored only as hashes. Every time here is real time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import FactorKind, SignInStep
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.vault import BlindKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One second factor of an account. The secret is opened by `factor_secret` alone."""

    id: int
    staff_id: int
    kind: FactorKind
    name: str
    counter: int
    created_at: datetime
    confirmed_at: datetime | None
    used_at: datetime | None
    credential_id: bytes | None = None


_FACTOR = tuple(t.staff_factor.c[field.name] for field in fields(Factor))
_SEALED_FACTOR = {"table": "staff_factor", "column": "secret"}
_SEALED_STEP = {"table": "sign_in_step", "column": "data"}


def insert_factor(
    tx: Tx,
    *,
    staff_id: int,
    kind: FactorKind,
    name: str,
    secret: bytes,
    real_now: datetime,
    confirmed: bool,
    credential_id: bytes | None = None,
    counter: int = 0,
) -> int | None:
    """The id of the new factor; None if the account already has an app, or the passkey is already known."""
    number = tx.scalar(
        insert(t.staff_factor)
        .values(
            staff_id=staff_id,
            kind=kind.value,
            name=name,
            secret=tx.vault.seal(secret, row=staff_id, **_SEALED_FACTOR),
            credential_id=credential_id,
            counter=counter,
            created_at=real_now,
            confirmed_at=real_now if confirmed else None,
        )
        .on_conflict_do_nothing()
        .returning(t.staff_factor.c.id)
    )
    return None if number is None else int(number)


def factors_of(tx: Tx, staff_id: int, *, kind: FactorKind | None = None) -> list[Factor]:
    """The second factors of the account, including unconfirmed ones, the oldest first."""
    statement = sa.select(*_FACTOR).where(t.staff_factor.c.staff_id == staff_id).order_by(t.staff_factor.c.id)
    if kind is not None:
        statement = statement.where(t.staff_factor.c.kind == kind.value)
    return [record_of(Factor, row) for row in tx.rows(statement)]


def find_passkey(tx: Tx, credential_id: bytes) -> Factor | None:
    """The passkey with the id that the browser sends."""
    row = tx.one(sa.select(*_FACTOR).where(t.staff_factor.c.credential_id == credential_id))
    return None if row is None else record_of(Factor, row)


def factor_secret(tx: Tx, factor: Factor) -> bytes:
    """The factor's secret in clear: an app's key."""
    sealed = tx.scalar(sa.select(t.staff_factor.c.secret).where(t.staff_factor.c.id == factor.id))
    return tx.vault.open(sealed, row=factor.staff_id, **_SEALED_FACTOR)


def confirm_factor(tx: Tx, factor_id: int, *, real_now: datetime) -> None:
    """The factor is in use from now on."""
    tx.execute(
        sa.update(t.staff_factor).where(t.staff_factor.c.id == factor_id).values(confirmed_at=real_now)
    )


def use_factor(tx: Tx, factor_id: int, *, counter: int, real_now: datetime, rises: bool) -> bool:
    """Records a use of the factor. False if `rises` and this counter, or a later one, was accepted before: of two uses
    at once only one is accepted.
    """
    f = t.staff_factor.c
    statement = sa.update(t.staff_factor).where(f.id == factor_id)
    if rises:
        statement = statement.where(f.counter < counter)
    return tx.execute(statement.values(counter=counter, used_at=real_now)).rowcount == 1


def rename_factor(tx: Tx, staff_id: int, factor_id: int, name: str) -> bool:
    """Renames a factor; False if the person has no such factor."""
    f = t.staff_factor.c
    statement = sa.update(t.staff_factor).where(f.id == factor_id, f.staff_id == staff_id)
    return tx.execute(statement.values(name=name)).rowcount == 1


def delete_factors(tx: Tx, staff_id: int, *, factor_id: int | None = None) -> list[Factor]:
    """Deletes all factors of the account, or one of them; returns what was deleted."""
    f = t.staff_factor.c
    statement = sa.delete(t.staff_factor).where(f.staff_id == staff_id)
    if factor_id is not None:
        statement = statement.where(f.id == factor_id)
    return [record_of(Factor, row) for row in tx.rows(statement.returning(*_FACTOR))]


def replace_recovery_codes(tx: Tx, staff_id: int, codes: Iterable[str]) -> None:
    """Replaces the recovery codes of the account: each new one works once, earlier ones no longer work."""
    tx.execute(sa.delete(t.staff_recovery_code).where(t.staff_recovery_code.c.staff_id == staff_id))
    rows = [{"staff_id": staff_id, "code_hash": _code_hash(tx, code)} for code in codes]
    if rows:
        tx.execute(sa.insert(t.staff_recovery_code).values(rows))


def use_recovery_code(tx: Tx, staff_id: int, code: str, *, real_now: datetime) -> bool:
    """Uses up the recovery code. False when it does not exist, or was used: of two at once only one gets True."""
    c = t.staff_recovery_code.c
    used = tx.execute(
        sa.update(t.staff_recovery_code)
        .where(c.staff_id == staff_id, c.code_hash == _code_hash(tx, code), c.used_at.is_(None))
        .values(used_at=real_now)
    )
    return used.rowcount == 1


def recovery_codes_left(tx: Tx, staff_id: int) -> int:
    """How many recovery codes are unused."""
    c = t.staff_recovery_code.c
    found = sa.select(sa.func.count()).where(c.staff_id == staff_id, c.used_at.is_(None))
    return int(tx.scalar(found))


def _code_hash(tx: Tx, code: str) -> bytes:
    return tx.vault.blind(code, kind=BlindKind.RECOVERY_CODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A step towards signing in that a browser has begun; not yet a session."""

    id: int
    kind: SignInStep
    staff_id: int | None
    data: dict[str, Any]


def begin_step(
    tx: Tx,
    *,
    token_hash: bytes,
    kind: SignInStep,
    staff_id: int | None,
    data: Mapping[str, object],
    real_now: datetime,
    expires_at: datetime,
) -> None:
    """Stores a sign-in that needs another step, found by its token's hash until it expires; `data` is sealed."""
    tx.execute(
        sa.insert(t.sign_in_step).values(
            token_hash=token_hash,
            kind=kind.value,
            staff_id=staff_id,
            data=tx.vault.seal_record(data, row=token_hash.hex(), **_SEALED_STEP),
            created_at=real_now,
            expires_at=expires_at,
        )
    )


def find_step(tx: Tx, token_hash: bytes, kind: SignInStep, *, real_now: datetime) -> Begun | None:
    """The step that was begun under this token; None if it has expired or been used."""
    return _begun(tx, sa.select(t.sign_in_step).where(*_open_step(token_hash, kind, real_now)), token_hash)


def use_step(tx: Tx, token_hash: bytes, kind: SignInStep, *, real_now: datetime) -> Begun | None:
    """As `find_step`, and uses up the step: of two at once only one gets it."""
    statement = sa.update(t.sign_in_step).where(*_open_step(token_hash, kind, real_now))
    return _begun(tx, statement.values(used_at=real_now).returning(t.sign_in_step), token_hash)


def change_step(tx: Tx, step_id: int, token_hash: bytes, data: Mapping[str, object]) -> None:
    """Replaces the data of the step."""
    sealed = tx.vault.seal_record(data, row=token_hash.hex(), **_SEALED_STEP)
    tx.execute(sa.update(t.sign_in_step).where(t.sign_in_step.c.id == step_id).values(data=sealed))


def _open_step(token_hash: bytes, kind: SignInStep, real_now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    c = t.sign_in_step.c
    return c.token_hash == token_hash, c.kind == kind.value, c.used_at.is_(None), c.expires_at > real_now


def _begun(tx: Tx, statement: sa.Executable, token_hash: bytes) -> Begun | None:
    row = tx.one(statement)
    if row is None:
        return None
    data = tx.vault.open_record(row["data"], row=token_hash.hex(), **_SEALED_STEP)
    return Begun(id=row["id"], kind=SignInStep(row["kind"]), staff_id=row["staff_id"], data=data)
