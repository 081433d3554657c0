"""An encrypted, append-only log, the newest one or two files' worth: what a carrier remembers over a kill."""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dialer.carrier.witness import load_key

_NONCE = 12
_LENGTH = struct.Struct("<I")
_LARGEST_RECORD = 64 * 1024
ROTATE_BYTES = 64 * 1024 * 1024
Record = dict[str, object]


class SealedLog:
    """Files `name`.log and `name`.old. A record cut short by a crash is dropped, and so is one of another key: what
    cannot be read is not remembered.
    """

    def __init__(self, directory: Path, name: str, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._cipher = AESGCM(load_key(directory / "memory.key"))
        self._path = directory / f"{name}.log"
        self._old = directory / f"{name}.old"
        self._rotate_bytes = rotate_bytes
        self._size = 0
        self._file = -1

    def records(self) -> Iterator[Record]:
        """Everything that is remembered, oldest first."""
        for path in (self._old, self._path):
            yield from self._records(path)

    def forget(self) -> None:
        """Nothing is remembered."""
        self.close()
        self._path.unlink(missing_ok=True)
        self._old.unlink(missing_ok=True)
        self.open()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def open(self) -> None:
        """New records are appended from now on."""
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size

    def append(self, record: Record) -> None:
        """On disk, for whoever reads after a kill of this process, when this returns. Closed, it remembers nothing."""
        if self._file < 0:
            return
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, orjson.dumps(record), None)
        data = _LENGTH.pack(len(sealed)) + sealed
        os.write(self._file, data)
        self._size += len(data)
        if self._size > self._rotate_bytes:
            self.close()
            self._path.replace(self._old)
            self.open()

    def _records(self, path: Path) -> Iterator[Record]:
        if not path.exists():
            return
        data = path.read_bytes()
        at = 0
        while at + _LENGTH.size <= len(data):
            (length,) = _LENGTH.unpack_from(data, at)
            end = at + _LENGTH.size + length
            if not _NONCE < length <= _LARGEST_RECORD or end > len(data):
                break
            sealed = data[at + _LENGTH.size : end]
            at = end
            try:
                yield orjson.loads(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None))
            except InvalidTag:
                continue
        if at < len(data):
            # Cut short by a crash: what is appended next must begin on a record's edge.
            os.truncate(path, at)
