"""A carrier whose connections are reset: at once, after the headers, after the body. A request that never left uses
nobody up, and a line that answers nothing is found out before a person's attempt is risked on it.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from dialer.calls.dial import CarrierCheck, dial
from dialer.core.attempt import AttemptState
from dialer.db import tables as t
from dialer.telephony.channels import RefusalCause, Refused, UncertainResult
from dialer.telephony.client import CallClient, PlaceCall
from dialer.telephony.config import TelephonyConfig
from tests.control.scene import Scene

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "token-of-the-account"
NO_CALLS = b'{"calls": [], "page": 0, "page_size": 1, "next_page_uri": null}'
_ABORT = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Line:
    """`resets`: accept, headers, body, orders (only those for calls, after the body), or nothing."""

    resets: str
    address: str = ""
    orders: int = 0
    """Orders for calls that were read to their end."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.resets != "accept":
                head = await reader.readuntil(b"\r\n\r\n")
                if self.resets == "headers":
                    break
                length = [
                    line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
                ]
                await reader.readexactly(int(length[0]) if length else 0)
                is_order = head.startswith(b"POST")
                self.orders += is_order
                if self.resets == "body" or (self.resets == "orders" and is_order):
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(NO_CALLS), NO_CALLS))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        with socket.socket(fileno=socket.dup(writer.get_extra_info("socket").fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        writer.transport.abort()


@asynccontextmanager
async def line(resets: str) -> AsyncIterator[Line]:
    made = Line(resets)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    made.address = f"http://{host}:{port}"
    async with server:
        yield made


def client_of(made: Line) -> CallClient:
    return CallClient(
        TelephonyConfig(
            base_url=made.address,
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            caller_number="047896110",
            public_url="http://127.0.0.1:9",
            timeout_seconds=5,
        )
    )


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def scenario(scene: Scene) -> Scene:
    scene.clock.set(datetime.now(UTC).replace(hour=3))
    scene.lines(calls_per_second=150.0, lines=150)
    return scene


@pytest.mark.parametrize("resets", ["accept", "headers", "body"])
async def test_a_first_start_on_a_line_that_resets_everything_uses_nobody_up(scenario: Scene, resets: str):
    for _ in range(60):
        scenario.open_case()
    check = CarrierCheck()
    async with line(resets) as made, client_of(made) as client:
        for _ in range(8):
            await dial(scenario.services, client, for_seconds=0.3, stopping=lambda: False, check=check)
    states = {row["state"] for row in scenario.rows(sa.select(t.attempt.c.state))}
    assert states <= {AttemptState.PLANNED.value, AttemptState.READY.value}
    assert made.orders == 0
    assert scenario.group().breaker.is_open
    assert scenario.alarms_of(None)["carrier_down"] == 1


async def test_a_first_start_on_a_line_that_resets_orders_alone_risks_one_at_a_time(scenario: Scene):
    for _ in range(60):
        scenario.open_case()
    check = CarrierCheck()
    async with line("orders") as made, client_of(made) as client:
        for _ in range(8):
            await dial(scenario.services, client, for_seconds=0.3, stopping=lambda: False, check=check)
    assert made.orders <= 5
    assert scenario.group().breaker.is_open


async def test_a_line_that_answers_again_is_used_again(scenario: Scene):
    scenario.open_case()
    check = CarrierCheck()
    async with line("body") as made, client_of(made) as client:
        assert (
            await dial(scenario.services, client, for_seconds=0.2, stopping=lambda: False, check=check) == 0
        )
        made.resets = "nothing"
        assert (
            await dial(scenario.services, client, for_seconds=0.4, stopping=lambda: False, check=check) == 1
        )


async def test_a_connection_that_closes_before_the_first_byte_left_nothing():
    async with line("nothing") as made, client_of(made) as client:
        port = int(made.address.rpartition(":")[2])

        def close_first() -> bool:
            """Asked immediately before the bytes are written."""
            for thing in gc.get_objects():
                if (
                    isinstance(thing, asyncio.Transport)
                    and thing.get_extra_info("peername", ("", 0))[1] == port
                ):
                    thing.abort()
            return True

        answer = await client.send(PlaceCall(attempt_id=uuid4(), to="+8613800138000", may_send=close_first))
        assert answer == Refused(cause=RefusalCause.OURS, detail="not sent: ClientOSError")
    assert made.orders == 0


@pytest.mark.parametrize("resets", ["headers", "body"])
async def test_a_connection_that_is_reset_after_the_bytes_is_in_doubt(resets: str):
    async with line(resets) as made, client_of(made) as client:
        assert isinstance(
            await client.send(PlaceCall(attempt_id=uuid4(), to="+8613800138000")), UncertainResult
        )
