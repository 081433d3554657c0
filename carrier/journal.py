"""The call journal, and the encrypted log in which a carrier keeps its calls and messages.

The journal (witness.log) counts the calls and rings of each number and attempt and survives a crash. Numbers and
attempts are keyed hashes; the key is beside the file, readable by its owner only. A carrier that starts with a large
journal renames it to witness.old and begins another.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import struct
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_log = logging.getLogger(__name__)
LEG = "leg."
"""Prefix of a notice of the second leg of a call, which numbers its notices separately."""
_KEY_BYTES = 32
ROTATE_BYTES = 64 * 1024 * 1024


def load_key(path: Path) -> bytes:
    """The key in the file `path`, which is created at the first use (mode 0600). The file holds the whole key or does
    not exist, even after a kill or on a full disk. Raises `OSError`.
    """
    if path.exists():
        return path.read_bytes()
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            append_whole(handle, secrets.token_bytes(_KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_bytes()


class unless_disk_is_full:  # noqa: N801 - read as a statement
    """Logs an `OSError` of its block instead of raising it: a disk that is full must not end a call. After a restart of
    the carrier the call is then listed as one that was cut off, and a message repeats its last steps.
    """

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> bool:
        if isinstance(problem, OSError):
            _log.error("%s cannot be written to disk: %s", self._what, problem)
            return True
        return False


def append_whole(handle: int, data: bytes) -> None:
    """Appends all of `data` to a file that this process alone writes. Raises `OSError`, and then nothing is appended: a
    full disk accepts a part, and what follows a part cannot be read.
    """
    written = os.write(handle, data)
    if written == len(data):
        return
    before = os.fstat(handle).st_size - written
    try:
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError:
        os.ftruncate(handle, before)
        raise


def _hashed(key: bytes, text: str) -> str:
    return blake2b(text.encode(), key=key, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSummary:
    """A journal by hash of the attempt: calls, rings, and the Unix time of the first 2xx for each notice."""

    key: bytes = field(repr=False)
    calls: Counter[str]
    rings: Counter[str]
    heard: Mapping[tuple[str, str], float]

    def hashed(self, attempt: str) -> str:
        """The key under which the summary counts an attempt."""
        return _hashed(self.key, attempt)


def read_journal(directory: Path) -> JournalSummary:
    """The journal as it is now; another process may be writing it."""
    calls: Counter[str] = Counter()
    rings: Counter[str] = Counter()
    heard: dict[tuple[str, str], float] = {}
    for line in (directory / "witness.log").read_text(encoding="ascii", errors="replace").splitlines():
        match line.split():
            case ["A", _, _, attempt]:
                calls[attempt] += 1
            case ["R", _, _, attempt]:
                rings[attempt] += 1
            case ["W", unix, attempt, what]:
                heard.setdefault((attempt, what), float(unix))
            case _:
                pass
    return JournalSummary(key=load_key(directory / "witness.key"), calls=calls, rings=rings, heard=heard)


class CallJournal:
    """Counts calls and rings. Each count is in the file before the carrier reports the event."""

    def __init__(self, directory: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._key = load_key(directory / "witness.key")
        path = self._path = directory / "witness.log"
        if path.exists() and path.stat().st_size > rotate_bytes:
            # Only at a start, when no call is live: each file then holds whole calls.
            path.replace(directory / "witness.old")
        self.rings = 0
        self.calls = 0
        self.refused = 0
        self.not_rung = 0
        self.by_status: Counter[str] = Counter()
        self._rings_of_number: Counter[str] = Counter()
        self._rings_of_attempt: Counter[str] = Counter()
        self._calls_of_number: Counter[str] = Counter()
        self.max_rings_per_attempt = 0
        is_torn = path.exists() and self._load(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if is_torn:
            append_whole(self._file, b"\n")
        self._settle_lost()

    def _hash(self, text: str) -> str:
        return _hashed(self._key, text)

    def accepted(self, *, unix: float, number: str, attempt: str) -> int:
        """Counts an accepted call; returns the number of calls to that number so far, this one included."""
        hashed = self._hash(number)
        self._record("A", f"{unix:.3f}", hashed, self._hash(attempt))
        return self._calls_of_number[hashed]

    def rang(self, *, unix: float, number: str, attempt: str) -> None:
        """Counts a ring of the phone."""
        self._record("R", f"{unix:.3f}", self._hash(number), self._hash(attempt))

    def ended(self, *, unix: float, number: str, status: str, rang: bool) -> None:
        """Counts a call that ended, by its final status and by whether its phone rang."""
        self._record("E", f"{unix:.3f}", self._hash(number), status, "rung" if rang else "silent")

    def refuse(self, *, unix: float, number: str, code: int) -> None:
        """Counts a call whose creation was refused."""
        self._record("X", f"{unix:.3f}", self._hash(number), str(code))

    def heard(self, *, unix: float, attempt: str, what: str) -> None:
        """Records that the application answered a notice of this attempt with a 2xx, so it must have stored it. `what`:
        the notice's SequenceNumber or `amd`, after `LEG` for the second leg.
        """
        self._record("W", f"{unix:.3f}", self._hash(attempt), what)

    def attempts_of_number(self, number: str) -> int:
        """How often this number (E.164) rang."""
        return self._rings_of_number[self._hash(number)]

    def call_count_of_attempt(self, attempt: str) -> int:
        """How often a phone rang for this attempt; more than 1 is the error that the journal exists to find."""
        return self._rings_of_attempt[self._hash(attempt)]

    def most_calls_within(self, seconds: float) -> int:
        """The largest number of calls accepted within any period of this many real seconds, in the whole file."""
        window: deque[float] = deque()
        most = 0
        with self._path.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                match line.split():
                    case ["A", unix, _, _]:
                        window.append(float(unix))
                        while window[0] < window[-1] - seconds:
                            window.popleft()
                        most = max(most, len(window))
        return most

    def close(self) -> None:
        """Closes the file; nothing can be written any more. May be repeated."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _record(self, *words: str) -> None:
        # One unbuffered append: the operating system has it, so a kill of this process cannot lose it.
        append_whole(self._file, f"{' '.join(words)}\n".encode("ascii"))
        self._count(words)

    def _settle_lost(self) -> None:
        """Counts calls that were live at a crash as lost, so that the sums agree."""
        lost = self.calls - sum(self.by_status.values())
        if lost:
            self._record("L", str(lost), str(self.calls - self.not_rung - self.rings))

    def _load(self, path: Path) -> bool:
        """Counts the records of the file. True where a crash cut the last line short; that line is not counted."""
        with path.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    return True
                self._count(line.split())
        return False

    def _count(self, words: Sequence[str]) -> None:
        match words:
            case ["A", _, number, _]:
                self.calls += 1
                self._calls_of_number[number] += 1
            case ["R", _, number, attempt]:
                self.rings += 1
                self._rings_of_number[number] += 1
                self._rings_of_attempt[attempt] += 1
                self.max_rings_per_attempt = max(self.max_rings_per_attempt, self._rings_of_attempt[attempt])
            case ["E", _, _, status, rung]:
                self.by_status[status] += 1
                self.not_rung += rung != "rung"
            case ["X", _, _, _]:
                self.refused += 1
            case ["L", lost, silent]:
                self.by_status["lost"] += int(lost)
                self.not_rung += int(silent)
            case _:
                pass


