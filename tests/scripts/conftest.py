from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.db.keys import create
from tests.scripts.centre import ScriptCentre

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def centre(fresh_database: str, tmp_path: Path) -> Iterator[ScriptCentre]:
    made = ScriptCentre(fresh_database, tmp_path)
    yield made
    made.close()


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
