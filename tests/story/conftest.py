"""The world of a story test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.control.scene import Scene
from tests.story.world import World, world
from tests.web.conftest import board

__all__ = ["board", "w"]


@pytest.fixture
async def w(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    scenario = Scene(fresh_database)
    try:
        async with world(scenario, tmp_path / "carrier") as made:
            yield made
    finally:
        scenario.close()
