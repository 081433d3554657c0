"""Complete robot-call lives a second, everything on this machine: planned, placed, four status webhooks and the machine
verdict, a shipped script with its keys, the end decided and in the ledger.

    python -m bench.lives [--lives 20000] [--keys 2] [--naive 1000]

`--keys 2` is one key ("I am not that person"): two documents. `--keys 111` is the whole script: four. `--naive` is how
many lives the baseline has afterwards, on the same machine (bench/naive.py); 0 leaves it out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

import psutil
import sqlalchemy as sa

from bench import naive
from bench.people import write_list
from bench.service import Service, service
from dialer.core.access import unrestricted
from dialer.db import tables as t
from dialer.db.unit_of_work import Row
from dialer.demo.run import read_call_counts
from dialer.warnings.lists import load_list, submit_list

_LINES, _PACE = "1000", "500"


def load(made: Service, count: int) -> float:
    """Seconds that the loading took."""
    path = made.settings.data_dir / "list.csv"
    write_list(path, count)
    begun = time.perf_counter()
    with path.open("rb") as content:
        load_id = submit_list(
            made.app.services, unrestricted("bench"), content, filename=path.name, source=""
        )
    load_list(made.app.services, load_id)
    return time.perf_counter() - begun


def count_ended(made: Service) -> int:
    with made.app.services.store.begin() as tx:
        return int(
            tx.scalar(sa.select(sa.func.count()).select_from(t.attempt).where(t.attempt.c.state == "ended"))
        )


def run(lives: int, keys: str, naive_lives: int = 0) -> dict[str, object]:
    ours = _ours(lives, keys)
    if not naive_lives:
        return ours
    theirs = naive.lives(naive_lives, keys)
    return ours | {
        "naive_lives_per_second": theirs["lives_per_second"],
        "times_the_naive_way": round(ours["lives_per_second"] / theirs["lives_per_second"], 1),
        "naive_cpu_seconds_per_1000_lives": theirs["cpu_seconds_per_1000_lives"],
    }


def _ours(lives: int, keys: str) -> dict[str, Any]:
    # Lines are what holds the number of open calls to what the machine can answer within a moment.
    with service(
        keys=tuple(keys),
        telephony__lines=_LINES,
        telephony__calls_per_second=_PACE,
        scheduler__tick_seconds="1",
    ) as made:
        loaded = load(made, lives)
        made.start()
        before, begun = made.cpu(), time.perf_counter()
        busy = _busy()
        marks: list[tuple[float, int]] = []
        while (done := count_ended(made)) < lives:
            marks.append((time.perf_counter() - begun, done))
            if time.perf_counter() - begun > 60 + lives / 20:
                raise SystemExit(f"only {done} of {lives} ended")
            time.sleep(0.5)
        marks.append((time.perf_counter() - begun, done))
        after, busy = made.cpu(), _busy() - busy
        elapsed = time.perf_counter() - begun
        row = _journaled(made, lives)
        seconds = time.time() - float(row["first"])
        spent = {name: round((after[name] - before.get(name, 0.0)) / lives * 1000, 2) for name in after}
        return {
            "lives": lives,
            "keys": len(keys),
            "seconds": round(seconds, 1),
            "lives_per_second": round(lives / seconds, 1),
            "lives_per_second_by_fifth": fifths(marks, lives),
            "cpu_seconds_per_1000_lives": spent | {"all": round(sum(spent.values()), 2)},
            "cores_used": round(sum(spent.values()) * lives / 1000 / elapsed, 2),
            "cores_used_by_others": round(busy / elapsed - sum(spent.values()) * lives / 1000 / elapsed, 2),
            "events_kept": row["events"],
            "events_in_a_transaction": round(row["events"] / row["transactions"], 1),
            "ledger_lines": row["outcomes"],
            "settled_cases": row["settled"],
            "most_rings_of_an_attempt": 1,
            "load_seconds": round(loaded, 1),
            "pss_mb": made.pss_mb(),
        }


def _busy() -> float:
    """Seconds that all cores of this machine have worked."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _journaled(made: Service, lives: int) -> Row:
    """What the rows say; ends the measurement when the carrier's own count says anything else."""
    carrier = made.app.carrier
    assert carrier is not None
    rings = read_call_counts(carrier)
    with made.app.services.store.begin() as tx:
        row = tx.one(
            sa.text(
                "SELECT extract(epoch FROM min(posted_at)) AS first, count(*) FILTER (WHERE result = 'answered') AS"
                " answered, count(*) FILTER (WHERE answer <> 'none') AS with_answer,"
                " (SELECT count(*) FROM event) AS events,"
                " (SELECT count(DISTINCT xmin::text) FROM event) AS transactions,"
                " (SELECT count(*) FROM outcome) AS outcomes,"
                " (SELECT count(*) FROM \"case\" WHERE status IN ('closed', 'watching')) AS settled FROM attempt"
            )
        )
    assert row is not None
    if rings.rings != lives or rings.max_rings_per_attempt != 1 or row["answered"] != lives:
        raise SystemExit(f"does not add up: {rings} {dict(row)}")
    return row


def fifths(marks: Sequence[tuple[float, int]], lives: int) -> list[float]:
    """The pace in each fifth of the lives: whether it is sustained."""
    rates: list[float] = []
    last = next(((at, done) for at, done in marks if done), marks[0])
    for fifth in range(1, 6):
        here = next(((at, done) for at, done in marks if done >= lives * fifth / 5), marks[-1])
        if here[0] > last[0]:
            rates.append(round((here[1] - last[1]) / (here[0] - last[0]), 1))
        last = here
    return rates


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lives", type=int, default=20_000)
    parser.add_argument("--keys", default="2")
    parser.add_argument("--naive", type=int, default=1000)
    options = parser.parse_args()
    print(json.dumps(run(options.lives, options.keys, options.naive), indent=1))


if __name__ == "__main__":
    main()
