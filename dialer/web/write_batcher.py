"""Requests that arrive while a transaction runs share the next one.

An idle batcher writes the first item at once. A busy one collects what arrives meanwhile, since a transaction costs
ten times what one more event in it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from dialer.core.errors import Unavailable

In = TypeVar("In")
Out = TypeVar("Out")

_BUSY_FROM = 4
"""A batch of this many items shows that more are on their way."""
_GIVE_UP_AFTER = 2
"""Items in a row that find no database before the rest of their batch fails without being tried."""


class WriteBatcher(Generic[In, Out]):
    """`apply` writes a batch in one transaction, on a thread of its own, and returns an answer for each item; an
    exception among the answers is raised to the caller of that item. One batch runs at a time.

    A batch holds items of the size `at_most` together, or one larger item. Urgent items go first; the others are
    written in the order of their arrival. `linger_seconds` pass between a large batch and the next.
    """

    def __init__(
        self,
        apply: Callable[[Sequence[In]], Sequence[Out | Exception]],
        *,
        at_most: int,
        linger_seconds: float = 0.0,
        size: Callable[[In], int] = lambda _item: 1,
        is_urgent: Callable[[In], bool] = lambda _item: False,
    ) -> None:
        self._apply = apply
        self._at_most = at_most
        self._linger_seconds = linger_seconds
        self._size = size
        self._is_urgent = is_urgent
        self._waiting: list[tuple[In, asyncio.Future[Out]]] = []
        self._runner: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="write-batch")

    async def add(self, item: In) -> Out:
        """The answer to `item`, once its batch is committed. Raises its fault. An item whose caller was cancelled
        before its batch began is not written.
        """
        answer: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while taken := self._next():
            try:
                answers = await loop.run_in_executor(self._thread, self._write, [item for item, _ in taken])
            except BaseException as fault:
                _fail([waiter for _, waiter in [*taken, *self._waiting]], fault)
                raise
            for (_, waiter), answer in zip(taken, answers, strict=True):
                if isinstance(answer, Exception):
                    _fail([waiter], answer)
                elif not waiter.done():
                    waiter.set_result(answer)
            if self._linger_seconds and len(taken) >= _BUSY_FROM and len(self._waiting) < self._at_most:
                await asyncio.sleep(self._linger_seconds)

    def _next(self) -> list[tuple[In, asyncio.Future[Out]]]:
        """The items of the next batch, taken off the queue."""
        waiting = [pair for pair in self._waiting if not pair[1].done()]
        waiting.sort(key=lambda pair: not self._is_urgent(pair[0]))
        size = count = 0
        for item, _ in waiting:
            size += self._size(item)
            if count and size > self._at_most:
                break
            count += 1
        self._waiting = waiting[count:]
        return waiting[:count]

    def _write(self, items: Sequence[In]) -> Sequence[Out | Exception]:
        """All in one transaction. When that fails each is tried alone, so that one that cannot be written does not
        cost the others their answers. Nothing is raised.
        """
        try:
            return self._apply(items)
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is raised to the caller of the item
            if len(items) == 1:
                return [fault]
        answers: list[Out | Exception] = []
        in_vain = 0
        for item in items:
            try:
                answers += self._apply([item])
                in_vain = 0
            except Unavailable as fault:
                answers.append(fault)
                in_vain += 1
                if in_vain == _GIVE_UP_AFTER:
                    return answers + [fault] * (len(items) - len(answers))
            except Exception as fault:  # noqa: BLE001  # as above
                answers.append(fault)
                in_vain = 0
        return answers


def _fail(waiters: Sequence[asyncio.Future[Out]], fault: BaseException) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if isinstance(fault, asyncio.CancelledError):
            waiter.cancel()
        else:
            waiter.set_exception(fault)
