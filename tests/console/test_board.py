"""The live board: its figures, its unit, its feed, and how its streams end."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

from dialer.calls.pauses import pause_calls
from dialer.control.board import (
    BoardFeed,
    FeedRules,
    LiveBoard,
    TooManyStreams,
    board_facts,
    short_number,
    short_span,
)
from dialer.core.access import Role, unrestricted
from dialer.core.case import CaseStatus
from dialer.core.events import AlarmCode
from dialer.core.text import Lang
from dialer.core.values import Contact, Grade, PauseScope
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from dialer.db.system_state import note_cycle_part
from dialer.org.accounts import change_staff
from dialer.runtime.location import free_port
from dialer.runtime.services import Application
from dialer.server.application import create_app
from dialer.staff.store import end_session, valid_session_ids
from dialer.web.console import SESSION_COOKIE, ShutdownHooks
from tests.console.desk import ConsoleDesk, Person, text
from tests.console.town import ConsoleScenario
from tests.outcomes.town import MORNING

EVENTS = {"Accept": "text/event-stream"}


def waits(scenario: ConsoleScenario, grade: Grade, *, minutes: float, **columns: Any) -> int:  # noqa: ANN401 - columns of a case
    """A case whose ring might have left `minutes` ago; negative: may leave in as many."""
    at = MORNING - timedelta(minutes=minutes)
    return scenario.case(
        grade=grade, robot_state="pending", robot_at=at, opened_at=min(at, MORNING), due_at=None, **columns
    )


def in_use(scenario: ConsoleScenario, attempt_id: uuid.UUID) -> None:
    """The call holds a line."""
    with scenario.store.begin() as tx:
        tx.execute(sa.insert(t.live_number).values(phone_blind=attempt_id.bytes, attempt_id=attempt_id))


MOST_BYTES = 300_000


async def test_a_first_visit_weighs_little_and_a_later_one_asks_for_the_page_alone(console: ConsoleDesk):
    client = console.person(Role.SUPERVISOR).client
    page = await client.get("/board")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    answers = [await client.get(file) for file in files]
    sent = [int(answer.headers["content-length"]) for answer in answers]
    assert 0 < sum(sent) + len(page.content) < MOST_BYTES // 2
    for answer in answers:
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"


async def test_its_figures_open_the_pages_that_the_reader_has(console: ConsoleDesk):
    def opened(page: str) -> set[str]:
        return set(re.findall(r'class="board-to" href="(/[a-z]+)', page))

    chief, officer = console.person(Role.SUPERVISOR), console.person(Role.OFFICER)
    assert opened((await chief.get("/board")).text) - {"/rates"} == {
        "/cases",
        "/overdue",
        "/visits",
        "/control",
    }
    page = (await officer.get("/board")).text
    assert opened(page) == {"/cases", "/overdue", "/visits"}
    assert 'data-opens="/cases /overdue /visits"' in page
    keeper = console.person(Role.SECURITY_ADMINISTRATOR)
    assert opened((await keeper.get("/board")).text) == set()


async def test_a_static_file_is_sent_as_the_browser_takes_it(console: ConsoleDesk):
    client = console.person(Role.SUPERVISOR).client
    path = "/static/console/board.js"
    packed = await client.get(path)
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    part = await client.get(path, headers={"Range": "bytes=0-9"})
    assert packed.content == plain.content
    assert part.content == plain.content[:10]
    assert "content-encoding" not in plain.headers
    assert {answer.headers["vary"] for answer in (packed, plain, part)} == {"Accept-Encoding"}
    again = await client.get(path, headers={"If-None-Match": packed.headers["etag"]})
    assert again.status_code == 304


async def test_the_queue_is_shown_by_grade_with_its_longest_wait(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    for minutes in (4, 2, -30):
        waits(scenario, Grade.EXTRA_HIGH, minutes=minutes)
    ringing = waits(scenario, Grade.HIGH, minutes=9)
    in_use(scenario, scenario.attempt(ringing, result=None))
    answer = await console.person(Role.SUPERVISOR).get("/board")
    assert answer.status_code == 200
    said = text(answer)
    assert "extra high waiting or being called 2 waiting 2 calling 0 longest 4 min Scheduled 1" in said
    assert "high waiting or being called 1 waiting 0 calling 1 longest — Scheduled 0" in said
    assert "10:00:00" in said


async def test_a_wait_beyond_the_policy_is_marked(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    waits(scenario, Grade.EXTRA_HIGH, minutes=2)
    waits(scenario, Grade.LOW, minutes=2)
    answer = await console.person(Role.OFFICER).get("/board")
    assert answer.text.count('<dd class="trouble">2 min</dd>') == 1


async def test_work_calls_alarms_and_the_day_are_counted(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    rung = scenario.case(status=CaseStatus.WATCHING, contact=Contact.VERIFIED, outcome="dissuaded_by_phone")
    scenario.attempt(rung, result="answered", sent_at=MORNING - timedelta(minutes=1), contact="verified")
    scenario.outcome(rung, stopped_fen=1_234_500)
    silent = scenario.case()
    scenario.attempt(silent, sent_at=MORNING - timedelta(minutes=3))
    scenario.assignment(silent, kind="human", due_at=MORNING - timedelta(minutes=1))
    scenario.assignment(
        silent, kind="visit", state="signed", stage="on_the_way", signed_at=MORNING, signed_by="wu"
    )
    with scenario.store.begin() as tx:
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=silent)
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
    said = text(await console.person(Role.SUPERVISOR).get("/board"))
    assert "Answer rate today 50 % 1 of 2 people called" in said
    assert "Overdue 1 human calls 1 / 1 visits 0 / 1 of them not signed for 0" in said
    assert "Alarms 2" in said
    assert "Warnings 2 Called 2 Reached 1 Dissuaded 1" in said
    assert "¥12,345" in said
    assert "on the way 1" in said
    assert "09:59 1 1" in said
    assert "09:57 1 0" in said


async def test_its_alarms_add_up_and_its_overdue_holds_what_nobody_signed_for(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    late = {"kind": "visit", "sign_by": MORNING - timedelta(minutes=1)}
    scenario.assignment(scenario.case(), **late)
    scenario.assignment(scenario.case(), **late, kept_until=MORNING + timedelta(minutes=9))
    scenario.assignment(scenario.case(), kind="visit", state="signed", signed_at=MORNING, signed_by="wu")
    codes = (
        AlarmCode.HUMAN_OVERDUE,
        AlarmCode.VISIT_OVERDUE,
        AlarmCode.REFUSED_IN_PERSON,
        AlarmCode.CANNOT_FIND,
        AlarmCode.CANNOT_FIND,
    )
    with scenario.store.begin() as tx:
        for minute, code in enumerate(codes):
            raise_alarm(tx, code, now=MORNING - timedelta(minutes=minute), case_id=scenario.case())
    said = text(await console.person(Role.SUPERVISOR).get("/board"))
    assert "Overdue 1 human calls 0 / 0 visits 1 / 3 of them not signed for 1" in said
    assert re.search(r"Alarms 5 2 .+ 1 .+ 1 .+ 1 other alarms", said)
    assert "signed for 1 on the way 0" in said


async def test_no_part_is_later_than_the_clock(console: ConsoleDesk):
    board = feed_of(console.app, QUICK).read(None)
    late = replace(board, hour=replace(board.hour, at=board.now.at + timedelta(seconds=9)))
    assert late.at == late.hour.at
    assert (board.today is None) or board.at >= board.today.at


async def test_a_unit_sees_its_own_and_the_centre_s_lines(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    county = scenario.unit("临河")
    station = scenario.unit("新华所", county)
    elsewhere = scenario.unit("五原")
    for unit_id in (station, elsewhere, elsewhere, None):
        case_id = waits(scenario, Grade.HIGH, minutes=1, unit_id=unit_id)
        scenario.assignment(case_id, unit_id=unit_id, due_at=MORNING - timedelta(minutes=1))
        with scenario.store.begin() as tx:
            raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=case_id)
    with scenario.store.begin() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_TROUBLE, now=MORNING)
        raise_alarm(tx, AlarmCode.REJECTED_HIGH_ROW, now=MORNING, load_id=1)
    own = text(await console.person(Role.OFFICER, unit_id=county).get("/board"))
    assert "临河 with all below it" in own
    assert "high waiting or being called 1" in own
    assert "Overdue 1" in own
    assert "Alarms 2" in own
    assert "Warnings 1" in own
    assert "Lines in use whole centre 0 / 24" in own
    whole = text(await console.person(Role.OFFICER).get("/board"))
    assert "high waiting or being called 4" in whole
    assert "Overdue 4" in whole
    assert "Alarms 6" in whole


async def test_the_reason_why_dialling_has_stopped_is_shown(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        tx.execute(
            sa.update(t.line_group).values(
                troubles=7, openings=2, opened_at=MORNING, slow_until=MORNING + timedelta(seconds=40)
            )
        )
    pause_calls(console.app.services, unrestricted("zhao"), scope=PauseScope.ALL, minutes=30, why="line test")
    said = text(await console.person(Role.CALLER).get("/board"))
    assert "The telephone network is down: dialling has stopped. Next trial call in 40 s." in said
    assert "All dialling is paused until 10:30: line test (zhao)" in said


async def test_outside_the_window_it_says_when_robots_call_again(console: ConsoleDesk):
    console.clock.set(MORNING + timedelta(hours=13))
    said = text(await console.person(Role.CALLER).get("/board"))
    assert "robots call again at 26 Nov 09:00" in said


def test_numbers_stay_short_enough_to_be_read():
    assert [short_number(n, Lang.EN) for n in (99_999, 123_456, 1_234_567)] == ["99,999", "123.5k", "1.23M"]
    assert [short_number(n, Lang.ZH) for n in (99_999, 123_456)] == ["99,999", "12.3万"]


def test_long_ages_are_rounded():
    told = [short_span(seconds, Lang.EN) for seconds in (None, 80, 599, 1_435, 40_000, 200_000)]
    assert told == ["—", "1 min 20 s", "9 min 59 s", "23 min", "11 h", "2 days"]


async def test_an_older_part_shows_its_time(console: ConsoleDesk):
    """Counting a million takes long, so it is done less often."""
    ConsoleScenario(console)
    feed = feed_of(console.app, replace(QUICK, fresh_seconds=60.0))
    board = feed.read(None)
    later = replace(board, now=replace(board.now, at=board.now.at + timedelta(seconds=9)))
    assert board_facts(console.app.services, later, Lang.EN)["queue_lags"]
    assert not board_facts(console.app.services, board, Lang.EN)["queue_lags"]


def told(body: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream, each with its facts."""
    found = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], json.loads(fields.get("data") or "{}")))
    return found


