"""Brings a database to the schema of this version, from a clone or from the installed wheel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from dialer.errors import Unavailable
from dialer.store.schema import MIGRATION_LOCK, NewerDatabase
from dialer.store.versions import script_location


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: sa.Engine) -> str:
    """The database has the newest schema afterwards, whose revision is returned; two processes may call this at once.
    Raises `Unavailable`, and `NewerDatabase` where a newer version has been.
    """
    script = ScriptDirectory.from_config(_config())
    newest = script.get_current_head() or ""
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found == newest:
            return newest
        if found is not None and found not in {known.revision for known in script.walk_revisions()}:
            raise NewerDatabase(found=found, newest=newest)
        _upgrade(engine)
    except OperationalError as fault:
        problem = str(fault.orig or fault).strip().split("\n", 1)[0]
        raise Unavailable(part="database", problem=problem) from fault
    return newest


def _upgrade(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        # Nobody claims while the tables change.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def head() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(engine: sa.Engine) -> str:
    """The revision that the database has; '' when it has none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""
