"""How long each page of the console takes with a million rows behind it, and while calls run.

    python -m bench.pages [--cases 1000000] [--requests 20] [--seconds 240] [--calls-per-second 50] [--keep FOLDER]
                          [--open 0.024] [--only TEXT] [--quick]

A whole service in a folder of its own, gone afterwards (or kept in FOLDER and used again by the next run with it, or by
one after `bench.year --keep FOLDER`): a
city's year of cases with everything that hangs on them (bench/city.py). Each role asks for every page that it may see
(bench/addresses.py), of the web process, over HTTP, in rounds, so that nothing is asked twice within a moment. With
`--calls-per-second` the worker, the scheduler and the simulated line run as well and call the newest cases at that pace
meanwhile; the carrier's call journal counts the calls. Ends with 1 where the P95 of a page is above
300 ms, where a page failed or was forgotten, or where the calls did not keep their pace.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench import city
from bench.addresses import Page, Reader, pages, readers, unmeasured
from bench.city import City
from bench.pacing import accepted
from bench.service import Service, owner_store, service
from dialer.core.periods import BulletinKind
from dialer.figures.bulletins import draft_due_bulletins
from dialer.figures.report import refresh_figures
from dialer.runtime.services import Application
from dialer.staff.sign_in import open_session
from dialer.staff.store import find_member, insert_member
from dialer.web.console import SESSION_COOKIE

GOAL_MS = 300
_SPEED = 2.0
_AT_ONCE = 50_000
"""Cases of one refresh of the rollup."""
_FEWEST_ROUNDS = 20
"""The P95 of fewer is the slowest of them."""
_WARM_SECONDS = 8.0
_SHARE_OF_PACE = 0.9


@contextmanager
def signed_in(app: Application, base_url: str, wanted: Sequence[Reader]) -> Iterator[dict[str, httpx.Client]]:
    """A browser each, by login; "" is a stranger's."""
    clients = {"": httpx.Client(base_url=base_url, timeout=60)}
    try:
        for reader in wanted:
            client = httpx.Client(base_url=base_url, timeout=60)
            client.cookies.set(SESSION_COOKIE, session_token(app, reader))
            clients[reader.login] = client
        yield clients
    finally:
        for client in clients.values():
            client.close()


def session_token(app: Application, reader: Reader) -> str:
    """Of a new session; the account is made if it is missing."""
    services = app.services
    with services.store.begin() as tx:
        member = find_member(tx, reader.login) or insert_member(
            tx,
            login=reader.login,
            display_name=reader.role.value,
            password_hash="-",
            role=reader.role,
            unit_id=reader.unit_id,
            language="zh",
            must_change=False,
            by="bench",
            real_now=services.real.now(),
        )
        assert member is not None
        return open_session(tx, services, member, address="127.0.0.1")


def measure(
    made: Service, clients: dict[str, httpx.Client], asked: Sequence[Page], *, requests: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """Milliseconds of each page by its name; at most `rounds` of them, and no more than fit into `seconds`. `cpu_ms`:
    what the web process and the database used for it, and for whatever else they did meanwhile.
    """
    used: dict[str, float] = dict.fromkeys((page.name for page in asked), 0.0)
    watched = [one for name, many in made.processes().items() if name in {"web", "postgres"} for one in many]
    taken: dict[str, list[float]] = {page.name: [] for page in asked}
    failed: dict[str, int] = {}
    sizes: dict[str, int] = {}
    closed: set[str] = set()
    """Pages of the whole city that are not there for somebody of a unit."""
    begun = time.monotonic()
    for each in range(requests):
        spent = time.monotonic() - begun
        if each >= _FEWEST_ROUNDS and spent + spent / each > seconds:
            break
        for page in asked:
            if page.name in closed:
                continue
            before, at = _cpu(watched), time.perf_counter()
            answer = clients[page.reader.login if page.reader else ""].get(page.path)
            taken[page.name].append((time.perf_counter() - at) * 1000)
            used[page.name] += sum(after - before.get(pid, after) for pid, after in _cpu(watched).items())
            sizes[page.name] = len(answer.content)
            of_a_unit = page.reader is not None and page.reader.unit_id is not None
            is_closed = answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN}
            if is_closed and of_a_unit and not each:
                closed.add(page.name)
            elif answer.status_code != httpx.codes.OK:
                failed[page.name] = answer.status_code
    return {
        name: {
            "first_ms": round(each[0], 1),
            "p50_ms": round(statistics.median(each), 1),
            "p95_ms": round(percentile(each, 0.95), 1),
            "most_ms": round(max(each), 1),
            "cpu_ms": round(used[name] / len(each) * 1000, 1),
            "requests": len(each),
            "kilobytes": round(sizes[name] / 1000),
        }
        | ({"failed": failed[name]} if name in failed else {})
        for name, each in taken.items()
        if name not in closed
    }


def _cpu(processes: Sequence[psutil.Process]) -> dict[int, float]:
    """Seconds of each that still runs."""
    used: dict[int, float] = {}
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            used[process.pid] = times.user + times.system
    return used


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest of them that so large a part does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * part) - 1)]


