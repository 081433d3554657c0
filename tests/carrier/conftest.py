"""Fixtures of the carrier's tests; what they are made of is in stage.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from twilio.rest import Client

from carrier.config import CarrierConfig, ServiceClock
from carrier.people import Behaviour, PeopleConfig
from carrier.server import MakeLine, start
from tests.carrier.device_line import DeviceLine
from tests.carrier.stage import ACCOUNT, ADMIN, BY_HAND, FAST, TOKEN, App, DeskView, Start, ToCarrier


@pytest.fixture
async def app() -> AsyncIterator[App]:
    app = App()
    await app.start()
    yield app
    await app.stop()


@pytest.fixture
async def bench(app: App, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts carriers; `line=None` gives phones in hand, or a behaviour that everybody has."""
    started: list[DeskView] = []

    async def begin(
        *people: Behaviour,
        make_line: MakeLine | None = None,
        state: str = "carrier",
        **config: Any,  # noqa: ANN401 - passed on as it came
    ) -> DeskView:
        if people:
            config["people"] = PeopleConfig(behaviours=people)
        # A hand needs longer than a timer: its phones' clock runs slower.
        config.setdefault("clock", ServiceClock(speed=FAST if make_line is None else BY_HAND))
        config.setdefault("admin_token", ADMIN)
        made = CarrierConfig(account_sid=ACCOUNT, auth_token=TOKEN, state_dir=tmp_path / state, **config)
        carrier = await start(made, make_line=make_line)
        client = Client(ACCOUNT, TOKEN, http_client=ToCarrier(carrier.base_url))
        one = DeskView(carrier=carrier, app=app, client=client, session=ClientSession())
        started.append(one)
        return one

    yield begin
    for one in started:
        await one.client.http_client.close()  # type: ignore[attr-defined]
        await one.session.close()
        await one.carrier.stop()


@pytest.fixture
async def hands(bench: Start) -> DeskView:
    """A carrier whose phones are in the test's hands."""
    return await bench(make_line=DeviceLine)
