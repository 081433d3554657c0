"""Calls placed while the database is far away: every packet to it and from it is held back by a proxy.

    python -m bench.far [--milliseconds 0,10,30,60,100] [--calls-per-second 5] [--seconds 20]

Aim: a round trip of 100 ms lowers the rate by at most a fifth.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
import uvloop

from bench.backlog import fill
from bench.service import Service, owner_store, service
from bench.stub import stub
from chaos.distance import distant
from dialer.calls.dial import CarrierCheck, DatabaseDelays, dial
from dialer.calls.pacing import configure_line_group
from dialer.db import tables as t
from dialer.db.unit_of_work import Store
from dialer.runtime.services import Services
from dialer.telephony.client import CallClient
from dialer.telephony.config import TelephonyConfig

_SETTLE_SECONDS = 5.0
"""Calls of the first seconds are not counted: the process measures the distance with them."""


def run(milliseconds: list[float], calls_per_second: float, seconds: float) -> dict[str, Any]:
    """Calls a second that left, and what share of the pace that is, by the round trip in milliseconds."""
    found: dict[str, Any] = {}
    for distance in milliseconds:
        with stub() as base_url, service() as made:
            sent = _placed(made, base_url, distance / 1000, calls_per_second, seconds)
        found[f"{distance:g}"] = {
            "calls": sent,
            "used_percent": round(100 * sent / (calls_per_second * seconds), 1),
        }
    return {"calls_per_second": calls_per_second, "seconds": seconds, "by_round_trip_ms": found}


def _placed(made: Service, base_url: str, distance: float, calls_per_second: float, seconds: float) -> int:
    services = made.app.services
    config = TelephonyConfig(
        base_url=base_url,
        account_sid="AC" + "0" * 32,
        auth_token="bench",
        caller_number="+8647896110",
        public_url="http://127.0.0.1:1",
    )
    with owner_store(made.app) as owner:
        fill(
            owner,
            count=int(calls_per_second * (seconds + _SETTLE_SECONDS) * 2),
            before=0,
            policy=services.policies.newest.version,
            now=services.clock.now(),
        )
    with services.store.begin() as tx:
        configure_line_group(
            tx, calls_per_second=calls_per_second, lines=10_000, real_now=services.real.now()
        )
    url = sa.make_url(services.store.url)
    assert url.host is not None
    assert url.port is not None
    with distant(url.host, url.port, round_trip_seconds=distance) as way:
        far_url = url.set(host="127.0.0.1", port=way.port).render_as_string(hide_password=False)
        far = Store(far_url, services.store.vault)
        try:
            began = time.time()
            uvloop.run(_dial(replace(services, store=far), config, seconds + _SETTLE_SECONDS))
        finally:
            far.dispose()
    with services.store.begin() as tx:
        posted = t.attempt.c.posted_at
        counted = sa.func.count().filter(
            t.attempt.c.accepted_at.is_not(None),
            sa.extract("epoch", posted) >= began + _SETTLE_SECONDS,
            sa.extract("epoch", posted) < began + _SETTLE_SECONDS + seconds,
        )
        return int(tx.scalar(sa.select(counted)))


async def _dial(services: Services, config: TelephonyConfig, seconds: float) -> None:
    delays, check = DatabaseDelays(), CarrierCheck()
    async with CallClient(config) as client:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await dial(
                services,
                client,
                for_seconds=until - time.monotonic(),
                stopping=lambda: False,
                check=check,
                delays=delays,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--milliseconds", default="0,10,30,60,100")
    parser.add_argument("--calls-per-second", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    distances = [float(part) for part in given.milliseconds.split(",")]
    print(json.dumps(run(distances, given.calls_per_second, given.seconds), indent=2))


if __name__ == "__main__":
    main()