async def test_a_client_that_accepts_no_stream_gets_one_reading(console: ConsoleDesk):
    ConsoleScenario(console)
    answer = await console.person(Role.OFFICER).get("/board/live")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    [(name, figures)] = told(answer.text)
    assert name == "figures"
    assert figures["clock"] == "10:00:00"
    assert 'data-part="tiles"' in figures["board"]
    assert len(figures["minutes"]["sent"]) == 60


def draw(board: LiveBoard, lang: Lang) -> dict[str, object]:
    return {"at": board.now.at.isoformat(), "lang": lang.value}


QUICK = FeedRules(read_seconds=0.3, fresh_seconds=0.2, beat_seconds=0.5, guard_seconds=0.2)


def feed_of(app: Application, rules: FeedRules = QUICK) -> BoardFeed:
    return BoardFeed(app.services, late_seconds=120.0, draw=draw, rules=rules)


def session(console: ConsoleDesk) -> int:
    """The id of a new one."""
    console.signed_in(console.account(Role.OFFICER, login=f"o{len(console.rows(t.staff))}"))
    return int(console.rows(t.staff_session)[-1]["id"])


async def next_of(events: AsyncIterator[bytes], name: str) -> dict[str, Any]:
    """The next event of this name."""
    while True:
        for found, given in told((await asyncio.wait_for(anext(events), 15)).decode()):
            if found == name:
                return given


