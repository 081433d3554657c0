"""Claims of the desk: one task at a time, by urgency, under a lease; idle work returns to the queue."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import cast

import pytest
import sqlalchemy as sa

from dialer.cases.store import words_of_case
from dialer.core.access import Role, unrestricted
from dialer.core.case import StopResult
from dialer.core.errors import Invalid, Overtaken
from dialer.core.values import Contact, Grade, OutcomeKind, ScammerContact, Track
from dialer.db import tables as t
from dialer.org.account_changes import ask_change, confirm_change, list_changes
from dialer.org.accounts import add_staff, change_staff, disable_staff, get_account
from dialer.telephony.client import DeskClient
from dialer.work.assignments import Assignment, Scope, get_assignment, waiting_assignments, waiting_call_backs
from dialer.work.desk import complete_stop_payment, read_task_state, task_in_hand
from dialer.work.desk_calls import settle_desk_calls
from dialer.work.desk_store import BusyKind
from dialer.work.stop_requests import report_paid
from dialer.work.tasks import (
    WorkReport,
    claim_next,
    release_assignment,
    renew_lease,
    report_assignment,
    return_idle_assignments,
    return_work_of,
    schedule_call_back,
    sign_assignment,
)
from dialer.work.transfers import escalate_unsigned
from tests.work.bureau import Bureau

CENTRE = Scope()


def claim(bureau: Bureau, by: str = "li", scope: Scope = CENTRE) -> Assignment:
    task = claim_next(bureau.services, unrestricted(by), scope=scope)
    assert task is not None
    return task


def report(bureau: Bureau, task: Assignment, by: str, **more: object) -> int:
    return report_assignment(
        bureau.services,
        unrestricted(by),
        task.id,
        WorkReport(outcome=OutcomeKind.CANNOT_FIND_YET, **more),  # type: ignore[arg-type]
        token=task.token,
    )


def test_each_caller_claims_the_most_urgent_free_task(bureau: Bureau):
    first = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    bureau.later(seconds=5)
    second = bureau.case_with_unit("五原分局", grade=Grade.EXTRA_HIGH)
    assert claim(bureau, "li").case_id == first
    assert claim(bureau, "wang").case_id == second
    assert claim_next(bureau.services, unrestricted("zhao"), scope=CENTRE) is None
    assert bureau.acts_of(first) == ["claimed"]


def test_claiming_again_gives_the_task_in_hand(bureau: Bureau):
    for _ in range(2):
        bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    task = claim(bureau)
    again = claim(bureau)
    assert (again.id, again.token) == (task.id, task.token)


def test_concurrent_claims_never_share_a_task(bureau: Bureau):
    cases = [bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH) for _ in range(6)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        tasks = list(
            pool.map(
                lambda n: claim_next(bureau.services, unrestricted(f"desk{n}"), scope=CENTRE),
                range(len(cases)),
            )
        )
    assert sorted(task.case_id for task in tasks if task) == sorted(cases)


@pytest.mark.parametrize(("known", "tasks"), [(False, 1), (True, 0)])
def test_who_reports_a_defrauded_person_opens_a_stop_payment_unless_one_is_known(
    bureau: Bureau, known: bool, tasks: int
):
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    if known:
        assert report_paid(bureau.services, unrestricted("zhao"), case_id)
        assert not report_paid(bureau.services, unrestricted("zhao"), case_id)
        [waiting] = bureau.rows(sa.select(t.stop_payment))
        complete_stop_payment(bureau.services, unrestricted("zhao"), waiting["id"], result=StopResult.ASKED)
    given = WorkReport(
        outcome=OutcomeKind.ALREADY_DEFRAUDED, scammer_contact=ScammerContact.YES, contact=Contact.UNVERIFIED
    )
    task = claim(bureau)
    report_assignment(bureau.services, unrestricted("li"), task.id, given, token=task.token)
    waits = bureau.rows(sa.select(t.stop_payment).where(t.stop_payment.c.done_at.is_(None)))
    assert [row["case_id"] for row in waits] == [case_id] * tasks


def test_a_button_that_is_pressed_twice_claims_one_task(bureau: Bureau):
    for _ in range(8):
        bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    with ThreadPoolExecutor(max_workers=4) as pool:
        tasks = list(pool.map(lambda _: claim(bureau).id, range(8)))
    assert len(set(tasks)) == 1


def test_a_caller_claims_only_work_of_his_unit_and_below(bureau: Bureau):
    station = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    assert (
        claim_next(bureau.services, unrestricted("wang"), scope=Scope(unit_id=bureau.unit["五原分局"]))
        is None
    )
    task = claim(bureau, "li", Scope(unit_id=bureau.unit["临河分局"]))
    assert task.case_id == station


def test_work_without_a_unit_waits_at_the_centre(bureau: Bureau):
    case_id = bureau.open_case(grade=Grade.EXTRA_HIGH)
    assert (
        claim_next(bureau.services, unrestricted("wang"), scope=Scope(unit_id=bureau.unit["临河分局"]))
        is None
    )
    assert claim(bureau, "li", Scope(unit_id=bureau.unit["市局"])).case_id == case_id


def test_a_task_shows_who_has_signed_for_work_of_the_same_case(bureau: Bureau):
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    sign_assignment(
        bureau.services, unrestricted("officer"), bureau.assignment_of(case_id, Track.VISIT)["id"]
    )
    state = read_task_state(bureau.services, claim(bureau).id, by="li", scope=CENTRE)
    assert [(one.busy, one.who) for one in state.beside] == [(BusyKind.OFFICER, "officer")]


def test_a_heartbeat_renews_the_lease_and_without_one_it_ends(bureau: Bureau):
    bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    task = claim(bureau)
    for _ in range(30):
        bureau.later(seconds=80)
        renew_lease(bureau.services, unrestricted("li"), task.id, token=task.token)
        assert return_idle_assignments(bureau.services) == 0
    bureau.later(seconds=91)
    assert return_idle_assignments(bureau.services) == 1
    assert return_idle_assignments(bureau.services) == 0
    assert bureau.acts_of(task.case_id) == ["claimed", "lapsed"]
    with pytest.raises(Overtaken):
        renew_lease(bureau.services, unrestricted("li"), task.id, token=task.token)


def test_a_stale_report_says_who_has_it_now_and_needs_no_record(bureau: Bureau):
    bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    stale = claim(bureau, "li")
    bureau.later(seconds=91)
    return_idle_assignments(bureau.services)
    fresh = claim(bureau, "wang")
    with pytest.raises(Overtaken) as conflict:
        report(bureau, stale, "li")
    assert (conflict.value.who, conflict.value.what) == ("wang", "signed")
    report(bureau, fresh, "wang", note="电话里有人大喊")
    with pytest.raises(Overtaken) as conflict:
        report(bureau, fresh, "li")
    assert (conflict.value.who, conflict.value.what) == ("wang", "cannot_find_yet")
    with bureau.tx() as tx:
        assert [word.words for word in words_of_case(tx, stale.case_id)] == ["电话里有人大喊"]


def test_the_token_of_a_claim_does_not_let_others_report(bureau: Bureau):
    bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    task = claim(bureau, "li")
    with pytest.raises(Overtaken) as conflict:
        report(bureau, task, "wang")
    assert (conflict.value.who, conflict.value.what) == ("li", "signed")
    report(bureau, task, "li")


def test_open_work_is_not_reported_under_a_token(bureau: Bureau):
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    with bureau.tx() as tx:
        assignment = get_assignment(tx, bureau.assignment_of(case_id, Track.HUMAN)["id"])
    with pytest.raises(Overtaken):
        report(bureau, assignment, "li")


def test_a_claim_after_a_lapse_has_a_new_token(bureau: Bureau):
    bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    first = claim(bureau)
    bureau.later(seconds=91)
    return_idle_assignments(bureau.services)
    claim(bureau)
    with pytest.raises(Overtaken):
        report(bureau, first, "li")


def test_release_needs_a_reason(bureau: Bureau):
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    task = claim(bureau)
    with pytest.raises(Invalid):
        release_assignment(bureau.services, unrestricted("li"), task.id, token=task.token, why=" ")
    release_assignment(bureau.services, unrestricted("li"), task.id, token=task.token, why="下班")
    row = bureau.assignment_of(case_id)
    assert (row["state"], row["signed_by"], row["signed_at"], row["lease_until"]) == (
        "open",
        None,
        None,
        None,
    )
    assert claim(bureau, "wang").case_id == case_id


def test_idle_work_returns_to_the_queue_and_is_escalated(bureau: Bureau):
    case_id = bureau.case_with_unit("市局", grade=Grade.EXTRA_HIGH)
    for row in bureau.assignments_of(case_id):
        sign_assignment(bureau.services, unrestricted("li"), row["id"])
    bureau.later(minutes=29)
    assert return_idle_assignments(bureau.services) == 0
    bureau.later(hours=2)
    assert return_idle_assignments(bureau.services) == 2
    escalate_unsigned(bureau.services)
    assert bureau.alarms_of(case_id)["unsigned"] == 2


def test_the_work_of_a_disabled_account_returns_to_the_queue(bureau: Bureau):
    mine = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    other = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    for row in bureau.assignments_of(mine):
        sign_assignment(bureau.services, unrestricted("li"), row["id"])
    sign_assignment(bureau.services, unrestricted("wang"), bureau.assignment_of(other)["id"])
    assert return_work_of(bureau.services, unrestricted("admin"), "li") == 2
    assert {row["state"] for row in bureau.assignments_of(mine)} == {"open"}
    assert bureau.assignment_of(other)["signed_by"] == "wang"
    assert bureau.acts_of(mine) == ["account_disabled"] * 2


def test_a_call_back_waits_for_its_time_and_is_kept_for_its_caller(bureau: Bureau):
    case_id = bureau.case_with_unit("市局", grade=Grade.EXTRA_HIGH)
    task = claim(bureau, "li")
    at = bureau.clock.now() + timedelta(hours=1)
    schedule_call_back(bureau.services, unrestricted("li"), task.id, token=task.token, at=at, note="在开会")
    with bureau.tx() as tx:
        (agreed,) = waiting_call_backs(tx, scope=CENTRE)
    assert (agreed.id, agreed.case_id, agreed.call_at, agreed.kept_for) == (
        task.id,
        case_id,
        at,
        "li",
    )
    assert claim_next(bureau.services, unrestricted("li"), scope=CENTRE) is None
    bureau.later(minutes=59)
    for row in bureau.assignments_of(case_id):
        if row["kind"] == "visit":
            sign_assignment(bureau.services, unrestricted("officer"), row["id"])
    assert escalate_unsigned(bureau.services) == 0
    bureau.later(minutes=1)
    fresh = bureau.case_with_unit("市局", grade=Grade.EXTRA_HIGH)
    assert claim(bureau, "wang").case_id == fresh
    assert claim(bureau, "li").case_id == case_id
    assert bureau.acts_of(case_id) == ["claimed", "call_back", "claimed"]


def test_a_missed_call_back_is_free_for_anybody(bureau: Bureau):
    case_id = bureau.case_with_unit("市局", grade=Grade.EXTRA_HIGH)
    task = claim(bureau, "li")
    at = bureau.clock.now() + timedelta(minutes=30)
    schedule_call_back(bureau.services, unrestricted("li"), task.id, at=at)
    bureau.later(minutes=39)
    assert claim_next(bureau.services, unrestricted("wang"), scope=CENTRE) is None
    bureau.later(minutes=1)
    escalate_unsigned(bureau.services)
    assert bureau.alarms_of(case_id)["unsigned"] >= 1
    assert claim(bureau, "wang").case_id == case_id


@pytest.mark.parametrize("minutes", [-1, 0, 31 * 24 * 60])
def test_a_call_back_is_within_thirty_days(bureau: Bureau, minutes: int):
    bureau.case_with_unit("市局", grade=Grade.EXTRA_HIGH)
    task = claim(bureau)
    with pytest.raises(Invalid):
        schedule_call_back(
            bureau.services, unrestricted("li"), task.id, at=bureau.clock.now() + timedelta(minutes=minutes)
        )
    with bureau.tx() as tx:
        assert get_assignment(tx, task.id).signed_by == "li"


def test_the_list_of_one_kind(bureau: Bureau):
    case_id = bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)
    with bureau.tx() as tx:
        assert {waiting_assignment.kind for waiting_assignment in waiting_assignments(tx)} == {
            Track.HUMAN,
            Track.VISIT,
        }
        assert [
            waiting_assignment.case_id for waiting_assignment in waiting_assignments(tx, kind=Track.HUMAN)
        ] == [case_id]


def test_disabling_an_account_returns_its_work_at_once(bureau: Bureau):
    for login, role in (("admin", Role.ADMINISTRATOR), ("li", Role.CALLER)):
        add_staff(
            bureau.services,
            unrestricted("cli"),
            login=login,
            display_name=login,
            role=role,
            unit_id=None,
            language="zh",
        )
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)
    claim(bureau, "li")
    disable_staff(bureau.services, unrestricted("admin"), "li")
    assert bureau.assignment_of(case_id)["state"] == "open"
    assert bureau.acts_of(case_id) == ["claimed", "account_disabled"]


def test_who_gets_another_role_or_unit_leaves_the_work_to_those_who_may_do_it(bureau: Bureau):
    add = partial(add_staff, bureau.services, unrestricted("cli"), display_name="x", language="zh")
    add(login="admin", role=Role.ADMINISTRATOR, unit_id=None)
    add(login="guard", role=Role.SECURITY_ADMINISTRATOR, unit_id=None)
    add(login="li", role=Role.CALLER, unit_id=bureau.unit["临河分局"])
    case_id = bureau.case_with_unit("临河分局", grade=Grade.EXTRA_HIGH)

    def change(name: str, unit: str) -> bool:
        with bureau.tx() as tx:
            revision = get_account(tx, "li").revision
        done = ask_change(
            bureau.services,
            unrestricted("admin"),
            "li",
            display_name=name,
            role=Role.CALLER,
            unit_id=bureau.unit[unit],
            revision=revision,
            why="调动",
        )
        if not done:
            [waiting] = list_changes(bureau.services, visible_to=None)
            confirm_change(bureau.services, unrestricted("guard"), waiting.change.id)
        return done

    task = claim(bureau, "li", Scope(unit_id=bureau.unit["临河分局"]))
    assert change("y", "临河分局")
    assert task_in_hand(bureau.services, by="li") == task.id
    # His desk said that the page is not there until the lease had run out.
    assert not change("y", "五原分局")
    assert task_in_hand(bureau.services, by="li") is None
    assert bureau.acts_of(case_id) == ["claimed", "account_disabled"]
    # A clerk goes on no visit, and nobody else could until it was overdue.
    visit = bureau.assignment_of(case_id, Track.VISIT)["id"]
    sign_assignment(bureau.services, unrestricted("li"), visit)
    with bureau.tx() as tx:
        revision = get_account(tx, "li").revision
    change_staff(
        bureau.services,
        unrestricted("cli"),
        "li",
        display_name="y",
        role=Role.CLERK,
        unit_id=None,
        revision=revision,
    )
    assert bureau.assignment_of(case_id, Track.VISIT)["state"] == "open"


class SilentCarrier:
    """It never tells of the second leg."""

    async def second_leg(self, _sid: str) -> None:
        return None


@pytest.mark.parametrize(("ended_ago", "settled"), [(5, 0), (299, 0), (301, 1)])
async def test_the_carrier_is_asked_for_the_second_leg_until_a_while_after_the_end(
    bureau: Bureau, ended_ago: int, settled: int
):
    """Of a long talk nothing was left when the first answer of the carrier was late."""
    bureau.open_case(grade=Grade.EXTRA_HIGH)
    task = claim(bureau, "li")
    bureau.talked(task.id, seconds=None)
    bureau.later(seconds=360 + ended_ago)
    ended_at = bureau.clock.now() - timedelta(seconds=ended_ago)
    bureau.do(
        sa.update(t.desk_call).values(
            state="ended",
            sid="CA1",
            result="unknown",
            ended_at=ended_at,
            asked_real_at=bureau.clock.now() - timedelta(seconds=360 + ended_ago),
        )
    )
    client = cast("DeskClient", SilentCarrier())
    assert await settle_desk_calls(bureau.services, client) == settled
