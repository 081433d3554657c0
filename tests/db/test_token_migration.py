"""After the migration each token sends for the sources that it has sent for, so that what is connected goes on."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.db.migrations import migrate_database
from tests.db.test_grouping_migration import at_revision

_TOKEN = """INSERT INTO api_token (name, secret_hash, scopes, sources, created_at, expires_at, revoked_at)
    VALUES (:name, sha256(:secret), '{warnings:write}', :sources, now(), now(), :revoked)"""
_PERSON = "INSERT INTO person (name_blind, numbers, sealed, created_at) VALUES ('x', 1, 'x', now())"
_CASE = """INSERT INTO "case" (person_id, grade, fraud_type, source, status, outcome, contact, settled_at,
        policy_version, numbers, warnings, missed, opted_out, drill, tags, opened_at, robot_state, robot_attempts,
        robot_tries,
        robot_own_faults, robot_number, robot_dead_numbers, robot_reason, human_state, human_tries, human_reason,
        visit_state, visit_tries, visit_reason)
    VALUES (1, 'low', 'loan', 'x', 'proven', 'dissuaded_by_phone', 'verified', now(), 1, 1, 1, false, false, false,
        '{}', now(), 'done', 0, 0, 0, 0, '{}',
        '', 'none', 0, '', 'none', 0, '')"""
_WARNING = """INSERT INTO warning (person_id, case_id, source, instruction_no, kind, fraud_type, grade, tags, missed,
        drill, notices, loaded_at, sealed, load_id)
    VALUES (1, 1, :source, :number, 'telecom', 'loan', 'low', '{}', false, false, '[]', :at, 'x', NULL)"""
_LINE = """INSERT INTO audit (at, who, act, subject, facts)
    VALUES (:at, 'token', 'take_warnings', :subject, '{}')"""


def test_a_token_keeps_the_sources_that_it_has_sent_for(empty_database: str):
    at = "2026-11-25T02:00:{:02d}Z".format
    with at_revision(empty_database, "0100") as services:
        with services.begin() as connection:

            def put(text: str, **values: object) -> None:
                connection.execute(sa.text(text), values)

            for name, sources, revoked in (("bank", ["had"], None), ("gone", [], at(0)), ("idle", [], None)):
                put(_TOKEN, name=name, secret=name.encode(), sources=sources, revoked=revoked)
            put("ALTER TABLE audit DISABLE TRIGGER USER")  # lines without a chain
            put(
                "INSERT INTO policy_version (version, content_hash, content, created_at) VALUES (1, 'x', '{}', now())"
            )
            put(_PERSON)
            put(_CASE)
            sent = (
                (1, ["bank", "ministry", "两卡核查"], [1]),
                (2, ["ministry", "people's bank"], [1]),
                (3, ["anybody's"], [1, 3]),
                (4, ["gone's"], [2]),
                (5, ["list's"], []),
            )
            for second, sources, tokens in sent:
                for source in sources:
                    put(_WARNING, source=source, number=f"{second}", at=at(second))
                for token in tokens:
                    put(_LINE, at=at(second), subject=f"api_token/{token}")
        migrate_database(services)
        with services.begin() as connection:
            found = dict(connection.execute(sa.text("SELECT name, sources FROM api_token")).all())
        with services.begin() as connection:
            known = connection.execute(sa.text("SELECT name, on_probation, per_minute FROM source")).all()
    outside = {"bank", "had", "ministry", "people's bank", "anybody's", "gone", "gone's", "idle", "list's"}
    assert {tuple(row) for row in known} == {(name, False, None) for name in outside}
    assert found == {"bank": ["had", "ministry", "people's bank"], "gone": [], "idle": []}