async def close(*pages: AsyncIterator[bytes]) -> None:
    for page in pages:
        assert isinstance(page, AsyncGenerator)
        await page.aclose()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110  # it is another task of the library that changes it
            await asyncio.sleep(0.02)


async def test_of_many_boards_asked_for_at_once_a_session_keeps_its_newest(console: ConsoleDesk):
    feed = feed_of(console.app, QUICK)
    session_id = session(console)
    pages = [feed.events(session_id=session_id, unit_id=None, lang=Lang.ZH) for _ in range(12)]
    for page in pages:
        await anext(page)
    live = [stream for stream in feed.streams if stream.over is None]
    assert len(live) == QUICK.most_of_a_session
    await close(*pages)


async def test_a_hundred_pages_cost_one_reading_and_no_page_costs_none(console: ConsoleDesk):
    readings = 0

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal readings
        readings += "FROM line_group" in statement

    sa.event.listen(console.app.services.store.sql_engine, "before_cursor_execute", count)
    feed = feed_of(console.app, replace(QUICK, most_of_a_session=100))
    session_id = session(console)
    pages = [feed.events(session_id=session_id, unit_id=None, lang=Lang.ZH) for _ in range(100)]
    for so_far in (2, 4):
        for page in pages:
            await next_of(page, "figures")
        assert readings <= so_far
    await close(*pages)
    await asyncio.sleep(0.7)
    before = readings
    await asyncio.sleep(0.9)
    assert readings == before


