"""Offers of calls: to who may take them and has been free longest, and never two to one person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from dialer.core.offers import (
    OFFERS,
    FreePerson,
    OfferableTask,
    OfferEvent,
    OfferState,
    ended_by,
    plan_offers,
)

MORNING = datetime(2026, 11, 25, 2, tzinfo=UTC)
PATHS = ((), (1,), (1, 2), (1, 3), (1, 2, 4))
LOGINS = ("a", "b", "c", "d", "e", "f")


@st.composite
def people(draw: st.DrawFn) -> list[FreePerson]:
    ids = draw(st.lists(st.integers(0, 5), unique=True, max_size=6))
    found = []
    for staff_id in ids:
        unit_id = draw(st.sampled_from([None, 1, 2, 3, 4]))
        since = MORNING + timedelta(seconds=draw(st.integers(0, 4)))
        found.append(
            FreePerson(
                staff_id=staff_id,
                login=LOGINS[staff_id],
                since=since,
                unit_id=unit_id,
                is_top=unit_id == 1,
            )
        )
    return found


@st.composite
def tasks(draw: st.DrawFn) -> list[OfferableTask]:
    return [
        OfferableTask(
            id=number,
            token=0,
            path=draw(st.sampled_from(PATHS)),
            kept_for=draw(st.sampled_from(["", "", "", *LOGINS])),
            passed_by=frozenset(draw(st.sets(st.integers(0, 5), max_size=3))),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


def place(person: FreePerson) -> tuple[datetime, int]:
    return person.since, person.staff_id


@given(tasks(), people())
def test_offers_are_fair_and_leave_nobody_who_could_have_one(
    waiting: list[OfferableTask], free: list[FreePerson]
) -> None:
    planned = plan_offers(waiting, free)
    given_to = {task.id: person for task, person in planned}
    assert len(given_to) == len(planned) == len({person.staff_id for _, person in planned})
    for task, person in planned:
        assert person.may_take(task)
        assert task.kept_for in {"", person.login}
    taken: set[int] = set()
    for task in waiting:
        able = [one for one in free if one.may_take(task) and one.staff_id not in taken]
        fresh = [one for one in able if one.staff_id not in task.passed_by]
        if task.id not in given_to:
            assert able == []
            continue
        chosen = given_to[task.id]
        assert chosen == min(fresh or able, key=place)
        taken.add(chosen.staff_id)


@given(tasks(), people(), st.randoms())
def test_the_order_in_which_people_are_read_does_not_matter(
    waiting: list[OfferableTask], free: list[FreePerson], random: object
) -> None:
    shuffled = list(free)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan_offers(waiting, shuffled) == plan_offers(waiting, free)


@pytest.mark.parametrize(
    ("unit_id", "is_top", "path", "may"),
    [
        (None, False, (), True),
        (None, False, (1, 2), True),
        (2, False, (1, 2), True),
        (2, False, (1, 2, 4), True),
        (2, False, (1, 3), False),
        (2, False, (), False),
        (1, True, (), True),
        (1, True, (1, 3), True),
    ],
)
def test_a_person_takes_the_work_of_their_units(
    unit_id: int | None, is_top: bool, path: tuple[int, ...], may: bool
) -> None:
    person = FreePerson(staff_id=1, login="a", since=MORNING, unit_id=unit_id, is_top=is_top)
    assert person.may_take(OfferableTask(id=1, token=0, path=path)) is may


def test_what_somebody_passed_on_goes_to_the_next_and_comes_back_when_all_have() -> None:
    first = FreePerson(staff_id=1, login="a", since=MORNING)
    second = FreePerson(staff_id=2, login="b", since=MORNING + timedelta(seconds=1))
    passed = OfferableTask(id=7, token=0, passed_by=frozenset({1}))
    assert plan_offers([passed], [first, second]) == ((passed, second),)
    by_all = OfferableTask(id=7, token=0, passed_by=frozenset({1, 2}))
    assert plan_offers([by_all], [first, second]) == ((by_all, first),)


def test_only_a_waiting_offer_ends() -> None:
    assert {state for state, _ in OFFERS} == {OfferState.WAITING}
    assert {event: ended_by(event) for event in OfferEvent} == {
        OfferEvent.TAKEN: OfferState.TAKEN,
        OfferEvent.PASSED: OfferState.PASSED,
        OfferEvent.WITHDRAWN: OfferState.WITHDRAWN,
    }
