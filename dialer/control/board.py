"""The live board: the page, and the stream of server-sent events that keeps every open board current.

All boards of one unit share one reading, taken only while a board of it is open. A stream carries each reading with its
age, and beats in between, so that a page can tell a silent server from a quiet night. It ends with its session, with
the process, or when its reader stops reading.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sse_starlette import ServerSentEvent
from starlette.responses import Response

from dialer.control.health import CONSISTENCY_PART, WORK_PARTS
from dialer.control.overview import (
    BoardNow,
    BoardQueue,
    BoardToday,
    board_hour,
    board_now,
    board_queue,
    board_today,
)
from dialer.control.queries import LastHour
from dialer.core.access import Permission
from dialer.core.case import VisitStage
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import AmountKind, Grade, PauseScope, Track
from dialer.language.catalogue import say
from dialer.language.words import stored_word
from dialer.runtime.services import Services
from dialer.staff.sign_in import list_units, valid_sessions
from dialer.web.cache import Cache
from dialer.web.console import ConsoleContext, CurrentRequest, PageSection, RequestContext
from dialer.web.formats import format_span
from dialer.web.rendering import Pages, PlainReader, static
from dialer.web.streams import EventStream, wants_events

BOARD_TEMPLATE = "console/board.html"
_FORGET_SECONDS = 600.0
_RETRY = ServerSentEvent(retry=2000, sep="\n").encode()
_BEAT = ServerSentEvent(event="beat", data="", sep="\n").encode()

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRules:
    """The limits of the feed. Times are real seconds."""

    read_seconds: float = 2.0
    fresh_seconds: float = 1.8
    """A younger reading is used again."""
    slow_seconds: float = 10.0
    """The same for the hour and the day."""
    patience_seconds: float = 10.0
    """The page waits no longer for the figures of the day; they follow when they are counted."""
    beat_seconds: float = 3.0
    guard_seconds: float = 3.0
    """How long a stream may continue after its session has ended."""
    most_streams: int = 256
    most_of_a_session: int = 4
    """A browser opens at most six connections to a server, and its other pages need some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBoard:
    """One reading: everything that the board shows."""

    now: BoardNow
    queue: BoardQueue
    hour: LastHour
    today: BoardToday | None
    """None: it is being counted for the first time."""

    @property
    def at(self) -> datetime:
        """The time of its newest part: no part is later than the clock on the board."""
        now: datetime = max(self.now.at, self.queue.at, self.hour.at)
        return now if self.today is None else max(now, self.today.at)


class TooManyStreams(Exception):
    """This process already feeds as many boards as it may, or is about to stop."""


Draw = Callable[[LiveBoard, Lang], Mapping[str, object]]
"""Turns a reading into what the boards in this language are sent."""


@dataclass(eq=False, slots=True, kw_only=True)
class Stream:
    """The stream of one open board."""

    session_id: int
    lang: Lang
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    over: str | None = None
    """Why the stream ends; None while it is open, '' if the board is not sent a reason."""

    def end(self, why: str) -> None:
        """Ends the stream; the first reason given counts."""
        if self.over is None:
            self.over = why
            self.wake.set()


class _Readings:
    """The parts of a reading by unit, each cached for its own time."""

    def __init__(self, services: Services, *, late_seconds: float, rules: FeedRules) -> None:
        fresh, slow = rules.fresh_seconds, rules.slow_seconds
        self.now = Cache[int | None, BoardNow](
            lambda unit: board_now(services, unit_id=unit, late_seconds=late_seconds), seconds=fresh
        )
        self.queue = Cache[int | None, BoardQueue](
            lambda unit: board_queue(services, unit_id=unit), seconds=fresh
        )
        self.hour = Cache[int | None, LastHour](lambda unit: board_hour(services, unit_id=unit), seconds=slow)
        self.today = Cache[int | None, BoardToday](
            lambda unit: board_today(services, unit_id=unit),
            patience_seconds=rules.patience_seconds,
            seconds=slow,
        )


