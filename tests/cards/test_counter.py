"""The counter: what an opening is told, what is kept of it, and that nobody browses people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dialer.cards.counter.actions import check_opening, enter_openings, finish_opening
from dialer.cards.counter.load import add_fact
from dialer.cards.counter.screening import screen_all
from dialer.core.access import unrestricted
from dialer.core.cards import CheckVerdict, OpeningFactKind, OpeningResult
from dialer.core.errors import Conflict, Invalid, NotFound, TooMany
from dialer.core.events import AlarmCode
from dialer.core.sources import COUNTER_SOURCE, HoldReason
from dialer.db import tables as t
from dialer.db.vault import BlindKind
from dialer.intake.opening_lists import OpeningRecord
from dialer.warnings.lists import load_list
from dialer.warnings.source_limits import release_waiting, waiting_warnings
from tests.cards.street import CARRIER, OTHER_BANK, Street
from tests.console.desk import ConsoleDesk


def found(street: Street, **values: object) -> set[str]:
    return {finding.check for finding in street.check(street.record(**values)).answer.findings}  # type: ignore[arg-type]


def test_a_first_card_is_clear_and_everything_personal_is_sealed(street: Street, console: ConsoleDesk):
    checked = street.check(street.record(address="临河区胜利路12号3单元", employer="某某公司"))
    assert checked.answer.verdict is CheckVerdict.CLEAR
    [row] = console.rows(t.opening)
    assert row["result"] == "in_progress"
    assert (row["home"], row["age"]) == ("150802", 36)
    for secret in ("客户1", "13800000001", "胜利路", "某某公司"):
        assert secret not in str({name: value for name, value in row.items() if name != "sealed"})
        assert secret.encode() not in bytes(row["sealed"])
    [line] = console.audited("check_opening")
    assert line["facts"]["verdict"] == "clear"
    assert console.rows(t.opening_check)[0]["version"] == checked.answer.version


def test_the_age_is_that_of_the_day_in_the_centre(street: Street, console: ConsoleDesk):
    for hour in (15, 17):  # 23:00, and 01:00 of the birthday
        street.enter(street.record(born="19901120", asked_at=datetime(2026, 11, 19, hour, tzinfo=UTC)))
    assert [row["age"] for row in console.rows(t.opening)] == [35, 36]


def test_nobody_checks_person_after_person_without_a_card(street: Street, console: ConsoleDesk):
    asked = {n: street.record(n) for n in range(1, 7)}

    def check(n: int, teller: str = "teller") -> int:
        return check_opening(
            street.services,
            unrestricted(teller),
            asked[n],
            outlet_id=street.bank.id,
            source="form",
            most_unfinished=3,
        ).opening_id

    first, second, third = check(1), check(2), check(3)
    [alarm] = [row for row in console.rows(t.alarm) if row["code"] == "many_opening_checks"]
    assert alarm["facts"]["unfinished"] == 3
    with pytest.raises(TooMany, match="3 openings within 24 hours"):
        check(4)
    assert check(3) == third, "the same opening is checked again"
    assert check(5, "another"), "each teller has a count"

    def finish(opening_id: int, result: OpeningResult) -> None:
        finish_opening(
            street.services,
            unrestricted("teller"),
            opening_id,
            result=result,
            outlet_id=street.bank.id,
            why="本人办理",
        )

    finish(first, OpeningResult.ABANDONED)
    with pytest.raises(TooMany):
        check(4)
    finish(second, OpeningResult.OPENED)
    assert check(4)
    with pytest.raises(TooMany):
        check(6)
    console.pass_seconds(86_401)
    assert check(6)


def test_counts_go_over_institutions_and_products(street: Street):
    street.enter(street.record(hours_ago=5))
    street.enter(street.record(hours_ago=3), street.outlets[OTHER_BANK])
    assert "cards_24h_some" in found(street)
    assert found(street, n=2) == set()
    street.enter(street.record(3, hours_ago=30))
    street.enter(street.record(3, hours_ago=28), street.outlets[CARRIER])
    assert found(street, n=3) == set()


def test_a_check_is_bound_to_one_opening_of_one_person(street: Street):
    record = street.record()
    first = street.check(record)
    assert street.check(record).opening_id == first.opening_id
    with pytest.raises(Conflict):
        street.check(replace(street.record(2), opening_no=record.opening_no))
    outlet_id = street.bank.id
    with pytest.raises(Invalid):
        finish_opening(
            street.services,
            unrestricted("teller"),
            first.opening_id,
            result=OpeningResult.REFUSED,
            why=" ",
            outlet_id=outlet_id,
        )
    with pytest.raises(NotFound):
        finish_opening(
            street.services,
            unrestricted("teller"),
            first.opening_id,
            result=OpeningResult.ABANDONED,
            outlet_id=street.outlets[CARRIER].id,
        )
    finish_opening(
        street.services,
        unrestricted("teller"),
        first.opening_id,
        result=OpeningResult.OPENED,
        number="6222 0000 1111",
        outlet_id=outlet_id,
    )
    with pytest.raises(Conflict):
        street.check(record)


def test_many_checks_of_an_outlet_raise_an_alarm(street: Street, console: ConsoleDesk):
    rules = street.services.cards.model_copy(update={"checks_per_hour": 2})
    street.services = replace(street.services, cards=rules)
    for n in range(2):
        street.check(street.record(n))
    assert console.rows(t.alarm) == []
    street.check(street.record(9))
    assert [row["code"] for row in console.rows(t.alarm)] == ["many_opening_checks"]


def test_a_ring_is_found_at_the_counter_and_all_its_openings_name_it(street: Street, console: ConsoleDesk):
    away = {"home": "410101", "purpose": "买牛羊周转资金", "limit_fen": 50_000_000}
    for n in (1, 2):
        assert street.check(street.record(n, **away)).answer.verdict is CheckVerdict.CLEAR
    third = street.check(street.record(3, **away), street.outlets[OTHER_BANK])
    assert third.answer.verdict is CheckVerdict.ASK_DESK
    assert [finding.check for finding in third.answer.findings] == ["ring"]
    [ring] = console.rows(t.card_ring)
    assert (ring["persons"], ring["cards"]) == (3, 3)
    assert {row["ring_id"] for row in console.rows(t.opening)} == {ring["id"]}


def test_later_facts_join_by_the_number_before_and_after(street: Street, console: ConsoleDesk):
    for number in ("6222000011112222", "13911112222"):
        assert add_fact(
            street.services,
            unrestricted("test"),
            number=number,
            kind=OpeningFactKind.INVOLVED,
            source="A1",
            at=street.services.clock.now(),
        )
    street.enter(street.record(number="6222000011112222", hours_ago=2000))
    [known, waiting] = console.rows(t.opening_fact)
    assert known["opening_id"] is not None
    assert waiting["opening_id"] is None
    assert "involved_before" in found(street)


SHARED = "+8613900000000"


def test_a_customer_whose_number_has_many_open_cases_waits_for_a_person(street: Street, console: ConsoleDesk):
    most = street.services.sources.cases_a_number
    checked = [street.warned(street.record(n, phone=SHARED)) for n in range(1, most + 2)]
    assert len(console.rows(t.case)) == most
    [waits] = waiting_warnings(street.services)
    assert (waits.source, waits.held_for, waits.total) == (COUNTER_SOURCE, HoldReason.NAMES, 1)
    [alarm] = [row for row in console.rows(t.alarm) if row["code"] == AlarmCode.WARNINGS_WAIT.value]
    assert alarm["load_id"] == waits.id
    again = street.record(most + 1, guided=True, phone=SHARED)
    for record in (again, again):
        street.check(record)
    assert [one.total for one in waiting_warnings(street.services)] == [1], "checked again they wait once"
    release_waiting(street.services, unrestricted("chief"), [waits.id])
    load_list(street.services, waits.id)
    [last] = [row for row in console.rows(t.warning) if row["load_id"] == waits.id]
    assert (last["source"], last["instruction_no"]) == (COUNTER_SOURCE, f"K-{checked[-1].opening_id}")
    assert len(console.rows(t.case)) == most + 1


def complete(street: Street, record: OpeningRecord, **values: object) -> None:
    """The institution enters that it opened it."""
    done = replace(record, result=OpeningResult.OPENED, opened_at=record.asked_at, **values)  # type: ignore[arg-type]
    with street.services.store.begin() as tx:
        entered = enter_openings(
            street.services, tx, unrestricted("bank"), [(done, street.bank)], source="api"
        )
    assert entered.completed == 1


def test_a_check_of_the_same_number_again_is_of_what_is_given_now(street: Street, console: ConsoleDesk):
    for n in range(2, 9):
        street.enter(street.record(n, phone=SHARED))
    record = street.record(limit_fen=100, address="临河区胜利路12号3单元")
    assert street.check(record).answer.verdict is CheckVerdict.CLEAR
    assert street.check(replace(record, guided=True)).answer.verdict is CheckVerdict.POSSIBLE_VICTIM
    later = street.check(replace(record, phone=SHARED, limit_fen=None, address=""))
    assert later.answer.verdict is CheckVerdict.POSSIBLE_VICTIM
    assert "phone_shared" in {finding.check for finding in later.answer.findings}
    [row] = [one for one in console.rows(t.opening) if one["id"] == later.opening_id]
    with street.services.store.begin() as tx:
        assert bytes(row["phone_blind"]) == tx.vault.blind(SHARED, kind=BlindKind.OPENING_PHONE)
    assert (row["guided"], row["limit_fen"], row["address_blind"] is None) == (True, 100, False)
    assert len([one for one in console.rows(t.opening_check) if one["opening_id"] == row["id"]]) == 3


def test_what_was_checked_and_is_entered_as_something_else_is_judged_anew(
    street: Street, console: ConsoleDesk
):
    for n in range(2, 9):
        street.enter(street.record(n, phone=SHARED))
    same, other, guided = (street.record(n) for n in (20, 30, 40))
    ids = [street.check(one).opening_id for one in (same, other, guided)]
    complete(street, same)
    complete(street, other, phone=SHARED)
    complete(street, guided, guided=True)

    def verdicts() -> list[str | None]:
        rows = {row["id"]: row["verdict"] for row in console.rows(t.opening)}
        return [rows[one] for one in ids]

    assert verdicts() == ["clear", None, None]
    assert [one.left for one in screen_all(street.services)][-1] == 0
    assert verdicts() == ["clear", "note", "possible_victim"]


def test_a_customer_asks_when_the_check_is_made_whatever_time_is_given(street: Street, console: ConsoleDesk):
    told = []
    for _ in range(4):
        record = street.record(1, asked_at=datetime(2001, 1, 1, tzinfo=UTC))
        checked = street.check(record)
        told.append(checked.answer.verdict)
        finish_opening(
            street.services,
            unrestricted("teller"),
            checked.opening_id,
            result=OpeningResult.OPENED,
            outlet_id=street.bank.id,
        )
    assert told[0] is CheckVerdict.CLEAR
    assert told[3] is CheckVerdict.ASK_DESK
    assert {row["asked_at"] for row in console.rows(t.opening)} == {street.services.clock.now()}
