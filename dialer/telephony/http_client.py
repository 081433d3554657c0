"""The official client's requests over one pooled session: one time limit, no retries, no log of numbers. A request that
certainly did not leave is told apart from one of which nobody knows.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 3
_DOWNLOAD_TIMEOUT: Final = aiohttp.ClientTimeout(total=120.0, connect=10.0)
LOST: Final = (aiohttp.ClientError, TimeoutError, OSError)
"""What a request raises whose answer is lost."""
_CONNECTIONS: Final = 256
_KEEP_ALIVE_SECONDS: Final = 4.0
"""Below what servers allow (uvicorn closes after 5 s): the result of a POST on a closing connection is unknown."""


class RateLimited(Exception):
    """The carrier answered 429: the request was certainly not carried out. The official client's own error drops the
    header.
    """

    def __init__(self, *, retry_after_seconds: float | None) -> None:
        super().__init__("429")
        self.retry_after_seconds = retry_after_seconds


class _DeadlinePassed(Exception):
    """The request was about to be written, and must not be sent any more."""


class NotSent(aiohttp.ClientConnectionError):
    """The connection failed before a byte of the request was written: the carrier has certainly not seen it."""


may_send: Final[ContextVar[Callable[[], bool] | None]] = ContextVar("may_send", default=None)
"""Called immediately before the bytes of a request are written."""

_quote_part = lru_cache(maxsize=256)(quote_plus)


def _quoted(value: str, safe: str, encoding: str | None, errors: str | None) -> str:
    """As `quote_plus`. An order for a call has some thirty fields, nearly all the same for every call, and the
    addresses among them differ in one part of their path.
    """
    if "/" not in value:
        return _quote_part(value, safe, encoding, errors)
    return "%2F".join([_quote_part(part, safe, encoding, errors) for part in value.split("/")])


class _Body(BytesPayload):
    """The body of a request, which is looked at once more immediately before its bytes are written; the headers leave
    together with it.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.may_send = may_send.get()
        self.is_begun = False
        """Its bytes may have left."""
        self.is_over = False
        """The request has failed, and none may leave any more."""

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if self.is_over:
            raise _DeadlinePassed
        self.is_begun = True
        if self.may_send is not None and not self.may_send():
            raise _DeadlinePassed
        await super().write_with_length(writer, content_length)


class CarrierHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # the official package is untyped
    """The HTTP client below the official client: sends its requests to `base_url` instead, when there is one. Create it
    inside a running loop.

    The official `request()` logs the query, which contains telephone numbers, has no time limit, and cannot send a
    list.
    """

    def __init__(self, *, base_url: str | None, timeout_seconds: float) -> None:
        super().__init__(pool_connections=False)
        self._base = base_url.rstrip("/") if base_url else None
        self._base_path = urlsplit(self._base).path if self._base else ""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            # The limit for connecting ends well before the whole: so a timeout after sending is never taken for one
            # before it.
            timeout=aiohttp.ClientTimeout(total=timeout_seconds, connect=timeout_seconds / 2),
        )

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # the official signature; ours is the session's
        allow_redirects: bool = False,
    ) -> Response:
        """One request and its whole answer. Raises aiohttp's errors, `NotSent` in their place where a request with a
        body certainly did not leave, and `RateLimited` for a 429.
        """
        sent = dict(headers or ())
        if auth is not None:
            sent["Authorization"] = f"Basic {b64encode(':'.join(auth).encode()).decode()}"
        address = self._address(url)
        if params:
            address += ("&" if "?" in address else "?") + urlencode(params, doseq=True)
        form = urlencode(data, doseq=True, quote_via=_quoted) if data else ""  # type: ignore[arg-type]  # no value is bytes
        body = _Body(form.encode()) if data else None
        try:
            return await self._exchange(method, address, body, sent, allow_redirects=allow_redirects)
        except LOST as error:
            if body is None:
                raise
            body.is_over = True
            if body.is_begun and not _was_closed_before(error):
                raise
            raise NotSent(type(error).__name__) from error

    async def _exchange(
        self, method: str, address: str, body: _Body | None, headers: dict[str, str], *, allow_redirects: bool
    ) -> Response:
        async with self._session.request(
            method, address, data=body, headers=headers, allow_redirects=allow_redirects
        ) as response:
            content = await response.read()
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise RateLimited(retry_after_seconds=_retry_after(response.headers))
            return Response(response.status, content.decode("utf-8", "replace"), response.headers)

    async def download(self, url: str, *, auth: tuple[str, str], most_bytes: int) -> tuple[int, bytes]:
        """Status and body of a file, which may be where a redirect over https leads, as Twilio's media are. Raises
        aiohttp's errors, `RateLimited` for a 429, and `ValueError` for a file of more than `most_bytes`.
        """
        given = {"Authorization": f"Basic {b64encode(':'.join(auth).encode()).decode()}"}
        address, headers = self._address(url), given
        for _ in range(_MOST_REDIRECTS):
            async with self._session.get(
                address, headers=headers, allow_redirects=False, timeout=_DOWNLOAD_TIMEOUT
            ) as response:
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    raise RateLimited(retry_after_seconds=_retry_after(response.headers))
                if response.status in _REDIRECTS:
                    address, headers = response.headers.get("Location", ""), {}
                    if not address.startswith("https://"):
                        raise ValueError("a redirect that is not https")
                    continue
                body = bytearray()
                async for piece in response.content.iter_chunked(1 << 16):
                    body += piece
                    if len(body) > most_bytes:
                        raise ValueError("a file that is too large")
                return response.status, bytes(body)
        raise ValueError("too many redirects")

    async def close(self) -> None:
        """Closes the HTTP session."""
        await self._session.close()

    def _address(self, url: str) -> str:
        if self._base is None:
            return url
        path = url[url.index("/", url.index("://") + 3) :]
        # The next page's address comes from the carrier and holds the base path already.
        if self._base_path and path.startswith(self._base_path + "/"):
            path = path[len(self._base_path) :]
        return self._base + path


def _was_closed_before(error: BaseException) -> bool:
    """Headers and body are written at once; aiohttp raises this instead when the connection is closed already."""
    return isinstance(error.__cause__, aiohttp.ClientConnectionResetError)


_LONGEST_WAIT_SECONDS: Final = 3600.0
"""The longest wait that is accepted from a carrier, so that a wrong number does not stop calls for ever."""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait in seconds; a date counts from the answer's own Date, so that our clock does not matter. None where the
    header is missing or cannot be read.
    """
    given = headers.get("Retry-After", "").strip()
    if given.isascii() and given.replace(".", "", 1).isdecimal():
        return min(float(given), _LONGEST_WAIT_SECONDS)
    try:
        wait = parsedate_to_datetime(given) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(0.0, wait.total_seconds()), _LONGEST_WAIT_SECONDS)