class _Unit:
    """The reading of one unit and all below it (None: the whole centre), and the boards that show it."""

    def __init__(self, readings: _Readings, unit_id: int | None) -> None:
        self.used_at = time.monotonic()
        self.streams: list[Stream] = []
        self.watching: asyncio.Task[None] | None = None
        self.version = 0
        self.drawn: Mapping[Lang, bytes] = {}
        self._readings = readings
        self._unit_id = unit_id
        self._slow: tuple[LastHour, BoardToday | None] | None = None
        self._slow_task: asyncio.Task[None] | None = None

    def read(self) -> LiveBoard:
        self.used_at = begun = time.monotonic()
        # The day takes longest: the other parts are read meanwhile.
        self._readings.today.begin(self._unit_id)
        now, queue = self._read_fast()
        hour = self._readings.hour.wait(self._unit_id)
        today = self._readings.today.get(self._unit_id, waited_seconds=time.monotonic() - begun)
        return LiveBoard(now=now, queue=queue, hour=hour, today=today.value)

    async def follow(self) -> LiveBoard:
        """As `read`, but once they are known, the hour and the day are renewed without waiting for them."""
        self.used_at = time.monotonic()
        last = self._slow_task
        if last is None or last.done():
            self._slow_task = asyncio.create_task(self._renew_slow())
            if last is not None:
                last.result()
        now, queue = await asyncio.to_thread(self._read_fast)
        if self._slow is None and self._slow_task is not None:
            await self._slow_task
        assert self._slow is not None
        hour, today = self._slow
        return LiveBoard(now=now, queue=queue, hour=hour, today=today)

    async def _renew_slow(self) -> None:
        self._slow = await asyncio.to_thread(self._read_slow)

    def _read_fast(self) -> tuple[BoardNow, BoardQueue]:
        return self._readings.now.wait(self._unit_id), self._readings.queue.wait(self._unit_id)

    def _read_slow(self) -> tuple[LastHour, BoardToday | None]:
        return self._readings.hour.wait(self._unit_id), self._readings.today.get(self._unit_id).value


