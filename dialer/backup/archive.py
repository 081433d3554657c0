"""The file of a backup: a head in clear, then everything else compressed and encrypted in chunks.

Each chunk is sealed with its number and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway
and Vizár), and with the whole head: a file that was cut off, reordered, altered, or given another head is detected.
Only a few chunks are in memory at a time. The key is derived for this one file from an encryption key of the keys file
and a random salt, so that nonces can count from zero.

Inside are entries: a head (JSON) and its data in pieces. The last entry is the manifest.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dialer.core.errors import Refusal
from dialer.core.text import Text, gettext_noop
from dialer.db.keys import KEY_BYTES, Keys, sync_folder

_MAGIC: Final = b"DIALERBK"
_FORMAT: Final = 1
_CIPHER: Final = "AES-256-GCM"
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
_CHUNK_BYTES: Final = 1 << 18
_MOST_HEAD_BYTES: Final = 1 << 16
_MOST_PIECE_BYTES: Final = 1 << 30
_LEVEL: Final = 1
"""The fastest level: sealed columns cannot be compressed, and the usual level takes ten times as long for a little
less.
"""
_LENGTH: Final = struct.Struct(">I")
_NONCE: Final = struct.Struct(">xxxQ?")


class DamagedBackup(Refusal):
    """The file is no backup, or not the whole one that was written: it was cut off, altered or assembled from parts."""

    def __init__(self, *, file: Path, problem: str | Text) -> None:
        self.file = file
        self.problem = Text.of(problem)
        super().__init__(
            Text("%(file)s is not a whole backup: %(problem)s", file=file.name, problem=self.problem)
        )


class OtherKeys(Refusal):
    """The keys file is not the one that the backup was made with."""

    def __init__(self, *, file: Path, made_with: str, here: str) -> None:
        self.made_with = made_with
        self.here = here
        super().__init__(
            Text(
                "%(file)s was made with other keys: set DIALER_KEYS__FILE to the keys file of that time"
                " (backup: %(made_with)s; here: %(here)s)",
                file=file.name,
                made_with=made_with,
                here=here,
            )
        )


class CannotWrite(Refusal):
    """A file of a backup or of a restore cannot be written."""

    def __init__(self, *, file: Path, why: str) -> None:
        self.file = file
        super().__init__(Text("%(file)s cannot be written (%(why)s)", file=str(file), why=why))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a backup file, in clear. `keys`: names the keys that its rows may use; `made_at`: real time of the
    snapshot.
    """

    made_at: datetime
    program: str
    schema: str
    keys: str


class _Sealer:
    """Compresses bytes, and writes them as sealed chunks."""

    def __init__(self, path: Path, file: IO[bytes], *, key: bytes, start: bytes) -> None:
        self._path = path
        self._file = file
        self._cipher = AESGCM(key)
        self._start = start
        self._packer = zlib.compressobj(_LEVEL)
        self._waiting = bytearray()
        self._number = 0
        with _writing(path):
            file.write(start)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._add(self._packer.compress(data))

    def finish(self) -> None:
        """Writes the last chunk; the file is then complete and on the disk."""
        self._add(self._packer.flush())
        self._seal(bytes(self._waiting), last=True)
        with _writing(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def _add(self, packed: bytes) -> None:
        self._waiting += packed
        # A chunk that may be the last one waits for more data.
        while len(self._waiting) > _CHUNK_BYTES:
            self._seal(bytes(self._waiting[:_CHUNK_BYTES]), last=False)
            del self._waiting[:_CHUNK_BYTES]

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_NONCE.pack(self._number, last), chunk, self._start)
        with _writing(self._path):
            self._file.write(sealed)
        self._number += 1


