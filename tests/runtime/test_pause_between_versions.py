"""`dialer pause` and `dialer resume` before a migration and after it, by whichever version is at hand."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.db.migrations import OLDEST_PAUSED, newest_revision, upgrade_schema

commands = build_command_line()
DATA = Path(__file__).resolve().parents[1] / "db" / "data"
RELEASED = json.loads((DATA / "released_columns.json").read_text())
OLDER = f"{int(OLDEST_PAUSED) - 1:04d}"


@pytest.fixture
def database(
    empty_database: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection]:
    """An empty database, named in the settings."""
    shutil.copyfile(DATA / "0024_keys.toml", tmp_path / "keys.toml")
    (tmp_path / "keys.toml").chmod(0o600)
    for name in [name for name in os.environ if name.startswith("DIALER_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "DATABASE__URL": empty_database,
        "BROKER__URL": broker_url,
        "KEYS__FILE": str(tmp_path / "keys.toml"),
        "DATA_DIR": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(f"DIALER_{name}", value)
    with psycopg.connect(empty_database.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def at(connection: psycopg.Connection, revision: str) -> None:
    """The database is a drill that has called some people, migrated to this revision, with an account, and with a call
    that a worker has claimed and not sent.
    """
    connection.execute((DATA / "0024.sql").read_bytes())
    engine = sa.create_engine(os.environ["DIALER_DATABASE__URL"], poolclass=sa.NullPool)
    with engine.begin() as owner:
        upgrade_schema(owner, revision)
    connection.execute("SET search_path TO public")
    connection.execute(
        """INSERT INTO staff
            (login, display_name, password_hash, role, must_change, created_by, created_at, password_at)
        VALUES ('li', '李', 'x', 'supervisor', false, 'cli', now(), now())"""
    )
    connection.execute(
        """UPDATE attempt SET state = 'claimed', result = NULL, sid = NULL, sent_at = NULL, posted_at = NULL,
        accepted_at = NULL, ringing_at = NULL, answered_at = NULL, ended_at = NULL, poll_at = NULL,
        lease_until = now() + interval '1 hour', send_at = now() WHERE id = (SELECT min(id::text)::uuid FROM attempt)"""
    )


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


def line_is_paused(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT paused_until IS NOT NULL FROM line_group").fetchone() == (True,)


def claimed(connection: psycopg.Connection) -> int:
    [count] = connection.execute("SELECT count(*) FROM attempt WHERE state = 'claimed'").fetchone() or (0,)
    return int(count)


def version(connection: psycopg.Connection) -> str:
    [number] = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    return str(number)


@pytest.mark.parametrize("when", ["before", "after"])
def test_dialling_is_paused_and_resumed_on_the_schema_of_another_version(
    database: psycopg.Connection, when: str
):
    at(database, OLDEST_PAUSED if when == "before" else "head")
    if when == "before":
        columns = database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'line_group'"
        )
        assert {name for (name,) in columns} == set(RELEASED["line_group"]), (
            "it is that of the release before"
        )
    else:
        database.execute("ALTER TABLE line_group ADD COLUMN added text")
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    before = version(database)
    assert claimed(database) == 1
    paused = run("pause", "--minutes", "30", "--by", "li", "--why", "upgrade")
    assert paused.exit_code == 0, paused.output
    assert line_is_paused(database)
    assert claimed(database) == 0, "it is handed back"
    assert "upgrade" in run("pauses").stdout
    resumed = run("resume", "--by", "cli")
    assert resumed.exit_code == 0, resumed.output
    assert not line_is_paused(database)
    assert version(database) == before, "a pause migrates nothing"
    lines = database.execute("SELECT act, who FROM audit ORDER BY id DESC LIMIT 2").fetchall()
    assert lines == [("resume", "cli"), ("pause", "cli")]
    assert run("pause", "--minutes", "30", "--by", "nobody", "--why", "x").exit_code == 1


def test_a_schema_from_before_the_release_before_is_refused_with_what_to_do(database: psycopg.Connection):
    at(database, OLDER)
    paused = run("pause", "--minutes", "30", "--by", "li", "--why", "upgrade")
    assert paused.exit_code == 1
    assert str(paused.exception) == f"the database is at {OLDER}, and this version needs {newest_revision()}"
    assert version(database) == OLDER
