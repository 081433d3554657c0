"""Presence follows the work at a desk, is set by hand, and is ended by silence."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.core.access import Role, unrestricted
from dialer.core.errors import NotFound, NotPermitted
from dialer.core.presence import BreakReason, PresenceEvent, PresenceState
from dialer.core.values import Grade, OutcomeKind, TelephonyResult
from dialer.db import tables as t
from dialer.duty.presence import own_presence, say_presence, settle_presences
from dialer.duty.presence_store import delete_old_changes
from dialer.staff.store import Member, insert_member, set_staff
from dialer.telephony.callbacks import PersonLeg
from dialer.work.assignments import Assignment, Scope
from dialer.work.desk_calls import end_desk_call
from dialer.work.desk_store import add_desk_call, lock_desk_call
from dialer.work.tasks import (
    WorkReport,
    claim_next,
    release_assignment,
    renew_lease,
    report_assignment,
    return_idle_assignments,
    sign_assignment,
)
from tests.work.bureau import Bureau

EVENTS = PresenceEvent


def account(bureau: Bureau, login: str = "li", *, role: Role = Role.CALLER, unit: str = "") -> Member:
    with bureau.tx() as tx:
        member = insert_member(
            tx,
            login=login,
            display_name=login.title(),
            password_hash="",
            role=role,
            unit_id=bureau.unit[unit] if unit else None,
            language="zh",
            must_change=False,
            by="test",
            real_now=bureau.clock.now(),
        )
    assert member is not None
    return member


def say(bureau: Bureau, event: PresenceEvent, reason: BreakReason | None = None, by: str = "li") -> None:
    say_presence(bureau.services, unrestricted(by), event, reason=reason)


def state_of(bureau: Bureau, member: Member) -> PresenceState:
    return own_presence(bureau.services, member.id, is_there=False).presence.state


def changes(bureau: Bureau) -> list[tuple[str, str]]:
    rows = bureau.rows(sa.select(t.presence_change).order_by(t.presence_change.c.id))
    return [(row["state"], row["event"]) for row in rows]


def claim(bureau: Bureau, by: str = "li") -> Assignment:
    bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    task = claim_next(bureau.services, unrestricted(by), scope=Scope())
    assert task is not None
    return task


def begin_call(bureau: Bureau, task: Assignment, by: str = "li") -> uuid.UUID:
    call_id = uuid.uuid4()
    now = bureau.clock.now()
    [case] = bureau.rows(sa.select(t.case).where(t.case.c.id == task.case_id))
    fields: dict[str, Any] = {"number": 0, "extension": "8001", "by": by, "drill": False}
    with bureau.tx() as tx:
        add_desk_call(
            tx,
            call_id,
            assignment_id=task.id,
            case_id=task.case_id,
            person_id=case["person_id"],
            asked_at=now,
            asked_real_at=now,
            **fields,
        )
    return call_id


def end_call(bureau: Bureau, call_id: uuid.UUID, seconds: int = 30) -> None:
    with bureau.tx() as tx:
        leg = PersonLeg(result=TelephonyResult.ANSWERED, talk_seconds=seconds)
        end_desk_call(tx, bureau.services, lock_desk_call(tx, call_id), leg, settled=True)


def test_a_task_at_the_desk_sets_every_state(bureau: Bureau):
    li = account(bureau)
    say(bureau, EVENTS.FREE)
    task = claim(bureau)
    assert state_of(bureau, li) is PresenceState.ON_TASK
    call_id = begin_call(bureau, task)
    settle_presences(bureau.services)
    assert state_of(bureau, li) is PresenceState.ON_CALL
    bureau.later(seconds=30)
    end_call(bureau, call_id)
    assert state_of(bureau, li) is PresenceState.AFTER_WORK
    given = WorkReport(outcome=OutcomeKind.CANNOT_FIND_YET)
    report_assignment(bureau.services, unrestricted("li"), task.id, given, token=task.token)
    assert state_of(bureau, li) is PresenceState.FREE
    own = own_presence(bureau.services, li.id, is_there=False)
    assert (own.since, own.set_by) == (bureau.clock.now(), "")
    assert changes(bureau) == [
        ("free", "free"),
        ("on_task", "task_taken"),
        ("on_call", "call_began"),
        ("after_work", "call_ended"),
        ("free", "task_ended"),
    ]


def test_a_break_that_is_asked_for_during_a_task_begins_at_its_end(bureau: Bureau):
    li = account(bureau)
    task = claim(bureau)
    say(bureau, EVENTS.BREAK, BreakReason.MEAL)
    own = own_presence(bureau.services, li.id, is_there=False).presence
    assert (own.state, own.then, own.then_reason) == (
        PresenceState.ON_TASK,
        PresenceState.BREAK,
        BreakReason.MEAL,
    )
    release_assignment(bureau.services, unrestricted("li"), task.id, token=task.token, why="电话占线")
    own = own_presence(bureau.services, li.id, is_there=False).presence
    assert (own.state, own.reason, own.then) == (PresenceState.BREAK, BreakReason.MEAL, None)


def test_a_task_whose_lease_ends_ends_the_presence_too(bureau: Bureau):
    li = account(bureau)
    claim(bureau)
    bureau.later(seconds=bureau.services.work.lease_seconds + 1)
    return_idle_assignments(bureau.services)
    assert settle_presences(bureau.services) == 1
    assert state_of(bureau, li) is PresenceState.FREE
    bureau.later(seconds=bureau.services.work.silent_seconds)
    assert settle_presences(bureau.services) == 1
    assert state_of(bureau, li) is PresenceState.OFF


@pytest.mark.parametrize("event", [EVENTS.FREE, EVENTS.BREAK])
def test_silence_ends_what_was_set_by_hand_and_an_open_page_keeps_it(bureau: Bureau, event: PresenceEvent):
    li = account(bureau)
    say(bureau, event)
    silent = bureau.services.work.silent_seconds
    bureau.later(seconds=silent - 20)
    own_presence(bureau.services, li.id, is_there=True)
    bureau.later(seconds=silent)
    assert settle_presences(bureau.services) == 0
    bureau.later(seconds=1)
    assert settle_presences(bureau.services) == 1
    assert state_of(bureau, li) is PresenceState.OFF
    assert own_presence(bureau.services, li.id, is_there=True).set_by == "robot"
    assert settle_presences(bureau.services) == 0


def test_silence_during_a_call_ends_nothing(bureau: Bureau):
    """Somebody talks for long without a hand on the page."""
    li = account(bureau)
    task = claim(bureau)
    begin_call(bureau, task)
    settle_presences(bureau.services)
    for _ in range(5):
        bureau.later(seconds=60)
        renew_lease(bureau.services, unrestricted("li"), task.id, token=task.token)
    assert settle_presences(bureau.services) == 0
    assert state_of(bureau, li) is PresenceState.ON_CALL


def test_a_disabled_account_is_off(bureau: Bureau):
    li = account(bureau)
    say(bureau, EVENTS.FREE)
    with bureau.tx() as tx:
        set_staff(tx, li.id, disabled_at=bureau.clock.now())
    assert settle_presences(bureau.services) == 1
    assert state_of(bureau, li) is PresenceState.OFF


def test_an_officer_with_a_visit_in_hand_has_a_task(bureau: Bureau):
    chen = account(bureau, "chen", role=Role.OFFICER)
    case_id = bureau.case_with_unit("城关派出所")
    visit = bureau.assignment(case_id, kind="visit", unit_id=bureau.unit["城关派出所"])
    sign_assignment(bureau.services, unrestricted("chen"), visit)
    assert state_of(bureau, chen) is PresenceState.ON_TASK


def test_a_call_that_was_signed_for_by_hand_is_a_task(bureau: Bureau):
    li = account(bureau)
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    sign_assignment(bureau.services, unrestricted("li"), bureau.assignment_of(case_id)["id"])
    assert state_of(bureau, li) is PresenceState.ON_TASK
    assert settle_presences(bureau.services) == 0


def test_names_without_an_account_have_no_presence(bureau: Bureau):
    claim(bureau, "nobody")
    assert bureau.rows(sa.select(t.presence)) == []
    with pytest.raises(NotFound):
        say(bureau, EVENTS.FREE, by="nobody")


def test_only_who_works_on_cases_has_a_presence(bureau: Bureau):
    clerk = account(bureau, "zhao", role=Role.CLERK)
    with pytest.raises(NotPermitted):
        say_presence(bureau.services, clerk.actor, EVENTS.FREE)


def test_two_changes_at_once_are_both_heard(bureau: Bureau):
    li = account(bureau)
    say(bureau, EVENTS.FREE)
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda event: say(bureau, event), [EVENTS.BREAK, EVENTS.OFF]))
    [row] = bureau.rows(sa.select(t.presence))
    heard = [state for state, _ in changes(bureau)]
    assert heard in (["free", "break", "off"], ["free", "off", "break"])
    assert row["state"] == heard[-1] == state_of(bureau, li)


def test_the_same_said_again_changes_nothing(bureau: Bureau):
    li = account(bureau)
    say(bureau, EVENTS.FREE)
    since = bureau.clock.now()
    bureau.later(seconds=60)
    say(bureau, EVENTS.FREE)
    assert own_presence(bureau.services, li.id, is_there=False).since == since
    assert len(changes(bureau)) == 1


def test_old_changes_are_deleted(bureau: Bureau):
    account(bureau)
    say(bureau, EVENTS.FREE)
    with bureau.tx() as tx:
        delete_old_changes(tx, before=bureau.clock.now())
    assert len(changes(bureau)) == 1
    with bureau.tx() as tx:
        delete_old_changes(tx, before=bureau.clock.now() + timedelta(seconds=1))
    assert changes(bureau) == []
