"""What every process asks at its start, told without Alembic, is what Alembic says."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.store import migrations, versions
from dialer.store.keys import Keys
from dialer.store.unit_of_work import Store
from dialer.store.vault import Vault


def _store(url: str) -> Store:
    return Store(url, Vault(Keys(encryption={1: b"e" * 32}, current=1, index=b"i" * 32)))


def test_the_newest_is_the_head_of_the_migrations():
    assert versions.newest() == migrations.head()


def test_a_database_tells_its_revision_before_and_after(fresh_database: str):
    store = _store(fresh_database)
    try:
        assert versions.current(store) == migrations.current(store.engine) == versions.newest()
        with store.begin() as tx:
            tx.execute(sa.text("DROP TABLE alembic_version"))
        assert versions.current(store) == ""
    finally:
        store.dispose()
