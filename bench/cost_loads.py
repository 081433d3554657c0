"""The loads whose cost is counted. Each is done on a copy of a filled city: first a little of it, so that what is made
once for a process is made, and then the part that counts.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TypeVar

import httptools
import sqlalchemy as sa
from starlette.types import ASGIApp, Message

from bench import people
from bench.cards_speed import OUTLETS, fill_openings, record
from bench.cost_counting import Cost
from bench.cost_town import NOW, Place, Scene
from bench.signals import Signals, list_mules
from bench.tick import Round
from dialer.calls.dial import dial
from dialer.cards.counter.actions import check_opening
from dialer.control.overview import board_hour, board_now, board_queue, board_today
from dialer.core.access import unrestricted
from dialer.figures.report import make_report
from dialer.server.application import create_app
from dialer.signals.deliveries import SignalReception, take_signals
from dialer.signals.robot import WarningRobot
from dialer.telephony.client import CallClient
from dialer.warnings.lists import load_list, submit_list
from tests.virtual_time import VirtualLoop

_Made = TypeVar("_Made")
_CALLS_TOGETHER, _LIVES_TOGETHER, _SIGNALS_TOGETHER = 50, 10, 100
_SIGNALS_PER_SECOND = 100.0
"""Of which two a second pay to a listed account."""
_PATIENCE_SECONDS = 120.0
_HEARD_SECONDS, _GOODBYE_SECONDS = 30.0, 10.0
_ATTEMPT = re.compile(rb"hooks%2Fcall%2F([0-9a-f-]{36})")
_ACTION = re.compile(r'<Gather[^>]* action="([^"]+)"')


class Carrier(asyncio.Protocol):
    """Accepts every order at once, on the loop of its client: no time passes between order and answer."""

    def __init__(self, carrier: Orders) -> None:
        self._orders = carrier
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        sid = self._orders.take(self._body)
        self._body = b""
        body = f'{{"sid": "{sid}", "status": "queued"}}'.encode()
        head = (
            f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)  # type: ignore[attr-defined]


class Orders:
    """The calls that were ordered, by attempt."""

    def __init__(self) -> None:
        self.sids: dict[str, str] = {}

    def take(self, order: bytes) -> str:
        attempt_id = _ATTEMPT.findall(order)[0].decode()
        self.sids[attempt_id] = f"CA{len(self.sids):032x}"
        return self.sids[attempt_id]


@asynccontextmanager
async def _client(place: Place, orders: Orders) -> AsyncIterator[CallClient]:
    server = await asyncio.get_running_loop().create_server(lambda: Carrier(orders), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = replace(place.app.telephony, base_url=f"http://127.0.0.1:{port}")
    async with CallClient(config) as client:
        yield client
    server.close()


async def _place_calls(place: Place, client: CallClient, count: int) -> None:
    """So many calls in batches, a second apart."""
    for _ in range(0, count, _CALLS_TOGETHER):
        left = [min(_CALLS_TOGETHER, count)]

        def allowed(_tx: object, left: list[int] = left) -> int:
            return left.pop() if left else 0

        await dial(place.app.services, client, for_seconds=60.0, stopping=lambda: False, allowed=allowed)
        place.clock.advance(1.0)


def dispatch(place: Place, count: int = 500) -> Cost:
    """Claim, fence, POST and what the carrier said."""

    async def work() -> Cost:
        orders = Orders()
        async with _client(place, orders) as client:
            await _place_calls(place, client, _CALLS_TOGETHER)
            with place.meter.counting(place.app.services.store) as cost:
                await _place_calls(place, client, count)
        _require(len(orders.sids), _CALLS_TOGETHER + count)
        return cost

    return _run(work)


def place_some(place: Place, count: int) -> None:
    """As `dispatch`, uncounted."""

    async def work() -> None:
        async with _client(place, Orders()) as client:
            await _place_calls(place, client, count)

    _run(work)


def _run(work: Callable[[], Awaitable[_Made]]) -> _Made:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())  # type: ignore[arg-type]


def _require(found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"{found} instead of {wanted}")


async def ask(
    web: ASGIApp, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """One request to the application, without a server: status and body of the answer."""
    at, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": at, "raw_path": at.encode(), "root_path": "", "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1"), *((k.lower().encode(), v.encode()) for k, v in (headers or {}).items())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    sent: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    over = asyncio.Event()
    status, found = 0, b""

    async def receive() -> Message:
        if sent:
            return sent.pop()
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, found
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            found += message.get("body", b"")
            if not message.get("more_body"):
                over.set()

    async with asyncio.timeout(_PATIENCE_SECONDS):
        await web(scope, receive, send)
    return status, found


class Webhooks:
    """The carrier's side of the webhooks of some calls."""

    def __init__(self, place: Place, web: ASGIApp) -> None:
        self._web = web
        self._clock = place.clock
        self._telephony = place.app.telephony

    async def post(self, path: str, form: Mapping[str, str]) -> str:
        signed = self._telephony.public_url.rstrip("/") + path + "".join(k + form[k] for k in sorted(form))
        digest = hmac.digest(self._telephony.auth_token.encode(), signed.encode(), "sha1")
        headers = {
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in form.items())
        status, answer = await ask(self._web, "POST", path, body=body.encode(), headers=headers)
        if status not in {200, 204}:
            raise SystemExit(f"{path} answered {status}")
        return answer.decode()

    async def live(self, calls: Sequence[tuple[str, str]]) -> None:
        """These calls (attempt, sid) ring, are answered, hear the first turn, press 2 and end."""
        await self._status(calls, "initiated", 0)
        await self._status(calls, "ringing", 1)
        await self._status(calls, "in-progress", 2)
        turns = await self._all(calls, "call", "/0/start", CallStatus="in-progress")
        await self._all(calls, "amd", "", AnsweredBy="human")
        # A key counts only after its question has been heard.
        self._clock.advance(_HEARD_SECONDS)
        await asyncio.gather(
            *(
                self.post(self._action(turn), self._form(sid, CallStatus="in-progress", Digits="2"))
                for (_, sid), turn in zip(calls, turns, strict=True)
            )
        )
        self._clock.advance(_GOODBYE_SECONDS)
        await self._status(calls, "completed", 3, CallDuration=f"{_HEARD_SECONDS + _GOODBYE_SECONDS:.0f}")

    async def _status(self, calls: Sequence[tuple[str, str]], word: str, number: int, **more: str) -> None:
        await self._all(calls, "status", "", CallStatus=word, SequenceNumber=str(number), **more)

    async def _all(self, calls: Sequence[tuple[str, str]], hook: str, rest: str, **form: str) -> list[str]:
        """All at once, on one web process; the answers in the same order."""
        return list(
            await asyncio.gather(
                *(
                    self.post(f"/hooks/{hook}/{attempt}{rest}", self._form(sid, **form))
                    for attempt, sid in calls
                )
            )
        )

    def _form(self, sid: str, **more: str) -> dict[str, str]:
        account = self._telephony.account_sid
        return {"CallSid": sid, "AccountSid": account, "From": "+8647896110", "To": "+8613800000001", **more}

    def _action(self, turn: str) -> str:
        found = _ACTION.search(turn)
        if found is None:
            raise SystemExit(f"no question in {turn}")
        address = found[1].replace("&amp;", "&").partition("#")[0]
        return address.removeprefix(self._telephony.public_url.rstrip("/"))


