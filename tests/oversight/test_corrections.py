"""Orders to correct: issued, told, answered, sent back and closed, by the right people, with alarms when nothing
moves.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import SERVICE, Role
from dialer.core.corrections import OrderEvent, OrderState
from dialer.core.errors import Conflict, Invalid, NotFound, NotPermitted
from dialer.core.notifications import NotificationChannel, NotificationFault
from dialer.core.second_person import SamePerson
from dialer.core.text import Lang
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.units import add_unit
from dialer.notifications.actions import (
    accept_notification,
    claim_due,
    own_notifications,
    plan_notifications,
    record_failed,
    record_sent,
    show_on_pages,
    text_of,
)
from dialer.oversight.corrections import (
    OrderDraft,
    issue_order,
    move_order,
    read_order,
    read_orders,
    units_below,
    watch_orders,
)
from dialer.retention.erasing import erase_people
from dialer.staff.store import Member
from tests.duty.conftest import Account
from tests.notifications.conftest import STATION, Station

E, S, C = OrderEvent, OrderState, NotificationChannel
DEADLINE = "2026-11-28T18:00"


def issued(station: Station, chief: Member, *, case_id: int | None = None) -> int:
    draft = OrderDraft(
        unit_id=station.bureau.unit[STATION], text="未在时限内签收", deadline=DEADLINE, case_id=case_id
    )
    return issue_order(station.services, chief.actor, draft)


def act(station: Station, member: Member, order_id: int, event: OrderEvent, **given: str) -> None:
    move_order(station.services, member.actor, order_id, event, **given)


def state_of(station: Station, order_id: int) -> str:
    rows = station.bureau.rows(sa.select(t.correction_order).where(t.correction_order.c.id == order_id))
    return rows[0]["state"]


def alarms(station: Station) -> list[dict[str, object]]:
    return station.bureau.rows(sa.select(t.alarm).where(t.alarm.c.code == "correction_overdue"))


def test_an_order_goes_its_way_and_each_step_is_audited(station: Station, chief: Member):
    order_id = issued(station, chief)
    act(station, station.ann, order_id, E.SIGNED)
    act(station, station.ann, order_id, E.ANSWERED, text="已整改")
    act(station, chief, order_id, E.SENT_BACK, text="原因未查明", deadline="2026-12-01")
    found = read_order(station.services, station.ben.actor, order_id)
    assert found.order.state is S.ISSUED
    # A day without a time ends at its end in local time.
    assert found.order.deadline.isoformat() == "2026-12-01T16:00:00+00:00"
    act(station, station.ben, order_id, E.ANSWERED, text="查明：交接班漏接")
    act(station, chief, order_id, E.CLOSED, text="认可")
    found = read_order(station.services, chief.actor, order_id)
    assert [(step.event, step.by, step.text) for step in found.steps] == [
        (E.ISSUED, "chief", "未在时限内签收"),
        (E.SIGNED, "ann", ""),
        (E.ANSWERED, "ann", "已整改"),
        (E.SENT_BACK, "chief", "原因未查明"),
        (E.ANSWERED, "ben", "查明：交接班漏接"),
        (E.CLOSED, "chief", "认可"),
    ]
    assert (found.order.state, found.order.due_at, found.allowed) == (S.CLOSED, None, frozenset())
    assert [line for line in station.bureau.audited() if "correction" in line] == [
        "issue_correction",
        "sign_correction",
        "answer_correction",
        "send_back_correction",
        "answer_correction",
        "close_correction",
    ]
    with pytest.raises(Conflict, match="has changed meanwhile"):
        act(station, chief, order_id, E.WITHDRAWN, text="x")


def test_the_people_on_duty_are_told_until_somebody_signs(station: Station, chief: Member):
    order_id = issued(station, chief)
    assert plan_notifications(station.services) == 1
    assert plan_notifications(station.services) == 0
    assert set(station.states(station.ann)) == {"desktop", "sms", "call"}
    claim_due(station.services, C.DESKTOP)
    [shown] = show_on_pages(station.services, [station.ann.id])
    assert shown.page == "/corrections"
    assert "orders to correct that wait for your unit: 1. First deadline: 2026-11-28 18:00." in text_of(
        station.services, shown, Lang.EN
    )
    found = read_order(station.services, chief.actor, order_id)
    assert next((one.login, one.channel.value, one.state.value) for one in found.told) == (
        "ann",
        "desktop",
        "sent",
    )
    assert own_notifications(station.services, station.ann.id)[1][0].n == 1
    act(station, station.ben, order_id, E.SIGNED)
    station.later(minutes=3)
    assert claim_due(station.services, C.SMS) == []
    assert station.states(station.ann)["sms"] == "dropped"


def test_a_task_and_an_order_are_told_in_one_message(station: Station, chief: Member):
    issued(station, chief)
    station.case()
    assert plan_notifications(station.services) == 2
    [first, _] = claim_due(station.services, C.DESKTOP)
    assert first.page == "/visits"
    told = text_of(station.services, first, Lang.EN)
    assert "tasks that wait for you: 1" in told
    assert told.endswith("Orders to correct that wait for your unit: 1.")


def test_a_channel_that_fails_hastens_the_next_and_a_key_accepts(station: Station, chief: Member):
    issued(station, chief)
    plan_notifications(station.services)
    for one in claim_due(station.services, C.DESKTOP):
        record_failed(station.services, one, NotificationFault.NO_PAGE)
    [text] = claim_due(station.services, C.SMS)
    record_sent(station.services, [text])
    station.later(minutes=6)
    [call] = claim_due(station.services, C.CALL)
    assert accept_notification(station.services, call.id)[0].startswith("已接受")
    # Nobody being told of an order is no alarm of work that is due: its deadline has one.
    assert station.alarms() == []


def test_sent_back_it_is_told_again(station: Station, chief: Member):
    order_id = issued(station, chief)
    plan_notifications(station.services)
    act(station, station.ann, order_id, E.ANSWERED, text="已整改")
    act(station, chief, order_id, E.SENT_BACK, text="不够", deadline=DEADLINE)
    station.later(minutes=2)
    assert plan_notifications(station.services) == 1


def test_without_people_on_duty_it_waits_for_somebody_to_come(station: Station, chief: Member):
    draft = OrderDraft(unit_id=station.bureau.unit["五原分局"], text="x", deadline=DEADLINE)
    city = station.bureau
    order_id = issue_order(station.services, SERVICE, draft)
    assert plan_notifications(station.services) == 0
    assert city.rows(sa.select(t.correction_order.c.notified_at))[0]["notified_at"] is None
    assert state_of(station, order_id) == "issued"


def test_above_the_unit_the_duty_of_the_nearest_unit_is_told(station: Station, account: Account):
    leader = account("leader", unit="临河分局")
    station.load({"Leader": "值"}, unit="临河分局")
    with station.bureau.tx() as tx:
        unit_id = add_unit(tx, name="新华派出所", parent_id=station.bureau.unit["临河分局"])
    issue_order(station.services, SERVICE, OrderDraft(unit_id=unit_id, text="x", deadline=DEADLINE))
    assert plan_notifications(station.services) == 1
    assert station.states(leader) == {"desktop": "waiting"}
    assert station.rows(station.ann) == []


def test_who_ordered_does_not_answer_and_who_answered_does_not_decide(
    station: Station, chief: Member, account: Account
):
    order_id = issued(station, chief)
    with pytest.raises(SamePerson):
        act(station, chief, order_id, E.ANSWERED, text="x")
    second = account("second", role=Role.SUPERVISOR, unit="临河分局")
    act(station, second, order_id, E.ANSWERED, text="已整改")
    assert read_order(station.services, second.actor, order_id).allowed == {E.WITHDRAWN}
    with pytest.raises(SamePerson):
        act(station, second, order_id, E.CLOSED)
    act(station, chief, order_id, E.CLOSED)
    assert state_of(station, order_id) == "closed"


def test_only_a_supervisor_above_the_unit_orders_and_decides(
    station: Station, chief: Member, account: Account
):
    own = account("own", role=Role.SUPERVISOR)
    order_id = issued(station, chief)
    with pytest.raises(NotPermitted):
        act(station, station.ann, order_id, E.WITHDRAWN, text="x")
    with pytest.raises(Conflict, match="a unit above this one decides"):
        act(station, own, order_id, E.WITHDRAWN, text="x")
    for member, unit in ((own, STATION), (chief, "临河分局"), (chief, "五原分局")):
        draft = OrderDraft(unit_id=station.bureau.unit[unit], text="x", deadline=DEADLINE)
        with pytest.raises(NotFound):
            issue_order(station.services, member.actor, draft)
    assert [unit.name for unit in units_below(station.services, chief.actor)] == [STATION]
    assert units_below(station.services, own.actor) == []


def test_another_unit_sees_nothing_of_it(station: Station, chief: Member, account: Account):
    order_id = issued(station, chief)
    far = account("far", unit="五原分局")
    for done in (read_order, lambda *given: move_order(*given, E.SIGNED)):
        with pytest.raises(NotFound):
            done(station.services, far.actor, order_id)
    assert read_orders(station.services, far.actor, open_only=False).orders == ()
    [(order, unit)] = read_orders(station.services, station.ann.actor, open_only=True).orders
    assert (order.id, unit.endswith(STATION)) == (order_id, True)
    clerk = account("clerk", role=Role.CLERK, unit="")
    with pytest.raises(NotPermitted):
        read_orders(station.services, clerk.actor, open_only=True)


def test_an_order_about_a_case_needs_a_case_of_that_unit(station: Station, chief: Member):
    case_id = station.case()
    other = station.bureau.case_with_unit("五原分局")
    order_id = issued(station, chief, case_id=case_id)
    [(order, _)] = read_orders(station.services, chief.actor, open_only=True, case_id=case_id).orders
    assert order.id == order_id
    with pytest.raises(NotFound):
        issued(station, chief, case_id=other)


@pytest.mark.parametrize("typed", ["soon", "2026-11-20T10:00", "2027-05-01", "9999-12-31"])
def test_a_deadline_that_is_none_is_refused_before_anything_is_stored(
    station: Station, chief: Member, typed: str
):
    draft = OrderDraft(unit_id=station.bureau.unit[STATION], text="x", deadline=typed)
    with pytest.raises(Invalid) as refused:
        issue_order(station.services, chief.actor, draft)
    assert refused.value.field == "deadline"
    assert station.bureau.rows(sa.select(t.correction_order)) == []


def test_an_empty_or_endless_text_is_refused(station: Station, chief: Member):
    order_id = issued(station, chief)
    for text in ("  ", "字" * 2001):
        with pytest.raises(Invalid) as refused:
            act(station, station.ann, order_id, E.ANSWERED, text=text)
        assert refused.value.field == "text"
    assert state_of(station, order_id) == "issued"


def test_past_the_deadline_an_alarm_names_the_unit_once_a_day(station: Station, chief: Member):
    order_id = issued(station, chief)
    assert watch_orders(station.services) == 0
    station.later(days=4)
    assert watch_orders(station.services) == 1
    assert watch_orders(station.services) == 1
    [alarm] = alarms(station)
    assert alarm["times"] == 1
    assert any(STATION in name for name in alarm["facts"]["names"])
    act(station, station.ann, order_id, E.ANSWERED, text="已整改")
    assert watch_orders(station.services) == 0
    hours = station.services.work.correction_wait_hours
    station.later(hours=hours - 1)
    assert watch_orders(station.services) == 0
    station.later(hours=1)
    assert watch_orders(station.services) == 1
    act(station, chief, order_id, E.CLOSED)
    assert watch_orders(station.services) == 0


def test_the_bureau_sets_how_long_an_answer_may_wait_for_its_decision(station: Station, chief: Member):
    work = replace(station.services.work, correction_wait_hours=5)
    station.services = replace(station.services, work=work)
    act(station, station.ann, issued(station, chief), E.ANSWERED, text="已整改")
    station.later(hours=4)
    assert watch_orders(station.services) == 0
    station.later(hours=1)
    assert watch_orders(station.services) == 1


def test_what_was_said_is_encrypted_and_goes_with_the_person_of_the_case(station: Station, chief: Member):
    case_id = station.case()
    order_id = issued(station, chief, case_id=case_id)
    [row] = station.bureau.rows(sa.select(t.correction_step))
    assert "签收".encode() not in bytes(row["sealed"])
    person = station.bureau.row_of(case_id)["person_id"]
    with station.bureau.tx() as tx:
        counts = erase_people(OpenAct(tx, SERVICE, station.bureau.clock.now), [person])
    assert counts["correction_step.sealed"] == 1
    assert read_order(station.services, chief.actor, order_id).steps[0].text == ""


def test_a_page_of_orders_leads_to_the_older_ones(station: Station, chief: Member):
    for _ in range(51):
        issued(station, chief)
    first = read_orders(station.services, chief.actor, open_only=True)
    assert (len(first.orders), first.older) == (50, first.orders[-1][0].id)
    rest = read_orders(station.services, chief.actor, open_only=True, before=first.older)
    assert (len(rest.orders), rest.older) == (1, None)


def test_the_plain_order_has_every_step(station: Station, chief: Member):
    order_id = issued(station, chief)
    act(station, station.ann, order_id, E.SIGNED)
    plain = read_order(station.services, chief.actor, order_id).plain(
        station.bureau.clock.now() + timedelta(days=9)
    )
    assert (plain["state"], plain["is_overdue"], plain["month"]) == ("signed", True, None)
    assert [step["event"] for step in plain["steps"]] == ["issued", "signed"]
