"""An extra-high warning arrives while a million low ones wait: seconds until the carrier has taken its call.

    python -m bench.urgent [--backlog 1000000] [--warnings 100]

The line is busy with the backlog meanwhile, at the pace of the settings. Aim: below 1 s at P99.
"""

from __future__ import annotations

import argparse
import io
import json
import time

import sqlalchemy as sa

from bench.backlog import fill, make_openable
from bench.people import HEADING, rows
from bench.service import service
from dialer.intake.reader import read_list
from dialer.intake.records import Accepted, IntakeOptions
from dialer.usecases.engine import Engine
from dialer.usecases.take_arrivals import take_arrivals


def warnings_of(engine: Engine, count: int) -> list[Accepted]:
    """As many extra-high ones, each of another person, as a list would bring them."""
    text = HEADING + "".join(rows(count, grade="特高危", first=50_000_000))
    options = IntakeOptions(now=engine.clock.now(), source="bench")
    found = list(read_list(io.BytesIO(text.encode()), filename="urgent.csv", options=options))
    accepted = [item for item in found if isinstance(item, Accepted)]
    assert len(accepted) == count
    return accepted


def arrive(engine: Engine, warning: Accepted) -> tuple[int, float]:
    """The case of one warning, and the moment at which it came in."""
    at = time.time()
    with engine.store.begin() as tx:
        taken = take_arrivals(tx, engine, [warning], load_id=None, now=engine.clock.now())
    engine.nudge("dial")
    (case_id,) = taken.case_ids
    assert case_id is not None
    return case_id, at


def run(backlog: int, warnings: int) -> dict[str, object]:
    with service(telephony__calls_per_second="50") as made:
        engine = made.app.engine
        fill(
            engine.store,
            count=backlog,
            before=0,
            policy=engine.policies.newest.version,
            now=engine.clock.now(),
        )
        make_openable(engine.store, count=min(backlog, 20_000))
        made.start()
        time.sleep(5)
        came: list[tuple[int, float]] = []
        for warning in warnings_of(engine, warnings):
            time.sleep(0.1)
            came.append(arrive(engine, warning))
        found: dict[int, float] = {}
        deadline = time.monotonic() + 30
        while len(found) < warnings and time.monotonic() < deadline:
            time.sleep(0.5)
            with engine.store.begin() as tx:
                taken = tx.rows(
                    sa.text(
                        "SELECT case_id, extract(epoch FROM posted_at) AS at FROM attempt"
                        " WHERE case_id = ANY(:ids) AND n = 1 AND sid IS NOT NULL"
                    ),
                    {"ids": [case_id for case_id, _ in came]},
                )
            found = {row["case_id"]: float(row["at"]) for row in taken}
        waits = sorted(found[case_id] - at for case_id, at in came if case_id in found)
        if len(waits) < warnings:
            raise SystemExit(f"only {len(waits)} of {warnings} were taken")
    return {
        "backlog": backlog,
        "warnings": warnings,
        "seconds_to_the_post": {
            "p50": round(waits[len(waits) // 2], 3),
            "p99": round(waits[min(len(waits) - 1, int(len(waits) * 0.99))], 3),
            "longest": round(waits[-1], 3),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backlog", type=int, default=1_000_000)
    parser.add_argument("--warnings", type=int, default=100)
    options = parser.parse_args()
    print(json.dumps(run(options.backlog, options.warnings), indent=1))


if __name__ == "__main__":
    main()
