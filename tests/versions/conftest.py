from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.versions.centre import ScriptCentre


@pytest.fixture
def centre(fresh_database: str, tmp_path: Path) -> Iterator[ScriptCentre]:
    made = ScriptCentre(fresh_database, tmp_path)
    yield made
    made.close()
