"""The schema: its revision in the database, the newest revision of this version, the migrations between them, and what
an upgrade would do, as read from the migration files.

A migration **expands** the schema when the version before can run beside it: it adds tables, columns that can be empty
or have a default, and indexes, and widens checks. It **contracts** the schema when it removes or renames something;
then no process of the version before may run.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError

import dialer
from dialer.core.errors import Refusal, Unavailable
from dialer.core.text import Text
from dialer.db.migration_locks import (
    MIGRATION_LOCK,
    LocksNotObtained,
    WaitingMigration,
    wanting_tables,
)
from dialer.db.tables import metadata
from dialer.db.unit_of_work import ReadOnlyDatabase, Tx, driver_settings

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_INSUFFICIENT_PRIVILEGE = "42501"
_READ_ONLY = "25006"
_LOCKED: Final = frozenset({"55P03", "40P01"})
"""A lock was not obtained in time, or waiting for it would have been a deadlock."""
_LOCK_WAIT_MS: Final = 200
"""How long the first tries wait for a lock: far below PostgreSQL's `deadlock_timeout` of a second, after which it would
end a transaction, possibly one of the service.
"""
_LONGEST_LOCK_WAIT_MS: Final = 2000
"""On a machine so busy that short transactions take longer than the first tries wait, each third try waits longer, up
to this: as long as anything of the service waits for a host that vanished.
"""
_CLAIMS_WAIT_MS: Final = 2000
"""Claims under way end within this time; a backup goes on for longer."""
_LOCKS_WITHIN_SECONDS: Final = 120.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 0.5
_LOCK_EXCLUSIVELY: Final = sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK))


class SchemaMoved(Unavailable):
    """A newer version has migrated the database: this process claims no more calls. Events of calls under way are still
    stored and applied.
    """

    def __init__(self, *, found: str, built_for: str) -> None:
        super().__init__(
            part="schema",
            problem=Text(
                "the database is at %(found)s, this process was built for %(built_for)s:"
                " it claims no more calls; start the new version in its place",
                found=found or Text("no revision"),
                built_for=built_for,
            ),
        )
        self.found = found
        self.built_for = built_for


class NewerDatabase(Refusal):
    """The database has a newer schema than this version, which would work on tables that it does not know."""

    def __init__(self, *, found: str, newest: str) -> None:
        super().__init__(
            Text(
                "the database is at %(found)s, and this version knows it up to %(newest)s:"
                " install the version that migrated it, or a newer one",
                found=found,
                newest=newest,
            )
        )


class NotMigrated(Refusal):
    """The database has an older schema than this version, or none, and the process only reads."""

    fix = "dialer migrate"

    def __init__(self, *, found: str, newest: str) -> None:
        super().__init__(
            Text(
                "the database is at %(found)s, and this version needs %(newest)s",
                found=found or Text("no revision"),
                newest=newest,
            )
        )


class MayNotMigrate(Refusal):
    """The database role may only read and write rows, so it cannot migrate."""

    def __init__(self, *, found: str, newest: str) -> None:
        super().__init__(
            Text(
                "the database is at %(found)s, and its role may not bring it to %(newest)s:"
                " run `dialer migrate` with DIALER_DATABASE__OWNER_URL",
                found=found or Text("no revision"),
                newest=newest,
            )
        )


def hold_schema(tx: Tx, *, built_for: str) -> bool:
    """Prevents migrations until the end of the transaction. False while one runs: nothing may be claimed now. Raises
    `SchemaMoved`.
    """
    # Two statements: a single one would still see the database as it was before it got the lock.
    if not tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock_shared(MIGRATION_LOCK))):
        return False
    found = schema_revision(tx)
    if found != built_for:
        raise SchemaMoved(found=found, built_for=built_for)
    return True


def schema_revision(tx: Tx) -> str:
    """The revision of the database; '' when it has none."""
    return str(tx.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


_NUMBERED: Final = re.compile(r"([0-9]{4})_[a-z0-9_]+\.py")


def script_location() -> Path:
    """The migrations' folder, in a clone or in the installed wheel."""
    package = Path(dialer.__file__).resolve().parent
    shipped = package / "_shipped" / "alembic"
    return shipped if shipped.is_dir() else package.parent / "alembic"


