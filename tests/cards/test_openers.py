"""Frequent openers: whose finding it is, who signs for it, and what happens when that person is away."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.cards.rings.openers import decide_opener, list_openers, sign_opener
from dialer.core.access import unrestricted
from dialer.core.cards import OpenerState
from dialer.core.errors import Conflict, NotFound, Overtaken
from dialer.db import tables as t
from tests.cards.street import Street
from tests.console.desk import ConsoleDesk
from tests.console.town import ConsoleScenario

DAY = 86_400


@pytest.fixture
def opener_id(street: Street) -> int:
    """The finding about a ring of three strangers."""
    for n in (11, 12, 13):
        street.check(street.record(n, home="410101", purpose="买牛羊周转资金", limit_fen=50_000_000))
    [opener] = list_openers(street.services, visible_to=None)
    return opener.id


def sign(street: Street, opener_id: int, by: str, *, visible_to: int | None = None) -> None:
    sign_opener(street.services, unrestricted(by, unit_id=visible_to), opener_id)


def decide(
    street: Street, opener_id: int, by: str, *, confirm: bool = True, visible_to: int | None = None
) -> None:
    decide_opener(
        street.services, unrestricted(by, unit_id=visible_to), opener_id, confirm=confirm, why="核实"
    )


def test_another_units_finding_is_neither_seen_nor_signed_nor_decided(
    street: Street, console: ConsoleDesk, opener_id: int
):
    town = ConsoleScenario(console)
    here, away = town.unit("临河区局"), town.unit("五原县局")
    with street.services.store.begin() as tx:
        tx.execute(sa.update(t.card_opener).values(unit_id=here))
    assert list_openers(street.services, visible_to=away) == []
    with pytest.raises(NotFound):
        sign(street, opener_id, "stranger", visible_to=away)
    sign(street, opener_id, "officer", visible_to=here)
    for confirm in (True, False):
        with pytest.raises(NotFound):
            decide(street, opener_id, "officer", confirm=confirm, visible_to=away)
    assert [row["state"] for row in console.rows(t.card_opener)] == ["signed"]
    decide(street, opener_id, "officer", visible_to=here)


def test_a_finding_whose_signer_is_away_is_taken_over_after_a_day(
    street: Street, console: ConsoleDesk, opener_id: int
):
    sign(street, opener_id, "officer")
    console.pass_seconds(DAY - 1)
    assert not list_openers(street.services, visible_to=None)[0].may_be_taken_over
    with pytest.raises(Overtaken) as refused:
        sign(street, opener_id, "second")
    assert refused.value.who == "officer"
    console.pass_seconds(1)
    assert list_openers(street.services, visible_to=None)[0].may_be_taken_over
    sign(street, opener_id, "second")
    with pytest.raises(Conflict):
        decide(street, opener_id, "officer")
    decide(street, opener_id, "second")
    [row] = console.rows(t.card_opener)
    assert (row["state"], row["signed_by"], row["decided_by"]) == ("confirmed", "second", "second")
    assert [line["facts"] for line in console.audited("sign_opener")] == [{}, {"from": "officer"}]


@pytest.mark.parametrize("confirm", [True, False])
def test_a_decided_finding_stays_decided(street: Street, opener_id: int, confirm: bool):
    with pytest.raises(Conflict):  # nobody has signed for it
        decide(street, opener_id, "officer", confirm=confirm)
    sign(street, opener_id, "officer")
    decide(street, opener_id, "officer", confirm=confirm)
    with pytest.raises(Conflict):
        sign(street, opener_id, "second")
    with pytest.raises(Conflict):
        decide(street, opener_id, "officer", confirm=not confirm)
    [opener] = list_openers(street.services, visible_to=None)
    assert opener.state is (OpenerState.CONFIRMED if confirm else OpenerState.LIFTED)


def test_a_finding_that_has_expired_is_neither_signed_nor_confirmed(
    street: Street, console: ConsoleDesk, opener_id: int
):
    sign(street, opener_id, "officer")
    console.pass_seconds(DAY * 91)
    assert list_openers(street.services, visible_to=None) == []
    for act in (lambda: sign(street, opener_id, "second"), lambda: decide(street, opener_id, "officer")):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.current == "expired"


def test_a_finding_that_comes_back_after_its_expiry_is_a_new_one(
    street: Street, console: ConsoleDesk, opener_id: int
):
    sign(street, opener_id, "officer")
    decide(street, opener_id, "officer")
    with street.services.store.begin() as tx:
        now = street.services.clock.now()
        tx.execute(sa.update(t.card_opener).values(expires_at=now))
    street.check(street.record(14, home="410101", purpose="买牛羊周转资金", limit_fen=50_000_000))
    [row] = console.rows(t.card_opener)
    columns = ("state", "signed_by", "signed_at", "decided_by", "decided_at", "why_sealed")
    assert [row[name] for name in columns] == ["listed", None, None, None, None, None]