def lives(place: Place, count: int = 300) -> Cost:
    """From the list to the ledger: planned, placed, four status webhooks, the verdict, a script with a key."""

    async def work() -> Cost:
        orders, store = Orders(), place.app.services.store
        hooks = Webhooks(place, create_app(place.app))
        async with _client(place, orders) as client:
            await _live(place, client, orders, hooks, 0, _CALLS_TOGETHER)
            with place.meter.counting(store) as cost:
                await _live(place, client, orders, hooks, _CALLS_TOGETHER, count)
        with store.begin() as tx:
            ended = tx.scalar(sa.text("SELECT count(*) FROM outcome WHERE at >= :now"), {"now": NOW})
        _require(ended, count + _CALLS_TOGETHER)
        return cost

    return _run(work)


async def _live(
    place: Place, client: CallClient, orders: Orders, hooks: Webhooks, first: int, count: int
) -> None:
    await asyncio.to_thread(load_rows, place, first, count)
    known = set(orders.sids)
    await _place_calls(place, client, count)
    calls = [(attempt, sid) for attempt, sid in orders.sids.items() if attempt not in known]
    for n in range(0, len(calls), _LIVES_TOGETHER):
        await hooks.live(calls[n : n + _LIVES_TOGETHER])
        place.clock.advance(1.0)


def load_rows(place: Place, first: int, count: int) -> None:
    """A list of so many people, through the actions of the console and the worker."""
    content = BytesIO((people.HEADING + "".join(people.rows(count, grade="低危", first=first))).encode())
    load_id = submit_list(
        place.app.services, unrestricted("bench"), content, filename=f"list{first}.csv", source="bench"
    )
    if not load_list(place.app.services, load_id):
        raise SystemExit("the list was not loaded")


