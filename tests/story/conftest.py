"""The world of a story test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ops.conftest import assembled, environment, scene
from tests.ops.scene import Scene
from tests.story.world import World, world
from tests.web.conftest import board

__all__ = ["assembled", "board", "environment", "scene", "w"]


@pytest.fixture
async def w(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    town = Scene(fresh_database)
    try:
        async with world(town, tmp_path / "carrier") as made:
            yield made
    finally:
        town.close()
