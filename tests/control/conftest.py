"""Whole applications on the test run's servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dialer.bootstrap import assemble
from dialer.db.keys import create
from dialer.runtime.settings import load_settings
from dialer.services import Application

ROOT = Path(__file__).resolve().parents[2]
Assemble = Callable[..., Application]


@pytest.fixture
def environment(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    """What a process of the service is told: this test's own database, broker, keys and folder."""
    create(tmp_path / "keys.json")
    return {
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_SETTINGS": str(ROOT / "settings.toml"),
    }


@pytest.fixture
def assembled(environment: dict[str, str]) -> Iterator[Assemble]:
    """Makes applications as an entry point does; closes them after the test."""
    made: list[Application] = []

    def make(**env: str) -> Application:
        made.append(assemble(load_settings(environment | env)))
        return made[-1]

    yield make
    for app in made:
        app.close()
