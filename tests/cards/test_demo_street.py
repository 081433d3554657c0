"""The demo's street: three outlets, a day's file with a fault, a ring, and a customer at the counter."""

from __future__ import annotations

from dialer.cards.counter.screening import screen_all
from dialer.cards.outlets.actions import Quarter, count_quarter, read_cohort
from dialer.cards.rings.openers import list_openers
from dialer.core.access import Role
from dialer.db import tables as t
from dialer.demo.sample_list import import_demo_units
from dialer.demo.street import OUTLETS, build_street
from dialer.runtime.services import Services
from tests.console.desk import ConsoleDesk


def test_the_street_has_outlets_a_ring_and_a_customer(services: Services, console: ConsoleDesk):
    import_demo_units(services)
    account = console.account(Role.TELLER, login="teller")
    opening_id = build_street(services, teller=account.login)
    [*_, last] = screen_all(services)
    assert last.left == 0
    listed = list_openers(services, visible_to=None)
    assert len(listed) == 7  # the ring, and six people whose cards were involved
    [ring] = [one for one in listed if one.ring_id is not None]
    assert (ring.persons, ring.cards) == (5, 16)
    [waiting] = [row for row in console.rows(t.opening) if row["result"] == "in_progress"]
    assert (waiting["id"], waiting["verdict"]) == (opening_id, "ask_desk")
    before = Quarter.of(services.clock.now().date()).before()
    cohort = read_cohort(services, count_quarter(services, before), visible_to=None)
    assert len(cohort.outlets) == len(OUTLETS)
    worst = cohort.outlets[0]
    assert (worst.outlet.code, worst.involved, worst.is_high) == (OUTLETS[0][2], 6, False)
    assert sorted(outlet.completeness or 0 for outlet in cohort.outlets) == [0.5, 1.0, 1.0]
    assert console.rows(t.case) == []
