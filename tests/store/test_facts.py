"""Facts about the whole database: its keys, whether it is a drill, and what the simulated line makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from dialer.store import facts
from dialer.store import tables as t
from dialer.store.facts import ClockRow, RealRecords, WrongKeys
from dialer.store.keys import Keys
from tests.store.reads.town import MORNING, Town


@pytest.fixture
def town(fresh_database: str) -> Iterator[Town]:
    made = Town(fresh_database)
    yield made
    made.store.dispose()


def keys(number: int) -> Keys:
    return Keys(encryption={1: bytes([number]) * 32}, index=bytes([number + 50]) * 32, current=1)


def test_a_database_keeps_to_the_keys_it_was_made_with(town: Town):
    with town.tx() as tx:
        facts.check_keys(tx, keys(1))
    with town.tx() as tx:
        facts.check_keys(tx, keys(1))
    with pytest.raises(WrongKeys, match="KEYS__FILE"), town.tx() as tx:
        facts.check_keys(tx, keys(2))


def test_a_key_may_join_and_is_remembered(town: Town):
    first = keys(1)
    both = Keys(encryption={**first.encryption, 2: b"2" * 32}, index=first.index, current=2)
    for held in (first, both):
        with town.tx() as tx:
            facts.check_keys(tx, held)
    with pytest.raises(WrongKeys), town.tx() as tx:
        facts.check_keys(tx, first)


def test_the_clock_is_the_machine_s_until_a_row_says_otherwise(town: Town):
    with town.tx() as tx:
        assert facts.read_clock(tx) is None
        row = ClockRow(anchor_unix=5.0, epoch=datetime(2026, 11, 25, 1, tzinfo=UTC), speed=40.0)
        facts.write_clock(tx, row)
    with town.tx() as tx:
        assert facts.read_clock(tx) == row


def drills(town: Town, table: sa.Table) -> set[bool]:
    with town.tx() as tx:
        return {row["drill"] for row in tx.rows(sa.select(table.c.drill))}


def test_where_nobody_was_rung_the_simulated_line_makes_a_drill_of_everything(town: Town):
    person_id = town.person()
    town.warning(town.case(person_id=person_id), person_id=person_id)
    with town.tx() as tx:
        assert facts.become_drill(tx)
    with town.tx() as tx:
        assert facts.is_drill(tx)
        assert not facts.become_drill(tx)
    assert drills(town, t.case) == {True}
    assert drills(town, t.warning) == {True}


def test_where_somebody_was_rung_it_is_refused_and_changes_nothing(town: Town):
    case_id = town.case()
    town.attempt(case_id, sent_at=MORNING)
    with pytest.raises(RealRecords), town.tx() as tx:
        facts.become_drill(tx)
    with town.tx() as tx:
        assert not facts.is_drill(tx)
    assert drills(town, t.case) == {False}
