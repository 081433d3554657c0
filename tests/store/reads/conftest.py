from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.reads.town import Town


@pytest.fixture
def town(fresh_database: str) -> Iterator[Town]:
    built = Town(fresh_database)
    yield built
    built.close()


@pytest.fixture
def drill_town(fresh_database: str) -> Iterator[Town]:
    built = Town(fresh_database, drill=True)
    yield built
    built.close()
