"""How long the longest transaction of each periodic job is: migrations and whoever needs its rows wait for it.

    python -m bench.jobs [--cases 50000] [--only TEXT]

Every job of the scheduler, and every task that one sends, runs on a copy of a made-up city: as it is; after all of its
cases have changed, calls have been placed and a list of 10,000 waits to be loaded; an hour and a day later; with as
many openings of accounts as cases, 5,000 of them not checked. Retention runs five years later too, when everything is
past its period. Tasks that go on in rounds are repeated until they are done, or for a minute. Aim: no transaction above
2 s. Sealing again after a rotation of keys is `bench.reseal`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from typing import Any, cast

import sqlalchemy as sa

from bench import people
from bench.cards_speed import fill_openings, load_stored
from bench.cost_loads import place_some
from bench.cost_town import Place, Scene, town
from bench.transactions import Transactions
from dialer.core.access import unrestricted
from dialer.db.unit_of_work import Store
from dialer.runtime.broker import TASK_PREFIX, Enqueuer
from dialer.scheduler import TickLog, jobs_of
from dialer.tasks.application import use_application
from dialer.warnings.lists import submit_list

AIM_SECONDS = 2.0
_LIST_ROWS, _CALLS, _STORED = 10_000, 500, 5_000
_ROUNDS_SECONDS = 60.0
_ELSEWHERE = frozenset(
    {"broker", "send_messages", "send_webhooks", "fetch_recordings", "render_script", "resume_renders"}
)
"""They wait for others, of whom there are none here, or make sound."""
_CHANGE = 'UPDATE "case" SET missed = NOT missed'
_OLD_MARKS = "UPDATE fact_mark SET at = at - interval '30 days'"


@dataclass(slots=True)
class _Worker:
    """Takes the orders of the scheduler, and does them at once."""

    ordered: list[str] = field(default_factory=list)

    def is_deep(self, _queue: str) -> bool:
        return False

    def send(self, name: str) -> bool:
        self.ordered.append(name)
        return True


@dataclass(slots=True)
class _Bench:
    place: Place
    transactions: Transactions
    only: str
    worker: _Worker = field(default_factory=_Worker)
    longest: dict[str, dict[str, object]] = field(default_factory=dict)

    def all_jobs(self, when: str) -> None:
        """Each job once, and what it sends until that is done."""
        for name, job in self._jobs():
            if name in _ELSEWHERE or (self.only and self.only not in name):
                continue
            self._measured(name, when, job)
            for task in dict.fromkeys(self.worker.ordered):
                if task not in _ELSEWHERE:
                    self._measured(task, when, _task(task))
            self.worker.ordered.clear()

    def until_done(self, name: str, when: str) -> None:
        """A task that goes on in rounds, as long as its check finds work."""
        if self.only and self.only not in name:
            return
        job, until = dict(self._jobs())[name], time.monotonic() + _ROUNDS_SECONDS
        while time.monotonic() < until:
            self.worker.ordered.clear()
            job()
            if not self.worker.ordered:
                return
            self._measured(name, when, _task(name))
        print(f"{name}: not done after {_ROUNDS_SECONDS:.0f} s", file=sys.stderr)

    def _jobs(self) -> Iterator[tuple[str, Callable[[], object]]]:
        app = replace(self.place.app, enqueuer=cast("Enqueuer", self.worker))
        for name, job, arguments, _ in jobs_of(app, TickLog()):
            yield name, lambda job=job, arguments=arguments: job(*arguments)  # type: ignore[misc]

    def _measured(self, name: str, when: str, work: Callable[[], object]) -> None:
        self.transactions.taken()
        began = time.monotonic()
        work()
        took = time.monotonic() - began
        time.sleep(2 * self.transactions.every_seconds)
        seen = self.transactions.taken()
        print(f"{name}, {when}: {took:.2f} s", file=sys.stderr)
        known = self.longest.get(name)
        found = seen[0].seconds if seen else 0.0
        if known is None or found > cast("float", known["seconds"]):
            self.longest[name] = {
                "seconds": round(found, 2),
                "when": when,
                "whole_seconds": round(took, 2),
                "first_seen_in": seen[0].statement[:160] if seen else "",
            }
        if found >= AIM_SECONDS:
            print(f"{name}, {when}: {found:.1f} s in {seen[0].statement[:300]}", file=sys.stderr)


def _task(name: str) -> Callable[[], object]:
    for module in ("dialer.tasks.dial_work", "dialer.tasks.bulk_work"):
        for each in vars(import_module(module)).values():
            if getattr(each, "name", None) == TASK_PREFIX + name:
                return cast("Callable[[], object]", each)
    raise SystemExit(f"no task {name}")


def run(cases: int, only: str) -> dict[str, Any]:
    """The longest transaction of each job, in seconds."""
    with town(None) as made, made.place(Scene.CITY, cases) as place, _watched(place) as transactions:
        use_application(place.app)
        bench = _Bench(place, transactions, only)
        bench.all_jobs("as it is")
        _change(place)
        bench.all_jobs("changed")
        place.clock.advance(timedelta(hours=1).total_seconds())
        bench.all_jobs("an hour later")
        place.clock.advance(timedelta(days=1).total_seconds())
        bench.all_jobs("a day later")
        fill_openings(place.app.services, place.owner, cases)
        load_stored(place.app.services, _STORED)
        bench.until_done("screen_openings", "with openings")
        bench.all_jobs("with openings")
        place.clock.advance(timedelta(days=5 * 366).total_seconds())
        _run(place, _OLD_MARKS)
        bench.until_done("retention", "five years later")
    ordered = sorted(bench.longest.items(), key=lambda each: -cast("float", each[1]["seconds"]))
    return {"cases": cases, "longest_transactions": dict(ordered)}


def _change(place: Place) -> None:
    place_some(place, _CALLS)
    content = BytesIO(
        (people.HEADING + "".join(people.rows(_LIST_ROWS, grade="低危", first=10_000_000))).encode()
    )
    submit_list(place.app.services, unrestricted("bench"), content, filename="more.csv", source="bench")
    _run(place, _CHANGE)


def _run(place: Place, statement: str) -> None:
    with place.owner.begin() as tx:
        tx.execute(sa.text(statement))


@contextmanager
def _watched(place: Place) -> Iterator[Transactions]:
    store = Store(place.app.services.store.url, place.app.services.store.vault, pool_size=1)
    transactions = Transactions(store, every_seconds=0.02)
    try:
        with transactions.watched():
            yield transactions
    finally:
        store.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--only", default="", help="jobs whose name has this in it")
    given = parser.parse_args()
    found = run(given.cases, given.only)
    print(json.dumps(found, indent=1, ensure_ascii=False))
    sys.exit(any(one["seconds"] >= AIM_SECONDS for one in found["longest_transactions"].values()))


if __name__ == "__main__":
    main()
