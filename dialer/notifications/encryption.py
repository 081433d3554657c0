"""Messages of Web Push: encrypted for one browser (RFC 8291), with a proof of the sender (VAPID, RFC 8292). Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_CURVE: Final = ec.SECP256R1()
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many points the curve has."""
_RECORD_BYTES: Final = 4096
MOST_BYTES: Final = 3993
"""The longest content that every push service takes (RFC 8291, section 4)."""
_PROOF_LASTS: Final = timedelta(hours=12)
"""RFC 8292 allows 24 hours."""
SECRET_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Where messages to one browser go, and the keys that it reads them by."""

    endpoint: str = field(repr=False)
    """Its address at the push service: whoever has it may send."""
    public: bytes
    """A point of the curve P-256, uncompressed: 65 bytes."""
    secret: bytes = field(repr=False)
    """16 bytes."""


def encoded(content: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """What was encoded. Raises `ValueError`."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as fault:
        raise ValueError(str(fault)) from None


def is_point(public: bytes) -> bool:
    """Whether these bytes are a point of the curve, uncompressed."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public)
    except ValueError:
        return False
    return len(public) == 65  # noqa: PLR2004 - 04, and two numbers of 32 bytes


def sender_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key by which push services know this installation: always the same of the same secret of 64 bytes."""
    return ec.derive_private_key(int.from_bytes(secret) % (_ORDER - 1) + 1, _CURVE)


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Its public part: 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(content: bytes, browser: Browser, *, once: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body of a message that only this browser reads. `once`: a key for this message alone; `salt`: 16 random
    bytes. Raises `ValueError` where the content is too long.
    """
    if len(content) > MOST_BYTES:
        raise ValueError("too long for a push service")
    own = public_point(once)
    shared = once.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, browser.public))
    info = b"WebPush: info\x00" + browser.public + own
    key_material = HKDF(algorithm=SHA256(), length=32, salt=browser.secret, info=info).derive(shared)

    def part(length: int, name: bytes) -> bytes:
        whole = b"Content-Encoding: " + name + b"\x00"
        return HKDF(algorithm=SHA256(), length=length, salt=salt, info=whole).derive(key_material)

    # One record, the last one: its content ends with 2.
    sealed = AESGCM(part(16, b"aes128gcm")).encrypt(part(12, b"nonce"), content + b"\x02", None)
    return salt + _RECORD_BYTES.to_bytes(4) + bytes([len(own)]) + own + sealed


def proof(key: ec.EllipticCurvePrivateKey, endpoint: str, *, contact: str, real_now: datetime) -> str:
    """The header `Authorization` of a message to this address: who sends it, signed for the address's host. `contact`:
    a mailto: or https: address, or ''.
    """
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((real_now + _PROOF_LASTS).timestamp()),
    } | ({"sub": contact} if contact else {})
    signed = f"{encoded(orjson.dumps({'typ': 'JWT', 'alg': 'ES256'}))}.{encoded(orjson.dumps(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    signature = encoded(r.to_bytes(32) + s.to_bytes(32))
    return f"vapid t={signed}.{signature}, k={encoded(public_point(key))}"
