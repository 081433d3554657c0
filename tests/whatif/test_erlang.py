"""Where theory holds, the replay agrees with it: Erlang A (M/M/c with impatience; C. Palm, 1957). Who waits for a
caller stops waiting when the robot has reached them meanwhile.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import timedelta
from statistics import fmean

import pytest

from dialer.core.values import Track
from dialer.whatif.engine import replay
from tests.core.samples import MORNING
from tests.whatif.samples import ACKNOWLEDGED, DISSUADED, ZONE, centre, people, warned

_ARRIVALS, _SERVICE, _PATIENCE = 1 / 20, 100.0, 150.0
_CASES, _SEEDS = 4_000, 2


def erlang_a(servers: int) -> tuple[float, float]:
    """The share that stops waiting, and the mean wait in seconds of all that come."""
    chances = [1.0]
    for n in range(1, 400):
        leaves = min(n, servers) / _SERVICE + max(0, n - servers) / _PATIENCE
        chances.append(chances[-1] * _ARRIVALS / leaves)
    waiting = sum(max(0, n - servers) * chance for n, chance in enumerate(chances)) / sum(chances)
    return waiting / _PATIENCE / _ARRIVALS, waiting / _ARRIVALS


def spread(mean: float) -> list[float]:
    """Evenly over the exponential distribution."""
    return [-mean * math.log(1 - (n + 0.5) / 2_000) for n in range(2_000)]


@pytest.mark.parametrize("servers", [4, 5, 7])
def test_the_replay_agrees_with_erlang_a(servers: int):
    who = people(
        robot=[replace(ACKNOWLEDGED, seconds=seconds) for seconds in spread(_PATIENCE)],
        call=[replace(DISSUADED, seconds=seconds) for seconds in spread(_SERVICE)],
    )
    shares, waits = [], []
    for seed in range(_SEEDS):
        chance, at, cases = random.Random(seed), 0.0, []
        for _ in range(_CASES):
            at += chance.expovariate(_ARRIVALS)
            cases.append(warned(at))
        lives = replay(
            cases,
            who,
            centre(callers=servers, days=3),
            zone=ZONE,
            until=MORNING + timedelta(days=2),
            seed=seed,
        ).lives
        tasks = [next(task for task in life.tasks if task.track is Track.HUMAN) for life in lives]
        shares.append(sum(task.taken_at is None for task in tasks) / len(tasks))
        left = [life.spoken_at or task.taken_at for life, task in zip(lives, tasks, strict=True)]
        waits += [
            ((task.taken_at or gone or MORNING) - task.opened_at).total_seconds()
            for task, gone in zip(tasks, left, strict=True)
        ]
    gives_up, wait_seconds = erlang_a(servers)
    assert fmean(shares) == pytest.approx(gives_up, abs=0.02)
    assert fmean(waits) == pytest.approx(wait_seconds, rel=0.1, abs=1.5)