class BoardFeed:
    """All boards of a process; their streams live in the server's event loop."""

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
        """A reading as recent as a page needs it; blocks. Raises `Unavailable`."""
        return self._unit(unit_id).read()

    @property
    def streams(self) -> list[Stream]:
        """The open streams of all units."""
        with self._changing:
            return [stream for unit in self._units.values() for stream in unit.streams]

    def stop(self) -> None:
        """Ends every stream, and lets no new one start."""
        self._stopped = True
        for stream in self.streams:
            stream.end("")

    def events(
        self, *, session_id: int, unit_id: int | None, lang: Lang, only_one: bool = False
    ) -> AsyncIterator[bytes]:
        """What one board is sent; with `only_one` just the next reading. Past the limit of a session its oldest stream
        ends. Raises `TooManyStreams`.
        """
        streams = self.streams
        if self._stopped or len(streams) >= self._rules.most_streams:
            raise TooManyStreams
        own = [stream for stream in streams if stream.session_id == session_id]
        for oldest in own[: max(0, len(own) + 1 - self._rules.most_of_a_session)]:
            oldest.end("elsewhere")
        stream = Stream(session_id=session_id, lang=lang)
        return self._events(self._unit(unit_id), stream, only_one=only_one)

    async def _events(self, unit: _Unit, stream: Stream, *, only_one: bool) -> AsyncIterator[bytes]:
        with self._changing:
            unit.streams.append(stream)
        self._end_beyond_limits(stream)
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

    def _end_beyond_limits(self, stream: Stream) -> None:
        """Of many streams requested at the same moment, the newest of the session stay; past the limit of the process,
        this one ends.
        """
        streams = self.streams
        own = [other for other in streams if other.session_id == stream.session_id and other.over is None]
        for oldest in own[: max(0, len(own) - self._rules.most_of_a_session)]:
            oldest.end("elsewhere")
        if len(streams) > self._rules.most_streams:
            stream.end("")

    async def _watch(self, unit: _Unit) -> None:
        """Reads and publishes for as long as a board of the unit is open."""
        loop = asyncio.get_running_loop()
        while unit.streams:
            begun = loop.time()
            langs = {stream.lang for stream in unit.streams}
            try:
                board = await unit.follow()
                drawn = await asyncio.to_thread(self._figures, board, langs)
            except Unavailable as fault:
                _log.warning("the live board is not updated: %s", fault)
                drawn = {lang: _event("trouble", {"part": fault.part}) for lang in langs}
            except Exception:  # noqa: BLE001  # a reading that fails must not end the loop: the next one is tried
                _log.exception("the live board cannot be drawn")
                drawn = {lang: _event("trouble", {"part": "page"}) for lang in langs}
            unit.drawn, unit.version = drawn, unit.version + 1
            for stream in unit.streams:
                stream.wake.set()
            await asyncio.sleep(max(0.1, self._rules.read_seconds - (loop.time() - begun)))
        unit.drawn = {}

    def _figures(self, board: LiveBoard, langs: set[Lang]) -> dict[Lang, bytes]:
        age = max(0.0, (self._services.real.now() - board.now.real_at).total_seconds())
        return {lang: _event("figures", {**self._draw(board, lang), "age": round(age, 1)}) for lang in langs}

    async def _guard(self) -> None:
        """Ends the streams whose session is over or whose account has changed, within `guard_seconds`."""
        while streams := self.streams:
            try:
                good = await asyncio.to_thread(
                    valid_sessions, self._services, [stream.session_id for stream in streams]
                )
            except Unavailable:
                good = {stream.session_id for stream in streams}  # without the database nobody can sign out
            except Exception:  # noqa: BLE001  # one look that fails must not end the loop: the next one is tried
                _log.exception("the sessions of open boards cannot be checked")
                good = {stream.session_id for stream in streams}
            for stream in streams:
                if stream.session_id not in good:
                    stream.end("signed_out")
            await asyncio.sleep(self._rules.guard_seconds)

    def _unit(self, unit_id: int | None) -> _Unit:
        with self._changing:
            known = self._units.get(unit_id)
            if known is None:
                old = time.monotonic() - _FORGET_SECONDS
                self._units = {
                    key: unit for key, unit in self._units.items() if unit.streams or unit.used_at > old
                }
                known = self._units[unit_id] = _Unit(self._readings, unit_id)
            return known


def _event(name: str, facts: Mapping[str, object]) -> bytes:
    return ServerSentEvent(event=name, data=json.dumps(facts, ensure_ascii=False), sep="\n").encode()


_LAG_SECONDS = 5.0
"""A part that is older than the rest by more than this shows its own time."""
_ALARM_KINDS = 3
_EXACT_BELOW, _MILLION = 100_000, 1_000_000
_COARSE_SPANS = ((172_800, 86_400), (36_000, 3_600), (600, 60))
"""From the first number of seconds on, a span is rounded down to a multiple of the second number."""
BOARD_FUNNEL: Mapping[str, str] = {
    "warnings": gettext_noop("Warnings"),
    "cases_rung": gettext_noop("Called"),
    "verified_contact": gettext_noop("Reached"),
    "dissuaded": gettext_noop("Dissuaded"),
}
BOARD_OPENS: Mapping[str, Permission] = {
    "/cases": Permission.SEE_CASES,
    "/overdue": Permission.SEE_CASES,
    "/visits": Permission.WORK_VISITS,
    "/rates": Permission.SEE_RATES,
    "/control": Permission.SEE_CONTROL,
}
"""The pages that figures of the board open. All boards are sent one drawing: each takes out the links that its reader
may not follow.
"""
BOARD_PARTS: Mapping[str, str] = {
    "tick": gettext_noop("tick"),
    "sweep": gettext_noop("due cases checked"),
    "dial": gettext_noop("dialled"),
    "reconcile": gettext_noop("calls reconciled"),
    CONSISTENCY_PART: gettext_noop("consistency check"),
    "schema": gettext_noop("database migrated"),
}


