"""What every test may use: one real PostgreSQL and one real Valkey per run, fresh databases inside them.

The servers are shared by all workers of a run: the first worker that needs them starts them, the others join,
and the first one leaves last. They and their files are gone after the run, also after a `kill -9` of it.
"""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import socket
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
import sqlalchemy as sa
import typer.testing
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from hypothesis import HealthCheck, settings
from jinja2 import Environment
from psycopg import sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.util import LRUCache

from dialer.bootstrap import assemble
from dialer.core.errors import Unavailable
from dialer.db.keys import Keys, create
from dialer.db.migrations import migrate_database
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault
from dialer.runtime.embedded import EmbeddedServers, ensure_servers
from dialer.runtime.location import own_home
from dialer.runtime.servers import VALKEY_DATABASES
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.script_versions.actions import seed_scripts
from tests.control.scene import Assemble, Scene
from tests.outcomes.town import Scenario

ROOT = Path(__file__).resolve().parent.parent
_TEMPLATE = "template_migrated"
_TEMPLATE_LOCK = 61_10
_LAST_WORKER_SECONDS = 1800.0
_FIRST_START = datetime(2026, 1, 1, tzinfo=UTC)
_SHM = Path("/dev/shm")
_MEMORY_BYTES = 6 << 30
_LEFT_BEHIND_SECONDS = 600
_OF_PASSWORDS = frozenset({"test_passwords.py", "test_signing_in.py", "test_sign_in.py"})
_STATEMENTS = 5_000
_FACTS = (bool, int, str, tuple)
_names = itertools.count(1)
_PATIENT = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])

# The same examples every time; `make fuzz` takes the other profile, with a new seed for each round.
settings.register_profile("repeat", _PATIENT, derandomize=True, max_examples=30)
settings.register_profile("explore", _PATIENT, derandomize=False, max_examples=200)
settings.load_profile("repeat")
_running = pytest.StashKey[EmbeddedServers]()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait for a call or a page, and leave their core to others. Each worker
    takes 40 s of processor time to find all tests.
    """
    return (os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--part", type=int, default=1, metavar="N", help="run every Nth of the tests")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers the stories and long tests come first: one that begins last is waited for.

    A worker is dealt one piece of the list in its order, and what another steals is taken from the end of it. So every
    piece begins with stories, all those of a file in one, because they share what is expensive to set up. Those of the
    browser are in the first piece, whose worker starts their service.
    """
    items[:] = items[:: config.getoption("--part")]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if not workers:
        return
    browser = [item for item in items if _is_of_browser(item)]
    stories = [item for item in items if _is_long(item) and not _is_of_browser(item)]
    piles: list[list[pytest.Item]] = [[] for _ in range(workers)]
    piles[0] += browser
    others = piles[1:] if browser and workers > 1 else piles
    for _, file in itertools.groupby(stories, key=lambda item: item.path):
        min(others, key=len).extend(file)
    room = len(items) // workers
    rest = deque(item for pile in piles for item in pile[room:])
    rest += (item for item in items if not _is_long(item))
    ordered: list[pytest.Item] = []
    for pile in piles:
        ordered += pile[:room]
        ordered += [rest.popleft() for _ in range(min(len(rest), room - len(pile[:room])))]
    items[:] = [*ordered, *rest]


def _is_story(item: pytest.Item) -> bool:
    return item.get_closest_marker("story") is not None


def _is_long(item: pytest.Item) -> bool:
    return _is_story(item) or item.get_closest_marker("long") is not None


def _is_of_browser(item: pytest.Item) -> bool:
    return _is_story(item) and item.path.parent.name == "browser"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: the garbage collector need not look at it again and again, neither meanwhile, when it
    took a sixth of the time, nor later.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    """A template is compiled once for all the applications of a run, not for each of them."""
    compiled: dict[tuple[object, ...], object] = {}
    compile_one = Environment.compile

    def compile_once(self: Environment, source: str, *args: object, **named: object) -> object:
        key = (source, *args, *named.items())
        if key not in compiled:
            compiled[key] = compile_one(self, source, *args, **named)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", compile_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """A statement is compiled once for all the databases of a worker, and the server is asked once what it can: each
    test has an engine of its own, which would begin with nothing.
    """
    compiled: LRUCache[Any, Any] = LRUCache(_STATEMENTS)
    known: dict[str, object] = {}
    create, initialize = sa.create_engine, PGDialect_psycopg.initialize

    def create_engine(*args: Any, **named: Any) -> sa.Engine:  # noqa: ANN401  # as the library has it
        engine = create(*args, **named)
        engine._compiled_cache = compiled
        return engine

    def initialize_once(self: PGDialect_psycopg, connection: sa.Connection) -> None:
        if not known:
            before = dict(vars(self))
            initialize(self, connection)  # type: ignore[no-untyped-call]
            facts = {name: value for name, value in vars(self).items() if isinstance(value, _FACTS)}
            known.update({name: value for name, value in facts.items() if before.get(name, before) != value})
        vars(self).update(known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sa, "create_engine", create_engine)
        patch.setattr(PGDialect_psycopg, "initialize", initialize_once)
        # The dialect is a part of what a compiled statement is kept under.
        patch.setattr(PGDialect_psycopg, "__eq__", lambda self, other: type(self) is type(other))
        patch.setattr(PGDialect_psycopg, "__hash__", lambda self: hash(type(self)))
        yield


@pytest.fixture(scope="session", autouse=True)
def command_line_built_once() -> Iterator[None]:
    """The runner of commands puts together the whole command line for each, which takes a twentieth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="module", autouse=True)
