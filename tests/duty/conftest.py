"""A bureau with accounts, at ten in the morning."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dialer.core.access import Role
from dialer.staff.store import Member, insert_member
from tests.work.bureau import Bureau

Account = Callable[..., Member]


@pytest.fixture
def bureau(fresh_database: str) -> Iterator[Bureau]:
    built = Bureau(fresh_database)
    yield built
    built.close()


@pytest.fixture
def account(bureau: Bureau) -> Account:
    """Adds an account; `unit` is a name of the tree."""

    def add(login: str, *, role: Role = Role.OFFICER, unit: str = "城关派出所") -> Member:
        with bureau.tx() as tx:
            member = insert_member(
                tx,
                login=login,
                display_name=login.title(),
                password_hash="",
                role=role,
                unit_id=bureau.unit[unit] if unit else None,
                language="zh",
                must_change=False,
                by="test",
                real_now=bureau.clock.now(),
            )
        assert member is not None
        return member

    return add