def newest_revision() -> str:
    """The last revision of the migrations: they form one chain, and each file's number is its revision."""
    return max(_known_revisions(), default="")


def migration_files() -> list[Path]:
    """The migrations in their order; a file's first four characters are its revision."""
    files = (script_location() / "versions").iterdir()
    return sorted(path for path in files if _NUMBERED.fullmatch(path.name))


def _known_revisions() -> set[str]:
    return {path.name[:4] for path in migration_files()}


def database_revision(sql_engine: sa.Engine) -> str:
    """The revision that the database has; '' when it has none."""
    with sql_engine.connect() as connection:
        if connection.scalar(sa.text("SELECT to_regclass('alembic_version')")) is None:
            return ""
        return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")


OLDEST_PAUSED: Final = "0044"
"""The revision of the release before, from which an upgrade begins: dialling can be paused on it and on later ones."""


def check_revision_for_pauses(sql_engine: sa.Engine) -> str:
    """The revision of the database, if pauses can be read and written on it: it may be older than this version, by one
    release, or newer, since migrations only add. Raises `NotMigrated` and `Unavailable`.
    """
    found = _revision_found(sql_engine)
    if found < OLDEST_PAUSED:
        raise NotMigrated(found=found, newest=newest_revision())
    return found


def _revision_found(sql_engine: sa.Engine) -> str:
    try:
        return database_revision(sql_engine)
    except OperationalError as fault:
        problem = str(fault.orig or fault).strip().split("\n", 1)[0]
        raise Unavailable(part="database", problem=problem) from fault


def check_revision(sql_engine: sa.Engine) -> str:
    """Checks that the database has the newest revision, and returns it. Raises `NotMigrated`, `NewerDatabase` and
    `Unavailable`.
    """
    newest = newest_revision()
    found = _revision_found(sql_engine)
    if found != newest:
        is_newer = bool(found) and found not in _known_revisions()
        raise (NewerDatabase if is_newer else NotMigrated)(found=found, newest=newest)
    return newest


def migrate_database(
    sql_engine: sa.Engine,
    *,
    owner_url: str | None = None,
    before_upgrade: Callable[[], object] = lambda: None,
    locks_within_seconds: float = _LOCKS_WITHIN_SECONDS,
) -> str:
    """Migrates the database to the newest schema and returns its revision; two processes can call this at once.
    `owner_url`: the database URL of the owner of the tables; None: migrate with the engine's role. `before_upgrade` is
    called before existing tables change, and may raise. Each migration gets its tables within `locks_within_seconds`,
    or `LocksNotObtained` is raised. Raises `Unavailable`, `MayNotMigrate`, and `NewerDatabase` if a newer version has
    migrated the database.
    """
    newest = newest_revision()
    try:
        found = database_revision(sql_engine)
        if found == newest:
            return newest
        if found and found not in _known_revisions():
            raise NewerDatabase(found=found, newest=newest)
        if found:
            before_upgrade()
        if owner_url is None:
            _upgrade(sql_engine, sql_engine, locks_within_seconds)
        else:
            owner = sa.create_engine(
                owner_url,
                poolclass=sa.NullPool,
                hide_parameters=True,
                connect_args=driver_settings("dialer migrate"),
            )
            _upgrade(owner, sql_engine, locks_within_seconds)
    except ProgrammingError as fault:
        if getattr(fault.orig, "sqlstate", None) == _INSUFFICIENT_PRIVILEGE:
            raise MayNotMigrate(found=found, newest=newest) from fault
        raise
    except OperationalError as fault:
        problem = str(fault.orig or fault).strip().split("\n", 1)[0]
        raise Unavailable(part="database", problem=problem) from fault
    except InternalError as fault:
        if getattr(fault.orig, "sqlstate", None) == _READ_ONLY:
            raise ReadOnlyDatabase from fault
        raise
    return newest