def passwords_hashed_cheaply(request: pytest.FixtureRequest) -> Iterator[None]:
    """A hash with the parameters of the service takes 0.2 s of CPU. They are used where passwords are tested, and by
    the processes of a story. A hash says its parameters, so both kinds are understood everywhere.
    """
    if request.path.name in _OF_PASSWORDS:
        yield
        return
    cheap, hash_one, verify = PasswordHasher(1, 64, 1), PasswordHasher.hash, PasswordHasher.verify

    def hash_cheaply(_self: PasswordHasher, password: str | bytes, *, salt: bytes | None = None) -> str:
        return hash_one(cheap, password, salt=salt)

    def verify_cheaply(self: PasswordHasher, made: str | bytes, password: str | bytes) -> bool:
        if f"$m={self.memory_cost}," in str(made):
            # Nobody's: the one that is verified for an unknown login.
            raise VerifyMismatchError
        return bool(verify(self, made, password))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHasher, "hash", hash_cheaply)
        patch.setattr(PasswordHasher, "verify", verify_cheaply)
        yield


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """A test that connects to another machine fails."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:  # noqa: ANN401  # as the library has it
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(str(address[0])):
            pytest.fail(f"a test connects to another machine: {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def embedded_servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> EmbeddedServers:
    """The run's own servers. Stopped after the session: other workers may still need them."""
    if given := os.environ.get("TESTS_SERVERS"):
        memory = os.environ.get("TESTS_SERVERS_HOME")
        request.config.stash[_running] = servers = ensure_servers(
            Path(given), ephemeral=True, home=Path(memory) if memory else None
        )
        return servers
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    servers = ensure_servers(shared / "servers", ephemeral=True, home=_home(shared))
    request.config.stash[_running] = servers
    return servers


def _home(shared: Path) -> Path | None:
    """A folder in memory, where making the hundreds of files of a database takes a twentieth of the time; None where
    there is not enough of it. The first worker of a run decides, for all.
    """
    own, decided = shared / f"home-{os.getpid()}", shared / "home"
    own.write_text(memory_home(), encoding="utf-8")
    with suppress(FileExistsError):
        os.link(own, decided)
    told = decided.read_text(encoding="utf-8")
    return Path(told) if told else None


def memory_home() -> str:
    """A folder in memory for the servers of tests; empty where there is not enough of it."""
    home = _SHM / f"dialer-tests-{os.geteuid()}"
    try:
        if shutil.disk_usage(_SHM).free >= _MEMORY_BYTES:
            _erase_left_behind(own_home(home))
            return str(home)
    except (OSError, Unavailable):
        pass
    return ""


def _erase_left_behind(home: Path) -> None:
    """Erases the servers' files of a run that was killed: those that no process uses, and that are not being made."""
    used = " ".join(
        part for process in psutil.process_iter(["cmdline"]) for part in process.info["cmdline"] or ()
    )
    for folder in home.iterdir():
        if folder.name not in used and time.time() - folder.stat().st_mtime > _LEFT_BEHIND_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(_running, None)
    if servers is not None:
        servers.stop(batch_wait_seconds=_LAST_WORKER_SECONDS)


