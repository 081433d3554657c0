"""The wall's live feed: one reading for everybody who looks at the same unit, none when nobody looks.

Every open page has a stream of server-sent events. It carries each reading with its age, and a beat in between, so that
a page can tell a silent server from a quiet night. A stream ends with its session, with the process, and when its
reader takes nothing any more.

The wall as it is drawn: a reading put into the words and the few figures that are read from far away.

Wall: the service at this moment, for a screen that is read from across the room.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dialer.control.health import AUDIT_PART, WORK_PART
from dialer.control.overview import (
    BoardHour,
    BoardNow,
    BoardQueue,
    BoardToday,
    board_hour,
    board_now,
    board_queue,
    board_today,
)
from dialer.control.queries import PeoplesWork
from dialer.core.access import Permission
from dialer.core.case import VisitStage
from dialer.core.effects import AlarmCode
from dialer.core.errors import Unavailable
from dialer.core.rates import Counts
from dialer.core.values import AmountKind, Grade, PauseScope, Track
from dialer.language import Lang, gettext_noop, say
from dialer.org.sign_in import valid_sessions
from dialer.org.staff import list_units
from dialer.services import Services
from dialer.web.cache import Cache
from dialer.web.console import ConsoleContext, CurrentRequest, RequestContext, Section
from dialer.web.formats import format_span
from dialer.web.rendering import Pages, static
from dialer.wording.words import word_of

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
class LiveBoard:
    """Everything that is shown."""

    now: BoardNow
    queue: BoardQueue
    hour: BoardHour
    today: BoardToday | None
    """None: it is being counted for the first time."""

    @property
    def at(self) -> datetime:
        """The moment of its newest part, so that none is later than the clock beside it."""
        now: datetime = max(self.now.at, self.queue.at, self.hour.at)
        return now if self.today is None else max(now, self.today.at)


class TooMany(Exception):  # an answer within this package
    """This process feeds as many pages as it may, or it is about to stop."""


Draw = Callable[[LiveBoard, Lang], Mapping[str, object]]
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

    def __init__(self, services: Services, *, late_seconds: float, rules: FeedRules) -> None:
        fresh, slow = rules.fresh_seconds, rules.slow_seconds
        self.now = Cache[int | None, BoardNow](
            lambda unit: board_now(services, unit_id=unit, late_seconds=late_seconds), seconds=fresh
        )
        self.queue = Cache[int | None, BoardQueue](
            lambda unit: board_queue(services, unit_id=unit), seconds=fresh
        )
        self.hour = Cache[int | None, BoardHour](
            lambda unit: board_hour(services, unit_id=unit), seconds=slow
        )
        self.today = Cache[int | None, BoardToday](
            lambda unit: board_today(services, unit_id=unit),
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
        self._slow: tuple[BoardHour, BoardToday | None] | None = None
        self._slowly: asyncio.Task[None] | None = None

    def read(self) -> LiveBoard:
        self.asked_at = time.monotonic()
        # The day takes longest: the rest is read meanwhile.
        begun = time.monotonic()
        self._readings.today.begin(self._unit_id)
        now, queue = self._read_now()
        hour = self._readings.hour.wait(self._unit_id)
        today = self._readings.today.get(self._unit_id, waited_seconds=time.monotonic() - begun)
        return LiveBoard(now=now, queue=queue, hour=hour, today=today.value)

    async def follow(self) -> LiveBoard:
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
        return LiveBoard(now=now, queue=queue, hour=hour, today=today)

    async def _follow_slowly(self) -> None:
        self._slow = await asyncio.to_thread(self._read_slow)

    def _read_now(self) -> tuple[BoardNow, BoardQueue]:
        return self._readings.now.wait(self._unit_id), self._readings.queue.wait(self._unit_id)

    def _read_slow(self) -> tuple[BoardHour, BoardToday | None]:
        return self._readings.hour.wait(self._unit_id), self._readings.today.get(self._unit_id).value


class BoardFeed:
    """All of a process; its streams live in the server's loop."""

    def __init__(
        self, services: Services, *, late_seconds: float, draw: Draw, rules: FeedRules | None = None
    ) -> None:
        self._services = services
        self._rules = rules or FeedRules()
        self._readings = _Readings(services, late_seconds=late_seconds, rules=self._rules)
        self._draw = draw
        self._units: dict[int | None, _Unit] = {}
        self._changing = threading.Lock()
        self._guarding: asyncio.Task[None] | None = None
        self._stopped = False

    def read(self, unit_id: int | None) -> LiveBoard:
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

    def _tell(self, wall: LiveBoard, langs: set[Lang]) -> dict[Lang, bytes]:
        age = max(0.0, (self._services.real.now() - wall.now.real_at).total_seconds())
        return {lang: _event("figures", {**self._draw(wall, lang), "age": round(age, 1)}) for lang in langs}

    async def _guard(self) -> None:
        """A stream whose session is over, or whose account has changed, ends within a few seconds."""
        while streams := self.streams:
            try:
                good = await asyncio.to_thread(
                    valid_sessions, self._services, [stream.session_id for stream in streams]
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


BOARD_TEMPLATE = "console/wall.html"
_LAG_SECONDS = 5.0
"""What was counted longer ago than this beside the rest says when."""
_ALARM_KINDS = 3
_EXACT_BELOW = 100_000
_MYRIAD = 10_000
_WITHOUT = ((172_800, 86_400), (36_000, 3_600), (600, 60))
"""From so many seconds on, what is less than so many is left out."""
_THOUSAND, _MILLION = 1_000, 1_000_000
BOARD_FUNNEL: Mapping[str, str] = {
    "warnings": gettext_noop("Warnings"),
    "cases_rung": gettext_noop("Called"),
    "verified_contact": gettext_noop("Reached"),
    "dissuaded": gettext_noop("Dissuaded"),
}
BOARD_PARTS: Mapping[str, str] = {
    "tick": gettext_noop("tick"),
    "sweep": gettext_noop("due cases checked"),
    "dial": gettext_noop("dialled"),
    "reconcile": gettext_noop("calls reconciled"),
    AUDIT_PART: gettext_noop("consistency check"),
    "schema": gettext_noop("database migrated"),
}


def short_number(value: int, lang: Lang) -> str:
    """Exact below a hundred thousand; above, as many digits as can be read from a distance."""
    if value < _EXACT_BELOW:
        return f"{value:,}"
    if lang is Lang.ZH:
        return f"{value / _MYRIAD:,.1f}万"
    return f"{value / _MILLION:,.2f}M" if value >= _MILLION else f"{value / _THOUSAND:,.1f}k"


def short_span(seconds: float | None, lang: Lang) -> str:
    """As `span`, without what nobody asks for after so long: 4 min 20 s, but 23 min and 2 days."""
    if seconds is None:
        return "—"
    for limit, unit in _WITHOUT:
        if seconds >= limit:
            return format_span(seconds // unit * unit, lang)
    return format_span(seconds, lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeTile:
    """One grade: who waits, and how long people waited today for their first ring."""

    grade: Grade
    due: int
    """Waiting for a line."""
    calling: int
    later: int
    oldest_seconds: float | None
    is_late: bool
    """The oldest has waited longer than the policy wants."""
    limit_seconds: int
    p50_seconds: float | None
    p90_seconds: float | None
    is_slow: bool

    @property
    def under_way(self) -> int:
        return self.due + self.calling


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """For whom a piece is drawn: everybody of one language."""

    lang: Lang
    now: datetime
    csrf: str = ""


def board_facts(services: Services, wall: LiveBoard, lang: Lang) -> dict[str, Any]:
    """What the board is drawn with."""
    total = wall.today.figures.total if wall.today is not None else None
    return {
        "wall": wall,
        "queue_lags": (wall.at - wall.queue.at).total_seconds() > _LAG_SECONDS,
        "tiles": [_tile(services, wall, grade) for grade in Grade],
        "short": lambda value: short_number(value, lang),
        "counts": total.counts if total is not None else None,
        "funnel": _funnel(total.counts) if total is not None else [],
        "answered_share": _share(total.counts.cases_answered, total.counts.cases_rung) if total else None,
        "brief": lambda seconds: short_span(seconds, lang),
        "amounts": [
            (kind, total.amounts[kind].approved_fen + total.amounts[kind].unapproved_fen)
            for kind in (AmountKind.STOPPED, AmountKind.INTENDED)
            if total is not None and kind in total.amounts
        ],
        "human": wall.now.work[Track.HUMAN],
        "visit_work": wall.now.work[Track.VISIT],
        "stages": _stages(wall.now.work[Track.VISIT]),
        "alarms": sum(one.count for one in wall.now.alarms),
        "alarm_kinds": wall.now.alarms[:_ALARM_KINDS],
        "other_alarms": sum(one.count for one in wall.now.alarms[_ALARM_KINDS:]),
        "alarm_word": lambda code: _alarm(code, lang),
        "all_paused": next((hold for hold in wall.now.pauses if hold.scope is PauseScope.ALL), None),
        "parts": [
            (say(lang, BOARD_PARTS[name]), wall.now.system.parts_seconds.get(name)) for name in WORK_PART
        ],
        "minutes": _minutes(wall),
        "chart": {"sent": list(wall.hour.calls.sent), "answered": list(wall.hour.calls.answered)},
        "late_parts": ("、" if lang is Lang.ZH else ", ").join(
            say(lang, BOARD_PARTS.get(name, name)) for name in wall.now.system.late
        ),
    }


def draw_board(pages: Pages, services: Services, wall: LiveBoard, lang: Lang) -> Mapping[str, object]:
    """What an open page is sent."""
    reader = _Reader(lang=lang, now=wall.at)
    given = board_facts(services, wall, lang)
    return {
        "board": pages.render(reader, BOARD_TEMPLATE, given, block="board"),
        "minutes": given["chart"],
        "clock": pages.render(reader, BOARD_TEMPLATE, given, block="clock"),
        "look": board_version(),
    }


def board_version() -> str:
    """Changes when a newer version of the page's own files is served: an open page then loads itself anew."""
    return static("console/wall.css")[-12:] + static("console/wall.js")[-12:]


def _minutes(wall: LiveBoard) -> Sequence[tuple[datetime, int, int]]:
    """Newest first."""
    calls, at = wall.hour.calls, wall.hour.at
    rows = [
        (at - timedelta(minutes=len(calls.sent) - 1 - place), sent, calls.answered[place])
        for place, sent in enumerate(calls.sent)
    ]
    return rows[::-1]


def _tile(services: Services, wall: LiveBoard, grade: Grade) -> GradeTile:
    found, limit = wall.queue.waiting[grade], services.policies.newest.of(grade).first_attempt_seconds
    slice_ = wall.today.figures.slices.get(grade.value) if wall.today is not None else None
    first = slice_.first_attempt if slice_ is not None else None
    oldest = None if found.oldest_at is None else (wall.queue.at - found.oldest_at).total_seconds()
    p90 = first.p90_seconds if first is not None else None
    return GradeTile(
        grade=grade,
        due=found.due,
        calling=wall.now.calling[grade],
        later=found.later,
        oldest_seconds=oldest,
        is_late=oldest is not None and oldest > limit,
        limit_seconds=limit,
        p50_seconds=first.p50_seconds if first is not None else None,
        p90_seconds=p90,
        is_slow=p90 is not None and p90 > limit,
    )


def _stages(visits: PeoplesWork) -> list[tuple[VisitStage, int]]:
    """Who has been seen is still at the door, as far as anybody far away is concerned."""
    counts = visits.stages
    arrived = counts[VisitStage.ARRIVED] + counts[VisitStage.SEEN]
    return [
        (VisitStage.ACCEPTED, counts[VisitStage.ACCEPTED]),
        (VisitStage.ON_THE_WAY, counts[VisitStage.ON_THE_WAY]),
        (VisitStage.ARRIVED, arrived),
    ]


def _funnel(counts: Counts) -> list[tuple[str, int]]:
    return [(text, getattr(counts, name)) for name, text in BOARD_FUNNEL.items()]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _alarm(code: str, lang: Lang) -> str:
    """A code of a later version is told as it stands."""
    known = next((one for one in AlarmCode if one.value == code), None)
    return code if known is None else word_of(known, lang)


board_pages = Section()
_EVENTS = "text/event-stream"
_BUSY, _RETRY_SECONDS = 503, "15"
_TAKEN_SECONDS = 20.0
"""A reader who takes nothing for so long is gone."""
_making = threading.Lock()


class _Events(EventSourceResponse):
    """A reader who is gone is no fault. The feed sends its own beats."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(SendTimeoutError, OSError):
            await super().__call__(scope, receive, send)


@board_pages.get(
    "/board", act=Permission.SEE_BOARD, nav=gettext_noop("Live board"), order=10, while_idle=True
)
def wall(visit: CurrentRequest) -> Response:
    unit_id = visit.member.unit_id
    found = _feed(visit.request).read(unit_id)
    return visit.page(
        BOARD_TEMPLATE,
        unit_name=_unit_name(visit),
        look=board_version(),
        **board_facts(visit.services, found, visit.lang),
    )


@board_pages.get("/board/live", act=Permission.SEE_BOARD, while_idle=True)
async def live(visit: CurrentRequest) -> Response:
    """A stream for a browser that asks for one, and one reading of it for anybody else."""
    assert visit.session is not None
    try:
        events = _feed(visit.request).events(
            session_id=visit.session.id,
            unit_id=visit.member.unit_id,
            lang=visit.lang,
            only_one=_EVENTS not in visit.request.headers.get("accept", ""),
        )
    except TooMany:
        return Response(status_code=_BUSY, headers={"Retry-After": _RETRY_SECONDS})
    return _Events(events, ping=0, send_timeout=_TAKEN_SECONDS)


def _feed(request: Request) -> BoardFeed:
    """The one of this application."""
    state = request.app.state
    with _making:
        if not hasattr(state, "wall_feed"):
            console_context: ConsoleContext = state.console_context
            app = console_context.app
            state.board_feed = BoardFeed(
                app.services,
                late_seconds=app.settings.scheduler.late_seconds,
                rules=FeedRules(patience_seconds=app.settings.console.patience_seconds),
                draw=partial(_draw, console_context),
            )
            console_context.closing.join(state.board_feed.stop)
    feed: BoardFeed = state.board_feed
    return feed


def _draw(console_context: ConsoleContext, found: LiveBoard, lang: Lang) -> dict[str, object]:
    return dict(draw_board(console_context.pages, console_context.app.services, found, lang))


def _unit_name(visit: RequestContext) -> str:
    """'' for the whole centre."""
    unit_id = visit.member.unit_id
    if unit_id is None:
        return ""
    return next(
        (unit.name for unit in list_units(visit.services, visible_to=unit_id) if unit.id == unit_id), ""
    )
