"""After the migration a database with many alarms has one row of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from dialer.db.migrations import migrate_database, script_location


@contextmanager
def at_revision(url: str, revision: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(script_location()))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    yield engine
    engine.dispose()


def test_unseen_alarms_are_grouped_under_the_oldest(empty_database: str):
    put = sa.text(
        "INSERT INTO alarm (code, case_id, facts, raised_at, seen_at)"
        " VALUES (:code, :case_id, '{}', :at, :seen)"
    )
    first, later = "2026-11-25T02:00Z", "2026-11-25T03:00Z"
    with at_revision(empty_database, "0001") as services:
        with services.begin() as connection:
            for code, case_id, at, seen in (
                ("human_overdue", 1, later, None),
                ("human_overdue", 1, first, None),
                ("human_overdue", 1, first, first),
                ("human_overdue", 2, first, None),
                ("carrier_trouble", None, first, None),
                ("carrier_trouble", None, first, None),
            ):
                connection.execute(put, {"code": code, "case_id": case_id, "at": at, "seen": seen})
        migrate_database(services)
        with services.begin() as connection:
            unseen = connection.execute(
                sa.text(
                    "SELECT code, case_id, times, extract(hour from raised_at AT TIME ZONE 'UTC')::int,"
                    " extract(hour from last_at AT TIME ZONE 'UTC')::int"
                    " FROM alarm WHERE seen_at IS NULL ORDER BY code, case_id"
                )
            ).all()
            kept = connection.scalar(sa.text("SELECT count(*) FROM alarm"))
    assert [tuple(row) for row in unseen] == [
        ("carrier_trouble", None, 2, 2, 2),
        ("human_overdue", 1, 2, 2, 3),
        ("human_overdue", 2, 1, 2, None),
    ]
    assert kept == 6
