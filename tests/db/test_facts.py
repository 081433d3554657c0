"""Facts about the whole database: its keys, whether it is a drill, and what the simulated line makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import is_same_actor
from dialer.db import tables as t
from dialer.db.columns import is_of_actor
from dialer.db.key_state import WrongKeys, check_database_keys, read_key_state
from dialer.db.keys import Keys
from dialer.db.system_state import (
    ALIVE_SECONDS,
    ClockRow,
    RealRecords,
    become_drill_database,
    is_drill_database,
    living_processes,
    note_cycle_part,
    note_heartbeat,
    processes_without_keys,
    read_service_clock,
    write_service_clock,
)
from dialer.db.vault import KeyPlan, Vault
from tests.outcomes.town import MORNING, Scenario


def keys(number: int) -> Keys:
    return Keys.of(encryption={1: bytes([number]) * 32}, index=bytes([number + 50]) * 32, current=1)


def check(scenario: Scenario, ring: Keys) -> KeyPlan:
    with scenario.tx() as tx:
        of_ring = replace(tx, vault=Vault(ring))
        check_database_keys(of_ring)
        return of_ring.vault.plan


def test_a_database_keeps_to_the_keys_it_was_made_with(scenario: Scenario):
    check(scenario, keys(1))
    check(scenario, keys(1))
    with pytest.raises(WrongKeys, match="KEYS__FILE"):
        check(scenario, keys(2))


def test_a_key_that_joins_the_ring_is_not_used_by_that(scenario: Scenario):
    """A rotation uses it, when every process has it."""
    first = check(scenario, keys(1))
    both = Keys.of(encryption={1: b"\1" * 32, 2: b"2" * 32}, index=b"\63" * 32, current=2)
    assert check(scenario, both) == first
    check(scenario, keys(1))


def test_the_fingerprint_of_an_earlier_version_says_which_keys_are_used(scenario: Scenario):
    held = Keys.of(encryption={1: b"\1" * 32, 2: b"2" * 32}, index=b"\63" * 32, current=2)
    marks = held.marks()
    noted = f"index={marks[0]} 1={marks[1]} 2={marks[2]}"
    with scenario.tx() as tx:
        tx.execute(sa.insert(t.meta).values(key="keys_fingerprint", value=noted))
    assert check(scenario, held) == KeyPlan(encryption=2, audit=2, index=(0,))
    with scenario.tx() as tx:
        state = read_key_state(tx)
    assert state is not None
    assert state.known == marks
    with pytest.raises(WrongKeys):
        check(scenario, keys(1))


def test_the_clock_is_the_machine_s_until_a_row_says_otherwise(scenario: Scenario):
    with scenario.tx() as tx:
        assert read_service_clock(tx) is None
        row = ClockRow(anchor_unix=5.0, epoch=datetime(2026, 11, 25, 1, tzinfo=UTC), speed=40.0)
        write_service_clock(tx, row)
    with scenario.tx() as tx:
        assert read_service_clock(tx) == row


def drills(scenario: Scenario, table: sa.Table) -> set[bool]:
    with scenario.tx() as tx:
        return {row["drill"] for row in tx.rows(sa.select(table.c.drill))}


def test_where_nobody_was_called_the_simulated_line_makes_a_drill_of_everything(scenario: Scenario):
    person_id = scenario.person()
    scenario.warning(scenario.case(person_id=person_id), person_id=person_id)
    with scenario.tx() as tx:
        assert become_drill_database(tx)
    with scenario.tx() as tx:
        assert is_drill_database(tx)
        assert not become_drill_database(tx)
    assert drills(scenario, t.case) == {True}
    assert drills(scenario, t.warning) == {True}


def test_where_somebody_was_called_it_is_refused_and_needs_no_record(scenario: Scenario):
    case_id = scenario.case()
    scenario.attempt(case_id, sent_at=MORNING)
    with pytest.raises(RealRecords), scenario.tx() as tx:
        become_drill_database(tx)
    with scenario.tx() as tx:
        assert not is_drill_database(tx)
    assert drills(scenario, t.case) == {False}


@pytest.mark.parametrize(
    ("signed", "who"),
    [("Zhao", "zhao"), ("zhao", "ZHAO"), ("zhao", "zha"), ("李雷", "李雷"), ("É. Li", "é. li")],
)
def test_the_database_knows_one_person_as_we_do(scenario: Scenario, signed: str, who: str):
    with scenario.tx() as tx:
        assert tx.scalar(sa.select(is_of_actor(sa.literal(signed), who))) is is_same_actor(signed, who)


def test_a_process_lives_for_so_long_after_its_heartbeat_and_a_part_of_the_cycle_is_none(scenario: Scenario):
    def living(seconds: float) -> list[str]:
        with scenario.tx() as tx:
            alive = living_processes(tx, real_now=MORNING + timedelta(seconds=seconds))
            held = list(tx.vault.keys.held)
            lacking = processes_without_keys(
                tx, [*held, max(held) + 1], real_now=MORNING + timedelta(seconds=seconds)
            )
        assert lacking == [one.process for one in alive]
        return lacking

    with scenario.tx() as tx:
        note_heartbeat(tx, process="web:here:7", kind="web", real_now=MORNING, facts={})
        note_cycle_part(tx, "tick", began_at=MORNING, real_now=MORNING)
    assert living(ALIVE_SECONDS) == ["web:here:7"]
    assert living(ALIVE_SECONDS + 0.001) == []
