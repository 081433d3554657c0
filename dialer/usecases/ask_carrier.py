"""Asks the carrier about many things, some at a time, and about no more of them once it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_SIDE_BY_SIDE = 16
"""So many wait for a carrier that does not answer; each of the others would only wait as long, after them."""

_T = TypeVar("_T")


async def ask_carrier(about: Iterable[_T], ask: Callable[[_T], Awaitable[bool]]) -> int:
    """How many were answered. `ask` is False when the carrier did not answer: what has not been asked by then is left.
    A fault of `ask` is raised when those under way are over.
    """
    waiting = iter(about)
    silent = False

    async def one_after_the_other() -> int:
        nonlocal silent
        answered = 0
        for one in waiting:
            if not await ask(one):
                silent = True
            else:
                answered += 1
            if silent:
                break
        return answered

    ends = await asyncio.gather(
        *(one_after_the_other() for _ in range(_SIDE_BY_SIDE)), return_exceptions=True
    )
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return sum(end for end in ends if isinstance(end, int))
