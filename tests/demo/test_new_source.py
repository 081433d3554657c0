"""The demo's new source: its warnings wait for a person, and are called once they are released."""

from __future__ import annotations

from dialer.core.access import unrestricted
from dialer.db import tables as t
from dialer.demo.new_source import NEW_SOURCE, send_as_new_source
from dialer.warnings.lists import load_list
from dialer.warnings.source_limits import read_source, release_waiting, waiting_warnings
from tests.outcomes.town import Scenario


def warnings(scenario: Scenario) -> int:
    with scenario.tx() as tx:
        return len(tx.rows(t.warning.select()))


def test_its_warnings_wait_until_a_person_releases_them(fresh_database: str):
    scenario = Scenario(fresh_database)
    services = scenario.services
    sent = send_as_new_source(services)
    assert read_source(services, NEW_SOURCE).on_probation
    waits = waiting_warnings(services)
    assert [(one.source, one.held_for.value, one.extra_high, one.total) for one in waits] == [
        (NEW_SOURCE, "amount", True, 2),
        (NEW_SOURCE, "amount", False, 1),
    ]
    assert warnings(scenario) == 0
    release_waiting(services, unrestricted("chief"), [one.id for one in waits])
    for one in waits:
        load_list(services, one.id)
    assert warnings(scenario) == sent
    scenario.close()
