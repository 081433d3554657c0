"""Clients that are slow, many or endless, over real sockets: they are closed, and the others are answered meanwhile."""

from __future__ import annotations

import asyncio
import logging
import re
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_network

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from dialer.web.connections import ConnectionLimits, Connections, room_for

PATIENCE_SECONDS = 20.0
HEAD = b"POST /read HTTP/1.1\r\nhost: x\r\n"
WHOLE = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    text = "well"
    match request.url.path:
        case "/read":
            with suppress(ClientDisconnect):
                text = str(len(await request.body()))
        case "/large":
            text = "x" * 30_000_000
        case "/late":
            await asyncio.sleep(0.6)
        case "/slow-reader":
            async for _ in request.stream():
                await asyncio.sleep(0.1)
    await PlainTextResponse(text)(scope, receive, send)


@contextmanager
def serving(**limits: float) -> Iterator[Callable[[], socket.socket]]:
    """A server with these limits; connects to it."""
    listening = socket.create_server(("127.0.0.1", 0))
    connections = Connections(ConnectionLimits(**limits))  # type: ignore[arg-type]
    config = uvicorn.Config(
        app,
        http=connections.protocol,  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    with ExitStack() as opened:

        def connect() -> socket.socket:
            return opened.enter_context(
                socket.create_connection(listening.getsockname(), timeout=PATIENCE_SECONDS)
            )

        try:
            yield connect
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


def rest(client: socket.socket) -> bytes:
    """What comes until the server closes."""
    read = b""
    with suppress(ConnectionResetError, BrokenPipeError):
        while part := client.recv(1 << 20):
            read += part
    return read


def answer(client: socket.socket, request: bytes = WHOLE) -> bytes:
    """The whole answer, which may come in parts; what there is of it where the server closes."""
    client.sendall(request)
    read = b""
    while part := client.recv(1 << 16):
        read += part
        head, blank, body = read.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if blank and len(body) >= (int(length[1]) if length else 0):
            break
    return read


def send_slowly(client: socket.socket, part: bytes, *, every: float) -> float:
    """Seconds until the server closes."""
    begun = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - begun < PATIENCE_SECONDS:
            client.sendall(part)
            time.sleep(every)
    return time.monotonic() - begun


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n"])
def test_a_head_that_never_ends_is_closed(sent: bytes):
    with serving(head_seconds=0.2) as connect:
        client = connect()
        client.sendall(sent)
        assert rest(client) == b""
        assert answer(connect()).startswith(b"HTTP/1.1 200")


def test_a_head_that_comes_letter_by_letter_is_closed():
    with serving(head_seconds=0.3) as connect:
        client = connect()
        client.sendall(b"GET / HTTP/1.1\r\nx: ")
        assert send_slowly(client, b"a", every=0.02) < PATIENCE_SECONDS / 2


def test_the_head_of_a_further_request_has_no_more_time():
    with serving(head_seconds=0.3) as connect:
        client = connect()
        assert answer(client).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET / HTTP/1.1\r\nx: ")
        assert send_slowly(client, b"a", every=0.02) < PATIENCE_SECONDS / 2


def test_an_idle_connection_stays_open_for_a_further_request():
    with serving(head_seconds=0.1, body_seconds=0.1) as connect:
        client = connect()
        for _ in range(3):
            assert answer(client).startswith(b"HTTP/1.1 200")
            time.sleep(0.3)


def test_an_answer_of_ours_may_take_longer_than_a_request():
    with serving(head_seconds=0.1, body_seconds=0.1) as connect:
        assert answer(connect(), WHOLE.replace(b"/ ", b"/late ", 1)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "framing", [b"content-length: 100\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n5\r\nab"]
)
def test_a_body_that_never_ends_is_closed(framing: bytes):
    with serving(body_seconds=0.2) as connect:
        client = connect()
        client.sendall(HEAD + framing)
        assert rest(client) == b""


def test_a_body_that_comes_byte_by_byte_is_closed():
    with serving(body_seconds=0.3) as connect:
        client = connect()
        client.sendall(HEAD + b"content-length: 100000\r\n\r\n")
        assert send_slowly(client, b"a", every=0.02) < PATIENCE_SECONDS / 2


def test_a_large_body_that_keeps_its_pace_is_read():
    with serving(body_seconds=0.3, body_bytes=10) as connect:
        client = connect()
        client.sendall(HEAD + b"content-length: 600\r\n\r\n")
        for _ in range(60):
            client.sendall(b"x" * 10)
            time.sleep(0.015)
        assert client.recv(1 << 16).endswith(b"600")


def test_time_in_which_the_server_does_not_read_is_not_the_clients():
    with serving(body_seconds=0.2, body_bytes=1 << 20) as connect:
        client = connect()
        client.sendall(b"POST /slow-reader HTTP/1.1\r\nhost: x\r\ncontent-length: 1200000\r\n\r\n")
        client.sendall(b"x" * 1_200_000)
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")


def test_a_body_that_nobody_reads_ends_some_time():
    with serving(body_seconds=0.3, body_bytes=1) as connect:
        client = connect()
        client.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n")
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
        assert send_slowly(client, b"a" * 100, every=0.02) < PATIENCE_SECONDS / 2


@pytest.mark.parametrize("part", [b"x: " + b"a" * 900_000 + b"\r\n\r\n", b"a: b\r\n" * 200_000])
def test_a_large_head_is_refused(part: bytes):
    with serving(head_bytes=10_000) as connect:
        client = connect()
        with suppress(OSError):
            client.sendall(b"GET / HTTP/1.1\r\n" + part)
        assert rest(client)[:12] in {b"HTTP/1.1 431", b""}  # '' where the rest of what was sent breaks it off


def test_a_head_in_one_piece_is_measured_too():
    with serving(head_bytes=1_000) as connect:
        assert answer(connect(), b"GET / HTTP/1.1\r\nx: " + b"a" * 1000 + b"\r\n\r\n").startswith(
            b"HTTP/1.1 431"
        )
        assert answer(connect(), b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 431")
        assert answer(connect(), b"GET / HTTP/1.1\r\nx: " + b"a" * 900 + b"\r\n\r\n").startswith(
            b"HTTP/1.1 200"
        )


def test_what_follows_a_body_is_measured_too():
    with serving(head_bytes=1_000) as connect:
        client = connect()
        client.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
        begun = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - begun < PATIENCE_SECONDS:
                client.sendall(b"x: " + b"a" * 400 + b"\r\n")
                time.sleep(0.005)
        assert time.monotonic() - begun < PATIENCE_SECONDS / 2


def test_no_request_is_400():
    with serving() as connect:
        assert answer(connect(), b"\x16\x03\x01\x02\x00\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_requests_sent_together_are_all_answered():
    with serving(head_seconds=0.2, body_seconds=0.2) as connect:
        client = connect()
        late = WHOLE.replace(b"/ ", b"/late ", 1)
        client.sendall(late + late + b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert rest(client).count(b"HTTP/1.1 200") == 3


def test_an_answer_that_is_not_taken_is_ended():
    with serving(head_seconds=0.1, body_seconds=0.3) as connect:
        client = connect()
        client.sendall(WHOLE.replace(b"/ ", b"/large ", 1))
        time.sleep(1.5)
        assert len(rest(client)) < 30_000_000


def test_many_that_wait_make_room_the_oldest_first(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING, logger="dialer.web.connections")
    with serving(connections=20) as connect:
        waiting = [connect() for _ in range(100)]
        for client in waiting[:80]:
            assert rest(client) == b""
        assert answer(waiting[-1]).startswith(b"HTTP/1.1 200")
        assert answer(connect()).startswith(b"HTTP/1.1 200")
    assert len(caplog.records) == 1
    assert "connections closed" in caplog.text


def test_half_sent_requests_keep_nobody_out():
    with serving(connections=20, body_seconds=30) as connect:
        for _ in range(50):
            connect().sendall(HEAD + b"content-length: 100\r\n\r\nab")
        assert answer(connect()).startswith(b"HTTP/1.1 200")


def test_requests_under_way_are_not_closed_for_new_ones():
    with serving(connections=3) as connect:
        busy = [connect() for _ in range(3)]
        for client in busy:
            client.sendall(WHOLE.replace(b"/ ", b"/late ", 1))
        time.sleep(0.2)
        assert rest(connect()).startswith(b"HTTP/1.1 503")
        assert all(client.recv(1 << 16).startswith(b"HTTP/1.1 200") for client in busy)
        assert answer(connect()).startswith(b"HTTP/1.1 200")


def test_one_address_has_its_share_and_our_proxies_have_all():
    with serving(per_address=5) as connect:
        first = connect()
        assert answer(first).startswith(b"HTTP/1.1 200")
        for _ in range(5):
            connect()
        assert rest(first) == b""
    with serving(per_address=5, shared=(ip_network("127.0.0.0/8"),)) as connect:  # type: ignore[arg-type]
        first = connect()
        for _ in range(9):
            connect()
        assert answer(first).startswith(b"HTTP/1.1 200")


def test_room_is_what_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert room_for(10) == 10
        assert room_for(10**9) <= 10**9
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= soft
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
