"""The attacks of people with an account or a token of their own, of `make attack`, on a web process in this process."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from tests.attack.database_owner import audit
from tests.attack.edges import figures, guesses, headers
from tests.attack.own_users import numbers
from tests.attack.run import Attack
from tests.console.desk import ConsoleDesk


@pytest.mark.parametrize("run", [numbers, audit, guesses, headers, figures])
async def test_nothing_gets_through(console: ConsoleDesk, run: Callable[..., Awaitable[None]]):
    target: Any = SimpleNamespace(
        desk=console,
        owner=lambda: nullcontext(console.app.services.store),
        chance=random.Random(7),
        times=lambda count: count,
    )
    attack = Attack(name=run.__name__)
    await run(target, attack)
    assert attack.tried > 0
    assert attack.got_through == []