def run(
    cases: int,
    requests: int,
    *,
    seconds: float = 240.0,
    calls_per_second: float = 0.0,
    keep: str = "",
    only: str = "",
    waiting: float = city.WAITING,
) -> dict[str, object]:
    pace = calls_per_second or 50.0
    with service(
        speed=_SPEED,
        keep=Path(keep) if keep else None,
        telephony__calls_per_second=str(pace),
        scheduler__tick_seconds="1.0",
    ) as made:
        told: dict[str, object] = {"cases": cases, "goal_ms": GOAL_MS}
        if city.is_empty(made.app.services.store):
            told |= _fill(made.app, cases, waiting)
        scenario = city.find(made.app.services.store)
        made.start("web")
        told["quiet"] = _measured(made, scenario, cases, requests, seconds, only)
        if calls_per_second:
            told["while_calls_run"] = _while_calls_run(
                made, scenario, cases, requests, seconds, only, pace=calls_per_second
            )
    return told


def _fill(app: Application, cases: int, waiting: float) -> dict[str, object]:
    services = app.services
    begun = time.perf_counter()
    with owner_store(app) as owner:
        city.fill(
            owner,
            count=cases,
            policy=services.policies.newest.version,
            now=services.clock.now(),
            waiting=waiting,
        )
    filled = time.perf_counter()
    refresh_figures(services)
    with owner_store(app) as owner:
        city.vacuum(owner)
    draft_due_bulletins(services, (BulletinKind.MONTH,))
    return {
        "filled_in_seconds": round(filled - begun, 1),
        "folded_in_seconds": round(time.perf_counter() - filled, 1),
    }


def _measured(
    made: Service, scenario: City, cases: int, requests: int, seconds: float, only: str
) -> dict[str, Any]:
    asked = [page for page in pages(made.app, scenario, count=cases) if only in page.name]
    base_url = f"http://127.0.0.1:{made.settings.web.port}"
    with signed_in(made.app, base_url, readers(scenario)) as clients:
        found = measure(made, clients, asked, requests=requests, seconds=seconds)
    forgotten = [] if only else unmeasured(asked)
    return {"pages": found, "forgotten": forgotten}


def _while_calls_run(
    made: Service, scenario: City, cases: int, requests: int, seconds: float, only: str, *, pace: float
) -> dict[str, Any]:
    made.start_rest()
    log = made.settings.data_dir / "carrier" / "witness.log"
    deadline = time.monotonic() + 60
    while len(_placed(log)) < pace:
        if time.monotonic() > deadline:
            raise SystemExit("no calls arrive at the carrier")
        time.sleep(0.5)
    time.sleep(_WARM_SECONDS)
    begun = time.time()
    found = _measured(made, scenario, cases, requests, seconds, only)
    ended = time.time()
    rings = sum(begun <= at < ended for at in _placed(log))
    return found | {
        "pace_set": pace,
        "rings": rings,
        "calls_per_second": round(rings / (ended - begun), 1),
    }


def _placed(log: Path) -> list[float]:
    return accepted(log) if log.exists() else []


def faults(told: dict[str, Any]) -> list[str]:
    """Why this is not what was promised; [] when it is."""
    found: list[str] = []
    for when in ("quiet", "while_calls_run"):
        part = told.get(when)
        if part is None:
            continue
        for name, one in part["pages"].items():
            if "failed" in one:
                found.append(f"{when}: {name} answered {one['failed']}")
            elif one["p95_ms"] > GOAL_MS:
                found.append(f"{when}: {name} took {one['p95_ms']} ms at P95")
        found.extend(f"{when}: nobody asked for {path}" for path in part["forgotten"])
        if part.get("calls_per_second", math.inf) < _SHARE_OF_PACE * part.get("pace_set", 0):
            found.append(f"{when}: only {part['calls_per_second']} calls a second")
    return found


def table(told: dict[str, Any]) -> Iterator[str]:
    """The slowest first."""
    for when in ("quiet", "while_calls_run"):
        if when in told:
            yield f"{when:60} {'first':>8} {'median':>8} {'P95':>8} {'most':>8} {'cpu':>8}"
            for name, one in sorted(told[when]["pages"].items(), key=lambda item: -item[1]["p95_ms"]):
                yield (
                    f"{name:60} {one['first_ms']:8.0f} {one['p50_ms']:8.0f} {one['p95_ms']:8.0f}"
                    f" {one['most_ms']:8.0f} {one['cpu_ms']:8.0f}"
                )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--calls-per-second", type=float, default=0.0)
    parser.add_argument("--open", type=float, default=city.WAITING)
    parser.add_argument("--keep", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true", help="a tenth of it, in five rounds")
    options = parser.parse_args()
    part = 0.1 if options.quick else 1.0
    told = run(
        int(options.cases * part),
        5 if options.quick else options.requests,
        seconds=options.seconds * part,
        calls_per_second=options.calls_per_second,
        keep=options.keep,
        only=options.only,
        waiting=options.open,
    )
    print(json.dumps(told, indent=1, ensure_ascii=False))
    print("\n".join(table(told)))
    wrong = faults(told)
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
