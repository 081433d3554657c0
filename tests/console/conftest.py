"""The whole application in process, on a database of its own, with a signed-in client for each role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.bootstrap import assemble
from dialer.db.keys import create
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from tests.clock import FrozenClock
from tests.console.desk import ROOT, ConsoleDesk
from tests.outcomes.town import MORNING


@pytest.fixture
def console_app(fresh_database: str, broker_url: str, tmp_path: Path) -> Iterator[Application]:
    """Its clock stands at ten in the morning."""
    create(tmp_path / "keys.json")
    app = assemble(
        load_settings(
            {
                "DIALER_DATA_DIR": str(tmp_path / "var"),
                "DIALER_DATABASE__URL": fresh_database,
                "DIALER_BROKER__URL": broker_url,
                "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
                "DIALER_CONSOLE__PATIENCE_SECONDS": "30",
                "DIALER_API__REQUESTS_PER_SECOND": "10000",
                "DIALER_API__BURST": "100000",
            },
            ROOT / "settings.toml",
        )
    )
    clock = FrozenClock(MORNING)
    yield replace(app, services=replace(app.services, clock=clock, real=clock, enqueue=lambda *_: None))
    app.close()


@pytest.fixture
async def console(console_app: Application) -> AsyncIterator[ConsoleDesk]:
    desk = ConsoleDesk(console_app)
    yield desk
    await desk.close()
