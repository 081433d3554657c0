"""People ring us back: the real carrier, signed webhooks and real rows; rings are counted at the carrier."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest
import sqlalchemy as sa

from carrier.people import Behaviour, Pickup
from dialer.cases.persons import person_of_case
from dialer.control.consistency import count_leaked_numbers
from dialer.core.access import DESK, Role, unrestricted
from dialer.core.case import CaseStatus, InboundResult, InboundState, Reason
from dialer.core.rates import Period
from dialer.core.values import Contact, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.work.assignments import Scope, assignment_claimed_by, get_assignment
from dialer.work.desk import show_task
from dialer.work.inbound import connect_inbound_call, end_inbound_call, end_inbound_leg, next_inbound_turn
from dialer.work.tasks import NoCall, WorkReport, claim_next, report_assignment
from tests.figures.sources import figures
from tests.story.world import DESK_NUMBER, World

AT_DESK = "8001"
WAITS = Behaviour(name="waits", share=1, pickup=Pickup.NO_ANSWER, waits_seconds=600)
TALKS = Behaviour(
    name="talks",
    share=1,
    ring_after_seconds=(1, 1),
    answer_after_seconds=(2, 2),
    hang_up_after_seconds=(40, 40),
)
BUSY = Behaviour(name="busy", share=1, pickup=Pickup.BUSY)
NOT_THERE = Behaviour(name="not there", share=1, pickup=Pickup.NO_ANSWER)


def seat(w: World, login: str = "li", extension: str = AT_DESK, desk: Behaviour = TALKS) -> None:
    """A caller who is signed in, with a telephone that behaves so."""
    now = datetime.now(UTC)
    w.scene.do(
        sa.insert(t.staff).values(
            login=login,
            display_name=login,
            password_hash="-",
            role=Role.CALLER.value,
            must_change=False,
            created_at=now,
            created_by="test",
            password_at=now,
            extension=extension,
        )
    )
    w.scene.do(
        sa.insert(t.staff_session).values(
            staff_id=sa.select(t.staff.c.id).where(t.staff.c.login == login).scalar_subquery(),
            token_hash=login.encode().ljust(32, b"."),
            address="127.0.0.1",
            created_at=now,
            seen_at=now,
            expires_at=now.replace(year=now.year + 1),
        )
    )
    w.carrier.line.assign(extension, desk)  # type: ignore[attr-defined]  # it is simulated here


def duty(w: World, behaviour: Behaviour) -> None:
    w.carrier.line.assign(DESK_NUMBER, behaviour)  # type: ignore[attr-defined]


def person_calls_in(w: World, case_id: int, **behaviour: Any) -> None:  # noqa: ANN401 - fields of a behaviour
    with w.scene.tx() as tx:
        person_id = w.scene.case_of(case_id) and tx.scalar(
            sa.select(t.case.c.person_id).where(t.case.c.id == case_id)
        )
    number = numbers(w)[person_id]
    calls = replace(WAITS, **behaviour)
    w.carrier.line.call_in(number, calls)  # type: ignore[attr-defined]


def numbers(w: World) -> dict[int, str]:
    found = {}
    with w.scene.tx() as tx:
        for row in tx.rows(sa.select(t.case.c.id, t.case.c.person_id)):
            person = person_of_case(tx, row["id"])
            assert person is not None
            found[row["person_id"]] = person.phones[0]
    return found


def calls(w: World) -> list[dict[str, Any]]:
    return w.scene.rows(sa.select(t.inbound_call).order_by(t.inbound_call.c.arrived_at))


async def until(w: World, **values: object) -> dict[str, Any]:
    """The only call to us, once its columns are these."""

    def found() -> bool:
        return any(all(call[name] == value for name, value in values.items()) for call in calls(w))

    await w.until(found, dialling=False)
    (call,) = calls(w)
    return call


async def test_the_person_reaches_a_free_desk_with_the_case_open(w: World):
    seat(w)
    case_id = w.open_case(grade=Grade.HIGH, behaviour=WAITS)
    person_calls_in(w, case_id)
    await until(w, state=InboundState.JOINED.value)
    with w.scene.tx() as tx:
        task_id = assignment_claimed_by(tx, "li", real_now=w.scene.services.real.now())
        assert task_id is not None
        assert get_assignment(tx, task_id).case_id == case_id
    view = show_task(w.scene.services, task_id, by="li", scope=Scope())
    assert view.opened is not None, "the caller sees whom he talks with"
    # It is no contact yet, and the robot does not call.
    assert w.scene.case_of(case_id).contact is Contact.NONE
    assert w.attempt(case_id)["state"] == "ended"
    assert w.claim() == []
    with pytest.raises(NoCall):
        # The talk is not over: nothing proves it yet.
        report_assignment(
            w.scene.services,
            unrestricted("li"),
            task_id,
            WorkReport(outcome=OutcomeKind.HALF_BELIEVES, contact=Contact.VERIFIED),
        )
    call = await until(w, state=InboundState.ENDED.value)
    assert call["result"] == InboundResult.JOINED.value
    assert 20 <= call["talk_seconds"] <= 60
    report_assignment(
        w.scene.services, unrestricted("li"), task_id, WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE)
    )
    case = w.scene.case_of(case_id)
    assert case.contact is Contact.VERIFIED
    assert case.status is CaseStatus.WATCHING
    assert w.held_numbers() == 0
    assert w.all_attempts == 0, "nobody was called"


async def test_a_planned_robot_call_stands_down_and_the_report_counts_who_called_back(w: World):
    duty(w, TALKS)
    hurried = replace(
        WAITS, pickup=Pickup.ANSWERED, hang_up_after_seconds=(1, 1), answer_after_seconds=(1, 1)
    )
    case_id = w.open_case(grade=Grade.MEDIUM, behaviour=hurried)
    await w.until_over(case_id)
    assert w.newest(case_id)["state"] != "ended", "the robot would call again"
    person_calls_in(w, case_id)
    call = await until(w, state=InboundState.ENDED.value)
    assert call["by"] == DESK
    assert w.newest(case_id)["result"] == "canceled"
    (task,) = w.scene.assignments_of(case_id)
    assert (task["reason"], task["signed_by"]) == (Reason.CALLED_IN.value, DESK)
    with w.scene.tx() as tx:
        counted = figures(tx, Period(), drill=w.scene.drill, now=w.scene.services.clock.now()).total.counts
    assert (counted.cases_called_back, counted.cases_rung, counted.verified_contact) == (1, 1, 0)
    assert w.all_attempts == 1


async def test_a_hidden_number_is_asked_for_and_a_typed_one_stops_no_robot(w: World):
    seat(w)
    case_id = w.open_case(behaviour=WAITS)
    person_calls_in(w, case_id, hides_number=True)
    call = await until(w, state=InboundState.JOINED.value)
    assert call["case_id"] == case_id
    assert call["number"] is None
    assert w.attempt(case_id)["state"] != "ended"
    assert w.held_numbers() == 0


async def test_a_caller_of_whom_no_case_is_known_reaches_the_duty_line(w: World):
    seat(w)
    duty(w, TALKS)
    w.carrier.line.call_in("+8613900001234", replace(WAITS, keys=()))  # type: ignore[attr-defined]
    call = await until(w, state=InboundState.ENDED.value)
    assert call["case_id"] is None
    assert call["asked"] == 2
    assert (call["by"], call["result"]) == (DESK, InboundResult.JOINED.value)


async def test_without_a_case_and_without_an_officer_the_call_ends(w: World):
    duty(w, BUSY)
    w.carrier.line.call_in("+8613900001234", WAITS)  # type: ignore[attr-defined]
    call = await until(w, state=InboundState.ENDED.value)
    assert call["result"] == InboundResult.NO_CASE.value


async def test_nobody_is_free_so_the_call_back_stands_at_the_top_of_the_queue(w: World):
    duty(w, BUSY)
    first = w.open_case(grade=Grade.EXTRA_HIGH, behaviour=WAITS)
    case_id = w.open_case(grade=Grade.LOW, behaviour=WAITS)
    person_calls_in(w, case_id)
    call = await until(w, state=InboundState.ENDED.value)
    assert call["result"] == InboundResult.CALL_BACK.value
    waited = call["ended_at"] - call["arrived_at"]
    assert waited.total_seconds() >= w.scene.services.inbound.wait_seconds
    task = claim_next(w.scene.services, unrestricted("li"), scope=Scope())
    assert task is not None
    assert (task.case_id, task.reason) == (case_id, Reason.CALLED_IN)
    following = claim_next(w.scene.services, unrestricted("wang"), scope=Scope())
    assert following is not None
    assert following.case_id == first
    assert w.held_numbers() == 0
    with w.scene.tx() as tx:
        assert count_leaked_numbers(tx) == 0


async def test_a_desk_that_does_not_answer_is_followed_by_the_next_one(w: World):
    seat(w, "li", "8001", NOT_THERE)
    seat(w, "wang", "8003", TALKS)
    case_id = w.open_case(behaviour=WAITS)
    person_calls_in(w, case_id)
    call = await until(w, state=InboundState.JOINED.value)
    assert call["by"] == "wang"
    (task,) = w.scene.assignments_of(case_id)
    assert task["signed_by"] == "wang"


async def test_who_claims_the_task_meanwhile_gets_the_call(w: World):
    duty(w, BUSY)
    case_id = w.open_case(behaviour=WAITS)
    person_calls_in(w, case_id)
    await until(w, state=InboundState.WAITING.value)
    seat(w, "wang", "8003", TALKS)
    task = claim_next(w.scene.services, unrestricted("wang"), scope=Scope())
    assert task is not None
    assert task.case_id == case_id
    call = await until(w, state=InboundState.JOINED.value)
    assert call["by"] == "wang"


async def test_two_people_call_at_once_and_each_has_a_desk(w: World):
    seat(w, "li", "8001", TALKS)
    seat(w, "wang", "8003", TALKS)
    cases = [w.open_case(behaviour=WAITS) for _ in range(2)]
    for case_id in cases:
        person_calls_in(w, case_id)
    await w.until(
        lambda: sum(call["state"] == InboundState.JOINED.value for call in calls(w)) == 2, dialling=False
    )
    assert {call["by"] for call in calls(w)} == {"li", "wang"}


async def test_the_person_gives_up_in_line_and_the_call_back_stays(w: World):
    duty(w, BUSY)
    case_id = w.open_case(behaviour=WAITS)
    person_calls_in(w, case_id, waits_seconds=20)
    call = await until(w, state=InboundState.ENDED.value)
    assert call["result"] == InboundResult.GAVE_UP.value
    (task,) = w.scene.assignments_of(case_id)
    assert (task["state"], task["reason"]) == ("open", Reason.CALLED_IN.value)
    assert w.held_numbers() == 0


async def test_outside_the_hours_the_duty_officer_alone_is_called(w: World):
    seat(w)
    case_id = w.open_case(behaviour=WAITS)
    number = numbers(w)[w.scene.rows(sa.select(t.case.c.person_id))[0]["person_id"]]
    closed = w.scene.services.inbound.model_copy(update={"opens": time(1), "closes": time(2)})
    at_night = replace(w.scene.services, inbound=closed)
    turn = await asyncio.to_thread(next_inbound_turn, at_night, "CA1", caller=number, duty_line=DESK_NUMBER)
    assert turn.rings == DESK_NUMBER
    (call,) = calls(w)
    assert (call["by"], call["case_id"]) == (DESK, case_id)


async def test_a_repeated_and_a_late_webhook_change_nothing(w: World):
    seat(w)
    case_id = w.open_case(behaviour=WAITS)
    person_calls_in(w, case_id)
    call = await until(w, state=InboundState.ENDED.value)
    services, sid = w.scene.services, call["sid"]
    for _ in range(2):
        assert next_inbound_turn(services, sid, caller="+8613900001234", duty_line=DESK_NUMBER).rings == ""
        await asyncio.to_thread(connect_inbound_call, services, sid, step=1)
        await asyncio.to_thread(end_inbound_call, services, sid)
        end_inbound_leg(
            services, sid, step=1, answered=False, talk_seconds=None, has_left=True, duty_line=DESK_NUMBER
        )
    assert calls(w) == [call]
    kinds = w.scene.rows(sa.select(t.event.c.kind).where(t.event.c.case_id == case_id))
    assert sorted(row["kind"] for row in kinds if row["kind"].startswith("call")) == [
        "call_in_ended",
        "called_in",
    ]
