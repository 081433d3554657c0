"""The HTTP client for requests to the application: keep-alive connections, callbacks instead of tasks, a time limit.

A call costs one request in and about eight out, so the cost of a request out decides the cost of the carrier
(bench/carrier_throughput.py). Redirects are not followed and cookies are not kept. Addresses may carry Twilio's
connection overrides in their fragment.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

_MAX_RETRIES = 5
_MIN_MILLISECONDS = 100
_MAX_MILLISECONDS = 15_000
_MAX_CONNECT_MILLISECONDS = 10_000
_ABSOLUTE = re.compile(r"(.*?://[^/?]*)(.*)", re.DOTALL)


class BadAddress(ValueError):
    """A URL that cannot be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Twilio's connection overrides of a URL's fragment. By default one retry, when no connection could be made."""

    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 15.0

    def wants_retry(self, failure: str) -> bool:
        """Whether a request that failed in this way (`ct`, `rt`, `4xx`, `5xx`) is sent again."""
        return failure in self.retry_on or ("all" in self.retry_on and bool(failure))


@lru_cache(maxsize=256)
def parse_overrides(fragment: str) -> Overrides:
    """Reads `rc=3&rp=ct,rt,5xx`. Unknown values and values out of bounds leave the default, as at Twilio."""
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
    try:
        parts = urlsplit(origin)
    except ValueError as error:
        raise BadAddress("its host is not valid") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise BadAddress("not an http or https URL")
    tls = parts.scheme == "https"
    try:
        port = parts.port or (443 if tls else 80)
    except ValueError as error:
        raise BadAddress("its port is not a number") from error
    return parts.hostname, port, tls, parts.netloc


@lru_cache(maxsize=4096)
def parse_address(url: str) -> Address:
    """Splits an absolute URL. Raises `BadAddress` for one that is not http(s), has no host or contains blanks. Cached,
    because a call has few addresses and requests each several times.
    """
    url, _, fragment = url.partition("#")
    parts = _ABSOLUTE.fullmatch(url)
    if parts is None or not url.isascii() or not url.isprintable() or " " in url:
        raise BadAddress("not an absolute URL")
    host, port, tls, authority = _origin(parts[1])
    target = parts[2] if parts[2].startswith("/") else "/" + parts[2]
    return Address(url, host, port, tls, authority, target, parse_overrides(fragment))


_SUCCESSES, _REDIRECTS, _CLIENT_ERRORS, _SERVER_ERRORS = 200, 300, 400, 500
"""Where the classes of HTTP status begin."""
MAX_BODY_BYTES = 8 * 1024 * 1024
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_IDLE_SECONDS = 2.0
_CONNECT_SECONDS = 5.0
_MAX_OPEN = 512


class Reply(NamedTuple):
    """`failure` is empty after any HTTP answer, else `ct` (no connection) or `rt` (no answer in time)."""

    status: int
    content_type: str
    body: bytes
    failure: str = ""

    @property
    def kind(self) -> str:
        """The failure in the terms of Twilio's retry policy: `ct`, `rt`, `4xx`, `5xx`; empty for success."""
        if self.failure:
            return self.failure
        if self.status >= _SERVER_ERRORS:
            return "5xx"
        return "4xx" if self.status >= _CLIENT_ERRORS else ""

    @property
    def is_success(self) -> bool:
        """Whether the answer was a 2xx."""
        return not self.failure and _SUCCESSES <= self.status < _REDIRECTS


OnReply = Callable[[Reply], None]
_NO_CONNECTION = Reply(0, "", b"", "ct")
_NO_ANSWER = Reply(0, "", b"", "rt")


class _Request:
    __slots__ = ("address", "data", "on_reply", "pending", "timer")

    def __init__(self, address: Address, data: bytes, on_reply: OnReply) -> None:
        self.address = address
        self.data = data
        self.on_reply: OnReply | None = on_reply
        self.timer: asyncio.TimerHandle | None = None
        self.pending: _Connection | None = None

    def finish(self, reply: Reply) -> None:
        if self.timer is not None:
            self.timer.cancel()
        on_reply, self.on_reply, self.pending = self.on_reply, None, None
        if on_reply is not None:
            on_reply(reply)


