"""Requests that arrive while a transaction runs share the next one. Idle, the first begins at once; busy, a moment is
waited for company, since a transaction costs ten times what one more event in it does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

AT_MOST = 200
"""Of one transaction: it holds its rows' locks until its commit."""
LINGER_SECONDS = 0.02
"""From the end of a batch that had company to the beginning of the next."""
_COMPANY = 4


class Batch(Generic[In, Out]):
    """`apply` gets the items of one batch, on a thread of its own, and returns for each its answer or its fault. One
    batch runs at a time, so items of one process are applied in the order in which they came.
    """

    def __init__(
        self,
        apply: Callable[[Sequence[In]], Sequence[Out | Exception]],
        *,
        at_most: int = AT_MOST,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._apply = apply
        self._linger = linger_seconds
        self._at_most = at_most
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batch")

    async def add(self, item: In) -> Out:
        """The answer to `item`, once its batch is committed. Raises its fault."""
        answer: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(self._at_most, len(self._waiting)))]
            try:
                answers = await loop.run_in_executor(self._thread, self._apply, [item for item, _ in taken])
            except BaseException as fault:
                _fail([waiter for _, waiter in taken], fault)
                if not isinstance(fault, Exception):
                    _fail([waiter for _, waiter in self._waiting], fault)
                    raise
                continue
            for (_, waiter), answer in zip(taken, answers, strict=True):
                if waiter.done():
                    continue
                if isinstance(answer, Exception):
                    waiter.set_exception(answer)
                else:
                    waiter.set_result(answer)
            if len(taken) >= _COMPANY and len(self._waiting) < self._at_most:
                await asyncio.sleep(self._linger)


def _fail(waiters: Sequence[asyncio.Future[Out]], fault: BaseException) -> None:
    """Whoever has gone meanwhile needs no answer."""
    for waiter in waiters:
        if waiter.done():
            continue
        if isinstance(fault, asyncio.CancelledError):
            waiter.cancel()
        else:
            waiter.set_exception(fault)
