"""The server as `dialer web` runs it: what it tells of itself, whom it closes, and that it is known to be alive."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.routing import Mount

from dialer.bootstrap import assemble
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.keys import create
from dialer.db.tables import heartbeat
from dialer.runtime.embedded import wait_until
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.server import process as module
from dialer.server.application import create_app
from dialer.server.process import run_web, server_of
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.public_address import PublicAddressBlocked
from dialer.web.connections import ConnectionLimits, Connections

PATIENCE_SECONDS = 60
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def app(fresh_database: str, broker_url: str, tmp_path: Path) -> Iterator[Application]:
    create(tmp_path / "keys.json")
    made = assemble(
        load_settings(
            {
                "DIALER_DATA_DIR": str(tmp_path / "var"),
                "DIALER_DATABASE__URL": fresh_database,
                "DIALER_BROKER__URL": broker_url,
                "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
                "DIALER_WEB__HEAD_SECONDS": "0.5",
            },
            ROOT / "settings.toml",
        )
    )
    yield made
    made.close()


def beats(app: Application) -> list[str]:
    with app.services.store.begin() as tx:
        return [kind for (kind,) in tx.execute(sa.select(heartbeat.c.kind))]


@contextmanager
def running(app: Application) -> Iterator[tuple[Any, tuple[str, int]]]:
    """The server while it serves, and where it listens."""
    listening = socket.create_server(("127.0.0.1", 0))
    with ExitStack() as alive:
        server = server_of(app, alive)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert wait_until(lambda: beats(app) == ["web"], seconds=PATIENCE_SECONDS)
            yield server, listening.getsockname()
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


@pytest.fixture
def ask(app: Application) -> Iterator[Callable[[str], str]]:
    """Sends a request to the running server and returns all of its answer."""
    with running(app) as (_, address):

        def send(request: str) -> str:
            with socket.create_connection(address, timeout=PATIENCE_SECONDS) as client:
                client.sendall(request.encode())
                answer = b""
                with suppress(ConnectionResetError):
                    while part := client.recv(1 << 16):
                        answer += part
                return answer.decode()

        yield send


def get(path: str, **headers: str) -> str:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{lines}connection: close\r\n\r\n"


def test_it_does_not_say_what_it_is(ask: Callable[[str], str]):
    head = ask(get("/health/live")).partition("\r\n\r\n")[0].lower()
    assert head.startswith("http/1.1 200 ")
    assert "\r\nserver:" not in head
    assert "uvicorn" not in head


def test_the_framework_s_own_pages_are_not_there(ask: Callable[[str], str]):
    for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert ask(get(path)).startswith("HTTP/1.1 404 "), path


def test_a_websocket_is_not_opened(ask: Callable[[str], str]):
    answer = ask(
        get(
            "/health/live", upgrade="websocket", sec_websocket_key="x" * 22 + "==", sec_websocket_version="13"
        )
    )
    assert not answer.startswith("HTTP/1.1 101")


def test_a_half_sent_request_is_closed_after_the_time_of_the_settings(ask: Callable[[str], str]):
    assert ask("GET /health/live HTTP/1.1\r\nhost") == ""


def test_its_heartbeat_ends_with_it_and_endless_answers_after_that(app: Application):
    """Not the other way round: a call placed meanwhile would find nobody who answers it."""
    order: list[list[str]] = []
    with running(app) as (server, address):
        socket.create_connection(address, timeout=PATIENCE_SECONDS).close()
        on_stop(server, lambda: order.append(beats(app)))
    assert order == [[]]
    assert beats(app) == []


def on_stop(server: Any, call: Callable[[], object]) -> None:  # noqa: ANN401  # a server of uvicorn's
    [mount] = [route for route in server.config.app.routes if isinstance(route, Mount) and not route.path]
    mount.app.state.console_context.closing.join(call)


@pytest.mark.parametrize("checks", [True, False])
def test_while_it_serves_it_walks_the_way_of_the_carrier_where_the_settings_say_so(
    app: Application, monkeypatch: pytest.MonkeyPatch, checks: bool
):
    told: list[str] = []

    async def watch(config: TelephonyConfig, *, blocked: Callable[[PublicAddressBlocked], object]) -> None:
        assert config is app.telephony
        blocked(
            PublicAddressBlocked(Text("no answer from %(url)s", url="https://a.cn"), fix="start the proxy")
        )
        told.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            told.append("ended")

    monkeypatch.setattr(module, "watch_public_address", watch)
    web = app.settings.web.model_copy(update={"check_public_url": checks})
    with running(replace(app, settings=app.settings.model_copy(update={"web": web}))) as (server, _):
        assert not checks or wait_until(lambda: told == ["begun"], seconds=PATIENCE_SECONDS)
        on_stop(server, lambda: told.append("endless answers end"))
    assert told == [*(["begun", "ended"] if checks else []), "endless answers end"]
    with app.services.store.begin() as tx:
        alarms = tx.rows(sa.select(t.alarm))
    facts = {
        "problem": Text("no answer from %(url)s", url="https://a.cn").plain(),
        "fix": Text.of("start the proxy").plain(),
    }
    raised = [(AlarmCode.PUBLIC_URL_BLOCKED.value, facts)] if checks else []
    assert [(alarm["code"], alarm["facts"]) for alarm in alarms] == raised


def test_its_limits_are_those_of_the_settings(app: Application):
    values = {
        "host": "127.0.0.2", "port": 8123, "connections": 12, "connections_per_address": 11, "body_seconds": 7.0,
    }  # fmt: skip
    web = app.settings.web.model_copy(update=values)
    server = server_of(replace(app, settings=app.settings.model_copy(update={"web": web})), ExitStack())
    config = server.config
    assert (config.host, config.port) == ("127.0.0.2", 8123)
    # Idle connections outlast those of a proxy, whose next request would find one closed: nginx keeps them 60 s.
    assert (config.timeout_keep_alive, config.timeout_graceful_shutdown) == (75, 10)
    # Headers of proxies are read by the console, which knows ours; requests are in no log of uvicorn's.
    assert (config.proxy_headers, config.access_log, config.log_config, config.ws) == (
        False,
        False,
        None,
        "none",
    )
    connections = config.http.__self__  # type: ignore[union-attr]
    assert isinstance(connections, Connections)
    assert connections.limits == ConnectionLimits(
        connections=12, per_address=11, shared=web.proxies, head_seconds=0.5, body_seconds=7.0
    )


async def answer_to(web: Any, method: str, path: str) -> httpx.Response:  # noqa: ANN401  # an application of Starlette's
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/status", "text/html"),
        ("/static/status.css", "text/css"),
        (f"/audio/{next((ROOT / 'audio' / 'prompts').glob('*.wav')).name}", "audio/wav"),
        ("/favicon.ico", ""),
        ("/health/live", "application/json"),
        ("/health/ready", "application/json"),
        ("/health/engine", "application/json"),
        ("/metrics", "text/plain"),
        ("/api/v1/openapi.json", "application/json"),
        ("/sign-in", "text/html"),
    ],
)
async def test_what_other_machines_and_browsers_fetch_is_there(app: Application, path: str, kind: str):
    answer = await answer_to(create_app(app), "GET", path)
    assert answer.status_code in {200, 204, 503}
    assert answer.headers.get("content-type", "").startswith(kind)


async def test_former_addresses_lead_to_the_present_ones(app: Application):
    """Bookmarks, and forms of pages that are open during an upgrade."""
    web = create_app(app)
    for former, present in (
        ("/wall?a=1&b=%E5%A4%A7", "/board?a=1&b=%E5%A4%A7"),
        ("/wall/live", "/board/live"),
        ("/units/tray", "/units/unassigned"),
        ("/units/tray/7?before=3", "/units/unassigned/7?before=3"),
        ("/units/tray/7/sort", "/units/unassigned/7/sort"),
        ("/units/tray/7/some", "/units/unassigned/7/some"),
        ("/cases/7/ring", "/cases/7/call"),
        ("/desk/tasks/7/take-up", "/desk/tasks/7/reclaim"),
    ):
        for method in ("GET", "POST"):
            answer = await answer_to(web, method, former)
            # 308: the browser sends the same form there.
            assert (answer.status_code, answer.headers["location"]) == (308, present)


async def test_a_page_s_address_has_no_slash_at_its_end(app: Application):
    assert (await answer_to(create_app(app), "GET", "/sign-in/")).status_code == 404


class Stub:
    """In place of the server: it has started or not, and is ended by a signal or not."""

    def __init__(self, *, started: bool, interrupted: bool) -> None:
        self.started, self._interrupted = started, interrupted
        self.seen: list[object] = []

    def run(self) -> None:
        self.seen.append(sys.getswitchinterval())
        for number in (signal.SIGTERM, signal.SIGINT):
            with pytest.raises(SystemExit) as ended:
                signal.raise_signal(number)
            self.seen.append(ended.value.code)
        if self._interrupted:
            raise KeyboardInterrupt


@pytest.fixture
def process() -> Iterator[None]:
    """What a server changes of its whole process is put back."""
    before = sys.getswitchinterval(), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    yield
    sys.setswitchinterval(before[0])
    signal.signal(signal.SIGTERM, before[1])
    signal.signal(signal.SIGINT, before[2])


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize(
    ("started", "interrupted", "code"), [(True, False, None), (True, True, None), (False, False, 3)]
)
def test_a_process_that_could_not_serve_ends_with_a_fault(
    monkeypatch: pytest.MonkeyPatch, started: bool, interrupted: bool, code: int | None
):
    stub, app = Stub(started=started, interrupted=interrupted), object()

    def made(of: object, alive: ExitStack) -> Stub:
        assert of is app
        alive.callback(stub.seen.append, "ended")
        return stub

    monkeypatch.setattr(module, "server_of", made)
    monkeypatch.setattr(module, "freeze_startup_objects", lambda: stub.seen.append("settled"))
    if code is None:
        run_web(app)  # type: ignore[arg-type]  # it is handed on alone
    else:
        with pytest.raises(SystemExit) as fault:
            run_web(app)  # type: ignore[arg-type]  # as above
        assert fault.value.code == code
    assert stub.seen == ["settled", pytest.approx(0.0005), 0, 0, "ended"]
