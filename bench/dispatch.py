"""Dispatch alone: claim, fence, POST and what the carrier said, against a stub that answers at once.

    python -m bench.dispatch [--calls 5000]

Aim: at least 900 calls/s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing as mp
import time
from multiprocessing.connection import Connection

import httptools
import uvloop

from bench.backlog import fill
from bench.service import service
from dialer.store import pacing
from dialer.telephony.client import CallClient
from dialer.telephony.config import TelephonyConfig
from dialer.usecases.dial import dial

_PACE = 5000.0


class Stub(asyncio.Protocol):
    """Takes every call, from memory."""

    count = 0

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        Stub.count += 1
        body = f'{{"sid": "CA{Stub.count:032x}", "status": "queued"}}'.encode()
        head = (
            f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)  # type: ignore[attr-defined]


def serve_stub(pipe: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=2048)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


def run(calls: int) -> dict[str, object]:
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    stub = context.Process(target=serve_stub, args=(there,), daemon=True)
    stub.start()
    config = TelephonyConfig(
        base_url=f"http://127.0.0.1:{here.recv()}",
        account_sid="AC" + "0" * 32,
        auth_token="bench",
        caller_number="+8647896110",
        public_url="http://127.0.0.1:1",
    )
    with service() as made:
        engine = made.app.engine
        fill(
            engine.store, count=calls, before=0, policy=engine.policies.newest.version, now=engine.clock.now()
        )
        with engine.store.begin() as tx:
            pacing.configure(
                tx,
                name=engine.lines.group,
                calls_per_second=_PACE,
                lines=calls * 2,
                real_now=engine.real.now(),
            )

        async def ring() -> int:
            async with CallClient(config) as client:
                return await dial(engine, client, for_seconds=120, stopping=lambda: False)

        before, ours, begun = made.cpu(), time.process_time(), time.perf_counter()
        left = asyncio.run(ring())
        seconds, used = time.perf_counter() - begun, time.process_time() - ours
        after = made.cpu()
    stub.terminate()
    if left != calls:
        raise SystemExit(f"only {left} of {calls} left")
    return {
        "calls": calls,
        "seconds": round(seconds, 2),
        "calls_per_second": round(calls / seconds, 1),
        "cpu_seconds_per_1000_calls": {
            "dialer": round(used / calls * 1000, 2),
            "postgres": round((after["postgres"] - before["postgres"]) / calls * 1000, 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5000)
    print(json.dumps(run(parser.parse_args().calls), indent=1))


if __name__ == "__main__":
    main()
