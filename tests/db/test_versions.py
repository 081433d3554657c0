"""What every process asks at its start, told without Alembic, is what Alembic says."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.db.migrations import current_revision, database_revision, newest_migration, newest_revision
from dialer.db.unit_of_work import Store
from dialer.db.vault import Keys, Vault


def _store(url: str) -> Store:
    return Store(url, Vault(Keys(encryption={1: b"e" * 32}, current=1, index=b"i" * 32)))


def test_the_newest_is_the_head_of_the_migrations():
    assert newest_migration() == newest_revision()


def test_a_database_tells_its_revision_before_and_after(fresh_database: str):
    store = _store(fresh_database)
    try:
        assert current_revision(store) == database_revision(store.sql_engine) == newest_migration()
        with store.begin() as tx:
            tx.execute(sa.text("DROP TABLE alembic_version"))
        assert current_revision(store) == ""
    finally:
        store.dispose()
