"""Data for webhook tests; webhooks are requested over HTTP, signed as the carrier signs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.switchboard import Switchboard


@pytest.fixture
def board(fresh_database: str) -> Iterator[Switchboard]:
    made = Switchboard(fresh_database)
    yield made
    made.close()
