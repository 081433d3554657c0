"""A whole service of real processes on servers of its own, for stories that stop, kill and flush them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import redis
import sqlalchemy as sa

from bench.people import write_list
from bench.service import ROOT, Service, service
from chaos.checks import Verdict, check
from dialer.core.access import unrestricted
from dialer.runtime.location import free_port
from dialer.warnings.lists import submit_list

PATIENCE_SECONDS = 150.0
WORKERS = ("worker-a", "worker-b")


def until(
    true: Callable[[], object], *, within: float = PATIENCE_SECONDS, every_seconds: float = 0.1
) -> None:
    """Asks so seldom, since each look into the rows takes CPU from the processes that it waits for."""
    began = time.monotonic()
    ever = threading.Event()
    while not true():
        assert time.monotonic() - began < within, "it never came true"
        ever.wait(every_seconds)


class Processes:
    def __init__(self, made: Service) -> None:
        self.made = made
        self.services = made.app.services
        self.people = 0
        """On the lists so far."""

    def spawn(self, name: str, *argv: str) -> None:
        self.made.running[name] = subprocess.Popen(
            [sys.executable, "-m", *argv], env=self.made.env, cwd=ROOT, stderr=subprocess.DEVNULL
        )

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(self.made.running[name].pid)

    def rows(self, statement: str, **given: object) -> list[dict[str, Any]]:
        with self.services.store.begin() as tx:
            return [dict(row) for row in tx.rows(sa.text(statement), given)]

    def count(self, what: str) -> int:
        return int(self.rows(f"SELECT count(*) AS n FROM {what}")[0]["n"])

    def submit(self, count: int) -> int:
        """A list of as many new people waits for a worker; its load."""
        path = self.made.settings.data_dir / "list.csv"
        write_list(path, count, grade="高危", first=self.people)
        self.people += count
        with path.open("rb") as content:
            return submit_list(self.services, unrestricted("story"), content, filename=path.name, source="")

    def broker(self) -> redis.Redis:
        return redis.Redis.from_url(self.made.app.celery.conf.broker_url, socket_timeout=5)

    def everybody_called(self) -> bool:
        """As many cases as people, each with a ring, and no ring under way."""
        return (
            self.count('"case"') == self.people
            and self.count("attempt") >= self.people
            and self.count("attempt WHERE state <> 'ended'") == 0
        )

    def verdict(self) -> Verdict:
        """The rows held against the carrier's own count."""
        return check(self.services.store.url, self.made.settings.data_dir / "carrier")


@contextmanager
def processes(*, calls_per_second: float, lines: int = 40) -> Iterator[Processes]:
    """Carrier, web, a scheduler and two hasty workers; everybody picks up at once and is not the person."""
    settings = {
        "telephony__calls_per_second": str(calls_per_second),
        "telephony__lines": str(lines),
        "telephony__timeout_seconds": "3",
        "telephony__silence_seconds": "5",
        "web__port": str(free_port()),
    }
    with service(keys=("2",), **settings) as made:
        found = Processes(made)
        for name in WORKERS:
            found.spawn(name, "tests.story.hasty_worker")
        made.start("carrier", "web", "scheduler", within_seconds=PATIENCE_SECONDS)
        yield found
