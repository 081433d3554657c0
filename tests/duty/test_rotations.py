"""A shift is planned by a rotation from today on, beside the other shifts of its roster, or nothing of it is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from dialer.core.access import Actor, Role, unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound, NotPermitted
from dialer.core.rota import DutyKind
from dialer.db import tables as t
from dialer.duty.rotations import PlannedRotation, TypedRotation, plan_rotation
from tests.duty.conftest import Account
from tests.work.bureau import Bureau

CHIEF = unrestricted("chief")
TYPED = TypedRotation(
    mark="值",
    persons="Ann\nben、cid",
    first="2026-11-20",
    last="2026-11-30",
    weekdays="1234567",
    each="1",
    weekly=False,
)


@pytest.fixture
def people(account: Account) -> list[int]:
    return [account(login).id for login in ("ann", "ben", "cid")]


def plan(bureau: Bureau, actor: Actor = CHIEF, unit: str = "城关派出所", **typed: object) -> PlannedRotation:
    key = (bureau.unit[unit], DutyKind.OFFICER)
    return plan_rotation(bureau.services, actor, key, replace(TYPED, **typed))  # type: ignore[arg-type]


def stored(bureau: Bureau) -> list[tuple[int, str, int]]:
    rows = bureau.rows(sa.select(t.duty_entry).order_by(t.duty_entry.c.day, t.duty_entry.c.mark))
    return [(row["day"].day, row["mark"], row["staff_id"]) for row in rows]


def test_days_that_are_over_stay_and_count_in_the_order(bureau: Bureau, people: list[int]):
    ann, ben, cid = people
    assert plan(bureau) == PlannedRotation(first=date(2026, 11, 25), entries=6)
    assert stored(bureau) == [
        (day, "值", who) for day, who in zip(range(25, 31), [cid, ann, ben] * 2, strict=True)
    ]
    assert bureau.audited() == ["plan_rotation"]


def test_one_shift_is_planned_beside_the_others_and_again_instead_of_itself(
    bureau: Bureau, people: list[int]
):
    ann, ben, _ = people
    plan(bureau, mark="白", persons="ann", first="2026-11-29")
    plan(bureau, mark="夜", persons="ann", first="2026-11-29", last="2026-11-29")
    plan(bureau, mark="夜", persons="ben", first="2026-11-29")
    plan(bureau, mark="白", persons="ann ben", first="2026-11-30", last="2026-12-01", weekdays="2")
    assert stored(bureau) == [(29, "夜", ben), (29, "白", ann), (30, "夜", ben), (1, "白", ann)]


def test_nobody_gets_two_shifts_at_once(bureau: Bureau, people: list[int]):
    plan(bureau, persons="ann", first="2026-11-28", last="2026-11-28")
    before = stored(bureau)
    with pytest.raises(Conflict, match="Ann has another shift at that time on 2026-11-28"):
        plan(bureau, mark="白", persons="ann ben", first="2026-11-28", last="2026-11-29")
    assert stored(bureau) == before
    plan(bureau, mark="白", persons="ben ann", first="2026-11-28", last="2026-11-29")


_TOO_LONG = "last: is before the first day, or more than 366 days after it"
_NOBODY = "persons: names nobody, or too many (names or logins in order, 100 at most)"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"mark": "?"}, "mark: is not known (choose one of the list)"),
        ({"first": "2026-11-31"}, "first: is not a day (as 2027-01-01)"),
        ({"first": "20-11-11"}, "first: is not a day (as 2027-01-01)"),
        ({"last": "2026-11-19"}, _TOO_LONG),
        ({"last": "2027-11-22"}, _TOO_LONG),
        ({"last": "2026-11-24"}, "last: is over"),
        ({"weekdays": "8"}, "weekdays: are not weekdays (digits from 1 for Monday to 7, as 12345)"),
        ({"weekdays": ""}, "weekdays: are not weekdays (digits from 1 for Monday to 7, as 12345)"),
        ({"each": "0"}, "each: is not a whole number from 1 to 31"),
        ({"each": "32"}, "each: is not a whole number from 1 to 31"),
        ({"each": "x"}, "each: is not a whole number from 1 to 31"),
        ({"persons": " , "}, _NOBODY),
        ({"persons": "ann " * 101}, _NOBODY),
        (
            {"persons": "ann dan"},
            "persons: nobody with this name or login may do this work here: dan (enter the login)",
        ),
        ({"persons": "Same"}, "persons: several accounts have this name: Same (enter the login)"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(
    bureau: Bureau, account: Account, people: list[int], typed: dict[str, str], why: str
):
    account("dan", role=Role.CALLER)
    account("same", unit="城关派出所")
    with bureau.tx() as tx:
        tx.execute(sa.update(t.staff).where(t.staff.c.login == "ben").values(display_name="Same"))
    with pytest.raises(Invalid) as refused:
        plan(bureau, **typed)
    assert str(refused.value) == why
    assert (stored(bureau), bureau.audited()) == ([], [])


def test_the_longest_rotation_and_the_longest_turn_are_taken(bureau: Bureau, people: list[int]):
    assert plan(bureau, first="2026-11-25", last="2027-11-26", each="31").entries == 367


def test_a_year_without_public_holidays_is_not_planned_by_weekday(bureau: Bureau, people: list[int]):
    duty = bureau.services.duty.model_copy(update={"holidays": (date(2026, 11, 26),)})
    bureau.services = replace(bureau.services, duty=duty)
    with pytest.raises(Conflict, match=r"no public holidays of 2027: add them to duty\.holidays first"):
        plan(bureau, last="2027-01-01", weekdays="12345")
    assert plan(bureau, last="2027-01-01").entries == 38
    assert plan(bureau, first="2026-11-25", weekdays="12345").entries == 3


def test_the_right_and_the_unit_are_checked(bureau: Bureau, account: Account, people: list[int]):
    with pytest.raises(NotPermitted):
        plan(bureau, actor=account("eve").actor)
    other = account("far", role=Role.SUPERVISOR, unit="临河分局")
    top = plan(bureau, actor=other.actor)
    assert top.entries == 6
    with pytest.raises(NotFound):
        plan(bureau, actor=account("own", role=Role.SUPERVISOR).actor, unit="临河分局")
