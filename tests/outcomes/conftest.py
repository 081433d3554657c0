from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.outcomes.town import Scenario


@pytest.fixture
def drill_scenario(fresh_database: str) -> Iterator[Scenario]:
    built = Scenario(fresh_database, drill=True)
    yield built
    built.close()
