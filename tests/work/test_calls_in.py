"""Calls of people to us, webhook by webhook: repeated, late and lost ones, whose turn it is in the queue, and whose
desk.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa

from dialer.cases.persons import person_of_case
from dialer.core.access import DESK, Role, unrestricted
from dialer.core.case import InboundResult, InboundState, RobotState, StaffTrackState
from dialer.core.errors import Conflict
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind
from dialer.db import tables as t
from dialer.scripts.inbound import InboundPrompt
from dialer.telephony.client import DeskClient
from dialer.telephony.webhooks import InboundTurn
from dialer.work.assignments import Scope, keep_for_caller, release_assignments
from dialer.work.desk_calls import dial_from_desk
from dialer.work.inbound import connect_inbound_call, end_inbound_call, end_inbound_leg, next_inbound_turn
from dialer.work.tasks import NoCall, WorkReport, claim_next, report_assignment
from tests.work.bureau import Bureau

DUTY = "8000"
CENTRE = Scope()


def seat(bureau: Bureau, login: str, extension: str, *, unit: str = "") -> None:
    """A caller of the unit who is signed in."""
    now = bureau.clock.now()
    staff = bureau.put(
        t.staff,
        login=login,
        display_name=login,
        password_hash="-",
        role=Role.CALLER.value,
        must_change=False,
        created_at=now,
        created_by="test",
        password_at=now,
        extension=extension,
        unit_id=bureau.unit[unit] if unit else None,
    )
    bureau.do(
        sa.insert(t.staff_session).values(
            staff_id=staff,
            token_hash=login.encode().ljust(32, b"."),
            address="127.0.0.1",
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(days=1),
        )
    )


def number_of(bureau: Bureau, case_id: int) -> str:
    with bureau.tx() as tx:
        person = person_of_case(tx, case_id)
    assert person is not None
    return person.phones[0]


def case_of(bureau: Bureau, *, unit: str = "", grade: Grade = Grade.MEDIUM) -> tuple[int, str]:
    """An open case and the number of its person."""
    bureau.people = getattr(bureau, "people", 0) + 1  # type: ignore[attr-defined]
    phone = f"+86139000020{bureau.people:02d}"  # type: ignore[attr-defined]
    case_id = bureau.open_case(grade=grade, person_id=bureau.person(name=f"某{phone}", phones=(phone,)))
    if unit:
        bureau.do(sa.update(t.case).where(t.case.c.id == case_id).values(unit_id=bureau.unit[unit]))
    return case_id, phone


def arrives(bureau: Bureau, sid: str = "CA1", caller: str = "", **more: Any) -> InboundTurn:  # noqa: ANN401 - whatever its caller gives
    return next_inbound_turn(bureau.services, sid, caller=caller, duty_line=DUTY, **more)


def dial_ends(bureau: Bureau, step: int, sid: str = "CA1", **more: Any) -> InboundTurn:  # noqa: ANN401 - whatever its caller gives
    told: dict[str, Any] = {"answered": False, "talk_seconds": None, "has_left": False} | more
    return end_inbound_leg(bureau.services, sid, step=step, duty_line=DUTY, **told)


def row(bureau: Bureau, sid: str = "CA1") -> dict[str, Any]:
    (found,) = bureau.rows(sa.select(t.inbound_call).where(t.inbound_call.c.sid == sid))
    return found


def heard(turn: InboundTurn) -> list[str]:
    return [say.prompt_id.removeprefix("inbound.") for say in turn.says]


def test_a_first_request_that_is_repeated_has_the_same_answer(bureau: Bureau):
    first = arrives(bureau)
    assert heard(first) == [InboundPrompt.OPENING, InboundPrompt.ASK_NUMBER]
    assert arrives(bureau) == first
    assert row(bureau)["asked"] == 1


def test_a_repeated_first_request_says_the_warning_again_before_the_desk_rings(bureau: Bureau):
    seat(bureau, "li", "8001")
    _, phone = case_of(bureau)
    first = arrives(bureau, caller=phone)
    again = arrives(bureau, caller=phone)
    assert first.rings == again.rings == "8001"
    assert heard(again)[0] == InboundPrompt.OPENING


def test_a_typed_number_that_is_told_twice_is_one_try(bureau: Bureau):
    arrives(bureau)
    second = arrives(bureau, step=1, typed="12")
    assert heard(second) == [InboundPrompt.ASK_AGAIN]
    assert arrives(bureau, step=1, typed="12") == second
    assert row(bureau)["asked"] == 2


def test_the_end_of_a_desks_call_that_is_told_twice_skips_no_desk(bureau: Bureau):
    seat(bureau, "li", "8001")
    seat(bureau, "wang", "8003")
    _, phone = case_of(bureau)
    assert arrives(bureau, caller=phone).rings == "8001"
    second = dial_ends(bureau, 1)
    again = dial_ends(bureau, 1)
    assert (second.rings, again.rings, again.turn) == ("8003", "8003", second.turn)
    assert row(bureau)["tried"] == ["8001"]
    # Late news of the first desk says nothing of the second one.
    connect_inbound_call(bureau.services, "CA1", step=1)
    assert row(bureau)["state"] == InboundState.RINGING.value


def test_a_talk_whose_beginning_was_not_told_is_a_talk(bureau: Bureau):
    seat(bureau, "li", "8001")
    case_id, phone = case_of(bureau)
    arrives(bureau, caller=phone)
    bureau.clock.advance(40)
    assert dial_ends(bureau, 1, answered=True, talk_seconds=30) == InboundTurn()
    call = row(bureau)
    assert (call["result"], call["by"], call["talk_seconds"]) == ("joined", "li", 30)
    task = bureau.assignment_of(case_id)
    assert (task["state"], task["signed_by"]) == ("signed", "li")
    assert bureau.case_of(case_id).contact is Contact.NONE
    report_assignment(
        bureau.services, unrestricted("li"), task["id"], WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE)
    )
    assert bureau.case_of(case_id).contact is Contact.VERIFIED


def test_a_talk_of_the_duty_line_proves_nothing_for_who_takes_the_task_later(bureau: Bureau):
    case_id, phone = case_of(bureau)
    assert arrives(bureau, caller=phone).rings == DUTY
    connect_inbound_call(bureau.services, "CA1", step=1)
    dial_ends(bureau, 1, answered=True, talk_seconds=30)
    task = bureau.assignment_of(case_id)
    assert task["signed_by"] == DESK
    with bureau.tx() as tx:
        release_assignments(tx, [task["id"]])
    bureau.clock.advance(3600)
    claimed = claim_next(bureau.services, unrestricted("li"), scope=CENTRE)
    assert claimed is not None
    with pytest.raises(NoCall):
        report_assignment(
            bureau.services,
            unrestricted("li"),
            claimed.id,
            WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE),
        )


def test_desks_of_other_units_hide_none_that_may_take_the_call(bureau: Bureau):
    for n in range(25):
        seat(bureau, f"other{n}", str(7000 + n), unit="五原分局")
    seat(bureau, "li", "8001", unit="临河分局")
    _, phone = case_of(bureau, unit="临河分局")
    assert arrives(bureau, caller=phone).rings == "8001"


def test_a_desk_that_is_free_again_rings_for_the_first_in_line(bureau: Bureau):
    calls = {}
    for sid in ("CA1", "CA2", "CA3"):
        calls[sid] = case_of(bureau)[1]
    arrives(bureau, "CA1", caller=calls["CA1"])  # the duty line
    arrives(bureau, "CA2", caller=calls["CA2"])
    bureau.clock.advance(4)
    seat(bureau, "li", "8001")
    third = arrives(bureau, "CA3", caller=calls["CA3"])
    assert heard(third) == [InboundPrompt.OPENING, InboundPrompt.PLACE_2]
    assert arrives(bureau, "CA2", caller=calls["CA2"], step=1).rings == "8001"
    seat(bureau, "wang", "8003")
    assert arrives(bureau, "CA3", caller=calls["CA3"], step=1).rings == "8003"


def test_a_call_in_line_of_which_nothing_is_heard_any_more_holds_up_nobody_for_long(bureau: Bureau):
    arrives(bureau, "CA1", caller=case_of(bureau)[1])
    arrives(bureau, "CA2", caller=case_of(bureau)[1])
    rules = bureau.services.inbound
    bureau.clock.advance(rules.wait_seconds + rules.ring_seconds + 30)
    seat(bureau, "li", "8001")
    assert arrives(bureau, "CA3", caller=case_of(bureau)[1]).rings == "8001"


def test_a_person_who_calls_before_the_agreed_time_is_called_back_at_once(bureau: Bureau):
    case_id, phone = case_of(bureau, grade=Grade.EXTRA_HIGH)
    task = bureau.assignment_of(case_id)
    tomorrow = bureau.clock.now() + timedelta(days=1)
    with bureau.tx() as tx:
        keep_for_caller(tx, task["id"], by="wang", call_at=tomorrow, kept_until=tomorrow)
    arrives(bureau, caller=phone)  # the duty line
    end_inbound_call(bureau.services, "CA1")
    claimed = claim_next(bureau.services, unrestricted("li"), scope=CENTRE)
    assert claimed is not None
    assert claimed.case_id == case_id


def test_outside_the_hours_nobody_says_that_a_caller_calls_very_soon(bureau: Bureau):
    rules = bureau.services.inbound.model_copy(update={"opens": time(1), "closes": time(2)})
    bureau.services = replace(bureau.services, inbound=rules)
    _, phone = case_of(bureau)
    assert arrives(bureau, caller=phone).rings == DUTY
    bureau.clock.advance(rules.wait_seconds + 1)
    last = dial_ends(bureau, 1)
    assert heard(last) == [InboundPrompt.NO_OFFICER]
    assert row(bureau)["result"] == InboundResult.CALL_BACK.value


def test_no_desk_call_begins_at_a_telephone_that_rings_for_a_call_in(bureau: Bureau):
    seat(bureau, "li", "8001")
    _, phone = case_of(bureau)
    other, _ = case_of(bureau, grade=Grade.EXTRA_HIGH)
    assert arrives(bureau, caller=phone).rings == "8001"
    task = bureau.assignment_of(other)
    claimed = claim_next(bureau.services, unrestricted("li"), scope=CENTRE)
    assert claimed is not None
    held = claimed.id if claimed.id == task["id"] else task["id"]
    bureau.do(
        sa.update(t.assignment)
        .where(t.assignment.c.id == held)
        .values(state="signed", signed_by="li", signed_at=bureau.clock.now())
    )
    ringing = dial_from_desk(
        bureau.services, unrestricted("li"), cast("DeskClient", None), held, extension="8001"
    )
    with pytest.raises(Conflict, match="telephone"):
        asyncio.run(ringing)
    assert bureau.rows(sa.select(t.desk_call)) == []


def test_a_person_does_not_wait_for_a_caller_who_left_with_the_task(bureau: Bureau):
    case_id, phone = case_of(bureau, grade=Grade.EXTRA_HIGH)
    left = claim_next(bureau.services, unrestricted("li"), scope=CENTRE)
    assert left is not None
    assert left.case_id == case_id
    bureau.clock.advance(bureau.services.work.lease_seconds + 1)
    seat(bureau, "wang", "8003")
    assert arrives(bureau, caller=phone).rings == "8003"
    end_inbound_call(bureau.services, "CA1")
    claimed = claim_next(bureau.services, unrestricted("zhao"), scope=CENTRE)
    assert claimed is not None
    assert claimed.case_id == case_id


def test_a_person_whose_task_somebody_has_in_hand_reaches_that_desk_alone(bureau: Bureau):
    seat(bureau, "wang", "8003")
    seat(bureau, "li", "8001")
    _, phone = case_of(bureau, grade=Grade.EXTRA_HIGH)
    assert claim_next(bureau.services, unrestricted("li"), scope=CENTRE) is not None
    assert arrives(bureau, caller=phone).rings == "8001"
    assert dial_ends(bureau, 1).rings == DUTY


def test_many_calls_at_once_ring_each_telephone_once(bureau: Bureau):
    for n in range(3):
        seat(bureau, f"desk{n}", f"800{n + 1}")
    phones = [case_of(bureau)[1] for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        # The carrier asks twice about each: its first request was late.
        turns = list(pool.map(lambda n: arrives(bureau, f"CA{n % 8}", phones[n % 8]), range(16)))
    ringing = {}
    for found in bureau.rows(sa.select(t.inbound_call)):
        if found["state"] == InboundState.RINGING.value:
            assert found["extension"] not in ringing
            ringing[found["extension"]] = found["sid"]
        assert found["turn"] == 1
    assert len(bureau.rows(sa.select(t.inbound_call))) == 8
    assert {turn.rings for turn in turns} - {""} == set(ringing)
    assert len(bureau.rows(sa.select(t.event).where(t.event.c.kind == "called_in"))) == 8


def both_typed(bureau: Bureau) -> tuple[list[InboundTurn], list[InboundTurn]]:
    """What two callers with a hidden number hear, of whom one types a number with an open case, turn by turn until the
    end; the telephones of ours do not answer.
    """
    _, phone = case_of(bureau)
    told: dict[str, list[InboundTurn]] = {}
    for sid, typed in (("CA1", phone), ("CA2", "13800000000")):
        turns = told[sid] = [arrives(bureau, sid), arrives(bureau, sid, step=1, typed=typed)]
        while turns[-1].turn:
            step = turns[-1].turn
            if turns[-1].rings:
                turns.append(dial_ends(bureau, step, sid))
            else:
                bureau.clock.advance(10)
                turns.append(arrives(bureau, sid, step=step))
    return told["CA1"], told["CA2"]


@pytest.mark.parametrize("logins", [(), ("li",), ("li", "wang")], ids=len)
def test_nobody_learns_whether_a_case_of_a_typed_number_is_open(bureau: Bureau, logins: tuple[str, ...]):
    for n, login in enumerate(logins):
        seat(bureau, login, f"800{n + 1}")
    with_case, without = both_typed(bureau)
    assert [(heard(one), bool(one.rings), one.waits_seconds) for one in with_case] == [
        (heard(one), bool(one.rings), one.waits_seconds) for one in without
    ]
    assert heard(without[-1]) == [InboundPrompt.NO_OFFICER]
    assert (row(bureau, "CA1")["result"], row(bureau, "CA2")["result"]) == ("call_back", "no_case")
    (task,) = bureau.rows(sa.select(t.assignment))
    assert task["state"] == "open", "whose case it is, is called back, and is not told so"


def test_a_typed_number_without_a_case_reaches_a_desk_that_nobody_with_a_case_waits_for(bureau: Bureau):
    arrives(bureau, "CA1", caller=case_of(bureau)[1])  # the duty line
    bureau.clock.advance(1)
    arrives(bureau, "CA2", caller=case_of(bureau)[1])  # waits
    bureau.clock.advance(1)
    arrives(bureau, "CA3")
    assert arrives(bureau, "CA3", step=1, typed="13800000000").waits_seconds
    seat(bureau, "li", "8001")
    assert arrives(bureau, "CA3", step=2).rings == ""
    seat(bureau, "wang", "8003")
    third = arrives(bureau, "CA3", step=3)
    assert third.rings == "8003"
    connect_inbound_call(bureau.services, "CA3", step=third.turn)
    dial_ends(bureau, third.turn, "CA3", answered=True, talk_seconds=20)
    assert (row(bureau, "CA3")["result"], row(bureau, "CA3")["by"]) == ("joined", "wang")


def test_every_open_case_of_the_person_stands_its_robot_down_and_gets_its_human_call(bureau: Bureau):
    person = bureau.person(name="某甲", phones=("+8613900002099",))
    one = bureau.open_case(person_id=person, fraud_type=FraudType.LOAN)
    two = bureau.open_case(person_id=person, fraud_type=FraudType.FAKE_ORDER_REBATE)
    stranger, _ = case_of(bureau)
    arrives(bureau, caller="+8613900002099")
    assert {row(bureau)["case_id"]} <= {one, two}
    for case_id in (one, two):
        case = bureau.case_of(case_id)
        assert (case.robot.state, case.human.state) == (RobotState.DONE, StaffTrackState.OPEN)
        assert case.contact is Contact.NONE
    assert bureau.case_of(stranger).robot.state is RobotState.PENDING


def test_a_typed_number_stands_no_robot_of_the_person_down(bureau: Bureau):
    person = bureau.person(name="某乙", phones=("+8613900002098",))
    cases = [
        bureau.open_case(person_id=person, fraud_type=kind)
        for kind in (FraudType.LOAN, FraudType.FAKE_ORDER_REBATE)
    ]
    arrives(bureau)
    arrives(bureau, step=1, typed="13900002098")
    assert {bureau.case_of(case_id).robot.state for case_id in cases} == {RobotState.PENDING}
