"""Rings: who is linked, what cuts a link, and what looks like a ring and is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.cards.rings.model import (
    HUB_PERSONS,
    Key,
    KeyKind,
    Node,
    Ring,
    find_ring,
    find_rings,
    is_usual,
    within,
)
from dialer.cards.rings.openers import RingMember
from dialer.cards.rings.store import store_ring
from dialer.cards.rings.view import REASON_WORDS, draw_ring
from dialer.core.errors import Unavailable
from dialer.core.text import Lang
from dialer.db import tables as t
from tests.cards.street import OTHER_BANK, Street

NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)


def node(
    n: int,
    person: str,
    *,
    hours: float = 0,
    institution: int = 1,
    employer: str = "",
    age: int = 30,
    away: bool = True,
    top: bool = True,
    **keys: str,
) -> Node:
    return Node(
        id=n,
        person=person.encode(),
        at=NOW + timedelta(hours=hours),
        institution_id=institution,
        outlet_id=1,
        parts=tuple((KeyKind(kind), value.encode()) for kind, value in keys.items()),
        employer=employer.encode() or None,
        age=age,
        home="410000" if away else "150802",
        out_of_town=away,
        top_limit=top,
    )


def ring(nodes: Sequence[Node]) -> Ring:
    def look(wanted: Iterable[tuple[Key, datetime]]) -> Mapping[Key, Sequence[Node]]:
        return {
            key: [
                one
                for one in nodes
                if all(part in one.parts for part in key) and within(at)[0] <= one.at <= within(at)[1]
            ]
            for key, at in wanted
        }

    return find_ring(nodes[0], look)


def test_three_strangers_with_one_story_are_a_ring_and_two_are_not():
    three = [node(n, f"p{n}", story="买牛羊的周转") for n in range(3)]
    found = ring(three)
    assert found.is_found
    assert (found.persons, found.cards) == (3, 3)
    assert {"out_of_town", "top_limits", "same_story"} <= set(found.reasons)
    assert not ring(three[:2]).is_found


def test_links_go_from_hand_to_hand_but_not_over_72_hours():
    chain = [
        node(0, "a", phone="1"),
        node(1, "b", phone="1", address="x", hours=-60),
        node(2, "c", address="x", hours=-120),
    ]
    assert ring(chain).persons == 3
    assert ring([*chain[:2], node(2, "c", address="x", hours=-140)]).persons == 2


def test_a_search_ends_after_six_rounds_or_two_hundred_openings():
    chain = [node(n, f"p{n}", phone=f"{n // 2}", address=f"{(n + 1) // 2}") for n in range(10)]
    assert ring(chain).persons == 7
    many = [node(n, f"p{n % 10}", phone="1") for n in range(230)]
    assert (ring(many).cards, ring(many).persons) == (200, 10)


@pytest.mark.parametrize(("persons", "linked"), [(20, True), (21, False)])
def test_more_than_twenty_persons_make_a_key_a_hub(persons: int, linked: bool):
    assert (ring([node(n, f"p{n}", address="x") for n in range(persons)]).persons > 1) is linked


def test_a_hub_links_nobody_unless_two_hubs_together_are_rare():
    dormitory = [
        node(n, f"p{n}", address="dormitory", employer="factory", away=n % 2 == 0, top=False)
        for n in range(HUB_PERSONS + 5)
    ]
    assert ring(dormitory).cards == 1
    story = [node(100 + n, f"s{n}", story="common", top=False) for n in range(HUB_PERSONS + 5)]
    both = [node(200 + n, f"b{n}", address="dormitory", story="common") for n in range(4)]
    found = ring([*both, *dormitory, *story])
    assert {one.person for one in found.nodes} == {b"b0", b"b1", b"b2", b"b3"}


def test_families_classes_and_hired_people_are_no_ring():
    family = [
        node(n, f"f{n % 3}", age=(12, 40, 42)[n % 3], address="home", phone="1", away=False, top=False)
        for n in range(6)
    ]
    assert ring(family).persons == 3
    assert not ring(family).is_found
    hired = [
        node(n, f"h{n}", agent="staff office", address="dorm", employer="factory", institution=1 + n % 2)
        for n in range(8)
    ]
    assert ring(hired).persons == 8
    assert not ring(hired).is_found
    students = [node(n, f"s{n}", age=19, address="hall 3 room 5", away=False, top=False) for n in range(4)]
    assert not ring(students).is_found


def suspects(*, top: bool = True, away: bool = True, **shared: object) -> list[Node]:
    """Three people with two cards each at two institutions, who share agent, story and phone: up to seven points."""
    given = {"agent": "x", "story": "买牛羊的周转", "phone": "1"} | shared
    keys: dict[str, Any] = {name: value for name, value in given.items() if value}
    return [node(n, f"p{n % 3}", institution=1 + n // 3, top=top, away=away, **keys) for n in range(6)]


@pytest.mark.parametrize(
    ("shared", "found", "short"),
    [
        ({"employer": "factory"}, {}, {"top": False}),
        ({"age": 19, "away": False}, {"top": False}, {"top": False, "agent": ""}),
    ],
)
def test_what_speaks_against_a_ring_is_outweighed_by_enough_that_speaks_for_it(
    shared: dict[str, object], found: dict[str, object], short: dict[str, object]
):
    enough, little = suspects(**shared, **found), suspects(**shared, **short)  # type: ignore[arg-type]
    assert ring(enough).is_found
    assert not ring(little).is_found


@pytest.mark.parametrize(
    ("away", "top", "found"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_a_story_alone_links_people_from_elsewhere_or_with_the_highest_limit(
    away: bool, top: bool, found: bool
):
    nodes = suspects(away=away, top=top, agent="", phone="")
    assert {part[0] for key in ring(nodes).links for part in key} == {KeyKind.STORY}
    assert ring(nodes).is_found is found


def test_an_opening_that_leaves_nothing_to_share_is_alone_and_ends_no_other_walk():
    bare, linked = node(1, "p1"), [node(n, f"p{n}", story="买牛羊的周转") for n in range(2, 5)]

    def look(
        wanted: Sequence[tuple[Node, Sequence[tuple[Key, datetime]]]],
    ) -> list[Mapping[Key, Sequence[Node]]]:
        return [{key: linked for key, _ in keys} for _, keys in wanted]

    assert ring([bare]).nodes == (bare,)
    first, second, third = find_rings([bare, linked[0], bare], look)
    assert (first.nodes, third.nodes) == ((bare,), (bare,))
    assert second.persons == 3


def tellers(count: int, *, days: float, in_ring: bool = False) -> list[Node]:
    """People who told the story of `story_tellers` this many days ago."""
    return [
        replace(node(900 + n, f"told{n}", hours=-24 * days, story="装修房屋"), in_ring=in_ring)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("earlier", "usual"),
    [
        (tellers(5, days=7), True),
        (tellers(4, days=7), False),
        (tellers(5, days=6), False),
        (tellers(5, days=7, in_ring=True), False),
        ([replace(teller, person=b"one") for teller in tellers(5, days=7)], False),
        ([], False),
    ],
)
def test_a_story_is_usual_when_five_people_outside_rings_told_it_more_than_six_days_before(
    earlier: list[Node], usual: bool
):
    assert is_usual(earlier, NOW) is usual


@pytest.mark.parametrize(("days", "found"), [(7, False), (5, True), (40, True)])
def test_a_usual_story_links_nobody_and_a_story_of_these_days_does(street: Street, days: int, found: bool):
    """Five locals told it `days` ago; three others tell it now, each with cards at two banks, at the highest limit."""
    shared = {"purpose": "装修房屋购买材料", "limit_fen": 50_000_000}
    for n in range(20, 25):
        street.enter(street.record(n, hours_ago=24 * days, **shared))
    verdicts = set()
    for n in (1, 2, 3):
        for outlet in (street.bank, street.outlets[OTHER_BANK]):
            checked = street.check(street.record(n, **shared), outlet)
            verdicts |= {finding.check for finding in checked.answer.findings}
    assert ("ring" in verdicts) is found


@pytest.mark.parametrize(("each", "points"), [(1, 0), (2, 1), (3, 2)])
def test_several_cards_each_speak_for_a_ring(each: int, points: int):
    """Everything else is the same; one card each says nothing."""
    people = [node(10 * n + card, f"p{n}", story="买牛羊的周转") for n in range(3) for card in range(each)]
    once = ring([node(n, f"p{n}", story="买牛羊的周转") for n in range(3)])
    found = ring(people)
    assert found.points - once.points == points
    assert ("cards_each" in found.reasons) is (points > 0)


def test_a_ring_waits_for_no_counter_that_is_checking_one_of_its_openings(street: Street):
    ids = [street.enter(street.record(n)) for n in range(1, 4)]
    found = Ring(nodes=tuple(node(one, f"p{one}") for one in ids), links={}, points=3, reasons=())
    o = t.opening.c
    with street.services.store.begin() as checking:
        checking.execute(sa.select(o.id).where(o.id == ids[1]).with_for_update())
        with street.services.store.begin() as tx:
            tx.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
            ring_id = store_ring(tx, found, now=NOW)
    with street.services.store.begin() as tx:
        marked = dict(tx.execute(sa.select(o.id, o.ring_id)).all())
    assert marked == {ids[0]: ring_id, ids[1]: None, ids[2]: ring_id}


def test_a_drawing_has_persons_left_and_what_they_share_beside_their_middle():
    linked = ring([node(n, f"p{n}", story="买牛羊的周转") for n in range(3)])
    members = [RingMember(key=f"p{n}".encode(), name=f"张{n}", opening_ids=(n,)) for n in range(3)]
    drawing = draw_ring(linked, members, Lang.EN)
    persons, shared = drawing.dots[:3], drawing.dots[3:]
    assert [(dot.x, dot.y, dot.is_person) for dot in persons] == [(150, 36 + 46 * n, True) for n in range(3)]
    assert [(dot.x, dot.y, dot.text) for dot in shared] == [(520, 36 + 46, "purpose of 3 persons")]
    assert drawing.lines == tuple((165, 36 + 46 * n, 511, 82) for n in range(3))
    assert drawing.height == 2 * 36 + 2 * 46


def ring_of(ids: Sequence[int], points: int) -> Ring:
    return Ring(nodes=tuple(node(one, f"p{one}") for one in ids), links={}, points=points, reasons=())


def test_a_ring_that_grew_is_stored_as_it_is_and_an_earlier_look_changes_nothing(street: Street):
    ids = [street.enter(street.record(n)) for n in range(1, 4)]
    for found, cards, points in ((ids[:2], 2, 3), (ids, 3, 5), (ids[:2], 3, 5)):
        with street.services.store.begin() as tx:
            store_ring(tx, ring_of(found, 3 if found == ids[:2] else 5), now=NOW)
            [row] = tx.rows(sa.select(t.card_ring))
        assert (row["cards"], row["persons"], row["points"]) == (cards, cards, points)


def test_two_rings_that_meet_are_stored_one_after_the_other(street: Street):
    ids = [street.enter(street.record(n)) for n in range(1, 4)]

    def store_meanwhile() -> None:
        with street.services.store.begin() as second:
            second.execute(sa.text("SET LOCAL lock_timeout = '20ms'"))
            store_ring(second, ring_of(ids[1:], 3), now=NOW)

    with street.services.store.begin() as first:
        store_ring(first, ring_of(ids[:2], 3), now=NOW)
        with pytest.raises(Unavailable):
            store_meanwhile()


def test_every_reason_of_a_ring_has_words():
    shared = {"agent": "a", "story": "买牛羊的周转", "phone": "13800000000"}
    found = ring(
        [node(10 * n + bank, f"p{n}", institution=bank, **shared) for n in range(3) for bank in (1, 2)]
    )
    speaking = (
        "cards_each", "out_of_town", "top_limits", "institutions", "same_agent", "same_story", "same_phone",
    )  # fmt: skip
    assert found.reasons == speaking
    assert tuple(REASON_WORDS) == (*speaking, "family", "one_employer", "students")
