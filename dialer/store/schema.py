"""Which schema the database has, against the one that a process was built for. Whoever claims asks first."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.errors import Refusal, Unavailable
from dialer.language import Text
from dialer.store.unit_of_work import Tx

MIGRATION_LOCK = 0x6D696772
"""Held by a migration alone, and shared by all who claim, to the end of their transactions."""


class SchemaMoved(Unavailable):
    """A newer version has migrated the database: this process claims nothing more. News of calls that live is still
    kept and applied.
    """

    def __init__(self, *, found: str, built_for: str) -> None:
        super().__init__(
            part="schema",
            problem=Text(
                "the database is at %(found)s, this process was built for %(built_for)s:"
                " it claims no more calls; start the new version in its place",
                found=found or Text("no revision"),
                built_for=built_for,
            ),
        )
        self.found = found
        self.built_for = built_for


class NewerDatabase(Refusal):
    """This version would work on tables that it does not know."""

    def __init__(self, *, found: str, newest: str) -> None:
        super().__init__(
            Text(
                "the database is at %(found)s, and this version knows it up to %(newest)s:"
                " install the version that migrated it, or a newer one",
                found=found,
                newest=newest,
            )
        )
        self.found = found
        self.newest = newest


def hold(tx: Tx, *, built_for: str) -> bool:
    """To the end of the transaction no migration begins. False while one runs: nothing may be claimed now. Raises
    `SchemaMoved`.
    """
    # Two statements: one that had waited for nothing would still see the database as it was when it began.
    if not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock_shared(MIGRATION_LOCK))):
        return False
    found = revision(tx)
    if found != built_for:
        raise SchemaMoved(found=found, built_for=built_for)
    return True


def revision(tx: Tx) -> str:
    """What the database is at."""
    return str(tx.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")
