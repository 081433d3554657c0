"""The server as `dialer web` runs it: what it tells of itself, whom it closes, and that it is known to be alive."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialer.bootstrap import assemble
from dialer.db.keys import create
from dialer.db.tables import heartbeat
from dialer.runtime.embedded import wait_until
from dialer.runtime.settings import load_settings
from dialer.server import server_of
from dialer.services import Application

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


@pytest.fixture
def ask(app: Application) -> Iterator[Callable[[str], str]]:
    """Sends a request to the running server and returns all of its answer."""
    listening = socket.create_server(("127.0.0.1", 0))
    with ExitStack() as alive:
        server = server_of(app, alive)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()

        def send(request: str) -> str:
            with socket.create_connection(listening.getsockname(), timeout=PATIENCE_SECONDS) as client:
                client.sendall(request.encode())
                answer = b""
                with suppress(ConnectionResetError):
                    while part := client.recv(1 << 16):
                        answer += part
                return answer.decode()

        try:
            yield send
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


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


def test_its_heartbeat_lasts_as_long_as_it_listens(app: Application, ask: Callable[[str], str]):
    assert ask(get("/health/live")).startswith("HTTP/1.1 200 ")
    assert wait_until(lambda: beats(app) == ["web"], seconds=PATIENCE_SECONDS)


def test_the_heartbeat_ends_with_the_server(app: Application):
    listening = socket.create_server(("127.0.0.1", 0))
    with ExitStack() as alive:
        server = server_of(app, alive)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        assert wait_until(lambda: beats(app) == ["web"], seconds=PATIENCE_SECONDS)
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert beats(app) == []
