"""Helpers to declare columns, conditions that several modules share, and the metadata of all tables."""

# ruff: noqa: S608  # every part is a literal of this package or a word of our own enumerations; values are bound

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import sqlalchemy as sa

from dialer.core.attempt import LIVE_STATES

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def when(name: str, *, required: bool = False) -> sa.Column[object]:
    """A column with a moment and its time zone."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def word_column(
    name: str,
    kind: type[StrEnum],
    *,
    required: bool = True,
    default: StrEnum | None = None,
    former: tuple[str, ...] = (),
) -> sa.Column[str]:
    """A column with a StrEnum, stored by value; `one_of` adds the CHECK for it. `former`: words that only the release
    before writes, whose processes may run beside ours for a while.
    """
    return sa.Column(
        name,
        sa.Text,
        nullable=not required,
        server_default=default.value if default is not None else None,
        info={"words": [*(member.value for member in kind), *former]},
    )


def is_of_actor(column: sa.ColumnElement[str], who: str) -> sa.ColumnElement[bool]:
    """A condition: this person signed the row. The same as `core.access.is_same_actor`, in SQL."""
    return sa.func.lower(column) == sa.func.lower(who)


def one_of(table: sa.Table) -> None:
    """Adds a CHECK for each column that was made by `word_column`."""
    for column in table.columns:
        words = column.info.get("words")
        if words:
            allowed = ", ".join(f"'{word}'" for word in words)
            table.append_constraint(sa.CheckConstraint(f'"{column.name}" IN ({allowed})', name=column.name))


def belongs_to(
    name: str,
    parent: str,
    *,
    kind: type[sa.Integer] = sa.BigInteger,
    required: bool = True,
    index: bool = False,
    key: bool = False,
) -> sa.Column[int]:
    """A column that refers to the key of `parent`. Triggers check it once per statement; a foreign key would check it
    once per row, and lists write thousands of rows (docs/decisions/0317). Foreign keys cost PostgreSQL 22 us per row
    besides the 78 us for everything else, and a list of 1,000,000 rows would take longer than its 120 s.
    """
    return sa.Column(
        name,
        kind,
        primary_key=key,
        autoincrement=False,
        nullable=not required,
        index=index or None,
        info={"belongs_to": parent},
    )


def claim_token() -> sa.Column[int]:
    """The fencing token of a job (`dialer.db.jobs`)."""
    return sa.Column("token", sa.BigInteger, nullable=False, server_default="0")


def tries_column() -> sa.Column[int]:
    """How often a job was taken since it last went forward (`dialer.db.jobs`)."""
    return sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0")


def identity() -> sa.Column[int]:
    """The primary key of the table, numbered by the database."""
    return sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)


def words(members: Iterable[StrEnum]) -> str:
    """The values as a list in SQL: `('a', 'b')`."""
    return "({})".format(", ".join(f"'{word}'" for word in sorted(members)))


LIVE = f"state IN {words(LIVE_STATES)}"


def filing_stands(filed_case: str) -> str:
    """A condition in SQL: the filing has not been undone. `filed_case` is the name of that table in the statement."""
    return (
        f"(SELECT z.stands FROM filed_case_change z WHERE z.filed_case_id = {filed_case}.id"
        " ORDER BY z.id DESC LIMIT 1) IS NOT FALSE"
    )


def reversed_by(outcome_id: str, which: str = "true") -> str:
    """FROM and WHERE in SQL for the ledger lines `l` that reverse this one, that meet the condition `which`, and that
    the undoing of a filing has not reversed again.
    """
    return (
        f"FROM outcome l WHERE l.reverses = {outcome_id} AND l.reverses IS NOT NULL AND {which}"
        " AND NOT EXISTS (SELECT FROM outcome u WHERE u.reverses = l.id AND u.reverses IS NOT NULL"
        " AND u.reason = 'filing_undone')"
    )


def is_reversed(outcome_id: str, which: str = "true") -> str:
    """A condition in SQL: a line as in `reversed_by` exists."""
    return f"EXISTS (SELECT {reversed_by(outcome_id, which)})"


FOLLOWED_UP_NOW = "status = 'watching' AND follow_up_by IS NOT NULL AND follow_up_at IS NULL"
"""A condition in SQL: a watched case whose follow-up is under way, as a call or an assignment."""
