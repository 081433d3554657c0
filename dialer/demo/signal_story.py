"""The demo's own stream of signals: the invented events of people's mornings, sent as sources send them, through the
broker's stream. Some are frauds in progress, and the phones of their victims ring; most are not.

`opening` is the same in every run. What follows it goes on until the demo ends.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import redis

from dialer.core.errors import Unavailable
from dialer.runtime.broker import redis_url
from dialer.runtime.services import Services
from dialer.signals.store import is_behind
from dialer.signals.verdict_store import count_held

STREAM: Final = "demo-signals"
BLOCK: Final = "1990000"
"""Only the simulated line calls these numbers; 4000 to 4999 belong to this story."""
_FIRST: Final = 4000
_SOURCES: Final = {
    "call": "通信运营商", "sms": "通信运营商", "web": "网络安全中心", "app": "网络安全中心",
    "payment_attempt": "商业银行",
    "login": "商业银行", "report": "110报警台", "platform_push": "国家平台", "list_change": "涉诈名单",
}  # fmt: skip
_MULE, _SECOND_MULE = "6222020200001111", "6222020200002222"
_SCAMMER, _ABROAD, _COLLECTOR = "+85291234567", "+85592345678", "01088880001"
Fields = Mapping[str, Any]


def _lists() -> Iterator[tuple[float, Fields]]:
    yield -600, {"kind": "list_change", "account": _MULE, "list_kind": "fraud", "change": "entered"}
    yield -600, {"kind": "list_change", "number": _SCAMMER, "list_kind": "fraud", "change": "entered"}
    yield (
        -600,
        {"kind": "list_change", "domain": "gold-win.example", "list_kind": "fraud", "change": "entered"},
    )
    # Its carrier vouches for it: what another source trusts counts only when a person has confirmed it.
    yield (
        -600,
        {
            "kind": "list_change", "number": _COLLECTOR, "list_kind": "trusted", "change": "entered",
            "source": _SOURCES["call"],
        },
    )  # fmt: skip


LIVES: Final[Mapping[str, Sequence[tuple[float, Fields]]]] = {
    "转账给涉诈账户": (
        (-50, {"kind": "call", "number": _SCAMMER, "direction": "in", "duration_seconds": 1260}),
        (-4, {"kind": "payment_attempt", "account": _MULE, "amount": "86000", "new_payee": True}),
    ),
    "冒充公检法": (
        (-70, {"kind": "call", "number": _ABROAD, "direction": "in", "overseas": True, "duration_seconds": 2400}),
        (-40, {"kind": "web", "domain": "court-case.example", "topic": "justice"}),
        (-25, {"kind": "call", "number": _ABROAD, "direction": "in", "overseas": True, "duration_seconds": 1200}),
        (-10, {"kind": "app", "app": "共享会议", "topic": "meeting", "screen_sharing": True, "from_store": True}),
    ),
    "刷单返利": (
        (-90, {"kind": "sms", "number": "10690001", "direction": "in", "topic": "rebate", "has_link": True}),
        (-80, {"kind": "web", "domain": "task-bonus.example", "topic": "rebate"}),
        (-60, {"kind": "payment_attempt", "account": "6225000011110001", "amount": "80", "direction": "in"}),
        (-30, {"kind": "payment_attempt", "account": "6225000011110002", "amount": "1000", "new_payee": True}),
        (-8, {"kind": "payment_attempt", "account": "6225000011110003", "amount": "9800", "new_payee": True}),
    ),
    "虚假投资": (
        (-55, {"kind": "web", "domain": "gold-win.example", "topic": "investment"}),
        (-45, {"kind": "app", "app": "黄金赢家", "topic": "investment"}),
        (-20, {"kind": "payment_attempt", "account": "6225000022220001", "amount": "30000", "new_payee": True}),
        (-6, {"kind": "payment_attempt", "account": "6225000022220002", "amount": "50000", "new_payee": True}),
    ),
    "先付款后列名单": (
        (-35, {"kind": "payment_attempt", "account": _SECOND_MULE, "amount": "42000", "new_payee": True}),
    ),
    "催收": (
        (-90, {"kind": "call", "number": _COLLECTOR, "direction": "in", "duration_seconds": 400}),
        (-60, {"kind": "call", "number": _COLLECTOR, "direction": "in", "duration_seconds": 600}),
        (-58, {"kind": "sms", "number": _COLLECTOR, "direction": "in", "topic": "debt_collection"}),
    ),
    "快递": (
        (-50, {"kind": "sms", "number": "11183", "direction": "in", "topic": "delivery"}),
        (-20, {"kind": "call", "number": "13911110000", "direction": "in", "duration_seconds": 30}),
    ),
    "房租": ((-15, {"kind": "payment_attempt", "account": "6217000000000009", "amount": "3000"}),),
}  # fmt: skip
_FRAUDS: Final = ("转账给涉诈账户", "冒充公检法", "刷单返利", "虚假投资", "先付款后列名单")
_LAST_LISTED: Final[Fields] = {
    "kind": "list_change", "account": _SECOND_MULE, "list_kind": "fraud", "change": "entered",
}  # fmt: skip


def opening(now: datetime) -> list[dict[str, str]]:
    """The signals of the morning before `now`: each life twice, then the listing of the account that one of them had
    paid to.
    """
    entries: list[dict[str, str]] = []
    for minutes, fields in _lists():
        entries.append(_entry(len(entries), fields, now + timedelta(minutes=minutes)))
    for n, name in enumerate((*LIVES, *LIVES)):
        for minutes, fields in LIVES[name]:
            entries.append(_entry(len(entries), fields, now + timedelta(minutes=minutes), person=_FIRST + n))
    entries.append(_entry(len(entries), _LAST_LISTED, now))
    return entries


def _entry(number: int, fields: Fields, at: datetime, *, person: int | None = None) -> dict[str, str]:
    kind = fields["kind"]
    raw = {"source": _SOURCES[kind], "signal_no": f"D{number}", "event_at": at.isoformat(), **fields}
    if person is not None:
        raw["phone"] = f"{BLOCK}{person:04d}"
    return {"json": orjson.dumps(raw).decode()}


BETWEEN: Final = timedelta(seconds=40)
"""Of the service clock, between two lives: a second while the demo's clock runs forty times as fast. Measured by the
real clock they came forty times as often once the list was called and the clock slowed down, and the robot stopped the
rules that then fired so much more often than usual.
"""


class SignalStory(threading.Thread):
    """A thread that sends what follows `send_opening`: an ordinary life at a time, and now and then a fraud."""

    def __init__(self, services: Services, *, broker_url: str) -> None:
        super().__init__(name="signals", daemon=True)
        self._services = services
        self._client = redis.Redis.from_url(redis_url(broker_url, scheme="unix"), socket_timeout=10)
        self._stopped = threading.Event()
        self._sent = 0
        self._chance = random.Random(11)  # noqa: S311 - invented lives, not secrets
        self._person = _FIRST + 100
        self._next_at: datetime | None = None

    def send_opening(self) -> int:
        """Sends the opening; returns the number of signals. Raises `Unavailable`."""
        entries = opening(self._services.clock.now())
        self._send(entries)
        return len(entries)

    def is_evaluated(self) -> bool:
        """Whether every signal was read and evaluated, and no warning is held. Raises `Unavailable`."""
        try:
            if self._client.xlen(STREAM):
                return False
        except redis.RedisError as fault:
            raise Unavailable(part="broker", problem=type(fault).__name__) from fault
        with self._services.store.begin() as tx:
            return not is_behind(tx) and not count_held(tx)

    def run(self) -> None:
        """Sends signals until `stop`; while the broker does not answer, a second's signals are lost."""
        while not self._stopped.wait(1.0):
            try:
                self._send(self.following(self._services.clock.now()))
            except Unavailable:
                continue

    def following(self, now: datetime) -> list[dict[str, str]]:
        """The signals of the lives that come next; [] until `BETWEEN` after the last ones."""
        if self._next_at is not None and now < self._next_at:
            return []
        self._next_at = now + BETWEEN
        lives = [self._chance.choice([name for name in LIVES if name not in _FRAUDS])]
        if self._chance.random() < 1 / 20:
            lives.append(self._chance.choice(_FRAUDS[:4]))
        entries = []
        for name in lives:
            self._person = _FIRST + 100 + (self._person - _FIRST - 99) % 800
            for minutes, fields in LIVES[name]:
                self._sent += 1
                at = now + timedelta(minutes=minutes)
                entries.append(_entry(10_000 + self._sent, fields, at, person=self._person))
        return entries

    def stop(self) -> None:
        """Stops the thread; waits up to 5 seconds for it."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=5.0)

    def _send(self, entries: Sequence[dict[str, str]]) -> None:
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for entry in entries:
                    pipe.xadd(STREAM, entry, maxlen=100_000)  # type: ignore[arg-type]
                pipe.execute()
        except redis.RedisError as fault:
            raise Unavailable(part="broker", problem=type(fault).__name__) from fault
