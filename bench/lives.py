"""Complete robot-call lives a second, everything on this machine: planned, placed, four status webhooks and the machine
verdict, a shipped script with its keys, the end decided and in the ledger.

    python -m bench.lives [--lives 20000] [--keys 2]

`--keys 2` is one key ("I am not that person"): two documents. `--keys 111` is the whole script: four.
"""

from __future__ import annotations

import argparse
import json
import time

import sqlalchemy as sa

from bench.people import write_list
from bench.service import Service, service
from dialer.demo import witness
from dialer.store import tables as t
from dialer.usecases.load_list import load_list, submit_list


def load(made: Service, count: int) -> float:
    """Seconds that the loading took."""
    path = made.settings.data_dir / "list.csv"
    write_list(path, count)
    begun = time.perf_counter()
    with path.open("rb") as content:
        load_id = submit_list(made.app.engine, content, filename=path.name, source="", by="bench")
    load_list(made.app.engine, load_id)
    return time.perf_counter() - begun


def count_ended(made: Service) -> int:
    with made.app.engine.store.begin() as tx:
        return int(
            tx.scalar(sa.select(sa.func.count()).select_from(t.attempt).where(t.attempt.c.state == "ended"))
        )


def run(lives: int, keys: str) -> dict[str, object]:
    with service(keys=tuple(keys)) as made:
        loaded = load(made, lives)
        made.start()
        before, begun = made.cpu(), time.perf_counter()
        marks: list[tuple[float, int]] = []
        while (done := count_ended(made)) < lives:
            marks.append((time.perf_counter() - begun, done))
            if time.perf_counter() - begun > 60 + lives / 20:
                raise SystemExit(f"only {done} of {lives} ended")
            time.sleep(0.5)
        after = made.cpu()
        carrier = made.app.carrier
        assert carrier is not None
        rings = witness.rings(carrier)
        with made.app.engine.store.begin() as tx:
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
        seconds = time.time() - float(row["first"])
        if rings.rings != lives or rings.max_rings_per_attempt != 1 or row["answered"] != lives:
            raise SystemExit(f"does not add up: {rings} {dict(row)}")
        spent = {name: round((after[name] - before.get(name, 0.0)) / lives * 1000, 2) for name in after}
        return {
            "lives": lives,
            "keys": len(keys),
            "seconds": round(seconds, 1),
            "lives_per_second": round(lives / seconds, 1),
            "cpu_seconds_per_1000_lives": spent | {"all": round(sum(spent.values()), 2)},
            "events_kept": row["events"],
            "events_in_a_transaction": round(row["events"] / row["transactions"], 1),
            "ledger_lines": row["outcomes"],
            "settled_cases": row["settled"],
            "most_rings_of_an_attempt": rings.max_rings_per_attempt,
            "load_seconds": round(loaded, 1),
            "pss_mb": made.pss_mb(),
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lives", type=int, default=20_000)
    parser.add_argument("--keys", default="2")
    options = parser.parse_args()
    print(json.dumps(run(options.lives, options.keys), indent=1))


if __name__ == "__main__":
    main()
