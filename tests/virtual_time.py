"""An event loop whose time passes only when everybody waits: what takes minutes is over at once, to the microsecond."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Any

_PATIENCE_SECONDS = 30.0
"""Of real time, for a thread."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0. While a thread works for it no time passes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._working = 0
        self._of_thread = threading.local()
        super().__init__()
        self._wait = self._selector.select
        self._selector.select = self._jump  # type: ignore[method-assign]

    def time(self) -> float:
        return self.seconds

    def _jump(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - as the selector answers
        if self._working or timeout is None:
            found = self._wait(0 if timeout == 0 else _PATIENCE_SECONDS)
            if not found and timeout != 0:
                raise TimeoutError("what the loop waits for does not come")
            return found
        found = self._wait(0)
        if not found and timeout > 0:
            self.seconds += timeout
        return found

    def run_in_executor(  # type: ignore[override]  # as asyncio has it
        self,
        executor: Executor | None,
        func: Callable[..., Any],
        *args: Any,  # noqa: ANN401  # as asyncio has it
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, self._timed, func, *args)
        self._working += 1
        future.add_done_callback(self._worked)
        return self.create_task(self._taken(future))

    def takes(self, seconds: float) -> None:
        """In a thread that works for the loop: what it does takes this long."""
        self._of_thread.seconds = self.seconds_of_thread() + seconds

    def seconds_of_thread(self) -> float:
        """How long the work of this thread has taken so far."""
        return getattr(self._of_thread, "seconds", 0.0)

    def _timed(self, func: Callable[..., Any], *args: Any) -> tuple[Any, float]:  # noqa: ANN401  # as above
        self._of_thread.seconds = 0.0
        try:
            return func(*args), self.seconds_of_thread()
        finally:
            self._of_thread.seconds = 0.0

    async def _taken(self, future: asyncio.Future[Any]) -> Any:  # noqa: ANN401  # what the work returns
        result, seconds = await future
        if seconds:
            await asyncio.sleep(seconds)
        return result

    def _worked(self, _future: object) -> None:
        self._working -= 1


class LoopClock:
    """A clock that goes with a virtual loop. `ahead` is how far it was set since."""

    def __init__(self, loop: VirtualLoop, begins: datetime) -> None:
        self._loop = loop
        self._begins = begins
        self.ahead = timedelta()

    def now(self) -> datetime:
        seconds = self._loop.seconds + self._loop.seconds_of_thread()
        return self._begins + timedelta(seconds=seconds) + self.ahead
