"""How much money each order of tasks averts while desks and officers are overloaded three times.

    python -m bench.whatif [--seed 1] [--seeds 3] [--load 3]

A day of the generated city (`dialer/whatif/generated.py`), replayed with the same people for each order: as callers and
officers take tasks now, with a larger weight of the amount, by grade, by deadline, first come first served, and by an
oracle that knows who would pay, when and how much. People pay by the stated default hazard (`dialer/whatif/hazard.py`).
Counted is the money of people whom a caller or an officer spoke to before they would have paid. Robot lines are idle.
Prints JSON: shares of the oracle, times first come first served, and seconds of processor time for a day.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from statistics import fmean
from typing import Final

from dialer.core.policy import Policy
from dialer.core.values import Track
from dialer.runtime.settings import load_settings
from dialer.whatif.engine import Replayed, replay
from dialer.whatif.figures import averted
from dialer.whatif.generated import City, city
from dialer.whatif.hazard import DEFAULT
from dialer.whatif.model import Order

START: Final = datetime(2026, 3, 1, 16, tzinfo=UTC)
STAFF: Final = {Track.HUMAN: (2, 2, 1), Track.VISIT: (8, 8, 4)}
"""Callers and officers of the day, the late and the night shift: with three times the city's warnings a third of the
calls and a sixth of the visits can be done.
"""
DAY_SECONDS: Final = 86_400
TRIED: Final = "ours_with_a_day_a_tenfold"
"""Ours, where ten times the amount counts like a day of waiting instead of an hour."""


def lived(made: City, order: Order, seed: int) -> Replayed:
    return replay(
        made.cases,
        made.people,
        replace(made.centre, order=order),
        zone=made.zone,
        until=made.end,
        seed=seed,
        pays_at=partial(DEFAULT.pays_at, seed),
    )


def overload(replayed: Replayed, track: Track) -> float:
    """Tasks that waited for somebody over those that somebody took."""
    tasks = [task for life in replayed.lives for task in life.tasks if task.track is track]
    return sum(task.taken_at is not None or not task.withdrawn for task in tasks) / max(
        1, sum(task.taken_at is not None for task in tasks)
    )


def town(policy: Policy, seed: int, load: float) -> City:
    return city(policy, start=START, days=1, seed=seed, load=load, staff=STAFF)


def run(seed: int, seeds: int, load: float) -> dict[str, object]:
    policy = load_settings({}).policy.policy(zone="Asia/Shanghai")
    weighed = replace(policy, urgency=replace(policy.urgency, amount_seconds_per_tenfold=DAY_SECONDS))
    orders = {order.value: (town(policy, seed, load), order) for order in Order}
    orders[TRIED] = (town(weighed, seed, load), Order.OURS)
    made: dict[str, list[float]] = {name: [] for name in orders}
    used, over = [], []
    risk, robot = [], []
    for place in range(seeds):
        for name, (cases, order) in orders.items():
            began = time.process_time()
            replayed = lived(cases, order, seed + place)
            used.append(time.process_time() - began)
            found = averted(replayed.lives)
            made[name].append(found.by_staff_fen / 1e6)
            if order is Order.OURS and name != TRIED:
                over.append({track.value: overload(replayed, track) for track in STAFF})
                risk.append(found.at_risk_fen / 1e6)
                robot.append(found.by_robot_fen / 1e6)
    means = {name: fmean(found) for name, found in made.items()}
    return {
        "seed": seed,
        "replays": seeds,
        "load": load,
        "cases": len(orders[Order.OURS.value][0].cases),
        "overload": {track.value: round(fmean(one[track.value] for one in over), 1) for track in STAFF},
        "at_risk_10k_yuan": round(fmean(risk)),
        "averted_by_the_robot_10k_yuan": round(fmean(robot)),
        "averted_by_staff_10k_yuan": {name: round(mean) for name, mean in means.items()},
        "share_of_the_oracle": _over(means, Order.ORACLE),
        "times_first_come": _over(means, Order.FIRST_COME),
        "processor_seconds_a_day": round(fmean(used), 2),
    }


def _over(means: Mapping[str, float], order: Order) -> dict[str, float]:
    return {name: round(mean / means[order.value], 2) for name, mean in means.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--load", type=float, default=3.0)
    options = parser.parse_args()
    print(json.dumps(run(options.seed, options.seeds, options.load), indent=1))


if __name__ == "__main__":
    main()