def short_number(value: int, lang: Lang) -> str:
    """Exact below a hundred thousand; above, as many digits as can be read from a distance."""
    if value < _EXACT_BELOW:
        return f"{value:,}"
    if lang is Lang.ZH:
        return f"{value / 10_000:,.1f}万"
    return f"{value / _MILLION:,.2f}M" if value >= _MILLION else f"{value / 1_000:,.1f}k"


def short_span(seconds: float | None, lang: Lang) -> str:
    """As `format_span`, the coarser the longer: 4 min 20 s, 23 min, 2 days; '—' for None."""
    if seconds is None:
        return "—"
    for limit, unit in _COARSE_SPANS:
        if seconds >= limit:
            return format_span(seconds // unit * unit, lang)
    return format_span(seconds, lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeTile:
    """One grade: the cases in the queue, and the time to the first call today."""

    grade: Grade
    due: int
    """Waiting for a line."""
    calling: int
    later: int
    oldest_seconds: float | None
    is_late: bool
    """The oldest has waited longer than the policy allows."""
    limit_seconds: int
    p50_seconds: float | None
    p90_seconds: float | None
    is_slow: bool

    @property
    def under_way(self) -> int:
        """Calls that are due or at the carrier."""
        return self.due + self.calling


def board_facts(services: Services, board: LiveBoard, lang: Lang) -> dict[str, Any]:
    """What the template needs to draw this reading."""
    total = board.today.figures.total if board.today is not None else None
    counts = total.counts if total is not None else None
    now, hour, visits = board.now, board.hour, board.now.work[Track.VISIT].stages
    kinds = sorted(now.alarms, key=lambda alarm: -alarm.count)
    oldest_minute = hour.at - timedelta(minutes=len(hour.sent) - 1)
    return {
        "board": board,
        "opens": list(BOARD_OPENS),
        "queue_lags": (board.at - board.queue.at).total_seconds() > _LAG_SECONDS,
        "tiles": [_tile(services, board, grade) for grade in Grade],
        "short": lambda value: short_number(value, lang),
        "counts": counts,
        "funnel": [(text, getattr(counts, name)) for name, text in BOARD_FUNNEL.items()] if counts else [],
        "answered_share": counts.cases_answered / counts.cases_rung if counts and counts.cases_rung else None,
        "brief": lambda seconds: short_span(seconds, lang),
        "amounts": [
            (kind, total.amounts[kind].approved_fen + total.amounts[kind].unapproved_fen)
            for kind in (AmountKind.STOPPED, AmountKind.INTENDED)
            if total is not None and kind in total.amounts
        ],
        "human": now.work[Track.HUMAN],
        "visit_work": now.work[Track.VISIT],
        "stages": [
            (VisitStage.ACCEPTED, visits[VisitStage.ACCEPTED]),
            (VisitStage.ON_THE_WAY, visits[VisitStage.ON_THE_WAY]),
            (VisitStage.ARRIVED, visits[VisitStage.ARRIVED] + visits[VisitStage.SEEN]),
        ],
        "alarms": sum(alarm.count for alarm in now.alarms),
        "alarm_kinds": kinds[:_ALARM_KINDS],
        "other_alarms": sum(alarm.count for alarm in kinds[_ALARM_KINDS:]),
        "alarm_word": lambda code: stored_word(AlarmCode, code, lang),
        "all_paused": next((pause for pause in now.pauses if pause.scope is PauseScope.ALL), None),
        "parts": [(say(lang, BOARD_PARTS[name]), now.system.parts_seconds.get(name)) for name in WORK_PARTS],
        "minutes": [
            (oldest_minute + timedelta(minutes=n), sent, answered)
            for n, (sent, answered) in enumerate(zip(hour.sent, hour.answered, strict=True))
        ][::-1],
        "chart": {"sent": list(hour.sent), "answered": list(hour.answered)},
        "late_parts": ("、" if lang is Lang.ZH else ", ").join(
            say(lang, BOARD_PARTS.get(name, name)) for name in now.system.late
        ),
    }


def draw_board(pages: Pages, services: Services, board: LiveBoard, lang: Lang) -> Mapping[str, object]:
    """What an open board is sent of this reading."""
    reader = PlainReader(lang=lang, now=board.at)
    facts = board_facts(services, board, lang)
    return {
        "board": pages.render(reader, BOARD_TEMPLATE, facts, block="board"),
        "minutes": facts["chart"],
        "clock": pages.render(reader, BOARD_TEMPLATE, facts, block="clock"),
        "look": board_version(),
    }


def board_version() -> str:
    """Changes with the page's own files: an open board then reloads itself."""
    return static("console/board.css")[-12:] + static("console/board.js")[-12:]


def _tile(services: Services, board: LiveBoard, grade: Grade) -> GradeTile:
    waiting, limit = board.queue.waiting[grade], services.policies.newest.of(grade).first_attempt_seconds
    today = board.today.figures.slices.get(grade.value) if board.today is not None else None
    p50 = today.first_attempt.p50_seconds if today is not None else None
    p90 = today.first_attempt.p90_seconds if today is not None else None
    oldest = None if waiting.oldest_at is None else (board.queue.at - waiting.oldest_at).total_seconds()
    return GradeTile(
        grade=grade,
        due=waiting.due,
        calling=board.queue.calling[grade],
        later=waiting.later,
        oldest_seconds=oldest,
        is_late=oldest is not None and oldest > limit,
        limit_seconds=limit,
        p50_seconds=p50,
        p90_seconds=p90,
        is_slow=p90 is not None and p90 > limit,
    )


board_pages = PageSection()
_making_feed = threading.Lock()


@board_pages.get(
    "/board", act=Permission.SEE_BOARD, nav=gettext_noop("Live board"), order=10, while_idle=True
)
def show_board(request: CurrentRequest) -> Response:
    """The page, with a first reading in it."""
    unit_id = request.member.unit_id
    units = [] if unit_id is None else list_units(request.services, visible_to=unit_id)
    board = _feed(request).read(unit_id)
    facts = board_facts(request.services, board, request.lang)
    facts["opens"] = [path for path, act in BOARD_OPENS.items() if request.may(act)]
    return request.page(
        BOARD_TEMPLATE,
        unit_name=next((unit.name for unit in units if unit.id == unit_id), ""),
        look=board_version(),
        **facts,
    )


@board_pages.get("/board/live", act=Permission.SEE_BOARD, while_idle=True)
async def stream_board(request: CurrentRequest) -> Response:
    """The event stream if the client accepts one, else a single reading of it."""
    assert request.session is not None
    try:
        events = _feed(request).events(
            session_id=request.session.id,
            unit_id=request.member.unit_id,
            lang=request.lang,
            only_one=not wants_events(request.request),
        )
    except TooManyStreams:
        return Response(status_code=503, headers={"Retry-After": "15"})
    return EventStream(events)


def _feed(request: RequestContext) -> BoardFeed:
    """The feed of this application, made for its first board."""
    state = request.request.app.state
    with _making_feed:
        if not hasattr(state, "board_feed"):
            context: ConsoleContext = state.console_context
            app = context.app
            state.board_feed = BoardFeed(
                app.services,
                late_seconds=app.settings.scheduler.late_seconds,
                rules=FeedRules(patience_seconds=app.settings.console.patience_seconds),
                draw=partial(draw_board, context.pages, app.services),
            )
            context.closing.join(state.board_feed.stop)
    feed: BoardFeed = state.board_feed
    return feed
