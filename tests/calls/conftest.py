from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.scene import Scene


@pytest.fixture
def scene(fresh_database: str) -> Iterator[Scene]:
    scenario = Scene(fresh_database)
    yield scenario
    scenario.close()
