"""The wall's live feed: one reading for everybody who looks at the same unit, none when nobody looks.

Every open page has a stream of server-sent events. It carries each reading with its age, and a beat in between, so that
a page can tell a silent server from a quiet night. A stream ends with its session, with the process, and when its
reader takes nothing any more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sse_starlette import ServerSentEvent

from dialer.errors import Unavailable
from dialer.language import Lang
from dialer.usecases.engine import Engine
from dialer.usecases.sign_in import going_on
from dialer.usecases.watch_wall import (
    WallHour,
    WallNow,
    WallQueue,
    WallToday,
    wall_hour,
    wall_now,
    wall_queue,
    wall_today,
)
from dialer.web.cache import Cache

_FORGET_SECONDS = 600.0
_RETRY = ServerSentEvent(retry=2000, sep="\n").encode()
_BEAT = ServerSentEvent(event="beat", data="", sep="\n").encode()

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRules:
    """In real seconds."""

    read_seconds: float = 2.0
    fresh_seconds: float = 1.8
    """A reading that is younger is not read again."""
    slow_seconds: float = 10.0
    """The same, of the hour and the day."""
    patience_seconds: float = 10.0
    """Nobody waits longer for the day: what it takes longer to count is shown once it is there."""
    beat_seconds: float = 3.0
    guard_seconds: float = 3.0
    """How long a stream may go on after its session has ended."""
    most_streams: int = 256
    most_of_a_session: int = 4
    """A browser opens six connections to a server and no more; its other pages need some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """Everything that is shown."""

    now: WallNow
    queue: WallQueue
    hour: WallHour
    today: WallToday | None
    """None: it is being counted for the first time."""

    @property
    def at(self) -> datetime:
        """The moment of its newest part, so that none is later than the clock beside it."""
        now: datetime = max(self.now.at, self.queue.at, self.hour.at)
        return now if self.today is None else max(now, self.today.at)


class TooMany(Exception):  # an answer within this package
    """This process feeds as many pages as it may, or it is about to stop."""


Draw = Callable[[Wall, Lang], Mapping[str, object]]
"""What pages are sent of a reading, in this language."""


@dataclass(eq=False, slots=True, kw_only=True)
class Stream:
    """One page that looks."""

    session_id: int
    lang: Lang
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    over: str | None = None
    """Why it ends; '' without a word."""

    def end(self, why: str) -> None:
        if self.over is None:
            self.over = why
            self.wake.set()


class _Readings:
    """What the database says, by unit."""

    def __init__(self, engine: Engine, *, late_seconds: float, rules: FeedRules) -> None:
        fresh, slow = rules.fresh_seconds, rules.slow_seconds
        self.now = Cache[int | None, WallNow](
            lambda unit: wall_now(engine, unit_id=unit, late_seconds=late_seconds), seconds=fresh
        )
        self.queue = Cache[int | None, WallQueue](
            lambda unit: wall_queue(engine, unit_id=unit), seconds=fresh
        )
        self.hour = Cache[int | None, WallHour](lambda unit: wall_hour(engine, unit_id=unit), seconds=slow)
        self.today = Cache[int | None, WallToday](
            lambda unit: wall_today(engine, unit_id=unit),
            patience_seconds=rules.patience_seconds,
            seconds=slow,
        )


class _Unit:
    """What is read for one unit and all below (None: the whole centre), and who looks at it."""

    def __init__(self, readings: _Readings, unit_id: int | None) -> None:
        self.asked_at = time.monotonic()
        self.streams: list[Stream] = []
        self.watching: asyncio.Task[None] | None = None
        self.version = 0
        self.drawn: Mapping[Lang, bytes] = {}
        self._readings = readings
        self._unit_id = unit_id
        self._slow: tuple[WallHour, WallToday | None] | None = None
        self._slowly: asyncio.Task[None] | None = None

    def read(self) -> Wall:
        self.asked_at = time.monotonic()
        # The day takes longest: the rest is read meanwhile.
        begun = time.monotonic()
        self._readings.today.begin(self._unit_id)
        now, queue = self._read_now()
        hour = self._readings.hour.wait(self._unit_id)
        today = self._readings.today.get(self._unit_id, waited_seconds=time.monotonic() - begun)
        return Wall(now=now, queue=queue, hour=hour, today=today.value)

    async def follow(self) -> Wall:
        """As `read`; what takes long does not keep the rest waiting, once it is there."""
        self.asked_at = time.monotonic()
        last = self._slowly
        if last is None or last.done():
            self._slowly = asyncio.create_task(self._follow_slowly())
            if last is not None:
                last.result()
        now, queue = await asyncio.to_thread(self._read_now)
        if self._slow is None and self._slowly is not None:
            await self._slowly
        assert self._slow is not None
        hour, today = self._slow
        return Wall(now=now, queue=queue, hour=hour, today=today)

    async def _follow_slowly(self) -> None:
        self._slow = await asyncio.to_thread(self._read_slow)

    def _read_now(self) -> tuple[WallNow, WallQueue]:
        return self._readings.now.wait(self._unit_id), self._readings.queue.wait(self._unit_id)

    def _read_slow(self) -> tuple[WallHour, WallToday | None]:
        return self._readings.hour.wait(self._unit_id), self._readings.today.get(self._unit_id).value


