"""Accounts of the console. Every time here is the machine's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.domain.access import Role
from dialer.store import tables as t
from dialer.store.seen import seen_by as seen_by_unit
from dialer.store.unit_of_work import Row, Tx


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
    extension: str = ""
    """The telephone on the desk, which click-to-call rings first; '' where none was named."""

    def is_locked(self, *, real_now: datetime) -> bool:
        return self.locked_until is not None and real_now < self.locked_until


_COLUMNS = tuple(column for column in t.staff.c if column.name != "password_hash")


def is_nobody(tx: Tx) -> bool:
    """There is no account at all yet."""
    return tx.scalar(sa.select(sa.literal(1)).select_from(t.staff).limit(1)) is None


def add(
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
) -> Member | None:
    """The new account; None when the login is taken, by a disabled one too."""
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
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(*_COLUMNS)
    )
    return None if row is None else member(row)


def find(tx: Tx, login: str) -> Member | None:
    row = tx.one(sa.select(*_COLUMNS).where(t.staff.c.login == login))
    return None if row is None else member(row)


def get(tx: Tx, staff_id: int) -> Member | None:
    row = tx.one(sa.select(*_COLUMNS).where(t.staff.c.id == staff_id))
    return None if row is None else member(row)


def every(tx: Tx, *, seen_by: int | None = None) -> list[Member]:
    """All accounts that this unit sees (None: all there are) by login, disabled ones last."""
    return [
        member(row)
        for row in tx.rows(
            sa.select(*_COLUMNS)
            .where(seen_by_unit(t.staff.c.unit_id, seen_by))
            .order_by(t.staff.c.disabled_at.is_not(None), t.staff.c.login)
        )
    ]


def display_names(tx: Tx, logins: Collection[str]) -> dict[str, str]:
    """Of those that have an account."""
    found = sa.select(t.staff.c.login, t.staff.c.display_name).where(t.staff.c.login.in_(sorted(logins)))
    return {row["login"]: row["display_name"] for row in tx.rows(found)}


def password_hash(tx: Tx, staff_id: int) -> str:
    return str(tx.scalar(sa.select(t.staff.c.password_hash).where(t.staff.c.id == staff_id)))


def set_password(tx: Tx, staff_id: int, *, password_hash: str, must_change: bool, real_now: datetime) -> None:
    """The account opens with this password from now on; a lock of the old one is gone."""
    _change(
        tx,
        staff_id,
        password_hash=password_hash,
        must_change=must_change,
        password_at=real_now,
        locked_until=None,
    )


def rehash(tx: Tx, staff_id: int, password_hash: str) -> None:
    """The same password under today's parameters."""
    tx.execute(sa.update(t.staff).where(t.staff.c.id == staff_id).values(password_hash=password_hash))


def set_disabled(tx: Tx, staff_id: int, *, disabled_at: datetime | None) -> None:
    _change(tx, staff_id, disabled_at=disabled_at, locked_until=None)


def set_place(tx: Tx, staff_id: int, *, display_name: str, role: Role, unit_id: int | None) -> None:
    _change(tx, staff_id, display_name=display_name, role=role.value, unit_id=unit_id)


def set_language(tx: Tx, staff_id: int, language: str) -> None:
    tx.execute(sa.update(t.staff).where(t.staff.c.id == staff_id).values(language=language))


def set_extension(tx: Tx, staff_id: int, extension: str) -> None:
    tx.execute(sa.update(t.staff).where(t.staff.c.id == staff_id).values(extension=extension))


def lock(tx: Tx, login: str, *, until: datetime | None) -> None:
    """So that an administrator sees it; nothing happens where there is no such account."""
    tx.execute(sa.update(t.staff).where(t.staff.c.login == login).values(locked_until=until))


def lock_administrators(tx: Tx) -> set[int]:
    """The ids of all who can manage accounts; none of them changes before this transaction ends."""
    found = sa.select(t.staff.c.id).where(
        t.staff.c.role == Role.ADMINISTRATOR.value, t.staff.c.disabled_at.is_(None)
    )
    return {row["id"] for row in tx.rows(found.order_by(t.staff.c.id).with_for_update())}


def note_sign_in(tx: Tx, staff_id: int, *, real_now: datetime) -> None:
    tx.execute(
        sa.update(t.staff).where(t.staff.c.id == staff_id).values(signed_in_at=real_now, locked_until=None)
    )


def _change(tx: Tx, staff_id: int, **values: object) -> None:
    tx.execute(
        sa.update(t.staff).where(t.staff.c.id == staff_id).values(revision=t.staff.c.revision + 1, **values)
    )


def member(row: Row) -> Member:
    """The account in a row of `staff`."""
    return Member(
        id=row["id"],
        login=row["login"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        unit_id=row["unit_id"],
        language=row["language"],
        must_change=row["must_change"],
        revision=row["revision"],
        created_at=row["created_at"],
        signed_in_at=row["signed_in_at"],
        disabled_at=row["disabled_at"],
        locked_until=row["locked_until"],
        extension=row["extension"],
    )
