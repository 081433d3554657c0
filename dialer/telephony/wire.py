"""The official client's HTTP, on our terms: one pooled session, one time limit, no retries, no log of numbers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response

_CONNECTIONS: Final = 256
_KEEP_ALIVE_SECONDS: Final = 4.0
"""Below what servers allow (uvicorn closes after 5 s): a POST on a connection that is just being closed is unsure."""


class TooFast(Exception):
    """The carrier answered 429: the request was certainly not carried out. The client's own error drops the header."""

    def __init__(self, *, retry_after_seconds: float | None) -> None:
        super().__init__("429")
        self.retry_after_seconds = retry_after_seconds


class Wire(AsyncTwilioHttpClient):  # type: ignore[misc]  # the official package is untyped
    """Sends what the official client wants sent to `base_url` instead, when there is one. Made inside a running loop.

    The official request() logs the query, which holds telephone numbers, waits for ever, and cannot send a list.
    """

    def __init__(self, *, base_url: str | None, timeout_seconds: float) -> None:
        super().__init__(pool_connections=False)
        self._base = base_url.rstrip("/") if base_url else None
        self._base_path = urlsplit(self._base).path if self._base else ""
        self._authorization: dict[tuple[str, str], str] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Connecting ends well before the whole: so a timeout after sending is never taken for one before it.
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
        """One request and its whole answer. Raises aiohttp's errors, and `TooFast` for a 429."""
        sent = dict(headers or ())
        if auth is not None:
            sent["Authorization"] = self._authorize(auth)
        address = self._address(url)
        if params:
            address += ("&" if "?" in address else "?") + urlencode(params, doseq=True)
        async with self._session.request(
            method,
            address,
            data=urlencode(data, doseq=True).encode() if data else None,
            headers=sent,
            allow_redirects=allow_redirects,
        ) as response:
            body = await response.read()
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise TooFast(retry_after_seconds=_retry_after(response.headers))
            return Response(response.status, body.decode("utf-8", "replace"), response.headers)

    async def close(self) -> None:
        await self._session.close()

    def _address(self, url: str) -> str:
        if self._base is None:
            return url
        path = url[url.index("/", url.index("://") + 3) :]
        # The next page's address comes from the carrier and holds the base path already.
        if self._base_path and path.startswith(self._base_path + "/"):
            path = path[len(self._base_path) :]
        return self._base + path

    def _authorize(self, auth: tuple[str, str]) -> str:
        known = self._authorization.get(auth)
        if known is None:
            known = "Basic " + b64encode(f"{auth[0]}:{auth[1]}".encode()).decode("ascii")
            self._authorization[auth] = known
        return known


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, or a date measured against the answer's own Date, so that no clock of ours is asked."""
    given = headers.get("Retry-After", "").strip()
    if given.isascii() and given.replace(".", "", 1).isdecimal():
        return float(given)
    try:
        wait = parsedate_to_datetime(given) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