class BackupWriter:
    """Writes entries one after the other."""

    def __init__(self, sealer: _Sealer) -> None:
        self._sealer = sealer
        self._open = False

    def begin(self, entry: dict[str, Any]) -> None:
        """Begins an entry: the data that follow belong to it."""
        self.end()
        content = json.dumps(entry, ensure_ascii=False).encode()
        self._sealer.write(_LENGTH.pack(len(content)) + content)
        self._open = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Writes a piece of the data of the entry."""
        if data:
            self._sealer.write(_LENGTH.pack(len(data)))
            self._sealer.write(data)

    def end(self) -> None:
        """Ends the entry."""
        if self._open:
            self._sealer.write(_LENGTH.pack(0))
            self._open = False


@contextmanager
def new_backup(path: Path, head: Head, keys: Keys) -> Iterator[BackupWriter]:
    """A new backup file with mode 600. It appears under its name when the block has ended without an exception:
    complete and on the disk, or not at all. Raises `CannotWrite`, also if the file exists.
    """
    draft = path.with_name(f".{path.name}.part")
    salt = secrets.token_bytes(_SALT_BYTES)
    content = json.dumps(
        asdict(head)
        | {
            "made_at": head.made_at.isoformat(),
            "format": _FORMAT,
            "cipher": _CIPHER,
            "key": keys.current,
            "salt": salt.hex(),
        }
    ).encode()
    try:
        with _writing(path):
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            draft.unlink(missing_ok=True)
            file = os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb"
            )
        with _closing(file):
            start = _MAGIC + _LENGTH.pack(len(content)) + content
            sealer = _Sealer(path, file, key=_file_key(keys.held[keys.current].secret, salt), start=start)
            writer = BackupWriter(sealer)
            yield writer
            writer.end()
            sealer.finish()
        with _writing(path):
            draft.rename(path)
            sync_folder(path.parent)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _closing(file: IO[bytes]) -> Iterator[None]:
    """Closes the file. On a full disk closing fails again, which is ignored: the exception before says so already."""
    try:
        yield
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise CannotWrite(file=path, why=fault.strerror or type(fault).__name__) from fault


def named_keys(marks: Mapping[int, str]) -> str:
    """One line that names every key and reveals nothing about it: `1=.. 2=..`."""
    return " ".join(f"{key_id}={mark}" for key_id, mark in sorted(marks.items()))


def _file_key(key: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=b"dialer backup").derive(key)


class BackupReader:
    """Reads the entries in their order. What it has returned is authentic; that nothing is missing is known only when
    `entries` has ended.
    """

    def __init__(self, path: Path, file: IO[bytes], head: Head, *, start: bytes, cipher: AESGCM) -> None:
        self.path = path
        self.head = head
        self._file = file
        self._start = start
        self._cipher = cipher
        self._unpacker = zlib.decompressobj()
        self._plain = bytearray()
        self._number = 0
        self._ahead = self._sealed()
        self._is_over = False

    def entries(self) -> Iterator[tuple[dict[str, Any], Iterator[bytes]]]:
        """Each entry with its data, which must be taken before the next. Raises `DamagedBackup`."""
        while (size := self._size(may_end=True)) is not None:
            entry: dict[str, Any] = json.loads(self._take(size))
            yield entry, self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        while size := self._size():
            yield self._take(size)

    def _size(self, *, may_end: bool = False) -> int | None:
        if may_end and not self._has(1):
            return None
        size = int(_LENGTH.unpack(self._take(_LENGTH.size))[0])
        if size > _MOST_PIECE_BYTES:
            raise self._damaged(gettext_noop("it is altered"))
        return size

    def _take(self, size: int) -> bytes:
        if not self._has(size):
            raise self._damaged(gettext_noop("it is cut off"))
        taken = bytes(self._plain[:size])
        del self._plain[:size]
        return taken

    def _has(self, size: int) -> bool:
        while len(self._plain) < size:
            if self._is_over:
                return False
            self._plain += self._next()
        return True

    def _next(self) -> bytes:
        """The next chunk, decrypted and decompressed."""
        chunk, self._ahead = self._ahead, self._sealed()
        last = not self._ahead
        try:
            plain = self._cipher.decrypt(_NONCE.pack(self._number, last), chunk, self._start)
        except (InvalidTag, ValueError):
            raise self._damaged(gettext_noop("it is altered, or cut off")) from None
        self._number += 1
        unpacked = self._unpacker.decompress(plain)
        if last:
            self._is_over = True
            unpacked += self._unpacker.flush()
        return unpacked

    def _sealed(self) -> bytes:
        with _reading(self.path):
            return self._file.read(_CHUNK_BYTES + _TAG_BYTES)

    def _damaged(self, problem: str) -> DamagedBackup:
        return DamagedBackup(file=self.path, problem=problem)


@contextmanager
def open_backup(path: Path, keys: Keys) -> Iterator[BackupReader]:
    """A reader of the backup; checks the keys before anything else. Raises `DamagedBackup` and `OtherKeys`."""
    with ExitStack() as closing:
        with _reading(path):
            file = closing.enter_context(path.open("rb"))
            start, given = _read_start(path, file)
        head = Head(
            made_at=datetime.fromisoformat(given["made_at"]),
            program=given["program"],
            schema=given["schema"],
            keys=given["keys"],
        )
        key = keys.held.get(given["key"])
        here = named_keys(keys.marks())
        if key is None or not set(head.keys.split()) <= set(here.split()):
            raise OtherKeys(file=path, made_with=head.keys, here=here)
        cipher = AESGCM(_file_key(key.secret, bytes.fromhex(given["salt"])))
        yield BackupReader(path, file, head, start=start, cipher=cipher)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        problem = Text("it cannot be read (%(why)s)", why=fault.strerror)
        raise DamagedBackup(file=path, problem=problem) from fault


def _read_start(path: Path, file: IO[bytes]) -> tuple[bytes, dict[str, Any]]:
    start = file.read(len(_MAGIC) + _LENGTH.size)
    if not start.startswith(_MAGIC) or len(start) < len(_MAGIC) + _LENGTH.size:
        raise DamagedBackup(file=path, problem=gettext_noop("it does not begin as a backup does"))
    size = int(_LENGTH.unpack(start[len(_MAGIC) :])[0])
    content = file.read(min(size, _MOST_HEAD_BYTES))
    try:
        given: dict[str, Any] = json.loads(content)
        is_ours = (given["format"], given["cipher"]) == (_FORMAT, _CIPHER)
        datetime.fromisoformat(given["made_at"])
        bytes.fromhex(given["salt"])
        fits = all(isinstance(given[name], str) for name in ("program", "schema", "keys"))
    except (ValueError, KeyError, TypeError):
        is_ours, fits = True, False
    if not is_ours:
        raise DamagedBackup(file=path, problem=gettext_noop("a newer version made it"))
    if not fits:
        raise DamagedBackup(file=path, problem=gettext_noop("its head is damaged"))
    return start + content, given
