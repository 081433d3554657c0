"""Work that is wanted many times a second: enqueued at once, the last never lost, few messages between."""

from __future__ import annotations

import threading
import time

from celery.app.task import Task

from dialer.runtime.broker import BULK_TASKS, TASK_PREFIX, EnqueueLimiter
from dialer.tasks import bulk_work, dial_work


class Broker:
    """Notes what was enqueued, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float]] = []
        self._changed = threading.Condition()

    def __call__(self, name: str) -> None:
        with self._changed:
            self.sent.append((name, time.monotonic()))
            self._changed.notify_all()

    def names(self) -> list[str]:
        return [name for name, _ in self.sent]

    def until(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.sent) >= count, 10)


def test_what_is_wanted_meanwhile_becomes_one_message_after_it():
    broker = Broker()
    enqueue = EnqueueLimiter(broker, spacing_seconds=0.3)
    for _ in range(50):
        enqueue(["send_messages"])
    last_wanted = time.monotonic()
    broker.until(2)
    assert broker.names() == ["send_messages"] * 2
    assert broker.sent[1][1] >= last_wanted
    assert broker.sent[1][1] - broker.sent[0][1] >= 0.25


def test_different_work_does_not_wait_for_each_other():
    broker = Broker()
    enqueue = EnqueueLimiter(broker, spacing_seconds=60)
    enqueue(["send_messages", "dial"])
    broker.until(2)
    assert sorted(broker.names()) == ["dial", "send_messages"]


def test_the_caller_does_not_wait_for_the_broker():
    begun, released, done = threading.Semaphore(0), threading.Semaphore(0), []

    def slow(name: str) -> None:
        begun.release()
        assert released.acquire(timeout=10)
        done.append(name)

    enqueue = EnqueueLimiter(slow)
    enqueue(["dial"])
    assert begun.acquire(timeout=10)
    for _ in range(50):
        enqueue(["dial"])
    assert done == []
    released.release()
    assert begun.acquire(timeout=10)
    released.release()
    assert not begun.acquire(timeout=0.2)
    assert done == ["dial", "dial"]


def test_work_that_is_wanted_after_the_last_message_is_enqueued_again():
    begun = threading.Semaphore(0)
    enqueue = EnqueueLimiter(lambda _name: begun.release())
    for _ in range(3):
        enqueue(["dial"])
        assert begun.acquire(timeout=10)


def names_of(module: object) -> set[str]:
    """Of the tasks that a module declares."""
    return {var.name.removeprefix(TASK_PREFIX) for var in vars(module).values() if isinstance(var, Task)}


def test_each_task_is_enqueued_to_the_queue_whose_workers_know_it():
    assert names_of(bulk_work) == BULK_TASKS
    assert names_of(dial_work)
    assert not names_of(dial_work) & BULK_TASKS
