"""The whole application on a database of its own, asked in process; its clock stands at ten in the morning."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from dialer.bootstrap import assemble
from dialer.db.keys import create
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.server.application import create_app
from tests.api.office import ROOT, Office, Opener
from tests.clock import FrozenClock
from tests.outcomes.town import MORNING


@pytest.fixture
def environment(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    create(tmp_path / "keys.json")
    return {
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
        "DIALER_API__REQUESTS_PER_SECOND": "1000",
        "DIALER_API__BURST": "1000",
    }


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens applications, and closes them after the test."""
    apps: list[Application] = []

    def open_one(environment: dict[str, str]) -> Application:
        apps.append(assemble(load_settings(environment, ROOT / "settings.toml")))
        return apps[-1]

    yield open_one
    for app in apps:
        app.close()


@pytest.fixture
async def office(environment: dict[str, str], opened: Opener) -> AsyncIterator[Office]:
    clock = FrozenClock(MORNING)
    enqueued: list[tuple[object, ...]] = []
    app = opened(environment)
    app = replace(
        app,
        services=replace(app.services, clock=clock, real=clock, enqueue=lambda *args: enqueued.append(args)),
    )
    web = create_app(app)
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        office = Office(app=app, clock=clock, client=client, enqueued=enqueued)
        client.headers.update(office.token("city-bank"))
        yield office
