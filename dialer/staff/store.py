"""Rows of accounts, their sessions, failed sign-ins, the first administrator's link, and API tokens. Tokens, links and
secrets are stored only as hashes, the logins and addresses of failed sign-ins only as keyed hashes. Every time here is
real time.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Actor, FactorKind, Role, SignInStep, rights_of
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
    has_factor: bool = False
    """A second factor is set up."""

    @property
    def actor(self) -> Actor:
        """Who acts when this account is used."""
        rights = rights_of(self.role)
        return Actor(name=self.login, rights=rights, unit_id=self.unit_id, display_name=self.display_name)

    def has_blocked_addresses(self, *, real_now: datetime) -> bool:
        """Whether sign-in is still blocked from addresses where this login failed."""
        return self.locked_until is not None and real_now < self.locked_until


_HAS_FACTOR = (
    sa.exists()
    .where(t.staff_factor.c.staff_id == t.staff.c.id, t.staff_factor.c.confirmed_at.is_not(None))
    .correlate(t.staff)
    .label("has_factor")
)
_COLUMNS = (*(t.staff.c[one.name] for one in fields(Member) if one.name != "has_factor"), _HAS_FACTOR)


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


def reserve_try(tx: Tx, one: bytes, *, real_now: datetime, window_start: datetime) -> Tries:
    """Counts a try before the password is checked, so that each of many at once has its number. The window begins with
    its first try; while the key is blocked nothing is counted.
    """
    f = t.sign_in_failure.c
    blocked = sa.and_(f.blocked_until.is_not(None), f.blocked_until > real_now)
    fresh = sa.and_(sa.not_(blocked), sa.or_(f.since < window_start, f.blocked_until.is_not(None)))
    row = tx.one(
        insert(t.sign_in_failure)
        .values(key=one, failures=1, since=real_now)
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


def give_try_back(tx: Tx, one: bytes) -> None:
    """Takes a reserved try out of the count again: it succeeded."""
    f = t.sign_in_failure.c
    tx.execute(
        sa.update(t.sign_in_failure).where(f.key == one).values(failures=sa.func.greatest(f.failures - 1, 0))
    )


def block_sign_in(tx: Tx, one: bytes, *, until: datetime) -> None:
    """Allows no try under this key before `until`; afterwards tries count from one again."""
    f = t.sign_in_failure.c
    tx.execute(
        sa.update(t.sign_in_failure)
        .where(f.key == one, f.blocked_until.is_(None))
        .values(blocked_until=until)
    )


def clear_failures(tx: Tx, one: bytes) -> None:
    """Forgets the failed sign-ins counted under this key."""
    tx.execute(sa.delete(t.sign_in_failure).where(t.sign_in_failure.c.key == one))


def delete_old_failures(tx: Tx, *, before: datetime) -> None:
    """Deletes failures that began before `before`, so that trying many names does not fill the disk."""
    f = t.sign_in_failure.c
    old = sa.select(f.key).where(
        f.since < before, sa.or_(f.blocked_until.is_(None), f.blocked_until < before)
    )
    # Rows that a sign-in has locked are skipped: it may hold one and wait for another.
    tx.execute(sa.delete(t.sign_in_failure).where(f.key.in_(old.with_for_update(skip_locked=True))))


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


_FACTOR = tuple(t.staff_factor.c[one.name] for one in fields(Factor))
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


def member_of(tx: Tx, staff_id: int) -> Member | None:
    """The account of this id, disabled or not."""
    row = tx.one(sa.select(*_COLUMNS).where(t.staff.c.id == staff_id))
    return None if row is None else record_of(Member, row)


class TokenScope(StrEnum):
    """What a token may do."""

    WARNINGS_WRITE = "warnings:write"
    SIGNALS_WRITE = "signals:write"
    CASES_READ = "cases:read"
    REPORT_READ = "report:read"
    OPENINGS_WRITE = "openings:write"
    """For a bank or carrier: checks and enters its openings."""


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
    """Sources whose signals it may send, besides those of its own name."""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None

    def may_send_signals_of(self, source: str) -> bool:
        """Whether the token may send signals of this source."""
        return source == self.name or source in self.sources

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
            sources=sorted({one.strip() for one in sources} - {name}),
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
