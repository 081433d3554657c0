"""Limits of every connection to the web process: how many, how large a request's head is, how long its parts take.

Of these limits uvicorn has only the one for an idle connection. A connection whose request has not fully arrived, and
one that is idle, makes room for a new one, the oldest first; so clients that send nothing more keep nobody out.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

_LOG_SECONDS = 10.0
_OTHER_FILES = 256
"""Open files of a web process besides its connections: the database's, the broker's, files."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """The limits of one web process."""

    connections: int = 4000
    per_address: int = 1000
    """Does not apply to the addresses in `shared`."""
    shared: Sequence[IPv4Network | IPv6Network] = ()
    """Addresses that many clients share: our own proxies."""
    head_bytes: int = 64 * 1024
    """The limit of the request line and all headers, and of what follows a body."""
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    """Within this time a body is complete or brings `body_bytes` more, and a client takes some of its answer. Time in
    which the server does not read is not counted.
    """
    body_bytes: int = 256 * 1024


def room_for(connections: int) -> int:
    """How many connections this process can serve: `connections`, or fewer if it may open fewer files. Raises the limit
    of the process if it may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    allowed = connections if soft == resource.RLIM_INFINITY else min(connections, soft - _OTHER_FILES)
    if allowed < connections:
        _log.warning("room for %d connections only: raise the limit of open files", max(allowed, 1))
    return max(allowed, 1)


class _Waits(StrEnum):
    """What the server waits for on a connection."""

    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    """For our own answer: the request has fully arrived."""
    IDLE = "idle"
    """For another request; uvicorn ends this wait."""


class Connections:
    """All connections of a server that uses `protocol`."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: Counter[str] = Counter()
        self._waiting: dict[_LimitedProtocol, None] = {}
        """Those that may be closed to make room, the oldest first."""
        self._closed: Counter[str] = Counter()
        self._logged_at = float("-inf")

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        """The class for `uvicorn.Config(http=...)`."""
        return _LimitedProtocol(self, config, server_state, app_state, _loop)

    def admit(self, connection: _LimitedProtocol) -> bool:
        """Counts the connection. False: there is no room, and no connection that waits could make some."""
        address = connection.address
        self._open[address] += 1
        if not self._is_shared(address) and self._open[address] > self.limits.per_address:
            return self._make_room(address)
        if self._open.total() > self.limits.connections:
            return self._make_room(None)
        return True

    def _make_room(self, address: str | None) -> bool:
        for waiting in self._waiting:
            if address is None or waiting.address == address:
                waiting.end("too many connections")
                return True
        return False

    def leave(self, connection: _LimitedProtocol) -> None:
        """Counts the connection no longer: it is closed."""
        self._waiting.pop(connection, None)
        self._open[connection.address] -= 1
        if self._open[connection.address] <= 0:
            del self._open[connection.address]

    def wait(self, connection: _LimitedProtocol) -> None:
        """The request of the connection has not begun, or not fully arrived."""
        self._waiting[connection] = None

    def go_on(self, connection: _LimitedProtocol) -> None:
        """The request of the connection has fully arrived."""
        self._waiting.pop(connection, None)

    def count_closed(self, why: str, *, now: float) -> None:
        """Counts a closed connection by its reason; logs the counts not more often than every ten seconds."""
        self._closed[why] += 1
        if now - self._logged_at >= _LOG_SECONDS:
            self._logged_at = now
            counts = ", ".join(f"{number} {reason}" for reason, number in sorted(self._closed.items()))
            _log.warning("connections closed: %s", counts)
            self._closed.clear()

    def _is_shared(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return True  # a socket of this machine
        return any(parsed in network for network in self.limits.shared)


class _TooLarge(Exception):
    """The head of a request is larger than the limit."""


class _LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with one timer for each connection, which checks what the server waits for on it."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.address = ""
        self._all = connections
        self._limits = connections.limits
        self._shortest_seconds = min(self._limits.head_seconds, self._limits.body_seconds)
        self._waits = _Waits.HEAD
        self._since = 0.0
        """When this wait, or this part of it, began."""
        self._read = 0
        """Bytes of the body since then."""
        self._paused = False
        """The server has not read for some time since then."""
        self._beside = 0
        """Bytes since the last part of a body: of a head, or of what follows a body."""
        self._unsent = 0
        self._unsent_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._refusal = b"400 Bad Request"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._begin(_Waits.HEAD)
        if not self._all.admit(self):
            self._refuse(b"503 Service Unavailable", "refused, too many connections")
            return
        self._all.wait(self)
        self._timer = self.loop.call_later(self._shortest_seconds, self._check_wait)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._waits is _Waits.IDLE:
            self._begin(_Waits.HEAD)
        self._beside += len(data)
        super().data_received(data)
        if self._beside > self._limits.head_bytes and not self.transport.is_closing():
            self._refuse(b"431 Request Header Fields Too Large", "with too large a head")

    def on_headers_complete(self) -> None:
        length = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if length > self._limits.head_bytes:
            self._refusal = b"431 Request Header Fields Too Large"
            raise _TooLarge
        self._beside = 0
        self._begin(_Waits.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._beside = 0
        self._read += len(body)
        super().on_body(body)
        self._paused = self._paused or self.flow.read_paused

    def on_message_complete(self) -> None:
        self._beside = 0
        self._all.go_on(self)
        super().on_message_complete()
        if self.cycle.response_complete:
            self._wait_idle()
        else:
            self._begin(_Waits.ANSWER)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._waits is _Waits.ANSWER:
            if self.cycle.response_complete:  # of the last request that has arrived
                self._wait_idle()
        else:
            # The answer was sent before the whole request had arrived: the rest of it gets the same time once more.
            self._begin(self._waits)

    def send_400_response(self, msg: str) -> None:
        """Answers 400, also to a head that is too large."""
        self._refuse(self._refusal, msg)

    def end(self, why: str) -> None:
        """Closes the connection at once, whatever was not sent yet."""
        self._all.go_on(self)
        self._all.count_closed(why, now=self.loop.time())
        self.transport.abort()

    def _wait_idle(self) -> None:
        self._begin(_Waits.IDLE)
        self._all.wait(self)

    def _begin(self, waits: _Waits) -> None:
        self._waits = waits
        self._since = self.loop.time()
        self._read, self._paused = 0, False

    def _refuse(self, status: bytes, why: str) -> None:
        self._all.go_on(self)
        self._all.count_closed(why, now=self.loop.time())
        self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
        # A client that reads nothing does not keep it open.
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(self._limits.head_seconds, self.transport.abort)

    def _check_wait(self) -> None:
        """Closes the connection if the present wait has taken too long, else sets the timer for the next check."""
        now, limits = self.loop.time(), self._limits
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent >= self._unsent > 0:
            if now - self._unsent_since >= limits.body_seconds:
                self.end("with an answer not taken")
                return
        else:
            self._unsent, self._unsent_since = unsent, now
        due = self._since + (limits.head_seconds if self._waits is _Waits.HEAD else limits.body_seconds)
        if now >= due:
            if self._waits is _Waits.HEAD:
                self.end("with a slow head")
                return
            if self._waits is _Waits.BODY:
                if self.cycle.response_complete or not (self._paused or self._read >= limits.body_bytes):
                    self.end("with a slow body")
                    return
                self._begin(_Waits.BODY)
            due = now + limits.body_seconds
        # Another wait may have begun by then.
        wait = min(due - now, self._shortest_seconds)
        self._timer = self.loop.call_later(max(wait, 0.001), self._check_wait)
