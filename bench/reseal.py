"""How fast a rotation of keys is: blind indexes made again and values sealed again, rows a second, in one process.

    python -m bench.reseal [PEOPLE [SUITE ...]]

PEOPLE rows of persons with one warning each, as a list leaves them; 100,000 if not said. SUITE: aes-gcm/blake2 or
sm4-gcm/sm3; both if not said. Beside it, how long the locks
of arrivals and of the line group were held at a time: meanwhile no call is claimed.
"""

from __future__ import annotations

import sys
import time

import sqlalchemy as sa

from bench.people import write_list
from bench.service import ground, owner_store
from dialer.bootstrap import application
from dialer.core.access import unrestricted
from dialer.core.values import Suite
from dialer.db.keys import KeyUse
from dialer.keys.actions import is_reseal_due, rotate_keys
from dialer.keys.reseal import PARTS, read_progress, reseal_batch
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.warnings.lists import load_list, submit_list


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    suites = [Suite(name) for name in sys.argv[2:]] or list(Suite)
    with ground() as env, application(load_settings(env)) as app:
        path = app.settings.data_dir / "list.csv"
        write_list(path, people)
        began = time.monotonic()
        with path.open("rb") as content:
            load_list(
                app.services,
                submit_list(app.services, unrestricted("bench"), content, filename=path.name, source=""),
            )
        print(f"{people:,} people loaded in {time.monotonic() - began:.1f} s")
        with owner_store(app) as store, store.sql_engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))
        for suite in suites:
            measure(app, suite)


def measure(app: Application, suite: Suite) -> None:
    """One rotation of both keys to this suite, to its end."""
    rotate_keys(
        app.services,
        unrestricted("bench"),
        app.key_source,
        uses=(KeyUse.ENCRYPTION, KeyUse.INDEX),
        suite=suite,
        why="bench",
        wait_seconds=0.0,
    )
    held: list[float] = []
    seconds: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    began = time.monotonic()
    while is_reseal_due(app.services):
        before = time.monotonic()
        with app.services.store.begin() as tx:
            progress = read_progress(tx)
        batch = reseal_batch(app.services, settle_seconds=0.0)
        took = time.monotonic() - before
        held += [took] if batch.had_locks else []
        part = progress.part if progress is not None else 0
        if part < len(PARTS):
            seconds[PARTS[part]] += took
    whole = time.monotonic() - began
    with app.services.store.begin() as tx:
        progress = read_progress(tx)
    assert progress is not None
    print(
        f"{suite}: {whole:.1f} s, {sum(progress.done.values()):,} rows, {sum(progress.done.values()) / whole:,.0f}/s"
    )
    for name, count in progress.done.items():
        if count:
            print(f"  {name}: {count:,} rows, {count / seconds[name]:,.0f}/s")
    held.sort()
    print(f"  locks held: {held[len(held) // 2] * 1e3:.0f} ms at a time, at most {held[-1] * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
