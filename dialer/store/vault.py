"""Personal data sealed for one place in the database, and keyed blind indexes to find it again. Knows no SQL."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dialer.errors import DialerError
from dialer.language import Text
from dialer.store.keys import Keys

BLIND_BYTES: Final = 16
UNREADABLE: Final = "（无法读取 cannot be read）"
"""Stands for a sealed text that cannot be opened, where a page goes on without it."""
_VERSION: Final = 1
_HEADER_BYTES: Final = 3
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_BODY: Final = _HEADER_BYTES + _NONCE_BYTES
_LEAST: Final = _BODY + _TAG_BYTES


class BlindKind(StrEnum):
    """What a blind index is of; the same text under two kinds gives two indexes that cannot be compared."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    PHONE_LAST4 = "phone_last4"
    NAME_PHONE = "name_phone"
    NAME = "name"
    SIGN_IN = "sign_in"


class Tampered(DialerError):
    """A sealed value is not what was sealed for this table, column and row: changed, cut, or moved here."""

    def __init__(self, *, table: str, column: str, row: int | str) -> None:
        super().__init__(
            Text(
                "the sealed value in %(column)s of row %(row)s was changed or belongs elsewhere",
                column=f"{table}.{column}",
                row=row,
            )
        )
        self.table = table
        self.column = column
        self.row = row


class KeyMissing(DialerError):
    """The value was sealed with a key that the key file does not hold (any more)."""

    def __init__(self, *, key_id: int, table: str, column: str, row: int | str) -> None:
        super().__init__(
            Text(
                "%(column)s of row %(row)s needs encryption key %(key)s, which the key file lacks",
                column=f"{table}.{column}",
                row=row,
                key=key_id,
            )
        )
        self.key_id = key_id
        self.table = table
        self.column = column
        self.row = row


class Vault:
    """Seals with the current key, opens with any. Safe to share by threads, and after a fork.

    Nonces are random (NIST SP 800-38D, 8.3): one key may seal 2**32 values, then it must be rotated.
    """

    def __init__(self, keys: Keys) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.encryption.items()}
        self._header = bytes([_VERSION]) + keys.current.to_bytes(2, "big")
        self._encrypt = self._ciphers[keys.current].encrypt
        self._places: dict[tuple[str, str], bytes] = {}
        self._blinds = {
            kind.value: hashlib.blake2b(
                key=keys.index, digest_size=BLIND_BYTES, person=kind.value.encode()
            ).copy
            for kind in BlindKind
        }

    def seal(self, plaintext: bytes, *, table: str, column: str, row: int | str) -> bytes:
        """The value encrypted and bound to its place; 31 bytes longer. Row 5 and row "5" are the same row."""
        head = self._header
        place = self._places.get((table, column)) or self._place(table, column)
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._encrypt(nonce, plaintext, b"%b%b%b" % (head, place, str(row).encode()))

    def open(self, sealed: bytes, *, table: str, column: str, row: int | str) -> bytes:
        """What was sealed for this place. Raises Tampered or KeyMissing; never returns a changed value."""
        sealed = bytes(sealed)
        if len(sealed) < _LEAST or sealed[0] != _VERSION:
            raise Tampered(table=table, column=column, row=row)
        head = sealed[:_HEADER_BYTES]
        key_id = int.from_bytes(head[1:], "big")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise KeyMissing(key_id=key_id, table=table, column=column, row=row)
        place = self._places.get((table, column)) or self._place(table, column)
        bound = b"%b%b%b" % (head, place, str(row).encode())
        try:
            return cipher.decrypt(sealed[_HEADER_BYTES:_BODY], sealed[_BODY:], bound)
        except InvalidTag:
            raise Tampered(table=table, column=column, row=row) from None

    def seal_record(self, record: Mapping[str, object], *, table: str, column: str, row: int | str) -> bytes:
        """The whole personal part of a row as one sealed value: one blob a row is one encryption a row."""
        packed = orjson.dumps(record if isinstance(record, dict) else dict(record))
        return self.seal(packed, table=table, column=column, row=row)

    def open_record(self, sealed: bytes, *, table: str, column: str, row: int | str) -> dict[str, Any]:
        """The record as JSON gives it back: dates are texts, tuples are lists."""
        record: dict[str, Any] = orjson.loads(self.open(sealed, table=table, column=column, row=row))
        return record

    def blind(self, value: str, *, kind: str) -> bytes:
        """16 bytes that are equal for equal values of a kind, and tell nothing without the index key.

        The value must already be in its one normal form (E.164, upper-case id number); a name is taken as it is.
        """
        digest = self._blinds[kind]()
        digest.update(value.encode())
        return digest.digest()

    def key_of(self, sealed: bytes) -> int:
        """The id of the key that a value was sealed with: what a rotation still has to seal anew."""
        return int.from_bytes(bytes(sealed[1:_HEADER_BYTES]), "big")

    def _place(self, table: str, column: str) -> bytes:
        if not table or not column or "\0" in table + column:
            raise ValueError("a sealed value belongs to a named table and column")
        place = f"{table}\0{column}\0".encode()
        self._places[table, column] = place
        return place
