"""Lines of the audit: how many a second several processes add, each in a transaction of its own, and how long a check
of all lines takes.

    python -m bench.trail [--lines 1000000] [--writers 8] [--each 1000]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

from bench.service import service
from dialer.audit.trail import check_new_lines, verify_trail
from dialer.db.audit import write_audit
from dialer.db.keys import load
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault
from dialer.runtime.services import Services

_AT_ONCE = 2000


def _write(url: str, keys: Path, each: int, begin: Barrier, told: multiprocessing.Queue[list[float]]) -> None:
    store = Store(url, Vault(load(keys)), pool_size=1)
    taken = []
    begin.wait()
    for number in range(each):
        began = time.perf_counter()
        with store.begin() as tx:
            write_audit(
                tx,
                who="wang",
                act="reveal",
                subject=f"case/{number}",
                why="核实身份",
                now=datetime.now(UTC),
                facts={"fields": "phone", "lines": number},
            )
        taken.append((time.perf_counter() - began) * 1000)
    store.dispose()
    told.put(taken)


def writing(url: str, keys: Path, writers: int, each: int) -> dict[str, object]:
    """Lines a second of `writers` processes, and the milliseconds of one act and its commit."""
    context = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[list[float]] = context.Queue()
    begin = context.Barrier(writers)
    processes = [context.Process(target=_write, args=(url, keys, each, begin, told)) for _ in range(writers)]
    for process in processes:
        process.start()
    taken: list[float] = []
    for _ in processes:
        taken += told.get()
    for process in processes:
        process.join()
    taken.sort()
    # Each process writes without a break: the sum of its own times is what it took.
    seconds = sum(taken) / writers / 1000
    return {
        "writers": writers,
        "lines_a_second": round(len(taken) / seconds),
        "p50_ms": round(statistics.median(taken), 2),
        "p99_ms": round(taken[int(len(taken) * 0.99)], 2),
        "most_ms": round(taken[-1], 2),
    }


def checking(services: Services, lines: int) -> dict[str, object]:
    """Seconds of one check of `lines` lines, and of the round that follows it."""
    store = services.store
    began = time.perf_counter()
    for first in range(0, lines, _AT_ONCE):
        with store.begin() as tx:
            for number in range(first, min(first + _AT_ONCE, lines)):
                write_audit(
                    tx,
                    who=f"bench{number % 300}",
                    act="reveal",
                    subject=f"case/{number % 200_000}",
                    why="核实身份",
                    now=datetime.now(UTC),
                    facts={"fields": "phone", "lines": number},
                )
    made = time.perf_counter() - began
    began, cpu = time.perf_counter(), time.process_time()
    verdict = verify_trail(services)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert not verdict.findings, verdict.findings[:5]
    began = time.perf_counter()
    check_new_lines(services)
    return {
        "lines": verdict.lines,
        "made_seconds": round(made, 1),
        "check_seconds": round(seconds, 1),
        "check_cpu_seconds": round(cpu, 1),
        "round_ms": round((time.perf_counter() - began) * 1000, 1),
    }


def run(lines: int, writers: int, each: int) -> dict[str, object]:
    with service() as made:
        keys = made.settings.data_dir / "keys.json"
        url = made.app.services.store.url
        found: dict[str, object] = {
            "one": writing(url, keys, 1, each),
            "many": writing(url, keys, writers, each),
        }
        if lines:
            found["check"] = checking(made.app.services, lines)
        return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--each", type=int, default=1000)
    options = parser.parse_args()
    print(json.dumps(run(options.lines, options.writers, options.each), indent=1))
