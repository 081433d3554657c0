"""Rows put down by COPY in PostgreSQL's binary form: neither side writes times, numbers and sealed bytes as text.

Source: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from dialer.store.unit_of_work import Tx

_TEXT_OID = 25
_INT2_OID = 21
_PACKED = "bytea"
"""What a value is already packed for its column is sent as it is."""
_TYPES: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.BigInteger, "int8"),
    (sa.SmallInteger, "int2"),
    (sa.Integer, "int4"),
    (sa.Text, "text"),
    (sa.Boolean, "bool"),
    (sa.DateTime, "timestamptz"),
    (sa.LargeBinary, "bytea"),
    (sa.Uuid, "uuid"),
    (sa.ARRAY, _PACKED),
    (JSONB, _PACKED),
)


class CopyIn:
    """These columns of a table. A row is a tuple in their order; arrays and JSON are given packed, by the functions
    below.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        self._statement = f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'.encode()
        self._types = [_type_of(table.c[name]) for name in columns]

    def write(self, tx: Tx, rows: Iterable[tuple[object, ...]]) -> None:
        """On the caller's transaction."""
        driver = tx.connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor() as cursor, cursor.copy(self._statement) as copy:
            copy.set_types(self._types)
            for row in rows:
                copy.write_row(row)


def _type_of(column: sa.Column[Any]) -> str:
    for kind, name in _TYPES:
        if isinstance(column.type, kind):
            return name
    raise TypeError(f"no binary form for {column.type!r}")


@lru_cache(maxsize=1024)
def text_array(words: tuple[str, ...]) -> bytes:
    """Packed for a column text[]."""
    return _array(_TEXT_OID, tuple(word.encode() for word in words))


@lru_cache(maxsize=1024)
def int2_array(numbers: tuple[int, ...]) -> bytes:
    """Packed for a column smallint[]."""
    return _array(_INT2_OID, tuple(number.to_bytes(2, "big", signed=True) for number in numbers))


def jsonb(value: object) -> bytes:
    """Packed for a column jsonb."""
    return b"\x01" + orjson.dumps(value)


def _array(oid: int, elements: tuple[bytes, ...]) -> bytes:
    if not elements:
        return struct.pack("!iiI", 0, 0, oid)
    head = struct.pack("!iiIii", 1, 0, oid, len(elements), 1)
    return head + b"".join(len(element).to_bytes(4, "big") + element for element in elements)
