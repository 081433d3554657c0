"""Transfers: a reason, the acceptance of the other unit, and no clock that is reset."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.cases.store import words_of_case
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.values import Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.units import change_unit
from dialer.work.tasks import WorkReport, report_assignment, sign_assignment
from dialer.work.transfer_store import waiting_transfers
from dialer.work.transfers import accept_transfer, refuse_transfer, transfer_assignment
from tests.work.bureau import Bureau

CLOCKS = ("opened_at", "sign_by", "due_at", "feedback_by")


@pytest.fixture
def case_id(bureau: Bureau) -> int:
    return bureau.case_with_unit("城关派出所", grade=Grade.EXTRA_HIGH)


def work(bureau: Bureau, case_id: int) -> int:
    return int(bureau.assignment_of(case_id)["id"])


def send(bureau: Bureau, case_id: int, to: str = "五原分局") -> int:
    return transfer_assignment(
        bureau.services,
        unrestricted("li"),
        work(bureau, case_id),
        to_unit_id=bureau.unit[to],
        why="住址在五原",
    )


def test_it_stays_until_it_is_accepted(bureau: Bureau, case_id: int):
    before = bureau.assignment_of(case_id)
    transfer_id = send(bureau, case_id)
    assert bureau.assignment_of(case_id)["unit_id"] == bureau.unit["城关派出所"]
    with bureau.tx() as tx:
        assert [
            waiting_transfer.id for waiting_transfer in waiting_transfers(tx, into=bureau.unit["五原分局"])
        ] == [transfer_id]
        assert waiting_transfers(tx, into=bureau.unit["临河分局"]) == []
    bureau.later(minutes=2)
    accept_transfer(bureau.services, unrestricted("wang"), transfer_id)
    after = bureau.assignment_of(case_id)
    assert (after["unit"], after["state"], after["signed_by"]) == ("五原分局", "signed", "wang")
    assert all(after[clock] == before[clock] for clock in CLOCKS)
    assert bureau.row_of(case_id)["unit_id"] == bureau.unit["五原分局"]
    assert bureau.acts_of(case_id) == ["transfer_asked", "transfer_accepted"]
    with bureau.tx() as tx:
        assert waiting_transfers(tx) == []


def test_the_time_of_the_first_signature_stays(bureau: Bureau, case_id: int):
    sign_assignment(bureau.services, unrestricted("li"), work(bureau, case_id))
    signed_at = bureau.assignment_of(case_id)["signed_at"]
    bureau.later(minutes=2)
    accept_transfer(bureau.services, unrestricted("wang"), send(bureau, case_id))
    assert bureau.assignment_of(case_id)["signed_at"] == signed_at


def test_a_refusal_leaves_the_work_with_its_unit_and_gives_a_reason(bureau: Bureau, case_id: int):
    transfer_id = send(bureau, case_id)
    refuse_transfer(bureau.services, unrestricted("wang"), transfer_id, why="不是我们的辖区")
    assert bureau.assignment_of(case_id)["unit_id"] == bureau.unit["城关派出所"]
    assert bureau.acts_of(case_id) == ["transfer_asked", "transfer_refused"]
    with bureau.tx() as tx:
        assert [(word.by, word.words) for word in words_of_case(tx, case_id)] == [
            ("li", "住址在五原"),
            ("wang", "不是我们的辖区"),
        ]
    for answer in (
        lambda: accept_transfer(bureau.services, unrestricted("wang"), transfer_id),
        lambda: refuse_transfer(bureau.services, unrestricted("wang"), transfer_id, why="x"),
    ):
        with pytest.raises(Conflict):
            answer()


def test_the_reason_is_sealed(bureau: Bureau, case_id: int):
    send(bureau, case_id)
    (row,) = bureau.rows(sa.select(t.event).where(t.event.c.case_id == case_id))
    assert "住址" not in str(row["facts"])
    assert "住址".encode() not in bytes(row["sealed"])


def test_transferred_twice_is_counted(bureau: Bureau, case_id: int):
    accept_transfer(bureau.services, unrestricted("wang"), send(bureau, case_id))
    accept_transfer(bureau.services, unrestricted("zhao"), send(bureau, case_id, "临河分局"))
    assert bureau.assignment_of(case_id)["transfers"] == 2


def test_only_one_transfer_waits_at_a_time(bureau: Bureau, case_id: int):
    send(bureau, case_id)
    with pytest.raises(Conflict):
        send(bureau, case_id, "临河分局")


def test_a_transfer_of_ended_work_is_not_accepted(bureau: Bureau, case_id: int):
    transfer_id = send(bureau, case_id)
    bureau.talked(work(bureau, case_id))
    report_assignment(
        bureau.services,
        unrestricted("li"),
        work(bureau, case_id),
        WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE),
    )
    with bureau.tx() as tx:
        assert waiting_transfers(tx) == []
    with pytest.raises(Overtaken) as refused:
        accept_transfer(bureau.services, unrestricted("wang"), transfer_id)
    assert (refused.value.who, refused.value.what) == ("li", "dissuaded_by_phone")
    with pytest.raises(Overtaken):
        send(bureau, case_id, "临河分局")


def test_only_to_another_active_unit_and_with_a_reason(bureau: Bureau, case_id: int):
    with pytest.raises(Conflict):
        send(bureau, case_id, "城关派出所")
    with bureau.tx() as tx:
        change_unit(tx, bureau.unit["五原分局"], active=False)
    with pytest.raises(Conflict):
        send(bureau, case_id)
    with pytest.raises(NotFound):
        transfer_assignment(
            bureau.services, unrestricted("li"), work(bureau, case_id), to_unit_id=999, why="x"
        )
    with pytest.raises(Invalid):
        transfer_assignment(
            bureau.services,
            unrestricted("li"),
            work(bureau, case_id),
            to_unit_id=bureau.unit["临河分局"],
            why=" ",
        )
