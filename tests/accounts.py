"""Accounts in the database of a test, which commands name with `--by`."""

from __future__ import annotations

from datetime import UTC, datetime

from dialer.core.access import Role
from dialer.db.unit_of_work import Store
from dialer.staff.passwords import hash_password
from dialer.staff.store import Member, insert_member


def add_account(
    store: Store,
    login: str,
    role: Role = Role.SUPERVISOR,
    *,
    name: str = "",
    unit_id: int | None = None,
    password: str = "",
) -> Member:
    """An account that nobody can sign in to without a `password`."""
    with store.begin() as tx:
        member = insert_member(
            tx,
            login=login,
            display_name=name or login.title(),
            password_hash=hash_password(password) if password else "",
            role=role,
            unit_id=unit_id,
            language="zh",
            must_change=False,
            by="test",
            real_now=datetime.now(UTC),
        )
    assert member is not None
    return member
