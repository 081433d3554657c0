"""Migrations expand first and contract in a later release: the version before runs beside them meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from dialer.__main__ import build_command_line
from dialer.db.migrations import (
    Lock,
    MigrationPhase,
    examine_upgrade,
    migration_files,
    newest_revision,
    pending_changes,
    read_change,
)

commands = build_command_line()

_BEFORE_THE_RULE = "0039"
_CONTRACTED: dict[str, str] = {}
"""Of each later migration that contracts, the release since which nothing uses what it takes away."""
_RELEASED = Path(__file__).resolve().parent / "data" / "released_columns.json"
"""The columns of the release before (`release_before` in pyproject.toml): name, type, and whether a row may be written
without a value. `python -m tests.db.test_expand URL` prints those of a database.
"""
_COLUMNS = """
SELECT c.table_name, c.column_name, c.udt_name,
    c.is_nullable = 'YES' OR c.column_default IS NOT NULL OR c.is_identity = 'YES' AS may_be_left_out
FROM information_schema.columns c JOIN pg_tables t ON t.tablename = c.table_name AND t.schemaname = 'public'
WHERE c.table_schema = 'public' ORDER BY 1, 2
"""

Columns = dict[str, dict[str, tuple[str, bool]]]


def columns_of(url: str) -> Columns:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found: Columns = {}
        for table, column, kind, may_be_left_out in connection.execute(_COLUMNS):
            found.setdefault(table, {})[column] = (kind, may_be_left_out)
        return found


def test_a_migration_from_now_on_expands_or_says_since_when_nothing_uses_what_it_takes():
    contracting = {
        change.revision: change.why
        for change in pending_changes(_BEFORE_THE_RULE)
        if change.step is MigrationPhase.CONTRACT
    }
    assert set(contracting) == set(_CONTRACTED), contracting


def test_statements_of_the_release_before_still_fit(fresh_database: str):
    """Its columns are there with their types, and a row can be written without those it does not know."""
    now, before = columns_of(fresh_database), json.loads(_RELEASED.read_text())
    for table, columns in before.items():
        found = now[table]
        assert {name: found[name][0] for name in columns} == {
            name: kind for name, (kind, _) in columns.items()
        }
        needed = [
            name for name, (_, may_be_left_out) in columns.items() if may_be_left_out and not found[name][1]
        ]
        needed += [name for name, (_, may) in found.items() if name not in columns and not may]
        assert needed == [], f"{table} needs {needed}"


@pytest.mark.parametrize(
    ("body", "step", "locks"),
    [
        (
            "op.create_table('t', sa.Column('a', sa.Text()))\n    op.create_index('i', 't', ['a'])",
            "expand",
            {},
        ),
        ("op.add_column('t', sa.Column('a', sa.Text()))", "expand", {"t": Lock.MOMENT}),
        (
            "op.add_column('t', sa.Column('a', sa.Text(), nullable=False, server_default=''))",
            "expand",
            {"t": "moment"},
        ),
        ("op.add_column('t', sa.Column('a', sa.Text(), nullable=False))", "contract", {"t": Lock.MOMENT}),
        ("op.create_index('i', 't', ['a'])", "expand", {"t": Lock.ROWS}),
        ("op.drop_column('t', 'a')", "contract", {"t": Lock.MOMENT}),
        ("op.drop_table('t')", "contract", {"t": Lock.MOMENT}),
        ("op.alter_column('t', 'a', nullable=True)", "expand", {"t": Lock.MOMENT}),
        ("op.alter_column('t', 'a', nullable=False)", "contract", {"t": Lock.MOMENT}),
        ("op.alter_column('t', 'a', new_column_name='b')", "contract", {"t": Lock.MOMENT}),
        (
            "op.drop_constraint('c', 't')\n    op.create_check_constraint('c', 't', 'a')",
            "expand",
            {"t": Lock.ROWS},
        ),
        ("op.create_unique_constraint('c', 't', ['a'])", "contract", {"t": Lock.MOMENT}),
        (
            "op.add_column('t', sa.Column('b', sa.UUID()))\n    op.create_unique_constraint('c', 't', ['b'])",
            "expand",
            {"t": Lock.MOMENT},
        ),
        (
            "op.add_column('t', sa.Column('b', sa.UUID())); op.create_unique_constraint('c', 't', ['a', 'b'])",
            "contract",
            {"t": Lock.MOMENT},
        ),
        ("op.execute('UPDATE t SET a = 1')", "expand", {"t": Lock.ROWS}),
        ("op.execute('ALTER TABLE t DROP COLUMN a')", "contract", {}),
    ],
)
def test_what_a_migration_does_is_read_from_it(tmp_path: Path, body: str, step: str, locks: dict[str, Lock]):
    file = tmp_path / "0100_x.py"
    file.write_text(
        f'"""A title.\n\nMore."""\n\ndef upgrade():\n    {body}\n\ndef downgrade():\n    op.drop_table("t")\n'
    )
    change = read_change(file)
    assert (change.revision, change.title, change.step, dict(change.locks)) == (
        "0100",
        "A title",
        step,
        locks,
    )


def test_the_check_says_what_would_change_and_needs_no_record(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
):
    with psycopg.connect(empty_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute((Path(__file__).resolve().parent / "data/0024.sql").read_bytes())
    monkeypatch.setenv("DIALER_DATABASE__URL", empty_database)
    monkeypatch.setenv("DIALER_BROKER__URL", "redis://127.0.0.1:1/0")
    told = CliRunner().invoke(commands, ["upgrade", "--check", "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert (found["found"], found["newest"], found["may_run_beside"]) == ("0024", newest_revision(), False)
    assert [change["revision"] for change in found["changes"]] == [
        path.name[:4] for path in migration_files() if path.name > "0025"
    ]
    assert {"case", "attempt", "staff"} <= {table["name"] for table in found["tables"]}
    assert "must" not in told.stdout
    shown = CliRunner().invoke(commands, ["upgrade", "--check"]).stdout
    assert "0025 contract" in shown
    assert "须先停止旧版进程" in shown
    assert examine_upgrade(empty_database).found == "0024"


if __name__ == "__main__":
    import sys

    print(json.dumps(columns_of(sys.argv[1]), indent=0))  # asked for
