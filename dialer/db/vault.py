"""Personal data: sealed for one place in the database, with keyed blind indexes to find it again, and the keys, a
private file outside the database, which stores a fingerprint of it. Knows no SQL.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dialer.core.errors import DialerError, Refusal
from dialer.language import Text

_PIECES_AT_ONCE = 512


class RandomPieces:
    """Random pieces of `size` bytes, each used once. Read from the kernel many at a time: a read releases the
    interpreter, which a busy thread then keeps for milliseconds. Safe for threads (a list's pop and extend are atomic)
    and across a fork (the child discards the pieces of its parent).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._pieces: list[bytes] = []
        os.register_at_fork(after_in_child=self._pieces.clear)

    def take(self) -> bytes:
        """A piece that was never given before."""
        try:
            return self._pieces.pop()
        except IndexError:
            return self._fresh()

    def _fresh(self) -> bytes:
        block = os.urandom(self._size * _PIECES_AT_ONCE)
        pieces = [block[start : start + self._size] for start in range(0, len(block), self._size)]
        piece = pieces.pop()
        self._pieces.extend(pieces)
        return piece


KEY_BYTES = 32
MAX_KEY_ID = 0xFFFF
_FINGERPRINT_BYTES = 8
_MAX_FILE_BYTES = 1 << 20


class KeysRefused(Refusal):
    """The key file cannot be used as it is; the line says why and never holds a key."""

    def __init__(self, *, path: Path | None, problem: str | Text) -> None:
        self.problem = Text.of(problem)
        if path:
            super().__init__(Text("key file %(path)s: %(problem)s", path=path, problem=self.problem))
        else:
            super().__init__(Text("keys: %(problem)s", problem=self.problem))
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Encryption keys by id (the current one seals, all open) and the one key of the blind indexes, 32 bytes each.

    The index key is not rotated: every blind index in the database would have to be made anew.
    """

    encryption: Mapping[int, bytes] = field(repr=False)
    index: bytes = field(repr=False)
    current: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "encryption", MappingProxyType(dict(self.encryption)))
        problem = _problem(self)
        if problem:
            raise KeysRefused(path=None, problem=problem)


def load(path: Path) -> Keys:
    """The keys of the file. A file that others may read, or that is no key file, is refused."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeysRefused(path=path, problem="is no regular file")
            if status.st_mode & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                raise KeysRefused(
                    path=path,
                    problem=Text(
                        "mode %(mode)s lets others read it; run chmod 600 on it", mode=f"{mode:04o}"
                    ),
                )
            content = file.read(_MAX_FILE_BYTES)
    except OSError as error:
        raise KeysRefused(path=path, problem=Text("cannot be read (%(why)s)", why=error.strerror)) from None
    try:
        return _parse(content)
    except KeysRefused as refused:
        raise KeysRefused(path=path, problem=refused.problem) from None


def create(path: Path) -> Keys:
    """New random keys in a new file of mode 0600, whole or not at all. An existing file is never touched.

    Of two processes that create the same file at once, one is refused and may then load it.
    """
    keys = Keys(
        encryption={1: secrets.token_bytes(KEY_BYTES)}, index=secrets.token_bytes(KEY_BYTES), current=1
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_render(keys))
                file.flush()
                os.fsync(file.fileno())
            # A link refuses an existing name and never shows half a file, which a plain exclusive create does.
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        raise KeysRefused(path=path, problem="already exists") from None
    except OSError as error:
        raise KeysRefused(
            path=path, problem=Text("cannot be created (%(why)s)", why=error.strerror)
        ) from None
    return keys


def fingerprint(keys: Keys) -> str:
    """One line that names every key without telling it, safe to keep in the database: `index=.. 1=.. 2=..`."""
    named = {"index": keys.index} | {str(i): keys.encryption[i] for i in sorted(keys.encryption)}
    return " ".join(f"{name}={_hash(key)}" for name, key in named.items())


def agrees(*, stored: str, keys: Keys) -> bool:
    """True when every key that the stored fingerprint names is still held, unchanged. New keys may have joined."""
    known = set(stored.split())
    return bool(known) and known <= set(fingerprint(keys).split())


def _hash(key: bytes) -> str:
    return hashlib.blake2b(key=key, digest_size=_FINGERPRINT_BYTES, person=b"fingerprint").hexdigest()


def _problem(keys: Keys) -> Text | None:
    held = [keys.index, *keys.encryption.values()]
    if any(len(key) != KEY_BYTES for key in held):
        return Text("every key has %(bytes)s bytes", bytes=KEY_BYTES)
    if any(not 1 <= key_id <= MAX_KEY_ID for key_id in keys.encryption):
        return Text("a key id is a number from 1 to %(most)s", most=MAX_KEY_ID)
    if keys.current not in keys.encryption:
        return Text("the current key %(key)s is not among the encryption keys", key=keys.current)
    if len(set(held)) != len(held):
        return Text("two keys are the same")
    return None


def _parse(content: bytes) -> Keys:
    try:
        table = tomllib.loads(content.decode("utf-8"))
        encryption = table.pop("encryption")
        keys = {int(key_id): bytes.fromhex(text) for key_id, text in encryption.items()}
        index = bytes.fromhex(table.pop("index"))
        current = table.pop("current")
    except (ValueError, KeyError, TypeError, AttributeError):
        # Nothing of the parser's own message: it may quote a key.
        raise KeysRefused(path=None, problem="is no key file of this product, or a damaged one") from None
    if table or type(current) is not int or len(keys) != len(encryption):
        raise KeysRefused(path=None, problem="is no key file of this product, or a damaged one")
    return Keys(encryption=keys, index=index, current=current)


def _render(keys: Keys) -> bytes:
    lines = [
        "# Keys of the personal data. Without this file the data cannot be read by anybody: keep a copy elsewhere.",
        "# To rotate: add a key with the next number below [encryption], and set current to it.",
        f"current = {keys.current}",
        f'index = "{keys.index.hex()}"',
        "[encryption]",
        *(f'{key_id} = "{key.hex()}"' for key_id, key in sorted(keys.encryption.items())),
        "",
    ]
    return "\n".join(lines).encode()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


BLIND_BYTES: Final = 16
UNREADABLE: Final = "（无法读取 cannot be read）"
"""Stands for a sealed text that cannot be opened, where a page goes on without it."""
_VERSION: Final = 1
_HEADER_BYTES: Final = 3
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_BODY: Final = _HEADER_BYTES + _NONCE_BYTES
_LEAST: Final = _BODY + _TAG_BYTES
_DIGESTS: Final = MappingProxyType({1: "sha256"})
"""The digests of seals, by the number that each seal begins with. Another one, such as `sm3`, is a line here and the
next number below; what was sealed before is still checked with its own.
"""
_DIGEST: Final = 1


class BlindKind(StrEnum):
    """What a blind index is of; the same text under two kinds gives two indexes that cannot be compared."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    PHONE_LAST4 = "phone_last4"
    NAME_PHONE = "name_phone"
    NAME = "name"
    SIGN_IN = "sign_in"
    RECOVERY_CODE = "recovery_code"


def digest_of(pieces: Iterable[bytes]) -> str:
    """The digest of the pieces, with its name: `sha256:...`. Each piece is told from the next by its length."""
    name = _DIGESTS[_DIGEST]
    digest = hashlib.new(name)
    for piece in pieces:
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
    return f"{name}:{digest.hexdigest()}"


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


class Vault:
    """Seals with the current key, opens with any. Safe to share by threads, and after a fork.

    Nonces are random (NIST SP 800-38D, 8.3): one key may seal 2**32 values, then it must be rotated.
    """

    def __init__(self, keys: Keys) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.encryption.items()}
        self._header = bytes([_VERSION]) + keys.current.to_bytes(2, "big")
        self._encrypt = self._ciphers[keys.current].encrypt
        self._places: dict[tuple[str, str], bytes] = {}
        self._encryption = keys.encryption
        self._seal_header = bytes([_DIGEST]) + keys.current.to_bytes(2, "big")
        self._macs: dict[tuple[bytes, str], hmac.HMAC] = {}
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

    def sign(self, content: bytes, *, purpose: str) -> bytes:
        """The seal of a content: the digest's number, the key's, and an HMAC that nobody makes without the key. A seal
        of one purpose fits no other.
        """
        header = self._seal_header
        mac = (self._macs.get((header, purpose)) or self._mac(header, purpose)).copy()
        mac.update(content)
        return header + mac.digest()

    def fits(self, seal: bytes, content: bytes, *, purpose: str) -> bool:
        """Whether `sign` made this seal, with whatever key and digest were current then. False also for a key that the
        key file lacks.
        """
        header = bytes(seal[:_HEADER_BYTES])
        try:
            mac = (self._macs.get((header, purpose)) or self._mac(header, purpose)).copy()
        except KeyError:
            return False
        mac.update(content)
        return hmac.compare_digest(header + mac.digest(), seal)

    def _mac(self, header: bytes, purpose: str) -> hmac.HMAC:
        """Keyed by a key of its own, derived from the one that the header names. Raises `KeyError`."""
        digest, key = (
            _DIGESTS[header[0] if header else 0],
            self._encryption[int.from_bytes(header[1:], "big")],
        )
        derived = hmac.digest(key, f"seal\0{purpose}".encode(), digest)
        mac = hmac.new(derived, digestmod=digest)
        self._macs[header, purpose] = mac
        return mac

    def _place(self, table: str, column: str) -> bytes:
        if not table or not column or "\0" in table + column:
            raise ValueError("a sealed value belongs to a named table and column")
        place = f"{table}\0{column}\0".encode()
        self._places[table, column] = place
        return place
