"""The migrations give the schema of the tables, and the database refuses what must never be."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dialer.db.columns import metadata
from dialer.db.migrations import migrate_database
from tests.db.test_grouping_migration import at_revision

APPEND_ONLY = (
    "outcome",
    "outcome_approval",
    "event",
    "audit",
    "filed_case",
    "filed_case_change",
    "script_version",
    "script_sound",
    "script_approval",
    "sound_file",
    "script_trial",
    "rule_version",
    "rule_approval",
    "plan_version",
    "plan_approval",
    "knowledge_version",
)
"""A trigger refuses UPDATE and DELETE on these for every role."""


def test_migrations_give_exactly_the_tables(fresh_database: str):
    engine = sa.create_engine(fresh_database)
    with engine.connect() as connection:
        partitions = set(
            connection.execute(sa.text("SELECT relname FROM pg_class WHERE relispartition")).scalars()
        )
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                # They are as their table is.
                "include_name": lambda name, kind, _: kind != "table" or name not in partitions,
            },
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_column_of_words_allows_exactly_those_of_its_enum(fresh_database: str):
    """The comparison above does not look at CHECKs: a word that only the code knows is refused when it is written."""
    told = {
        f"ck_{table.name}_{column.name}": set(column.info["words"])
        for table in metadata.sorted_tables
        for column in table.columns
        if "words" in column.info
    }
    engine = sa.create_engine(fresh_database)
    with engine.connect() as connection:
        checks = connection.execute(
            sa.text(
                "SELECT conname, pg_get_constraintdef(oid) AS body FROM pg_constraint WHERE contype = 'c'"
            )
        ).all()
    engine.dispose()
    found = {check.conname: set(re.findall("'([^']*)'", check.body)) for check in checks}
    assert {name: found.get(name) for name in told} == told
    assert "ck_attempt_state" in told


def test_ledgers_refuse_truncation(fresh_database: str):
    for table in APPEND_ONLY:
        engine = sa.create_engine(fresh_database)
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text(f'TRUNCATE "{table}" CASCADE'))
        engine.dispose()


_TOKENS_OF_UNITS = """
INSERT INTO unit (id, name, parent_id, path, active) OVERRIDING SYSTEM VALUE VALUES
    (1, '市局', NULL, '{1}', true), (2, '临河分局', 1, '{1,2}', true), (3, '五原县局', 1, '{1,3}', true),
    (4, '城关派出所', 2, '{1,2,4}', true), (5, '城关派出所', 3, '{1,3,5}', true), (6, '旧所', 1, '{1,6}', false),
    (7, '旧所', 2, '{1,2,7}', true);
INSERT INTO unit_alias (unit_id, text, key, by, at) VALUES
    (2, '一 中队', '一中队', 'x', now()), (3, '临河分局', '临河分局', 'x', now()), (6, '老所', '老所', 'x', now());
INSERT INTO api_token (name, secret_hash, scopes, unit, created_at, expires_at)
SELECT 't' || n, decode(md5('a' || n) || md5('b' || n), 'hex'), '{cases:read}', unit, now(), now()
FROM unnest(ARRAY['五原县局', '一 中队', '一中队', '临河分局', '城关派出所', '老所', '旧所', '无此单位', ''])
    WITH ORDINALITY AS given (unit, n);
"""


def test_tokens_of_before_get_the_unit_that_their_text_means(empty_database: str):
    """By name or alias, aliases first; a text of two units, of a closed one or of none gets none."""
    with at_revision(empty_database, "0089") as engine:
        with engine.begin() as connection:
            connection.execute(sa.text(_TOKENS_OF_UNITS))
        migrate_database(engine)
        with engine.begin() as connection:
            found = connection.execute(sa.text("SELECT unit_id FROM api_token ORDER BY id")).scalars().all()
    assert found == [3, 2, 2, 3, None, None, 7, None, None]


_WORDS_OF_BEFORE = """
INSERT INTO webhook (name, url, events, secret_sealed, added_by, added_at)
VALUES ('bureau', 'https://x', '{case_settled}', '', 'sun', now());
INSERT INTO webhook_delivery (webhook_id, event, case_id, facts, occurred_at, state)
SELECT id, 'case_settled', 1, '{}', now(), state FROM webhook, unnest(ARRAY['dead', 'dropped']) AS given (state);
INSERT INTO alarm (code, facts, raised_at) VALUES ('no_future', '{}', now()), ('unsigned', '{}', now());
"""


def test_stored_words_become_the_names_of_the_code(empty_database: str):
    with at_revision(empty_database, "0093") as engine:
        with engine.begin() as connection:
            connection.execute(sa.text(_WORDS_OF_BEFORE))
        migrate_database(engine)
        with engine.begin() as connection:
            states = connection.execute(sa.text("SELECT state FROM webhook_delivery ORDER BY id")).scalars()
            codes = connection.execute(sa.text("SELECT code FROM alarm ORDER BY id")).scalars()
            assert ([*states], [*codes]) == (["given_up", "dropped"], ["no_next_step", "unsigned"])
