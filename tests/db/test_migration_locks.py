"""A migration gives way to transactions of the service: it waits shortly, gives up its locks and begins again."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from dialer.db import migrations
from dialer.db.migration_locks import LocksNotObtained
from dialer.db.migrations import database_revision, migrate_database, newest_revision

_EARLIER = Path(__file__).resolve().parent / "data" / "0024.sql"


@pytest.fixture
def earlier(empty_database: str) -> str:
    with psycopg.connect(empty_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(_EARLIER.read_bytes())
    return empty_database


def test_it_gives_up_its_locks_and_begins_again(earlier: str, monkeypatch: pytest.MonkeyPatch):
    """A transaction that holds a table the migration needs goes on, however long it takes."""
    gave_way = threading.Event()
    monkeypatch.setattr(migrations.time, "sleep", lambda _seconds: gave_way.set())
    engine = sa.create_engine(earlier)
    with psycopg.connect(earlier.replace("+psycopg", "")) as service:
        service.execute('SELECT 1 FROM "case" LIMIT 1')
        migrating = threading.Thread(target=migrate_database, args=(engine,))
        migrating.start()
        assert gave_way.wait(60)
        # Between two tries nothing is locked, so the transaction writes where the migration was.
        service.execute('UPDATE "case" SET due_at = due_at WHERE id = (SELECT max(id) FROM "case")')
        service.commit()
        migrating.join(60)
    assert database_revision(engine) == newest_revision()
    engine.dispose()


def test_it_ends_where_a_table_is_never_free_and_what_is_done_stays(earlier: str):
    engine = sa.create_engine(earlier)
    with psycopg.connect(earlier.replace("+psycopg", "")) as service:
        service.execute("SELECT 1 FROM staff LIMIT 1")
        with pytest.raises(LocksNotObtained):
            migrate_database(engine, locks_within_seconds=0.5)
        stopped_at = database_revision(engine)
        assert "0024" <= stopped_at < newest_revision()
        service.commit()
    assert migrate_database(engine) == newest_revision()
    engine.dispose()
