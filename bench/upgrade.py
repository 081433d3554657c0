"""Upgrades of a busy service, one after the other: calls leave, a list is loaded, figures are brought up to date again
and again, and `dialer migrate` of a version after this one changes the tables that all of them use.

    python -m bench.upgrade [--times 10] [--people 10000] [--calls-per-second 20]

The version after this one is this one with some more migrations. After each upgrade they are undone, and calls leave
again before the next one. Prints how long each `dialer migrate` took, how long no call left, and the longest
transactions of all processes meanwhile.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bench.lives import load
from bench.people import write_list
from bench.service import ROOT, Service, service
from bench.transactions import Transaction, Transactions
from dialer.core.access import unrestricted
from dialer.db.migrations import newest_revision
from dialer.db.unit_of_work import Store
from dialer.figures.facts import FactFile, refresh_facts
from dialer.warnings.lists import submit_list

_BUSIEST = (("attempt", "case"), ("event",), ("line_group", "alarm"), ("assignment", "person", "warning"))
"""The tables of each migration."""
_MIGRATION = '''"""Another column of {tables}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in {tables}:
        op.add_column(table, sa.Column("added_{revision}", sa.Text()))
'''
_LIST_ROWS = 3_000
_LONG_SECONDS = 0.2
_PATIENCE_SECONDS = 120.0
_BETWEEN_SECONDS = 3.0


def _write_next_version(folder: Path) -> None:
    """The program with its migrations, and one more for each group of busy tables."""
    for name in ("dialer", "alembic", "audio", "carrier"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.mp3", "*.wav")
        )
    before = int(newest_revision())
    for number, tables in enumerate(_BUSIEST, before + 1):
        text = _MIGRATION.format(tables=tables, revision=f"{number:04d}", before=f"{number - 1:04d}")
        path = folder / "alembic" / "versions" / f"{number:04d}_added_columns.py"
        path.write_text(text, encoding="utf-8")


def _longest(seen: list[Transaction]) -> list[dict[str, object]]:
    """The longest of each process and first statement, and how many took long."""
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for one in seen:
        if one.seconds >= _LONG_SECONDS:
            about = (one.process, one.statement[:100])
            most, count = found.get(about, (0.0, 0))
            found[about] = (max(most, one.seconds), count + 1)
    ordered = sorted(found.items(), key=lambda each: -each[1][0])
    return [
        {"seconds": round(most, 2), "times": count, "process": name, "first_seen_in": query}
        for (name, query), (most, count) in ordered[:15]
    ]


def run(times: int, people: int, calls_per_second: float) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="dialer-next-") as folder,
        service(
            daytime=True,
            telephony__lines="1000",
            telephony__calls_per_second=str(calls_per_second),
            scheduler__tick_seconds="1",
            log__level="error",
        ) as made,
    ):
        _write_next_version(Path(folder))
        load(made, people)
        made.start(within_seconds=240)
        with _busy(made, people) as seen:
            rounds = [_upgrade(made, Path(folder)) for _ in range(times)]
        return {
            "upgrades": times,
            "failed": sum("failed" in one for one in rounds),
            "rounds": rounds,
            "longest_transactions": _longest(seen.taken()),
        }


@contextmanager
def _busy(made: Service, first: int) -> Iterator[Transactions]:
    """Lists and figures without an end, and somebody who watches the transactions."""
    vault, stopped = made.app.services.store.vault, threading.Event()
    watcher = Store(made.app.services.store.url, vault, pool_size=1)
    figures = Store(made.app.services.store.url, vault, pool_size=1)
    works: tuple[Callable[[], None], ...] = (
        lambda: _refresh(figures, made, stopped),
        lambda: _load(made, first, stopped),
    )
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    transactions = Transactions(watcher)
    try:
        with transactions.watched():
            yield transactions
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
        figures.dispose()
        watcher.dispose()


def _refresh(store: Store, made: Service, stopped: threading.Event) -> None:
    """Makes the fact rows of all cases again and again."""
    while not stopped.wait(0.1):
        with tempfile.TemporaryDirectory() as folder, suppress(Exception):
            refresh_facts(store, FactFile(folder=Path(folder), timezone=made.settings.centre.timezone))


def _load(made: Service, first: int, stopped: threading.Event) -> None:
    """The worker loads one list after the other."""
    path = made.settings.data_dir / "more.csv"
    while not stopped.is_set():
        write_list(path, _LIST_ROWS, first=first)
        first += _LIST_ROWS
        with suppress(Exception), path.open("rb") as content:
            submit_list(made.app.services, unrestricted("bench"), content, filename=path.name, source="")
        stopped.wait(5.0)


def _upgrade(made: Service, folder: Path) -> dict[str, object]:
    """One upgrade while calls leave; afterwards the database is as before, and calls leave again."""
    _wait_for_calls(made)
    time.sleep(_BETWEEN_SECONDS)
    env = made.env | {"PYTHONPATH": str(folder)}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "dialer", "migrate"],
        env=env, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found: dict[str, object] = {"seconds": round(time.monotonic() - began, 1)}
    if done.returncode:
        found["failed"] = (done.stderr or done.stdout).strip()[-400:]
    assert made.app.servers is not None
    _undo(made.app.servers.owner_url)
    found["seconds_until_calls"] = round(_wait_for_calls(made), 1)
    sys.stderr.write(json.dumps(found, ensure_ascii=False) + "\n")
    return found


def _wait_for_calls(made: Service) -> float:
    """Until another call leaves; how many seconds that took."""
    began = time.monotonic()
    first = _last_call(made)
    while _last_call(made) == first:
        if time.monotonic() - began > _PATIENCE_SECONDS:
            raise SystemExit(f"no call for {_PATIENCE_SECONDS:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began


def _last_call(made: Service) -> object:
    with made.app.services.store.begin() as tx:
        return tx.scalar(sa.text("SELECT max(sent_at) FROM attempt"))


def _undo(owner_url: str) -> None:
    """The columns are gone, and the database has the revision of before."""
    before = int(newest_revision())
    engine = sa.create_engine(owner_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(sa.text("SET lock_timeout = '300ms'"))
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{before:04d}'"))
        left = [(n, table) for n, tables in enumerate(_BUSIEST, before + 1) for table in tables]
        while left:
            number, table = left[0]
            try:
                connection.execute(sa.text(f'ALTER TABLE "{table}" DROP COLUMN IF EXISTS added_{number:04d}'))
            except OperationalError:
                time.sleep(0.1)
            else:
                left.pop(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--calls-per-second", type=float, default=20.0)
    given = parser.parse_args()
    print(json.dumps(run(given.times, given.people, given.calls_per_second), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
