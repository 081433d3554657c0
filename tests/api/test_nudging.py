"""Nudges leave one at a time, whatever the broker does, and none that is needed is left out."""

from __future__ import annotations

import threading

from dialer.api.gate import EnqueueLimiter


def test_the_sender_does_not_wait_and_what_is_wanted_meanwhile_becomes_one_more():
    begun, released, done = threading.Semaphore(0), threading.Semaphore(0), []

    def slow() -> None:
        begun.release()
        assert released.acquire(timeout=10)
        done.append(threading.current_thread().name)

    nudging = EnqueueLimiter(slow)
    nudging()
    assert begun.acquire(timeout=10)
    for _ in range(50):
        nudging()
    assert done == []
    released.release()
    assert begun.acquire(timeout=10)
    released.release()
    assert not begun.acquire(timeout=0.2)
    assert len(done) == 2


def test_a_nudge_after_the_last_one_ended_leaves_again():
    begun = threading.Semaphore(0)
    nudging = EnqueueLimiter(begun.release)
    for _ in range(3):
        nudging()
        assert begun.acquire(timeout=10)
