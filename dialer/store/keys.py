"""The keys of the personal data: a private file outside the database, which keeps a fingerprint of it."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from dialer.errors import Refusal
from dialer.language import Text

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
            if os.name == "posix" and status.st_mode & 0o077:
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
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
