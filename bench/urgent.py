"""Extra-high warnings over the API while a million low ones wait: seconds until the carrier has accepted the call.

    python -m bench.urgent [--backlog 1000000] [--warnings 200] [--pace 50]

The line calls the backlog meanwhile, at `--pace` calls a second. Each time runs from before the request is sent to the
moment that the carrier wrote down in its own witness file. Aim: below 1 s at P99.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench.backlog import fill
from bench.people import name, phone
from bench.service import Service, known_for_long, owner_store, service
from carrier.journal import read_journal
from dialer.core.access import unrestricted
from dialer.staff.sign_in import add_token

_FIRST_PERSON = 50_000_000
_WARM_SECONDS = 5.0
_EVERY_SECONDS = 0.2
"""On average; the moments are random, so that they fall everywhere between two ticks."""
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    case_id: int
    at_unix: float
    answered_seconds: float


class Source:
    """An upstream system with a connection that it keeps."""

    def __init__(self, made: Service) -> None:
        new = add_token(
            made.app.services,
            unrestricted("bench"),
            name="bench",
            scopes=["warnings:write", "cases:read"],
            days=1,
            unit="",
        )
        known_for_long(made, "bench")
        self._headers = {"Authorization": f"Bearer {new.secret}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection("127.0.0.1", made.settings.web.port, timeout=30)

    def send(self, n: int, *, unit: str = "") -> Sent:
        """One warning; returns when it was answered, which is after its commit."""
        body = {
            "instruction_no": f"U{n}",
            "grade": "extra_high",
            "fraud_type": "loan",
            "name": name(n),
            "phones": [phone(n)],
            "unit": unit,
        }
        at_unix, begun = time.time(), time.perf_counter()
        self._connection.request("POST", "/api/v1/warnings", json.dumps(body), self._headers)
        response = self._connection.getresponse()
        told = json.loads(response.read())
        took = time.perf_counter() - begun
        if response.status != http.client.OK or told["accepted"] != 1:
            raise SystemExit(f"not accepted: {response.status} {told}")
        return Sent(case_id=told["results"][0]["case_id"], at_unix=at_unix, answered_seconds=took)


def accepted_at(folder: Path) -> tuple[list[float], dict[str, float]]:
    """Every moment at which the carrier took a call, and the first of each attempt, under its hash."""
    every: list[float] = []
    first: dict[str, float] = {}
    for line in (folder / "witness.log").read_text(encoding="ascii").splitlines():
        match line.split():
            case ["A", unix, _, attempt]:
                every.append(float(unix))
                first.setdefault(attempt, float(unix))
            case _:
                pass
    return every, first


def attempts_of(made: Service, case_ids: Sequence[int]) -> dict[int, uuid.UUID]:
    with made.app.services.store.begin() as tx:
        rows = tx.rows(
            sa.text("SELECT case_id, id FROM attempt WHERE case_id = ANY(:ids) AND n = 1"),
            {"ids": list(case_ids)},
        )
    return {row["case_id"]: row["id"] for row in rows}


def waits(made: Service, sent: Sequence[Sent]) -> list[float]:
    """Seconds from each request to the carrier's acceptance of its first call."""
    folder = made.settings.data_dir / "carrier"
    hashed = read_journal(folder).hashed
    ids = attempts_of(made, [one.case_id for one in sent])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        _, first = accepted_at(folder)
        found = [first.get(hashed(str(ids[one.case_id])), 0.0) - one.at_unix for one in sent]
        missing = sum(wait < 0 for wait in found)
        if not missing:
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"{missing} of {len(sent)} were not called")
        time.sleep(0.5)


def told(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50": round(ordered[len(ordered) // 2], 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "longest": round(ordered[-1], 3),
    }


def run(backlog: int, warnings: int, pace: float) -> dict[str, object]:
    with service(scheduler__tick_seconds="1.0", telephony__calls_per_second=str(pace)) as made:
        services = made.app.services
        begun = time.perf_counter()
        policy = services.policies.newest.version
        with owner_store(made.app) as owner:
            fill(owner, count=backlog, before=0, policy=policy, now=services.clock.now())
        filled = time.perf_counter() - begun
        source = Source(made)
        made.start()
        time.sleep(_WARM_SECONDS)
        chance = random.Random(1)  # moments, not secrets
        sent: list[Sent] = []
        before = time.time()
        for n in range(warnings):
            time.sleep(chance.uniform(0, 2 * _EVERY_SECONDS))
            sent.append(source.send(_FIRST_PERSON + n))
        after = time.time()
        seconds = waits(made, sent)
        every, _ = accepted_at(made.settings.data_dir / "carrier")
    placed = sum(before <= at < after for at in every)
    return {
        "backlog": backlog,
        "pace_set": pace,
        "calls_per_second_meanwhile": round(placed / (after - before), 1),
        "urgent_warnings": warnings,
        "seconds_to_the_api_answer": told([one.answered_seconds for one in sent]),
        "seconds_to_the_carrier_acceptance": told(seconds),
        "fill_seconds": round(filled, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backlog", type=int, default=1_000_000)
    parser.add_argument("--warnings", type=int, default=200)
    parser.add_argument("--pace", type=float, default=50.0)
    options = parser.parse_args()
    print(json.dumps(run(options.backlog, options.warnings, options.pace), indent=1))


if __name__ == "__main__":
    main()
