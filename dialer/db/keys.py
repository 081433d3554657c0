"""The key ring: every key of an installation with its number, its use and its suite, where it is stored, and how it is
read and written. Knows no SQL and seals nothing.

A ring is a private file or the output of a command; its secrets may be wrapped by a key that never leaves a PKCS#11
token. No error and no log line contains a secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from dialer.core.errors import Refusal
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Suite

if TYPE_CHECKING:
    from pydantic import SecretStr

KEY_BYTES = 32
MAX_KEY_ID = 0xFFFF
BARE_INDEX_ID: Final = 0
"""The number of the index key of a file of the first format: its blind indexes carry no key number."""
_FINGERPRINT_BYTES = 8
_MAX_FILE_BYTES = 1 << 20
_FORMAT: Final = 2


# A PKCS#11 token: its key wraps the secrets of the ring and never leaves it. Needs the extra `pkcs11`. Wrapping is AES
# in GCM mode in the token, each value bound to the number and use of its key.

_NONCE_BYTES: Final = 12
_KEY_BITS: Final = 256


class TokenRefused(Refusal):
    """The token refused an operation or cannot be used; the message says why and contains neither PIN nor key."""

    def __init__(self, problem: str | Text) -> None:
        super().__init__(Text("PKCS#11: %(problem)s", problem=Text.of(problem)))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyToken:
    """A PKCS#11 token. `library`: the provider's module; `token` and `key` are labels. `pin` opens the token as its
    user.
    """

    library: Path
    token: str
    key: str
    pin: SecretStr | None = field(default=None, repr=False)

    def wrap(self, secret: bytes, *, bound: str) -> bytes:
        """The secret, encrypted in the token and bound to `bound`. Raises `TokenRefused`."""
        nonce = os.urandom(_NONCE_BYTES)
        with self._key() as (key, how):
            return nonce + bytes(key.encrypt(secret, **how(nonce, bound)))

    def unwrap(self, wrapped: bytes, *, bound: str) -> bytes:
        """The secret that was wrapped for this key number and use. Raises `TokenRefused`."""
        with self._key() as (key, how):
            return bytes(key.decrypt(wrapped[_NONCE_BYTES:], **how(wrapped[:_NONCE_BYTES], bound)))

    def create_key(self) -> None:
        """Creates an AES key in the token that cannot be extracted from it. Raises `TokenRefused`."""
        with self._session(writes=True) as (pkcs11, session):
            session.generate_key(
                pkcs11.KeyType.AES,
                _KEY_BITS,
                label=self.key,
                store=True,
                template={pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True},
            )

    @contextmanager
    def _key(self) -> Iterator[tuple[Any, Any]]:
        with self._session() as (pkcs11, session):
            key = session.get_key(
                object_class=pkcs11.ObjectClass.SECRET_KEY, key_type=pkcs11.KeyType.AES, label=self.key
            )

            def how(nonce: bytes, bound: str) -> dict[str, object]:
                param = pkcs11.GCMParams(nonce, aad=bound.encode(), tag_bits=128)
                return {"mechanism": pkcs11.Mechanism.AES_GCM, "mechanism_param": param}

            yield key, how

    @contextmanager
    def _session(self, *, writes: bool = False) -> Iterator[tuple[Any, Any]]:
        try:
            import pkcs11  # noqa: PLC0415  # an extra: only where a token is configured
        except ImportError:
            raise TokenRefused(
                gettext_noop("the extra pkcs11 is not installed: pip install 'dialer[pkcs11]'")
            ) from None
        try:
            token = pkcs11.lib(str(self.library)).get_token(token_label=self.token)
            pin = self.pin.get_secret_value() if self.pin is not None else None
            with token.open(user_pin=pin, rw=writes) as session:
                yield pkcs11, session
        except (pkcs11.PKCS11Error, RuntimeError) as fault:
            problem = Text(
                "token %(token)s, key %(key)s, library %(library)s: %(why)s",
                token=self.token,
                key=self.key,
                library=self.library,
                why=type(fault).__name__,
            )
            raise TokenRefused(problem) from None


class KeyUse(StrEnum):
    """What a key is for."""

    ENCRYPTION = "encryption"
    """Seals values, which are sealed again when the key is rotated."""
    INDEX = "index"
    """Makes blind indexes, which are made again when the key is rotated."""
    AUDIT = "audit"
    """Seals the audit, whose lines are never changed: a key that lines use stays in the ring."""


class KeysRefused(Refusal):
    """The key ring cannot be used as it is; the message says why and never contains a key. `source`: its file or
    command.
    """

    def __init__(self, *, source: str | Path | None, problem: str | Text) -> None:
        self.problem = Text.of(problem)
        if source:
            super().__init__(Text("key ring %(source)s: %(problem)s", source=source, problem=self.problem))
        else:
            super().__init__(Text("keys: %(problem)s", problem=self.problem))
        self.source = source


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the ring. `secret`: 32 random bytes, from which the suite derives what it needs."""

    id: int
    use: KeyUse
    suite: Suite = Suite.AES_BLAKE2
    secret: bytes = field(repr=False)

    @property
    def mark(self) -> str:
        """A fingerprint: it identifies the key and reveals nothing about it."""
        return hashlib.blake2b(
            key=self.secret, digest_size=_FINGERPRINT_BYTES, person=b"fingerprint"
        ).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A key ring: keys by number. `fixed` is the secret for values that can never be computed again (derived
    instruction numbers, hashes of recovery codes); it is not rotated. `current`: the key that seals where no database
    says which key does.
    """

    held: Mapping[int, Key]
    fixed: bytes = field(repr=False)
    current: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "held", MappingProxyType(dict(sorted(self.held.items()))))
        problem = _problem_of(self)
        if problem:
            raise KeysRefused(source=None, problem=problem)

    @classmethod
    def of(cls, *, encryption: Mapping[int, bytes], index: bytes, current: int) -> Keys:
        """The ring of a file of the first format: its index key is also the fixed secret."""
        held = {
            key_id: Key(id=key_id, use=KeyUse.ENCRYPTION, secret=secret)
            for key_id, secret in encryption.items()
        }
        bare = Key(id=BARE_INDEX_ID, use=KeyUse.INDEX, secret=index)
        return cls(held={BARE_INDEX_ID: bare} | held, fixed=index, current=current)

    def ids(self, use: KeyUse) -> list[int]:
        """The numbers of the keys with this use, the newest last."""
        return [key.id for key in self.held.values() if key.use is use]

    def marks(self) -> dict[int, str]:
        """The mark of each key, by its number."""
        return {key_id: key.mark for key_id, key in self.held.items()}

    def with_new(self, uses: Iterable[KeyUse], suite: Suite) -> tuple[Keys, dict[KeyUse, int]]:
        """The ring with a new random key for each use, and their numbers."""
        held, made = dict(self.held), {}
        for use in uses:
            key_id = max(held) + 1
            held[key_id] = Key(id=key_id, use=use, suite=suite, secret=secrets.token_bytes(KEY_BYTES))
            made[use] = key_id
        return replace(self, held=held, current=made.get(KeyUse.ENCRYPTION, self.current)), made

    def without(self, key_id: int) -> Keys:
        """The ring without this key. If it was `current`, the newest encryption key becomes current."""
        held = {held_id: key for held_id, key in self.held.items() if held_id != key_id}
        left = [key.id for key in held.values() if key.use is KeyUse.ENCRYPTION]
        current = self.current if self.current in left else max(left, default=0)
        return replace(self, held=held, current=current)

    def only_for_audit(self, key_id: int) -> Keys:
        """The ring in which this key only opens lines of the audit."""
        left = self.without(key_id)
        return replace(left, held={**left.held, key_id: replace(self.held[key_id], use=KeyUse.AUDIT)})


def _problem_of(keys: Keys) -> Text | None:
    uses = {key.use for key in keys.held.values()}
    if any(len(key.secret) != KEY_BYTES for key in keys.held.values()) or len(keys.fixed) != KEY_BYTES:
        return Text("every key has %(bytes)s bytes", bytes=KEY_BYTES)
    for key_id, key in keys.held.items():
        least = BARE_INDEX_ID if key.use is KeyUse.INDEX else 1
        if not least <= key_id <= MAX_KEY_ID or key_id != key.id:
            return Text("a key id is a number from 1 to %(most)s", most=MAX_KEY_ID)
    if keys.current not in keys.ids(KeyUse.ENCRYPTION):
        return Text("the current key %(key)s is not among the encryption keys", key=keys.current)
    if KeyUse.INDEX not in uses:
        return Text("there is no index key")
    if len({key.secret for key in keys.held.values()}) != len(keys.held):
        return Text("two keys are the same")
    return None


def new_ring(suite: Suite = Suite.AES_BLAKE2) -> Keys:
    """A ring of new random keys, one for each use."""
    held = {
        number: Key(id=number, use=use, suite=suite, secret=secrets.token_bytes(KEY_BYTES))
        for number, use in enumerate(KeyUse, start=1)
    }
    return Keys(held=held, fixed=secrets.token_bytes(KEY_BYTES), current=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the ring of an installation is: a file, or the output of a command, which cannot be written to."""

    file: Path | None = None
    command: tuple[str, ...] = ()
    command_seconds: float = 10.0
    token: KeyToken | None = None

    @property
    def name(self) -> str:
        """The file, or the name of the program without its arguments, which may contain a secret."""
        return str(self.file) if self.file is not None else Path(self.command[0]).name

    @property
    def is_writable(self) -> bool:
        return self.file is not None

    def load(self) -> Keys:
        """The ring as it is now. Raises `KeysRefused`."""
        if self.file is not None:
            return load(self.file, self.token)
        return self._read(self._run(), source=self.name)

    def save(self, keys: Keys) -> None:
        """Writes this ring to the file, which is replaced as a whole, with mode 0600. Raises `KeysRefused`."""
        if self.file is None:
            raise KeysRefused(source=self.name, problem="is read only: store the ring there yourself")
        save(self.file, keys, self.token)

    def _read(self, content: bytes, *, source: str) -> Keys:
        try:
            return _parse(content, self.token)
        except KeysRefused as refused:
            raise KeysRefused(source=source, problem=refused.problem) from None

    def _run(self) -> bytes:
        def refused(problem: str | Text) -> KeysRefused:
            return KeysRefused(source=self.name, problem=problem)

        try:
            done = subprocess.run(  # noqa: S603  # the program that the settings name
                self.command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.command_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise refused(
                Text("did not end within %(seconds)s s", seconds=f"{self.command_seconds:g}")
            ) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise refused(Text("cannot be started (%(why)s)", why=why)) from None
        # The message repeats nothing of the output: that may be a key.
        if done.returncode:
            raise refused(Text("ended with code %(code)s", code=done.returncode))
        if not done.stdout.strip():
            raise refused(gettext_noop("printed nothing"))
        if len(done.stdout) > _MAX_FILE_BYTES:
            raise refused(gettext_noop("printed more than a key ring is"))
        return done.stdout


def load(path: Path, token: KeyToken | None = None) -> Keys:
    """The keys of the file. Raises `KeysRefused` for a file that others can read or that is not a key file."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeysRefused(source=path, problem="is not a regular file")
            if status.st_mode & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                raise KeysRefused(
                    source=path,
                    problem=Text(
                        "mode %(mode)s lets others read it; run chmod 600 on it", mode=f"{mode:04o}"
                    ),
                )
            content = file.read(_MAX_FILE_BYTES)
    except OSError as error:
        raise KeysRefused(source=path, problem=Text("cannot be read (%(why)s)", why=error.strerror)) from None
    return KeySource(file=path, token=token)._read(content, source=str(path))  # noqa: SLF001  # its own


def create(path: Path, *, suite: Suite = Suite.AES_BLAKE2, token: KeyToken | None = None) -> Keys:
    """Writes new random keys to a new file with mode 0600, completely or not at all. An existing file is never changed.

    If two processes create the same file at once, one of them gets `KeysRefused` and can then load the file.
    """
    keys = new_ring(suite)
    # A hard link fails if the name exists and never shows half a file, unlike a plain exclusive create.
    _write_file(path, render(keys, token), os.link)
    return keys


def save(path: Path, keys: Keys, token: KeyToken | None = None) -> None:
    """Writes these keys to the file, with mode 0600: a reader finds either the old ring or the new one, complete."""
    _write_file(path, render(keys, token), os.replace)


def _write_file(path: Path, content: bytes, put: Callable[[Path, Path], None]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            put(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError:
        raise KeysRefused(source=path, problem="already exists") from None
    except OSError as error:
        raise KeysRefused(
            source=path, problem=Text("cannot be written into its folder (%(why)s)", why=error.strerror)
        ) from None


def sync_folder(folder: Path) -> None:
    """Makes sure that files created or renamed in the folder are on the disk (fsync)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parse(content: bytes, token: KeyToken | None) -> Keys:
    """The ring from JSON or TOML, in either format."""
    try:
        text = content.decode("utf-8")
        table = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
        return _second_format(table, token) if "format" in table else _first_format(table)
    except (ValueError, KeyError, TypeError, AttributeError):
        # The parser's own message is left out: it may quote a key.
        raise KeysRefused(source=None, problem="is not a key ring of this product, or is damaged") from None
    except TokenRefused as refused:
        raise KeysRefused(source=None, problem=refused.text) from None


def _first_format(table: dict[str, Any]) -> Keys:
    encryption = table.pop("encryption")
    keys = {int(key_id): bytes.fromhex(text) for key_id, text in encryption.items()}
    index = bytes.fromhex(table.pop("index"))
    current = table.pop("current")
    if table or type(current) is not int or len(keys) != len(encryption):
        raise ValueError
    return Keys.of(encryption=keys, index=index, current=current)


def _second_format(table: dict[str, Any], token: KeyToken | None) -> Keys:
    if table.pop("format") != _FORMAT:
        raise ValueError
    fixed = _secret(table, "fixed", token, bound="fixed")
    held: dict[int, Key] = {}
    for row in table.pop("key"):
        key_id, use = row.pop("id"), KeyUse(row.pop("use"))
        if type(key_id) is not int or key_id in held:
            raise ValueError
        secret = _secret(row, "secret", token, bound=f"{key_id} {use}")
        held[key_id] = Key(id=key_id, use=use, suite=Suite(row.pop("suite")), secret=secret)
        if row:
            raise ValueError
    if table:
        raise ValueError
    current = max((key.id for key in held.values() if key.use is KeyUse.ENCRYPTION), default=0)
    return Keys(held=held, fixed=fixed, current=current)


def _secret(row: dict[str, Any], name: str, token: KeyToken | None, *, bound: str) -> bytes:
    wrapped = row.pop(f"{name}_wrapped", None)
    if wrapped is None:
        return bytes.fromhex(row.pop(name))
    if token is None:
        raise TokenRefused(
            gettext_noop("the secrets are wrapped: set keys.pkcs11_library, pkcs11_token and pkcs11_key")
        )
    return token.unwrap(bytes.fromhex(wrapped), bound=bound)


_TITLE: Final = (
    "# Keys of the personal data. Without this file the data cannot be read by anybody: keep a copy elsewhere.",
    "# Changed by `dialer keys rotate` and `dialer keys retire`.",
)


def render(keys: Keys, token: KeyToken | None = None) -> bytes:
    """The ring as the content of a file; the secrets are wrapped if there is a token."""

    def secret(name: str, value: bytes, bound: str) -> str:
        if token is None:
            return f'{name} = "{value.hex()}"'
        return f'{name}_wrapped = "{token.wrap(value, bound=bound).hex()}"'

    lines: list[str] = [*_TITLE, f"format = {_FORMAT}", secret("fixed", keys.fixed, "fixed")]
    for key in keys.held.values():
        lines += ["", "[[key]]", f"id = {key.id}", f'use = "{key.use}"', f'suite = "{key.suite}"']
        lines.append(secret("secret", key.secret, f"{key.id} {key.use}"))
    return "\n".join([*lines, ""]).encode()
