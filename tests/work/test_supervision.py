"""What a supervisor sees of every desk, and a break or a sign-out that is forced."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.core.errors import Invalid, NotFound, NotPermitted
from dialer.core.presence import BreakReason, PresenceEvent, PresenceState
from dialer.core.values import Grade, OutcomeKind
from dialer.db import tables as t
from dialer.duty.presence import follow_work, own_presence, settle_presences
from dialer.staff.sign_in import open_session, recognise
from dialer.work.supervision import all_desks, days_of, force_break, force_sign_out, one_desk
from dialer.work.tasks import WorkReport, report_assignment
from tests.work.bureau import Bureau
from tests.work.test_presence import EVENTS, account, begin_call, claim, end_call, say, state_of


@pytest.fixture
def chief(bureau: Bureau) -> str:
    account(bureau, "wang", role=Role.SUPERVISOR)
    return "wang"


def states(bureau: Bureau, unit: str = "") -> list[tuple[str, PresenceState]]:
    found = all_desks(bureau.services, visible_to=bureau.unit[unit] if unit else None)
    return [(desk.login, desk.presence.state) for desk in found.desks]


def test_every_desk_is_shown_the_longest_free_first(bureau: Bureau):
    for login in ("li", "zhao", "sun"):
        account(bureau, login)
        say(bureau, EVENTS.FREE, by=login)
        bureau.later(seconds=10)
    account(bureau, "qian")
    say(bureau, EVENTS.BREAK, BreakReason.MEAL, by="zhao")
    task = claim(bureau, "sun")
    assert states(bureau) == [
        ("li", PresenceState.FREE),
        ("sun", PresenceState.ON_TASK),
        ("zhao", PresenceState.BREAK),
    ]
    found = all_desks(bureau.services, visible_to=None)
    sun = next(desk for desk in found.desks if desk.login == "sun")
    assert sun.task is not None
    assert (sun.task.case_id, sun.task.grade) == (task.case_id, Grade.EXTRA_HIGH)
    assert (found.count(PresenceState.FREE), found.waiting, found.oldest_at) == (1, 0, None)
    bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    assert all_desks(bureau.services, visible_to=None).waiting == 1


def test_a_supervisor_of_a_unit_sees_its_desks_alone(bureau: Bureau):
    account(bureau, "li", unit="临河分局")
    zhao = account(bureau, "zhao", unit="五原分局")
    for login in ("li", "zhao"):
        say(bureau, EVENTS.FREE, by=login)
    assert states(bureau, "临河分局") == [("li", PresenceState.FREE)]
    with pytest.raises(NotFound):
        one_desk(bureau.services, zhao.id, visible_to=bureau.unit["临河分局"])
    stranger = unrestricted("wu", unit_id=bureau.unit["临河分局"])
    for act in (
        lambda: force_break(bureau.services, stranger, zhao.id, reason=BreakReason.REST, why="累"),
        lambda: force_sign_out(bureau.services, stranger, zhao.id, why="累"),
    ):
        with pytest.raises(NotFound):
            act()
    assert state_of(bureau, zhao) is PresenceState.FREE


def test_the_numbers_of_the_day(bureau: Bureau):
    li = account(bureau)
    say(bureau, EVENTS.FREE)
    bureau.later(seconds=100)
    task = claim(bureau)
    call_id = begin_call(bureau, task)
    settle_presences(bureau.services)
    bureau.later(seconds=50)
    end_call(bureau, call_id)
    bureau.later(seconds=20)
    given = WorkReport(outcome=OutcomeKind.CANNOT_FIND_YET)
    report_assignment(bureau.services, unrestricted("li"), task.id, given, token=task.token)
    bureau.later(seconds=5)
    day = days_of(bureau.services, visible_to=None)[li.id]
    assert (day.work.calls, day.work.answered, day.work.reported, day.work.succeeded) == (1, 1, 1, 0)
    assert day.seconds == {
        PresenceState.FREE: 105.0,
        PresenceState.ON_TASK: 0.0,
        PresenceState.ON_CALL: 50.0,
        PresenceState.AFTER_WORK: 20.0,
    }
    one = one_desk(bureau.services, li.id, visible_to=None)
    assert one.day == day
    assert [change.state for change in one.changes][:2] == [PresenceState.FREE, PresenceState.AFTER_WORK]


def test_what_began_yesterday_counts_from_midnight(bureau: Bureau):
    li = account(bureau)
    bureau.later(hours=12)
    say(bureau, EVENTS.FREE)
    bureau.later(hours=3)
    own_presence(bureau.services, li.id, is_there=True)
    [seconds] = [day.seconds for day in days_of(bureau.services, visible_to=None).values()]
    assert seconds == {PresenceState.FREE: timedelta(hours=1).total_seconds()}


def test_a_break_is_forced_with_a_reason_that_its_person_reads(bureau: Bureau, chief: str):
    li = account(bureau)
    say(bureau, EVENTS.FREE)
    assert not force_break(
        bureau.services, unrestricted(chief), li.id, reason=BreakReason.MEETING, why="班前会"
    )
    own = own_presence(bureau.services, li.id, is_there=False)
    assert (own.presence.state, own.presence.reason) == (PresenceState.BREAK, BreakReason.MEETING)
    assert (own.set_by, own.why) == (chief, "班前会")
    assert "force_break" in bureau.audited()
    say(bureau, EVENTS.FREE)
    assert own_presence(bureau.services, li.id, is_there=False).why == ""


def test_a_break_that_is_forced_during_a_call_waits_for_the_end_of_the_task(bureau: Bureau, chief: str):
    li = account(bureau)
    begin_call(bureau, claim(bureau))
    settle_presences(bureau.services)
    assert force_break(bureau.services, unrestricted(chief), li.id, reason=BreakReason.REST, why="累了")
    own = own_presence(bureau.services, li.id, is_there=False).presence
    assert (own.state, own.then) == (PresenceState.ON_CALL, PresenceState.BREAK)


def test_who_is_signed_out_is_off_and_the_task_is_anybody_s(bureau: Bureau, chief: str):
    li = account(bureau)
    task = claim(bureau)
    with bureau.tx() as tx:
        token = open_session(tx, bureau.services, li, address="127.0.0.1")
    assert force_sign_out(bureau.services, unrestricted(chief), li.id, why="离岗") == 1
    assert recognise(bureau.services, token) is None
    assert state_of(bureau, li) is PresenceState.OFF
    assert bureau.assignment_of(task.case_id)["state"] == "open"
    assert bureau.acts_of(task.case_id) == ["claimed", "signed_out"]
    [line] = bureau.rows(sa.select(t.audit).where(t.audit.c.act == "force_sign_out"))
    assert line["subject"] == f"staff/{li.id}"


def test_who_is_signed_out_in_a_call_keeps_the_task_until_it_ends(bureau: Bureau, chief: str):
    """Somebody else would call a person who is being spoken with."""
    li = account(bureau)
    task = claim(bureau)
    call_id = begin_call(bureau, task)
    with bureau.tx() as tx:
        follow_work(tx, bureau.services, "li")
    assert force_sign_out(bureau.services, unrestricted(chief), li.id, why="离岗") == 0
    assert state_of(bureau, li) is PresenceState.ON_CALL
    assert bureau.assignment_of(task.case_id)["state"] == "signed"
    end_call(bureau, call_id)
    bureau.later(seconds=bureau.services.work.lease_seconds + 1)
    settle_presences(bureau.services)
    assert state_of(bureau, li) is PresenceState.OFF


def test_an_officer_who_is_signed_out_keeps_the_visits(bureau: Bureau, chief: str):
    chen = account(bureau, "chen", role=Role.OFFICER)
    case_id = bureau.case_with_unit("城关派出所")
    visit = bureau.assignment(case_id, kind="visit", state="signed", signed_by="chen")
    with bureau.tx() as tx:
        follow_work(tx, bureau.services, "chen")
    assert force_sign_out(bureau.services, unrestricted(chief), chen.id, why="手机丢失") == 0
    [row] = bureau.rows(sa.select(t.assignment).where(t.assignment.c.id == visit))
    assert row["signed_by"] == "chen"


@pytest.mark.parametrize("why", ["", "  "])
def test_a_reason_is_required(bureau: Bureau, chief: str, why: str):
    li = account(bureau)
    say(bureau, EVENTS.FREE)
    with pytest.raises(Invalid):
        force_break(bureau.services, unrestricted(chief), li.id, reason=BreakReason.REST, why=why)
    with pytest.raises(Invalid):
        force_sign_out(bureau.services, unrestricted(chief), li.id, why=why)
    assert state_of(bureau, li) is PresenceState.FREE


def test_only_supervisors_force_and_only_desks_that_ever_were_on(bureau: Bureau):
    li, qian = account(bureau), account(bureau, "qian")
    say(bureau, PresenceEvent.FREE)
    with pytest.raises(NotPermitted):
        force_break(bureau.services, qian.actor, li.id, reason=BreakReason.REST, why="累")
    with pytest.raises(NotPermitted):
        force_sign_out(bureau.services, qian.actor, li.id, why="累")
    with pytest.raises(NotFound):
        force_sign_out(bureau.services, unrestricted("wang"), qian.id, why="累")
