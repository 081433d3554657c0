"""Backs up, verifies and restores. No backup contains the keys: somebody who finds the file cannot read it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

import dialer
from dialer.backup.archive import (
    BackupReader,
    BackupWriter,
    CannotWrite,
    DamagedBackup,
    Head,
    named_keys,
    new_backup,
    open_backup,
)
from dialer.backup.store import (
    Contents,
    EmptyDatabase,
    NotAsBackedUp,
    NotEmpty,
    Snapshot,
    TableColumns,
    fill_database,
    forget_processes,
    take_snapshot,
)
from dialer.calls.comparison import mark_restored
from dialer.core.access import Actor
from dialer.core.errors import Refusal
from dialer.core.text import Text, gettext_noop
from dialer.db.acts import OpenAct
from dialer.db.key_state import WrongKeys
from dialer.db.keys import Keys
from dialer.db.migrations import NewerDatabase, is_known_revision, newest_revision
from dialer.db.system_state import read_service_clock
from dialer.db.unit_of_work import Tx
from dialer.db.vault import Vault
from dialer.retention.erasure_register import (
    Erased,
    NoRegister,
    OldRegister,
    erase_again,
    not_in_register,
    read_register,
)
from dialer.runtime.clock import ScaledClock
from dialer.runtime.embedded import ensure_servers

_FOLDERS: Final = ("recordings", "voices")
"""The folders that are only in the data folder. Lists, photos, scripts and their sound are rows; `audio` is a copy of
such rows.
"""
_FILE_PIECE: Final = 1 << 18
_SCRATCH: Final = ".verify-"
_DRAFT: Final = ".restoring"
"""The subfolder for files that a restore has written but not yet moved to their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where the data of a service are. The URLs contain passwords: never log them."""

    database_url: str = field(repr=False)
    owner_url: str | None = field(repr=False)
    """The URL for the role that owns the tables; None: the same one."""
    keys: Keys
    data_dir: Path


class NothingToBackUp(Refusal):
    """The database contains no tables of ours."""

    def __init__(self) -> None:
        super().__init__(
            "this database holds nothing to back up: check DIALER_DATABASE__URL or DIALER_DATA_DIR"
        )


class NotPutBack(Refusal):
    """A restore has committed the database, but not all files are in their place."""

    def __init__(self, *, draft: Path, place: Path, why: str) -> None:
        self.draft, self.place = draft, place
        super().__init__(
            Text(
                "the database is restored, but not all files could be put into %(place)s (%(why)s): fix that, then"
                " move what is in %(draft)s there. Do not restore again",
                place=str(place),
                draft=str(draft),
                why=why,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup file and its contents. `made_at`: real time; the contents are of that moment or of one just after it."""

    file: Path
    size_bytes: int
    made_at: datetime
    program: str
    schema: str
    keys: str
    contents: Contents
    files: tuple[str, ...]
    erased: int = 0
    """The number of persons that the restore erased again."""
    registered: int = 0
    """The number of lines of the register of erasures that the restore read."""
    last_erased_at: datetime | None = None
    """The time of the last of these lines; the restore does not know of later erasures."""
    expired: Mapping[str, int] = field(default_factory=dict)
    """The number of records that the restore deleted or erased because they were past their period, by kind."""

    def plain(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "file": str(self.file),
            "size_bytes": self.size_bytes,
            "made_at": self.made_at.isoformat(),
            "program": self.program,
            "schema": self.schema,
            "keys": self.keys,
            "rows": self.contents.rows,
            "tables": dict(self.contents.tables),
            "audit_number": self.contents.audit_number,
            "audit_chain": self.contents.audit_chain,
            "files": list(self.files),
            "erased": self.erased,
            "registered": self.registered,
            "last_erased_at": None if self.last_erased_at is None else self.last_erased_at.isoformat(),
            "expired": dict(self.expired),
        }


def make_backup(place: Installation, file: Path, *, real_now: datetime) -> Backup:
    """Backs up the whole database as of one moment, while calls go on, and the files that are only in the data folder.
    Raises `WrongKeys`, `NewerDatabase`, `NothingToBackUp`, `CannotWrite` and `Unavailable`; then no file is left.
    """
    with take_snapshot(place.database_url) as snapshot:
        schema = snapshot.revision()
        if not schema:
            raise NothingToBackUp
        if not is_known_revision(schema):
            raise NewerDatabase(found=schema, newest=newest_revision())
        held, known = place.keys.marks(), snapshot.key_marks()
        if not known.items() <= held.items():
            raise WrongKeys
        head = Head(
            made_at=real_now, program=dialer.__version__, schema=schema, keys=named_keys(known or held)
        )
        with new_backup(file, head, place.keys) as writer:
            contents = _write_rows(snapshot, writer)
            files = tuple(_write_files(place.data_dir, writer, file))
            manifest = asdict(contents) | {"sequences": snapshot.sequences(), "files": files}
            writer.begin({"kind": "manifest"} | manifest)
    return _described(file, head, contents, files)


