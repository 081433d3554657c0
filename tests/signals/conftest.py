from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.signals.post import Post


@pytest.fixture
def post(fresh_database: str) -> Iterator[Post]:
    made = Post(fresh_database)
    yield made
    made.close()
