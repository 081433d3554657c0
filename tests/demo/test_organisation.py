"""The demo's units are imported without a fault, and the sample list finds nearly all of them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import timedelta

from dialer.core.access import Role, unrestricted
from dialer.core.corrections import OrderState
from dialer.core.rota import DutyKind
from dialer.core.units import find_unit
from dialer.demo.run import make_accounts, make_roster
from dialer.demo.sample_list import HEADINGS, HOME, SAMPLE_COMMITTED_AT, build, import_demo_units
from dialer.duty.actions import on_duty
from dialer.duty.leave import leave_to_come
from dialer.duty.swaps import swaps_seen_by
from dialer.notifications.actions import own_notifications
from dialer.org.tree import read_units_and_aliases
from dialer.oversight.corrections import read_orders
from tests.outcomes.town import Scenario


def test_the_sample_list_finds_its_units_but_for_a_few(fresh_database: str):
    scenario = Scenario(fresh_database)
    import_demo_units(scenario.services)
    index, _ = read_units_and_aliases(scenario.services)
    column = HEADINGS.index("属地机构")
    rows = csv.reader(io.StringIO(build(SAMPLE_COMMITTED_AT).decode("utf-8-sig")))
    texts = Counter(row[column] for row in rows if len(row) > column and row[1].startswith("YJ"))
    missed = {text: n for text, n in texts.items() if index.find(text) is None}
    assert max(len(unit.path) for unit in index) == 4
    assert 0.02 < sum(missed.values()) / sum(texts.values()) < 0.12
    assert "" in missed
    assert any(len(index.candidates(text)) > 1 for text in missed)
    assert any(not index.candidates(text) and index.similar_units(text) for text in missed)
    counties = {found.path[1] for text in texts if (found := index.find(text)) and len(found.path) > 1}
    assert len(counties) == 7
    scenario.close()


def test_somebody_is_on_duty_at_the_station_from_this_month_to_the_next(fresh_database: str):
    scenario = Scenario(fresh_database)
    import_demo_units(scenario.services)
    accounts = make_accounts(scenario.services)
    make_roster(scenario.services, accounts)
    officer = next(made.member.id for made in accounts if made.member.role is Role.OFFICER)
    assert own_notifications(scenario.services, officer)[0].telephone == "+8613900139001"
    [swap] = swaps_seen_by(scenario.services, unrestricted("chief"), 0)
    assert (swap.giver, swap.taker, swap.may_answer) == ("演示民警", "演示值班领导", True)
    assert [one.name for one in leave_to_come(scenario.services, visible_to=None)] == ["演示劝阻员"]
    orders = read_orders(scenario.services, unrestricted("chief"), open_only=True).orders
    assert [order.state for order, _ in orders] == [OrderState.ANSWERED, OrderState.ISSUED]
    now = scenario.clock.now()
    for days in range(-20, 30, 3):
        found = {
            one.kind: one
            for one in on_duty(scenario.services, visible_to=None, at=now + timedelta(days=days, hours=days))
        }
        assert set(found) == {DutyKind.OFFICER, DutyKind.VERIFICATION_DESK}
        # The rotation of the verification desk begins today.
        for kind in DutyKind if days >= 0 else [DutyKind.OFFICER]:
            if kind in found:
                names = [person.name for person in found[kind].people]
                assert names in (["演示民警"], ["演示值班领导"])
                assert found[kind].gap is None
    scenario.close()


def test_the_officer_serves_in_one_county_and_the_others_in_the_whole_centre(fresh_database: str):
    scenario = Scenario(fresh_database)
    import_demo_units(scenario.services)
    index, _ = read_units_and_aliases(scenario.services)
    units = {made.member.role: made.member.unit_id for made in make_accounts(scenario.services)}
    assert units.pop(Role.OFFICER) == find_unit(index, HOME).id
    assert set(units.values()) == {None}
    scenario.close()
