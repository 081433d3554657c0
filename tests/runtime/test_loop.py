"""What sends a lot runs on the fast loop, and its answer and faults come back."""

from __future__ import annotations

import asyncio
import sys

import pytest

from dialer.runtime.loop import run_fast


async def _loop() -> str:
    return type(asyncio.get_running_loop()).__module__


async def _fails() -> None:
    raise ZeroDivisionError


def test_the_loop_is_the_fast_one() -> None:
    assert run_fast(_loop()) == ("asyncio.windows_events" if sys.platform == "win32" else "uvloop")


def test_a_fault_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        run_fast(_fails())