_NONCE = 12
_LENGTH = struct.Struct("<I")
_LARGEST_RECORD = 64 * 1024
_LOOKS_LIKE_A_LENGTH = re.compile(rb"(?=..[\x00\x01]\x00)", re.DOTALL)
"""What the four bytes of every record's length have in common."""
Record = dict[str, Any]


class SealedLog:
    """Records in `name`.log and `name`.old, encrypted. A record that is damaged, or sealed with another key, is
    skipped; those after it are read.
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
        """All records, oldest first."""
        for path in (self._old, self._path):
            yield from self._records(path)

    def forget(self) -> None:
        """Deletes all records and begins an empty log."""
        self.close()
        self._path.unlink(missing_ok=True)
        self._old.unlink(missing_ok=True)
        self.open()

    def close(self) -> None:
        """Closes the file; nothing can be written any more. May be repeated."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def open(self) -> None:
        """Opens the log, so that new records are appended from now on."""
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size

    def append(self, record: Record) -> None:
        """Appends a record. The operating system then has it: a kill of this process does not lose it. No effect when
        closed. Raises `OSError`, and then nothing of the record is written.
        """
        if self._file < 0:
            return
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, orjson.dumps(record), None)
        data = _LENGTH.pack(len(sealed)) + sealed
        append_whole(self._file, data)
        self._size += len(data)
        if self._size > self._rotate_bytes:
            self._rotate()

    def _rotate(self) -> None:
        """Begins a new file. Where that fails, the present one is kept and written on."""
        try:
            with suppress(FileNotFoundError):
                self._path.replace(self._old)
            fresh = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as problem:
            _log.error("%s cannot be rotated, and grows: %s", self._path.name, problem)
            return
        os.close(self._file)
        self._file, self._size = fresh, 0

    def _records(self, path: Path) -> Iterator[Record]:
        if not path.exists():
            return
        data = path.read_bytes()
        at = lost = 0
        while at < len(data):
            found = self._open_record(data, at)
            if found is not None:
                content, at = found
                yield orjson.loads(content)
                continue
            again = self._next_whole(data, at + 1)
            if again is None:
                break
            lost += again - at
            at = again
        if lost:
            _log.error(
                "%s: %s bytes between records cannot be read; the records in them are lost", path, lost
            )
        if at == len(data):
            return
        if _is_cut_short(data, at):
            # A crash cut it short, and no whole record follows: the next one begins at the end of a whole one.
            os.truncate(path, at)
        else:
            _log.error("%s: the last %s bytes cannot be read, and are left in the file", path, len(data) - at)

    def _open_record(self, data: bytes, at: int) -> tuple[bytes, int] | None:
        """The content of the record that begins at `at`, and where it ends; None where no record begins there."""
        if at + _LENGTH.size > len(data):
            return None
        (length,) = _LENGTH.unpack_from(data, at)
        end = at + _LENGTH.size + length
        if not _NONCE < length <= _LARGEST_RECORD or end > len(data):
            return None
        sealed = data[at + _LENGTH.size : end]
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None), end
        except InvalidTag:
            return None

    def _next_whole(self, data: bytes, at: int) -> int | None:
        """Where the next readable record begins, from `at` on; None without one. Its authentication tag distinguishes
        it from bytes that only look like a record.
        """
        while found := _LOOKS_LIKE_A_LENGTH.search(data, at):
            if self._open_record(data, found.start()) is not None:
                return found.start()
            at = found.start() + 1
        return None


def _is_cut_short(data: bytes, at: int) -> bool:
    """Whether the bytes from `at` on can be the beginning of one record."""
    if at + _LENGTH.size > len(data):
        return True
    length: int = _LENGTH.unpack_from(data, at)[0]
    return _NONCE < length <= _LARGEST_RECORD and at + _LENGTH.size + length > len(data)
