"""What a tick costs (promote, lock the group, claim the next second) while 10,000, 100,000 and 1,000,000 attempts wait.

    python -m bench.claim [--sizes 10000,100000,1000000] [--rounds 40]

Aim: the last within 1.5 times the first.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time

import sqlalchemy as sa

from bench.backlog import fill
from bench.service import owner_store, service
from dialer.calls.claims import claim_attempts, promote_planned
from dialer.calls.pacing import lock_line_group
from dialer.db.unit_of_work import Tx
from dialer.runtime.services import Services

AT_MOST = 50


def tick(services: Services) -> tuple[float, int]:
    """Milliseconds of one claim, and how many attempts it took; rolled back after each round."""
    begun = time.perf_counter()
    with services.store.sql_engine.connect() as connection:
        tx = Tx(connection=connection, vault=services.store.vault)
        now, real_now = services.clock.now(), services.real.now()
        promote_planned(tx, now=now)
        group = lock_line_group(tx)
        assert group is not None
        taken = len(
            claim_attempts(
                tx,
                dataclasses.replace(group, next_slot_at=real_now),
                now=now,
                real_now=real_now,
                horizon_seconds=1.0,
                lease_seconds=30.0,
                at_most=AT_MOST,
                number_retry_seconds=60,
            ).attempts
        )
        connection.rollback()
    return (time.perf_counter() - begun) * 1000, taken


def run(sizes: list[int], rounds: int) -> dict[str, object]:
    found: dict[int, float] = {}
    with service() as made:
        services = made.app.services
        before = 0
        for size in sizes:
            policy = services.policies.newest.version
            with owner_store(made.app) as owner:
                fill(owner, count=size - before, before=before, policy=policy, now=services.clock.now())
            before = size
            for _ in range(8):
                tick(services)
            looks = [tick(services) for _ in range(rounds)]
            if any(taken != AT_MOST for _, taken in looks):
                raise SystemExit("a claim took fewer attempts than it may")
            found[size] = round(statistics.median(cost for cost, _ in looks), 2)
            with (
                owner_store(made.app) as owner,
                owner.sql_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
            ):
                connection.execute(sa.text("VACUUM attempt"))
    return {
        "median_milliseconds_of_a_claim_of_50": found,
        "largest_over_smallest_backlog": round(found[sizes[-1]] / found[sizes[0]], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    print(json.dumps(run([int(size) for size in options.sizes.split(",")], options.rounds), indent=1))


if __name__ == "__main__":
    main()
