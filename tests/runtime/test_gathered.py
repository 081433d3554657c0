"""Nudges that would come many times a second: the first at once, the last never lost, few between."""

from __future__ import annotations

import threading
import time

from dialer.broker import WriteBatch


class Worker:
    """Writes down what it was nudged to, and when."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []
        self._changed = threading.Condition()

    def __call__(self, name: str) -> None:
        with self._changed:
            self.told.append((name, time.monotonic()))
            self._changed.notify_all()

    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    def until(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, 10)


def test_the_first_is_told_at_once():
    worker = Worker()
    WriteBatch(worker)(["send_messages"])
    assert worker.names() == ["send_messages"]


def test_those_that_come_meanwhile_become_one_that_is_told_after_them():
    worker = Worker()
    write_batch = WriteBatch(worker, spacing_seconds=0.3)
    for _ in range(50):
        write_batch(["send_messages"])
    last_wanted = time.monotonic()
    worker.until(2)
    assert worker.names() == ["send_messages"] * 2
    assert worker.told[1][1] >= last_wanted
    assert worker.told[1][1] - worker.told[0][1] >= 0.25


def test_different_work_does_not_wait_for_each_other():
    worker = Worker()
    write_batch = WriteBatch(worker, spacing_seconds=60)
    write_batch(["send_messages"])
    write_batch(["dial"])
    assert worker.names() == ["send_messages", "dial"]
