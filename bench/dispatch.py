"""Dispatch alone: claim, fence, POST and what the carrier said, against a stub that answers at once.

    python -m bench.dispatch [--calls 5000] [--naive 1000]

Aim: at least 900 calls/s.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import uvloop

from bench import naive
from bench.backlog import fill
from bench.service import owner_store, service
from bench.stub import stub
from dialer.calls.dial import dial
from dialer.calls.pacing import configure_line_group
from dialer.telephony.client import CallClient
from dialer.telephony.config import TelephonyConfig

_PACE = 5000.0


def run(calls: int, naive_calls: int = 0) -> dict[str, object]:
    with stub() as base_url:
        ours = _ours(calls, base_url)
        if not naive_calls:
            return ours
        theirs = naive.dispatch(naive_calls, base_url)
    return ours | {
        "naive_calls_per_second": theirs["calls_per_second"],
        "times_the_naive_way": round(ours["calls_per_second"] / theirs["calls_per_second"], 1),
        "naive_cpu_seconds_per_1000_calls": theirs["cpu_seconds_per_1000_calls"],
    }


def _ours(calls: int, base_url: str) -> dict[str, Any]:
    config = TelephonyConfig(
        base_url=base_url,
        account_sid="AC" + "0" * 32,
        auth_token="bench",
        caller_number="+8647896110",
        public_url="http://127.0.0.1:1",
    )
    with service() as made:
        services = made.app.services
        with owner_store(made.app) as owner:
            fill(
                owner,
                count=calls,
                before=0,
                policy=services.policies.newest.version,
                now=services.clock.now(),
            )
        with services.store.begin() as tx:
            configure_line_group(
                tx,
                calls_per_second=_PACE,
                lines=calls * 2,
                real_now=services.real.now(),
            )

        async def place() -> int:
            async with CallClient(config) as client:
                return await dial(services, client, for_seconds=120, stopping=lambda: False)

        before, ours, begun = made.cpu(), time.process_time(), time.perf_counter()
        left = uvloop.run(place())
        seconds, used = time.perf_counter() - begun, time.process_time() - ours
        after = made.cpu()
    if left != calls:
        raise SystemExit(f"only {left} of {calls} left")
    return {
        "calls": calls,
        "seconds": round(seconds, 2),
        "calls_per_second": round(calls / seconds, 1),
        "cpu_seconds_per_1000_calls": {
            "dialer": round(used / calls * 1000, 2),
            "postgres": round((after["postgres"] - before["postgres"]) / calls * 1000, 2),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--naive", type=int, default=1000, help="calls of the baseline; 0 leaves it out")
    options = parser.parse_args()
    print(json.dumps(run(options.calls, options.naive), indent=1))


if __name__ == "__main__":
    main()
