"""Timers on a clock that only moves when told, so that a test sees every second of a call and waits for
none.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from carrier.config import ServiceClock, Timers
from carrier.outbound import Address, OnReply, Reply


class Handle:
    """A timer that can be cancelled."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.gone = False

    def cancel(self) -> None:
        self.gone = True

    def cancelled(self) -> bool:
        return self.gone


class FakeTimers(Timers):
    """Service seconds are counted from 0; `run` moves on."""

    def __init__(self) -> None:
        super().__init__(asyncio.new_event_loop(), ServiceClock())
        self._loop.close()
        self.now = 0.0
        self.set_by = 0.0
        """By how many seconds the real clock was set."""
        self._heap: list[tuple[float, int, Handle]] = []
        self._made = 0

    def later(self, service_seconds: float, call: Callable[[], None]) -> Any:  # noqa: ANN401 - a stand-in's handle
        handle = Handle(self.now + service_seconds, call)
        self._made += 1
        heapq.heappush(self._heap, (handle.at, self._made, handle))
        return handle

    def really_later(self, seconds: float, call: Callable[[], None]) -> Any:  # noqa: ANN401 - as above
        return self.later(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        self.later(0.0, call)

    def run(self, seconds: float = 1e9) -> None:
        """Everything due within `seconds` happens, in order."""
        until = self.now + seconds
        while self._heap and self._heap[0][0] <= until:
            self.now, _, handle = heapq.heappop(self._heap)
            if not handle.gone:
                handle.call()
        self.now = until if seconds < 1e9 else self.now

    def unix(self) -> float:  # type: ignore[override]
        """The real clock of the test: 1,000,000 at its start, as fast as the service clock."""
        return 1_000_000.0 + self.now + self.set_by

    def monotonic(self) -> float:  # type: ignore[override]
        return self.now

    def service_now(self) -> datetime:
        return datetime.fromtimestamp(self.unix(), UTC)

    @property
    def pending(self) -> int:
        return sum(1 for _, _, handle in self._heap if not handle.gone)


class FakeOutbound:
    """Takes whole requests instead of a network; answers from a list, else 200 and nothing."""

    def __init__(self, timers: FakeTimers) -> None:
        self.timers = timers
        self.sent: list[Sent] = []
        self.answers: list[Reply] = []
        self.documents: dict[str, str | bytes] = {}

    def send(self, address: Address, data: bytes, *, connect: float, total: float, on_reply: OnReply) -> None:
        head, _, body = data.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        one = Sent(
            at=self.timers.now,
            url=address.url,
            method=method,
            target=target,
            headers=headers,
            params=dict(parse_qsl(body, keep_blank_values=True)),
            limits=(connect, total),
        )
        self.sent.append(one)
        if self.answers:
            reply = self.answers.pop(0)
        else:
            found = self.documents.get(urlsplit(address.url).path, "")
            reply = Reply(200, "text/xml", found if isinstance(found, bytes) else found.encode())
        self.timers.soon(lambda: on_reply(reply))

    def to(self, path: str) -> list[Sent]:
        return [one for one in self.sent if urlsplit(one.url).path == path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request as it would have gone over the wire."""

    at: float
    url: str
    method: str
    target: str
    headers: dict[str, str]
    params: dict[str, str]
    limits: tuple[float, float]
