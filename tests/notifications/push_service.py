"""A push service of our own on the loopback, with the browser behind it: it verifies who sends, and reads as a browser
does (RFC 8291, section 4; RFC 8292, section 2).
"""

from __future__ import annotations

import asyncio
import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def armoured(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class TestBrowser:
    """A browser that has subscribed."""

    __test__ = False
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def form(self) -> dict[str, str]:
        return {"public": armoured(point(self.key.public_key())), "secret": armoured(self.secret)}

    def read(self, body: bytes) -> Any:  # noqa: ANN401 - any JSON
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        shared = self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        )
        own = point(self.key.public_key())
        material = _derived(self.secret, shared, b"WebPush: info\x00" + own + sender, 32)
        key = _derived(salt, material, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _derived(salt, material, b"Content-Encoding: nonce\x00", 12)
        opened = AESGCM(key).decrypt(nonce, sealed, None)
        assert opened.endswith(b"\x02")
        return orjson.loads(opened[:-1])


def _derived(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(material)


def claims_of(authorization: str) -> tuple[dict[str, Any], str]:
    """The verified claims of a request, and the sender's key. Fails where the signature is of another key."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, claims, signature = parts["t"].split(".")
    assert orjson.loads(plain(head)) == {"typ": "JWT", "alg": "ES256"}
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), plain(parts["k"]))
    raw = plain(signature)
    assert len(raw) == 64
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    return orjson.loads(plain(claims)), parts["k"]


class PushService:
    """Answers every message at `/push/NAME` with `status`, and keeps what it was sent."""

    def __init__(self, *, status: int = 201, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        self.had: list[tuple[str, dict[str, str], bytes]] = []
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        assert self._runner is not None
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/push/{name}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.had.append((request.match_info["name"], dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.headers)


@contextmanager
def pushing_service() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """The service in a thread of its own: its address, and what it was sent."""
    loop, service = asyncio.new_event_loop(), PushService()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(service.__aenter__(), loop).result(10)
    try:
        yield service.address, service.had
    finally:
        asyncio.run_coroutine_threadsafe(service.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
