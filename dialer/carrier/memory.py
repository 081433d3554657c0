"""What the carrier remembers of calls across a kill: an encrypted, append-only log beside the witness's.

Without it a carrier that comes back would deny a call it has rung, and whoever asked for it would ring again.
"""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dialer.carrier.call import Call, Status
from dialer.carrier.order import CallOrder
from dialer.carrier.witness import load_key

_NONCE = 12
_LENGTH = struct.Struct("<I")
_LARGEST_RECORD = 64 * 1024
ROTATE_BYTES = 64 * 1024 * 1024
Record = dict[str, object]


class CallMemory:
    """Keeps the newest one or two files' worth. A record cut short by a crash is dropped, and so is one of
    another key: what cannot be read is not remembered.
    """

    def __init__(self, directory: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._cipher = AESGCM(load_key(directory / "memory.key"))
        self._path = directory / "calls.log"
        self._old = directory / "calls.old"
        self._rotate_bytes = rotate_bytes
        self._size = 0
        self._file = -1

    def recall(self, *, since_unix: float) -> list[Call]:
        """The remembered calls in the order they were made. One that was live is over: completed if it had
        been answered, else failed. From now on new records are appended.
        """
        calls: dict[str, Call] = {}
        for path in (self._old, self._path):
            for record in self._records(path):
                _apply(calls, record)
        self._open()
        kept = [call for call in calls.values() if call.created >= since_unix]
        for call in kept:
            if not call.status.final:
                call.status = Status.COMPLETED if call.status is Status.IN_PROGRESS else Status.FAILED
                call.end = call.updated
                self.ended(call)
        return kept

    def accepted(self, call: Call) -> None:
        """On disk before the answer to the POST is sent."""
        self._append(
            {
                "k": "A",
                "sid": call.sid,
                "account": call.account_sid,
                "to": call.to,
                "from": call.from_,
                "at": call.created,
                "n": call.number,
                "parent": call.parent_sid,
            }
        )

    def answered(self, call: Call) -> None:
        self._append({"k": "P", "sid": call.sid, "at": call.updated})

    def ended(self, call: Call) -> None:
        self._append(
            {
                "k": "E",
                "sid": call.sid,
                "at": call.end,
                "start": call.start,
                "status": call.status.value,
                "seconds": call.duration_seconds,
                "by": call.answered_by,
            }
        )

    def forget(self) -> None:
        """Nothing is remembered."""
        self.close()
        self._path.unlink(missing_ok=True)
        self._old.unlink(missing_ok=True)
        self._open()

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size

    def _append(self, record: Record) -> None:
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, orjson.dumps(record), None)
        data = _LENGTH.pack(len(sealed)) + sealed
        os.write(self._file, data)
        self._size += len(data)
        if self._size > self._rotate_bytes:
            self.close()
            self._path.replace(self._old)
            self._open()

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


def _apply(calls: dict[str, Call], record: Record) -> None:
    match record:
        case {
            "k": "A",
            "sid": str(sid),
            "to": str(to),
            "from": str(from_),
            "at": float(at),
            "n": int(number),
        }:
            call = Call(
                sid=sid,
                account_sid=str(record["account"]),
                order=CallOrder(to=to, from_=from_),
                created=at,
                number=number,
            )
            call.order = None
            if isinstance(record.get("parent"), str):
                call.parent_sid = str(record["parent"])
                call.direction = "outbound-dial"
            calls[sid] = call
        case {"k": "P", "sid": str(sid), "at": float(at)} if sid in calls:
            calls[sid].status = Status.IN_PROGRESS
            calls[sid].updated = at
        case {"k": "E", "sid": str(sid), "at": float(at), "status": str(status)} if sid in calls:
            call = calls[sid]
            call.status = Status(status)
            call.end = call.updated = at
            start, seconds, by = record.get("start"), record.get("seconds"), record.get("by")
            call.start = start if isinstance(start, float) else None
            call.duration_seconds = seconds if isinstance(seconds, int) else None
            call.answered_by = by if isinstance(by, str) else None
        case _:
            pass
