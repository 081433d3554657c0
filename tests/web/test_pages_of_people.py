"""How many pages of masked people an account opens in an hour: counted once for all web processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from dialer.web.pages_of_people import REFUSED, SEEN, PagesOfPeople
from tests.clock import FrozenClock

NOW = datetime(2026, 12, 1, 8, 10, tzinfo=UTC)
NOBODY = "redis://127.0.0.1:1/0"


class Processes:
    def __init__(self, url: str, *, key: bytes = b"one", clock: FrozenClock | None = None) -> None:
        self.clock = clock or FrozenClock(NOW)
        self._stack = ExitStack()
        self.processes = [PagesOfPeople(url, key=key, most=3, real_now=self.clock.now) for _ in range(2)]
        for process in self.processes:
            self._stack.callback(process.close)

    def open(self, *paths: str, account: int = 1) -> list[int]:
        """Each by another process than the one before."""
        return [self.processes[place % 2].open(account, path) for place, path in enumerate(paths)]

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def processes(broker_url: str) -> Iterator[Processes]:
    made = Processes(broker_url, key=str(id(broker_url)).encode())
    yield made
    made.close()


def test_different_pages_are_counted_over_processes_and_one_more_is_refused(processes: Processes):
    assert processes.open("/cases/1", "/cases/1", "/cases/2", "/cases/3") == [1, SEEN, 2, 3]
    assert processes.open("/cases/4", "/cases/4", "/cases/2") == [REFUSED, REFUSED, SEEN]
    assert processes.open("/cases/4", account=2) == [1]


def test_an_hour_later_the_count_begins_again(processes: Processes):
    processes.open("/1", "/2", "/3")
    processes.clock.advance(49 * 60)
    assert processes.open("/4") == [REFUSED]
    processes.clock.advance(60)
    assert processes.open("/4", "/1") == [1, 2]


def test_of_another_installation_nothing_is_counted(processes: Processes, broker_url: str):
    processes.open("/1", "/2", "/3")
    other = Processes(broker_url, key=b"another")
    assert other.open("/4") == [1]
    other.close()


def test_while_the_broker_does_not_answer_a_process_counts_by_itself():
    away = Processes(NOBODY)
    one = away.processes[0]
    assert [one.open(1, path) for path in ("/1", "/1", "/2", "/3", "/4", "/4", "/3")] == [
        1, SEEN, 2, 3, REFUSED, REFUSED, SEEN,
    ]  # fmt: skip
    assert away.processes[1].open(1, "/4") == 1
    away.clock.advance(3600)
    assert one.open(1, "/4") == 1
    away.close()
