"""Encryption of personal data: each value is sealed for one place in the database, and keyed blind indexes find it
again. Knows no SQL.

A sealed value consists of a version, the number of its key, a nonce and the ciphertext; table, column and row are
authenticated with it. The suite is that of the key. A blind index begins with the number of its key, except for the
index key of a file of the first format.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from dialer.core.errors import DialerError
from dialer.core.text import Text
from dialer.core.values import Suite
from dialer.db.keys import BARE_INDEX_ID, Key, Keys, KeysRefused, KeyUse

_PIECES_AT_ONCE = 512


class RandomPieces:
    """Random pieces of `size` bytes, each used once. Read from the kernel many at a time: a read releases the
    interpreter, which a busy thread then keeps for milliseconds. Safe for threads (a list's pop and extend are atomic)
    and across a fork (the child discards the pieces of its parent).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._pieces: list[bytes] = []
        os.register_at_fork(after_in_child=self._pieces.clear)

    def take(self) -> bytes:
        """A piece that was never returned before."""
        try:
            return self._pieces.pop()
        except IndexError:
            return self._fresh()

    def _fresh(self) -> bytes:
        block = os.urandom(self._size * _PIECES_AT_ONCE)
        pieces = [block[start : start + self._size] for start in range(0, len(block), self._size)]
        piece = pieces.pop()
        self._pieces.extend(pieces)
        return piece


BLIND_BYTES: Final = 16
UNREADABLE: Final = "（无法读取 cannot be read）"
"""Shown in place of a sealed text that cannot be opened."""
_VERSION: Final = 1
_HEADER_BYTES: Final = 3
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_BODY_START: Final = _HEADER_BYTES + _NONCE_BYTES
_LEAST_BYTES: Final = _BODY_START + _TAG_BYTES
_nonces: Final = RandomPieces(_NONCE_BYTES)
_MARK_BYTES: Final = 2
"""The length of the key number that a blind index begins with."""
_SM4_BYTES: Final = 16
_DIGESTS: Final = MappingProxyType({Suite.AES_BLAKE2: 1, Suite.SM4_SM3: 2})
"""The number that a seal begins with: 1 for HMAC with SHA-256, 2 for HMAC with SM3."""
_SUITES: Final = MappingProxyType({number: suite for suite, number in _DIGESTS.items()})
_DIGEST: Final = "sha256"
AUDIT_TABLE: Final = "audit"


class BlindKind(StrEnum):
    """The kinds of values that have blind indexes; the same text under two kinds gives two indexes that cannot be
    compared.
    """

    ID_NUMBER = "id_number"
    PHONE = "phone"
    PHONE_LAST4 = "phone_last4"
    NAME_PHONE = "name_phone"
    NAME = "name"
    SIGN_IN = "sign_in"
    RECOVERY_CODE = "recovery_code"
    ERASURE = "erasure"
    """The seal of a line in the register of erasures, or of a certificate."""
    OPENING_PERSON = "opening_person"
    OPENING_PHONE = "opening_phone"
    OPENING_ADDRESS = "opening_address"
    OPENING_EMPLOYER = "opening_employer"
    OPENING_AGENT = "opening_agent"
    OPENING_STORY = "opening_story"
    OPENING_NUMBER = "opening_number"


def digest_of(pieces: Iterable[bytes]) -> str:
    """The digest of the pieces, with its name: `sha256:...`. The length of each piece is included, so other pieces give
    another digest.
    """
    digest = hashlib.new(_DIGEST)
    for piece in pieces:
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
    return f"{_DIGEST}:{digest.hexdigest()}"


LASTING_KINDS: Final = (
    BlindKind.SIGN_IN,
    BlindKind.RECOVERY_CODE,
    BlindKind.ERASURE,
    BlindKind.OPENING_PERSON,
    BlindKind.OPENING_PHONE,
    BlindKind.OPENING_ADDRESS,
    BlindKind.OPENING_EMPLOYER,
    BlindKind.OPENING_AGENT,
    BlindKind.OPENING_STORY,
    BlindKind.OPENING_NUMBER,
)
"""Kinds whose indexes are made with the fixed secret: their values are stored nowhere, or outside the database, so the
indexes cannot be made again; those of openings are too many, and are compared over years (docs/decisions/0721).
"""


class Tampered(DialerError):
    """A sealed value is not the one that was sealed for this table, column and row: it was changed, truncated, or moved
    here.
    """

    def __init__(self, *, table: str, column: str, row: int | str) -> None:
        super().__init__(
            Text(
                "the sealed value in %(column)s of row %(row)s was changed or belongs elsewhere",
                column=f"{table}.{column}",
                row=row,
            )
        )


class KeyMissing(DialerError):
    """The value was sealed with a key that is not, or no longer, in the key ring."""

    def __init__(self, *, key_id: int, table: str, column: str, row: int | str) -> None:
        super().__init__(
            Text(
                "%(column)s of row %(row)s needs encryption key %(key)s, which the key ring lacks",
                column=f"{table}.{column}",
                row=row,
                key=key_id,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlan:
    """Which keys are in use. `index`: the first key makes blind indexes; indexes of all these keys are searched."""

    encryption: int
    audit: int
    index: tuple[int, ...]
    revision: int = 0
    """A later plan has a higher revision."""


def plan_of(keys: Keys) -> KeyPlan:
    """The plan of a database that has none yet: the newest key of each use."""
    audit = keys.ids(KeyUse.AUDIT)
    return KeyPlan(
        encryption=keys.current,
        audit=audit[-1] if audit else keys.current,
        index=(keys.ids(KeyUse.INDEX)[-1],),
    )


_Encrypt = Callable[[bytes, bytes, bytes], bytes]
"""The arguments: nonce, text, and the associated data that is authenticated with it."""


def _ciphers(key: Key) -> tuple[_Encrypt, _Encrypt]:
    """The functions for encryption and for decryption, which raises `InvalidTag`."""
    if key.suite is Suite.AES_BLAKE2:
        aes = AESGCM(key.secret)
        return aes.encrypt, aes.decrypt
    try:
        sm4 = SM4(_keyed(Suite.SM4_SM3, key.secret)(b"sm4-gcm")[:_SM4_BYTES])
        Cipher(sm4, GCM(bytes(_NONCE_BYTES))).encryptor()
    except UnsupportedAlgorithm:
        problem = Text("the cryptography library of this machine has no %(suite)s", suite=key.suite.value)
        raise KeysRefused(source=None, problem=problem) from None

    def encrypt(nonce: bytes, text: bytes, bound: bytes) -> bytes:
        run = Cipher(sm4, GCM(nonce)).encryptor()
        run.authenticate_additional_data(bound)
        return run.update(text) + run.finalize() + run.tag

    def decrypt(nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        run = Cipher(sm4, GCM(nonce, sealed[-_TAG_BYTES:])).decryptor()
        run.authenticate_additional_data(bound)
        text = run.update(sealed[:-_TAG_BYTES])
        return text + run.finalize()

    return encrypt, decrypt


def _keyed(suite: Suite, key: bytes) -> Callable[[bytes], bytes]:
    """The HMAC with this key and the digest of the suite."""
    if suite is Suite.AES_BLAKE2:
        sha = hmac.new(key, digestmod=_DIGEST)

        def with_sha(content: bytes) -> bytes:
            mac = sha.copy()
            mac.update(content)
            return mac.digest()

        return with_sha
    sm3 = HMAC(key, SM3())

    def with_sm3(content: bytes) -> bytes:
        mac = sm3.copy()
        mac.update(content)
        return mac.finalize()

    return with_sm3


def _blinder(key: Key, kind: BlindKind, *, bare: bool) -> Callable[[bytes], bytes]:
    """The function that makes blind indexes of this kind with this key."""
    mark = b"" if bare else key.id.to_bytes(_MARK_BYTES, "big")
    if key.suite is Suite.SM4_SM3:
        keyed = _keyed(key.suite, _keyed(key.suite, key.secret)(f"index\0{kind}".encode()))
        return lambda value: mark + keyed(value)[:BLIND_BYTES]
    blake = hashlib.blake2b(key=key.secret, digest_size=BLIND_BYTES, person=kind.encode())

    def blind(value: bytes) -> bytes:
        digest = blake.copy()
        digest.update(value)
        return mark + digest.digest()

    return blind


class _Ring:
    """The keys and plan of a vault at one time, with everything derived from them."""

    def __init__(self, keys: Keys, plan: KeyPlan) -> None:
        for key_id in (plan.encryption, plan.audit, *plan.index):
            if key_id not in keys.held:
                problem = Text("key %(key)s is in use and not in the key ring", key=key_id)
                raise KeysRefused(source=None, problem=problem)
        self.keys, self.plan = keys, plan
        self.ciphers = {key.id: _ciphers(key) for key in keys.held.values() if key.use is not KeyUse.INDEX}
        self.audit_only = frozenset(keys.ids(KeyUse.AUDIT))
        self.header = bytes([_VERSION]) + plan.encryption.to_bytes(2, "big")
        self.encrypt = self.ciphers[plan.encryption][0]
        self.audit_header = bytes([_VERSION]) + plan.audit.to_bytes(2, "big")
        self.audit_encrypt = self.ciphers[plan.audit][0]
        audit = keys.held[plan.audit]
        self.seal_header = bytes([_DIGESTS[audit.suite]]) + plan.audit.to_bytes(2, "big")
        self.macs: dict[tuple[bytes, str], Callable[[bytes], bytes]] = {}
        fixed = Key(id=0, use=KeyUse.INDEX, secret=keys.fixed)
        index = [keys.held[key_id] for key_id in plan.index]
        self.blinders = {
            kind: tuple(
                _blinder(key, kind, bare=key.id == BARE_INDEX_ID)
                for key in ([fixed] if kind in LASTING_KINDS else index)
            )
            for kind in BlindKind
        }

    def mac(self, header: bytes, purpose: str) -> Callable[[bytes], bytes]:
        """The HMAC for this purpose, with a key that is derived from the one that the header names. Raises
        `KeyError`.
        """
        if (found := self.macs.get((header, purpose))) is not None:
            return found
        suite = _SUITES[header[0] if header else 0]
        key = self.keys.held[int.from_bytes(header[1:], "big")]
        if key.use is KeyUse.INDEX:
            raise KeyError(key.id)
        mac = _keyed(suite, _keyed(suite, key.secret)(f"seal\0{purpose}".encode()))
        self.macs[header, purpose] = mac
        return mac


class Vault:
    """Seals with the keys of its plan, and opens with any key of its ring. Threads can share it, and it can be used
    after a fork.

    Nonces are random (NIST SP 800-38D, 8.3): one key can seal 2**32 values, then it must be rotated.
    """

    def __init__(
        self, keys: Keys, plan: KeyPlan | None = None, *, read_again: Callable[[], Keys] | None = None
    ) -> None:
        self._ring = _Ring(keys, plan or plan_of(keys))
        self._renewing = threading.Lock()
        self.read_again = read_again
        """Reads the key ring again from where it is stored. Raises `KeysRefused`."""
        self._places: dict[tuple[str, str], bytes] = {}

    @property
    def keys(self) -> Keys:
        return self._ring.keys

    @property
    def plan(self) -> KeyPlan:
        return self._ring.plan

    def renew(self, keys: Keys, plan: KeyPlan) -> None:
        """Uses these keys and this plan from now on, unless the vault has a later plan already. Raises `KeysRefused` if
        the ring lacks a key of the plan; then nothing changes.
        """
        with self._renewing:
            now = self._ring
            if plan.revision >= now.plan.revision and (keys != now.keys or plan != now.plan):
                self._ring = _Ring(keys, plan)

    def seal(self, plaintext: bytes, *, table: str, column: str, row: int | str) -> bytes:
        """The value, encrypted and bound to its place; it is 31 bytes longer. Row 5 and row "5" are the same row."""
        ring = self._ring
        head = ring.header
        place = self._places.get((table, column)) or self._place(table, column)
        nonce = _nonces.take()
        return head + nonce + ring.encrypt(nonce, plaintext, b"%b%b%b" % (head, place, str(row).encode()))

    def seal_reason(self, reason: str, *, row: str) -> bytes:
        """The reason in a line of the audit, sealed with the audit key; it is never sealed again."""
        ring = self._ring
        head, place = ring.audit_header, self._place(AUDIT_TABLE, "why_sealed")
        nonce = os.urandom(_NONCE_BYTES)
        bound = b"%b%b%b" % (head, place, row.encode())
        return head + nonce + ring.audit_encrypt(nonce, reason.encode(), bound)

    def open(self, sealed: bytes, *, table: str, column: str, row: int | str) -> bytes:
        """The value that was sealed for this place. Raises `Tampered` or `KeyMissing`; never returns a changed
        value.
        """
        sealed = bytes(sealed)
        if len(sealed) < _LEAST_BYTES or sealed[0] != _VERSION:
            raise Tampered(table=table, column=column, row=row)
        head = sealed[:_HEADER_BYTES]
        key_id = int.from_bytes(head[1:], "big")
        ring = self._ring
        cipher = ring.ciphers.get(key_id)
        if cipher is None or (key_id in ring.audit_only and table != AUDIT_TABLE):
            raise KeyMissing(key_id=key_id, table=table, column=column, row=row)
        place = self._places.get((table, column)) or self._place(table, column)
        bound = b"%b%b%b" % (head, place, str(row).encode())
        try:
            return cipher[1](sealed[_HEADER_BYTES:_BODY_START], sealed[_BODY_START:], bound)
        except InvalidTag:
            raise Tampered(table=table, column=column, row=row) from None

    def reseal(self, sealed: bytes, *, table: str, column: str, row: int | str) -> bytes:
        """The value sealed again with the current key. Raises `Tampered` or `KeyMissing`."""
        return self.seal(
            self.open(sealed, table=table, column=column, row=row), table=table, column=column, row=row
        )

    def seal_record(self, record: Mapping[str, object], *, table: str, column: str, row: int | str) -> bytes:
        """The whole personal part of a row as one sealed value, so that a row needs only one encryption."""
        packed = orjson.dumps(record if isinstance(record, dict) else dict(record))
        return self.seal(packed, table=table, column=column, row=row)

    def open_record(self, sealed: bytes, *, table: str, column: str, row: int | str) -> dict[str, Any]:
        """The record as restored from JSON: dates are texts, tuples are lists. For an erased value it is empty."""
        packed = self.open(sealed, table=table, column=column, row=row)
        record: dict[str, Any] = orjson.loads(packed) if packed else {}
        return record

    def blind(self, value: str, *, kind: BlindKind) -> bytes:
        """The blind index of the value: the number of the key, and 16 bytes that are equal for equal values of a kind
        and reveal nothing without the index key.

        The value must already be in its one normal form (E.164, upper-case id number); a name is used as it is.
        """
        return self._ring.blinders[kind][0](value.encode())

    def blinds(self, value: str, *, kind: BlindKind) -> tuple[bytes, ...]:
        """The result of `blind`, followed by the indexes that rows may still have while the index is being made
        again.
        """
        content = value.encode()
        return tuple(blinder(content) for blinder in self._ring.blinders[kind])

    def sign(self, content: bytes, *, purpose: str) -> bytes:
        """A seal of the content: the numbers of the digest and of the key, and an HMAC that nobody can make without the
        key. A seal for one purpose does not fit another.
        """
        ring = self._ring
        return ring.seal_header + ring.mac(ring.seal_header, purpose)(content)

    def verify_seal(self, seal: bytes, content: bytes, *, purpose: str) -> bool:
        """Whether `sign` made this seal for this content, with the key and digest that were current then. Also False if
        the key ring lacks the key.
        """
        header = bytes(seal[:_HEADER_BYTES])
        try:
            mac = self._ring.mac(header, purpose)
        except KeyError:
            return False
        return hmac.compare_digest(header + mac(content), seal)

    def derived(self, purpose: bytes) -> bytes:
        """A key of 64 bytes for one purpose, derived from the fixed secret, about which it reveals nothing."""
        return hashlib.blake2b(key=self._ring.keys.fixed, person=purpose).digest()

    def order_secrets(self) -> tuple[bytes, ...]:
        """The keys that sign orders to workers: the first one signs, and signatures of all are accepted."""
        ring = self._ring
        every = (*ring.plan.index, *reversed(ring.keys.ids(KeyUse.INDEX)))
        return tuple(
            hashlib.blake2b(key=ring.keys.held[key_id].secret, person=b"broker").digest()
            for key_id in dict.fromkeys(every)
        )

    def _place(self, table: str, column: str) -> bytes:
        if not table or not column or "\0" in table + column:
            raise ValueError("a sealed value belongs to a named table and column")
        place = f"{table}\0{column}\0".encode()
        self._places[table, column] = place
        return place
