"""The HTTP client of the hot path: keep-alive connections, callbacks instead of tasks, a hard time limit.

A call's life is one request in and some eight out, so what one request out costs decides what the carrier
costs (bench/carrier_throughput.py). Redirects are not followed and cookies not kept: an application of ours
needs neither.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

import httptools

from dialer.carrier.config import Address

MAX_BODY_BYTES = 8 * 1024 * 1024
_IDLE_SECONDS = 2.0
_CONNECT_SECONDS = 5.0
_MAX_OPEN = 512
_MAX_IDLE = _MAX_OPEN
"""As many: a busy second closes none that the next one opens again."""


class Reply(NamedTuple):
    """What came back. `failure` is empty when any HTTP answer came, else `ct` (no connection) or `rt` (no
    answer in time, or the connection broke before one).
    """

    status: int
    content_type: str
    body: bytes
    failure: str = ""

    @property
    def kind(self) -> str:
        """The failure in the words of Twilio's retry policy: `ct`, `rt`, `4xx`, `5xx`, empty when it is
        fine.
        """
        if self.failure:
            return self.failure
        if self.status >= 500:  # noqa: PLR2004 - HTTP's own classes
            return "5xx"
        return "4xx" if self.status >= 400 else ""  # noqa: PLR2004

    @property
    def fine(self) -> bool:
        return not self.failure and 200 <= self.status < 300  # noqa: PLR2004


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

    __slots__ = (
        "body",
        "content_type",
        "idle_since",
        "origin",
        "owner",
        "parser",
        "reply",
        "request",
        "size",
        "stays",
        "transport",
    )

    def __init__(self, owner: Outbound, origin: _Origin) -> None:
        self.owner = owner
        self.origin = origin
        self.transport: asyncio.Transport | None = None
        self.request: _Request | None = None
        self.parser: httptools.HttpResponseParser | None = None
        self.body: list[bytes] = []
        self.size = 0
        self.content_type = ""
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
            # Out of the parser's callback, which would take a fault of the receiver for one of the answer.
            self._deliver(reply)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.content_type = value.decode("latin-1")

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

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.owner.forget(self)
        request, self.request = self.request, None
        if request is not None:
            request.finish(_NO_ANSWER)

    def _fail(self) -> None:
        request, self.request = self.request, None
        self.close()
        if request is not None:
            request.finish(_NO_ANSWER)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Outbound:
    """Shares connections among all calls. At most 512 requests are on the wire per origin; the rest wait in
    order.
    """

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
        """Sends one whole request; `on_reply` is called once, from the loop, within about `total` seconds."""
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
        """One more connection is being made, unless there are enough."""
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
            # Those that waited for one of the connections not made are not left to wait.
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
        """The connection is free: the next waiting request takes it, else it idles."""
        if connection.transport is None or connection.transport.is_closing():
            return
        request = self._next_waiting(connection.origin)
        if request is not None:
            connection.send(request)
            return
        idle = self._idle.setdefault(connection.origin, deque())
        if len(idle) >= _MAX_IDLE:
            idle.popleft().close()
        connection.idle_since = self._loop.time()
        idle.append(connection)

    def forget(self, connection: _Connection) -> None:
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
        """Every connection is closed; what was under way gets no callback."""
        self._closed = True
        for waiting in self._waiting.values():
            for request in waiting:
                request.on_reply = None
                if request.timer is not None:
                    request.timer.cancel()
        for connections in list(self._open.values()):
            for connection in list(connections):
                if connection.request is not None:
                    connection.request.on_reply = None
                    if connection.request.timer is not None:
                        connection.request.timer.cancel()
                connection.close()
        for task in self._tasks:
            task.cancel()
