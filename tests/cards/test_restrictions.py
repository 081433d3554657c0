"""Restrictions and objections: two people, a term, and what an upheld objection lifts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from dialer.cards.counter.actions import finish_opening
from dialer.cards.determinations.actions import (
    DeterminationForm,
    decide_determination,
    enter_determination,
    list_determinations,
    years_after,
)
from dialer.cards.determinations.objections import (
    decide_objection,
    list_objections,
    note_seen,
    take_objection,
    unseen_notices,
)
from dialer.core.access import Role, unrestricted
from dialer.core.cards import CheckVerdict, DeterminationState, ObjectionAbout, ObjectionState, OpeningResult
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.second_person import SamePerson
from dialer.db import tables as t
from tests.cards.street import OTHER_BANK, Street, id_number
from tests.console.desk import ConsoleDesk


def enter(street: Street, *, from_on: date = date(2026, 1, 1), years: int = 2, document: str = "1号") -> int:
    return enter_determination(
        street.services,
        unrestricted("officer"),
        DeterminationForm(
            name="客户1",
            id_number=id_number(1),
            document_no=document,
            authority="巴彦淖尔市公安局",
            from_on=from_on,
            years=years,
        ),
    )


def decide(street: Street, determination: int, *, approve: bool = True, by: str = "supervisor") -> None:
    decide_determination(street.services, unrestricted(by), determination, approve=approve)


def verdict(street: Street, n: int = 1) -> CheckVerdict:
    return street.check(street.record(n)).answer.verdict


def test_a_determination_counts_from_the_approval_of_a_second_person_to_its_end(
    street: Street, console: ConsoleDesk
):
    services = street.services
    determination = enter(street, from_on=date(2026, 11, 1))
    assert verdict(street) is CheckVerdict.CLEAR
    with pytest.raises(Conflict):
        decide_determination(services, unrestricted("officer"), determination, approve=True)
    decide_determination(services, unrestricted("supervisor"), determination, approve=True)
    assert verdict(street) is CheckVerdict.RESTRICTED
    assert verdict(street, 2) is CheckVerdict.CLEAR
    [shown] = list_determinations(services)
    assert (shown.person, shown.until_on, shown.is_over) == ("客*", date(2028, 11, 1), False)
    console.pass_seconds(86_400 * 731)
    assert list_determinations(services)[0].is_over
    assert verdict(street) is CheckVerdict.CLEAR


def test_terms_are_two_or_three_years_and_five_in_sequence(street: Street):
    with pytest.raises(Invalid):
        enter(street, years=5)
    enter(street, years=3)
    with pytest.raises(Invalid):
        enter(street, from_on=date(2029, 1, 1), years=3, document="2号")
    enter(street, from_on=date(2029, 1, 1), years=2, document="3号")
    enter(street, from_on=date(2032, 1, 1), years=3, document="4号")
    with pytest.raises(Conflict):
        enter(street, from_on=date(2036, 1, 1), years=2, document="4号")
    assert years_after(date(2024, 2, 29), 3) == date(2027, 3, 1)


def test_a_day_that_no_document_has_is_refused(street: Street):
    for from_on in (
        date(9998, 1, 1),
        date(2100, 1, 1),
        date(1999, 12, 31),
        date.min,
    ):
        with pytest.raises(Invalid) as refused:
            enter(street, from_on=from_on, years=3)
        assert refused.value.field == "from_on"


def test_a_restriction_ends_at_midnight_of_the_centre(street: Street):
    determination = enter(street, from_on=date(2026, 11, 1))
    decide_determination(street.services, unrestricted("supervisor"), determination, approve=True)
    [finding] = street.check(street.record(1)).answer.findings
    assert finding.expires_at == datetime(2028, 10, 31, 16, tzinfo=UTC)


def test_an_upheld_objection_lifts_at_once_and_tells_every_outlet(street: Street, console: ConsoleDesk):
    services = street.services
    determination = enter(street)
    with pytest.raises(Conflict):
        decide_determination(services, unrestricted("officer"), determination, approve=True)
    decide_determination(services, unrestricted("supervisor"), determination, approve=True)
    assert verdict(street) is CheckVerdict.RESTRICTED
    other = street.outlets[OTHER_BANK]
    street.check(street.record(1), other)
    objection = take_objection(
        services,
        unrestricted("clerk"),
        ObjectionAbout.DETERMINATION,
        determination,
        words="认定有误，证号150802199001011234",
    )
    for same in ("supervisor", "clerk"):
        with pytest.raises(Conflict):
            decide_objection(services, unrestricted(same), objection, uphold=True, reason="查证属实")
    decide_objection(services, unrestricted("auditor"), objection, uphold=True, reason="查证属实")
    assert verdict(street) is CheckVerdict.NOTE  # the third check of a day
    for outlet in (street.bank, other):
        [notice] = unseen_notices(services, outlet_id=outlet.id)
        assert notice.code == "restriction_lifted"
        note_seen(services, unrestricted("teller"), notice.id, outlet_id=outlet.id)
        assert unseen_notices(services, outlet_id=outlet.id) == []
    [shown] = list_objections(services)
    assert (shown.state, shown.person, shown.words) == (ObjectionState.UPHELD, "客*", "认定有误，证号****")


def test_an_objection_has_a_clock_and_something_decided(street: Street, console: ConsoleDesk):
    checked = street.check(street.record())
    with pytest.raises(Conflict):
        take_objection(
            street.services, unrestricted("clerk"), ObjectionAbout.OPENING, checked.opening_id, words="x"
        )
    determination = enter(street)
    decide_determination(street.services, unrestricted("supervisor"), determination, approve=True)
    for _ in range(2):  # pressed twice
        take_objection(
            street.services, unrestricted("clerk"), ObjectionAbout.DETERMINATION, determination, words="x"
        )
    assert len(list_objections(street.services)) == 1
    assert not list_objections(street.services)[0].is_late
    console.pass_seconds(86_400 * 15 + 1)
    assert list_objections(street.services)[0].is_late


def test_a_refused_determination_leaves_the_way_free_for_its_corrected_entry(
    street: Street, console: ConsoleDesk
):
    decide(street, enter(street, years=3), approve=False)
    corrected = enter(street, years=2)
    with pytest.raises(Conflict):
        enter(street, years=2)
    decide(street, corrected)
    assert verdict(street) is CheckVerdict.RESTRICTED
    with pytest.raises(Conflict):  # in force
        enter(street, years=2)
    assert [row["state"] for row in console.rows(t.card_determination)] == ["refused", "in_force"]


def test_a_document_whose_restriction_was_lifted_is_not_entered_again(street: Street):
    determination = enter(street)
    decide(street, determination)
    objection = take_objection(
        street.services, unrestricted("clerk"), ObjectionAbout.DETERMINATION, determination, words="x"
    )
    decide_objection(street.services, unrestricted("auditor"), objection, uphold=True, reason="x")
    with pytest.raises(Conflict):
        enter(street)


def test_a_determination_is_decided_once(street: Street, console: ConsoleDesk):
    refused, approved = enter(street), enter(street, from_on=date(2032, 1, 1), document="2号")
    decide(street, refused, approve=False)
    decide(street, approved)
    for determination in (refused, approved):
        for approve in (True, False):
            with pytest.raises(Conflict):
                decide(street, determination, approve=approve, by="another")
    assert [row["state"] for row in console.rows(t.card_determination)] == ["refused", "in_force"]
    with pytest.raises(NotFound):
        decide(street, 987)
    acts = [row["act"] for row in console.rows(t.audit) if row["act"].endswith("e_determination")]
    assert acts == ["refuse_determination", "approve_determination"]


@pytest.mark.parametrize("approve", [True, False])
def test_nobody_decides_what_they_entered_under_whatever_name(
    street: Street, console: ConsoleDesk, approve: bool
):
    for login, name in (("officer", "张三"), ("chief", "李四")):
        console.account(Role.SUPERVISOR, login=login)
        with street.services.store.begin() as tx:
            tx.execute(sa.update(t.staff).where(t.staff.c.login == login).values(display_name=name))
    determination = enter(street)
    for same in ("officer", "OFFICER", "张三"):
        with pytest.raises(SamePerson) as refused:
            decide(street, determination, approve=approve, by=same)
        assert refused.value.current == "same_person"
    decide(street, determination, approve=approve, by="李四")


@pytest.mark.parametrize(("button", "state"), [("approve", "in_force"), ("refuse", "refused")])
async def test_each_button_of_the_page_decides_what_it_says(
    street: Street, console: ConsoleDesk, button: str, state: str
):
    determination = enter(street)
    done = await console.person(Role.SUPERVISOR).post(f"/cards/restrictions/{determination}/{button}")
    assert done.status_code == 303
    assert [row["state"] for row in console.rows(t.card_determination)] == [state]


def test_a_determination_that_nobody_decides_expires(street: Street, console: ConsoleDesk):
    services, determination = street.services, enter(street, years=3)
    console.pass_seconds(86_400 * 30 - 1)
    assert [one.id for one in list_determinations(services, waiting_only=True)] == [determination]
    console.pass_seconds(1)
    assert list_determinations(services, waiting_only=True) == []
    assert list_determinations(services)[0].state is DeterminationState.EXPIRED
    with pytest.raises(Conflict):
        decide(street, determination)
    again = enter(street, years=3)
    decide(street, again)
    assert [row["state"] for row in console.rows(t.card_determination)] == ["expired", "in_force"]
    assert verdict(street) is CheckVerdict.RESTRICTED


def test_who_entered_a_restriction_does_not_judge_the_objection_to_it(street: Street, console: ConsoleDesk):
    determination = enter(street)
    decide(street, determination)
    objection = take_objection(
        street.services, unrestricted("clerk"), ObjectionAbout.DETERMINATION, determination, words="x"
    )
    for same in ("officer", "supervisor", "clerk", "Officer"):
        for uphold in (True, False):
            with pytest.raises(SamePerson):
                decide_objection(street.services, unrestricted(same), objection, uphold=uphold, reason="x")
    with pytest.raises(sa.exc.IntegrityError), street.services.store.begin() as tx:
        tx.execute(sa.update(t.card_objection).values(state="upheld", decided_by="OFFICER"))
    decide_objection(street.services, unrestricted("auditor"), objection, uphold=False, reason="x")
    for uphold in (True, False):
        with pytest.raises(Conflict):
            decide_objection(street.services, unrestricted("another"), objection, uphold=uphold, reason="x")
    assert verdict(street) is CheckVerdict.RESTRICTED
    with pytest.raises(NotFound):
        decide_objection(street.services, unrestricted("auditor"), 987, uphold=True, reason="x")


@pytest.mark.parametrize("result", [OpeningResult.OPENED, OpeningResult.ABANDONED])
def test_nobody_objects_to_an_opening_that_was_not_refused(
    street: Street, console: ConsoleDesk, result: OpeningResult
):
    checked = street.check(street.record())
    finish_opening(
        street.services, unrestricted("teller"), checked.opening_id, result=result, outlet_id=street.bank.id
    )
    with pytest.raises(Conflict):
        take_objection(
            street.services, unrestricted("teller"), ObjectionAbout.OPENING, checked.opening_id, words="x"
        )
    assert console.rows(t.card_objection) == []


def test_nobody_objects_to_a_restriction_that_has_ended(street: Street, console: ConsoleDesk):
    determination = enter(street, from_on=date(2026, 11, 1))
    decide(street, determination)
    console.pass_seconds(86_400 * 731)
    with pytest.raises(Conflict):
        take_objection(
            street.services, unrestricted("clerk"), ObjectionAbout.DETERMINATION, determination, words="x"
        )
