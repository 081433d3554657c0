"""A station whose officers are on duty, and the supervisor of the county above it."""

from __future__ import annotations

import pytest

from dialer.core.access import Role
from dialer.staff.store import Member
from tests.duty.conftest import Account, account, bureau
from tests.notifications.conftest import Station
from tests.work.bureau import Bureau

__all__ = ("account", "bureau")


@pytest.fixture
def station(bureau: Bureau, account: Account) -> Station:
    return Station(bureau, account)


@pytest.fixture
def chief(account: Account) -> Member:
    return account("chief", role=Role.SUPERVISOR, unit="临河分局")