class WallFeed:
    """All of a process; its streams live in the server's loop."""

    def __init__(
        self, engine: Engine, *, late_seconds: float, draw: Draw, rules: FeedRules | None = None
    ) -> None:
        self._engine = engine
        self._rules = rules or FeedRules()
        self._readings = _Readings(engine, late_seconds=late_seconds, rules=self._rules)
        self._draw = draw
        self._units: dict[int | None, _Unit] = {}
        self._changing = threading.Lock()
        self._guarding: asyncio.Task[None] | None = None
        self._stopped = False

    def read(self, unit_id: int | None) -> Wall:
        """As recent as a page needs it; on a thread. Raises `Unavailable`."""
        return self._unit(unit_id).read()

    @property
    def streams(self) -> list[Stream]:
        with self._changing:
            return [stream for unit in self._units.values() for stream in unit.streams]

    def stop(self) -> None:
        """Every stream ends now, and none begins any more."""
        self._stopped = True
        for stream in self.streams:
            stream.end("")

    def events(
        self, *, session_id: int, unit_id: int | None, lang: Lang, only_one: bool = False
    ) -> AsyncIterator[bytes]:
        """What one page is sent. One more of the same session ends its oldest. Raises `TooMany`. `only_one`: the next
        reading, and no more.
        """
        streams = self.streams
        if self._stopped or len(streams) >= self._rules.most_streams:
            raise TooMany
        own = [stream for stream in streams if stream.session_id == session_id]
        for oldest in own[: max(0, len(own) + 1 - self._rules.most_of_a_session)]:
            oldest.end("elsewhere")
        stream = Stream(session_id=session_id, lang=lang)
        return self._events(self._unit(unit_id), stream, only_one=only_one)

    async def _events(self, unit: _Unit, stream: Stream, *, only_one: bool) -> AsyncIterator[bytes]:
        with self._changing:
            unit.streams.append(stream)
        try:
            if unit.watching is None or unit.watching.done():
                unit.watching = asyncio.create_task(self._watch(unit))
            if self._guarding is None or self._guarding.done():
                self._guarding = asyncio.create_task(self._guard())
            yield _RETRY
            seen = -1
            while stream.over is None:
                if unit.version != seen and stream.lang in unit.drawn:
                    seen = unit.version
                    yield unit.drawn[stream.lang]
                    if only_one:
                        return
                try:
                    await asyncio.wait_for(stream.wake.wait(), self._rules.beat_seconds)
                    stream.wake.clear()
                except TimeoutError:
                    yield _BEAT
            if stream.over:
                yield _event("over", {"why": stream.over})
        finally:
            with self._changing:
                unit.streams.remove(stream)

    async def _watch(self, unit: _Unit) -> None:
        """Reads and tells, for as long as somebody looks."""
        loop = asyncio.get_running_loop()
        while unit.streams:
            begun = loop.time()
            langs = {stream.lang for stream in unit.streams}
            try:
                wall = await unit.follow()
                told = await asyncio.to_thread(self._tell, wall, langs)
            except Unavailable as fault:
                _log.warning("the wall stands still: %s", fault)
                told = {lang: _event("trouble", {"part": fault.part}) for lang in langs}
            except Exception:  # noqa: BLE001  # one reading may fail: the next is tried all the same
                _log.exception("the wall cannot be drawn")
                told = {lang: _event("trouble", {"part": "page"}) for lang in langs}
            unit.drawn, unit.version = told, unit.version + 1
            for stream in unit.streams:
                stream.wake.set()
            await asyncio.sleep(max(0.1, self._rules.read_seconds - (loop.time() - begun)))
        unit.drawn = {}

    def _tell(self, wall: Wall, langs: set[Lang]) -> dict[Lang, bytes]:
        age = max(0.0, (self._engine.real.now() - wall.now.real_at).total_seconds())
        return {lang: _event("figures", {**self._draw(wall, lang), "age": round(age, 1)}) for lang in langs}

    async def _guard(self) -> None:
        """A stream whose session is over, or whose account has changed, ends within a few seconds."""
        while streams := self.streams:
            try:
                good = await asyncio.to_thread(
                    going_on, self._engine, [stream.session_id for stream in streams]
                )
            except Unavailable:
                good = None  # Nobody can sign out either; the figures are gone as well.
            for stream in streams:
                if good is not None and stream.session_id not in good:
                    stream.end("signed_out")
            await asyncio.sleep(self._rules.guard_seconds)

    def _unit(self, unit_id: int | None) -> _Unit:
        with self._changing:
            known = self._units.get(unit_id)
            if known is None:
                old = time.monotonic() - _FORGET_SECONDS
                self._units = {
                    key: one for key, one in self._units.items() if one.streams or one.asked_at > old
                }
                known = self._units[unit_id] = _Unit(self._readings, unit_id)
            return known


def _event(name: str, facts: Mapping[str, object]) -> bytes:
    return ServerSentEvent(event=name, data=json.dumps(facts, ensure_ascii=False), sep="\n").encode()