def _described(file: Path, head: Head, contents: Contents, files: tuple[str, ...]) -> Backup:
    return Backup(
        file=file,
        size_bytes=file.stat().st_size,
        made_at=head.made_at,
        program=head.program,
        schema=head.schema,
        keys=head.keys,
        contents=contents,
        files=files,
    )


def _write_rows(snapshot: Snapshot, writer: BackupWriter) -> Contents:
    counts: dict[str, int] = {}
    for table in snapshot.tables():
        writer.begin({"kind": "table", "name": table.name, "columns": table.columns})
        counts[table.name] = snapshot.copy_out(table, writer.write)
    number, chain = snapshot.audit_head()
    return Contents(tables=counts, audit_number=number, audit_chain=chain)


def _write_files(data_dir: Path, writer: BackupWriter, backup: Path) -> Iterator[str]:
    for folder in _FOLDERS:
        for path in sorted((data_dir / folder).rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            name = path.relative_to(data_dir).as_posix()
            writer.begin({"kind": "file", "name": name})
            try:
                with path.open("rb") as content:
                    while piece := content.read(_FILE_PIECE):
                        writer.write(piece)
            except OSError as fault:
                raise CannotWrite(file=backup, why=f"{name}: {fault.strerror}") from fault
            yield name


def verify_backup(file: Path, keys: Keys, *, scratch: Path) -> Backup:
    """Checks that the file is whole, and that a throw-away database restored from it has the same counts and the same
    last line of the audit, also after this version's migrations. The database is a server of its own in `scratch`,
    which is deleted at the end; no other database is touched. Raises `OtherKeys`, `DamagedBackup`, `NotAsBackedUp`,
    `NewerDatabase`, `Unavailable`.
    """
    with ExitStack() as closing:
        reader = closing.enter_context(open_backup(file, keys))
        folder = Path(closing.enter_context(_scratch_folder(scratch)))
        servers = closing.enter_context(ensure_servers(folder, valkey=False, ephemeral=True))
        target = closing.enter_context(fill_database(servers.owner_url, keys))
        return _fill(reader, target, keep=_skip)


@contextmanager
def _scratch_folder(parent: Path) -> Iterator[str]:
    """A new folder in `parent`, locked while it is used. Deletes those of killed processes first."""
    with ExitStack() as closing:
        try:
            parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _locked(parent):
                for left in parent.glob(f"{_SCRATCH}*"):
                    with suppress(BlockingIOError), _locked(left, wait=False):
                        shutil.rmtree(left, ignore_errors=True)
                folder = tempfile.mkdtemp(prefix=_SCRATCH, dir=parent)
                closing.enter_context(_locked(Path(folder)))
        except OSError as fault:
            raise CannotWrite(file=parent, why=fault.strerror or type(fault).__name__) from fault
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Locks a folder. Raises `BlockingIOError` if another process has locked it and `wait` is false."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(held)


Expire = Callable[[OpenAct], Mapping[str, int]]
"""Deletes what is past its period, as part of the restore; returns the number by kind."""


def restore_backup(
    place: Installation,
    file: Path,
    *,
    real_now: datetime,
    actor: Actor,
    register: Path | None = None,
    no_erasures: bool = False,
    expire: Expire = lambda _act: {},
) -> Backup:
    """Restores the backup into an empty place, all of it or nothing: with this version's schema, without the persons in
    the register of erasures and without what `expire` deletes. Dialling is paused until the carrier's calls since the
    backup have been compared, and nobody is signed in. `no_erasures`: a register that is missing, empty or older than
    the backup is accepted. Raises what `verify_backup` does, `NotEmpty`, `NoRegister`, `OldRegister` and
    `UnreadableRegister`.
    """
    url = place.owner_url or place.database_url
    # In this order: the files are moved to their place after the database has committed.
    with (
        open_backup(file, place.keys) as reader,
        _new_files(place.data_dir) as keep,
        fill_database(url, place.keys) as target,
    ):
        erased = _registered(Vault(place.keys), register, no_erasures=no_erasures)
        backup = _fill(reader, target, keep=keep)
        tx = target.tx()
        forget_processes(tx)
        now = _service_now(tx, real_now)
        if register is not None and not no_erasures and (lacks := not_in_register(tx, erased)):
            raise OldRegister(file=register, count=len(lacks))
        act = OpenAct(tx, actor, lambda: now)
        again = erase_again(act, erased)
        expired = expire(act)
        facts = {
            "program": backup.program,
            "schema": backup.schema,
            "rows": backup.contents.rows,
            "audit_number": backup.contents.audit_number,
        }
        mark_restored(act, backup_at=backup.made_at, restored_at=real_now, facts=facts)
        tx.write_last()
    last = max((erasure.erased_at for erasure in erased), default=None)
    return replace(backup, erased=again, registered=len(erased), last_erased_at=last, expired=expired)


def _registered(vault: Vault, register: Path | None, *, no_erasures: bool) -> list[Erased]:
    if register is None:
        return []
    try:
        erased = read_register(vault, register)
    except NoRegister:
        erased = []
    if not erased and not no_erasures:
        raise NoRegister(register)
    return erased


def _service_now(tx: Tx, real_now: datetime) -> datetime:
    row = read_service_clock(tx)
    if row is None:
        return real_now
    return ScaledClock(anchor_unix=row.anchor_unix, epoch=row.epoch, speed=row.speed).now()


_Keep = Callable[[str, Iterator[bytes]], None]


def _skip(_name: str, pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass


def _fill(reader: BackupReader, target: EmptyDatabase, *, keep: _Keep) -> Backup:
    """Copies the rows of the backup into the database, compares them with the manifest, and migrates them to this
    version.
    """
    schema = reader.head.schema
    if not is_known_revision(schema):
        raise NewerDatabase(found=schema, newest=newest_revision())
    target.prepare(schema)
    manifest: Mapping[str, Any] | None = None
    for entry, pieces in reader.entries():
        match entry["kind"]:
            case "table":
                table = TableColumns(name=entry["name"], columns=tuple(entry["columns"]))
                target.copy_in(table, pieces)
            case "file":
                keep(entry["name"], pieces)
            case _:
                manifest = entry
                _skip("", pieces)
    if manifest is None:
        raise DamagedBackup(file=reader.path, problem=gettext_noop("it has no manifest"))
    target.complete(manifest["sequences"])
    contents = Contents(
        tables=manifest["tables"],
        audit_number=manifest["audit_number"],
        audit_chain=manifest["audit_chain"],
    )
    differences = contents.differences(target.contents())
    if differences:
        raise NotAsBackedUp(differences)
    target.upgrade()
    return _described(reader.path, reader.head, contents, tuple(manifest["files"]))


@contextmanager
def _new_files(data_dir: Path) -> Iterator[_Keep]:
    """Files that are passed to `keep` in the block are in the data folder after it, if it ends without an exception.
    Raises `NotEmpty` before the block, and `NotPutBack` after it.
    """
    # A folder may be a link to another disk: a file is written on the disk where it stays, so that a rename is enough.
    places = {name: (data_dir / name).resolve() for name in _FOLDERS}
    found = {name: gettext_noop("files") for name, place in places.items() if _holds_files(place)}
    if found:
        raise NotEmpty(found)
    kept: list[tuple[Path, PurePosixPath]] = []
    begun: dict[Path, bool] = {}

    def keep(name: str, pieces: Iterator[bytes]) -> None:
        path = PurePosixPath(name)
        # A file that could not be put in its place by an earlier restore is put there by this one.
        inner = PurePosixPath(*(part for part in path.parts[1:] if part != _DRAFT))
        if path.is_absolute() or ".." in path.parts or path.parts[0] not in _FOLDERS or not inner.parts:
            raise DamagedBackup(
                file=Path(name), problem=gettext_noop("it names a file outside the data folder")
            )
        place = places[path.parts[0]]
        if place not in begun:
            begun[place] = place.exists()
            # Left by a restore that was killed: at this point the database is known to be empty.
            shutil.rmtree(place / _DRAFT, ignore_errors=True)
        target = place / _DRAFT / inner
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except OSError as fault:
            raise CannotWrite(file=target, why=fault.strerror or type(fault).__name__) from fault
        kept.append((place, inner))

    try:
        yield keep
    except BaseException:
        for place, was_there in begun.items():
            shutil.rmtree(place / _DRAFT, ignore_errors=True)
            if not was_there:
                with suppress(OSError):
                    place.rmdir()
        raise
    _put_in_place(kept)
    for place in begun:
        shutil.rmtree(place / _DRAFT, ignore_errors=True)


def _put_in_place(kept: Sequence[tuple[Path, PurePosixPath]]) -> None:
    for place, inner in kept:
        draft = place / _DRAFT
        try:
            (place / inner).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (draft / inner).rename(place / inner)
        except OSError as fault:
            raise NotPutBack(draft=draft, place=place, why=fault.strerror or type(fault).__name__) from fault


def _holds_files(place: Path) -> bool:
    return any(path.name != _DRAFT for path in place.glob("*"))


def default_file(data_dir: Path, *, real_now: datetime) -> Path:
    """The path of a backup of this moment, in the folder `backups` of the data folder."""
    return data_dir / "backups" / f"dialer-{real_now.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup"
