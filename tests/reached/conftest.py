from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ops.scene import Scene


@pytest.fixture
def scene(fresh_database: str) -> Iterator[Scene]:
    town = Scene(fresh_database)
    yield town
    town.close()