@pytest.fixture(scope="session")
def admin(embedded_servers: EmbeddedServers) -> Iterator[psycopg.Connection]:
    """One for all databases of a worker: a connection for each would take a third of what a database costs."""
    url = embedded_servers.owner_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def migrated_template(embedded_servers: EmbeddedServers, admin: psycopg.Connection) -> str:
    """The name of a database that the migrations ran on, once per run; template0 while there are none."""
    if not any((ROOT / "alembic" / "versions").glob("*.py")):
        return "template0"
    admin.execute("select pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
    try:
        if not admin.execute("select 1 from pg_database where datname = %s", [_TEMPLATE]).fetchone():
            _make_template(embedded_servers, admin)
    finally:
        admin.execute("select pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])
    return _TEMPLATE


@pytest.fixture
def fresh_database(
    embedded_servers: EmbeddedServers, admin: psycopg.Connection, migrated_template: str
) -> Iterator[str]:
    """The URL of a database of this test's own, migrated to the newest version where there are migrations."""
    with _database(embedded_servers, admin, template=migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(
    embedded_servers: EmbeddedServers, admin: psycopg.Connection, migrated_template: str
) -> Iterator[str]:
    """As `fresh_database`, shared by the tests of one file on one worker."""
    with _database(embedded_servers, admin, template=migrated_template) as url:
        yield url


@pytest.fixture
def environment(fresh_database: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    """What a process of the service is told: this test's own database, broker, keys and folder."""
    create(tmp_path / "keys.json")
    return {
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_SETTINGS": str(ROOT / "settings.toml"),
    }


@pytest.fixture
def assembled(environment: dict[str, str]) -> Iterator[Assemble]:
    """Makes applications as an entry point does; closes them after the test."""
    made: list[Application] = []

    def make(**env: str) -> Application:
        made.append(assemble(load_settings(environment | env)))
        return made[-1]

    yield make
    for app in made:
        app.close()


@pytest.fixture
def scenario(fresh_database: str) -> Iterator[Scenario]:
    """Rows of a small town."""
    with closing(Scenario(fresh_database)) as made:
        yield made


@pytest.fixture
def drill_scenario(fresh_database: str) -> Iterator[Scenario]:
    """As `scenario`, in a drill."""
    with closing(Scenario(fresh_database, drill=True)) as made:
        yield made


@pytest.fixture(scope="module")
def town(module_database: str) -> Iterator[Scenario]:
    """As `scenario`, shared by the tests of one file on one worker."""
    with closing(Scenario(module_database)) as made:
        yield made


@pytest.fixture
def scene(fresh_database: str) -> Iterator[Scene]:
    """As `scenario`, with a line group."""
    with closing(Scene(fresh_database)) as made:
        yield made


@pytest.fixture(scope="module")
def shared(module_database: str) -> Iterator[Scene]:
    """As `scene`, shared by the tests of one file on one worker."""
    with closing(Scene(module_database)) as made:
        yield made


@pytest.fixture
def empty_database(embedded_servers: EmbeddedServers, admin: psycopg.Connection) -> Iterator[str]:
    """The URL of a database without a single table."""
    with _database(embedded_servers, admin, template="template0") as url:
        yield url


@pytest.fixture
def broker_url(embedded_servers: EmbeddedServers) -> Iterator[str]:
    """The URL of an empty Valkey database that no other test of this run uses at the same time."""
    server = embedded_servers.broker_url.rpartition("/")[0]
    with redis.Redis.from_url(f"{server}/0") as shared:
        number = 1 + shared.incr("tests:next-database") % (VALKEY_DATABASES - 1)
    url = f"{server}/{number}"
    with redis.Redis.from_url(url) as own:
        own.flushdb()
        yield url
        own.flushdb()


@contextmanager
def _database(servers: EmbeddedServers, admin: psycopg.Connection, *, template: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_names)}"
    _create(admin, name, template)
    try:
        yield _tested_url(servers, name)
    finally:
        # The server's own upkeep may be at work in it, which no ordinary role may end; all goes with the run anyway.
        with suppress(psycopg.errors.InsufficientPrivilege):
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _url_of(servers: EmbeddedServers, name: str) -> str:
    return servers.owner_url.rpartition("/")[0] + f"/{name}"


def _tested_url(servers: EmbeddedServers, name: str) -> str:
    """TESTS_POOLER: the port of a pooler in front of the run's PostgreSQL; see tests/runtime/test_pooler.py."""
    server, _, port = servers.owner_url.rpartition("/")[0].rpartition(":")
    return f"{server}:{os.environ.get('TESTS_POOLER', port)}/{name}"


def _make_template(servers: EmbeddedServers, admin: psycopg.Connection) -> None:
    draft = f"{_TEMPLATE}_draft"
    admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(draft)))
    _create(admin, draft, "template0")
    url = _url_of(servers, draft)
    engine = sa.create_engine(url)
    migrate_database(engine)
    engine.dispose()
    _first_start(url)
    # Their sound is 19 of the 35 MB that each database would copy, and every test has it in files.
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as own:
        own.execute("alter table sound_file disable trigger user")
        own.execute("update sound_file set body = ''")
        own.execute("alter table sound_file enable trigger user")
        own.execute("vacuum full sound_file")
    admin.execute(
        sql.SQL("alter database {} rename to {}").format(sql.Identifier(draft), sql.Identifier(_TEMPLATE))
    )


def _first_start(url: str) -> None:
    """The shipped scripts are in it, as after the first start of a service, long ago."""
    store = Store(
        url, Vault(Keys.of(current=1, encryption={1: os.urandom(32)}, index=os.urandom(32))), pool_size=1
    )
    with store.begin() as tx:
        seed_scripts(tx, now=_FIRST_START)
    store.dispose()


def _create(admin: psycopg.Connection, name: str, template: str) -> None:
    # In memory, to copy the files takes half the time of writing each of their blocks to the log.
    statement = "create database {} template {} strategy file_copy"
    admin.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template)))
