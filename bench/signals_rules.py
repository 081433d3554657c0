"""The shipped rules alone: microseconds a signal, bytes a person, seconds of a retro-match; prints JSON.

    python -m bench.signals_rules [--persons 20000] [--days 3]

Each person has a usual life of `--a-day` signals a day (calls, messages, sites, apps, payments); one in fifty touches
listed items, as many signals as a city of this size gives. Memory is what the process grew by, divided by the persons.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from dialer.signals.evaluation import Evaluator
from dialer.signals.model import Direction, Item, ItemKind, ListChange, ListKind, Signal, SignalKind, Topic
from dialer.signals.rules import shipped_rules

START = datetime(2026, 3, 2, tzinfo=UTC)
KINDS = (
    (SignalKind.CALL,) * 4
    + (SignalKind.SMS,) * 2
    + (SignalKind.WEB, SignalKind.APP, SignalKind.PAYMENT_ATTEMPT)
)
ITEM = {
    SignalKind.CALL: ItemKind.NUMBER, SignalKind.SMS: ItemKind.NUMBER, SignalKind.WEB: ItemKind.DOMAIN,
    SignalKind.APP: ItemKind.APP, SignalKind.PAYMENT_ATTEMPT: ItemKind.ACCOUNT,
}  # fmt: skip
LISTED = 2_000


def item(kind: ItemKind, n: int) -> Item:
    return Item(kind, b"%16d" % n)


def signal(chance: random.Random, n: int, persons: int, at: datetime) -> Signal:
    kind = chance.choice(KINDS)
    person = chance.randrange(persons)
    if chance.random() < 0.02:
        touched = item(ITEM[kind], chance.randrange(LISTED))
    elif chance.random() < 0.7:
        touched = item(ITEM[kind], LISTED + person * 8 + chance.randrange(8))
    else:
        touched = item(ITEM[kind], LISTED + persons * 8 + chance.randrange(persons * 4))
    return Signal(
        source="telecom", signal_no=f"{n:012d}", kind=kind, event_at=at, received_at=at, person=b"%16d" % person,
        items=(touched,), direction=Direction.IN if chance.random() < 0.6 else Direction.OUT,
        duration_seconds=int(chance.expovariate(1 / 90)) if kind is SignalKind.CALL else 0,
        amount_fen=int(chance.lognormvariate(9, 2)) if kind is SignalKind.PAYMENT_ATTEMPT else 0,
        overseas=chance.random() < 0.01, new_payee=chance.random() < 0.2, screen_sharing=chance.random() < 0.02,
        topic=chance.choice(tuple(Topic)) if chance.random() < 0.2 else None,
    )  # fmt: skip


def listed(kind: ItemKind, n: int, at: datetime) -> Signal:
    return Signal(
        source="list", signal_no=f"{kind} {n}", kind=SignalKind.LIST_CHANGE, event_at=at, received_at=at,
        items=(item(kind, n),), list_kind=ListKind.FRAUD, list_name="fraud", change=ListChange.ENTERED,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--days", type=float, default=3.0)
    parser.add_argument("--a-day", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(json.dumps(measure(given.persons, given.days, given.a_day, given.seed)))


def measure(persons: int, days: float, a_day: float, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    rules = shipped_rules()
    process = psutil.Process(os.getpid())
    count = int(persons * days * a_day)
    evaluator = Evaluator(rules)
    for kind in ItemKind:
        for n in range(LISTED // 2):
            evaluator.apply(listed(kind, n, START))
    gc.collect()
    before = process.memory_info().rss
    took, verdicts, made = 0.0, 0, 0
    times: list[float] = []
    for block in range(0, count, 1000):
        batch = [
            signal(chance, n, persons, START + timedelta(days=days) * (n / count))
            for n in range(block, min(count, block + 1000))
        ]
        made += len(batch)
        began = time.process_time()
        for one in batch:
            verdicts += len(evaluator.apply(one))
        took += time.process_time() - began
        times.append((time.process_time() - began) / len(batch))
    fingerprint = evaluator.fingerprint()
    gc.collect()
    grown = process.memory_info().rss - before
    now = START + timedelta(days=days)
    began = time.process_time()
    matches = [
        len(evaluator.apply(listed(kind, LISTED // 2 + n, now))) for kind in ItemKind for n in range(50)
    ]
    retro = (time.process_time() - began) / len(matches)
    began = time.process_time()
    data = evaluator.snapshot()
    saved = time.process_time() - began
    began = time.process_time()
    Evaluator(rules).restore(data)
    restored = time.process_time() - began
    return {
        "rules": len(rules.rules), "persons": len(evaluator), "signals": made, "verdicts": verdicts,
        "signals_per_second": round(made / took), "microseconds_a_signal": round(took / made * 1e6, 1),
        "microseconds_in_the_last_tenth": round(statistics.mean(times[-max(1, len(times) // 10) :]) * 1e6, 1),
        "fingerprint": fingerprint,
        "bytes_a_person": round(grown / max(1, len(evaluator))),
        "rows_a_person": round(made / max(1, len(evaluator)), 1),
        "retro_match_milliseconds_an_item": round(retro * 1e3, 3), "retro_match_persons": sum(matches),
        "snapshot_bytes_a_person": round(len(data) / max(1, len(evaluator))),
        "snapshot_seconds": round(saved, 2), "restore_seconds": round(restored, 2),
    }  # fmt: skip


if __name__ == "__main__":
    main()
