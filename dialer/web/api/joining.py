"""Requests that arrive while a transaction is under way share the next one: the more come, the less each costs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from dialer.errors import DialerError
from dialer.usecases.take_warnings import Answer, Delivery

MOST_TOGETHER = 1000
"""Warnings in one transaction, unless a single request has more."""

Take = Callable[[Sequence[Delivery]], list[tuple[Answer, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    delivery: Delivery
    told: Future[tuple[Answer, ...]] = field(default_factory=Future)


class Joining:
    """Deliveries are taken one transaction after the other; those with a warning of a high grade go first."""

    def __init__(self, take: Take, threads: Executor) -> None:
        self._take = take
        self._threads = threads
        self._waiting: list[_Waiting] = []
        self._running = False
        self._lock = threading.Lock()

    def put(self, delivery: Delivery) -> Future[tuple[Answer, ...]]:
        """The answers, when they are committed."""
        waiting = _Waiting(delivery=delivery)
        with self._lock:
            self._waiting.append(waiting)
            starts, self._running = not self._running, True
        if starts:
            self._threads.submit(self._drain)
        return waiting.told

    def _drain(self) -> None:
        while batch := self._next():
            wanted = [one for one in batch if one.told.set_running_or_notify_cancel()]
            if wanted:
                self._settle(wanted)

    def _next(self) -> list[_Waiting]:
        with self._lock:
            self._waiting.sort(key=lambda one: not one.delivery.is_urgent)
            size = count = 0
            for one in self._waiting:
                size += len(one.delivery.read)
                if count and size > MOST_TOGETHER:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
            self._running = bool(batch)
            return batch

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        """Each has its answer or its own fault: what one breaks does not cost the others."""
        try:
            answers = self._take([one.delivery for one in batch])
        except DialerError as fault:
            for one in batch:
                one.told.set_exception(fault)
        except Exception as fault:  # noqa: BLE001  # whatever it is, nobody may wait for ever
            if len(batch) == 1:
                batch[0].told.set_exception(fault)
                return
            for one in batch:
                self._settle([one])
        else:
            for one, answer in zip(batch, answers, strict=True):
                one.told.set_result(answer)
