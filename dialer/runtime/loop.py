"""The event loop of what sends a lot: uvloop where there is one (not on Windows), at half the cost of a request."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import TypeVar

_T = TypeVar("_T")


def run_fast(work: Coroutine[object, object, _T]) -> _T:
    """As `asyncio.run`."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - absent on Windows

    return uvloop.new_event_loop
