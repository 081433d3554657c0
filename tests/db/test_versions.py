"""The revision that every process asks for when it starts, without Alembic, is the one that Alembic knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from dialer.db.migrations import database_revision, newest_revision, script_location


def test_the_newest_is_the_head_of_the_migrations():
    config = Config()
    config.set_main_option("script_location", str(script_location()))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == newest_revision()


def test_a_database_tells_its_revision_before_and_after(fresh_database: str):
    sql_engine = sa.create_engine(fresh_database)
    try:
        assert database_revision(sql_engine) == newest_revision()
        with sql_engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE alembic_version"))
        assert database_revision(sql_engine) == ""
    finally:
        sql_engine.dispose()
