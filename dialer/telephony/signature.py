"""Whether a webhook was signed by the carrier. Anything doubtful is refused.

Twilio signs the full public URL (never its fragment) and the sorted form fields with HMAC; SHA-256 when it says so.
"""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from dialer.core.errors import Refusal
from dialer.language import Text

SIGNATURE: Final = "X-Twilio-Signature"
SETTINGS: Final = "X-Twilio-Webhooks-Signature-Settings"
_DIGESTS: Final = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS: Final = {"http": 80, "https": 443}


class BadSignature(Refusal):
    """The request was not signed with one of our tokens; `reason` is for the log and holds nothing of the request."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(Text("webhook refused: %(reason)s", reason=Text(reason)))
        self.reason = reason


def verify(
    *,
    url: str,
    params: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    tokens: Sequence[str],
) -> None:
    """Returns when one of the tokens signed this; raises `BadSignature` otherwise.

    `url` is what the carrier was told, from the public URL of the settings, with the query as it arrived; `params`
    are the form fields in any order, repeated ones kept. Proxies add and drop ports, so both forms are accepted.
    """
    given = _header(headers, SIGNATURE)
    if not given:
        raise BadSignature(reason="it has no signature")
    keys = [token.encode() for token in tokens if token]
    if not keys:
        raise BadSignature(reason="no token is configured")
    algorithm = _algorithm(_header(headers, SETTINGS))
    digest = _DIGESTS.get(algorithm.upper())
    if digest is None:
        raise BadSignature(reason="its algorithm is not known")
    expected = given.encode()
    url = url.partition("#")[0]
    fields = "".join([name + value for name, value in sorted(set(params))])
    for key in keys:
        if _is(expected, key, url + fields, digest):
            return
    # The common case is over; now the URL as it looks behind proxies.
    for form in _with_and_without_port(url):
        for key in keys:
            if _is(expected, key, form + fields, digest):
                return
    raise BadSignature(reason="the signature is not ours")


def _is(expected: bytes, key: bytes, text: str, digest: str) -> bool:
    # Not hmac.digest: it lets go of the interpreter for every few bytes, and waits to have it back.
    made = _keyed(key, digest).copy()
    made.update(text.encode("utf-8", "surrogatepass"))
    return hmac.compare_digest(b2a_base64(made.digest(), newline=False), expected)


@lru_cache(maxsize=8)
def _keyed(key: bytes, digest: str) -> hmac.HMAC:
    return hmac.new(key, digestmod=digest)


def _header(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name) or headers.get(name.lower()) or ""


def _algorithm(settings: str) -> str:
    """The one named in `key=..,algorithm=..`; SHA-1 when none is named, as with an account's own token."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip()
    return "HMAC_SHA1"


def _with_and_without_port(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return []
    if port is not None:
        return [urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(f":{port}")))]
    default = _PORTS.get(parts.scheme)
    return [urlunsplit(parts._replace(netloc=f"{parts.netloc}:{default}"))] if default else []
