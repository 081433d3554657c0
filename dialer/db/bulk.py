"""Many rows or ids as one parameter of one statement: the statement's text is the same for any number of them, so the
server plans it once, and one round trip is enough. And writing of rows by COPY in binary format, which costs a quarter
of the text format.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from dialer.db.unit_of_work import Tx

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # as SQLAlchemy ships it


class RowSet:
    """A table-valued parameter. `c` has its columns; `given(rows)` makes the parameters to execute the statement
    with.
    """

    def __init__(self, name: str, columns: Mapping[str, sa.types.TypeEngine[Any]]) -> None:
        self.name = name
        self._table = (
            sa.func.json_to_recordset(sa.cast(sa.bindparam(name, type_=sa.Text), sa.JSON))
            .table_valued(*(sa.column(column, kind) for column, kind in columns.items()), name=name)
            .render_derived(with_types=True)
        )
        self.columns = tuple(columns)

    @staticmethod
    def of(table: sa.Table, columns: Iterable[str]) -> RowSet:
        """A row set with the name `given` and with these columns of `table` and their types."""
        return RowSet("given", {column: table.c[column].type for column in columns})

    @property
    def c(self) -> ReadOnlyColumnCollection[str, Any]:
        """The columns of the rows, for a statement that joins them."""
        return self._table.c

    @property
    def clause(self) -> sa.FromClause:
        """The row set as a FROM clause, to join with."""
        return self._table

    def select(self) -> sa.Select[Any]:
        """All columns, in the order in which the rows were given."""
        return sa.select(*(self._table.c[column] for column in self.columns))

    def given(self, rows: list[dict[str, Any]]) -> dict[str, str]:
        """The parameters with these rows; a column that a row leaves out is NULL."""
        return {self.name: orjson.dumps(rows, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"no JSON for {type(value).__name__}")


_State = TypeVar("_State", bound=StrEnum)
_Value = TypeVar("_Value", uuid.UUID, int, str)


def among(column: sa.ColumnElement[Any], values: Iterable[_Value]) -> sa.ColumnElement[bool]:
    """A condition: the column is one of these values, given as one array, so that the statement's text does not change
    with their number.
    """
    return column == sa.any_(sa.literal(sorted(set(values)), sa.ARRAY(column.type)))


class IdSet:
    """As `among`, for a statement that is built once: `given(ids)` makes the parameters to execute it with."""

    def __init__(self, name: str, column: sa.ColumnElement[Any]) -> None:
        self._name = name
        ids = sa.cast(sa.bindparam(name, type_=sa.Text), sa.ARRAY(column.type))
        self.clause: sa.ColumnElement[bool] = column == sa.any_(ids)

    def given(self, ids: Iterable[uuid.UUID | int | bytes]) -> dict[str, str]:
        """The parameters of a statement that uses the set, with these ids; each counts once."""
        found = [_element(element) for element in set(ids)]
        return {self._name: "{" + ",".join(found) + "}"}


def _element(element: uuid.UUID | int | bytes) -> str:
    if isinstance(element, bytes):
        return f'"\\\\x{element.hex()}"'
    return element.hex if isinstance(element, uuid.UUID) else str(element)


def raw_column(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column as the driver reads it: SQLAlchemy would copy every array once more, item by item."""
    is_array = isinstance(column.type, sa.ARRAY)
    return sa.type_coerce(column, sa.types.NullType()).label(column.name) if is_array else column


def moment(name: str) -> sa.BindParameter[datetime]:
    """A parameter for an aware UTC moment, in a statement that is built once."""
    return sa.bindparam(name, type_=sa.DateTime(timezone=True))


def word_literal(value: StrEnum) -> sa.ColumnElement[str]:
    """The value as a literal in the text of the statement: with a parameter the planner cannot prove that a partial
    index applies.
    """
    return sa.literal_column(f"'{value.value}'", sa.Text())


def in_words(column: sa.ColumnElement[Any], values: Iterable[StrEnum]) -> sa.ColumnElement[bool]:
    """A condition: the column has one of these values, which are literals in the statement as in
    `word_literal`.
    """
    return column.in_([word_literal(value) for value in sorted(values)])


def state_after_moves(column: sa.Column[Any], moves: Mapping[_State, _State]) -> sa.ColumnElement[str]:
    """The state of a row after an event with these moves, for a row whose state accepts it."""
    targets = set(moves.values())
    if len(targets) == 1:
        return word_literal(targets.pop())
    return sa.case({state.value: word_literal(target) for state, target in moves.items()}, value=column)


def state_update(column: sa.Column[Any], moves: Mapping[_State, _State]) -> sa.Update:
    """An UPDATE that moves the rows whose state, in `column`, accepts an event with these moves. Every update of a
    state that was not read before starts from it.
    """
    assert isinstance(column.table, sa.Table)
    return (
        sa.update(column.table)
        .where(in_words(column, moves))
        .values({column.name: state_after_moves(column, moves)})
    )


class CopyIn:
    """Writes rows into these columns of a table by COPY. A row is a tuple in the order of the columns; a JSON value is
    given as psycopg's `Jsonb`.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        self._statement = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'.encode()
        self._types = [table.c[name].type.compile(_DIALECT).lower() for name in columns]

    def write(self, tx: Tx, rows: Iterable[tuple[object, ...]]) -> None:
        """Writes the rows in the caller's transaction."""
        driver = tx.connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor() as cursor, cursor.copy(self._statement) as copy:
            copy.set_types(self._types)
            for row in rows:
                copy.write_row(row)