def rows(place: Place, count: int = 3_000) -> Cost:
    """A list is submitted and loaded."""
    load_rows(place, 0, 100)
    with place.meter.counting(place.app.services.store) as cost:
        load_rows(place, 100, count)
    return cost


def signals(place: Place, count: int = 2_000) -> Cost:
    """Signals arrive in batches of a hundred, and the warning robot evaluates them."""
    services = place.app.services
    source, reception = Signals(_SIGNALS_PER_SECOND), SignalReception(services)
    robot = WarningRobot(services, threading.Event(), holder="cost")
    list_mules(services)
    robot.do_periodic_work()

    def work(many: int) -> None:
        for _ in range(0, many, _SIGNALS_TOGETHER):
            at = services.clock.now().isoformat()
            take_signals(services, [reception.read(source.some(min(many, _SIGNALS_TOGETHER), at))])
            place.clock.advance(1.0)
        evaluated = 0
        while done := robot.evaluate_next():
            evaluated += done
        _require(evaluated, many)

    while robot.evaluate_next():
        pass
    work(_SIGNALS_TOGETHER)
    with place.meter.counting(services.store) as cost:
        work(count)
    return cost


def openings(place: Place, count: int = 200) -> Cost:
    """A teller enters an opening and the service checks it, with as many openings behind as there are cases."""
    services = replace(
        place.app.services, cards=place.app.services.cards.model_copy(update={"checks_per_hour": 10**9})
    )
    outlet_id = fill_openings(services, place.owner, place.cases)

    def work(first: int, many: int) -> None:
        for n in range(first, first + many):
            given = record(10_000_000 + n, at=services.clock.now(), number=f"C{n}")
            check_opening(
                services, unrestricted("bench"), given, outlet_id=outlet_id + n % OUTLETS, source="bench"
            )

    work(0, 10)
    with place.meter.counting(services.store) as cost:
        work(10, count)
    return cost


def tick(place: Place) -> Cost:
    """Everything that one tick of the scheduler starts, with fifty cases changed since the last one."""
    services = place.app.services
    parts = Round(services, size=place.cases)

    def work() -> None:
        for part in parts.parts().values():
            part()

    parts.touch()
    work()
    parts.touch()
    with place.meter.counting(services.store) as cost:
        work()
    return cost


def report(place: Place) -> Cost:
    """The report over everything."""
    return _second(place, lambda: make_report(place.app.services))


def board(place: Place) -> Cost:
    """What the live board reads."""
    services = place.app.services

    def work() -> None:
        board_now(services, unit_id=None, late_seconds=60)
        board_queue(services, unit_id=None)
        board_hour(services, unit_id=None)
        board_today(services, unit_id=None)

    return _second(place, work)


def _second(place: Place, work: Callable[[], object]) -> Cost:
    """The cost of the second time: the first makes what is made once for a process."""
    work()
    with place.meter.counting(place.app.services.store) as cost:
        work()
    return cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Work whose cost is counted. `grows`: why it may cost more where there are more cases; "": it may not."""

    name: str
    work: Callable[[Place], Cost]
    scene: Scene = Scene.CITY
    grows: str = ""


LOADS = (
    Load(name="500 calls placed", work=dispatch),
    Load(name="500 calls of a first list", work=dispatch, scene=Scene.FIRST_LIST),
    Load(name="300 whole lives", work=lives),
    Load(name="a list of 3,000 rows", work=rows),
    Load(name="2,000 signals", work=signals),
    Load(name="200 opening checks", work=openings),
    Load(
        name="one tick",
        work=tick,
        grows="the consistency checker reads open cases in slices of a fixed size, and the smaller city has fewer",
    ),
    Load(
        name="one report",
        work=report,
        grows="more days, grades and units have facts of their own",
    ),
    Load(name="the live board", work=board, grows="it counts what waits and what was done today"),
)
_GROWS = {
    "page: /rates": "figures are sums of the facts of a period",
    "page: ": "the navigation counts the work and the requests that wait in the reader's units, and a city ten times as"
    " large has ten times as many",
}
"""Pages by their beginnings, and why they may cost more where there are more cases."""


def may_grow(name: str) -> str:
    """Why this load or page may cost more where there are more cases; "" where it may not."""
    for load in LOADS:
        if load.name == name:
            return load.grows
    return next((why for begin, why in _GROWS.items() if name.startswith(begin)), "")
