from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.backup.actions import Installation, make_backup
from dialer.db.keys import Keys
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

KEYS = Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1)
"""Those of a scene."""

RECORDING = random.Random(1).randbytes(1 << 20)
"""Four chunks of a backup."""


@pytest.fixture
def scene(scene: Scene) -> Scene:
    for _ in range(5):
        scene.open_case()
    return scene


@pytest.fixture
def old(fresh_database: str, scene: Scene, tmp_path: Path) -> Installation:
    """What is backed up: five cases and a recording."""
    folder = tmp_path / "old"
    (folder / "recordings" / "zh").mkdir(parents=True)
    (folder / "recordings" / "zh" / "greeting.wav").write_bytes(RECORDING)
    return Installation(database_url=fresh_database, owner_url=None, keys=KEYS, data_dir=folder)


@pytest.fixture
def new(old: Installation, empty_database: str, tmp_path: Path) -> Installation:
    """An empty place."""
    (tmp_path / "new").mkdir()
    return replace(old, database_url=empty_database, data_dir=tmp_path / "new")


@pytest.fixture
def file(old: Installation, tmp_path: Path) -> Path:
    path = tmp_path / "one.backup"
    make_backup(old, path, real_now=MORNING)
    return path
