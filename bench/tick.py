"""What one round of everything that a tick starts costs, while 10,000, 100,000 and 1,000,000 attempts wait.

    python -m bench.tick [--sizes 10000,100000,1000000] [--rounds 25]

A claim of 50, the sweep, the questions to the carrier, a round of the consistency checker, the refresh of the rollup
for 50 changed cases, and the search for unfinished lists. As many numbers as wait have been called before and rest.
Aim: the last sum within 1.5 times the first. Beside it, the cost of pages that count whole tables: their figures are
kept for fifty times as long as they take to read, so they are no part of a tick.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

import sqlalchemy as sa

from bench import claim
from bench.backlog import FIRST, fill
from bench.service import owner_store, service
from dialer.calls.pauses import end_pauses
from dialer.calls.reconcile import sweep_attempts, sweep_cases
from dialer.calls.store import calls_asked_to_end, lock_overdue_calls
from dialer.control.consistency import check_consistency
from dialer.control.overview import (
    board_hour,
    board_now,
    board_queue,
    board_today,
    measure,
    measure_first_attempts,
)
from dialer.control.queries import status
from dialer.figures.report import refresh_figures
from dialer.runtime.services import Services
from dialer.warnings.list_store import LOADS, WITHDRAWALS
from dialer.work.transfers import escalate_unsigned

_TOUCHED = 50
_RESTING = """
INSERT INTO live_number (phone_blind, free_at)
SELECT decode(md5('r' || g), 'hex'), :now FROM generate_series(CAST(:before AS bigint) + 1, CAST(:size AS bigint)) g
"""
_TOUCH = """
UPDATE "case" SET missed = NOT missed WHERE id IN (SELECT :first + g * 97 % :size FROM generate_series(1, :n) g)
"""


class Round:
    """The parts of a tick, one after the other, with what a worker does in each."""

    def __init__(self, services: Services, *, size: int) -> None:
        self._services = services
        self._size = size
        self._after = 0

    def parts(self) -> Mapping[str, Callable[[], object]]:
        """All but the consistency check come every second or few; that one by default every thirty."""
        return {
            "claim": self._claim,
            "sweep": self._sweep,
            "ask": self._ask,
            "consistency": self._consistency,
            "rollup": self._refresh,
            "loads": self._loads,
        }

    def pages(self) -> Mapping[str, Callable[[], object]]:
        services = self._services
        return {
            "metrics": lambda: (measure(services, late_seconds=60), measure_first_attempts(services)),
            "status": self._status,
            "board, now": lambda: board_now(services, unit_id=None, late_seconds=60),
            "board, queue": lambda: board_queue(services, unit_id=None),
            "board, hour": lambda: board_hour(services, unit_id=None),
            "board, today": lambda: board_today(services, unit_id=None),
        }

    def touch(self) -> None:
        """Some cases change, as those in a call do."""
        with self._services.store.begin() as tx:
            tx.execute(sa.text(_TOUCH), {"first": FIRST, "size": self._size, "n": _TOUCHED})

    def _claim(self) -> None:
        _, taken = claim.tick(self._services)
        if taken != claim.AT_MOST:
            raise SystemExit("a claim took less than it may")

    def _sweep(self) -> None:
        end_pauses(self._services)
        sweep_attempts(self._services)
        sweep_cases(self._services)
        escalate_unsigned(self._services)

    def _ask(self) -> None:
        with self._services.store.begin() as tx:
            calls_asked_to_end(tx, limit=200)
            lock_overdue_calls(tx, real_now=self._services.real.now(), limit=200)

    def _consistency(self) -> None:
        verdict = check_consistency(self._services, after=self._after)
        if verdict.found:
            raise SystemExit(f"the consistency checker found {verdict.found}")
        self._after = verdict.after

    def _refresh(self) -> None:
        if not refresh_figures(self._services):
            raise SystemExit("nothing was refreshed")

    def _loads(self) -> None:
        with self._services.store.begin() as tx:
            for jobs in (LOADS, WITHDRAWALS):
                jobs.free_keys(tx, real_now=self._services.real.now())

    def _status(self) -> None:
        with self._services.store.begin() as tx:
            status(tx, now=self._services.clock.now(), drill=True)


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def look(services: Services, *, size: int, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Each part of a tick, and each page: the lower quartile of its times, since whatever else runs can only add."""
    one = Round(services, size=size)
    found: dict[str, list[float]] = {name: [] for name in (*one.parts(), *one.pages())}
    for n in range(rounds + 5):
        one.touch()
        for name, work in one.parts().items():
            took = milliseconds(work)
            if n >= 5:
                found[name].append(took)
    for name, work in one.pages().items():
        found[name] = [milliseconds(work) for _ in range(3)]
    told = {name: round(sorted(times)[len(times) // 4], 2) for name, times in found.items()}
    return {name: told[name] for name in one.parts()}, {name: told[name] for name in one.pages()}


def run(sizes: list[int], rounds: int) -> dict[str, object]:
    ticks: dict[int, dict[str, float]] = {}
    pages: dict[int, dict[str, float]] = {}
    with service(speed=1.0) as made:
        services = made.app.services
        before = 0
        with services.store.begin() as tx:
            tx.execute(sa.text("UPDATE line_group SET lines = 100000"))
        for size in sizes:
            now = services.clock.now()
            policy = services.policies.newest.version
            with owner_store(made.app) as owner:
                fill(owner, count=size - before, before=before, policy=policy, now=now)
            with services.store.begin() as tx:
                given = {"before": before, "size": size, "now": now - timedelta(hours=1)}
                tx.execute(sa.text(_RESTING), given)
            with (
                owner_store(made.app) as owner,
                owner.sql_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
            ):
                connection.execute(sa.text("VACUUM ANALYZE live_number"))
            before = size
            ticks[size], pages[size] = look(services, size=size, rounds=rounds)
    sums = {size: round(sum(parts.values()), 1) for size, parts in ticks.items()}
    smallest, largest = ticks[sizes[0]], ticks[sizes[-1]]
    return {
        "milliseconds_of_a_tick": ticks,
        "all_together": sums,
        "largest_over_smallest_backlog": {name: round(largest[name] / smallest[name], 2) for name in smallest}
        | {"all_together": round(sums[sizes[-1]] / sums[sizes[0]], 2)},
        "milliseconds_of_a_page_read_anew": pages,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    print(json.dumps(run([int(size) for size in options.sizes.split(",")], options.rounds), indent=1))


if __name__ == "__main__":
    main()
