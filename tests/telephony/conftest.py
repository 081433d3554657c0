"""The client under test and the small carrier that it speaks to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web

from dialer.telephony.client import CallClient
from dialer.telephony.config import TelephonyConfig
from tests.telephony.stub_carrier import ACCOUNT, TOKEN, Stub


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    made = Stub()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.address = f"http://{host}:{port}"
    yield made
    made.gone.set()
    await runner.cleanup()


@pytest.fixture
def config(stub: Stub) -> TelephonyConfig:
    return TelephonyConfig(
        base_url=stub.address,
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        caller_number="047896110",
        public_url="https://calls.example.cn/dialer/",
        timeout_seconds=5,
    )


@pytest.fixture
async def client(config: TelephonyConfig) -> AsyncIterator[CallClient]:
    async with CallClient(config) as made:
        yield made


@pytest.fixture
async def impatient(config: TelephonyConfig) -> AsyncIterator[CallClient]:
    async with CallClient(replace(config, timeout_seconds=0.3)) as made:
        yield made
