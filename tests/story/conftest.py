"""The world of a story test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.control.scene import Scene
from tests.server.conftest import board
from tests.story.world import World, world

__all__ = ["board", "w"]


@pytest.fixture
async def w(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    scenario = Scene(fresh_database)
    try:
        async with world(scenario, tmp_path / "carrier") as made:
            yield made
    finally:
        scenario.close()