async def test_a_silent_database_is_reported_and_the_feed_recovers(console: ConsoleDesk):
    session_id, gone = session(console), True

    def refuse(*_given: object) -> None:
        if gone:
            raise sa.exc.OperationalError("", None, Exception("gone"))

    sa.event.listen(console.app.services.store.sql_engine, "before_cursor_execute", refuse)
    events = feed_of(console.app).events(session_id=session_id, unit_id=None, lang=Lang.EN)
    assert await next_of(events, "trouble") == {"part": "database"}
    gone = False
    assert (await next_of(events, "figures"))["lang"] == "en"
    await close(events)


async def test_between_readings_a_beat_says_that_the_server_is_there(console: ConsoleDesk):
    rules = replace(QUICK, read_seconds=60.0, beat_seconds=0.1)
    events = feed_of(console.app, rules).events(session_id=session(console), unit_id=None, lang=Lang.EN)
    await next_of(events, "figures")
    await next_of(events, "beat")
    await next_of(events, "beat")
    await close(events)


async def test_one_page_too_many_of_a_session_ends_its_oldest(console: ConsoleDesk):
    feed, mine, somebody = feed_of(console.app), session(console), session(console)
    own = [feed.events(session_id=mine, unit_id=None, lang=Lang.ZH) for _ in range(4)]
    other = feed.events(session_id=somebody, unit_id=None, lang=Lang.ZH)
    for page in [*own, other]:
        await next_of(page, "figures")
    late = feed.events(session_id=mine, unit_id=None, lang=Lang.ZH)
    assert await next_of(own[0], "over") == {"why": "elsewhere"}
    for page in (late, own[1], other):
        await next_of(page, "figures")
    await close(*own, other, late)


async def test_a_process_feeds_so_many_pages_and_none_when_it_stops(console: ConsoleDesk):
    feed, session_id = feed_of(console.app, replace(QUICK, most_streams=2)), session(console)
    pages = [feed.events(session_id=session_id, unit_id=None, lang=Lang.ZH) for _ in range(2)]
    for page in pages:
        await next_of(page, "figures")
    with pytest.raises(TooManyStreams):
        feed.events(session_id=session_id, unit_id=None, lang=Lang.ZH)
    feed.stop()
    for page in pages:
        assert "over" not in [
            name for piece in [one async for one in page] for name, _ in told(piece.decode())
        ]
    with pytest.raises(TooManyStreams):
        feed.events(session_id=session_id, unit_id=None, lang=Lang.ZH)


async def test_a_stream_ends_with_its_session(console: ConsoleDesk):
    session_id = session(console)
    events = feed_of(console.app).events(session_id=session_id, unit_id=None, lang=Lang.ZH)
    await next_of(events, "figures")
    with console.app.services.store.begin() as tx:
        end_session(tx, session_id, real_now=console.clock.now())
    assert await next_of(events, "over") == {"why": "signed_out"}
    await close(events)


async def test_sessions_are_checked_again_after_a_fault_that_nobody_expected(
    console: ConsoleDesk, monkeypatch: pytest.MonkeyPatch
):
    looks = iter([ZeroDivisionError()])

    def none_is_valid(*_: object) -> set[int]:
        fault = next(looks, None)
        if fault is not None:
            raise fault
        return set()

    monkeypatch.setattr("dialer.control.board.valid_sessions", none_is_valid)
    events = feed_of(console.app).events(session_id=session(console), unit_id=None, lang=Lang.ZH)
    assert await next_of(events, "over") == {"why": "signed_out"}
    await close(events)


async def test_a_stream_ends_when_the_role_or_the_unit_of_its_account_changes(console: ConsoleDesk):
    station = ConsoleScenario(console).unit("临河区")
    for role, unit_id in ((Role.CALLER, None), (Role.OFFICER, station)):
        session_id = session(console)
        member = console.rows(t.staff)[-1]
        events = feed_of(console.app).events(session_id=session_id, unit_id=None, lang=Lang.ZH)
        await next_of(events, "figures")
        change_staff(
            console.app.services,
            unrestricted("cli"),
            member["login"],
            display_name="another name",
            role=role,
            unit_id=unit_id,
            revision=member["revision"],
        )
        assert await next_of(events, "over") == {"why": "signed_out"}
        await close(events)


