"""What the checks know of an opening: who and what counts, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.cards.counter.actions import finish_opening
from dialer.cards.counter.facts import ToCheck, read_facts
from dialer.cards.counter.load import add_fact
from dialer.cards.openings.checks import Facts
from dialer.cards.openings.store import Outlet
from dialer.cards.rings.model import LEAST_PERSONS, Ring
from dialer.cards.rings.store import node_of
from dialer.core.access import unrestricted
from dialer.core.cards import CardProduct, OpeningFactKind, OpeningResult
from dialer.db import tables as t
from dialer.intake.opening_lists import OpeningRecord
from tests.cards.street import CARRIER, OTHER_BANK, Street

NO_RING = Ring(nodes=(), links={}, points=0, reasons=())
SIM, FIRST, SECOND, THIRD = (
    CardProduct.SIM_MAIN,
    CardProduct.ACCOUNT_1,
    CardProduct.ACCOUNT_2,
    CardProduct.ACCOUNT_3,
)


def facts_of(
    street: Street, record: OpeningRecord, outlet: Outlet | None = None, ring: Ring = NO_RING
) -> Facts:
    """Of a new opening in progress."""
    at, services = outlet or street.bank, street.services
    opening_id = street.check(record, at).opening_id
    with services.store.begin() as tx:
        row = tx.one(sa.select(t.opening).where(t.opening.c.id == opening_id))
        assert row is not None
        opening = ToCheck(
            row=row, phone=record.phone, id_number=record.id_number, outlet=at, at=services.clock.now()
        )
        [facts] = read_facts(tx, [opening], [ring], rules=services.cards)
    return facts


def test_cards_count_within_a_day_a_week_a_month_and_a_quarter(street: Street):
    day = 24
    for hours in (day - 1, day + 1, 7 * day - 1, 7 * day + 1, 30 * day - 1, 30 * day + 1, 90 * day - 1):
        street.enter(street.record(1, hours_ago=hours))
    street.enter(street.record(1, hours_ago=90 * day + 1))
    street.enter(street.record(2))
    facts = facts_of(street, street.record(1))
    assert (facts.cards_24h, facts.cards_7d, facts.cards_30d, facts.cards_90d) == (2, 4, 6, 8)


def test_what_the_customer_left_off_does_not_count(street: Street):
    checked = street.check(street.record(1))
    finish_opening(
        street.services,
        unrestricted("teller"),
        checked.opening_id,
        result=OpeningResult.ABANDONED,
        outlet_id=street.bank.id,
    )
    assert facts_of(street, street.record(1)).cards_24h == 1


def test_institutions_accounts_and_sim_cards_of_a_week(street: Street):
    street.enter(street.record(1, hours_ago=24))
    street.enter(street.record(1, hours_ago=25), street.outlets[OTHER_BANK])
    street.enter(street.record(1, hours_ago=26, product=SIM), street.outlets[CARRIER])
    street.enter(street.record(1, hours_ago=24 * 8, product=SIM), street.outlets[CARRIER])
    facts = facts_of(street, street.record(1))
    assert (facts.institutions_7d, facts.accounts_7d, facts.sims_7d) == (3, 3, 1)
    facts = facts_of(street, street.record(1, product=SIM), street.outlets[CARRIER])
    assert (facts.institutions_7d, facts.accounts_7d, facts.sims_7d) == (3, 3, 2)


@pytest.mark.parametrize(
    ("opened", "product", "over", "ceiling"),
    [
        ((FIRST,), FIRST, 1, 1),
        ((SECOND,), FIRST, 0, 1),
        ((FIRST,), CardProduct.CORPORATE, 0, 1),
        ((CardProduct.CORPORATE,), CardProduct.CORPORATE, 0, 1),
        ((SECOND,) * 3 + (THIRD,), THIRD, 0, 5),
        ((SECOND,) * 3 + (THIRD,) * 2, SECOND, 1, 5),
        ((SIM,) * 4, SIM, 0, 5),
        ((SIM,) * 4 + (CardProduct.SIM_SUB,), SIM, 1, 5),
    ],
)
def test_ceilings_are_of_one_institution_and_of_one_class(
    street: Street, opened: tuple[CardProduct, ...], product: CardProduct, over: int, ceiling: int
):
    at = street.outlets[CARRIER] if product is SIM else street.bank
    for kind in opened:
        street.enter(street.record(1, hours_ago=24 * 400, product=kind), at)
        street.enter(street.record(1, hours_ago=24 * 400, product=kind), street.outlets[OTHER_BANK])
    facts = facts_of(street, street.record(1, product=product), at)
    assert (facts.over_ceiling, facts.ceiling) == (over, ceiling)


def test_a_refusal_elsewhere_counts_for_a_month_and_one_here_does_not(street: Street):
    for n, (outlet, hours) in enumerate(
        ((OTHER_BANK, 24 * 29), (OTHER_BANK, 24 * 31), (street.bank.institution, 24))
    ):
        record = street.record(1, hours_ago=hours, result=OpeningResult.REFUSED, why="x", teller=f"t{n}")
        street.enter(record, street.outlets[outlet], result=OpeningResult.REFUSED)
    assert facts_of(street, street.record(1)).refused_elsewhere_30d == 1


def test_a_phone_counts_its_persons_for_a_quarter_and_an_agent_for_a_month(street: Street):
    shared = {"phone": "+8613900000000", "agent": "中介甲"}
    for n, days in ((2, 29), (3, 31), (4, 89), (5, 91)):
        street.enter(street.record(n, hours_ago=24 * days, **shared))
    facts = facts_of(street, street.record(1, **shared))
    assert (facts.phone_persons, facts.agent_persons) == (4, 2)
    alone = facts_of(street, street.record(9))
    assert (alone.phone_persons, alone.agent_persons) == (1, 0)
    assert facts_of(street, street.record(8, phone="")).phone_persons == 1


def test_the_phone_left_is_the_number_of_another(street: Street):
    carrier, phone = street.outlets[CARRIER], "+8613800000077"
    record = street.record(1, product=SIM, number=phone)
    street.check(record, carrier)
    assert facts_of(street, street.record(2, phone=phone)).phone_of_another == 0  # not opened yet
    street.enter(record, carrier)
    assert facts_of(street, street.record(2, phone=phone)).phone_of_another == 1
    assert facts_of(street, street.record(1, phone=phone)).phone_of_another == 0
    assert facts_of(street, street.record(2)).phone_of_another == 0


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (OpeningFactKind.INVOLVED, (1, 0)),
        (OpeningFactKind.USED_FAR, (0, 1)),
        (OpeningFactKind.CLOSED, (0, 0)),
    ],
)
def test_what_became_of_an_earlier_card_is_of_its_person(
    street: Street, kind: OpeningFactKind, found: tuple[int, int]
):
    services, number = street.services, "6222000011112222"
    street.enter(street.record(1, number=number, hours_ago=24 * 500))
    given = {"number": number, "kind": kind, "source": "A1", "at": services.clock.now()}
    assert add_fact(services, unrestricted("test"), **given)
    assert not add_fact(services, unrestricted("test"), **given)
    facts = facts_of(street, street.record(1))
    assert (facts.involved, facts.used_far) == found
    other = facts_of(street, street.record(2))
    assert (other.involved, other.used_far) == (0, 0)


@pytest.mark.parametrize(
    ("state", "hours", "counts"), [("confirmed", 1, 1), ("confirmed", 0, 0), ("listed", 1, 0)]
)
def test_a_confirmed_finding_counts_until_it_expires(street: Street, state: str, hours: int, counts: int):
    first, now = street.check(street.record(1)), street.services.clock.now()
    with street.services.store.begin() as tx:
        opening = tx.one(sa.select(t.opening).where(t.opening.c.id == first.opening_id))
        assert opening is not None
        columns = {
            "person_blind": opening["person_blind"], "opening_id": opening["id"], "state": state,
            "findings": [], "listed_at": now, "expires_at": now + timedelta(hours=hours),
        }  # fmt: skip
        decided = {"decided_by": "officer", "decided_at": now} if state == "confirmed" else {}
        tx.execute(sa.insert(t.card_opener).values(columns | decided))
    assert facts_of(street, street.record(1)).confirmed == counts
    assert facts_of(street, street.record(2)).confirmed == 0


def test_an_open_case_of_the_person_counts_and_a_closed_one_does_not(street: Street):
    street.warned(street.record(1))
    assert facts_of(street, street.record(1)).open_case == 1
    assert facts_of(street, street.record(2)).open_case == 0
    with street.services.store.begin() as tx:
        tx.execute(sa.update(t.case).values(status="closed", due_at=None))
    assert facts_of(street, street.record(1)).open_case == 0


def test_what_is_told_of_the_customer(street: Street):
    told = {"home": "410101", "limit_fen": 20_000_000, "accompanied": True, "born": "19500101"}
    facts = facts_of(street, street.record(1, **told))
    assert (facts.out_of_town, facts.top_limit, facts.accompanied, facts.guided, facts.age) == (
        1,
        1,
        1,
        0,
        76,
    )
    facts = facts_of(street, street.record(2, limit_fen=19_999_999, guided=True))
    assert (facts.out_of_town, facts.top_limit, facts.accompanied, facts.guided) == (0, 0, 0, 1)
    assert facts_of(street, street.record(3)).top_limit == 0


@pytest.mark.parametrize(
    ("points", "persons", "counts"), [(3, 3, (3, 3, 3)), (2, 3, (0, 0, 0)), (3, 2, (0, 0, 0))]
)
def test_a_component_counts_once_it_is_a_ring(
    street: Street, points: int, persons: int, counts: tuple[int, int, int]
):
    street.check(street.record(1))
    with street.services.store.begin() as tx:
        row = tx.one(sa.select(t.opening))
    assert row is not None
    node = node_of(row, street.services.cards)
    nodes = tuple(replace(node, id=n, person=bytes([n])) for n in range(persons))
    facts = facts_of(street, street.record(2), ring=Ring(nodes=nodes, links={}, points=points, reasons=()))
    assert (facts.ring_points, facts.ring_persons, facts.ring_cards) == counts
    assert LEAST_PERSONS == 3
