"""The way on which a carrier reaches the service, walked by itself: each way to be blocked is named."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
import uvicorn
from starlette.applications import Starlette

from dialer.core.errors import Unavailable
from dialer.core.text import Text
from dialer.server.webhooks import hooks
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.public_address import (
    PublicAddressBlocked,
    check_public_address,
    check_sound,
    watch_public_address,
)
from tests.server.switchboard import CONFIG


@asynccontextmanager
async def served(config: Callable[[int], TelephonyConfig]) -> AsyncIterator[int]:
    """The webhooks of a service with the settings for this port; none of these requests needs its database."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        app = Starlette(routes=[hooks(None, config(port))])
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield port
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """Another server: it gives this answer to everything."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def at(port: int, path: str = "", **changes: str) -> TelephonyConfig:
    return dataclasses.replace(CONFIG, public_url=f"http://127.0.0.1:{port}{path}", **changes)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def walk_to(config: Callable[[int], TelephonyConfig], *, ours: Callable[[int], TelephonyConfig] = at) -> str:
    """A walk by the settings of `ours` to a service with those of `config`."""

    async def walk() -> str:
        async with served(config) as port:
            return await check_public_address(ours(port))

    return asyncio.run(walk())


def test_the_way_to_our_own_web_process_is_open():
    assert walk_to(at).startswith("http://127.0.0.1:")
    assert walk_to(partial(at, auth_token="new"), ours=partial(at, auth_token="new"))


@pytest.mark.parametrize(
    "config",
    [partial(at, path="/moved"), partial(at, auth_token="another"), lambda _: CONFIG],
    ids=["the proxy cuts the path", "another token", "another address"],
)
def test_a_request_that_cannot_be_verified_names_address_and_token(config: Callable[[int], TelephonyConfig]):
    with pytest.raises(
        PublicAddressBlocked, match="another address or is checked with another token"
    ) as blocked:
        walk_to(config)
    assert "keep path and query" in blocked.value.fix


@pytest.mark.parametrize(
    ("answer", "said", "fix"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "status 502", "pass /hooks/"),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "301",
            "/hooks/",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "another service", "correct web.public_url"),
        (b"not http at all\r\n\r\n", "no connection", "start the proxy"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "no connection", "start the proxy"),
    ],
)
def test_another_server_is_named_with_what_to_do(answer: bytes, said: str, fix: str):
    async def walk() -> None:
        async with answering(answer) as port:
            await check_public_address(at(port))

    with pytest.raises(PublicAddressBlocked, match=said) as blocked:
        asyncio.run(walk())
    assert fix in blocked.value.fix


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "/audio/a.wav: status 404"),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "status 301"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "status 200 instead of our sound"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nRIFF", ""),
    ],
)
def test_a_sound_file_is_fetched_as_a_carrier_fetches_it(answer: bytes, said: str):
    async def fetch() -> None:
        async with answering(answer) as port:
            await check_sound(at(port), "a.wav")

    if not said:
        asyncio.run(fetch())
        return
    with pytest.raises(PublicAddressBlocked, match=said) as blocked:
        asyncio.run(fetch())
    assert "pass /hooks/ and /audio/" in blocked.value.fix


def test_a_proxy_that_is_down_is_named():
    with pytest.raises(PublicAddressBlocked, match="no connection"):
        asyncio.run(check_public_address(at(free_port())))


def test_a_server_that_does_not_answer_is_waited_for_so_long():
    async def walk() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            await check_public_address(at(listening.getsockname()[1]), seconds=0.05)

    with pytest.raises(PublicAddressBlocked, match="no answer"):
        asyncio.run(walk())


def test_two_walks_in_a_row_must_fail_before_it_is_told():
    """One alone may be the restart of a proxy."""
    fault = PublicAddressBlocked(Text("blocked"), fix="fix")
    walks = iter([None, fault, None, fault, fault, fault])
    told: list[PublicAddressBlocked] = []

    async def walk(_: TelephonyConfig) -> None:
        outcome = next(walks, StopAsyncIteration())
        if isinstance(outcome, StopAsyncIteration):
            raise asyncio.CancelledError
        if outcome is not None:
            raise outcome

    def tell(blocked: PublicAddressBlocked) -> None:
        told.append(blocked)
        raise Unavailable(part="database", problem="is away")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watch_public_address(CONFIG, blocked=tell, check=walk, every_seconds=0))
    assert told == [fault, fault]


def test_the_watch_outlives_faults_that_nobody_expected():
    fault = PublicAddressBlocked(Text("blocked"), fix="fix")
    walks = iter([ZeroDivisionError(), fault, fault, fault])
    told: list[PublicAddressBlocked] = []

    async def walk(_: TelephonyConfig) -> None:
        raise next(walks, asyncio.CancelledError())

    def tell(blocked: PublicAddressBlocked) -> None:
        told.append(blocked)
        raise ZeroDivisionError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watch_public_address(CONFIG, blocked=tell, check=walk, every_seconds=0))
    assert told == [fault, fault]
