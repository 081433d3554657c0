"""What an upgrade of the database would do, read from the migrations that it would run; nothing is changed.

A migration **expands** when the version before can go on beside it: it adds tables, columns that may be empty or have a
default, indexes, and widens checks. It **contracts** when it takes something away or renames it; then no process of the
version before may run.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from dialer.core.errors import Unavailable
from dialer.db.migrations import NewerDatabase, database_revision, migration_files, newest_revision
from dialer.db.unit_of_work import driver_settings


class Step(StrEnum):
    EXPAND = "expand"
    CONTRACT = "contract"


class Lock(StrEnum):
    """How long a table that exists is locked, for reading and writing."""

    MOMENT = "moment"
    """However many rows it has."""
    ROWS = "rows"
    """While all of its rows are read or written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One migration. `locks`: the tables that existed before it, by name. `why`: what makes it contract."""

    revision: str
    title: str
    step: Step
    why: str = ""
    locks: tuple[tuple[str, Lock], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTable:
    name: str
    lock: Lock
    rows: int
    """About so many, as PostgreSQL last counted."""
    size_bytes: int


_ADDS: Final = frozenset({"create_table", "add_column", "create_index", "create_check_constraint"})
_ALTERS: Final = re.compile(
    r"\b(DROP\s+(?:TABLE|COLUMN)|RENAME|ALTER\s+COLUMN|SET\s+NOT\s+NULL)\b", re.IGNORECASE
)
_WRITES: Final = re.compile(r"\b(?:UPDATE|DELETE\s+FROM)\s+\"?(?!(?:ON|OF|OR)\b)(\w+)")
_LOOSENS: Final = frozenset(
    {"f", "get_bind", "bulk_insert", "drop_index", "drop_constraint", "create_foreign_key"}
)


def pending_changes(found: str) -> list[Change]:
    """What each migration after revision `found` does, in their order."""
    return [read_change(path) for path in migration_files() if path.name[:4] > found]


def read_change(path: Path) -> Change:
    """The change of one migration, by its `upgrade`, the functions of its file included."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    body = [one for one in module.body if not (isinstance(one, ast.FunctionDef) and one.name == "downgrade")]
    calls = [node for part in body for node in ast.walk(part) if isinstance(node, ast.Call)]
    made = {_text(call, 0) for call in calls if _name(call) == "create_table"}
    added = {(_table(call), _added_column(call)) for call in calls if _name(call) == "add_column"}
    locks: dict[str, Lock] = {}
    why: list[str] = []
    for call in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
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
        if name == "create_unique_constraint" and {(_table(call), one) for one in _columns(call)} <= added:
            continue  # the version before leaves these columns empty
        if (reason := _contracts(call, name, statement)) and _table(call) not in made:
            why.append(reason)
    title = (ast.get_docstring(module) or "").split("\n")[0].rstrip(".")
    return Change(
        revision=path.name[:4],
        title=title,
        step=Step.CONTRACT if why else Step.EXPAND,
        why=", ".join(dict.fromkeys(why)),
        locks=tuple(sorted(locks.items())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """`found`: the revision of the database, '' for none; `newest`: that of this version."""

    found: str
    newest: str
    changes: tuple[Change, ...]
    tables: tuple[LockedTable, ...]

    @property
    def may_run_beside(self) -> bool:
        """Whether processes of the version before may go on meanwhile."""
        return not self.found or all(change.step is Step.EXPAND for change in self.changes)


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


def _locked_tables(connection: sa.Connection, changes: list[Change]) -> list[LockedTable]:
    """Those locked longest first."""
    locks: dict[str, Lock] = {}
    for change in changes:
        for table, lock in change.locks:
            locks[table] = Lock.ROWS if Lock.ROWS in {lock, locks.get(table)} else lock
    found = connection.execute(_SIZES, {"names": list(locks)})
    tables = [
        LockedTable(name=name, lock=locks[name], rows=rows, size_bytes=size) for name, rows, size in found
    ]
    return sorted(tables, key=lambda one: (one.lock is Lock.MOMENT, -one.size_bytes))


_SIZES: Final = sa.text(
    "SELECT relname, greatest(reltuples, 0)::bigint, pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname = ANY(:names)"
)


def _name(call: ast.Call) -> str:
    """The operation of alembic that is called; '' for any other call."""
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
    """Of a constraint; one that is no plain text is ''."""
    listed = call.args[2] if len(call.args) > 2 else None  # noqa: PLR2004  # name, table, columns
    if not isinstance(listed, ast.List):
        return [""]
    return [one.value if isinstance(one, ast.Constant) else "" for one in listed.elts]  # type: ignore[misc]


def _statement(call: ast.Call) -> str:
    return " ".join(
        one.value for one in ast.walk(call) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


def _contracts(call: ast.Call, name: str, statement: str) -> str:
    """Why this operation takes something from the version before; '' when it does not."""
    if name == "execute":
        found = _ALTERS.search(statement)
        return found[1].upper() if found else ""
    if name == "add_column":
        column = call.args[1] if len(call.args) > 1 else None
        given = {one.arg: one.value for one in column.keywords} if isinstance(column, ast.Call) else {}
        nullable = given.get("nullable")
        is_needed = isinstance(nullable, ast.Constant) and nullable.value is False
        return f"{_table(call)} needs a new column" if is_needed and "server_default" not in given else ""
    if name == "alter_column":
        loosened = [
            one.arg
            for one in call.keywords
            if isinstance(one.value, ast.Constant) and one.value.value is True
        ]
        changed = {one.arg for one in call.keywords} - {
            "existing_type",
            "existing_nullable",
            "server_default",
        }
        return "" if changed == {"nullable"} and loosened == ["nullable"] else f"alter_column {_table(call)}"
    if name in _ADDS or name in _LOOSENS:
        return ""
    return f"{name} {_table(call) or _text(call, 0)}".strip()
