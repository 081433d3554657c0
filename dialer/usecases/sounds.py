"""Where the files of prompts are: rendered ones in the data folder, shipped ones in the package, all in the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from audio.clips import PROMPTS, Clip, is_file_name, sha256_of
from dialer.store import sound_files
from dialer.store.unit_of_work import Store

_LOOK_AGAIN = timedelta(seconds=30)
"""How long a file that is nowhere is not asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file on the disk as it was when its content was last read."""

    changed_ns: int
    size: int
    sha256: str


class Sounds:
    """The files of one process. What was read once is read again only when it has changed on the disk, so that asking
    before every turn of a call costs next to nothing. Without a folder there are only the shipped files.
    """

    def __init__(self, store: Store, *, folder: Path | None = None, shipped: Path = PROMPTS) -> None:
        self._store = store
        self.folder = folder
        self._folders = (folder, shipped) if folder is not None else (shipped,)
        self._seen: dict[Path, _Seen] = {}
        self._nowhere: dict[str, datetime] = {}

    def whole(self, file: str, sha256: str, *, real_now: datetime) -> Path | None:
        """Where the file lies just as it was rendered; None when it is missing everywhere, or broken."""
        if not is_file_name(file):
            return None
        for folder in self._folders:
            path = folder / file
            if self._sha256(path) == sha256:
                return path
        return self._fetched(file, sha256, real_now)

    def path(self, file: str, *, real_now: datetime) -> Path | None:
        """Where a file of this name lies, to be sent to whoever was told to play it."""
        if not is_file_name(file):
            return None
        for folder in self._folders:
            path = folder / file
            if path.is_file():
                return path
        return self._fetched(file, "", real_now)

    def missing(self, clips: Iterable[Clip], *, real_now: datetime) -> list[Clip]:
        """Those of them whose file is missing or broken."""
        return [clip for clip in clips if self.whole(clip.file, clip.sha256, real_now=real_now) is None]

    def _sha256(self, path: Path) -> str:
        try:
            found = path.stat()
        except OSError:
            return ""
        seen = self._seen.get(path)
        if seen is None or seen.changed_ns != found.st_mtime_ns or seen.size != found.st_size:
            try:
                seen = _Seen(changed_ns=found.st_mtime_ns, size=found.st_size, sha256=sha256_of(path))
            except OSError:
                return ""
            self._seen[path] = seen
        return seen.sha256

    def _fetched(self, file: str, sha256: str, real_now: datetime) -> Path | None:
        """Another machine may have rendered it, or this one's disk was replaced."""
        if self.folder is None or self._nowhere.get(file, real_now) > real_now:
            return None
        with self._store.begin() as tx:
            body = sound_files.body(tx, file)
        if body is None or (sha256 and hashlib.sha256(body).hexdigest() != sha256):
            self._nowhere[file] = real_now + _LOOK_AGAIN
            return None
        path = self.folder / file
        with suppress(OSError):
            put(path, body)
        return path if self._sha256(path) == hashlib.sha256(body).hexdigest() else None


def put(path: Path, body: bytes) -> None:
    """The file is whole or not there, whoever looks. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(f".{hashlib.sha256(body).hexdigest()[:8]}.partial")
    partial.write_bytes(body)
    partial.replace(path)
