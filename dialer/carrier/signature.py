"""X-Twilio-Signature: base64 of an HMAC over the full URL and the sorted POST parameters."""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Mapping


class Signer:
    """Signs what we send, with the account's token (SHA-1) or a shared key (SHA-256)."""

    __slots__ = ("_digest", "_key", "settings_header")

    def __init__(self, token: str, *, algorithm: str = "HMAC_SHA1", key_name: str = "") -> None:
        self._key = token.encode()
        self._digest = "sha256" if algorithm == "HMAC_SHA256" else "sha1"
        self.settings_header = f"key={key_name},algorithm={algorithm}" if algorithm == "HMAC_SHA256" else ""

    def sign(self, url: str, params: Mapping[str, str] | None = None) -> str:
        """The header's value for `url` as it is requested (no fragment) and the POST parameters, none for a
        GET.
        """
        text = url
        if params:
            text += "".join([key + params[key] for key in sorted(params)])
        digest = hmac.digest(self._key, text.encode(), self._digest)
        return b2a_base64(digest, newline=False).decode("ascii")
