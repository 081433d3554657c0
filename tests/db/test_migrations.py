"""The migrations give the schema of the tables, and the database refuses what must never be."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dialer.db.columns import metadata

APPEND_ONLY = (
    "outcome",
    "outcome_approval",
    "event",
    "audit",
    "filed_case",
    "filed_case_change",
    "script_version",
    "script_sound",
    "script_approval",
    "sound_file",
    "script_trial",
    "rule_version",
    "rule_approval",
)
"""A trigger refuses UPDATE and DELETE on these for every role."""


def test_migrations_give_exactly_the_tables(fresh_database: str):
    engine = sa.create_engine(fresh_database)
    with engine.connect() as connection:
        partitions = set(
            connection.execute(sa.text("SELECT relname FROM pg_class WHERE relispartition")).scalars()
        )
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                # They are as their table is.
                "include_name": lambda name, kind, _: kind != "table" or name not in partitions,
            },
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_column_of_words_allows_exactly_those_of_its_enum(fresh_database: str):
    """The comparison above does not look at CHECKs: a word that only the code knows is refused when it is written."""
    told = {
        f"ck_{table.name}_{column.name}": set(column.info["words"])
        for table in metadata.sorted_tables
        for column in table.columns
        if "words" in column.info
    }
    engine = sa.create_engine(fresh_database)
    with engine.connect() as connection:
        checks = connection.execute(
            sa.text(
                "SELECT conname, pg_get_constraintdef(oid) AS body FROM pg_constraint WHERE contype = 'c'"
            )
        ).all()
    engine.dispose()
    found = {check.conname: set(re.findall("'([^']*)'", check.body)) for check in checks}
    assert {name: found.get(name) for name in told} == told
    assert "ck_attempt_state" in told


def test_ledgers_refuse_truncation(fresh_database: str):
    for table in APPEND_ONLY:
        engine = sa.create_engine(fresh_database)
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text(f'TRUNCATE "{table}" CASCADE'))
        engine.dispose()
