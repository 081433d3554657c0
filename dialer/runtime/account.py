"""Whose processes the embedded servers are, and where their files may lie.

PostgreSQL refuses to run as root, and root's home is closed to everybody else: so for root the servers
belong to an unprivileged system user and live under /var/lib. For anybody else they are that person's own,
in the data folder.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from dialer.errors import Unavailable
from dialer.language import Text, mark

_SYSTEM_USERS = ("dialer", "nobody")
_SYSTEM_HOMES = (Path("/var/lib/dialer"), Path("/var/tmp/dialer-embedded"))  # noqa: S108 - checked below
_PART = mark("embedded servers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user whom server processes run as; `switch` is true when we are root and must become that user."""

    name: str
    uid: int
    gid: int
    switch: bool

    @property
    def user(self) -> tuple[int, int] | None:
        return (self.uid, self.gid) if self.switch else None

    def own(self, path: Path) -> None:
        """The freshly made file or folder belongs to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """True when this user may read `path` and pass through every folder above it."""
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
    """Ourselves, or for root the first of `dialer` and `nobody` that exists."""
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
    """Root's own folder for server files, made when missing (0711: others may pass, not look or write)."""
    for home in _SYSTEM_HOMES:
        with contextlib.suppress(OSError):
            return own_home(home)
    raise Unavailable(
        part=_PART,
        problem=Text("no folder for server files could be made at %(folder)s", folder=_SYSTEM_HOMES[0]),
    )


def own_home(home: Path) -> Path:
    """The folder exists and is ours, also where everybody may make folders, such as in memory."""
    home.mkdir(mode=0o711, exist_ok=True)
    refuse_foreign(home)
    return home


def refuse_foreign(folder: Path) -> None:
    """Refuses a folder that is a link, belongs to somebody else, or that others may write to."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise Unavailable(
            part=_PART,
            problem=Text("%(folder)s is not a folder of ours that only we may write to", folder=folder),
        )


def private_folder(folder: Path) -> Path:
    """The folder exists; a new one is 0700, an existing one keeps its mode but must belong to us."""
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
