"""The API enqueues in the background, one at a time, and leaves none out that is needed."""

from __future__ import annotations

import threading

from dialer.api.gate import EnqueueLimiter


def test_the_request_does_not_wait_and_calls_made_meanwhile_become_one_more():
    begun, released, done = threading.Semaphore(0), threading.Semaphore(0), []

    def slow() -> None:
        begun.release()
        assert released.acquire(timeout=10)
        done.append(threading.current_thread().name)

    limiter = EnqueueLimiter(slow)
    limiter()
    assert begun.acquire(timeout=10)
    for _ in range(50):
        limiter()
    assert done == []
    released.release()
    assert begun.acquire(timeout=10)
    released.release()
    assert not begun.acquire(timeout=0.2)
    assert len(done) == 2


def test_it_enqueues_again_after_the_last_one_ended():
    begun = threading.Semaphore(0)
    limiter = EnqueueLimiter(begun.release)
    for _ in range(3):
        limiter()
        assert begun.acquire(timeout=10)
