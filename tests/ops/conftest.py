"""A small town to operate on; what a test needs beyond it is in scene.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ops.scene import Scene


@pytest.fixture
def scene(fresh_database: str) -> Iterator[Scene]:
    built = Scene(fresh_database)
    yield built
    built.close()
