"""Where a webhook goes: the URL cut into what is connected to, requested and signed, and its connection
overrides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

_MAX_RETRIES = 5
_MIN_MILLISECONDS = 100
_MAX_MILLISECONDS = 15_000
_MAX_CONNECT_MILLISECONDS = 10_000


class BadAddress(ValueError):
    """A URL that cannot be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Twilio's connection overrides, which ride in the URL's fragment. Defaults are Twilio's: one retry, only
    when the connection could not be made.
    """

    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 15.0

    def wants_retry(self, failure: str) -> bool:
        """Whether a failure of this kind (`ct`, `rt`, `4xx`, `5xx`) is tried again."""
        return failure in self.retry_on or ("all" in self.retry_on and bool(failure))


@lru_cache(maxsize=256)
def parse_overrides(fragment: str) -> Overrides:
    """Reads `rc=3&rp=ct,rt,5xx`; what is unknown or out of bounds is left at its default, as Twilio does."""
    values = dict(part.split("=", 1) for part in fragment.split("&") if "=" in part)
    default = Overrides()
    policy = frozenset(values.get("rp", "").split(",")) & {"4xx", "5xx", "ct", "rt", "all"}
    return Overrides(
        retries=_bounded(values.get("rc"), default.retries, 0, _MAX_RETRIES),
        retry_on=policy or default.retry_on,
        connect_seconds=_seconds(values.get("ct"), default.connect_seconds, _MAX_CONNECT_MILLISECONDS),
        read_seconds=_seconds(values.get("rt"), default.read_seconds, _MAX_MILLISECONDS),
        total_seconds=_seconds(values.get("tt"), default.total_seconds, _MAX_MILLISECONDS),
    )


def _bounded(text: str | None, default: int, least: int, most: int) -> int:
    if text is None or not text.isdigit():
        return default
    value = int(text)
    return value if least <= value <= most else default


def _seconds(text: str | None, default: float, most: int) -> float:
    milliseconds = _bounded(text, -1, _MIN_MILLISECONDS, most)
    return default if milliseconds < 0 else milliseconds / 1000


class Address(NamedTuple):
    """`url` is what is requested and signed: everything but the fragment."""

    url: str
    host: str
    port: int
    tls: bool
    authority: str
    target: str
    overrides: Overrides


@lru_cache(maxsize=512)
def _origin(origin: str) -> tuple[str, int, bool, str]:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise BadAddress("not an http or https URL")
    tls = parts.scheme == "https"
    try:
        port = parts.port or (443 if tls else 80)
    except ValueError as error:
        raise BadAddress("its port is no number") from error
    return parts.hostname, port, tls, parts.netloc


def parse_address(url: str) -> Address:
    """Cuts an absolute URL; one that is not http(s), has no host or holds blanks raises `BadAddress`."""
    url, _, fragment = url.partition("#")
    scheme_end = url.find("://")
    if scheme_end < 0 or not url.isascii() or not url.isprintable() or " " in url:
        raise BadAddress("not an absolute URL")
    cut = len(url)
    for mark in "/?":
        at = url.find(mark, scheme_end + 3)
        if 0 <= at < cut:
            cut = at
    host, port, tls, authority = _origin(url[:cut])
    target = url[cut:]
    if not target.startswith("/"):
        target = "/" + target
    return Address(url, host, port, tls, authority, target, parse_overrides(fragment))
