"""A key in a PKCS#11 token that wraps the secrets of the key ring; it never leaves the token. Needs the extra `pkcs11`.

Wrapping is AES in GCM mode in the token, each value bound to the number and use of its key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dialer.core.errors import Refusal
from dialer.language import Text, gettext_noop

if TYPE_CHECKING:
    from pydantic import SecretStr

_NONCE_BYTES: Final = 12
_KEY_BITS: Final = 256


class TokenRefused(Refusal):
    """The token does not do what is needed; the line says why and holds neither PIN nor key."""

    def __init__(self, problem: str | Text) -> None:
        super().__init__(Text("PKCS#11: %(problem)s", problem=Text.of(problem)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """`library`: the provider's module; `token` and `key` are labels. `pin` opens the token as its user."""

    library: Path
    token: str
    key: str
    pin: SecretStr | None = field(default=None, repr=False)

    def wrap(self, secret: bytes, *, bound: str) -> bytes:
        """Raises `TokenRefused`."""
        nonce = os.urandom(_NONCE_BYTES)
        with self._key() as (key, how):
            return nonce + bytes(key.encrypt(secret, **how(nonce, bound)))

    def unwrap(self, wrapped: bytes, *, bound: str) -> bytes:
        """What was wrapped for this key number and use. Raises `TokenRefused`."""
        with self._key() as (key, how):
            return bytes(key.decrypt(wrapped[_NONCE_BYTES:], **how(wrapped[:_NONCE_BYTES], bound)))

    def create_key(self) -> None:
        """A new AES key in the token that cannot be taken out of it. Raises `TokenRefused`."""
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