def _upgrade(sql_engine: sa.Engine, service: sa.Engine, within_seconds: float) -> None:
    """Migrates an empty database in one transaction, and any other in one transaction per migration, since the service
    runs meanwhile. Long work of the service steps aside (`wanting_tables`). A migration that does not get a lock in
    time releases all its locks and begins again, so that nobody waits for it for long and no transaction of the service
    becomes the victim of a deadlock. `service`: connects with the role of the service.
    """
    if not database_revision(sql_engine):
        with sql_engine.begin() as connection:
            connection.execute(_LOCK_EXCLUSIVELY)
            upgrade_schema(connection, "head")
        return
    scripts = _load_scripts()
    with wanting_tables(service) as waiting:
        while _upgrade_once(sql_engine, scripts, waiting, within_seconds):
            pass


def _upgrade_once(
    sql_engine: sa.Engine, scripts: ScriptDirectory, waiting: WaitingMigration, within_seconds: float
) -> bool:
    """Runs the next migration, in as many tries as it needs; False if there is none. Raises `LocksNotObtained`."""
    until = time.monotonic() + within_seconds
    waiting.holder = None
    for tried in count():
        try:
            wait_ms = min(_LOCK_WAIT_MS * (1 + tried // 3), _LONGEST_LOCK_WAIT_MS)
            return _try_upgrade(sql_engine, scripts, waiting, wait_ms=wait_ms)
        except OperationalError as fault:
            if getattr(fault.orig, "sqlstate", None) not in _LOCKED:
                raise
            if time.monotonic() > until:
                raise LocksNotObtained(seconds=round(within_seconds), holder=waiting.holder) from fault
        finally:
            waiting.pid = 0
        time.sleep(min(_FIRST_PAUSE_SECONDS * 2 ** min(tried, 10), _LONGEST_PAUSE_SECONDS))
    raise AssertionError


def _try_upgrade(
    sql_engine: sa.Engine, scripts: ScriptDirectory, waiting: WaitingMigration, *, wait_ms: int
) -> bool:
    """Runs the next migration, unless another session keeps a lock from it; False if there is none."""
    with sql_engine.begin() as connection:
        waiting.pid = int(connection.scalar(sa.select(sa.func.pg_backend_pid())) or 0)
        connection.execute(sa.text(f"SET LOCAL lock_timeout = {_CLAIMS_WAIT_MS}"))
        # Nobody claims while the tables change.
        connection.execute(_LOCK_EXCLUSIVELY)
        connection.execute(sa.text(f"SET LOCAL lock_timeout = {wait_ms}"))
        found = str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
        later = [revision for revision in sorted(_known_revisions()) if revision > found]
        if not later:
            return False
        _run_migration(connection, scripts, later[0])
        return True


def _load_scripts() -> ScriptDirectory:
    """All migrations, read once: a try holds its locks for no longer than its statements take."""
    # Imported here: every process asks for the revision when it starts, and hardly any has to migrate.
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_alembic_config())
    scripts.get_current_head()
    return scripts


def _run_migration(connection: sa.Connection, scripts: ScriptDirectory, revision: str) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
    with Operations.context(context):
        scripts.get_revision(revision).module.upgrade()
    connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def upgrade_schema(connection: sa.Connection, revision: str) -> None:
    """Migrates the schema to this revision (`head`: the newest) in the transaction of the connection, which holds
    `MIGRATION_LOCK`.
    """
    from alembic import command

    config = _alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _alembic_config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def is_known_revision(revision: str) -> bool:
    """Whether it is the revision of one of this version's migrations."""
    return revision in _known_revisions()


def owned_tables(tx: Tx) -> int:
    """How many tables the current role owns. An owner could remove the constraints of the database."""
    statement = "SELECT count(*) FROM pg_tables WHERE tableowner = current_user AND schemaname = 'public'"
    return int(tx.scalar(sa.text(statement)))


class MigrationPhase(StrEnum):
    """Whether a migration expands or contracts the schema."""

    EXPAND = "expand"
    CONTRACT = "contract"


class Lock(StrEnum):
    """How long a migration locks an existing table against reading and writing."""

    MOMENT = "moment"
    """For a moment, however many rows the table has."""
    ROWS = "rows"
    """While all rows of the table are read or written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationChange:
    """What one migration does. `locks`: how it locks the existing tables, by name. `why`: what makes it a contracting
    one.
    """

    revision: str
    title: str
    step: MigrationPhase
    why: str = ""
    locks: tuple[tuple[str, Lock], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTable:
    """A table that an upgrade locks, and how large it is."""

    name: str
    lock: Lock
    rows: int
    """An estimate, as PostgreSQL last counted."""
    size_bytes: int


_ADDS: Final = frozenset({"create_table", "add_column", "create_index", "create_check_constraint"})
_ALTERS: Final = re.compile(
    r"\b(DROP\s+(?:TABLE|COLUMN)|RENAME|ALTER\s+COLUMN|SET\s+NOT\s+NULL)\b", re.IGNORECASE
)
_WRITES: Final = re.compile(r"\b(?:UPDATE|DELETE\s+FROM)\s+\"?(?!(?:ON|OF|OR)\b)(\w+)")
_LOOSENS: Final = frozenset(
    {"f", "get_bind", "bulk_insert", "drop_index", "drop_constraint", "create_foreign_key"}
)


def pending_changes(found: str) -> list[MigrationChange]:
    """What each migration after revision `found` does, in their order."""
    return [read_change(path) for path in migration_files() if path.name[:4] > found]


def read_change(path: Path) -> MigrationChange:
    """What one migration does, by its `upgrade` and the other functions of its file except `downgrade`."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    body = [
        part for part in module.body if not (isinstance(part, ast.FunctionDef) and part.name == "downgrade")
    ]
    calls = [node for part in body for node in ast.walk(part) if isinstance(node, ast.Call)]
    made = {_text(call, 0) for call in calls if _name(call) == "create_table"}
    added = {(_table(call), _added_column(call)) for call in calls if _name(call) == "add_column"}
    locks: dict[str, Lock] = {}
    why: list[str] = []
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = _name(call)
        if name in {"", "create_table"}:
            continue
        statement = _statement(call) if name == "execute" else ""
        for table in [_table(call)] if name != "execute" else _WRITES.findall(statement):
            if table and table not in made:
                takes_rows = name in {
                    "create_index",
                    "create_check_constraint",
                    "create_foreign_key",
                    "execute",
                }
                locks[table] = Lock.ROWS if takes_rows else locks.get(table, Lock.MOMENT)
        if (
            name == "create_unique_constraint"
            and {(_table(call), column) for column in _columns(call)} <= added
        ):
            continue  # The version before leaves these columns empty.
        if (reason := _contracts(call, name, statement)) and _table(call) not in made:
            why.append(reason)
    title = (ast.get_docstring(module) or "").split("\n")[0].rstrip(".")
    return MigrationChange(
        revision=path.name[:4],
        title=title,
        step=MigrationPhase.CONTRACT if why else MigrationPhase.EXPAND,
        why=", ".join(dict.fromkeys(why)),
        locks=tuple(sorted(locks.items())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What an upgrade would do. `found`: the revision of the database, '' for none; `newest`: that of this version."""

    found: str
    newest: str
    changes: tuple[MigrationChange, ...]
    tables: tuple[LockedTable, ...]

    @property
    def may_run_beside(self) -> bool:
        """Whether processes of the version before may go on running during the upgrade."""
        return not self.found or all(change.step is MigrationPhase.EXPAND for change in self.changes)


def examine_upgrade(url: str) -> Upgrade:
    """What `dialer migrate` would do to the database at this address. Raises `NewerDatabase`, and `Unavailable`."""
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, hide_parameters=True, connect_args=driver_settings("dialer upgrade")
    )
    try:
        found, newest = database_revision(engine), newest_revision()
        known = {path.name[:4] for path in migration_files()}
        if found and found not in known:
            raise NewerDatabase(found=found, newest=newest)
        changes = pending_changes(found)
        with engine.begin() as connection:
            tables = _locked_tables(connection, changes) if found else []
    except OperationalError as fault:
        problem = str(fault.orig or fault).strip().split("\n", 1)[0]
        raise Unavailable(part="database", problem=problem) from fault
    return Upgrade(found=found, newest=newest, changes=tuple(changes), tables=tuple(tables))


def _locked_tables(connection: sa.Connection, changes: list[MigrationChange]) -> list[LockedTable]:
    """The tables that these migrations lock, those that are locked longest first."""
    locks: dict[str, Lock] = {}
    for change in changes:
        for table, lock in change.locks:
            locks[table] = Lock.ROWS if Lock.ROWS in {lock, locks.get(table)} else lock
    found = connection.execute(_SIZES, {"names": list(locks)})
    tables = [
        LockedTable(name=name, lock=locks[name], rows=rows, size_bytes=size) for name, rows, size in found
    ]
    return sorted(tables, key=lambda table: (table.lock is Lock.MOMENT, -table.size_bytes))


_SIZES: Final = sa.text(
    "SELECT relname, greatest(reltuples, 0)::bigint, pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname = ANY(:names)"
)


def _name(call: ast.Call) -> str:
    """The name of the Alembic operation that is called; '' for any other call."""
    is_op = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
    return call.func.attr if is_op and call.func.value.id in {"op", "connection"} else ""  # type: ignore[attr-defined]


def _text(call: ast.Call, place: int) -> str:
    """The text of an argument, also inside op.f(...)."""
    if len(call.args) <= place:
        return ""
    argument = call.args[place]
    if isinstance(argument, ast.Call):
        return _text(argument, 0)
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""


def _table(call: ast.Call) -> str:
    return _text(call, 0 if _name(call) in {"add_column", "drop_column", "alter_column", "drop_table"} else 1)


def _added_column(call: ast.Call) -> str:
    return _text(call.args[1], 0) if len(call.args) > 1 and isinstance(call.args[1], ast.Call) else ""


def _columns(call: ast.Call) -> list[str]:
    """The columns of a constraint; '' for one that is not a string literal."""
    listed = call.args[2] if len(call.args) > 2 else None  # noqa: PLR2004  # name, table, columns
    if not isinstance(listed, ast.List):
        return [""]
    return [element.value if isinstance(element, ast.Constant) else "" for element in listed.elts]  # type: ignore[misc]


def _statement(call: ast.Call) -> str:
    return " ".join(
        node.value
        for node in ast.walk(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _contracts(call: ast.Call, name: str, statement: str) -> str:
    """Why this operation breaks the version before; '' if it does not."""
    if name == "execute":
        found = _ALTERS.search(statement)
        return found[1].upper() if found else ""
    if name == "add_column":
        column = call.args[1] if len(call.args) > 1 else None
        given = (
            {keyword.arg: keyword.value for keyword in column.keywords}
            if isinstance(column, ast.Call)
            else {}
        )
        nullable = given.get("nullable")
        is_needed = isinstance(nullable, ast.Constant) and nullable.value is False
        return f"{_table(call)} needs a new column" if is_needed and "server_default" not in given else ""
    if name == "alter_column":
        loosened = [
            keyword.arg
            for keyword in call.keywords
            if isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        ]
        changed = {keyword.arg for keyword in call.keywords} - {
            "existing_type",
            "existing_nullable",
            "server_default",
        }
        return "" if changed == {"nullable"} and loosened == ["nullable"] else f"alter_column {_table(call)}"
    if name in _ADDS or name in _LOOSENS:
        return ""
    return f"{name} {_table(call) or _text(call, 0)}".strip()
