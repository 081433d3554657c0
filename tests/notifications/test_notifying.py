"""Work reaches who is on duty by the rules of their own, once, until somebody takes it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.core.case import VisitStage
from dialer.core.errors import Invalid, NotFound
from dialer.core.notifications import NotificationChannel, NotificationFault
from dialer.core.rota import DutyKind, DutyLeave, LeaveReason
from dialer.core.text import Lang
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.duty.actions import take_shift
from dialer.duty.leave import enter_leave, seal_of
from dialer.notifications.actions import (
    accept_notification,
    answer_call,
    apply_news,
    claim_due,
    end_lapsed,
    own_notifications,
    plan_notifications,
    record_failed,
    record_sent,
    send_test,
    show_on_pages,
    text_of,
)
from dialer.work.tasks import return_work_of
from dialer.work.transfers import escalate_unsigned
from dialer.work.visits import PhoneAct, take_step
from tests.duty.conftest import Account
from tests.notifications.conftest import MINUTE, STATION, Station
from tests.outcomes.town import MORNING

C, F = NotificationChannel, NotificationFault


def test_everybody_on_duty_is_told_once_by_the_rules_of_their_own(station: Station):
    now = station.bureau.clock.now()
    station.told()
    assert {row["channel"]: row["due_at"] for row in station.rows(station.ann)} == {
        "desktop": now,
        "sms": now + 2 * MINUTE,
        "call": now + 5 * MINUTE,
    }
    assert [row["channel"] for row in station.rows(station.ben)] == ["desktop"]
    assert plan_notifications(station.services) == 0


def test_a_page_shows_it_and_the_timeline_says_who_was_told(station: Station):
    case_id = station.told()
    assert show_on_pages(station.services, [station.ann.id]) == []
    assert len(claim_due(station.services, C.DESKTOP)) == 2
    [shown] = show_on_pages(station.services, [station.ann.id])
    assert (shown.login, shown.page) == ("ann", "/visits")
    text = text_of(station.services, shown, Lang.EN)
    assert "tasks that wait for you: 1, extra high: 1. Sign by " in text
    assert text_of(station.services, shown, Lang.ZH).startswith("预警劝阻：您有1条任务待签收")
    assert show_on_pages(station.services, [station.ann.id, station.ben.id])[0].login == "ben"
    assert [act["facts"]["told"] for act in station.acts(case_id, "notified")] == ["ann", "ben"]
    assert station.acts(case_id, "notified")[0]["facts"]["by_channel"] == "desktop"


def test_without_an_open_page_the_text_leaves_at_once(station: Station):
    case_id = station.told()
    claim_due(station.services, C.DESKTOP)
    station.later(seconds=5.999)
    assert end_lapsed(station.services) == 0
    station.later(seconds=0.002)
    assert end_lapsed(station.services) == 2
    [text] = claim_due(station.services, C.SMS)
    assert text.personal.telephone == "+8613900009999"
    assert {act["facts"]["fault"] for act in station.acts(case_id, "not_notified")} == {"no_page"}
    assert station.alarms() == []


def test_an_alarm_tells_that_every_channel_of_everybody_failed(station: Station):
    station.told()
    for one in claim_due(station.services, C.DESKTOP):
        record_failed(station.services, one, F.NO_PAGE)
    [text] = claim_due(station.services, C.SMS)
    record_failed(station.services, text, F.REFUSED)
    assert station.alarms() == []
    [call] = claim_due(station.services, C.CALL)
    assert apply_news(station.services, call.id, F.UNANSWERED)
    [alarm] = station.alarms()
    assert len(alarm["facts"]["names"]) == 1
    assert apply_news(station.services, call.id, F.UNANSWERED)
    assert station.alarms()[0]["times"] == 1


def test_a_message_that_was_not_delivered_makes_the_next_channel_due(station: Station):
    station.told()
    claim_due(station.services, C.DESKTOP)
    station.later(minutes=2)
    [text] = claim_due(station.services, C.SMS)
    record_sent(station.services, [text])
    assert claim_due(station.services, C.CALL) == []
    assert apply_news(station.services, text.id, None)
    assert apply_news(station.services, text.id, F.UNDELIVERED)
    assert [one.login for one in claim_due(station.services, C.CALL)] == ["ann"]
    assert not apply_news(station.services, uuid.uuid4(), None)


def test_who_takes_the_work_ends_the_telling(station: Station):
    case_id = station.told()
    visit = station.bureau.assignment_of(case_id, Track.VISIT)
    phone = PhoneAct(client_id=uuid.uuid4(), actor=station.ben.actor)
    take_step(station.services, visit["id"], VisitStage.ACCEPTED, phone=phone)
    station.later(minutes=5)
    assert not any(claim_due(station.services, channel) for channel in C)
    assert set(station.states(station.ann).values()) == {"dropped"}


def test_work_that_comes_back_is_told_again(station: Station):
    case_id = station.told()
    visit = station.bureau.assignment_of(case_id, Track.VISIT)
    phone = PhoneAct(client_id=uuid.uuid4(), actor=station.ben.actor)
    take_step(station.services, visit["id"], VisitStage.ACCEPTED, phone=phone)
    return_work_of(station.services, unrestricted("chief"), "ben")
    assert plan_notifications(station.services) == 1


def test_many_tasks_at_once_are_one_message(station: Station):
    for _ in range(3):
        station.case()
    assert plan_notifications(station.services) == 3
    station.told()
    shown = {one.login: one for one in claim_due(station.services, C.DESKTOP)}
    assert len(shown["ann"].tasks) == 4
    assert [len(row["assignment_ids"]) for row in station.rows(station.ann)] == [4, 4, 4]


def test_what_comes_within_a_minute_is_told_at_its_end_unless_it_is_urgent(station: Station):
    station.told()
    claim_due(station.services, C.DESKTOP)
    show_on_pages(station.services, [station.ann.id])
    visit = station.bureau.assignment_of(station.case(), Track.VISIT)
    station.bureau.do(sa.update(t.case).where(t.case.c.id == visit["case_id"]).values(grade=Grade.HIGH.value))
    plan_notifications(station.services)
    station.later(seconds=59)
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["ben"]
    station.later(seconds=1)
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["ann"]
    station.told()
    assert {one.login for one in claim_due(station.services, C.DESKTOP)} == {"ann", "ben"}


def test_a_unit_without_a_roster_is_not_told_of(station: Station):
    case_id = station.bureau.case_with_unit("五原分局", grade=Grade.EXTRA_HIGH)
    assert plan_notifications(station.services) == 0
    assert station.bureau.assignment_of(case_id)["notified_at"] is None


def test_who_is_disabled_is_not_told(station: Station):
    station.told()
    disabled = sa.update(t.staff).where(t.staff.c.login == "ann")
    station.bureau.do(disabled.values(disabled_at=station.bureau.clock.now()))
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["ben"]


def test_the_duty_chief_is_told_of_what_nobody_has_signed_for(station: Station, account: Account):
    chief = account("chen", role=Role.SUPERVISOR)
    station.load({"Chen": "值"}, kind=DutyKind.CHIEF)
    case_id = station.told()
    assert station.rows(chief) == []
    station.later(seconds=1)
    station.bureau.do(
        sa.update(t.assignment)
        .where(t.assignment.c.case_id == case_id, t.assignment.c.kind == "visit")
        .values(escalated_at=station.bureau.clock.now())
    )
    assert plan_notifications(station.services) == 1
    assert [row["channel"] for row in station.rows(chief)] == ["desktop"]


def test_an_agreed_call_is_not_told_of_before_its_time(station: Station):
    case_id = station.case()
    kept = station.bureau.clock.now() + 10 * MINUTE
    station.bureau.do(
        sa.update(t.assignment)
        .where(t.assignment.c.case_id == case_id)
        .values(call_at=kept, kept_until=kept, kept_for="ann")
    )
    assert plan_notifications(station.services) == 0
    station.later(minutes=10)
    assert plan_notifications(station.services) == 1


def test_who_presses_1_has_signed_for_the_visits(station: Station):
    case_id = station.told()
    station.later(minutes=5)
    [call] = claim_due(station.services, C.CALL)
    text, lang = answer_call(station.services, call.id)
    assert lang is Lang.ZH
    assert text.endswith("接受请按1。")
    assert accept_notification(station.services, call.id)[0] == "已接受，请登录系统查看，谢谢。"
    visit = station.bureau.assignment_of(case_id, Track.VISIT)
    assert (visit["state"], visit["signed_by"], visit["stage"]) == ("signed", "ann", "accepted")
    assert station.states(station.ann) == {"desktop": "dropped", "sms": "dropped", "call": "accepted"}
    assert [act["kind"] for act in station.acts(case_id, "notified", "notification_accepted", "visit_accepted")] == [
        "notified", "notification_accepted", "visit_accepted",
    ]  # fmt: skip
    assert accept_notification(station.services, call.id)[0] == "任务已由他人签收，谢谢。"
    assert apply_news(station.services, call.id, F.UNANSWERED)
    assert station.states(station.ann)["call"] == "accepted"


def test_a_call_about_work_that_somebody_took_says_so(station: Station):
    case_id = station.told()
    station.later(minutes=5)
    [call] = claim_due(station.services, C.CALL)
    visit = station.bureau.assignment_of(case_id, Track.VISIT)
    phone = PhoneAct(client_id=uuid.uuid4(), actor=station.ben.actor)
    take_step(station.services, visit["id"], VisitStage.ACCEPTED, phone=phone)
    assert answer_call(station.services, call.id)[0] == "任务已由他人签收，谢谢。"
    with pytest.raises(NotFound, match=r"^notification "):
        answer_call(station.services, uuid.uuid4())
    with pytest.raises(NotFound):
        accept_notification(station.services, uuid.uuid4())


def test_a_call_whose_end_nobody_reports_went_unanswered(station: Station):
    station.told()
    station.later(minutes=5)
    claim_due(station.services, C.CALL)
    station.later(minutes=5, seconds=1)
    end_lapsed(station.services)
    [row] = [row for row in station.rows(station.ann) if row["channel"] == "call"]
    assert row["fault"] == "unanswered"


def test_a_test_leaves_by_every_channel_and_is_nobodys_work(station: Station):
    channels = send_test(station.services, station.ann.actor, station.ann.id)
    assert channels == [C.DESKTOP, C.SMS, C.CALL]
    [call] = claim_due(station.services, C.CALL)
    assert "测试" in answer_call(station.services, call.id)[0]
    assert accept_notification(station.services, call.id)[0] == "测试完成，谢谢。"
    [text] = claim_due(station.services, C.SMS)
    record_failed(station.services, text, F.REFUSED)
    assert station.alarms() == []
    assert station.bureau.audited()[-1] == "notification_test"


_NO_CHANNEL = "no channel is left that could reach you (use one for which a number or address is entered)"
_NO_END = "does not end the quiet hours (enter both hours, or neither)"
_NO_MINUTES = "is not a number of minutes (0 to 1440, or empty where the channel is not used)"


@pytest.mark.parametrize(
    ("given", "field", "advice"),
    [
        ({"minutes": {C.SMS: "x"}}, "sms", _NO_MINUTES),
        ({"minutes": {C.SMS: "1441"}}, "sms", _NO_MINUTES),
        ({"minutes": {}}, "desktop", _NO_CHANNEL),
        ({"minutes": {C.SMS: "1"}, "telephone": ""}, "desktop", _NO_CHANNEL),
        ({"telephone": "12"}, "telephone", "is not a telephone number"),
        ({"quiet_from": "22:00"}, "quiet_to", _NO_END),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "quiet_to", _NO_END),
        ({"quiet_from": "25:00", "quiet_to": "7:00"}, "quiet_from", "is not a time of day (as 22:00)"),
        ({"url": "http://robot.example/x"}, "url", ""),
        ({"url": "https://127.0.0.1/x"}, "secret", "is empty"),
        ({"format": "fax"}, "format", "is not known (choose one of the list)"),
    ],
)
def test_rules_that_cannot_be_used_name_their_field(
    station: Station, given: dict[str, object], field: str, advice: str
):
    before = own_notifications(station.services, station.ann.id)[0]
    with pytest.raises(Invalid) as refused:
        station.set_rules(station.ann, **given)
    assert refused.value.field == field
    assert advice in {"", str(refused.value.advice)}
    assert own_notifications(station.services, station.ann.id)[0] == before


def test_quiet_hours_hold_back_all_but_the_highest_grade(station: Station):
    station.set_rules(station.ann, quiet_from="09:00", quiet_to="12:00")
    station.told(grade=Grade.EXTRA_HIGH)
    assert {one.login for one in claim_due(station.services, C.DESKTOP)} == {"ann", "ben"}
    visit = station.bureau.assignment_of(station.case(), Track.VISIT)
    station.bureau.do(sa.update(t.case).where(t.case.c.id == visit["case_id"]).values(grade=Grade.HIGH.value))
    plan_notifications(station.services)
    station.later(minutes=2)
    assert {one.login for one in claim_due(station.services, C.DESKTOP)} == {"ben"}
    station.later(hours=2)
    assert {one.login for one in claim_due(station.services, C.DESKTOP)} == {"ann"}


def test_rules_are_read_as_they_were_saved(station: Station):
    station.set_rules(
        station.ann, minutes={C.SMS: "1440", C.DESKTOP: "0"}, quiet_from="22:00", quiet_to="07:00"
    )
    personal, past = own_notifications(station.services, station.ann.id)
    assert dict(personal.rules.after) == {C.SMS: timedelta(days=1), C.DESKTOP: timedelta()}
    assert (str(personal.rules.quiet_from), str(personal.rules.quiet_to)) == ("22:00:00", "07:00:00")
    assert past == []
    [row] = station.bureau.rows(sa.select(t.notification_rules))
    assert b"13900009999" not in bytes(row["sealed"])


def day_and_night(station: Station) -> None:
    """Ann by day, Ben at night: it is ten in the morning."""
    station.load({"Ann": "白", "Ben": "夜"})


def test_who_is_off_duty_when_a_channel_is_due_is_not_told_and_who_has_come_on_is(station: Station):
    day_and_night(station)
    station.later(hours=7, minutes=28)
    station.told()
    for one in claim_due(station.services, C.DESKTOP):
        assert one.login == "ann"
        record_sent(station.services, [one])
    station.later(minutes=2)
    assert claim_due(station.services, C.SMS) == []
    assert station.states(station.ann)["sms"] == "dropped"
    assert plan_notifications(station.services) == 1
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["ben"]
    assert plan_notifications(station.services) == 0


def test_who_takes_a_shift_over_is_told_of_what_waits(station: Station, account: Account):
    day_and_night(station)
    cid = account("cid")
    station.told()
    station.later(seconds=1)
    take_shift(
        station.services,
        cid.actor,
        unit_id=station.bureau.unit[STATION],
        kind=DutyKind.OFFICER,
        instead_of=station.ann.id,
    )
    station.later(seconds=1)
    assert plan_notifications(station.services) == 1
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["cid"]


def test_who_goes_on_leave_now_is_told_no_more(station: Station):
    day_and_night(station)
    station.told()
    leave = DutyLeave(staff_id=station.ann.id, start=station.bureau.clock.now(), end=MORNING + 60 * MINUTE)
    chief = unrestricted("chief")
    seen = enter_leave(station.services, chief, leave, reason=LeaveReason.SICK, seen="")
    assert seen is not None
    enter_leave(station.services, chief, leave, reason=LeaveReason.SICK, seen=seal_of(seen))
    assert claim_due(station.services, C.DESKTOP) == []
    assert set(station.states(station.ann).values()) == {"dropped", "waiting"}


def test_of_a_unit_without_a_roster_the_people_on_duty_above_are_told(station: Station, account: Account):
    account("lin", role=Role.CALLER, unit="临河分局")
    station.load({"Lin": "值"}, kind=DutyKind.CALLER, unit="临河分局")
    case_id = station.case()
    assert plan_notifications(station.services) == 2
    told = {one.login: one.tasks[0].kind for one in claim_due(station.services, C.DESKTOP)}
    assert told == {"lin": Track.HUMAN, "ann": Track.VISIT, "ben": Track.VISIT}
    assert station.bureau.assignment_of(case_id, Track.HUMAN)["unit"] == STATION


def test_the_chief_of_the_unit_above_is_told_where_the_unit_has_none(station: Station, account: Account):
    account("chen", role=Role.SUPERVISOR, unit="市局")
    station.load({"Chen": "值"}, kind=DutyKind.CHIEF, unit="市局")
    case_id = station.told()
    visit = station.bureau.assignment_of(case_id, Track.VISIT)
    station.later(seconds=1)
    escalated = sa.update(t.assignment).where(t.assignment.c.id == visit["id"])
    station.bureau.do(escalated.values(escalated_at=station.bureau.clock.now()))
    assert plan_notifications(station.services) == 1
    assert "chen" in {one.login for one in claim_due(station.services, C.DESKTOP)}


@pytest.mark.parametrize("changed", [{"role": Role.CLERK.value}, {"unit": "五原分局"}])
def test_who_may_not_do_the_work_any_more_is_not_on_duty(station: Station, changed: dict[str, str]):
    values: dict[str, object] = dict(changed)
    if "unit" in changed:
        values = {"unit_id": station.bureau.unit[changed["unit"]]}
    station.bureau.do(sa.update(t.staff).where(t.staff.c.login == "ann").values(**values))
    station.told()
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["ben"]


def test_a_visit_that_has_not_begun_is_handed_over_at_the_end_of_the_shift(station: Station):
    day_and_night(station)
    station.later(hours=7, minutes=20)
    case_id, other_id = station.told(), station.case()
    begun, waits = (station.bureau.assignment_of(one, Track.VISIT)["id"] for one in (other_id, case_id))
    for visit_id in (waits, begun):
        phone = PhoneAct(client_id=uuid.uuid4(), actor=station.ann.actor)
        take_step(station.services, visit_id, VisitStage.ACCEPTED, phone=phone)
    phone = PhoneAct(client_id=uuid.uuid4(), actor=station.ann.actor)
    take_step(station.services, begun, VisitStage.ON_THE_WAY, phone=phone)
    station.later(minutes=9, seconds=59)
    escalate_unsigned(station.services)
    assert station.acts(case_id, "shift_ended") == []
    station.later(seconds=1)
    escalate_unsigned(station.services)
    [act] = station.acts(case_id, "shift_ended")
    assert act["facts"]["from"] == "ann"
    assert station.acts(other_id, "shift_ended") == []
    handed = station.bureau.assignment_of(case_id, Track.VISIT)
    assert (handed["state"], handed["unit"], handed["signed_by"]) == ("open", STATION, None)
    assert handed["rise_at"] == station.bureau.clock.now() + timedelta(seconds=180)
    plan_notifications(station.services)
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["ben"]


def test_who_signed_off_duty_keeps_the_visit(station: Station):
    day_and_night(station)
    case_id = station.told()
    visit_id = station.bureau.assignment_of(case_id, Track.VISIT)["id"]
    phone = PhoneAct(client_id=uuid.uuid4(), actor=station.ben.actor)
    take_step(station.services, visit_id, VisitStage.ACCEPTED, phone=phone)
    escalate_unsigned(station.services)
    assert station.bureau.assignment_of(case_id, Track.VISIT)["signed_by"] == "ben"


def test_a_task_that_another_session_has_locked_waits_for_the_next_round(station: Station):
    case_id = station.case()
    visit = station.bureau.assignment_of(case_id, Track.VISIT)
    locked = sa.select(t.assignment.c.id).where(t.assignment.c.id == visit["id"]).with_for_update()
    with station.bureau.tx() as tx:
        tx.rows(locked)
        assert plan_notifications(station.services) == 0
    assert plan_notifications(station.services) == 1


def test_a_page_shows_nothing_whose_shift_has_ended_since_it_was_sent(station: Station):
    day_and_night(station)
    station.later(hours=7, minutes=29, seconds=58)
    station.told()
    assert [one.login for one in claim_due(station.services, C.DESKTOP)] == ["ann"]
    station.later(seconds=2)
    assert show_on_pages(station.services, [station.ann.id]) == []
    assert station.states(station.ann)["desktop"] == "dropped"
