"""The folders, ports and password that belong to one data folder's embedded servers."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dialer.errors import Unavailable
from dialer.language import Text
from dialer.runtime.account import Account, own_home, private_folder, server_account, system_home

_TOKEN = re.compile(r"[0-9a-f]{32}")
_LARGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`notes` holds our own records (0700, ours); `servers` holds what the servers' user owns."""

    notes: Path
    servers: Path
    account: Account

    @property
    def password(self) -> str:
        """256 random bits, made once, in a file that only we may read."""
        path = self.notes / "password"
        with contextlib.suppress(FileExistsError):
            write_private(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()

    def folder(self, name: str) -> Path:
        return self.servers / name

    def port(self, name: str) -> int | None:
        """The port that server used last, when it ever ran."""
        try:
            number = json.loads((self.notes / f"{name}.json").read_text(encoding="ascii"))["port"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return number if isinstance(number, int) else None

    def record_port(self, name: str, port: int) -> None:
        path = self.notes / f"{name}.json"
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        write_private(draft, json.dumps({"port": port, "folder": str(self.folder(name))}))
        draft.replace(path)

    def choose_port(self, name: str, *, fresh: bool) -> int:
        """The port of last time while it is free, so that addresses stay; else, or if `fresh`, a new one."""
        last = self.port(name)
        if last is not None and not fresh and _is_free(last):
            return last
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number: int = probe.getsockname()[1]
            return number

    def open_log(self, name: str) -> IO[bytes]:
        """The server's log, opened for appending; a big one is first set aside, in place of the last such."""
        path = self.notes / f"{name}.log"
        if path.exists() and path.stat().st_size > _LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "ab")

    def last_log_line(self, name: str) -> str:
        try:
            lines = (self.notes / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1].strip() if lines else ""

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Held by one process at a time: servers are started, joined and stopped one after the other."""
        with self._lock_file("lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def mark_joined(self) -> IO[bytes]:
        """Open while this process uses servers that another one started."""
        file = self._lock_file("joined")
        fcntl.flock(file, fcntl.LOCK_SH)
        return file

    def anyone_joined(self) -> bool:
        with self._lock_file("joined") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _lock_file(self, name: str) -> IO[bytes]:
        return os.fdopen(os.open(self.notes / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")


def place_for(data_dir: Path, *, home: Path | None = None) -> Place:
    """The place exists. Root's server folders lie under /var/lib, tied to `data_dir` by a random token; everybody's
    under `home` where that is given, which is always given then.
    """
    account = server_account()
    notes = private_folder(private_folder(data_dir.absolute()) / "embedded")
    if not account.switch and home is None:
        return Place(notes=notes, servers=notes, account=account)
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
    return Place(notes=notes, servers=servers, account=account)


def erase_place(place: Place) -> None:
    """Nothing of the servers' files is left. They must have been stopped."""
    if place.servers != place.notes:
        shutil.rmtree(place.servers, ignore_errors=True)
    shutil.rmtree(place.notes, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600 holds `text`; FileExistsError when there is one already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
