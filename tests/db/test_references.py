"""Rows that lists write by the thousand are held to their parents as by a foreign key."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dialer.db import tables as t
from dialer.db.columns import metadata
from tests.outcomes.town import Scenario

HELD = [
    (table, column, metadata.tables[column.info["belongs_to"]])
    for table in metadata.sorted_tables
    for column in table.columns
    if "belongs_to" in column.info
]


class _Undone(Exception):
    pass


def refused(words: str) -> AbstractContextManager[object]:
    return pytest.raises(IntegrityError, match=words)


def filled(scenario: Scenario) -> None:
    """A person with a case, a warning, a ring and a number."""
    person_id = scenario.person()
    case_id = scenario.case(person_id=person_id)
    scenario.warning(case_id, person_id=person_id)
    scenario.attempt(case_id, person_id=person_id)


_ANOTHER = {
    "person_phone": {"position": "position + 1"},
    "person_key": {"name_phone_blind": "sha256(name_phone_blind)"},
    "case": {"id": "id + 1000", "fraud_type": "'romance'"},
    "warning": {"id": "id + 1000", "instruction_no": "instruction_no || 'x'"},
    "attempt": {"id": "gen_random_uuid()", "n": "n + 1", "sid": "NULL"},
}
"""What makes a copy of a row another row."""


def test_every_reference_of_before_is_held():
    assert {f"{table.name}.{column.name}" for table, column, _ in HELD} == {
        "person_phone.person_id",
        "person_key.person_id",
        "case.person_id",
        "case.load_id",
        "case.policy_version",
        "warning.case_id",
        "warning.load_id",
        "attempt.case_id",
    }


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, column, _ in HELD], ids=lambda one: one.name
)
def test_a_row_without_its_parent_is_refused(scenario: Scenario, table: sa.Table, column: sa.Column[int]):
    filled(scenario)
    with (
        pytest.raises(IntegrityError, match=f"{table.name}.{column.name} names no"),
        scenario.store.begin() as tx,
    ):
        tx.execute(sa.update(table).values({column: 987_654}))
    given = {one.name: f'"{one.name}"' for one in table.columns} | _ANOTHER[table.name]
    names = ", ".join(f'"{name}"' for name in given)
    for parent_id, is_refused in ((f'"{column.name}"', False), ("987654", True)):
        values = ", ".join((given | {column.name: parent_id}).values())
        copy = sa.text(
            f'INSERT INTO "{table.name}" ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM "{table.name}"'
        )
        with (
            suppress(_Undone),
            refused(f"{table.name}.{column.name} names no") if is_refused else nullcontext(),
            scenario.store.begin() as tx,
        ):
            tx.execute(copy)
            raise _Undone


@pytest.mark.parametrize("parent", [t.person, t.case], ids=lambda one: one.name)
def test_a_parent_that_is_named_is_not_deleted(scenario: Scenario, parent: sa.Table):
    filled(scenario)
    with refused("is still named by"), scenario.store.begin() as tx:
        tx.execute(sa.delete(parent))