@asynccontextmanager
async def served(app: Application, closing: ShutdownHooks) -> AsyncIterator[str]:
    port = free_port()
    config = uvicorn.Config(create_app(app, closing), port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    closing.begin()
    server.should_exit = True
    async with asyncio.timeout(5):
        await running


@asynccontextmanager
async def looking(url: str, person: Person) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
    async with (
        httpx.AsyncClient(base_url=url, cookies={SESSION_COOKIE: person.token}, timeout=15) as client,
        client.stream("GET", "/board/live", headers=EVENTS) as answer,
    ):
        assert answer.status_code == 200

        async def events() -> AsyncIterator[tuple[str, dict[str, Any]]]:
            rest = ""
            async for piece in answer.aiter_text():
                rest += piece
                while "\n\n" in rest:
                    block, rest = rest.split("\n\n", 1)
                    for one in told(block + "\n\n"):
                        yield one

        yield events()


async def test_figures_move_when_a_warning_arrives(console: ConsoleDesk):
    scenario = ConsoleScenario(console)
    person = console.person(Role.SUPERVISOR)
    async with served(console.app, ShutdownHooks()) as url, looking(url, person) as events:
        name, figures = await anext(events)
        assert name == "figures"
        assert "tile-extra_high tile-none" in figures["board"]
        waits(scenario, Grade.EXTRA_HIGH, minutes=1)
        async with asyncio.timeout(10):
            while "tile-extra_high tile-none" in figures["board"]:
                name, figures = await anext(events)


async def test_an_expired_session_and_a_closed_account_end_it_too(console: ConsoleDesk):
    one, other = console.person(Role.SUPERVISOR), console.person(Role.OFFICER)
    ids = [row["id"] for row in console.rows(t.staff_session)]
    with console.app.services.store.begin() as tx:
        assert valid_session_ids(tx, ids, real_now=console.clock.now()) == set(ids)
        tx.execute(sa.update(t.staff).where(t.staff.c.id == one.member.id).values(disabled_at=MORNING))
        still = valid_session_ids(tx, ids, real_now=console.clock.now())
        assert len(still) == 1
        late = console.clock.now() + timedelta(seconds=console.app.settings.console.session_seconds)
        assert valid_session_ids(tx, still, real_now=late) == set()
    assert other.member.id


async def test_a_process_that_stops_ends_its_streams_at_once(console: ConsoleDesk):
    closing = ShutdownHooks()
    person = console.person(Role.SUPERVISOR)
    async with served(console.app, closing) as url, looking(url, person) as events:
        await anext(events)
        begun = asyncio.get_running_loop().time()
        closing.begin()
        async with asyncio.timeout(5):
            assert [name async for name, _ in events if name == "over"] == []
        assert asyncio.get_running_loop().time() - begun < 1.0


async def test_a_board_goes_on_in_an_idle_session_and_nothing_else_does(console: ConsoleDesk):
    person = console.person(Role.SUPERVISOR)
    console.pass_seconds(console.app.settings.console.idle_seconds + 1)
    assert (await person.get("/board")).status_code == 200
    assert (await person.get("/board/live")).status_code == 200
    console.pass_seconds(console.app.settings.console.session_seconds)
    assert (await person.get("/board")).headers["location"].startswith("/sign-in")


async def test_an_open_board_does_not_use_its_session(console: ConsoleDesk):
    person = console.person(Role.SUPERVISOR)
    half = console.app.settings.console.idle_seconds * 0.6
    for _ in range(2):
        console.pass_seconds(half)
        assert (await person.get("/board")).status_code == 200
    assert (await person.get("/account")).status_code == 303


def test_the_last_cycle_is_shown_as_noted(console_app: Application):
    with console_app.services.store.begin() as tx:
        note_cycle_part(tx, "cycle", began_at=MORNING, real_now=MORNING)
    found = feed_of(console_app).read(None)
    assert found.now.system.cycle_seconds == 0


async def test_all_boards_of_a_process_share_one_feed(console: ConsoleDesk):
    person = console.person(Role.SUPERVISOR)
    pages = console.web.routes[-1].app
    await person.get("/board")
    feed = pages.state.board_feed
    await person.get("/board")
    assert pages.state.board_feed is feed
