"""Databases for counting: a server in memory, a city of so many cases, and a copy of it for each load.

Clock, keys and rows follow from numbers in this file, so that two runs do the same work.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from bench import backlog, city
from bench.cost_counting import SERVER_OPTIONS, CallCounter, Meter
from bench.service import ROOT
from dialer.bootstrap import assemble
from dialer.core.periods import BulletinKind
from dialer.db.system_state import ClockRow, mark_drill_database, write_service_clock
from dialer.db.unit_of_work import Store
from dialer.figures.bulletins import draft_due_bulletins
from dialer.figures.report import refresh_figures
from dialer.runtime.embedded import EmbeddedServers, ensure_servers
from dialer.runtime.location import place_for
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from tests.clock import FrozenClock
from tests.conftest import memory_home

NOW = datetime(2026, 3, 11, 2, 0, tzinfo=UTC)
"""Ten in the morning in Shanghai: the dialling window is open."""
WAITING = 0.4
"""The share of the cases that waits for a call."""
_PACE, _LINES = 5_000.0, 100_000
_KEYS = {"encryption": {"1": "01" * 32}, "index": "02" * 32, "current": 1}
_NUMBERED = "SELECT setval(pg_get_serial_sequence('list_load', 'id'), (SELECT max(id) FROM list_load))"
_OPEN = "UPDATE line_group SET calls_per_second = :pace, lines = :lines, next_slot_at = :now"
_LATER = "UPDATE attempt SET urgency_at = urgency_at + interval '1 year' WHERE state = 'ready'"
"""The backlog waits behind everything that a load brings."""


class Scene(StrEnum):
    """What a database holds."""

    CITY = "city"
    """A year of a city, with all its rows."""
    FIRST_LIST = "first_list"
    """One list, of which nobody has been called: to the planner of PostgreSQL no call has ever been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One database with the application on it, and the meter beside it."""

    app: Application
    owner: Store
    meter: Meter
    clock: FrozenClock
    folder: Path
    cases: int


class Town:
    """The server, and what is needed to reach its databases."""

    def __init__(
        self, servers: EmbeddedServers, folder: Path, home: Path | None, calls: CallCounter | None
    ) -> None:
        self._servers = servers
        self._folder = folder
        self._calls = calls
        self._made: set[str] = set()
        password = place_for(folder / "data", home=home).password("superuser")
        self._superuser = (
            f"postgresql://postgres:{password}@{servers.owner_url.rpartition('@')[2].rpartition('/')[0]}"
        )
        (folder / "keys.json").write_text(json.dumps(_KEYS), encoding="ascii")
        (folder / "keys.json").chmod(0o600)

    def _prepare(self, scene: Scene, size: int) -> str:
        """The name of the database of this scene and size, filled when it is first asked for."""
        if not self._made:
            self._superuser_runs("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", database="dialer")
            with self._opened("dialer", cases=0) as place, place.owner.begin() as tx:
                mark_drill_database(tx)
                write_service_clock(tx, ClockRow(anchor_unix=NOW.timestamp(), epoch=NOW, speed=1.0))
        name = f"{scene.value}_{size}"
        if name not in self._made:
            self._copy("dialer", name)
            with self._opened(name, cases=size) as place:
                _FILLS[scene](place)
                with place.owner.begin() as tx:
                    tx.execute(sa.text(_OPEN), {"pace": _PACE, "lines": _LINES, "now": NOW})
                place.owner.sql_engine.dispose()
                engine = place.owner.sql_engine.execution_options(isolation_level="AUTOCOMMIT")
                with engine.connect() as connection:
                    connection.execute(sa.text("VACUUM (FREEZE, ANALYZE)"))
            self._made.add(name)
        return name

    @contextmanager
    def place(self, scene: Scene, size: int) -> Iterator[Place]:
        """A copy of this scene with so many cases, gone afterwards."""
        name = "load"
        self._copy(self._prepare(scene, size), name)
        try:
            with self._opened(name, cases=size) as place:
                yield place
        finally:
            self._superuser_runs(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def _opened(self, name: str, *, cases: int) -> Iterator[Place]:
        env = {
            "DIALER_SETTINGS": str(ROOT / "settings.toml"),
            "DIALER_DATA_DIR": str(self._folder / "data"),
            "DIALER_DATABASE__URL": _at(self._servers.database_url, name),
            "DIALER_DATABASE__OWNER_URL": _at(self._servers.owner_url, name),
            "DIALER_BROKER__URL": "redis://127.0.0.1:1/0",
            "DIALER_KEYS__FILE": str(self._folder / "keys.json"),
            "DIALER_CONSOLE__PATIENCE_SECONDS": "30",
            "DIALER_API__REQUESTS_PER_SECOND": "10000",
            "DIALER_API__BURST": "100000",
        }
        app = assemble(load_settings(env))
        clock = FrozenClock(NOW)
        # What looks at the machine's clock, or sends to a broker, would differ from run to run.
        app.services.store.follow_keys = None
        app.services.policies.plan = None
        app.services.store.after_commit = None
        services = replace(app.services, clock=clock, real=clock, enqueue=lambda *_: None)
        app = replace(app, services=services)
        owner = Store(_at(self._servers.owner_url, name), services.store.vault, pool_size=2)
        # A copy is another database: its fact rows are made anew.
        refresh_figures(services)
        meter = Meter(f"{self._superuser}/{name}", self._calls, role="dialer")
        try:
            yield Place(app=app, owner=owner, meter=meter, clock=clock, folder=self._folder, cases=cases)
        finally:
            meter.close()
            owner.dispose()
            app.close()

    def _copy(self, template: str, name: str) -> None:
        self._superuser_runs(
            f"CREATE DATABASE {name} OWNER dialer_owner TEMPLATE {template} STRATEGY file_copy"
        )

    def _superuser_runs(self, statement: str, *, database: str = "postgres") -> None:
        with psycopg.connect(f"{self._superuser}/{database}", autocommit=True) as connection:
            connection.execute(sql.SQL(statement))  # type: ignore[arg-type]


def _fill_city(place: Place) -> None:
    services = place.app.services
    policy = services.policies.newest.version
    city.fill(place.owner, count=place.cases, policy=policy, now=NOW, waiting=WAITING)
    with place.owner.begin() as tx:
        tx.execute(sa.text(_LATER))
        tx.execute(sa.text(_NUMBERED))
    draft_due_bulletins(services, (BulletinKind.MONTH,))


def _fill_first_list(place: Place) -> None:
    policy = place.app.services.policies.newest.version
    backlog.fill(place.owner, count=place.cases, before=0, policy=policy, now=NOW)


_FILLS = {Scene.CITY: _fill_city, Scene.FIRST_LIST: _fill_first_list}


def _at(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


@contextmanager
def town(calls: CallCounter | None, options: Mapping[str, str] = SERVER_OPTIONS) -> Iterator[Town]:
    """A server of its own, in memory where there is enough of it; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dialer-cost-"))
    folder.chmod(0o755)
    home = Path(memory) if (memory := memory_home()) else None
    try:
        with ensure_servers(
            folder / "data", valkey=False, ephemeral=True, home=home, postgres_options=options
        ) as servers:
            yield Town(servers, folder, home, calls)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
