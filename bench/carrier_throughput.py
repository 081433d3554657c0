"""Whole call lives a second through the carrier, and what one thousand of them cost its process.

    python bench/carrier_throughput.py [--lives 5000] [--rate 300] [--profile FILE]

Three processes: the carrier, a stub application that answers every request from memory, and this one, which creates
the calls at the asked rate and waits until the carrier has no live call. A life is one create, one document, three
questions answered by a key, and four status webhooks: nine HTTP requests. `--rate 0` creates as fast as it goes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import multiprocessing as mp
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import aiohttp
import httptools
import psutil
import uvloop
from twilio.request_validator import RequestValidator

from carrier.config import CarrierConfig, ServiceClock
from carrier.people import Behaviour, PeopleConfig
from carrier.server import run

ACCOUNT = "AC" + "0" * 32
TOKEN = "bench-token"
ADMIN = "bench-admin"
FINAL_STEP = 3


def person() -> PeopleConfig:
    """Answers and presses at once."""
    return PeopleConfig(
        behaviours=(
            Behaviour(
                name="at once",
                share=1,
                keys=("1", "1", "1"),
                ring_after_seconds=(0.01, 0.05),
                answer_after_seconds=(0.01, 0.05),
                key_after_seconds=(0.01, 0.05),
            ),
        )
    )


class Stub(asyncio.Protocol):
    """The cheapest application there is: answers from memory. Every hundredth signature is checked."""

    base = ""
    count = 0
    validator = RequestValidator(TOKEN)

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.body = b""
        self.signature = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url, self.body = url, b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name == b"X-Twilio-Signature":
            self.signature = value.decode()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        Stub.count += 1
        if Stub.count % 100 == 0:
            params = dict(parse_qsl(self.body.decode(), keep_blank_values=True))
            if not self.validator.validate(Stub.base + self.url.decode(), params, self.signature):
                raise SystemExit("a signature does not verify")
        path = self.url.decode()
        body = ""
        if path.startswith("/twiml/"):
            _, _, attempt, step = path.split("/")
            if int(step) == FINAL_STEP:
                body = "<Response><Say>再见</Say><Hangup/></Response>"
            else:
                body = (
                    f'<Response><Gather numDigits="1" timeout="5" action="{Stub.base}/twiml/{attempt}/{int(step) + 1}">'
                    "<Say>请按键确认</Say></Gather><Hangup/></Response>"
                )
        data = body.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(data)}\r\n\r\n"
        self.transport.write(head.encode() + data)  # type: ignore[attr-defined]


def serve_stub(pipe: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=2048)
        port = server.sockets[0].getsockname()[1]
        Stub.base = f"http://127.0.0.1:{port}"
        pipe.send(port)
        await server.serve_forever()

    uvloop.run(main())


def serve_carrier(port: int, folder: str, profile: str) -> None:
    config = CarrierConfig(
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        admin_token=ADMIN,
        state_dir=Path(folder),
        port=port,
        clock=ServiceClock(speed=10.0),
        people=person(),
    )
    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(run, config)
        profiler.dump_stats(profile)
    else:
        run(config)


def free_port() -> int:
    import socket  # noqa: PLC0415 - used once

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def drive(
    base: str, stub: str, *, lives: int, rate: float, carrier: psutil.Process
) -> dict[str, float]:
    auth = aiohttp.encode_basic_auth(ACCOUNT, TOKEN)
    admin = {"Authorization": f"Bearer {ADMIN}"}
    url = f"{base}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    slots = asyncio.Semaphore(64)
    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def rings() -> dict[str, int]:
            async with session.get(f"{base}/admin/rings", headers=admin) as answer:
                data: dict[str, int] = await answer.json()
                return data

        async def create(n: int) -> None:
            form = urlencode(
                [
                    ("To", f"+86138{n:08d}"),
                    ("From", "+8647896110"),
                    ("Url", f"{stub}/twiml/{n}/0"),
                    ("StatusCallback", f"{stub}/status/{n}"),
                    *[
                        ("StatusCallbackEvent", one)
                        for one in ("initiated", "ringing", "answered", "completed")
                    ],
                ]
            )
            headers = {"Authorization": auth, "Content-Type": "application/x-www-form-urlencoded"}
            async with slots, session.post(url, data=form, headers=headers) as answer:
                if answer.status != 201:
                    raise SystemExit(f"create answered {answer.status}")
                await answer.read()

        cpu = sum(carrier.cpu_times()[:2])
        begun = time.perf_counter()
        tasks = []
        for n in range(lives):
            tasks.append(asyncio.create_task(create(n)))
            if rate:
                ahead = (n + 1) / rate - (time.perf_counter() - begun)
                if ahead > 0.005:
                    await asyncio.sleep(ahead)
        await asyncio.gather(*tasks)
        # The count is another process's: there is no event to wait for.
        counts = await rings()
        while counts["by_status"].get("completed", 0) < lives:  # type: ignore[attr-defined]
            await asyncio.sleep(0.02)
            counts = await rings()
        seconds = time.perf_counter() - begun
        used = sum(carrier.cpu_times()[:2]) - cpu
        if counts["rings"] != lives or counts["max_rings_per_attempt"] != 1:
            raise SystemExit(f"rings do not add up: {counts}")
    return {
        "lives": lives,
        "seconds": round(seconds, 2),
        "lives_per_second": round(lives / seconds, 1),
        "carrier_cpu_seconds_per_1000_lives": round(used / lives * 1000, 3),
        "carrier_cores_used": round(used / seconds, 3),
        "carrier_memory_mb": round(carrier.memory_info().rss / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lives", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--profile", default="")
    options = parser.parse_args()
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    stub = context.Process(target=serve_stub, args=(there,), daemon=True)
    stub.start()
    stub_base = f"http://127.0.0.1:{here.recv()}"
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        carrier = context.Process(target=serve_carrier, args=(port, folder, options.profile), daemon=True)
        carrier.start()
        base = f"http://127.0.0.1:{port}"
        assert carrier.pid is not None
        asyncio.run(ready(base))
        figures = uvloop.run(
            drive(
                base, stub_base, lives=options.lives, rate=options.rate, carrier=psutil.Process(carrier.pid)
            )
        )
        carrier.terminate()
        carrier.join(10)
        stub.terminate()
    print(json.dumps(figures))


async def ready(base: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(200):
            try:
                async with session.get(f"{base}/admin/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    raise SystemExit("the carrier does not answer")


if __name__ == "__main__":
    main()
