"""A bureau with its tree, in whose cases people work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.work.bureau import Bureau


@pytest.fixture
def bureau(fresh_database: str) -> Iterator[Bureau]:
    built = Bureau(fresh_database)
    yield built
    built.close()