_Origin = tuple[str, int, bool]


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, owner: Outbound, origin: _Origin) -> None:
        self.owner = owner
        self.origin = origin
        self.transport: asyncio.Transport | None = None
        self.request: _Request | None = None
        self.parser: httptools.HttpResponseParser | None = None
        self.body: list[bytes] = []
        self.size = 0
        self.content_type = ""
        self.has_length = False
        self.is_open_ended = False
        """The answer has no length and is over with the connection, as HTTP/1.0 servers send it."""
        self.idle_since = 0.0
        self.reply: Reply | None = None
        self.stays = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but are no asyncio.Transport.
        self.transport = cast("asyncio.Transport", transport)

    def send(self, request: _Request) -> None:
        assert self.transport is not None
        self.request = request
        request.pending = self
        self.body = []
        self.size = 0
        self.content_type = ""
        self.has_length = self.is_open_ended = False
        if self.parser is None:
            self.parser = httptools.HttpResponseParser(self)
        self.transport.write(request.data)

    def data_received(self, data: bytes) -> None:
        if self.request is None or self.parser is None:
            self.close()
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail()
            return
        reply, self.reply = self.reply, None
        if reply is not None:
            # Not within the parser's callback, where an error of the receiver would count as a parser error.
            self._deliver(reply)

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"content-type":
            self.content_type = value.decode("latin-1")
        elif name in _LENGTHS:
            self.has_length = True

    def on_headers_complete(self) -> None:
        self.is_open_ended = not self.has_length

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        if self.size > MAX_BODY_BYTES:
            self._fail()
        else:
            self.body.append(body)

    def on_message_complete(self) -> None:
        if self.parser is not None and self.reply is None:
            self.reply = Reply(self.parser.get_status_code(), self.content_type, b"".join(self.body))
            self.stays = self.parser.should_keep_alive()

    def _deliver(self, reply: Reply) -> None:
        request, self.request = self.request, None
        if self.stays:
            self.owner.park(self)
        else:
            self.close()
        if request is not None:
            request.finish(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.owner.forget(self)
        if exc is None and self.is_open_ended and self.parser is not None:
            self.stays = False
            self._deliver(Reply(self.parser.get_status_code(), self.content_type, b"".join(self.body)))
        else:
            self._fail()

    def _fail(self) -> None:
        self.stays = False
        self._deliver(_NO_ANSWER)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Outbound:
    """Shares connections among all calls. At most 512 requests are under way per origin; the rest wait in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._idle: dict[_Origin, deque[_Connection]] = {}
        self._open: dict[_Origin, set[_Connection]] = {}
        self._waiting: dict[_Origin, deque[_Request]] = {}
        self._opening: dict[_Origin, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._tls: ssl.SSLContext | None = None
        self._closed = False

    def send(self, address: Address, data: bytes, *, connect: float, total: float, on_reply: OnReply) -> None:
        """Sends one whole request. `on_reply` is called once, from the loop, within about `total` seconds."""
        request = _Request(address, data, on_reply)
        request.timer = self._loop.call_later(total, self._expire, request)
        origin = (address.host, address.port, address.tls)
        idle = self._idle.get(origin)
        oldest = self._loop.time() - _IDLE_SECONDS
        while idle:
            connection = idle.pop()
            if (
                connection.idle_since > oldest
                and connection.transport
                and not connection.transport.is_closing()
            ):
                connection.send(request)
                return
            connection.close()
        self._waiting.setdefault(origin, deque()).append(request)
        self._open_one(origin, connect)

    def _open_one(self, origin: _Origin, limit: float) -> None:
        """Starts one more connection unless `_MAX_OPEN` are open or starting."""
        opening = self._opening.get(origin, 0)
        if self._closed or len(self._open.get(origin, ())) + opening >= _MAX_OPEN:
            return
        self._opening[origin] = opening + 1
        task = self._loop.create_task(self._connect(origin, limit))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, origin: _Origin, limit: float) -> None:
        host, port, tls = origin
        if tls and self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            async with asyncio.timeout(limit):
                _, connection = await self._loop.create_connection(
                    lambda: _Connection(self, origin), host, port, ssl=self._tls if tls else None
                )
        except (OSError, TimeoutError):
            self._opening[origin] -= 1
            request = self._next_waiting(origin)
            if request is not None:
                request.finish(_NO_CONNECTION)
            # Requests that waited for one of the connections not made must not wait for ever.
            if self._waiting.get(origin) and not self._opening[origin]:
                self._open_one(origin, limit)
            return
        self._opening[origin] -= 1
        self._open.setdefault(origin, set()).add(connection)
        request = self._next_waiting(origin)
        if request is not None:
            connection.send(request)
        else:
            self.park(connection)

    def _next_waiting(self, origin: _Origin) -> _Request | None:
        waiting = self._waiting.get(origin)
        while waiting:
            request = waiting.popleft()
            if request.on_reply is not None:
                return request
        return None

    def park(self, connection: _Connection) -> None:
        """The connection carries the next waiting request, else it is idle."""
        if connection.transport is None or connection.transport.is_closing():
            return
        request = self._next_waiting(connection.origin)
        if request is not None:
            connection.send(request)
            return
        idle = self._idle.setdefault(connection.origin, deque())
        connection.idle_since = self._loop.time()
        idle.append(connection)

    def forget(self, connection: _Connection) -> None:
        """The connection is closed; a new one is started where requests wait."""
        self._open.get(connection.origin, set()).discard(connection)
        idle = self._idle.get(connection.origin)
        if idle and connection in idle:
            idle.remove(connection)
        if self._waiting.get(connection.origin) and not self._opening.get(connection.origin):
            self._open_one(connection.origin, _CONNECT_SECONDS)

    def _expire(self, request: _Request) -> None:
        connection = request.pending
        request.finish(_NO_ANSWER)
        if connection is not None:
            connection.request = None
            connection.close()

    def close(self) -> None:
        """Closes every connection; requests under way get no reply."""
        self._closed = True
        connections = [connection for each in self._open.values() for connection in each]
        sent = [connection.request for connection in connections if connection.request is not None]
        for request in [*sent, *(request for waiting in self._waiting.values() for request in waiting)]:
            request.on_reply = None
            if request.timer is not None:
                request.timer.cancel()
        for connection in connections:
            connection.close()
        for task in self._tasks:
            task.cancel()
