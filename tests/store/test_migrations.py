"""The migrations give the schema of the tables, and the database refuses what must never be."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dialer.store.tables import APPEND_ONLY, metadata


def test_migrations_give_exactly_the_tables(fresh_database: str):
    engine = sa.create_engine(fresh_database)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.mark.parametrize("table", [table.name for table in APPEND_ONLY])
def test_ledgers_refuse_truncation(fresh_database: str, table: str):
    engine = sa.create_engine(fresh_database)
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        engine.begin() as connection,
    ):
        connection.execute(sa.text(f'TRUNCATE "{table}" CASCADE'))
    engine.dispose()
