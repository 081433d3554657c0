from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.centre import ScriptCentre

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def centre(fresh_database: str, tmp_path: Path) -> Iterator[ScriptCentre]:
    made = ScriptCentre(fresh_database, tmp_path)
    yield made
    made.close()
