"""'Speak to an officer' and 'I have already paid': a desk, else the top of the queue, with all that was said."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.core.access import DESK, unrestricted
from dialer.core.case import PaidWhen, StaffTrackState, StopResult
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.values import Contact, Grade, TelephonyResult
from dialer.db import tables as t
from dialer.work.assignments import sign_assignment_for, waiting_assignments
from dialer.work.desk import complete_stop_payment, show_hand_over
from dialer.work.desk_store import waiting_stop_payments
from tests.calls.conversation import PhoneCall
from tests.control.scene import Scene


def first_in_queue(scene: Scene) -> int:
    with scene.tx() as tx:
        return waiting_assignments(tx)[0].case_id


def open_stop_payments(scene: Scene) -> list[int]:
    with scene.tx() as tx:
        return [payment.case_id for payment in waiting_stop_payments(tx)]


def test_a_wish_for_an_officer_during_the_call_goes_before_every_grade(scene: Scene):
    scene.open_case(grade=Grade.EXTRA_HIGH)
    ring = PhoneCall(scene, grade=Grade.LOW).answered().after(12).presses("0")
    assert ring.turn is not None
    assert ring.turn.hand_over
    (assignment,) = scene.assignments_of(ring.case_id)
    assert (assignment["kind"], assignment["state"], assignment["reason"]) == (
        "human",
        "open",
        "wants_officer",
    )
    assert first_in_queue(scene) == ring.case_id


def test_a_desk_that_takes_the_call_has_the_assignment(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "0").desk("completed", taken=True)
    ring.after(60).ends(seconds=80)
    (assignment,) = scene.assignments_of(ring.case_id)
    assert (assignment["state"], assignment["signed_by"]) == ("signed", DESK)
    case = scene.case_of(ring.case_id)
    assert (case.human.state, case.contact) == (StaffTrackState.OPEN, Contact.VERIFIED)


def test_the_desk_has_the_assignment_from_its_answer_on(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "0").desk_answers()
    (assignment,) = scene.assignments_of(ring.case_id)
    assert (assignment["state"], assignment["signed_by"]) == ("signed", DESK)
    assert ring.row()["state"] == "answered"
    ring.after(60).desk("completed", taken=True).ends(seconds=80)
    assert scene.assignments_of(ring.case_id)[0]["signed_by"] == DESK


def test_hanging_up_before_the_desk_answers_leaves_the_assignment_at_the_top(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "0")
    said = ring.row()
    ring.leaves("canceled").ends(seconds=20)
    row = ring.row()
    assert (row["last_node"], row["answer"]) == (said["last_node"], "wants_officer")
    (assignment,) = scene.assignments_of(ring.case_id)
    assert (assignment["state"], assignment["signed_by"]) == ("open", None)
    assert first_in_queue(scene) == ring.case_id
    told = show_hand_over(scene.services, unrestricted("li"), assignment["id"])
    assert told.said[-1].desk == "canceled"


def test_a_repeat_of_the_desk_s_answer_needs_no_record(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "0")
    ring.desk("completed", taken=True).desk("completed", taken=True)
    (assignment,) = scene.assignments_of(ring.case_id)
    assert assignment["signed_by"] == DESK


def test_an_assignment_that_a_caller_signed_for_is_not_taken_from_them(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "0")
    (assignment,) = scene.assignments_of(ring.case_id)
    with scene.tx() as tx:
        sign_assignment_for(tx, assignment["id"], by="li", now=scene.clock.now())
    ring.desk("completed", taken=True)
    assert scene.assignments_of(ring.case_id)[0]["signed_by"] == "li"


@pytest.mark.parametrize("status", ["no-answer", "busy", "failed"])
def test_a_desk_that_does_not_answer_leaves_the_assignment_at_the_top_and_the_script_says_so(
    scene: Scene, status: str
):
    ring = PhoneCall(scene).answered().after(12).presses("1", "0").desk(status, taken=False)
    assert ring.turn is not None
    assert ring.turn.node == "officer_busy"
    ring.after(10).ends(seconds=40)
    (assignment,) = scene.assignments_of(ring.case_id)
    assert (assignment["state"], assignment["signed_by"]) == ("open", None)
    assert first_in_queue(scene) == ring.case_id
    told = show_hand_over(scene.services, unrestricted("li"), assignment["id"])
    assert status in [said.desk for said in told.said]


def test_an_open_assignment_goes_to_the_top_when_the_person_asks_for_an_officer(scene: Scene):
    other = scene.open_case(grade=Grade.EXTRA_HIGH)
    scene.later(seconds=5)
    ring = PhoneCall(scene, grade=Grade.EXTRA_HIGH)
    assert first_in_queue(scene) == other
    ring.answered().after(12).presses("1", "0")
    assert first_in_queue(scene) == ring.case_id
    by_kind = {row["kind"]: row for row in scene.assignments_of(ring.case_id)}
    assert by_kind["human"]["reason"] == "wants_officer"


def test_already_paid_opens_a_stop_payment_with_what_was_typed_sealed(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "3")
    assert open_stop_payments(scene) == [ring.case_id]
    ring.desk("no-answer", taken=False).presses("35000", "6217", "1").after(20).ends(seconds=90)
    (assignment,) = scene.assignments_of(ring.case_id)
    assert assignment["reason"] == "already_paid"
    paid = show_hand_over(scene.services, unrestricted("li"), assignment["id"]).paid
    assert paid is not None
    assert (paid.amount_fen, paid.payee_account_last4, paid.when) == (3_500_000, "6217", PaidWhen.JUST_NOW)
    facts = [row["facts"] for row in scene.rows(sa.select(t.event))]
    clear = str([{name: value for name, value in fact.items() if name != "sid"} for fact in facts])
    assert "35000" not in clear
    assert "6217" not in clear
    assert scene.alarms_of(ring.case_id)["already_paid"] == 1


def test_a_repeat_opens_no_second_stop_payment(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "3")
    ring.desk("no-answer", taken=False).presses("", "", "", "").ends(seconds=60)
    assert open_stop_payments(scene) == [ring.case_id]


def test_an_amount_that_was_not_typed_is_unknown(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "3").desk("busy", taken=False)
    ring.presses("", "", "").ends(seconds=60)
    (assignment,) = scene.assignments_of(ring.case_id)
    paid = show_hand_over(scene.services, unrestricted("li"), assignment["id"]).paid
    assert paid is not None
    assert (paid.amount_fen, paid.payee_account_last4, paid.when) == (None, None, None)


def test_a_stop_payment_is_done_once_and_outlives_the_case(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "3")
    ring.ends(TelephonyResult.ANSWERED, seconds=30)
    scene.change_case(
        ring.case_id, status="closed", human_state="done", due_at=None, settled_at=scene.clock.now()
    )
    with scene.tx() as tx:
        (payment,) = waiting_stop_payments(tx)
    complete_stop_payment(scene.services, unrestricted("zhao"), payment.id, result=StopResult.ASKED)
    assert open_stop_payments(scene) == []
    with pytest.raises(Conflict):
        complete_stop_payment(scene.services, unrestricted("qian"), payment.id, result=StopResult.TOO_LATE)
    with pytest.raises(NotFound):
        complete_stop_payment(scene.services, unrestricted("qian"), payment.id + 1, result=StopResult.ASKED)


def test_the_conversation_is_read_in_words_and_by_a_name_that_the_audit_keeps(scene: Scene):
    ring = PhoneCall(scene).answered().after(12).presses("1", "1", "0").desk("no-answer", taken=False)
    (assignment,) = scene.assignments_of(ring.case_id)
    told = show_hand_over(scene.services, unrestricted("li"), assignment["id"])
    assert [said.pressed for said in told.said] == ["", "1", "1", "0", ""]
    assert "不要转" in told.said[0].robot[0]
    assert told.paid is None
    (look,) = scene.rows(sa.select(t.audit).where(t.audit.c.act == "conversation"))
    assert (look["who"], look["subject"]) == ("li", f"case/{ring.case_id}")
    with pytest.raises(Invalid):
        show_hand_over(scene.services, unrestricted(" "), assignment["id"])
