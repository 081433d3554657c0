"""The baseline: what the same machine does when each call is one Celery task with an eta, placed with the official
blocking client, and each webhook is one transaction. A reference, not a rival: it keeps no promise of ours (nothing
prevents a second call, nothing is paced, encrypted, decided or recorded in a ledger), so it does less work for a call.

Run by `bench.lives` and `bench.dispatch` after their own part, on the same machine in the same run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa
from celery import Celery

from bench import naive_app
from bench.people import phone
from bench.service import ROOT, Service, owner_store, service
from dialer.db.unit_of_work import Store

_AHEAD_SECONDS = 3.0
_PROCESSES = 4
"""Of the Celery worker: more than the cores, since each waits for the carrier most of the time."""


def dispatch(calls: int, base_url: str) -> dict[str, Any]:
    """Calls a second against a carrier that takes each at once."""
    with service() as made:
        figures = _run(made, calls, carrier=base_url, is_done=_placed, hooks=False)
    return {
        "calls_per_second": round(calls / figures["seconds"], 1),
        "cpu_seconds_per_1000_calls": figures["cpu"],
    }


def lives(count: int, keys: str) -> dict[str, Any]:
    """Whole lives a second at our own carrier."""
    with service(keys=tuple(keys)) as made:
        carrier = made.app.carrier
        assert carrier is not None
        made.start("carrier")
        figures = _run(made, count, carrier=carrier.base_url, is_done=_completed, hooks=True)
    return {
        "lives_per_second": round(count / figures["seconds"], 1),
        "cpu_seconds_per_1000_lives": figures["cpu"],
    }


def _placed(tx: sa.Connection) -> int:
    return int(tx.scalar(sa.text("SELECT count(*) FROM naive_call WHERE sid IS NOT NULL")) or 0)


def _completed(tx: sa.Connection) -> int:
    """Those whose every webhook has come: four of the status, the verdict, two documents."""
    statement = (
        "SELECT count(*) FROM (SELECT FROM naive_event GROUP BY call_id HAVING count(*) >= 7) AS whole"
    )
    return int(tx.scalar(sa.text(statement)) or 0)


def _run(
    made: Service, count: int, *, carrier: str, is_done: Callable[[sa.Connection], int], hooks: bool
) -> dict[str, Any]:
    with owner_store(made.app) as store:
        return _run_in(made, store, count, carrier=carrier, is_done=is_done, hooks=hooks)


def _run_in(
    made: Service,
    store: Store,
    count: int,
    *,
    carrier: str,
    is_done: Callable[[sa.Connection], int],
    hooks: bool,
) -> dict[str, Any]:
    telephony = made.app.telephony
    broker = str(made.app.celery.conf.broker_url)
    env = made.env | {
        "NAIVE_DATABASE": store.url,
        "NAIVE_BROKER": broker,
        "NAIVE_CARRIER": carrier,
        "NAIVE_PUBLIC": telephony.public_url,
        "NAIVE_ACCOUNT": telephony.account_sid,
        "NAIVE_TOKEN": telephony.auth_token,
    }
    with store.sql_engine.begin() as tx:
        tx.execute(sa.text(naive_app.SCHEMA))
        rows = [{"id": n, "phone": "+86" + phone(n)} for n in range(count)]
        tx.execute(sa.text("INSERT INTO naive_call (id, phone, status) VALUES (:id, :phone, 'new')"), rows)
    if hooks:
        _start_web(made, env)
    worker = ("-A", "bench.naive_app", "worker", "-c", str(_PROCESSES), "-l", "ERROR", "-Q", "naive")
    made.running["worker"] = subprocess.Popen(
        [sys.executable, "-m", "celery", *worker],
        # It would warn of being root where it is.
        env=env | {"PYTHONWARNINGS": "ignore"},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    eta = datetime.now(UTC) + timedelta(seconds=_AHEAD_SECONDS)
    # The service signs its orders, and the baseline does not check them.
    sender = Celery("naive", broker=broker, set_as_current=False)
    with sender.producer_pool.acquire(block=True) as producer:
        for n in range(count):
            sender.send_task("naive.call", args=(n,), eta=eta, queue="naive", producer=producer)
    sender.close()
    while not _begun(store.sql_engine):
        time.sleep(0.02)
    before, began = made.cpu(), time.perf_counter()
    most = began + 60 + count / 5
    done = 0
    while done < count:
        if time.perf_counter() > most:
            raise SystemExit(f"baseline: only {done} of {count} were done")
        time.sleep(0.1)
        with store.sql_engine.begin() as tx:
            done = is_done(tx)
    seconds, after = time.perf_counter() - began, made.cpu()
    spent = {
        name: round((after[name] - before[name]) / count * 1000, 2)
        for name in ("web", "worker", "carrier", "postgres", "valkey")
        if name in after
    }
    return {"seconds": seconds, "cpu": spent | {"all": round(sum(spent.values()), 2)}}


def _begun(sql_engine: sa.Engine) -> bool:
    with sql_engine.begin() as tx:
        return _placed(tx) > 0


def _start_web(made: Service, env: dict[str, str]) -> None:
    address = ("--host", made.settings.web.host, "--port", str(made.settings.web.port))
    made.running["web"] = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "bench.naive_app:web", "--no-access-log", *address],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{env['NAIVE_PUBLIC']}/openapi.json")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the baseline's web process did not come up")
